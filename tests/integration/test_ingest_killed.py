"""SIGKILL at any moment, SIGTERM at any moment: every published reading counts exactly once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hearthline.domain.places import Ledger
from hearthline.settings import Settings
from hearthline.storage import dead_letters, deliveries
from hearthline.storage.database import Connection
from tests.conftest import Site
from tests.integration.conftest import IngestProcess, wait_until
from tests.mqtt import left_in_session

READINGS = 20_000
KILLS = 20
DEVICES = 40
NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass
class Published:
    """What was published, counted by the publisher."""

    rows: set[tuple[str, datetime]] = field(default_factory=set)
    duplicates: int = 0
    refused: int = 0
    undated: int = 0

    @property
    def readings(self) -> int:
        return len(self.rows) + self.undated + self.duplicates + self.refused


def publish(
    site: Site, chance: random.Random, readings: int, enough: threading.Event | None = None
) -> Published:
    """Singles, arrays, repetitions, junk (also the same junk twice) and messages without a time.

    Goes on beyond ``readings``, slowly, until it is ``enough``.
    """
    told = Published()
    with site.publisher() as devices:
        while told.readings < readings or (enough is not None and not enough.wait(0.005)):
            draw = chance.random()
            if draw < 0.05:
                devices.send(site.topic("d0"), chance.choice((b"junk", b"more junk", b"{")))
                told.refused += 1
            elif draw < 0.10:
                devices.send(f"zigbee2mqtt/{site.name}/a", {"temperature": 20, "n": told.undated})
                told.undated += 1
            else:
                count = 1 if draw < 0.6 else chance.randint(2, 12)
                items = [_item(site, chance, told) for _ in range(count)]
                devices.send(site.topic("gateway"), items if count > 1 else items[0])
    return told


def _item(site: Site, chance: random.Random, told: Published) -> dict[str, Any]:
    device = f"d{chance.randrange(DEVICES)}"
    at = NOW - timedelta(seconds=20 * chance.randrange(2_000))
    item = {"device": device, "ts": at.isoformat(), "temperature_c": 20.0}
    if chance.random() < 0.02:
        told.refused += 1
        return {**item, "temperature_c": "two hundred"}
    if (device, at) in told.rows:
        told.duplicates += 1
    told.rows.add((device, at))
    return item


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(request.config.getoption("randomly_seed", default=1))


@pytest.fixture(autouse=True)
def _dwellings(save_ledger: Callable[[Ledger], None], site: Site, connection: Connection) -> None:
    save_ledger(site.ledger(DEVICES))
    uid = f"zigbee2mqtt:{site.name}/a"
    connection.execute("INSERT INTO device (uid, kind) VALUES (%s, 'room')", (uid,))


def acknowledged_all(connection: Connection, site: Site, told: Published) -> None:
    """Wait for one more message: the broker sends what it still holds before it."""
    with site.publisher() as devices:
        devices.send(site.topic("d0"), b"the last word")
    told.refused += 1
    wait_until(lambda: tallied(connection, site) >= told.readings, "the last word is heard")


def tallied(connection: Connection, site: Site) -> int:
    tally = deliveries.tally(connection, site.client_id)
    return tally["stored"] + tally["duplicates"] + tally["refused"] if tally else 0


def assert_exact(connection: Connection, settings: Settings, site: Site, told: Published) -> None:
    rows = connection.execute(
        "SELECT uid, time FROM room_reading r JOIN device d ON d.id = r.device_id"
        " WHERE uid LIKE 'own:%'"
    ).fetchall()
    assert len(rows) == len(told.rows)
    assert {(row["uid"].rpartition("/")[2], row["time"]) for row in rows} == told.rows
    assert sum(row["count"] for row in dead_letters.counts(connection)) == told.refused
    tally = deliveries.tally(connection, site.client_id)
    assert tally is not None
    assert tally["stored"] == len(told.rows) + told.undated
    assert tally["duplicates"] == told.duplicates
    assert tally["refused"] == told.refused
    assert left_in_session(settings.require_mqtt(), site.client_id) == 0


@pytest.mark.timeout(300)
def test_killed_at_random_moments_and_started_again(
    settings: Settings,
    site: Site,
    connection: Connection,
    ingest_process: IngestProcess,
    chance: random.Random,
) -> None:
    ingest_process.start()
    wait_until(lambda: deliveries.tally(connection, site.client_id), "ingest has begun")
    wait_until(lambda: "subscribed" in ingest_process.said, "ingest has subscribed")
    results: list[Published] = []
    enough = threading.Event()
    publishing = threading.Thread(
        target=lambda: results.append(publish(site, chance, READINGS, enough)), daemon=True
    )
    publishing.start()
    before, chance_of_death = 0, random.Random(chance.random())
    for _ in range(KILLS):
        wait_until(lambda: tallied(connection, site) > before, "it works again")  # noqa: B023
        time.sleep(chance_of_death.uniform(0, 0.5))
        ingest_process.kill()
        before = tallied(connection, site)
        ingest_process.start()
    enough.set()
    publishing.join(120)
    (told,) = results
    wait_until(lambda: tallied(connection, site) >= told.readings, "all is accounted for", 120)
    acknowledged_all(connection, site, told)
    assert ingest_process.terminate() == 0
    assert_exact(connection, settings, site, told)


def test_told_to_stop_it_finishes_acknowledges_and_leaves(
    settings: Settings,
    site: Site,
    connection: Connection,
    ingest_process: IngestProcess,
    chance: random.Random,
) -> None:
    ingest_process.start()
    wait_until(lambda: "subscribed" in ingest_process.said, "ingest has subscribed")
    results: list[Published] = []
    publishing = threading.Thread(target=lambda: results.append(publish(site, chance, 20_000)))
    publishing.start()
    wait_until(lambda: tallied(connection, site) > 0, "it works")
    assert ingest_process.terminate() == 0
    stopped_at = tallied(connection, site)
    publishing.join(60)
    (told,) = results
    assert stopped_at < told.readings
    ingest_process.start()
    wait_until(lambda: tallied(connection, site) >= told.readings, "all is accounted for")
    assert ingest_process.terminate() == 0
    assert_exact(connection, settings, site, told)
    tally = deliveries.tally(connection, site.client_id)
    assert tally is not None
    assert tally["redelivered"] == 0, "what was committed was acknowledged before leaving"
