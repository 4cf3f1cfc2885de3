"""Database or broker away, at the start or in the middle: wait, say so once, lose nothing.

The wire is cut by a proxy of the test's own; the servers themselves are shared and stay up.
"""

from __future__ import annotations

import json
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hearthline.domain.places import Ledger
from hearthline.settings import Settings
from hearthline.storage import dead_letters, deliveries
from hearthline.storage.database import Connection
from tests.conftest import Site
from tests.integration.conftest import IngestProcess, running_ingest, wait_until
from tests.integration.proxy import Proxy
from tests.mqtt import left_in_session

NOW = datetime.now(UTC).replace(microsecond=0)
DEVICES = 10


@pytest.fixture(autouse=True)
def _dwellings(save_ledger: Callable[[Ledger], None], site: Site) -> None:
    save_ledger(site.ledger(DEVICES))


@pytest.fixture
def database_wire(settings: Settings) -> Iterator[Proxy]:
    with Proxy(settings.require_database()) as proxy:
        yield proxy


@pytest.fixture
def broker_wire(settings: Settings) -> Iterator[Proxy]:
    with Proxy(settings.require_mqtt()) as proxy:
        yield proxy


def publish(site: Site, first: int, count: int) -> None:
    """Readings number ``first`` on, each another (device, time), in arrays of five."""
    with site.publisher() as devices:
        for start in range(first, first + count, 5):
            items = [
                {
                    "device": f"d{number % DEVICES}",
                    "ts": (NOW - timedelta(days=2) + timedelta(minutes=number)).isoformat(),
                    "temperature_c": 20.0,
                }
                for number in range(start, start + 5)
            ]
            devices.send(site.topic("gateway"), items)


def stored(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) AS count FROM room_reading").fetchone()
    return int(row["count"]) if row else 0


def assert_all_accounted(connection: Connection, settings: Settings, readings: int) -> None:
    assert stored(connection) == readings
    tally = deliveries.tally(connection, settings.mqtt_client_id)
    assert tally is not None
    assert (tally["stored"], tally["duplicates"], tally["refused"]) == (readings, 0, 0)


def test_database_cut_in_the_middle(
    settings: Settings, site: Site, connection: Connection, database_wire: Proxy
) -> None:
    cut = settings.model_copy(update={"database_url": database_wire.url, "ingest_inflight": 50})
    with running_ingest(cut) as service:
        publish(site, 0, 100)
        wait_until(lambda: stored(connection) == 100, "the first hundred are stored")
        database_wire.cut()
        publish(site, 100, 1000)
        wait_until(lambda: not service.health.ready, "readiness is gone")
        assert stored(connection) == 100
        assert service.writer.gatherer.inbox.qsize() <= 50
        database_wire.restore()
        wait_until(lambda: stored(connection) == 1100, "everything is stored")
        assert service.health.ready
    assert_all_accounted(connection, settings, 1100)
    assert left_in_session(settings.require_mqtt(), site.client_id) == 0


def test_database_cut_again_and_again_while_batches_commit(
    settings: Settings, site: Site, connection: Connection, database_wire: Proxy
) -> None:
    """Some cuts fall between COMMIT and its answer: such a batch must not be counted twice."""
    cut = settings.model_copy(update={"database_url": database_wire.url, "ingest_inflight": 20})
    with running_ingest(cut), site.publisher() as devices:
        publish(site, 0, 2000)
        for number in range(300):
            devices.send(site.topic("d0"), b"the same junk")
            if number % 30 == 0:
                database_wire.cut()
                database_wire.restore()
        wait_until(lambda: stored(connection) == 2000, "everything is stored")
        wait_until(lambda: counted(connection) == 300, "all junk is counted")
    tally = deliveries.tally(connection, settings.mqtt_client_id)
    assert tally is not None
    assert (tally["stored"], tally["duplicates"], tally["refused"]) == (2000, 0, 300)
    assert left_in_session(settings.require_mqtt(), site.client_id) == 0


def counted(connection: Connection) -> int:
    return sum(row["count"] for row in dead_letters.counts(connection))


def test_broker_cut_again_and_again_in_the_middle_of_batches(
    settings: Settings, site: Site, connection: Connection, broker_wire: Proxy
) -> None:
    cut = settings.model_copy(update={"mqtt_url": broker_wire.url, "ingest_inflight": 100})
    with running_ingest(cut) as service, site.publisher() as devices:
        for round_ in range(4):
            publish(site, round_ * 500, 500)
            for _ in range(25):
                devices.send(site.topic("d0"), b"the same junk")
            broker_wire.cut()
            wait_until(lambda: not service.health.broker, "the broker is missed")
            broker_wire.restore()
        wait_until(lambda: stored(connection) == 2000, "everything is stored")
        wait_until(lambda: counted(connection) == 100, "all junk is counted")
    tally = deliveries.tally(connection, settings.mqtt_client_id)
    assert tally is not None
    assert (tally["stored"], tally["duplicates"], tally["refused"]) == (2000, 0, 100)
    assert left_in_session(settings.require_mqtt(), site.client_id) == 0


def test_the_process_outlives_a_wire_that_is_cut_under_its_hands(
    settings: Settings, site: Site, connection: Connection, broker_wire: Proxy, tmp_path: Path
) -> None:
    process = IngestProcess(
        settings.model_copy(update={"mqtt_url": broker_wire.url}), tmp_path / "ingest.log"
    )
    process.start()
    try:
        wait_until(lambda: "subscribed" in process.said, "it has subscribed")
        assert process.ignores(signal.SIGPIPE), "a write to a closed socket would kill it"
        for round_ in range(4):
            publish(site, round_ * 500, 500)
            broker_wire.cut()
            broker_wire.restore()
            so_far = 500 * (round_ + 1)
            wait_until(lambda n=so_far: stored(connection) == n, "the round is stored")
        assert process.terminate() == 0
    finally:
        process.kill()


def test_a_flapping_broker_while_the_database_is_away_does_not_fill_the_memory(
    settings: Settings,
    site: Site,
    connection: Connection,
    broker_wire: Proxy,
    database_wire: Proxy,
) -> None:
    """Without a time of its own a redelivered message could be stored twice; it is not."""
    name = f"zigbee2mqtt/{site.name}/a"
    connection.execute(
        "INSERT INTO device (uid, kind) VALUES (%s, 'room')", (name.replace("/", ":", 1),)
    )
    update = {"mqtt_url": broker_wire.url, "database_url": database_wire.url, "ingest_inflight": 50}
    with running_ingest(settings.model_copy(update=update)) as service:
        database_wire.cut()
        with site.publisher() as devices:
            for number in range(120):
                devices.send(name, {"temperature": 20, "linkquality": number})
        for _ in range(3):
            wait_until(lambda: service.health.broker, "the broker is there")
            broker_wire.cut()
            wait_until(lambda: not service.health.broker, "the broker is missed")
            broker_wire.restore()
        assert service.writer.gatherer.inbox.qsize() <= 50
        database_wire.restore()
        wait_until(lambda: stored(connection) >= 120, "everything is stored")
    assert_all_accounted(connection, settings, 120)
    assert left_in_session(settings.require_mqtt(), site.client_id) == 0


def test_both_away_at_the_start_is_said_once_each(  # noqa: PLR0917 - both wires, both ends
    settings: Settings,
    site: Site,
    connection: Connection,
    broker_wire: Proxy,
    database_wire: Proxy,
    tmp_path: Path,
) -> None:
    with running_ingest(settings):
        pass  # the session exists from here on, so the broker keeps what comes
    publish(site, 0, 50)
    broker_wire.cut()
    database_wire.cut()
    update = {"mqtt_url": broker_wire.url, "database_url": database_wire.url}
    process = IngestProcess(settings.model_copy(update=update), tmp_path / "log")
    process.start()
    try:
        wait_until(lambda: "waiting for the broker" in process.said, "the broker is missed")
        wait_until(lambda: "waiting for the database" in process.said, "the database is missed")
        database_wire.restore()
        wait_until(lambda: "the database is back" in process.said, "the database is found")
        broker_wire.restore()
        wait_until(lambda: stored(connection) == 50, "everything is stored")
        assert process.terminate() == 0
    finally:
        process.kill()
    said = Counter(re.findall(r"waiting for the \w+|the \w+ is back", process.said))
    assert set(said.values()) == {1}
    assert_all_accounted(connection, settings, 50)


def test_a_schema_that_is_not_there_yet_is_waited_for(
    settings: Settings, site: Site, connection: Connection, tmp_path: Path
) -> None:
    connection.execute("ALTER TABLE ingest_session RENAME TO not_yet")
    process = IngestProcess(settings, tmp_path / "log")
    process.start()
    try:
        wait_until(lambda: "waiting for the database" in process.said, "the table is missed")
        connection.execute("ALTER TABLE not_yet RENAME TO ingest_session")
        wait_until(lambda: "the database is back" in process.said, "the table is found")
        wait_until(lambda: "subscribed" in process.said, "the broker keeps what comes")
        publish(site, 0, 50)
        wait_until(lambda: stored(connection) == 50, "everything is stored")
    finally:
        process.kill()


def test_a_message_that_the_database_refuses_becomes_a_dead_letter_alone(
    settings: Settings, site: Site, connection: Connection
) -> None:
    """No reading that passes the rules is refused today; a constraint of the company's may."""
    connection.execute("ALTER TABLE room_reading ADD CHECK (temperature_c <> 13)")
    with running_ingest(settings), site.publisher() as devices:
        for number in range(40):
            ts = (NOW - timedelta(minutes=number)).isoformat()
            value = 13.0 if number == 17 else 20.0
            devices.send(site.topic("d0"), {"ts": ts, "temperature_c": value})
        wait_until(lambda: stored(connection) == 39 and counted(connection) == 1, "all is there")
    (kept,) = dead_letters.newest(connection)
    assert (kept["reason"], json.loads(kept["payload"])["temperature_c"]) == ("malformed", 13.0)
    assert left_in_session(settings.require_mqtt(), site.client_id) == 0


def test_wrong_credentials_are_said_once_and_waited_out(settings: Settings, tmp_path: Path) -> None:
    wrong = re.sub(r"//.*@", "//nobody:nothing@", settings.require_mqtt())
    process = IngestProcess(settings.model_copy(update={"mqtt_url": wrong}), tmp_path / "log")
    process.start()
    try:
        wait_until(lambda: "the broker refuses" in process.said, "the refusal is said")
        assert "nothing@" not in process.said
        assert process.terminate() == 0
    finally:
        process.kill()


@pytest.mark.parametrize("setting", ["HEARTHLINE_MQTT_URL", "HEARTHLINE_DATABASE_URL"])
def test_a_wrong_setting_is_one_sentence_and_exit_code_2(
    settings: Settings, tmp_path: Path, setting: str
) -> None:
    process = IngestProcess(settings, tmp_path / "log", **{setting: "nonsense"})
    process.start()
    assert process.wait() == 2
    (sentence,) = process.said.strip().splitlines()
    assert setting in sentence
