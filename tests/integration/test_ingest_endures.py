"""Servers really stopped and killed while devices publish: nothing lost, nothing twice.

Database and broker are this module's own. HEARTHLINE_TEST_OUTAGE_S sets how many seconds each is
away; every run of the tests uses a short outage, a long one shows nothing else.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from hearthline.settings import Settings
from hearthline.storage import schema
from hearthline.storage.database import Connection, connect
from hearthline.storage.ledger import save
from ingest import consumer
from tests import builders
from tests.conftest import Site, Stack
from tests.integration.books import Books, Devices, rows, stored_keys
from tests.integration.conftest import running_ingest, wait_until
from tests.integration.proxy import Proxy
from tests.integration.servers import Servers, own_servers
from tests.integration.watched import Running, all_is_there, ask, spoken
from tests.mqtt import left_in_session

OUTAGE_S = float(os.environ.get("HEARTHLINE_TEST_OUTAGE_S", "5"))
WITHIN_S = 60 + OUTAGE_S
DEVICES = 10
TICKETS = (
    "place",
    "device",
    "device_binding",
    "episode",
    "incident",
    "ticket",
    "ticket_event",
    "hold",
)

pytestmark = pytest.mark.timeout(240 + 2 * OUTAGE_S)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with own_servers(tmp_path_factory.mktemp("servers")) as own:
        yield own


@pytest.fixture
def stack(servers: Servers) -> Stack:
    """This module's own servers instead of those of all tests, both running."""
    return servers.up()


@pytest.fixture(scope="module")
def template(servers: Servers) -> str:
    """A migrated database to copy from, in this module's own server."""
    url, name = servers.up().database_url, "hearthline_template"
    with connect(url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        schema.migrate(urlsplit(url)._replace(path=f"/{name}").geturl())
        admin.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true")
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
            (name,),
        )
    return name


@pytest.fixture
def database_url(stack: Stack, template: str) -> str:
    """A database of the test's own; it goes with the server."""
    name = f"hearthline_test_{uuid4().hex[:12]}"
    with connect(stack.database_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return urlsplit(stack.database_url)._replace(path=f"/{name}").geturl()


@pytest.fixture
def books(settings: Settings, site: Site) -> Books:
    """Devices in the ledger that have not spoken yet, and an open ticket about others."""
    town = builders.town(builders.TownPlan(1, 1, 1, 2))
    cold = town.units[0].code
    now = datetime.now(UTC).replace(microsecond=0)
    with connect(settings.require_database()) as connection:
        builders.save(connection, town)
        save(connection, site.ledger(DEVICES))
        builders.episode(connection, cold, now - timedelta(hours=8))
        builders.ticket(connection, town, cold, [cold], at=now)
    return Books(site, now - timedelta(days=3), DEVICES)


@pytest.fixture
def ingest(settings: Settings, books: Books, tmp_path: Path) -> Iterator[Running]:
    """Ingest, ready; killed at the end."""
    running = Running(settings, tmp_path / "ingest.log")
    try:
        wait_until(running.ready, "ingest is ready")
        yield running
    finally:
        running.process.kill()


@pytest.fixture
def devices(books: Books, ingest: Running) -> Devices:
    """The books' devices, speaking."""
    speaking = Devices(books, random.Random(7))
    speaking.start()
    return speaking


def fingerprints(connection: Connection) -> dict[str, str]:
    """All that tickets consist of and hang on."""
    found = {}
    for table in TICKETS:
        lines = connection.execute(f"SELECT t::text AS line FROM {table} t ORDER BY 1").fetchall()  # noqa: S608
        found[table] = sha256("\n".join(row["line"] for row in lines).encode()).hexdigest()
    return found


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_database_that_is_away_costs_no_reading_and_no_ticket(  # noqa: PLR0917 - all play a part
    servers: Servers,
    settings: Settings,
    books: Books,
    ingest: Running,
    devices: Devices,
    end: Literal["stop", "kill"],
) -> None:
    with ask(settings) as connection:
        before = fingerprints(connection)
        wait_until(lambda: rows(connection) > 300, "readings flow")
    servers.stop("database") if end == "stop" else servers.kill("database")
    wait_until(lambda: not ingest.ready(), "readiness is gone")
    at_the_end = len(books.spoken)
    time.sleep(OUTAGE_S)
    assert not ingest.ready()
    assert len(books.spoken) > at_the_end, "devices go on publishing"
    servers.start("database")
    wait_until(ingest.ready, "ingest is ready again", WITHIN_S)
    devices.finish()
    all_is_there(settings, books)
    assert ingest.process.terminate() == 0
    assert left_in_session(settings.require_mqtt(), settings.mqtt_client_id) == 0
    with ask(settings) as connection:
        after = fingerprints(connection)
        assert after == before
        assert rows(connection, "ticket") == 1
    assert ingest.said_once("waiting for the database", "the database is back")
    assert "Traceback" not in ingest.process.said


def test_a_database_that_goes_while_nobody_speaks_is_missed_all_the_same(
    servers: Servers, books: Books, ingest: Running
) -> None:
    """Who asks whether ingest is ready hears the truth, and so does who reads the log."""
    servers.kill("database")
    wait_until(lambda: not ingest.ready(), "readiness is gone", 10)
    servers.start("database")
    wait_until(ingest.ready, "ingest is ready again")
    assert ingest.said_once("waiting for the database", "the database is back")


def test_a_broker_that_is_stopped_in_order_costs_no_reading(
    servers: Servers, settings: Settings, books: Books, ingest: Running, devices: Devices
) -> None:
    """It keeps sessions and queues on disk; devices send again what it had not acknowledged."""
    with ask(settings) as connection:
        wait_until(lambda: rows(connection) > 300, "readings flow")
    servers.stop("broker")
    wait_until(lambda: not ingest.ready(), "readiness is gone")
    time.sleep(OUTAGE_S / 2)
    servers.start("broker")
    wait_until(ingest.ready, "ingest is ready again", WITHIN_S)
    devices.finish()
    all_is_there(settings, books, duplicates=True)
    assert ingest.said_once("waiting for the broker", "the broker is back")


def test_a_broker_stopped_while_ingest_is_away_keeps_what_waits(
    servers: Servers, settings: Settings, books: Books, ingest: Running
) -> None:
    """Stopped and started twice in a row; the second time nothing new has come."""
    assert ingest.process.terminate() == 0
    speaking = Devices(books, random.Random(8), pause_s=0)
    speaking.start()
    wait_until(lambda: len(books.spoken) > 3_000, "much is published")
    speaking.finish()
    for _ in range(2):
        servers.stop("broker")
        servers.start("broker")
    ingest.process.start()
    all_is_there(settings, books)


def test_a_killed_broker_loses_at_most_what_it_acknowledged_since_it_last_saved(
    servers: Servers, settings: Settings, books: Books, ingest: Running
) -> None:
    """Before the save: kept. Unacknowledged at its death: sent again by the devices."""
    assert ingest.process.terminate() == 0
    spoken(books, 200)
    servers.save_broker()
    kept = set(books.spoken)
    spoken(books, 200)
    at_risk = books.spoken - kept
    servers.kill("broker")
    during = Devices(books, random.Random(9))
    during.start()
    wait_until(lambda: len(books.spoken) > 500, "devices speak to nobody")
    servers.start("broker")
    during.finish()
    ingest.process.start()
    owed = books.spoken - at_risk
    with ask(settings) as connection:
        wait_until(lambda: owed <= set(stored_keys(connection, books.site)), "all is stored")
        found = stored_keys(connection, books.site)
    assert len(found) == len(set(found))
    assert owed <= set(found) <= books.spoken


def test_a_broker_killed_under_a_working_ingest_loses_nothing_of_before_or_after(
    servers: Servers, settings: Settings, books: Books, ingest: Running, devices: Devices
) -> None:
    """What was between it and ingest at that moment is what may be lost: it waited for nobody.

    Its last save has the session of ingest. A broker that forgot it would take messages without
    keeping them until ingest is back.
    """
    servers.save_broker()
    with ask(settings) as connection:
        wait_until(lambda: rows(connection) > 300, "readings flow")
        servers.kill("broker")
        wait_until(lambda: not ingest.ready(), "readiness is gone")
        wait_until(lambda: quiet(connection), "ingest has stored what it had")
        had, before = set(stored_keys(connection, books.site)), set(books.spoken)
        servers.start("broker")
        wait_until(ingest.ready, "ingest is ready again", WITHIN_S)
        wait_until(lambda: len(books.spoken) > len(before) + 300, "devices speak again")
        devices.finish()
        owed = had | (books.spoken - before)
        wait_until(lambda: owed <= set(stored_keys(connection, books.site)), "all is stored")
        found = stored_keys(connection, books.site)
    assert len(found) == len(set(found))
    assert set(found) <= books.spoken


def quiet(connection: Connection) -> bool:
    """Whether no row was added for half a second."""
    before = rows(connection)
    time.sleep(0.5)
    return rows(connection) == before


def test_wires_that_are_cut_for_a_while_lose_nothing(
    settings: Settings, books: Books, tmp_path: Path
) -> None:
    """First the one to the broker, then the one to the database, then both."""
    with Proxy(settings.require_mqtt()) as broker, Proxy(settings.require_database()) as database:
        cut = settings.model_copy(update={"mqtt_url": broker.url, "database_url": database.url})
        running = Running(cut, tmp_path / "cut.log")
        wait_until(running.ready, "ingest is ready")
        speaking = Devices(books, random.Random(3))
        speaking.start()
        try:
            for wires in ([broker], [database], [broker, database]):
                for wire in wires:
                    wire.cut()
                wait_until(lambda: not running.ready(), "the wire is missed")
                time.sleep(OUTAGE_S / 6)
                for wire in wires:
                    wire.restore()
                wait_until(running.ready, "ingest is ready again", WITHIN_S)
            speaking.finish()
            all_is_there(settings, books)
        finally:
            running.process.kill()


def test_a_broker_that_falls_silent_without_a_word_is_given_up_and_met_anew(
    settings: Settings, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a firewall that forgot the connection: what was under way comes again."""
    monkeypatch.setattr(consumer, "KEEPALIVE_S", 2)
    with Proxy(settings.require_mqtt()) as wire, ask(settings) as connection:
        with running_ingest(settings.model_copy(update={"mqtt_url": wire.url})) as service:
            spoken(books, 100)
            wait_until(lambda: rows(connection) == len(books.spoken), "the first are stored")
            wire.silence()
            spoken(books, 100)
            wait_until(lambda: not service.health.broker, "the silence is noticed", 20)
            wait_until(lambda: rows(connection) == len(books.spoken), "all is stored")
        all_is_there(settings, books)
