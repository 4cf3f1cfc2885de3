"""Hours from readings: what they say, that they are whole, and that no mark is ever lost."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import (
    UNUSABLE,
    MeterReading,
    Quality,
    Reading,
    RoomReading,
    WeatherReading,
)
from hearthline.storage import readings, rollups
from hearthline.storage.database import Connection, connect
from hearthline.storage.readings import KnownDevice
from tests.integration.conftest import wait_until

H10 = datetime(2026, 1, 10, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)

Enrol = Callable[..., KnownDevice]


@pytest.fixture
def enrol(connection: Connection) -> Enrol:
    """Put a device into the ledger."""

    def make(
        kind: DeviceKind = DeviceKind.ROOM, interval_s: int = 1200, uid: str = "own:s/d"
    ) -> KnownDevice:
        connection.execute(
            "INSERT INTO device (uid, kind, flow_pipe, expected_interval_s)"
            " VALUES (%s, %s, 'return', %s)",
            (uid, kind.value, interval_s),
        )
        return readings.known_devices(connection, [uid])[uid]

    return make


def store(connection: Connection, device: KnownDevice, said: Iterable[Reading]) -> None:
    with connection.transaction():
        readings.store(connection, [(device, one) for one in said], H10 + 100 * HOUR)


def room(minutes: float, value: float) -> RoomReading:
    """A room reading some minutes after ten o'clock."""
    return RoomReading("own:s/d", H10 + minutes * MINUTE, value)


def hours(connection: Connection, kind: str = "room") -> dict[int, dict[str, Any]]:
    """Rollups by hour of the day, rolled up first."""
    rollups.roll_up_all(connection)
    rows = connection.execute(f"SELECT * FROM {kind}_hour ORDER BY hour")  # noqa: S608
    return {row["hour"].hour: row for row in rows}


def test_a_full_hour(connection: Connection, enrol: Enrol) -> None:
    store(connection, enrol(), [room(0, 20.0), room(20, 21.0), room(40, 22.0), room(60, 18.0)])
    ten = hours(connection)[10]
    assert (ten["n"], ten["mean_c"], ten["min_c"], ten["max_c"]) == (3, 21.0, 20.0, 22.0)
    assert ten["covered_min"] == 60.0


def test_a_reading_stands_for_one_and_a_half_intervals_at_most(
    connection: Connection, enrol: Enrol
) -> None:
    store(connection, enrol(), [room(0, 20.0), room(50, 20.0)])
    found = hours(connection)
    assert found[10]["covered_min"] == 30.0 + 10.0
    assert (found[11]["n"], found[11]["covered_min"], found[11]["mean_c"]) == (0, 20.0, 20.0)
    assert set(found) == {10, 11}


def test_the_last_reading_before_the_hour_carries_into_it(
    connection: Connection, enrol: Enrol
) -> None:
    store(connection, enrol(), [room(-5, 30.0), room(10, 20.0), room(30, 20.0), room(50, 20.0)])
    ten = hours(connection)[10]
    assert (ten["n"], ten["covered_min"]) == (3, 60.0)
    assert ten["mean_c"] == pytest.approx((10 * 30.0 + 50 * 20.0) / 60)


def test_means_are_weighted_by_time_not_by_how_often_a_sensor_speaks(
    connection: Connection, enrol: Enrol
) -> None:
    burst = [room(minute, 26.0) for minute in range(6)]
    store(connection, enrol(), [*burst, room(6, 20.0), room(30, 20.0), room(60, 20.0)])
    assert hours(connection)[10]["mean_c"] == pytest.approx((6 * 26.0 + 54 * 20.0) / 60)


@pytest.mark.parametrize("past", [0, 30])
def test_an_hourly_series_covers_its_hours_with_one_reading_each(
    connection: Connection, enrol: Enrol, past: int
) -> None:
    device = enrol(interval_s=3600)
    store(connection, device, [room(past + 60 * hour, 20.0 + hour) for hour in range(5)])
    found = hours(connection)
    assert [found[h]["covered_min"] for h in (11, 12, 13)] == [60.0, 60.0, 60.0]
    assert [found[h]["n"] for h in (10, 11, 12, 13, 14)] == [1] * 5


def test_a_device_that_speaks_every_four_hours_covers_the_hours_between(
    connection: Connection, enrol: Enrol
) -> None:
    store(connection, enrol(interval_s=4 * 3600), [room(0, 20.0), room(240, 21.0)])
    found = hours(connection)
    assert [found[h]["n"] for h in (10, 11, 12, 13, 14)] == [1, 0, 0, 0, 1]
    assert all(found[h]["covered_min"] == 60.0 for h in range(10, 20))
    assert 20 not in found


def test_meters_weigh_temperatures_by_flow_and_keep_the_last_counter(
    connection: Connection, enrol: Enrol
) -> None:
    def meter(minutes: int, **said: float) -> MeterReading:
        return MeterReading("own:s/d", H10 + minutes * MINUTE, **said)

    device = enrol(DeviceKind.METER, 1800)
    store(
        connection,
        device,
        [
            meter(0, supply_c=60.0, return_c=40.0, flow_m3h=3.0, power_kw=60.0, energy_kwh=100.0),
            meter(30, supply_c=50.0, return_c=44.0, flow_m3h=1.0, power_kw=10.0, volume_m3=7.0),
            meter(60, supply_c=30.0, return_c=30.0, flow_m3h=0.0),
        ],
    )
    found = hours(connection, "meter")
    assert found[10]["supply_c"] == pytest.approx((3 * 60 + 50) / 4)
    assert found[10]["return_c"] == pytest.approx((3 * 40 + 44) / 4)
    assert (found[10]["flow_m3h"], found[10]["power_kw"]) == (2.0, 35.0)
    assert (found[10]["energy_kwh"], found[10]["volume_m3"]) == (100.0, 7.0)
    assert found[10]["pump_hz"] is None
    assert (found[11]["supply_c"], found[11]["covered_min"]) == (30.0, 45.0)


def test_reverse_flow_weighs_nothing(connection: Connection, enrol: Enrol) -> None:
    device = enrol(DeviceKind.METER, 1800)
    said = [MeterReading("own:s/d", H10, supply_c=40.0, return_c=60.0, flow_m3h=-2.0)]
    store(connection, device, said)
    ten = hours(connection, "meter")[10]
    assert (ten["supply_c"], ten["return_c"], ten["flow_m3h"]) == (40.0, 60.0, -2.0)


def test_weather(connection: Connection, enrol: Enrol) -> None:
    device = enrol(DeviceKind.WEATHER, 1800)
    said = [
        WeatherReading("own:s/d", H10, -10.0, wind_ms=2.0),
        WeatherReading("own:s/d", H10 + 30 * MINUTE, -12.0),
    ]
    store(connection, device, said)
    ten = hours(connection, "weather")[10]
    assert (ten["outdoor_c"], ten["wind_ms"], ten["solar_wm2"]) == (-11.0, 2.0, None)


@pytest.mark.parametrize("flag", list(UNUSABLE))
def test_an_impossible_value_is_as_if_it_had_never_come(
    connection: Connection, enrol: Enrol, flag: Quality
) -> None:
    """It is kept, counts nowhere, covers no time, and does not end the reading before it."""
    wrong = RoomReading("own:s/d", H10 + 10 * MINUTE, 85.0, quality=flag | Quality.HISTORY)
    alone = RoomReading("own:s/d", H10 + 180 * MINUTE, 85.0, quality=flag)
    store(connection, enrol(), [room(0, 20.0), wrong, room(20, 21.0), room(40, 22.0), alone])
    found = hours(connection)
    assert set(found) == {10, 11}
    ten = found[10]
    assert (ten["n"], ten["mean_c"], ten["max_c"], ten["covered_min"]) == (3, 21.0, 22.0, 60.0)
    (kept,) = connection.execute("SELECT count(*) AS n FROM room_reading").fetchall()
    assert kept["n"] == 5


def test_flags_that_are_no_reproach_count(connection: Connection, enrol: Enrol) -> None:
    flagged = [
        RoomReading("own:s/d", H10 + n * 3 * MINUTE, 20.0, quality=flag)
        for n, flag in enumerate(set(Quality) - set(UNUSABLE))
    ]
    store(connection, enrol(), flagged)
    assert hours(connection)[10]["n"] == len(flagged)


def test_an_impossible_value_beside_leaves_the_others(connection: Connection, enrol: Enrol) -> None:
    beside = Quality.BESIDE_OUT_OF_RANGE
    meter, weather = enrol(DeviceKind.METER, 1800), enrol(DeviceKind.WEATHER, 1800, "own:s/w")
    store(
        connection,
        meter,
        [
            MeterReading("own:s/d", H10, supply_c=60.0, supply_kpa=300.0, valve_pct=40.0),
            MeterReading("own:s/d", H10 + 30 * MINUTE, supply_c=50.0, supply_kpa=300.0,
                         valve_pct=900.0, quality=beside),
        ],
    )  # fmt: skip
    store(
        connection,
        weather,
        [WeatherReading("own:s/w", H10, -10.0, wind_ms=500.0, quality=beside)],
    )
    ten = hours(connection, "meter")[10]
    assert (ten["supply_c"], ten["supply_kpa"], ten["valve_pct"]) == (55.0, 300.0, 40.0)
    ten = hours(connection, "weather")[10]
    assert (ten["outdoor_c"], ten["wind_ms"]) == (-10.0, None)


def test_a_late_reading_changes_its_hours_and_dirties_their_day(
    connection: Connection, enrol: Enrol
) -> None:
    device = enrol()
    store(connection, device, [room(0, 20.0), room(20, 20.0), room(40, 20.0)])
    rollups.roll_up_all(connection)
    connection.execute("DELETE FROM dirty_day")
    store(connection, device, [room(10, 23.0)])
    assert hours(connection)[10]["mean_c"] == pytest.approx((50 * 20.0 + 10 * 23.0) / 60)
    days = connection.execute("SELECT * FROM dirty_day").fetchall()
    assert days == [{"device_id": device.id, "day": date(2026, 1, 10)}]


def test_an_hour_that_comes_out_as_it_was_dirties_no_day(
    connection: Connection, enrol: Enrol
) -> None:
    store(connection, enrol(), [room(0, 20.0), room(20, 20.5), room(40, 21.0)])
    before = hours(connection)
    connection.execute("DELETE FROM dirty_day")
    connection.execute("INSERT INTO dirty_bucket SELECT 'room', device_id, hour FROM room_hour")
    assert hours(connection) == before
    assert connection.execute("SELECT * FROM dirty_day").fetchall() == []


def test_an_hour_without_readings_any_more_is_gone(connection: Connection, enrol: Enrol) -> None:
    device = enrol()
    store(connection, device, [room(0, 20.0)])
    assert set(hours(connection)) == {10}
    connection.execute("DELETE FROM room_reading")
    connection.execute("DELETE FROM dirty_day")
    connection.execute("INSERT INTO dirty_bucket SELECT 'room', device_id, hour FROM room_hour")
    assert hours(connection) == {}
    assert len(connection.execute("SELECT * FROM dirty_day").fetchall()) == 1


def test_whatever_the_order_of_arrival_the_rollups_are_the_same(
    connection: Connection, enrol: Enrol
) -> None:
    """A year's disorder: chunks, hours far apart, rollups in small bites in between."""
    chance = random.Random(7)
    minutes = sorted(chance.sample(range(-500_000, 500), 400))
    said = [room(minute, 20.0 + minute % 7) for minute in minutes]
    ordered, shuffled = enrol(uid="own:s/a"), enrol(uid="own:s/b")
    store(connection, ordered, said)
    rollups.roll_up_all(connection)
    chance.shuffle(said)
    for start in range(0, len(said), 50):
        store(connection, shuffled, said[start : start + 50])
        rollups.roll_up(connection, limit=17)
    rollups.roll_up_all(connection, limit=33)
    columns = (
        "hour, n, round(mean_c::numeric, 3) AS mean_c, min_c, max_c, round(covered_min::numeric, 3)"
    )
    first, second = (
        connection.execute(
            f"SELECT {columns} FROM room_hour WHERE device_id = %s ORDER BY hour",  # noqa: S608
            (device.id,),
        ).fetchall()
        for device in (ordered, shuffled)
    )
    assert len(first) > 400
    assert first == second
    assert rollups.depth(connection) == 0


def test_a_mark_whose_reading_is_not_committed_yet_is_left_alone(
    connection: Connection, database_url: str, enrol: Enrol
) -> None:
    """The mark is there already and ingest adds a reading: a rollup now would not see it."""
    device = enrol()
    store(connection, device, [room(0, 20.0)])
    with connect(database_url) as ingest:
        readings.store(ingest, [(device, room(20, 23.0))], H10)
        assert rollups.roll_up(connection) == 0
        ingest.commit()
    assert hours(connection)[10]["n"] == 2


def test_a_reading_that_comes_while_its_hour_is_rolled_up_marks_it_again(
    connection: Connection, database_url: str, enrol: Enrol
) -> None:
    """The rollup has deleted the mark, not yet committed, and does not see the new reading."""
    device = enrol()
    store(connection, device, [room(0, 20.0)])
    with connect(database_url) as worker, connect(database_url, autocommit=True) as ingest:
        worker.execute("BEGIN")
        assert rollups.roll_up(worker) == 1  # within the transaction that stays open
        late = threading.Thread(target=store, args=(ingest, device, [room(20, 23.0)]))
        late.start()
        waiting = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
        pid = ingest.info.backend_pid
        wait_until(lambda: connection.execute(waiting, (pid,)).fetchone(), "ingest waits")
        worker.commit()
        late.join(10)
    assert rollups.depth(connection) == 1
    assert hours(connection)[10]["n"] == 2


def test_workers_share_the_work(connection: Connection, database_url: str, enrol: Enrol) -> None:
    """What one has in hand the other leaves alone, and does not wait for."""
    for uid in ("own:s/a", "own:s/b"):
        store(connection, enrol(uid=uid), [room(0, 20.0)])
    with connect(database_url) as first, connect(database_url) as second:
        for worker in (first, second):
            worker.execute("BEGIN")
            assert rollups.roll_up(worker, limit=1) == 1
        assert rollups.roll_up(connection) == 0
        first.commit()
        second.commit()
    rows = connection.execute("SELECT device_id FROM room_hour").fetchall()
    assert len(rows) == 2


@pytest.mark.timeout(120)
def test_nothing_is_lost_between_two_writers_and_three_workers(
    connection: Connection, database_url: str, enrol: Enrol
) -> None:
    """At the end every hour is what its readings say, without any further mark."""
    devices = [enrol(uid=f"own:s/{number}") for number in range(5)]
    writing = threading.Event()
    writing.set()
    errors: list[BaseException] = []

    def guarded(work: Callable[[Connection], None]) -> threading.Thread:
        def run() -> None:
            try:
                with connect(database_url, autocommit=True) as own:
                    work(own)
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def write(own: Connection, offset: int) -> None:
        chance = random.Random(offset)
        for _ in range(150):
            placed = [
                (
                    chance.choice(devices),
                    room(chance.randrange(600) + offset / 10, chance.randrange(15, 25)),
                )
                for _ in range(20)
            ]
            with own.transaction():
                readings.store(own, placed, H10)

    def work(own: Connection) -> None:
        while writing.is_set() or rollups.depth(own):
            if not rollups.roll_up(own, limit=7):
                time.sleep(0.002)

    workers = [guarded(work) for _ in range(3)]
    writers = [guarded(lambda own, offset=offset: write(own, offset)) for offset in (1, 2)]  # type: ignore[misc]
    for thread in writers:
        thread.join()
    writing.clear()
    for thread in workers:
        thread.join()
    assert not errors
    query = "SELECT device_id, n, mean_c, covered_min FROM room_hour ORDER BY device_id, hour"
    found = connection.execute(query).fetchall()
    connection.execute("INSERT INTO dirty_bucket SELECT 'room', device_id, hour FROM room_hour")
    rollups.roll_up_all(connection)
    for is_, should in zip(found, connection.execute(query).fetchall(), strict=True):
        assert is_ == pytest.approx(should)


def test_the_queue_is_counted_while_it_is_short_and_estimated_when_long(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "COUNT_EXACTLY", 100)
    fill = (
        "INSERT INTO dirty_bucket SELECT 'room', n, '2026-01-10'"
        " FROM generate_series(%s::int, %s::int) AS n"
    )
    connection.execute(fill, (1, 99))
    assert rollups.depth(connection) == 99
    connection.execute(fill, (100, 5_000))
    assert 100 <= rollups.depth(connection) <= 5_000
    connection.execute("ANALYZE dirty_bucket")
    assert rollups.depth(connection) == 5_000


def test_the_bite_is_taken_oldest_first(connection: Connection, enrol: Enrol) -> None:
    device = enrol()
    store(connection, device, [room(0, 20.0), room(600, 20.0), room(-60 * 24 * 30, 20.0)])
    rollups.roll_up(connection, limit=1)
    (row,) = connection.execute("SELECT hour FROM room_hour").fetchall()
    assert row["hour"] == H10 - timedelta(days=30)


def test_storing_says_what_was_there(connection: Connection, enrol: Enrol) -> None:
    device = enrol()
    with connection.transaction():
        first = readings.store(connection, [(device, room(0, 20.0)), (device, room(0, 21.0))], H10)
    with connection.transaction():
        again = readings.store(connection, [(device, room(m, 22.0)) for m in (0, 20)], H10)
    assert (first.rows, first.duplicates, again.rows, again.duplicates) == (1, 1, 1, 1)
    with connection.transaction():
        third = readings.store(connection, [(device, room(40, 1.0))], H10, expect_duplicates=True)
    assert third.rows == 1
    values = connection.execute("SELECT temperature_c AS t FROM room_reading ORDER BY time")
    assert [row["t"] for row in values] == [20.0, 22.0, 1.0]


def test_the_latest_value_and_since_when(connection: Connection, enrol: Enrol) -> None:
    device = enrol()

    def latest() -> tuple[Any, ...]:
        row = connection.execute("SELECT * FROM latest").fetchone()
        assert row is not None
        minutes = [(row[name] - H10) / MINUTE for name in ("time", "changed_at")]
        return (*minutes, row["reading"]["temperature_c"])

    steps: list[tuple[list[RoomReading], tuple[float, float, float]]] = [
        ([room(0, 20.0)], (0, 0, 20.0)),
        ([room(20, 20.0)], (20, 0, 20.0)),  # the same value: changed long ago
        ([room(40, 21.0), room(60, 21.0)], (60, 40, 21.0)),
        ([room(50, 19.0)], (60, 40, 21.0)),  # late: only a sign of life
        ([room(80, 22.0), room(100, 21.0)], (100, 100, 21.0)),  # away and back again
        ([room(55, 19.0), room(120, 21.0)], (120, 100, 21.0)),
    ]
    for said, expected in steps:
        store(connection, device, said)
        assert latest() == expected


def test_last_seen_is_the_arrival_and_never_goes_back(connection: Connection, enrol: Enrol) -> None:
    device = enrol()
    for arrival in (H10 + HOUR, H10 + 3 * HOUR, H10 + 2 * HOUR):
        with connection.transaction():
            readings.store(connection, [(device, room(0, 20.0))], arrival)
    row = connection.execute("SELECT time, seen_at FROM latest").fetchone()
    assert row == {"time": H10, "seen_at": H10 + 3 * HOUR}
