"""The compliance ledger: judge again every dwelling-day that new or late readings touched.

Marks come as (device, UTC day); a local day that overlaps one is judged whole, from hourly means.
A verdict that changes keeps its predecessor.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics.triage import STATUS_HOLDS
from analytics.trust import Grade
from analytics.verdicts import DayHours, judge_day
from hearthline.domain.network import Instrument, Network
from hearthline.domain.places import DeviceKind
from hearthline.domain.policies import HoldReason, Policy, Profile
from hearthline.storage import analysis
from hearthline.storage import network as networks
from hearthline.storage.database import Connection, Database, Row

MARKS = 5_000  # taken in one transaction

Key = tuple[str, date]  # (dwelling, local day)


def judge_days(database: Database, profile: Profile, now: datetime) -> int:
    """Judge the dwelling-days that wait, ``MARKS`` marks at most; returns how many were judged."""
    with database.transaction() as connection:
        network = networks.load(connection, now)
        sensors = {
            i.id: i
            for i in network.instruments
            if i.kind is DeviceKind.ROOM and i.place in network.index
        }
        marks = analysis.take_days(connection, list(sensors), MARKS)
        if not marks:
            return 0
        zone = profile.versions[0].zone()
        wanted = _wanted(marks, sensors, zone, now)
        hours = _hours(connection, wanted, sensors, zone)
        days = [
            _line(network, profile, key, hours.get(key, []), now)
            for key in sorted(wanted)
            if hours.get(key)
        ]
        analysis.write_days(connection, days)
        return len(days)


def _wanted(
    marks: Iterable[Row], sensors: Mapping[int, Instrument], zone: ZoneInfo, now: datetime
) -> set[Key]:
    """The local days that overlap the marked UTC days and have begun."""
    today = now.astimezone(zone).date()
    wanted = set()
    for mark in marks:
        noon = datetime.combine(mark["day"], time(12), tzinfo=ZoneInfo("UTC"))
        for shift in (-12, 0, 11):
            day = (noon + timedelta(hours=shift)).astimezone(zone).date()
            if day <= today:
                wanted.add((sensors[mark["device_id"]].place, day))
    return wanted


def _hours(
    connection: Connection,
    wanted: set[Key],
    sensors: Mapping[int, Instrument],
    zone: ZoneInfo,
) -> dict[Key, list[Row]]:
    """Hourly rows of the wanted dwelling-days, believed sensors only marked as such."""
    places = {place for place, _ in wanted}
    devices = [i.id for i in sensors.values() if i.place in places]
    since = datetime.combine(min(day for _, day in wanted), time(), tzinfo=zone)
    until = datetime.combine(max(day for _, day in wanted), time(), tzinfo=zone)
    grades = analysis.grades(connection)
    found: dict[Key, list[Row]] = defaultdict(list)
    for row in analysis.day_hours(connection, devices, since, until + timedelta(days=1)):
        key = (sensors[row["device_id"]].place, row["hour"].astimezone(zone).date())
        if key in wanted:
            grade = grades.get(row["device_id"])
            lies = grade is not None and grade["grade"] == Grade.C and row["hour"] >= grade["since"]
            found[key].append({**row, "lies": lies})
    return found


def _line(
    network: Network, profile: Profile, key: Key, rows: Sequence[Row], now: datetime
) -> dict[str, Any]:
    code, day = key
    policy = profile.on(day)
    believed = [row for row in rows if not row["lies"]]
    verdict = judge_day(
        _by_hour(believed, policy), policy, _hold(network, policy, key, rows, believed)
    )
    return {
        "code": code,
        "day": day,
        "covered_min": verdict.covered_min,
        "below_min": verdict.below_min,
        "mean_c": verdict.mean_c,
        "min_c": verdict.min_c,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "policy_code": policy.code,
        "policy_from": policy.valid_from,
        "judged_at": now,
    }


def _by_hour(rows: Iterable[Row], policy: Policy) -> DayHours:
    """Counted hours of a day; several sensors of a dwelling are averaged hour by hour."""
    zone = policy.zone()
    hours: dict[datetime, list[Row]] = defaultdict(list)
    for row in rows:
        if policy.counts(row["hour"].astimezone(zone).hour):
            hours[row["hour"]].append(row)
    return DayHours(
        np.array([sum(r["mean_c"] for r in group) / len(group) for group in hours.values()]),
        np.array([max(r["covered_min"] for r in group) for group in hours.values()]),
    )


def _hold(
    network: Network, policy: Policy, key: Key, rows: Sequence[Row], believed: Sequence[Row]
) -> HoldReason:
    code, day = key
    if not policy.in_season(day):
        return HoldReason.OUT_OF_SEASON
    noon = datetime.combine(day, time(12), tzinfo=policy.zone())
    status = network.status(code, noon)
    if status in STATUS_HOLDS:
        return STATUS_HOLDS[status]
    if rows and not believed:
        return HoldReason.SENSOR_UNTRUSTED
    return HoldReason.NONE
