"""Shuffled, repeated, piled up: what comes of it is the same as if all had come in order and once.

The same rows, the same rollups, the same tickets.
"""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics import cycle
from hearthline.domain.places import Ledger
from hearthline.domain.policies import PROFILES
from hearthline.settings import Settings
from hearthline.storage import rollups
from hearthline.storage.database import Connection, Database
from ingest.door import door_of
from ingest.intake import Message, hear
from ingest.writing import take_in
from simulators.post import Message as Posted
from simulators.testing import Town, small_city
from simulators.wire import FORMATS
from tests.conftest import Site
from tests.integration.books import accounted, rows, stored_keys, tallied
from tests.integration.conftest import IngestProcess, running_ingest, wait_until
from tests.mqtt import left_in_session

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
EVERY = timedelta(minutes=20)
WEEK = 7 * 72
Item = dict[str, Any]


def items_of(device: str, count: int = WEEK) -> list[Item]:
    """A week of a device, one reading each twenty minutes, each with another value."""
    return [
        {"device": device, "ts": (NOW - (count - n) * EVERY).isoformat(), "temperature_c": value(n)}
        for n in range(count)
    ]


def value(n: int) -> float:
    """What a device says at its reading number ``n``; a float4 holds it exactly."""
    return 18.0 + (n % 32) / 8


def publish(site: Site, items: Iterable[Item], chance: random.Random) -> None:
    """Singles and arrays mixed, in the order given."""
    left = list(items)
    with site.publisher() as publisher:
        while left:
            count = 1 if chance.random() < 0.3 else chance.randint(2, 40)
            taken, left = left[:count], left[count:]
            publisher.send(site.topic("gateway"), taken if count > 1 else taken[0])


def shuffled(items: Sequence[Item], seed: int) -> list[Item]:
    """The same items in another order."""
    return random.Random(seed).sample(items, len(items))


# ── disorder ─────────────────────────────────────────────────────────────────────────────────


def test_a_week_told_twice_at_once_and_in_disorder_is_stored_once(
    settings: Settings, site: Site, connection: Connection, save_ledger: Callable[[Ledger], None]
) -> None:
    """And where the two tell something else of the same instant, that is one conflict."""
    save_ledger(site.ledger(5))
    items = [item for n in range(5) for item in items_of(f"d{n}")]
    chance = random.Random(5)
    differing = set(chance.sample(range(len(items)), 60))
    second = [
        {**item, "temperature_c": item["temperature_c"] + 4.0} if n in differing else item
        for n, item in enumerate(items)
    ]
    with running_ingest(settings):
        both = [
            threading.Thread(target=publish, args=(site, shuffled(told, seed), random.Random(seed)))
            for seed, told in enumerate((items, second))
        ]
        for one in both:
            one.start()
        for one in both:
            one.join(60)
        done = lambda: accounted(connection, site.client_id) >= 2 * len(items)  # noqa: E731
        wait_until(done, "both tellings are accounted for")
    tally = tallied(connection, site.client_id)
    assert (tally["stored"], tally["duplicates"], tally["refused"]) == (len(items), len(items), 0)
    found = stored_keys(connection, site)
    expected = {(item["device"], datetime.fromisoformat(item["ts"])) for item in items}
    assert len(found) == len(items)
    assert set(found) == expected
    conflicts = connection.execute(
        "SELECT uid, c.time, kept, came, count FROM reading_conflict c"
        " JOIN device d ON d.id = device_id"
    ).fetchall()
    told_otherwise = {
        (items[n]["device"], datetime.fromisoformat(items[n]["ts"])): items[n]["temperature_c"]
        for n in differing
    }
    assert {(c["uid"].rpartition("/")[2], c["time"]) for c in conflicts} == set(told_otherwise)
    for conflict in conflicts:
        said = told_otherwise[conflict["uid"].rpartition("/")[2], conflict["time"]]
        values = [conflict["kept"]["temperature_c"], conflict["came"]["temperature_c"]]
        assert sorted(values) == [said, said + 4.0]
        assert conflict["count"] == 1


@pytest.mark.parametrize(
    ("values", "conflicts", "came"),
    [
        ([20.0, 20.0, 20.0], 0, None),
        ([20.0, 21.0, 21.0], 2, 21.0),
        ([20.0, 21.0, 20.0], 1, 21.0),
        ([20.0, 21.0, 22.0], 2, 22.0),
    ],
)
def test_a_conflict_is_with_the_value_that_was_kept_not_with_the_one_before(  # noqa: PLR0917
    settings: Settings,
    site: Site,
    connection: Connection,
    save_ledger: Callable[[Ledger], None],
    values: list[float],
    conflicts: int,
    came: float | None,
) -> None:
    """Told in one breath, the count is the same as told one after the other."""
    save_ledger(site.ledger(1))
    items = [{"ts": NOW.isoformat(), "temperature_c": value} for value in values]
    with running_ingest(settings) as service, site.publisher() as devices:
        devices.send(site.topic("d0"), items)
        wait_until(lambda: accounted(connection, site.client_id) >= 3, "all is accounted for")
    found = service.metrics.registry.get_sample_value(  # final once the service has ended
        "hearthline_ingest_readings_conflicting_total"
    )
    assert found == conflicts
    recorded = connection.execute("SELECT kept, came, count FROM reading_conflict").fetchall()
    assert [(c["kept"]["temperature_c"], c["came"]["temperature_c"]) for c in recorded] == (
        [] if came is None else [(20.0, came)]
    )


# ── a backlog ────────────────────────────────────────────────────────────────────────────────


def test_a_week_of_fifty_devices_at_once_gives_the_right_rollups(
    settings: Settings,
    site: Site,
    connection: Connection,
    save_ledger: Callable[[Ledger], None],
    ingest_process: IngestProcess,
) -> None:
    """It waited with the broker; every hour of every device is the mean of its three readings."""
    save_ledger(site.ledger(50))
    with running_ingest(settings):
        pass  # the session exists from here on
    items = [item for n in range(50) for item in items_of(f"d{n}")]
    publish(site, shuffled(items, 1), random.Random(2))
    ingest_process.start()
    wait_until(lambda: accounted(connection, site.client_id) >= len(items), "all is stored")
    assert ingest_process.terminate() == 0
    tally = tallied(connection, site.client_id)
    assert (tally["stored"], tally["duplicates"], tally["refused"]) == (len(items), 0, 0)
    assert left_in_session(settings.require_mqtt(), site.client_id) == 0
    rollups.roll_up_all(connection)
    hours = connection.execute(
        "SELECT hour, n, mean_c, covered_min FROM room_hour WHERE hour < %s", (NOW,)
    ).fetchall()
    assert len(hours) == 50 * 7 * 24
    begin = NOW - WEEK * EVERY
    for hour in hours:
        first = round((hour["hour"] - begin) / EVERY)
        expected = sum(value(first + n) for n in range(3)) / 3
        assert (hour["n"], hour["covered_min"]) == (3, pytest.approx(60))
        assert hour["mean_c"] == pytest.approx(expected, abs=1e-4)


# ── tickets ──────────────────────────────────────────────────────────────────────────────────

RULES = cycle.Rules(PROFILES["standard-20"])
DAYS = 2.5


def town_at(site: Site) -> Town:
    """Two houses on one pump, which trips in the second evening."""
    code = site.name.upper()
    town = small_city(["1x4", "1x3"], outdoor_c=-14, code=code, seed=3)
    rooms = {one.name: float(one.name == "own") for one in FORMATS if one.say is not None}
    meters = {one.name: float(one.name == "own") for one in FORMATS if one.say_meter is not None}
    town = town.with_instruments(mix=rooms, meter_mix=meters)
    return town.with_fault("pump_trip", f"{code}-S1", onset="30h")


def tickets(connection: Connection) -> list[dict[str, Any]]:
    """What a dispatcher sees, without the numbers that a database gives."""
    return connection.execute(
        "SELECT t.opened_at, t.state, i.cause, p.code, t.recovered_at, i.closed_at FROM ticket t"
        " JOIN incident i ON i.id = t.incident_id JOIN place p ON p.id = i.place_id"
        " ORDER BY t.opened_at, p.code"
    ).fetchall()


def told_in_order(database: Database, settings: Settings, messages: Sequence[Posted]) -> None:
    """As it happens: each hour's messages arrive when they are due, then the worker looks."""
    door = door_of(settings)
    by_hour: dict[int, list[Message]] = defaultdict(list)
    for one in messages:
        at = datetime.fromtimestamp(one.due, UTC)
        by_hour[one.due // 3600].append(Message(one.topic, one.payload, at))
    for hour, arrived in sorted(by_hour.items()):
        with database.transaction() as connection:
            heard = [hear(one, door.formats, door.directory.context) for one in arrived]
            take_in(connection, heard, door, arrived[-1].received_at)
        look(database, datetime.fromtimestamp((hour + 1) * 3600, UTC))


def look(database: Database, now: datetime) -> None:
    """What the worker does until nothing is left."""
    with database.transaction() as connection:
        rollups.roll_up_all(connection)
    while cycle.run(database, RULES, now).behind:
        pass


def forget_all(connection: Connection) -> None:
    """Only the ledger stays."""
    connection.execute("ALTER TABLE ticket_event DISABLE TRIGGER USER")
    connection.execute(
        "TRUNCATE incident, episode, hold, ticket_event, watermark, latest, room_reading,"
        " meter_reading, weather_reading, room_hour, meter_hour, weather_hour, dirty_bucket,"
        " dirty_day CASCADE"
    )


@pytest.mark.timeout(240)
def test_a_backlog_in_disorder_opens_the_tickets_that_living_through_it_opens(
    settings: Settings,
    site: Site,
    connection: Connection,
    database: Database,
    ingest_process: IngestProcess,
) -> None:
    """Shuffled, a tenth of it twice, over a broker, through a process that is killed twice."""
    from hearthline.storage import ledger as ledgers

    town = town_at(site)
    with connection.transaction():
        ledgers.save(connection, town.ledger)
    messages = town.messages(days=DAYS)
    told_in_order(database, settings, messages)
    lived = tickets(connection)
    kept = {kind: rows(connection, f"{kind}_reading") for kind in ("room", "meter", "weather")}
    assert "pump_trip" in {ticket["cause"] for ticket in lived}
    forget_all(connection)
    ingest_process.start()
    wait_until(lambda: "subscribed" in ingest_process.said, "ingest has subscribed")
    chance = random.Random(11)
    told = chance.sample(messages, len(messages)) + chance.sample(messages, len(messages) // 10)
    with site.publisher() as publisher:
        for number, one in enumerate(told):
            publisher.send(one.topic, one.payload)
            if number in (len(told) // 3, 2 * len(told) // 3):
                ingest_process.kill()
                ingest_process.start()
    wait_until(
        lambda: tallied(connection, site.client_id)["messages"] >= len(told), "all is accounted for"
    )
    assert ingest_process.terminate() == 0
    assert {k: rows(connection, f"{k}_reading") for k in kept} == kept
    look(database, datetime.fromtimestamp((messages[-1].due // 3600 + 1) * 3600, UTC))
    assert tickets(connection) == lived
