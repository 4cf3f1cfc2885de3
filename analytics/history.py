"""A stretch of the city's past, judged: what was cold, stuck or signalled, at any instant in it.

``judge`` turns a window of matrices into a ``History``; ``History.snapshot(at)`` is what could be
seen at an instant, and ``History.instants`` are those at which something changed, so that a
backlog of days is analysed in event-time order and each ticket carries its own hour.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analytics import owed
from analytics.episodes import Excursion, Persistence, Scan, scan
from analytics.localise.offsets import Offsets, Past, offsets
from analytics.localise.tree import Tree
from analytics.observed import Observed
from analytics.plant import read_plant
from analytics.signs import SLOT, MeterSlots, Signal, read
from analytics.snapshot import ColdDwelling, Courses, Snapshot
from analytics.triage import UNKNOWN_WAIT
from analytics.trust import Trust
from analytics.trust.findings import findings as sensor_findings
from analytics.window import HOUR, Floats, RoomWindow, unit_levels
from hearthline.clock import floor
from hearthline.domain.complaints import RULES, Complaint
from hearthline.domain.maintenance import Window
from hearthline.domain.network import Network
from hearthline.domain.places import PlaceKind
from hearthline.domain.policies import HoldReason, Policy, Profile

FRESH_HOURS = 3  # a level older than this is no knowledge of the present
COURSE_H = 48


@dataclass(frozen=True)
class History:
    """A judged window; ``level_c``, ``suspect``, ``reasons`` (``owed``) are (dwellings, hours)."""

    network: Network
    profile: Profile
    window: RoomWindow
    trust: Trust
    level_c: Floats
    suspect: NDArray[np.bool_]
    reasons: owed.Reasons
    excursions: Sequence[Excursion]
    signals: Sequence[Signal]
    stations: Sequence[MeterSlots]
    offsets: Offsets
    tree: Tree
    outdoor_c: Floats
    complaints: Sequence[Complaint] = ()

    def policy(self, at: datetime) -> Policy:
        """The version of the rule that binds at an instant."""
        return policy_at(self.profile, at)

    def instants(self, wait: timedelta) -> list[datetime]:
        """When something changed: cold (each hour until it is told), warm, a sign, a sensor."""
        changes: set[datetime] = set()
        for excursion in self.excursions:
            last = excursion.opened_at + max(wait, UNKNOWN_WAIT)
            if excursion.closed_at is not None:
                changes.add(excursion.closed_at)
                last = min(last, excursion.closed_at)
            hours = int((last - excursion.opened_at) / HOUR)
            changes |= {excursion.opened_at + hour * HOUR for hour in range(hours + 1)}
        for signal in self.signals:
            changes |= {signal.since} | ({signal.until} if signal.until else set())
        edges = np.flatnonzero(np.diff(self.trust.grade, axis=1).any(axis=0))
        changes |= {self.window.start + (int(hour) + 2) * HOUR for hour in edges}
        changes |= set(owed.instants(self.reasons, self.window.start))
        for call in self.complaints:  # it is heard by the next whole hour, and ceases to count
            changes |= {floor(at, HOUR) + HOUR for at in (call.at, call.at + RULES.counts_for)}
        return sorted(changes)

    def snapshot(self, at: datetime) -> Snapshot:
        """What could be seen at an instant."""
        hour = self._hour(at)
        return Snapshot(
            at=at,
            network=self.network,
            threshold_c=self.policy(at).threshold_c,
            level_c=self._levels(at, hour),
            cold=self._cold(at),
            signals=[signal for signal in self.signals if signal.holds(at)],
            ended=[s for s in self.signals if s.until is not None and s.until <= at],
            lying=sensor_findings(self.trust, self.window.sensors, self.network, at, hour),
            flow_m3h=self._flows(at),
            suspect=self._suspect(hour),
            unowed=self._unowed(at, hour),
            **self._offset(hour),
            tree=self.tree,
            courses=self._courses(hour),
            complaints=self._calls(at),
        )

    def _calls(self, at: datetime) -> dict[str, list[datetime]]:
        """The calls of each dwelling within the time in which they repeat, up to an instant."""
        first, last = (
            bisect_right(self.complaints, instant, key=lambda call: call.at)
            for instant in (at - RULES.repeat_within, at)
        )
        calls: dict[str, list[datetime]] = {}
        for call in self.complaints[first:last]:
            calls.setdefault(call.place, []).append(call.at)
        return calls

    def _offset(self, hour: int) -> dict[str, Floats]:
        """How far dwellings lie off at an hour; nothing before the first."""
        if hour < 0:
            nothing = np.full(len(self.network.dwellings), np.nan)
            return {"offset_k": nothing, "spread_k": np.ones(len(nothing))}
        offset, spread, usual = self.offsets.at(hour)
        return {"offset_k": offset, "spread_k": spread, "usual_k": usual}

    def _courses(self, hour: int) -> Courses:
        """The last two days up to an hour."""
        part = slice(max(0, hour + 1 - COURSE_H), hour + 1)
        return Courses(
            self.level_c[:, part],
            self.offsets.hourly[:, part] - self.offsets.at(hour)[2][:, None],
            self._local_hours[part],
            self.outdoor_c[part],
        )

    @cached_property
    def _local_hours(self) -> NDArray[np.int64]:
        """The local hour of the day of every hour."""
        zone = self.profile.versions[0].zone()
        hours = range(self.level_c.shape[1])
        local = [(self.window.start + at * HOUR).astimezone(zone).hour for at in hours]
        return np.array(local, np.int64)

    def _unowed(self, at: datetime, hour: int) -> dict[str, HoldReason]:
        if hour < 0:
            return {}
        below = self._recent(hour) < self.policy(at).threshold_c
        since, index = at - RULES.counts_for, self.network.index
        below[[index[code] for code, calls in self._calls(at).items() if calls[-1] > since]] = True
        return owed.held(self.network, self.reasons[:, hour], below)

    def _hour(self, at: datetime) -> int:
        """The last whole hour of the window that ended at or before an instant; -1 for none."""
        last = int(self.level_c.shape[1]) - 1
        return min(int((at - self.window.start) // HOUR) - 1, last)

    def _recent(self, hour: int) -> Floats:
        """The last known level of every dwelling within FRESH_HOURS, (dwellings,)."""
        levels = np.full(self.level_c.shape[0], np.nan)
        for back in range(max(0, hour - FRESH_HOURS + 1), hour + 1):
            fresh = self.level_c[:, back]
            levels = np.where(np.isnan(fresh), levels, fresh)
        return levels

    def _levels(self, at: datetime, hour: int) -> dict[str, float]:
        levels, unheated = self._recent(hour), self.network.unheated(at)
        units = np.flatnonzero(~np.isnan(levels))
        dwellings = self.network.dwellings
        told = zip(units.tolist(), levels[units].tolist(), strict=True)
        return {
            dwellings[unit].code: level
            for unit, level in told
            if dwellings[unit].code not in unheated
        }

    def _cold(self, at: datetime) -> dict[str, ColdDwelling]:
        return {
            self.network.dwellings[e.unit].code: ColdDwelling(e.began_at, e.opened_at, e.min_c)
            for e in self.excursions
            if e.holds(at)
        }

    def _suspect(self, hour: int) -> frozenset[str]:
        if hour < 0:
            return frozenset()
        units = map(int, np.flatnonzero(self.suspect[:, hour]))
        return frozenset(self.network.dwellings[unit].code for unit in units)

    def _flows(self, at: datetime) -> dict[str, float]:
        flows = {}
        for station in self.stations:
            slot = min(int((at - station.start) // SLOT), station.flow_m3h.shape[1])
            recent = station.flow_m3h[1:, max(0, slot - 6) : max(0, slot)]
            known = ~np.isnan(recent)
            count, total = known.sum(axis=1), np.where(known, recent, 0.0).sum(axis=1)
            for row in np.flatnonzero(count):
                flows[station.places[row + 1]] = round(float(total[row] / count[row]), 2)
        return flows


@dataclass(frozen=True)
class Around:
    """What people have put on file: maintenance ``windows``, and in ``wrong_by_k``,
    (sensors, hours), what certified readings take off each sensor; ``complaints`` by phone.
    """

    windows: Sequence[Window] = ()
    wrong_by_k: Floats | float = 0.0
    complaints: Sequence[Complaint] = ()


NOTHING_AROUND = Around()


def judge(
    observed: Observed,
    profile: Profile,
    open_since: Mapping[str, datetime],
    trust: Trust,
    around: Around = NOTHING_AROUND,
) -> History:
    """Judge a window whose sensors have been graded.

    ``open_since`` are the dwellings in an episode when it starts.
    """
    network, window = observed.network, observed.rooms
    count = len(network.dwellings)
    level = unit_levels(window, trust, count, around.wrong_by_k)
    policies = owed.policies_by_hour(profile, window.start, level.shape[1])
    outdoor = observed.weather.outdoors(window.start, level.shape[1])
    reasons = owed.reasons(network, policies, around.windows, owed.day_means(outdoor), window.start)
    signals = [signal for station in observed.stations for signal in read(station)]
    signals += read_plant(observed.meters, observed.weather, network, observed.overall)
    signals += observed.overall.signals
    since = {network.index[c]: at for c, at in open_since.items() if c in network.index}
    found = _offsets(network, level, reasons, observed.past_c, _Calendar(policies, window.start))
    return History(
        network,
        profile,
        window,
        trust,
        level,
        _suspect_units(window, trust, count),
        reasons,
        _excursions(policies, level, reasons, window.start, since),
        sorted(signals, key=lambda s: (s.since, s.place)),
        observed.stations,
        found,
        Tree.of(network),
        outdoor,
        sorted((c for c in around.complaints if c.place in network.index), key=lambda c: c.at),
    )


@dataclass(frozen=True, slots=True)
class _Calendar:
    """The civil days of a window's hours, and the standard at its end."""

    policies: Sequence[Policy]
    start: datetime

    def days(self) -> NDArray[np.int64]:
        """Each hour's day, counted from the first, (hours,)."""
        local = [p.local_day(self.start + at * HOUR) for at, p in enumerate(self.policies)]
        return np.array([(one - local[0]).days for one in local], np.int64)

    @property
    def floor_c(self) -> float:
        """Days below it are cold, and no lesson of what is usual."""
        return self.policies[-1].threshold_c if self.policies else -np.inf


def _offsets(
    network: Network,
    level: Floats,
    reasons: owed.Reasons,
    past_c: Floats,
    calendar: _Calendar,
) -> Offsets:
    """How far dwellings lie off their circuits' heated ones, hour by hour."""
    heated = np.asarray((reasons == 0).any(axis=1)) | (level.shape[1] == 0)
    circuits = [
        network.ancestor(d.code, PlaceKind.CIRCUIT)
        or network.ancestor(d.code, PlaceKind.SUBSTATION)
        or ""
        for d in network.dwellings
    ]
    _, group = np.unique(np.array(circuits), return_inverse=True)
    shown = np.where(reasons == 0, level, np.nan)
    past = Past(past_c, calendar.floor_c)
    return offsets(shown, heated, group.astype(np.int64), calendar.days(), past)


def policy_at(profile: Profile, at: datetime) -> Policy:
    """The version that binds at an instant, by its local day."""
    zone = profile.versions[0].zone()
    return profile.on(at.astimezone(zone).date())


def _excursions(
    policies: Sequence[Policy],
    level: Floats,
    reasons: owed.Reasons,
    start: datetime,
    open_since: Mapping[int, datetime],
) -> list[Excursion]:
    """When dwellings were below the standard for long enough, while heat was owed."""
    if level.shape[1] == 0:
        return []
    hours = Scan(
        start,
        level,
        reasons == 0,
        np.array([policy.threshold_c for policy in policies]),
        np.array([_counts(p, start + at * HOUR) for at, p in enumerate(policies)]),
    )
    rule = policies[-1]
    persistence = Persistence(
        _hours(rule.open_after),
        _hours(rule.close_after),
        _hours(rule.lapse_after),
        rule.hysteresis_k,
    )
    return scan(hours, persistence, open_since)


def _counts(policy: Policy, at: datetime) -> bool:
    return policy.counts(at.astimezone(policy.zone()).hour)


def _hours(span: timedelta) -> int:
    return max(1, round(span / HOUR))


def _suspect_units(window: RoomWindow, trust: Trust, count: int) -> NDArray[np.bool_]:
    """Dwellings none of whose sensors is of grade A, (dwellings, hours)."""
    shape = (count, trust.suspect.shape[1])
    good, any_sensor = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    np.add.at(good, window.unit, ~trust.suspect)
    np.add.at(any_sensor, window.unit, 1)
    none_good: NDArray[np.bool_] = (good == 0) & (any_sensor > 0)
    return none_good
