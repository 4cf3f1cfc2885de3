"""The analysis cycle on a real database: rows in, tickets out, the same whenever it is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import exp
from typing import Any

import pytest

from analytics import cycle, ledger
from hearthline.domain.places import DeviceKind
from hearthline.domain.policies import PROFILES
from hearthline.domain.readings import Quality
from hearthline.storage import analysis
from hearthline.storage.database import Connection, Database
from tests import builders
from tests.builders import HOUR, Course, falling, steady

NOW = datetime(2026, 1, 14, 4, 30, tzinfo=UTC)
RULES = cycle.Rules(PROFILES["standard-20"])
BUILDING = "T-S1-B01"
ENTRANCE = f"{BUILDING}-E1"
UNIT = f"{ENTRANCE}-0201"
BESIDE = (f"{ENTRANCE}-0101", f"{ENTRANCE}-0301", f"{ENTRANCE}-0202")
LEDGER = builders.town(builders.TownPlan(floors=3))
UNITS = [unit.code for unit in LEDGER.units]
BUILDING_UNITS = [code for code in UNITS if code.startswith(BUILDING)]
ENTRANCE_UNITS = [code for code in UNITS if code.startswith(ENTRANCE)]
HOURS = 60


def breathing(course: Course) -> Course:
    """A course with the small daily swing of a real room."""
    return lambda at: course(at) + steady(0.0)(at)


def cold_between(start: datetime, stop: datetime) -> Course:
    """21 °C, towards 14 °C from ``start`` on, and up again from ``stop``; never quite still."""
    falls = falling(21, 14, start, 8)

    def course(at: datetime) -> float:
        if at <= stop:
            return falls(at)
        return 21.0 - (21.0 - falls(stop)) * exp(-(at - stop) / (3 * HOUR))

    return breathing(course)


def beside(course: Course) -> Course:
    """A neighbour of a dwelling: what is truly cold pulls at the rooms behind its walls."""
    return lambda at: 22.0 + 0.2 * (course(at) - 21.0)


def seed(
    connection: Connection, cold: dict[str, Course], *, until: datetime = NOW, hours: int = HOURS
) -> None:
    """Sixty hours of the town up to ``until``: everybody at 22 °C, some on their own course."""
    with connection.transaction():
        builders.save(connection, LEDGER)
        for code in UNITS:
            builders.room_series(connection, code, until, cold.get(code, steady(22.0)), hours=hours)
        connection.execute(
            "INSERT INTO dirty_day SELECT DISTINCT device_id, hour::date FROM room_hour"
            " ON CONFLICT DO NOTHING"
        )


def seed_meters(connection: Connection, tripped_at: datetime) -> None:
    """Readings of station 1 and its two buildings every five minutes; its pump trips."""
    rows = []
    for name, flow in (("T-S1-meter", 12.0), ("T-S1-B01-meter", 6.0), ("T-S1-B02-meter", 6.0)):
        device = builders.device_id(connection, f"own:t/{name}")
        for step in range(24 * 12):
            at = NOW - timedelta(minutes=5 * step)
            rows.append((at, device, 0.1 if at > tripped_at else flow, 50.0, 38.0))
        builders.set_latest(connection, device, NOW, {"flow_m3h": rows[-1][2]})
    connection.cursor().executemany(
        "INSERT INTO meter_reading (time, device_id, flow_m3h, supply_c, return_c)"
        " VALUES (%s, %s, %s, %s, %s)",
        rows,
    )


def settle(database: Database, now: datetime = NOW) -> list[Any]:
    """Run cycles until nothing is behind; the news."""
    news: list[Any] = []
    while True:
        report = cycle.run(database, RULES, now)
        news += report.news
        if not report.behind:
            return news


def tickets(connection: Connection) -> list[dict[str, Any]]:
    return connection.execute(
        "SELECT t.opened_at, i.cause, p.code, t.recovered_at FROM ticket t"
        " JOIN incident i ON i.id = t.incident_id JOIN place p ON p.id = i.place_id"
        " WHERE t.state <> 'merged' ORDER BY t.opened_at, p.code"
    ).fetchall()


def test_a_warm_town_is_left_alone(connection: Connection, database: Database) -> None:
    """No episode, no ticket, no hold."""
    seed(connection, {})
    assert settle(database) == []
    for table in ("episode", "ticket", "hold"):
        [row] = connection.execute(f"SELECT count(*) AS n FROM {table}").fetchall()  # noqa: S608
        assert row["n"] == 0


def test_a_cold_dwelling_opens_one_ticket_at_its_own_hour(
    connection: Connection, database: Database
) -> None:
    """Four cold hours, one hour of waiting for its peers; then nothing more however often asked."""
    fell = NOW.replace(minute=0) - 10 * HOUR
    course = cold_between(fell, NOW)
    seed(connection, {UNIT: course, **dict.fromkeys(BESIDE, beside(course))})
    [news] = settle(database)
    began = fell + 2 * HOUR  # the first hour under 20 °C
    assert (news.place, news.at) == (UNIT, began + 5 * HOUR)
    assert settle(database) == settle(database, NOW + HOUR) == []
    [episode] = connection.execute("SELECT began_at, opened_at FROM episode").fetchall()
    assert episode == {"began_at": began, "opened_at": began + 4 * HOUR}


def test_a_backlog_gives_the_same_tickets_as_living_through_it(
    connection: Connection, database: Database
) -> None:
    """Sixty hours at once, or hour by hour: the same causes, places and instants."""
    entrance = {code: breathing(falling(22, 15, NOW - 40 * HOUR)) for code in ENTRANCE_UNITS}
    lonely = breathing(falling(22, 14, NOW - 30 * HOUR, 9))
    seed(connection, {**entrance, "T-S2-B01-E1-0101": lonely})
    settle(database)
    at_once = tickets(connection)
    forget(connection)
    for hour in range(HOURS, -1, -1):
        cycle.run(database, RULES, NOW - hour * HOUR)
    assert tickets(connection) == at_once
    assert [ticket["code"] for ticket in at_once] == [ENTRANCE, "T-S2-B01-E1-0101"]


def forget(connection: Connection) -> None:
    connection.execute("ALTER TABLE ticket_event DISABLE TRIGGER USER")
    connection.execute("TRUNCATE incident, episode, hold, ticket_event CASCADE")
    connection.execute("DELETE FROM watermark")


def test_a_tripped_pump_is_one_ticket_before_anybody_is_cold(
    connection: Connection, database: Database
) -> None:
    """Within a quarter of an hour, with every dwelling below it as affected."""
    seed(connection, {})
    tripped = NOW - timedelta(hours=2)
    with connection.transaction():
        seed_meters(connection, tripped)
    [news] = settle(database)
    assert (news.cause, news.place, news.cold, news.affected) == ("pump_trip", "T-S1", 0, 24)
    assert timedelta(0) < news.at - tripped <= timedelta(minutes=15)


def test_warm_rooms_recover_their_ticket_and_the_incident_waits_for_a_repeat(
    connection: Connection, database: Database
) -> None:
    """Recovered when the hysteresis says so; that of a single dwelling stays open for a week."""
    start, stop = (NOW.replace(minute=0) - hours * HOUR for hours in (74, 54))
    course = cold_between(start, stop)
    cold = {UNIT: course, **dict.fromkeys(BESIDE, beside(course))}
    seed(connection, cold, hours=HOURS + 24)
    settle(database)
    [ticket] = tickets(connection)
    assert stop + 8 * HOUR <= ticket["recovered_at"] <= stop + 12 * HOUR  # up to 20.3 °C, and 4 h
    [incident] = connection.execute("SELECT closed_at FROM incident").fetchall()
    assert incident["closed_at"] is None


def test_the_incident_of_a_building_is_closed_after_a_day_without_a_relapse(
    connection: Connection, database: Database
) -> None:
    """What only the nights make cold would have come back within one."""
    start, stop = (NOW.replace(minute=0) - hours * HOUR for hours in (74, 54))
    course = breathing(cold_between(start, stop))
    seed(connection, dict.fromkeys(BUILDING_UNITS, course), hours=HOURS + 24)
    settle(database)
    [ticket] = tickets(connection)
    assert ticket["code"] == BUILDING
    [incident] = connection.execute("SELECT closed_at FROM incident").fetchall()
    assert incident["closed_at"] - ticket["recovered_at"] >= 24 * HOUR


def test_late_readings_are_judged_again_and_the_old_verdict_is_kept(
    connection: Connection, database: Database
) -> None:
    """A day that seemed warm turns out to have been cold."""
    seed(connection, {})
    profile = RULES.profile
    while ledger.judge_days(database, profile, NOW):
        pass
    device = builders.device_id(connection, f"own:t/{UNIT}")
    day = (NOW - 30 * HOUR).date()
    connection.execute(
        "UPDATE room_hour SET mean_c = 17 WHERE device_id = %s AND hour::date = %s", (device, day)
    )
    connection.execute("INSERT INTO dirty_day VALUES (%s, %s)", (device, day))
    assert ledger.judge_days(database, profile, NOW) == 2  # two local days overlap a UTC day
    [judged] = connection.execute(
        "SELECT verdict, revision FROM unit_day WHERE place_id = %s AND day = %s",
        (builders.place_id(connection, UNIT), day),
    ).fetchall()
    [before] = connection.execute(
        "SELECT verdict FROM unit_day_superseded WHERE day = %s", (day,)
    ).fetchall()
    assert (judged["verdict"], judged["revision"], before["verdict"]) == ("below", 2, "compliant")


@pytest.mark.parametrize("status", ["stopped", "restricted", "vacant"])
def test_a_dwelling_without_heat_never_alarms(
    connection: Connection, database: Database, status: str
) -> None:
    """It is listed with its reason instead."""
    seed(connection, {UNIT: steady(14.0)})
    connection.execute(
        "INSERT INTO unit_status VALUES (%s, %s, tstzrange('2026-01-01', NULL))",
        (builders.place_id(connection, UNIT), status),
    )
    assert settle(database) == []
    [held] = connection.execute("SELECT reason FROM hold").fetchall()
    assert status in held["reason"]


# ── how far a cycle goes ───────────────────────────────────────────────────────────────────────


def latest(connection: Connection, uid: str, at: datetime, quality: Quality, kind: str) -> None:
    row = connection.execute(
        "INSERT INTO device (uid, kind, flow_pipe) VALUES (%s, %s, 'return') RETURNING id",
        (uid, kind),
    ).fetchone()
    assert row is not None
    connection.execute(
        "INSERT INTO latest (device_id, time, seen_at, changed_at, reading, quality)"
        " VALUES (%s, %s, now(), %s, '{}', %s)",
        (row["id"], at, at, int(quality)),
    )


def test_a_device_dated_by_its_arrival_does_not_carry_the_watermark_past_a_backlog(
    connection: Connection,
) -> None:
    now = datetime.now(UTC)
    past = now - timedelta(days=3)
    for n in range(9):
        latest(connection, f"own:w/{n}", past, Quality.GOOD, "room")
    latest(connection, "own:w/clock", now, Quality.CLOCK_WRONG, "room")
    assert analysis.reached(connection, DeviceKind.ROOM, 0.9) == past


def test_where_nobody_has_a_clock_arrival_is_what_there_is(connection: Connection) -> None:
    now = datetime.now(UTC)
    latest(connection, "zigbee2mqtt:a", now, Quality.CLOCK_GUESSED, "room")
    assert analysis.reached(connection, DeviceKind.ROOM, 0.9) == now


def test_meters_wait_while_rooms_are_not_rolled_up(connection: Connection) -> None:
    """Or the rooms' hours between would never be judged."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    began, unrolled = now - 72 * HOUR, now - 40 * HOUR
    latest(connection, "own:w/room", now, Quality.GOOD, "room")
    latest(connection, "own:w/meter", now, Quality.GOOD, "meter")
    connection.execute(
        "INSERT INTO room_hour (device_id, hour, n, mean_c, min_c, max_c, covered_min)"
        " SELECT id, %s, 3, 20, 20, 20, 60 FROM device WHERE kind = 'room'",
        (began,),
    )
    for hour in (began - 100 * HOUR, unrolled, now):
        connection.execute("INSERT INTO dirty_bucket VALUES ('room', 1, %s)", (hour,))
    span = cycle._span(connection, now)
    assert span is not None
    assert (span.rooms, span.meters) == (unrolled, unrolled)
