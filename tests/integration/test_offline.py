"""Analysis in memory says what analysis through the database says: rows, hours and incidents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from analytics import bench, cycle, laying, lots
from analytics.memory import Intake, Rows, Said, joined, network_of, rows_of
from analytics.offline import analyse
from analytics.overall import Overall
from analytics.signs import SLOT
from hearthline.domain.places import DeviceKind, Ledger
from hearthline.domain.policies import PROFILES
from hearthline.storage import analysis, readings, rollups, windows
from hearthline.storage import ledger as ledgers
from hearthline.storage import network as networks
from hearthline.storage.columns import Columns
from hearthline.storage.database import Connection, Database
from simulators.testing import Town, small_city

DAYS = 2
PROFILE = PROFILES["standard-20"]


def troubled() -> Town:
    """Two stations; one pump trips, a tenant closes a valve, a sensor sticks; a messy field."""
    town = small_city(("2x4", "1x4"), substations=2, outdoor_c=-16, step_min=20)
    return (
        town.with_behaviour(lost=0.01, duplicated=0.02, clock_wrong=0.05, late=0.02)
        .with_fault("pump_trip", "T-S1", onset="16h", end="30h")
        .with_fault("valve_closed", "T-S2-B01-E1-0201", onset="10h")
        .with_fault("sensor_stuck", "T-S2-B02-E1-0301", onset="5h", severity=17.0)
    )


@dataclass(frozen=True)
class Heard:
    """A town's run as it was heard: readings by kind, and the rows made of them in memory."""

    ledger: Ledger
    start: datetime
    until: datetime
    lots: dict[DeviceKind, Columns]
    rows: Rows


@pytest.fixture(scope="module")
def heard() -> Heard:
    """Two days of the town."""
    town = troubled()
    intake = Intake(town.ledger)
    said = [Said(m.topic, m.payload, m.due) for m in town.messages(days=DAYS)]
    half = len(said) // 2
    lots: dict[DeviceKind, list[Columns]] = {}
    for part in (said[:half], said[half:]):
        for kind, lot in intake.take(part).items():
            lots.setdefault(kind, []).append(lot)
    until = town.anchor + timedelta(days=DAYS)
    whole = {kind: joined(lot) for kind, lot in lots.items()}
    return Heard(town.ledger, town.anchor, until, whole, rows_of(lots))


@pytest.fixture
def id_of(heard: Heard, connection: Connection) -> dict[int, int]:
    """The same readings in the database, rolled up; its number for each device of the ledger."""
    with connection.transaction():
        ledgers.save(connection, heard.ledger)
    known = readings.known_devices(connection, None)
    numbers = {n: known[device.uid].id for n, device in enumerate(heard.ledger.devices, 1)}
    with connection.transaction():
        for lot in heard.lots.values():
            there = replace(lot, devices=np.array([numbers[int(n)] for n in lot.devices], np.int64))
            readings.store_columns(connection, [there], heard.until, expect_duplicates=True)
    rollups.roll_up_all(connection)
    return numbers


def cells(rows: analysis.Columns, id_of: dict[int, int] | None = None) -> np.ndarray:
    """A table as rows of (device, at, values…) in their order."""
    device = rows.device if id_of is None else np.array([id_of[int(n)] for n in rows.device])
    names = sorted(rows.values)
    table = np.column_stack([device, rows.at, *(rows.values[name] for name in names)])
    return table[np.lexsort((rows.at, device))]


def chosen(rows: analysis.Columns, names: tuple[str, ...]) -> analysis.Columns:
    return replace(rows, values={name: rows.values[name] for name in names})


def test_hours_and_slots_in_memory_are_those_of_the_database(
    heard: Heard, id_of: dict[int, int], connection: Connection
) -> None:
    """Rule for rule, to the precision in which the database keeps them."""
    since, until = heard.start - timedelta(days=1), heard.until + timedelta(days=1)
    devices = [id_of[n] for n in np.unique(heard.rows.meter_slots.device).tolist()]
    pairs = (
        (heard.rows.room_hours, windows.room_hours(connection, since, until)),
        (heard.rows.meter_hours, windows.meter_hours(connection, since, until)),
        (heard.rows.weather_hours, windows.weather_hours(connection, since, until)),
        (
            heard.rows.meter_slots,
            windows.meter_slots(connection, since, until, devices, SLOT),
        ),
    )
    for mine, stored in pairs:
        assert len(stored.at) > 0
        here = cells(chosen(mine, tuple(stored.values)), id_of)
        np.testing.assert_allclose(here, cells(stored), rtol=1e-6, atol=1e-4)


def test_incidents_in_memory_are_those_of_the_database(
    heard: Heard, id_of: dict[int, int], connection: Connection, database: Database
) -> None:
    """The same causes at the same places with the same members, opened in the same hours."""
    assert id_of
    rules = cycle.Rules(PROFILE)
    report = cycle.run(database, rules, heard.until)
    assert report.until is not None
    network = network_of(heard.ledger, heard.start)
    mine = analyse(network, PROFILE, heard.rows, report.until, block=lots.BLOCK)
    stored = connection.execute(
        "SELECT i.opened_at, i.cause, p.code AS place, i.closed_at, array_agg(u.code) AS members"
        " FROM incident i JOIN place p ON p.id = i.place_id"
        " JOIN incident_member m ON m.incident_id = i.id JOIN place u ON u.id = m.place_id"
        " GROUP BY i.id, p.code ORDER BY i.opened_at, p.code"
    ).fetchall()
    assert len(stored) >= 2
    assert [
        (one.opened_at, str(one.last.cause), one.last.place, one.closed_at, one.members)
        for one in sorted(mine.incidents, key=lambda i: (i.opened_at, i.last.place))
    ] == [
        (row["opened_at"], row["cause"], row["place"], row["closed_at"], set(row["members"]))
        for row in stored
    ]


def test_the_live_cycle_looks_at_what_an_offline_one_would(
    heard: Heard, id_of: dict[int, int], connection: Connection
) -> None:
    """The same hours of meters and weather, of all roles, in the same cells."""
    assert id_of
    there = networks.load(connection, heard.until)
    span = laying.Span(heard.until - timedelta(days=1), heard.until, heard.until)
    hours = windows.meter_hours(connection, span.hours_from, span.hours_until)
    nothing = windows.room_hours(connection, heard.until, heard.until)
    found = laying.Found(
        nothing,
        windows.meter_slots(connection, heard.until, heard.until, [], SLOT),
        hours,
        windows.weather_hours(connection, span.hours_from, span.hours_until),
        np.empty((len(there.dwellings), 0)),
    )
    seen = laying.lay_out(there, found, span, Overall.quiet(span.hours_from))
    assert {str(meter.role) for meter in seen.meters.meters} == {"primary", "secondary", "branch"}
    assert seen.weather.outdoor_c.shape == (DAYS * 24,)
    assert np.nanmean(seen.weather.outdoor_c) == pytest.approx(-16, abs=0.5)
    assert np.isfinite(seen.meters.valve_pct).any()


def test_a_copied_city_has_the_tickets_of_its_town_so_many_times(
    heard: Heard, database_url: str
) -> None:
    """What the benchmark measures is the analysis: two workers, the queue, every district."""
    network = network_of(heard.ledger, heard.start)
    alone = analyse(network, PROFILE, heard.rows, heard.until, block=lots.BLOCK)
    town = bench.Town(heard.ledger, heard.rows, heard.until)
    found = bench.measure(database_url, town, 2, PROFILE)
    assert found.units == 2 * len(heard.ledger.units)
    assert found.districts == 2 * len(network.districts())
    assert found.room_hours == 2 * len(heard.rows.room_hours.at)
    assert found.tickets == 2 * len(alone.incidents) > 0
    assert found.ratio == pytest.approx(found.ceiling_s / found.cycle_s)
    assert 0 < found.load_s < found.cycle_s
    assert found.peak_mb > 0


def test_codes_of_a_copy_are_its_own_but_for_the_source(heard: Heard) -> None:
    """Two copies share the source and nothing else."""
    one, two = (bench.copied(heard.ledger, number) for number in (0, 1))
    assert {p.code for p in one.places} & {p.code for p in two.places} == set()
    assert {p.parent for p in one.places} & {p.parent for p in two.places} == {"T"}
    assert not {d.uid for d in one.devices} & {d.uid for d in two.devices}
