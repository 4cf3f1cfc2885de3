"""The compliance ledger: judge again every dwelling-day that new or late readings touched.

Marks come as (device, UTC day); a local day that overlaps one is judged whole, from hourly means.
A verdict that changes keeps its predecessor. Some hours after a day has ended its lines are
*sealed*: put into their dwelling's chain (``analytics.chain``), so that what is changed later is
either a new line beside the old one, or evident.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from numpy.typing import NDArray

from analytics import chain, owed
from analytics.owed import HOUR, Reasons
from analytics.trust import Grade
from analytics.verdicts import TownDay
from analytics.verdicts import judge_days as judge_town
from hearthline.clock import floor
from hearthline.domain.maintenance import Window
from hearthline.domain.network import Network
from hearthline.domain.policies import Policy, Profile
from hearthline.storage import analysis, maintenance, verdicts
from hearthline.storage import network as networks
from hearthline.storage.database import Connection, Database, Row

log = structlog.get_logger("ledger")

MARKS = 5_000  # taken in one transaction
LINES = 20_000  # sealed in one transaction
SEAL_AFTER = timedelta(hours=12)
"""Most readings that come late come within an hour, those of a gateway that was out overnight
within twelve; sealed any sooner, every second line would have to be superseded."""

Key = tuple[str, date]  # (dwelling, local day)


@dataclass(frozen=True)
class _Day:
    """What holds for all on a local day; ``held`` is (dwellings, hours) from ``start`` on."""

    policy: Policy
    start: datetime
    held: Reasons
    over: bool


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
        verdicts.lock_units(connection, {code for code, _ in wanted})
        hours = _hours(connection, network, wanted, zone)
        lines: list[dict[str, Any]] = []
        for day, rows in hours.items():
            lines += _lines(network, _day(connection, network, profile, day, now), day, rows)
        verdicts.write_days(connection, lines, now)
        return len(lines)


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


@dataclass(frozen=True)
class _Rows:
    """Hourly rows of room sensors on a local day: the dwelling's number, and whether it lies."""

    unit: NDArray[np.int64]
    at: NDArray[np.int64]
    mean_c: NDArray[np.float64]
    covered_min: NDArray[np.float64]
    lies: NDArray[np.bool_]


def _hours(
    connection: Connection, network: Network, wanted: set[Key], zone: ZoneInfo
) -> dict[date, _Rows]:
    """What was measured in the wanted dwelling-days, by local day."""
    units: dict[date, list[int]] = defaultdict(list)
    for code, day in wanted:
        if code in network.index:
            units[day].append(network.index[code])
    if not units:
        return {}
    codes = network.dwellings
    places = {network.nodes[codes[unit].code].id: unit for of in units.values() for unit in of}
    since, until = (
        datetime.combine(day, time(), tzinfo=zone)
        for day in (min(units), max(units) + timedelta(days=1))
    )
    found = verdicts.unit_hours(connection, places, since, until)
    unit = _looked_up(places, found.place_id)
    lies = found.at >= _lying_since(connection, found.device_id)
    instants, which = np.unique(found.at, return_inverse=True)
    days = [datetime.fromtimestamp(int(at), zone).date() for at in instants]
    rows = {}
    for day in sorted(units):
        on_day = np.array([other == day for other in days], bool)
        mine = np.zeros(len(network.dwellings), bool)
        mine[units[day]] = True
        keep = on_day[which] & mine[unit] if len(unit) else np.zeros(0, bool)
        if keep.any():
            rows[day] = _Rows(
                unit[keep],
                found.at[keep],
                found.mean_c[keep],
                found.covered_min[keep],
                lies[keep],
            )
    return rows


def _looked_up(numbers: Mapping[int, int], keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of each key."""
    unique, which = np.unique(keys, return_inverse=True)
    return np.array([numbers[int(key)] for key in unique], np.int64)[which]


def _lying_since(connection: Connection, devices: NDArray[np.int64]) -> NDArray[np.float64]:
    """Since when each device lies, in seconds since the epoch; infinity for those that do not."""
    unique, which = np.unique(devices, return_inverse=True)
    grades = analysis.grades(connection, unique.tolist())
    since = [
        grades[int(device)]["since"].timestamp()
        if int(device) in grades and grades[int(device)]["grade"] == Grade.C
        else np.inf
        for device in unique
    ]
    return np.array(since, np.float64)[which]


def _day(
    connection: Connection, network: Network, profile: Profile, day: date, now: datetime
) -> _Day:
    """What holds on a local day: the rule, and where heat is not owed."""
    policy = profile.on(day)
    began, ended = (
        datetime.combine(day + timedelta(days=n), time(), tzinfo=policy.zone()).astimezone(UTC)
        for n in (0, 1)
    )
    start = floor(began, HOUR)
    windows = maintenance.between(connection, start, ended)
    held = _held(connection, network, policy, windows, (start, ended))
    return _Day(policy, start, held, ended <= now)


def _held(
    connection: Connection,
    network: Network,
    policy: Policy,
    windows: Sequence[Window],
    day: tuple[datetime, datetime],
) -> Reasons:
    start, ended = day
    policies = [policy] * -int((start - ended) // HOUR)
    mean_c = None
    if policy.binds_from_c is not None:  # the day's own mean decides on the whole of it
        rows = verdicts.outdoor_hours(connection, start, ended)
        known = np.array([row["outdoor_c"] for row in rows], np.float64)
        enough = len(known) >= owed.KNOWN_HOURS
        mean_c = np.full(len(policies), known.mean() if enough else np.nan)
    found = owed.reasons(network, policies, windows, mean_c, start)
    return owed.for_verdicts(found, policies)


def _lines(network: Network, day: _Day, date_: date, rows: _Rows) -> list[dict[str, Any]]:
    """The ledger's lines of a local day, for the dwellings that have rows."""
    units, town, trusted = _town_day(day, rows)
    judged = judge_town(town, day.policy, trusted)
    return [
        {
            "code": network.dwellings[int(unit)].code,
            "day": date_,
            "covered_min": line.covered_min,
            "below_min": line.below_min,
            "mean_c": line.mean_c,
            "min_c": line.min_c,
            "verdict": str(line.verdict),
            "reason": str(line.reason),
            "policy_code": day.policy.code,
            "policy_from": day.policy.valid_from,
            "over": day.over,
        }
        for unit, line in zip(units, judged, strict=True)
    ]


def _town_day(day: _Day, rows: _Rows) -> tuple[NDArray[np.int64], TownDay, NDArray[np.bool_]]:
    """Rows laid out as (dwellings, hours), counted hours only: who, what, and who is trusted.

    Several sensors of a dwelling are averaged hour by hour, those that lie left out; where all
    lie, theirs stand so that it can be told why the day is held back.
    """
    units, row = np.unique(rows.unit, return_inverse=True)
    trusted = np.zeros(len(units), bool)
    trusted[row[~rows.lies]] = True
    zone = day.policy.zone()
    counts = np.array(
        [day.policy.counts((day.start + h * HOUR).astimezone(zone).hour)
         for h in range(day.held.shape[1])], bool,
    )  # fmt: skip
    hour = (rows.at - int(day.start.timestamp())) // int(HOUR.total_seconds())
    use = counts[hour] & ~(rows.lies & trusted[row])
    cell = (row[use], hour[use])
    shape = (len(units), day.held.shape[1])
    total, sensors, covered = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    np.add.at(total, cell, rows.mean_c[use])
    np.add.at(sensors, cell, 1.0)
    np.maximum.at(covered, cell, rows.covered_min[use])
    mean = np.full(shape, np.nan)
    np.divide(total, sensors, out=mean, where=sensors > 0)
    return units, TownDay(mean, covered, day.held[units]), trusted


def seal_days(database: Database, profile: Profile, now: datetime) -> int:
    """Seal what is due, ``LINES`` lines at most, and anchor the days before; returns how many.

    One worker does at a time; for another that comes meanwhile there is nothing to do.
    """
    with database.transaction() as connection:
        if not verdicts.lock_chain(connection):
            return 0
        zone = profile.versions[0].zone()
        today = now.astimezone(zone).date()
        newest = _anchor(connection, today, now)
        before = (now - SEAL_AFTER).astimezone(zone).date()
        lines = verdicts.unsealed(connection, before, LINES)
        if newest is not None:  # a clock that was set back must not add to what is anchored
            today = max(today, newest + timedelta(days=1))
        verdicts.seal(connection, _sealed(connection, lines), today)
        return len(lines)


def _sealed(connection: Connection, lines: Sequence[Row]) -> list[Mapping[str, Any]]:
    """The lines with their place in their dwellings' chains."""
    known = verdicts.ends(connection, {line["place_id"] for line in lines})
    ends = {place: chain.End(row["link"], bytes(row["hash"])) for place, row in known.items()}
    done: list[Mapping[str, Any]] = []
    for line in lines:
        end = ends.get(line["place_id"], chain.End())
        link = end.link + 1
        hash_ = chain.sealed(line, link, end.hash)
        ends[line["place_id"]] = chain.End(link, hash_)
        done.append({**line, "link": link, "prev": end.hash, "hash": hash_})
    return done


def _anchor(connection: Connection, today: date, now: datetime) -> date | None:
    """Anchor every day before today on which lines were sealed; returns the newest anchor's day.

    The log gets the hash too: a place outside of the database.
    """
    row = verdicts.newest_anchor(connection)
    newest = row["day"] if row else None
    prev = bytes(row["hash"]) if row else chain.START
    for day in verdicts.days_to_anchor(connection, newest, today):
        days = chain.Days()
        for line in verdicts.sealed_on(connection, day):
            days.add(line)
        made = chain.anchor(day, days.of.get(day, chain.Digest()), prev)
        values = {"day": made.day, "links": made.links, "digest": made.digest, "prev": made.prev,
                  "hash": made.hash, "made_at": now}  # fmt: skip
        verdicts.insert_anchor(connection, values)
        log.info("verdicts anchored", day=str(day), lines=made.links, hash=made.hash.hex())
        newest, prev = day, made.hash
    return newest
