"""The compliance ledger: judge again every dwelling-day that new or late readings touched.

Marks come as (device, UTC day); a local day that overlaps one is judged whole, from hourly means.
A verdict that changes keeps its predecessor.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics.triage import STATUS_HOLDS
from analytics.trust import Grade
from analytics.verdicts import DayHours, judge_day
from hearthline.domain.network import Network
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
        marks = analysis.take_days(connection, MARKS)
        if not marks:
            return 0
        zone = profile.versions[0].zone()
        dwellings = analysis.dwellings_of(connection, {mark["device_id"] for mark in marks})
        wanted = _wanted(marks, dwellings, zone, now)
        hours = _hours(connection, wanted, zone)
        days = [
            _line(network, profile, key, hours.get(key, []), now)
            for key in sorted(wanted)
            if hours.get(key)
        ]
        analysis.write_days(connection, days)
        return len(days)


def _wanted(
    marks: Iterable[Row], dwellings: Iterable[Row], zone: ZoneInfo, now: datetime
) -> set[Key]:
    """The local days that overlap the marked UTC days, have begun, and saw the sensor there."""
    today = now.astimezone(zone).date()
    homes: dict[int, list[Row]] = defaultdict(list)
    for row in dwellings:
        homes[row["device_id"]].append(row)
    wanted = set()
    for mark in marks:
        noon = datetime.combine(mark["day"], time(12), tzinfo=ZoneInfo("UTC"))
        for shift in (-12, 0, 11):
            day = (noon + timedelta(hours=shift)).astimezone(zone).date()
            if day <= today:
                wanted |= {(home["code"], day) for home in homes[mark["device_id"]]
                           if _hung(home, day, zone)}  # fmt: skip
    return wanted


def _hung(home: Row, day: date, zone: ZoneInfo) -> bool:
    """Whether a sensor hung in a dwelling on any part of a local day."""
    began = datetime.combine(day, time(), tzinfo=zone)
    since, until = home["since"], home["until"]
    return (since is None or since < began + timedelta(days=1)) and (until is None or until > began)


def _hours(connection: Connection, wanted: set[Key], zone: ZoneInfo) -> dict[Key, list[Row]]:
    """Hourly rows of the wanted dwelling-days, believed sensors only marked as such."""
    found: dict[Key, list[Row]] = defaultdict(list)
    if not wanted:
        return found
    places = {place for place, _ in wanted}
    since = datetime.combine(min(day for _, day in wanted), time(), tzinfo=zone)
    until = datetime.combine(max(day for _, day in wanted), time(), tzinfo=zone)
    grades = analysis.grades(connection)
    for row in analysis.day_hours(connection, places, since, until + timedelta(days=1)):
        key = (row["place"], row["hour"].astimezone(zone).date())
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
