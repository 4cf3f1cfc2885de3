"""Rows for tests: a small town with readings, verdicts, episodes and tickets, in a few calls.

Everything has a sane default, so that a test names only what it is about. Tickets are opened by
the real desk, so their events, outbox rows and notifications are the real ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from hearthline.domain.findings import Cause, Evidence, EvidenceCode, Finding
from hearthline.domain.places import (
    Device,
    DeviceKind,
    DeviceRole,
    FlowPipe,
    HeatingStatus,
    Ledger,
    Place,
    PlaceKind,
    StatusPeriod,
    UnitFacts,
    UnitPosition,
    paths,
)
from hearthline.domain.policies import PROFILES, DayVerdict, HoldReason
from hearthline.storage import ledger as ledger_rows
from hearthline.storage.database import Connection
from tickets import desk

HOUR = timedelta(hours=1)
DOORS = 2


@dataclass(frozen=True)
class TownPlan:
    """How big the town is and which dwellings have what."""

    substations: int = 2
    buildings: int = 2
    entrances: int = 2
    floors: int = 4
    unsensed: Collection[str] = ()
    stopped: Collection[str] = ()
    vulnerable: Collection[str] = ()


def town(plan: TownPlan | None = None, *, root: str = "T") -> Ledger:
    """A ledger: one source, its substations, buildings, entrances, risers and dwellings."""
    plan = plan or TownPlan()
    places = [Place(root, PlaceKind.SOURCE, None, "River plant", "河畔热源厂")]
    units: list[UnitFacts] = []
    devices = [
        Device(f"own:t/{root}-weather", DeviceKind.WEATHER, DeviceRole.WEATHER, root),
        _meter(f"{root}-meter", root, DeviceRole.PRIMARY),
    ]
    for s in range(1, plan.substations + 1):
        station = f"{root}-S{s}"
        circuit = f"{station}-C1"
        places.append(Place(station, PlaceKind.SUBSTATION, root, f"Station {s}", f"{s}号换热站", s))
        places.append(Place(circuit, PlaceKind.CIRCUIT, station, "Low zone", "低区", 1))
        devices.append(_meter(f"{station}-meter", station, DeviceRole.SECONDARY))
        for b in range(1, plan.buildings + 1):
            block = _building(plan, station, circuit, b)
            places += block.places
            units += block.units
            devices += block.devices
    statuses = [
        StatusPeriod(code, HeatingStatus.STOPPED, datetime(2020, 10, 1, tzinfo=UTC))
        for code in plan.stopped
    ]
    return Ledger(tuple(places), tuple(units), tuple(statuses), tuple(devices))


def _building(plan: TownPlan, station: str, circuit: str, number: int) -> Ledger:
    building = f"{station}-B{number:02d}"
    places = [
        Place(building, PlaceKind.BUILDING, circuit, f"House {number}", f"{number}号楼", number)
    ]
    units: list[UnitFacts] = []
    devices = [_meter(f"{building}-meter", building, DeviceRole.BRANCH)]
    for e in range(1, plan.entrances + 1):
        entrance = f"{building}-E{e}"
        places.append(Place(entrance, PlaceKind.ENTRANCE, building, f"Entrance {e}", f"{e}单元", e))
        for door in range(1, DOORS + 1):
            riser = f"{entrance}-R{door}"
            places.append(
                Place(riser, PlaceKind.RISER, entrance, f"Riser {door}", f"{door}号立管", door)
            )
            for floor in range(1, plan.floors + 1):
                code, name = f"{entrance}-{floor:02d}{door:02d}", f"{floor}{door:02d}"
                places.append(Place(code, PlaceKind.UNIT, riser, name, f"{name}室", floor))
                units.append(
                    UnitFacts(
                        code,
                        area_m2=82.5,
                        floor=floor,
                        column=(e - 1) * DOORS + door,
                        position=_position(plan, floor),
                        vulnerable=code in plan.vulnerable,
                    )
                )
                if code not in plan.unsensed:
                    devices.append(Device(f"own:t/{code}", DeviceKind.ROOM, DeviceRole.ROOM, code))
    return Ledger(tuple(places), tuple(units), (), tuple(devices))


def _position(plan: TownPlan, floor: int) -> UnitPosition:
    if floor == plan.floors:
        return UnitPosition.TOP
    return UnitPosition.GROUND if floor == 1 else UnitPosition.MIDDLE


def _meter(name: str, place: str, role: DeviceRole) -> Device:
    return Device(f"own:t/{name}", DeviceKind.METER, role, place, FlowPipe.RETURN, 600)


def save(connection: Connection, ledger: Ledger) -> None:
    """Store a ledger."""
    ledger_rows.save(connection, ledger)


Course = Callable[[datetime], float]


def steady(value: float, *, swing: float = 0.3) -> Course:
    """A temperature that follows the day a little."""
    return lambda at: value + swing * math.sin(at.timestamp() / 13_750)


def falling(start: float, end: float, since: datetime, tau_h: float = 14.0) -> Course:
    """Steady until ``since``, then relaxing towards ``end``."""

    def course(at: datetime) -> float:
        hours = max(0.0, (at - since) / HOUR)
        return end + (start - end) * math.exp(-hours / tau_h)

    return course


def room_series(
    connection: Connection,
    code: str,
    now: datetime,
    course: Course | float = 21.0,
    *,
    hours: int = 6,
    seen_at: datetime | None = None,
) -> None:
    """Readings, rollups and the latest value of a dwelling's sensor, up to ``now``."""
    curve = course if callable(course) else steady(float(course), swing=0.0)
    device = device_id(connection, f"own:t/{code}")
    instants = [now - timedelta(minutes=20 * step) for step in range(hours * 3, -1, -1)]
    values = [round(curve(at), 2) for at in instants]
    connection.execute(
        "WITH reading AS (INSERT INTO room_reading"
        " (time, device_id, temperature_c, humidity_pct, battery_pct)"
        " SELECT t, %s, v, 38, 91 FROM unnest(%s::timestamptz[], %s::real[]) AS r (t, v)"
        " ON CONFLICT DO NOTHING RETURNING time, device_id, temperature_c)"
        " INSERT INTO room_hour (device_id, hour, n, mean_c, min_c, max_c, covered_min)"
        " SELECT device_id, date_trunc('hour', time), count(*), avg(temperature_c),"
        "        min(temperature_c), max(temperature_c), least(60, count(*) * 20)"
        " FROM reading GROUP BY 1, 2 ON CONFLICT DO NOTHING",
        (device, instants, values),
    )
    set_latest(connection, device, instants[-1], {"temperature_c": values[-1]}, seen_at)


def meter_series(
    connection: Connection,
    name: str,
    now: datetime,
    *,
    hours: int = 6,
    supply: Course | float = 52.0,
    back: Course | float = 41.0,
    flow: Course | float = 96.0,
) -> None:
    """Hourly rollups and the latest reading of a heat meter."""
    curves = [c if callable(c) else steady(float(c), swing=0.0) for c in (supply, back, flow)]
    device = device_id(connection, f"own:t/{name}")
    first = now.replace(minute=0, second=0, microsecond=0)
    rows = []
    for step in range(hours, -1, -1):
        at = first - step * HOUR
        supply_c, return_c, flow_m3h = (round(curve(at), 2) for curve in curves)
        rows.append((device, at, supply_c, return_c, flow_m3h, flow_m3h * (supply_c - return_c)))
    connection.cursor().executemany(
        "INSERT INTO meter_hour (device_id, hour, n, supply_c, return_c, flow_m3h, power_kw,"
        " covered_min) VALUES (%s, %s, 6, %s, %s, %s, %s, 60) ON CONFLICT DO NOTHING",
        rows,
    )
    keys = ("supply_c", "return_c", "flow_m3h", "power_kw")
    reading = dict(zip(keys, rows[-1][2:], strict=True))
    set_latest(connection, device, now, reading)


def weather_series(
    connection: Connection,
    name: str,
    now: datetime,
    outdoor: Course | float = -24.0,
    hours: int = 6,
) -> None:
    """Hourly rollups and the latest reading of a weather station."""
    curve = outdoor if callable(outdoor) else steady(float(outdoor), swing=0.0)
    device = device_id(connection, f"own:t/{name}")
    first = now.replace(minute=0, second=0, microsecond=0)
    connection.cursor().executemany(
        "INSERT INTO weather_hour (device_id, hour, n, outdoor_c, covered_min)"
        " VALUES (%s, %s, 6, %s, 60) ON CONFLICT DO NOTHING",
        [(device, first - s * HOUR, round(curve(first - s * HOUR), 1)) for s in range(hours + 1)],
    )
    set_latest(connection, device, now, {"outdoor_c": round(curve(now), 1)})


def set_latest(
    connection: Connection,
    device: int,
    at: datetime,
    reading: dict[str, float],
    seen_at: datetime | None = None,
) -> None:
    """The newest reading of a device."""
    connection.execute(
        "INSERT INTO latest (device_id, time, seen_at, changed_at, reading)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (device_id) DO UPDATE SET"
        " time = excluded.time, seen_at = excluded.seen_at, reading = excluded.reading",
        (device, at, seen_at or at, at, Jsonb(reading)),
    )


def device_id(connection: Connection, uid: str) -> int:
    """The number of a device."""
    row = connection.execute("SELECT id FROM device WHERE uid = %s", (uid,)).fetchone()
    assert row is not None, f"no device {uid}"
    return int(row["id"])


def place_id(connection: Connection, code: str) -> int:
    """The number of a place."""
    row = connection.execute("SELECT id FROM place WHERE code = %s", (code,)).fetchone()
    assert row is not None, f"no place {code}"
    return int(row["id"])


def episode(
    connection: Connection,
    code: str,
    began_at: datetime,
    *,
    min_c: float = 16.0,
    closed_at: datetime | None = None,
) -> None:
    """An episode below standard."""
    connection.execute(
        "INSERT INTO episode (place_id, kind, began_at, opened_at, closed_at, min_c, policy_code,"
        " policy_from) VALUES (%s, 'below', %s, %s, %s, %s, 'heilongjiang', '2021-10-29')",
        (place_id(connection, code), began_at, began_at + 4 * HOUR, closed_at, min_c),
    )


def unit_day(
    connection: Connection,
    code: str,
    day: date,
    *,
    verdict: DayVerdict = DayVerdict.COMPLIANT,
    reason: HoldReason = HoldReason.NONE,
    below_min: float = 0.0,
    mean_c: float | None = 21.0,
) -> None:
    """A verdict of the compliance ledger."""
    connection.execute(
        "INSERT INTO unit_day (place_id, day, covered_min, below_min, mean_c, min_c, verdict,"
        " reason, policy_code, policy_from, judged_at)"
        " VALUES (%s, %s, 1440, %s, %s, %s, %s, %s, 'heilongjiang', '2021-10-29', now())",
        (place_id(connection, code), day, below_min, mean_c, mean_c, verdict, reason),
    )


def unit_days(connection: Connection, code: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Many verdicts at once: (day, verdict, reason, below_min, mean_c)."""
    days, verdicts, reasons, below, means = zip(*rows, strict=True)
    connection.execute(
        "INSERT INTO unit_day (place_id, day, covered_min, below_min, mean_c, min_c, verdict,"
        " reason, policy_code, policy_from, judged_at)"
        " SELECT %s, day, 1440, below, mean, mean, verdict, reason, 'heilongjiang', '2021-10-29',"
        " now() FROM unnest(%s::date[], %s::text[], %s::text[], %s::real[], %s::real[])"
        " AS r (day, verdict, reason, below, mean)",
        (place_id(connection, code), list(days), list(verdicts), list(reasons), list(below),
         list(means)),
    )  # fmt: skip


def hold(connection: Connection, code: str, reason: HoldReason, since: datetime) -> None:
    """A cold dwelling without a ticket, and why."""
    connection.execute(
        "INSERT INTO hold (place_id, reason, since) VALUES (%s, %s, %s)",
        (place_id(connection, code), reason, since),
    )


def contact(
    connection: Connection, code: str, name: str = "王女士", phone: str = "13800001234"
) -> None:
    """Whom to call at a dwelling."""
    connection.execute(
        "INSERT INTO contact (place_id, name, phone) VALUES (%s, %s, %s)",
        (place_id(connection, code), name, phone),
    )


def dead_letter(
    connection: Connection, topic: str, payload: bytes, reason: str, at: datetime
) -> None:
    """A refused message."""
    connection.execute(
        "INSERT INTO dead_letter (key, topic, payload, reason, detail, first_at, last_at)"
        " VALUES (sha256(%s), %s, %s, %s, 'as the test says', %s, %s)",
        (topic.encode() + payload, topic, payload, reason, at, at),
    )


def cold_share(cold: int, sensed: int, threshold_c: float = 20.0) -> Evidence:
    """The commonest piece of evidence."""
    values = {"cold": cold, "sensed": sensed, "threshold_c": threshold_c}
    return Evidence(EvidenceCode.COLD_SHARE, values)


def ticket(
    connection: Connection,
    ledger: Ledger,
    place: str,
    cold: Collection[str],
    *,
    at: datetime,
    cause: Cause = Cause.STRAINER_CLOGGED,
    affected: Collection[str] = (),
    confidence: float = 0.8,
    evidence: Sequence[Evidence] = (),
    ranked: Sequence[tuple[Cause, float]] = (),
    device_uid: str | None = None,
) -> str:
    """Let the desk open a ticket for a finding; returns its number."""
    finding = Finding(
        at=at,
        place=place,
        cause=cause,
        confidence=confidence,
        cold=frozenset(cold),
        affected=frozenset(affected) | frozenset(cold),
        evidence=tuple(evidence) or (cold_share(len(cold), len(cold)),),
        ranked=tuple(ranked) or ((cause, confidence),),
        device_uid=device_uid,
    )
    policy = PROFILES["heilongjiang"].on(at.date())
    news = desk.take_up(
        connection, [finding], desk.open_incidents(connection), paths(ledger.places), policy
    )
    return news[0].number
