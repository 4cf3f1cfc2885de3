"""A stretch of the city's past, judged: what was cold, stuck or signalled, at any instant in it.

``analytics.judging`` makes a ``History`` of a window of matrices; ``History.snapshot(at)`` is what
could be seen at an instant, and ``History.instants`` are those at which something changed, so that
a backlog of days is analysed in event-time order and each ticket carries its own hour.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from math import isnan

import numpy as np
from numpy.typing import NDArray

from analytics import owed
from analytics.episodes import Excursion
from analytics.localise.offsets import Offsets
from analytics.localise.tree import Tree
from analytics.signs import SLOT, MeterSlots, Signal
from analytics.snapshot import ColdDwelling, Courses, Snapshot
from analytics.triage import UNKNOWN_WAIT
from analytics.trust import Trust
from analytics.trust.findings import findings as sensor_findings
from analytics.trust.model import GRADE_C
from analytics.window import HOUR, Floats, RoomWindow
from hearthline.clock import floor
from hearthline.domain.complaints import RULES, Complaint
from hearthline.domain.findings import Finding
from hearthline.domain.network import Network
from hearthline.domain.policies import HoldReason, Policy, Profile

FRESH_HOURS = 3  # a level older than this is no knowledge of the present
COURSE_H = 48
FLOW_SLOTS = 6  # half an hour


@dataclass(frozen=True)
class History:
    """A judged window; ``level_c``, ``suspect``, ``reasons`` (``owed``) are (dwellings, hours).

    Of the ``complaints`` those tell of the heating that were made while it was due (``heard``).
    ``reads_warm`` are the dwellings of ``suspect`` that are warm all the same, of the same shape.
    """

    network: Network
    profile: Profile
    window: RoomWindow
    trust: Trust
    level_c: Floats
    suspect: NDArray[np.bool_]
    reads_warm: NDArray[np.bool_]
    reasons: owed.Reasons
    excursions: Sequence[Excursion]
    signals: Sequence[Signal]
    stations: Sequence[MeterSlots]
    offsets: Offsets
    tree: Tree
    outdoor_c: Floats
    complaints: Sequence[Complaint] = ()
    heard: Sequence[Complaint] = ()

    def policy(self, at: datetime) -> Policy:
        """The version of the rule that binds at an instant."""
        if at not in self._policies:
            self._policies[at] = policy_at(self.profile, at)
        return self._policies[at]

    @cached_property
    def _policies(self) -> dict[datetime, Policy]:
        """What was asked of the profile before: it looks at calendars."""
        return {}

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

    def quiet(self, at: datetime) -> bool:
        """Whether nobody is cold or has called, no meter shows a sign, and no sensor is lying."""
        hour = self._hour(at)
        return not (
            any(excursion.holds(at) for excursion in self.excursions)
            or any(signal.holds(at) for signal in self.signals)
            or (hour >= 0 and bool(self._lying[hour]))
            or _within(self.complaints, at)
        )

    @cached_property
    def _lying(self) -> NDArray[np.bool_]:
        """Hours at which any sensor is of grade C, (hours,)."""
        lying: NDArray[np.bool_] = (self.trust.grade == GRADE_C).any(axis=0)
        return lying

    def snapshot(self, at: datetime) -> Snapshot:
        """What could be seen at an instant."""
        hour = self._hour(at)
        recent = self._recent(hour)
        return Snapshot(
            at=at,
            network=self.network,
            threshold_c=self.policy(at).threshold_c,
            level_c=self._levels(at, recent),
            cold=self._cold(at),
            signals=[signal for signal in self.signals if signal.holds(at)],
            ended=[s for s in self.signals if s.until is not None and s.until <= at],
            lying=self._told_of_sensors(at, hour),
            flow_m3h=self._flows(at),
            suspect=self._suspect(hour, at),
            unowed=self._unowed(at, hour, recent),
            **self._offset(hour),
            tree=self.tree,
            courses=self._courses(hour),
            complaints=_within(self.heard, at),
        )

    def _told_of_sensors(self, at: datetime, hour: int) -> list[Finding]:
        if hour < 0 or not self._lying[hour]:
            return []
        return sensor_findings(self.trust, self.window.sensors, self.network, at, hour)

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
            self._beyond_usual(hour)[:, part],
            self._local_hours[part],
            self.outdoor_c[part],
        )

    def _beyond_usual(self, hour: int) -> Floats:
        """All hours against the peers beside what is usual on an hour's day, (dwellings, hours)."""
        day = int(self.offsets.day[hour])
        if day not in self._by_day:
            usual = self.offsets.at(hour)[2]
            self._by_day[day] = self.offsets.hourly - usual[:, None]
        return self._by_day[day]

    @cached_property
    def _by_day(self) -> dict[int, Floats]:
        """``_beyond_usual`` of the days asked for."""
        return {}

    @cached_property
    def _local_hours(self) -> NDArray[np.int64]:
        """The local hour of the day of every hour."""
        zone = self.profile.versions[0].zone()
        hours = range(self.level_c.shape[1])
        local = [(self.window.start + at * HOUR).astimezone(zone).hour for at in hours]
        return np.array(local, np.int64)

    def _unowed(self, at: datetime, hour: int, recent: Floats) -> dict[str, HoldReason]:
        if hour < 0 or not self._any_unowed[hour]:
            return {}
        below = recent < self.policy(at).threshold_c
        since, index = at - RULES.counts_for, self.network.index
        for code, calls in _within(self.complaints, at).items():
            below[index[code]] |= calls[-1] > since
        return owed.held(self.network, self._reasons_by_hour[hour], below)

    @cached_property
    def _any_unowed(self) -> NDArray[np.bool_]:
        """Hours at which some dwelling is owed no heat, (hours,)."""
        return np.asarray((self.reasons != 0).any(axis=0))

    @cached_property
    def _reasons_by_hour(self) -> owed.Reasons:
        """``reasons`` hour by hour, (hours, dwellings)."""
        return np.ascontiguousarray(self.reasons.T)

    def _hour(self, at: datetime) -> int:
        """The last whole hour of the window that ended at or before an instant; -1 for none."""
        last = int(self.level_c.shape[1]) - 1
        return min(int((at - self.window.start) // HOUR) - 1, last)

    def _recent(self, hour: int) -> Floats:
        """The last known level of every dwelling within FRESH_HOURS, (dwellings,)."""
        recent: Floats = self._last_levels[max(hour, -1) + 1]
        return recent

    @cached_property
    def _last_levels(self) -> Floats:
        """``_recent`` before the first hour and after each, (1 + hours, dwellings)."""
        levels = np.full((self.level_c.shape[1] + 1, self.level_c.shape[0]), np.nan)
        for back in range(min(FRESH_HOURS, self.level_c.shape[1]) - 1, -1, -1):
            fresh = self.level_c.T[: self.level_c.shape[1] - back]
            np.copyto(levels[1 + back :], fresh, where=~np.isnan(fresh))
        return levels

    def _levels(self, at: datetime, recent: Floats) -> dict[str, float]:
        known = ~np.isnan(recent)
        levels = dict(zip(self._codes[known].tolist(), recent[known].tolist(), strict=True))
        for code in self.network.unheated(at):
            levels.pop(code, None)
        return levels

    @cached_property
    def _codes(self) -> NDArray[np.object_]:
        """The codes of all dwellings, (dwellings,)."""
        return np.array([d.code for d in self.network.dwellings], object)

    def _cold(self, at: datetime) -> dict[str, ColdDwelling]:
        return {
            self.network.dwellings[e.unit].code: ColdDwelling(e.began_at, e.opened_at, e.min_c)
            for e in self.excursions
            if e.holds(at)
        }

    def _suspect(self, hour: int, at: datetime) -> frozenset[str]:
        """Whose sensors are doubted; of those that read warm only who is in an episode still."""
        if hour < 0 or not self._any_suspect[hour]:
            return frozenset()
        doubted, warm = self.suspect[:, hour], self.reads_warm[:, hour]
        found = frozenset(self._codes[doubted & ~warm].tolist())
        if not (doubted & warm).any():
            return found
        return found.union(self._cold(at).keys() & set(self._codes[doubted & warm].tolist()))

    @cached_property
    def _any_suspect(self) -> NDArray[np.bool_]:
        """Hours at which nothing but doubted sensors tells of some dwelling, (hours,)."""
        return np.asarray(self.suspect.any(axis=0))

    def _flows(self, at: datetime) -> dict[str, float]:
        flows = {}
        for station, means in zip(self.stations, self._flow_means, strict=True):
            slot = max(0, min(int((at - station.start) // SLOT), len(means) - 1))
            told = zip(station.places[1:], means[slot].tolist(), strict=True)
            flows.update({place: round(flow, 2) for place, flow in told if not isnan(flow)})
        return flows

    @cached_property
    def _flow_means(self) -> list[Floats]:
        """Of each station, what its branches' meters read before each slot, (1 + slots, rows)."""
        found = []
        for station in self.stations:
            flow = station.flow_m3h[1:]
            before = np.full((len(flow), FLOW_SLOTS), np.nan)
            recent = np.lib.stride_tricks.sliding_window_view(
                np.concatenate([before, flow], axis=1), FLOW_SLOTS, axis=1
            )
            known = ~np.isnan(recent)
            total = np.where(known, recent, 0.0).sum(axis=2)
            with np.errstate(invalid="ignore"):
                found.append((total / known.sum(axis=2)).T)
        return found


def _within(complaints: Sequence[Complaint], at: datetime) -> dict[str, list[datetime]]:
    """The calls of each dwelling within the time in which they repeat, up to an instant."""
    if not complaints:
        return {}
    first, last = (
        bisect_right(complaints, instant, key=lambda call: call.at)
        for instant in (at - RULES.repeat_within, at)
    )
    calls: dict[str, list[datetime]] = {}
    for call in complaints[first:last]:
        calls.setdefault(call.place, []).append(call.at)
    return calls


def policy_at(profile: Profile, at: datetime) -> Policy:
    """The version that binds at an instant, by its local day."""
    zone = profile.versions[0].zone()
    return profile.on(at.astimezone(zone).date())
