"""A winter analysed in memory: the same walk as the live cycle, with the desk in a list.

Block by block of event time, each with the windows that the live cycle would look at; what the
cycle keeps in tables (open episodes, past daily means, open incidents) is kept here in memory.
Nothing sees the future: a block is judged from what was measured up to its end, and an instant
within it from what was measured up to that instant. Rows count from when they were measured, as
they do in a backlog; that some of them were late is not played.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics import owed
from analytics.episodes import Known, reconcile
from analytics.history import History
from analytics.laying import PAST_DAYS, Found, Span, judged, lay_out
from analytics.memory import Rows, between
from analytics.trust import Facts, Surroundings, Trust, daily, judge
from analytics.trust.keeping import joined
from analytics.verdicts import DayHours, UnitDay, judge_day
from analytics.walk import walk
from analytics.window import HOUR, RoomWindow
from hearthline.clock import floor
from hearthline.domain.findings import Cause, Finding, TicketKind
from hearthline.domain.network import Network
from hearthline.domain.policies import HoldReason, Policy, Profile
from tickets.carrying import News, carry_out
from tickets.lifecycle import EventKind
from tickets.merging import OpenIncident, plan

Floats = NDArray[np.float64]
Progress = Callable[[float, float | None, str], None]

BLOCK = timedelta(days=1)
GROUP_WAIT = timedelta(hours=1)


@dataclass(slots=True)
class Incident:
    """An incident from its opening to its end; ``cold`` are all members that ever were.

    ``first`` is the finding that opened it, ``last`` the one whose place and cause it bears;
    ``merged_into`` the incident that swallowed it.
    """

    id: int
    first: Finding
    last: Finding
    members: set[str]
    cold: set[str]
    still_cold: set[str]
    recovered_at: datetime | None = None
    closed_at: datetime | None = None
    merged_into: int | None = None

    @property
    def kind(self) -> TicketKind:
        """Supply or sensor."""
        return self.first.kind

    @property
    def opened_at(self) -> datetime:
        """When it was opened."""
        return self.first.at


@dataclass
class MemoryDesk:
    """Incidents in a list, by the rules of the desk (``tickets.carrying``)."""

    path_of: Mapping[str, str]
    incidents: list[Incident] = field(default_factory=list)

    # ── the desk of a walk ────────────────────────────────────────────────────────────────

    def open_incidents(self) -> Sequence[OpenIncident]:
        """The incidents that are open now, oldest first."""
        standing = [one for one in self.incidents if one.closed_at is None]
        return [_open(one) for one in sorted(standing, key=lambda i: (i.opened_at, i.id))]

    def take_up(
        self, findings: Sequence[Finding], incidents: Sequence[OpenIncident], _policy: Policy
    ) -> list[News]:
        """Open, update, widen or merge."""
        return carry_out(plan(findings, incidents, self.path_of), self)

    def warm(self, incident: OpenIncident, _at: datetime, cold: Collection[str]) -> None:
        """All members that are not in ``cold`` are warm again."""
        self._of(incident).still_cold.intersection_update(cold)

    def recover(self, incident: OpenIncident, at: datetime) -> None:
        """All of it is well again."""
        self._of(incident).recovered_at = at

    def relapse(self, incident: OpenIncident, _at: datetime) -> None:
        """It is cold again."""
        self._of(incident).recovered_at = None

    def close(self, incident: OpenIncident, at: datetime) -> None:
        """It ends."""
        self._of(incident).closed_at = at

    # ── the book of the desk ──────────────────────────────────────────────────────────────

    def open(self, finding: Finding) -> str | None:
        """A new incident; None where one is open there already."""
        key = (finding.place, finding.kind, finding.cause, finding.device_uid)
        for one in self.incidents:
            here = (one.last.place, one.kind, one.last.cause, one.first.device_uid)
            if one.closed_at is None and key == here:
                return None
        cold = set(finding.cold & finding.affected)
        number = len(self.incidents) + 1
        incident = Incident(number, finding, finding, set(finding.affected), cold, set(cold))
        self.incidents.append(incident)
        return str(number)

    def update(self, incident: OpenIncident, finding: Finding) -> None:
        """The incident takes place, cause and evidence of a finding."""
        self._of(incident).last = finding

    def join(self, incident: OpenIncident, finding: Finding) -> int:
        """The finding's dwellings become members; how many joined or became cold."""
        one = self._of(incident)
        cold = finding.cold & finding.affected
        fresh = (finding.affected - one.members) | (cold - one.still_cold)
        one.members |= finding.affected
        one.cold |= cold
        one.still_cold |= cold
        return len(fresh)

    def merge(self, incident: OpenIncident, into: OpenIncident, at: datetime) -> None:
        """An incident goes over into another one."""
        one, other = self._of(incident), self._of(into)
        other.still_cold |= one.still_cold - other.cold
        other.members |= one.members
        other.cold |= one.cold
        one.merged_into, one.closed_at = other.id, at

    def note(
        self,
        incident: OpenIncident,
        _kind: EventKind,
        _at: datetime,
        _reason: str,
        _body: dict[str, Any],
    ) -> str:
        """Nobody reads the tickets of an offline analysis."""
        return str(incident.id)

    def _of(self, incident: OpenIncident) -> Incident:
        return self.incidents[incident.id - 1]


def _open(one: Incident) -> OpenIncident:
    return OpenIncident(
        id=one.id,
        kind=one.kind,
        cause=one.last.cause,
        place=one.last.place,
        confidence=one.last.confidence,
        opened_at=one.opened_at,
        device_uid=one.first.device_uid,
        members=frozenset(one.members),
        cold=frozenset(one.still_cold),
        recovered_at=one.recovered_at,
        common=one.last.common,
    )


@dataclass(frozen=True)
class DayOf:
    """The ledger's word on one dwelling and local day.

    ``hours`` are the numbers of the day's counted hours in which heat was owed and its sensors
    spoke, believed or not, and ``minutes`` for how long in each.
    """

    code: str
    day: date
    verdict: UnitDay
    hours: NDArray[np.int64]
    minutes: Floats


@dataclass(frozen=True)
class Analysed:
    """What analysis made of a winter: its incidents, news and days.

    ``level_c`` and ``covered_min`` are (dwellings, hours) from ``start``: what was believed, and
    the minutes for which it stands.
    """

    incidents: Sequence[Incident]
    news: Sequence[News]
    days: Sequence[DayOf]
    start: datetime
    level_c: Floats
    covered_min: Floats


def analyse(
    network: Network,
    profile: Profile,
    rows: Rows,
    until: datetime,
    *,
    block: timedelta = BLOCK,
    group_wait: timedelta = GROUP_WAIT,
    progress: Progress | None = None,
) -> Analysed:
    """Analyse everything that was measured up to ``until`` (a whole hour), block by block."""
    start = floor(datetime.fromtimestamp(min(rows.first_at, until.timestamp()), UTC), HOUR)
    diary = _Diary.of(start, until, len(network.dwellings))
    here = _Offline(network, profile, rows, group_wait, diary, MemoryDesk(network.path_of))
    blocks = max(1, -(-(until - start) // block))
    for number in range(blocks):
        since = start + number * block
        stop = min(since + block, until)
        here.judge(Span(since, floor(stop, HOUR), stop))
        if progress is not None:
            progress(number + 1, blocks, f"analysed to {stop:%m-%d %H:%M}")
    return Analysed(
        here.desk.incidents,
        here.news,
        here.diary.days(network, profile),
        start,
        here.diary.level_c,
        here.diary.covered_min,
    )


@dataclass
class _Offline:
    """The state that a live cycle keeps in tables."""

    network: Network
    profile: Profile
    rows: Rows
    group_wait: timedelta
    diary: _Diary
    desk: MemoryDesk
    episodes: dict[int, Known] = field(default_factory=dict)
    news: list[News] = field(default_factory=list)
    facts: Facts | None = None

    def judge(self, span: Span) -> None:
        """One cycle."""
        rows = self.rows
        found = Found(
            between(rows.room_hours, span.rooms_from, span.rooms),
            between(rows.meter_slots, span.slots_from, span.meters),
            between(rows.meter_hours, span.hours_from, span.hours_until),
            between(rows.weather_hours, span.hours_from, span.hours_until),
            self.diary.past(self.network, self.profile, span.rooms_from),
        )
        observed = lay_out(self.network, found, span)
        start = observed.rooms.start
        open_since = {
            self.network.dwellings[one.unit].code: one.opened_at
            for one in self.episodes.values()
            if one.opened_at <= start and (one.closed_at is None or one.closed_at > start)
        }
        history = judged(observed, self.profile, open_since, self._grade)
        self._note_episodes(history, span)
        self.diary.take(history)
        walked = walk(history, self.desk, span.since, span.until, self.group_wait)
        self.news += walked.news

    def _grade(self, rooms: RoomWindow, around: Surroundings) -> Trust:
        """As the cycle keeps the memory of sensors: days that have ended are folded in."""
        past = Facts.none(len(rooms.sensors)) if self.facts is None else self.facts
        new = daily(rooms.hours, around, past if past.days else None)
        self.facts = joined(past, new)
        return judge(rooms.hours, around, self.facts)

    def _note_episodes(self, history: History, span: Span) -> None:
        """As the cycle writes episodes: new ones, ended ones, and those that never were."""
        recent = span.rooms_from
        stored = [
            one for one in self.episodes.values() if one.closed_at is None or one.closed_at > recent
        ]
        changes = reconcile(history.excursions, stored)
        for excursion in changes.new:
            number = len(self.episodes) + 1
            self.episodes[number] = Known(
                number, excursion.unit, excursion.opened_at, excursion.closed_at
            )
        for number, excursion in changes.closed:
            self.episodes[number] = replace(self.episodes[number], closed_at=excursion.closed_at)
        for one in changes.revoked:
            self.episodes[one.id] = replace(one, closed_at=span.until)


@dataclass
class _Diary:
    """What was believed, hour by hour: (dwellings, hours) from ``start``; what the ledger reads."""

    start: datetime
    level_c: Floats
    covered_min: Floats
    heard_min: Floats

    @classmethod
    def of(cls, start: datetime, until: datetime, dwellings: int) -> _Diary:
        shape = (dwellings, max(0, int((until - start) / HOUR)))
        return cls(start, np.full(shape, np.nan), np.zeros(shape), np.zeros(shape))

    def take(self, history: History) -> None:
        """The hours of a judged window, over what was believed of them before."""
        window = history.window
        first = int((window.start - self.start) / HOUR)
        hours = history.level_c.shape[1]
        skip = max(0, -first)
        part = slice(first + skip, first + hours)
        heard = np.zeros(history.level_c.shape)
        np.maximum.at(heard, window.unit, window.covered_min)
        level = history.level_c[:, skip:]
        self.level_c[:, part] = level
        self.heard_min[:, part] = heard[:, skip:]
        self.covered_min[:, part] = np.where(np.isnan(level), 0.0, heard[:, skip:])

    def past(self, network: Network, profile: Profile, before: datetime) -> Floats:
        """Daily means of the civil days that end by an instant, (dwellings, PAST_DAYS)."""
        past = np.full((len(network.dwellings), PAST_DAYS), np.nan)
        policy = profile.on(profile.versions[-1].local_day(before))
        today = policy.local_day(before)
        for back in range(1, PAST_DAYS + 1):
            hours = self._hours_of(today - timedelta(days=back), policy)
            covered = self.covered_min[:, hours]
            total = covered.sum(axis=1)
            with np.errstate(invalid="ignore"):
                mean = (np.nan_to_num(self.level_c[:, hours]) * covered).sum(axis=1) / total
            enough = total * 60 >= policy.min_covered.total_seconds()
            past[enough, PAST_DAYS - back] = mean[enough]
        return past

    def days(self, network: Network, profile: Profile) -> list[DayOf]:
        """The ledger's word on every dwelling and every whole local day with readings."""
        policy = profile.on(profile.versions[-1].local_day(self.start))
        return [one for day in self.whole_days(policy) for one in self._day(network, profile, day)]

    def _day(self, network: Network, profile: Profile, day: date) -> Iterator[DayOf]:
        policy = profile.on(day)
        hours = self._hours_of(day, policy)
        if not len(hours):
            return
        start = self.start + int(hours[0]) * HOUR
        policies = [policy] * int(hours[-1] - hours[0] + 1)
        reasons = owed.reasons(network, policies, (), None, start)
        reasons = owed.for_verdicts(reasons, policies)[:, hours - hours[0]]
        heard = self.heard_min[:, hours] > 0
        for unit in map(int, np.flatnonzero(heard.any(axis=1))):
            held, spoke = reasons[unit], self.covered_min[unit, hours] > 0
            hold = HoldReason.NONE if spoke.any() else HoldReason.SENSOR_UNTRUSTED
            level, covered = self.level_c[unit, hours[spoke]], self.covered_min[unit, hours[spoke]]
            verdict = judge_day(DayHours(level, covered, held[spoke]), policy, hold)
            known = hours[heard[unit] & (held == 0)]
            code = network.dwellings[unit].code
            yield DayOf(code, day, verdict, known, self.heard_min[unit, known])

    def whole_days(self, policy: Policy) -> list[date]:
        """The local days all of whose hours lie within the run."""
        end = self.start + self.level_c.shape[1] * HOUR
        day = policy.local_day(self.start)
        if datetime.combine(day, time(), tzinfo=policy.zone()) < self.start:
            day += timedelta(days=1)
        days = []
        while datetime.combine(day + timedelta(days=1), time(), tzinfo=policy.zone()) <= end:
            days.append(day)
            day += timedelta(days=1)
        return days

    def _hours_of(self, day: date, policy: Policy) -> NDArray[np.int64]:
        """The numbers of a local day's counted hours, those within the run."""
        began = datetime.combine(day, time(), tzinfo=policy.zone()).astimezone(UTC)
        first = int((began - self.start) // HOUR)
        counted = [hour for hour in range(24) if policy.counts(hour)]
        hours = first + np.array(counted, np.int64)
        inside: NDArray[np.int64] = hours[(hours >= 0) & (hours < self.level_c.shape[1])]
        return inside


def causes_of(finding: Finding) -> tuple[Cause, ...]:
    """What a finding says, best first."""
    ranked = tuple(cause for cause, _ in finding.ranked)
    return ranked if ranked and ranked[0] is finding.cause else (finding.cause, *ranked)
