"""A winter night worth looking at: four substations, two dozen buildings, and what goes wrong.

Station 3's pump tripped some hours ago; the strainer of a house at station 2 has clogged; a
top-floor gable dwelling suffers from unheated neighbours; a sensor hangs. Deterministic by seed.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from hearthline.domain.findings import Cause, Evidence, EvidenceCode
from hearthline.domain.places import Ledger
from hearthline.domain.policies import DayVerdict, HoldReason
from hearthline.storage.database import Connection
from tests import builders as b
from tickets.desk import act

HOUR = timedelta(hours=1)
SINGLE = "T-S4-B02-E1-0701"
CLOGGED = "T-S2-B03"
TRIPPED = "T-S3"
SURNAMES = "王李张刘陈杨赵黄周吴"


@dataclass
class Scene:
    """What was built: the ledger, the tickets' numbers, and a few dwellings to visit."""

    ledger: Ledger
    clogged: str
    tripped: str
    single: str
    stuck: str


def build(connection: Connection, now: datetime, *, hours: int = 60, seed: int = 3) -> Scene:
    """Store the whole scene."""
    draw = random.Random(seed)
    codes = [unit.code for unit in b.town(_plan()).units]
    unsensed = {code for code in codes if draw.random() < 0.08} - {SINGLE}
    stopped = {code for code in codes if draw.random() < 0.03} - {SINGLE, *unsensed}
    vulnerable = {code for code in codes if draw.random() < 0.03}
    ledger = b.town(_plan(unsensed=unsensed, stopped=stopped, vulnerable=vulnerable))
    b.save(connection, ledger)
    b.weather_series(connection, "T-weather", now, _outdoor, hours=hours)
    sensed = [code for code in codes if code not in unsensed]
    house = [code for code in sensed if code.startswith(CLOGGED) and code not in stopped]
    station = [code for code in sensed if code.startswith(TRIPPED) and code not in stopped]
    for code in sensed:
        course = _course(code, now, draw, stopped=code in stopped)
        quiet = timedelta(hours=8) if draw.random() < 0.015 and code != SINGLE else timedelta()
        b.room_series(connection, code, now - quiet, course, hours=hours)
        _verdicts(connection, code, now, draw, stopped=code in stopped, cold=code in house)
        if draw.random() < 0.9:
            name = draw.choice(SURNAMES) + draw.choice(["女士", "先生"])
            b.contact(connection, code, name, f"138{draw.randrange(10**8):08d}")
    _meters(connection, now, hours)
    for code in house:
        b.episode(connection, code, now - (17 + draw.random()) * HOUR, min_c=16.8)
    for code in station:
        b.episode(connection, code, now - (6 + draw.random()) * HOUR, min_c=17)
    b.episode(connection, SINGLE, now - 27 * HOUR, min_c=17.4)
    for code in sorted(stopped)[:9]:
        b.hold(connection, code, HoldReason.HEATING_STOPPED, now - timedelta(days=9))
    for code in [c for c in sensed if c.startswith("T-S1-B02")][:3]:
        b.hold(connection, code, HoldReason.WAITING_FOR_PEERS, now - timedelta(minutes=34))
    return _tickets(connection, ledger, now, house=house, station=station, sensed=sensed)


def _plan(**which: set[str]) -> b.TownPlan:
    return b.TownPlan(substations=4, buildings=6, entrances=3, floors=7, **which)


def _outdoor(at: datetime) -> float:
    return -25 - 4 * math.sin((at.timestamp() / 86_400 + 0.1) * 2 * math.pi)


def _course(code: str, now: datetime, draw: random.Random, *, stopped: bool) -> b.Course:
    base = 21.7 + draw.gauss(0, 0.7) - (0.6 if code.endswith(("0701", "0702")) else 0)
    if stopped:
        return b.steady(14.5 + draw.gauss(0, 1))
    if code.startswith(CLOGGED):
        low = 17.6 - 0.12 * int(code[-4:-2]) + draw.gauss(0, 0.4)
        return b.falling(base, low, now - 20 * HOUR, 13)
    if code.startswith(TRIPPED):
        return b.falling(base, 8 + draw.gauss(0, 0.4), now - 9 * HOUR, 50)
    if code == SINGLE:
        return b.falling(base, 17.3, now - 31 * HOUR, 9)
    return b.steady(base)


def _verdicts(
    connection: Connection,
    code: str,
    now: datetime,
    draw: random.Random,
    *,
    stopped: bool,
    cold: bool,
) -> None:
    rows = []
    for back in range(40):
        verdict, reason, below = DayVerdict.COMPLIANT, HoldReason.NONE, 0.0
        if stopped:
            verdict, reason = DayVerdict.HELD_BACK, HoldReason.HEATING_STOPPED
        elif (cold and back <= 1) or (code == SINGLE and back in {0, 1, 12, 13, 14, 26}):
            verdict, below = DayVerdict.BELOW, 300.0 + 560 * draw.random()
        elif code.startswith(TRIPPED) and back == 0:
            below = 240.0
        elif draw.random() < 0.02:
            verdict, reason = DayVerdict.UNDETERMINED, HoldReason.TOO_FEW_READINGS
        mean = 18.9 if verdict is DayVerdict.BELOW else 21.4 + draw.gauss(0, 0.4)
        day = (now - timedelta(days=back)).date()
        rows.append((day, verdict, reason, below, mean))
    b.unit_days(connection, code, rows)


def _meters(connection: Connection, now: datetime, hours: int) -> None:
    def tripped(at: datetime) -> float:
        return 2.1 if at > now - 9 * HOUR else 96.0

    for s in range(1, 5):
        flow = tripped if s == 3 else b.steady(96.0, swing=1.2)
        b.meter_series(
            connection, f"T-S{s}-meter", now, hours=hours, flow=flow, supply=b.steady(55, swing=1.5)
        )
        for n in range(1, 7):
            name = f"T-S{s}-B{n:02d}"
            branch, back = b.steady(16.0, swing=0.3), b.steady(42.0, swing=0.8)
            if name == CLOGGED:
                branch = b.falling(16.0, 6.1, now - 20 * HOUR, 5)
                back = b.falling(42.0, 33.4, now - 20 * HOUR, 6)
            if s == 3:
                branch = _scaled(tripped, 1 / 6)
            b.meter_series(
                connection,
                f"{name}-meter",
                now,
                hours=hours,
                flow=branch,
                back=back,
                supply=b.steady(54.2, swing=1.5),
            )
    b.meter_series(connection, "T-meter", now, hours=hours, supply=98.0, back=52.0, flow=210.0)


def _scaled(course: b.Course, factor: float) -> b.Course:
    return lambda at: course(at) * factor


def _tickets(
    connection: Connection,
    ledger: Ledger,
    now: datetime,
    *,
    house: list[str],
    station: list[str],
    sensed: list[str],
) -> Scene:
    code = EvidenceCode
    station_two = {"en": "Station 2", "zh": "2号换热站"}
    station_three = {"en": "Station 3", "zh": "3号换热站"}
    below = [unit.code for unit in ledger.units]
    clogged = b.ticket(
        connection,
        ledger,
        CLOGGED,
        house,
        at=now - 13 * HOUR,
        affected=[c for c in below if c.startswith(CLOGGED)],
        confidence=0.86,
        evidence=[
            b.cold_share(len(house) - 3, len(house)),
            Evidence(code.FLOW_LOW, {"ratio_pct": 38, "before_m3h": 16.0, "flow_m3h": 6.1}),
            Evidence(code.RETURN_LOW, {"return_c": 33.4, "short_k": 8.6}),
            Evidence(code.SIBLINGS_WARM, {"cold": 0, "sensed": 190, "parent": station_two}),
            Evidence(code.MEMBERS_NOT_COLD, {"warm": 3, "sensed": len(house)}, against=True),
        ],
        ranked=[
            (Cause.STRAINER_CLOGGED, 0.86),
            (Cause.HYDRAULIC_IMBALANCE, 0.09),
            (Cause.LEAK, 0.03),
        ],
    )
    tripped = b.ticket(
        connection,
        ledger,
        TRIPPED,
        station,
        at=now - timedelta(minutes=18),
        affected=[c for c in below if c.startswith(TRIPPED)],
        cause=Cause.PUMP_TRIP,
        confidence=0.97,
        evidence=[
            b.cold_share(len(station), len(station)),
            Evidence(
                code.FLOW_STOPPED, {"place": station_three, "before_m3h": 96.0, "flow_m3h": 2.1}
            ),
        ],
        ranked=[(Cause.PUMP_TRIP, 0.97), (Cause.SOURCE_SHORTAGE, 0.02)],
    )
    single = b.ticket(
        connection,
        ledger,
        SINGLE,
        [SINGLE],
        at=now - 22 * HOUR,
        cause=Cause.NEIGHBOUR_UNHEATED,
        confidence=0.71,
        evidence=[
            Evidence(code.NEIGHBOUR_STOPPED, {"count": 3, "places": "702, 601, 602"}),
            Evidence(code.NEIGHBOURS_WARM, {"mean_c": 21.4}),
            Evidence(code.NO_METER, {}, against=True),
        ],
        ranked=[
            (Cause.NEIGHBOUR_UNHEATED, 0.71),
            (Cause.VALVE_CLOSED, 0.17),
            (Cause.ENVELOPE, 0.08),
        ],
    )
    hanging = next(c for c in sensed if c.startswith("T-S1-B01-E1-04"))
    stuck = b.ticket(
        connection,
        ledger,
        hanging,
        [hanging],
        at=now - 5 * HOUR,
        cause=Cause.SENSOR_STUCK,
        confidence=0.93,
        device_uid=f"own:t/{hanging}",
        evidence=[
            Evidence(code.SENSOR_FLAT, {"value_c": 17.3, "hours": 14}),
            Evidence(code.PEERS_VARY, {"range_k": 1.8}),
        ],
        ranked=[(Cause.SENSOR_STUCK, 0.93), (Cause.SENSOR_DRIFT, 0.05)],
    )
    act(connection, clogged, "dispatch", actor="li.na", now=now - 12.6 * HOUR,
        note="带密封垫,先核对入口压差。", body={"assignee": "抢修二班"})  # fmt: skip
    act(connection, clogged, "start", actor="li.na", now=now - 12 * HOUR)
    act(connection, single, "dispatch", actor="li.na", now=now - 21.8 * HOUR,
        body={"assignee": "抢修一班"})  # fmt: skip
    return Scene(ledger, clogged, tripped, single, stuck)
