"""A stretch of the city's past, judged: what was cold, stuck or signalled, at any instant in it.

``judge`` turns a window of matrices into a ``History``; ``History.snapshot(at)`` is what could be
seen at an instant, and ``History.instants`` are those at which something changed, so that a
backlog of days is analysed in event-time order and each ticket carries its own hour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.episodes import Excursion, Persistence, Scan, scan
from analytics.signs import SLOT, MeterSlots, Signal, read
from analytics.snapshot import ColdDwelling, Snapshot, StuckSensor
from analytics.trust import Trust
from analytics.trust import judge as judge_sensors
from analytics.window import HOUR, Floats, RoomWindow, unit_levels
from hearthline.domain.network import Network
from hearthline.domain.places import HeatingStatus
from hearthline.domain.policies import Policy, Profile

FRESH_HOURS = 3  # a level older than this is no knowledge of the present


@dataclass(frozen=True)
class History:
    """A judged window; ``level_c`` and ``suspect`` are (dwellings, hours)."""

    network: Network
    profile: Profile
    window: RoomWindow
    trust: Trust
    level_c: Floats
    suspect: NDArray[np.bool_]
    excursions: Sequence[Excursion]
    signals: Sequence[Signal]
    stations: Sequence[MeterSlots]

    def policy(self, at: datetime) -> Policy:
        """The version of the rule that binds at an instant."""
        return policy_at(self.profile, at)

    def instants(self, wait: timedelta) -> list[datetime]:
        """When something changed: cold (and one group wait later), warm, a sign, a stuck sensor."""
        changes: set[datetime] = set()
        for excursion in self.excursions:
            changes |= {excursion.opened_at, excursion.opened_at + wait}
            changes |= {excursion.closed_at} if excursion.closed_at else set()
        for signal in self.signals:
            changes |= {signal.since} | ({signal.until} if signal.until else set())
        edges = np.flatnonzero(np.diff(self.trust.stuck.astype(np.int8), axis=1).any(axis=0))
        changes |= {self.window.start + (int(hour) + 2) * HOUR for hour in edges}
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
            stuck=self._stuck(hour),
            flow_m3h=self._flows(at),
            suspect=self._suspect(hour),
            unowed=self._unowed(at, hour),
        )

    def _unowed(self, at: datetime, hour: int) -> dict[str, HeatingStatus]:
        below = self._recent(hour) < self.policy(at).threshold_c
        codes = [code for code, i in self.network.index.items() if below[i]]
        status_of = {code: self.network.status(code, at) for code in codes}
        return {code: s for code, s in status_of.items() if s is not HeatingStatus.ON}

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
        levels = self._recent(hour)
        dwellings = self.network.dwellings
        return {
            dwellings[unit].code: float(levels[unit])
            for unit in map(int, np.flatnonzero(~np.isnan(levels)))
            if self.network.status(dwellings[unit].code, at) is HeatingStatus.ON
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

    def _stuck(self, hour: int) -> list[StuckSensor]:
        if hour < 0:
            return []
        found = []
        for row in map(int, np.flatnonzero(self.trust.stuck[:, hour])):
            sensor = self.window.sensors[row]
            hours = int(self.trust.flat_hours[row, hour])
            since = self.window.start + (hour + 1 - hours) * HOUR
            found.append(
                StuckSensor(
                    device_uid=sensor.uid,
                    place=sensor.place,
                    since=since,
                    value_c=_last_known(self.window.hours.mean_c[row, : hour + 1]),
                    hours=hours,
                    peers_moved_k=float(self.trust.peers_moved_k[row, hour]),
                )
            )
        return found

    def _flows(self, at: datetime) -> dict[str, float]:
        flows = {}
        for station in self.stations:
            slot = min(int((at - station.start) // SLOT), station.flow_m3h.shape[1])
            for row, place in enumerate(station.places[1:], 1):
                recent = station.flow_m3h[row, max(0, slot - 6) : max(0, slot)]
                if len(recent) and not np.isnan(recent).all():
                    flows[place] = round(float(np.nanmean(recent)), 2)
        return flows


def judge(
    network: Network,
    profile: Profile,
    window: RoomWindow,
    stations: Sequence[MeterSlots],
    open_since: Mapping[str, datetime],
) -> History:
    """Judge a window; ``open_since`` are the dwellings in an episode when it starts."""
    trust = judge_sensors(window.hours)
    count = len(network.dwellings)
    level = unit_levels(window, trust, count)
    excursions = _excursions(network, profile, window, level, open_since)
    signals = [signal for station in stations for signal in read(station)]
    return History(
        network,
        profile,
        window,
        trust,
        level,
        _suspect_units(window, trust, count),
        excursions,
        sorted(signals, key=lambda s: (s.since, s.place)),
        stations,
    )


def policy_at(profile: Profile, at: datetime) -> Policy:
    """The version that binds at an instant, by its local day."""
    zone = profile.versions[0].zone()
    return profile.on(at.astimezone(zone).date())


def _excursions(
    network: Network,
    profile: Profile,
    window: RoomWindow,
    level: Floats,
    open_since: Mapping[str, datetime],
) -> list[Excursion]:
    if level.shape[1] == 0:
        return []
    instants = [window.start + hour * HOUR for hour in range(level.shape[1])]
    policies = _policies(profile, instants)
    rule = policies[-1]
    in_season = np.array([_in_season(p, at) for p, at in zip(policies, instants, strict=True)])
    owed = np.broadcast_to(in_season, level.shape) & ~_not_owed(network, window, level.shape)
    hours = Scan(
        window.start,
        level,
        owed,
        np.array([policy.threshold_c for policy in policies]),
        np.array([_counts(p, at) for p, at in zip(policies, instants, strict=True)]),
    )
    persistence = Persistence(
        _hours(rule.open_after),
        _hours(rule.close_after),
        _hours(rule.lapse_after),
        rule.hysteresis_k,
    )
    since = {network.index[c]: at for c, at in open_since.items() if c in network.index}
    return scan(hours, persistence, since)


def _policies(profile: Profile, instants: Sequence[datetime]) -> list[Policy]:
    by_day: dict[date, Policy] = {}
    zone = profile.versions[0].zone()
    found = []
    for at in instants:
        day = at.astimezone(zone).date()
        if day not in by_day:
            by_day[day] = profile.on(day)
        found.append(by_day[day])
    return found


def _in_season(policy: Policy, at: datetime) -> bool:
    return policy.in_season(policy.local_day(at))


def _counts(policy: Policy, at: datetime) -> bool:
    return policy.counts(at.astimezone(policy.zone()).hour)


def _hours(span: timedelta) -> int:
    return max(1, round(span / HOUR))


def _not_owed(network: Network, window: RoomWindow, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Hours in which a dwelling's heating is stopped, restricted or the dwelling vacant."""
    mask = np.zeros(shape, bool)
    for code, periods in network.statuses.items():
        unit = network.index.get(code)
        for period in periods if unit is not None else ():
            first = max(0, int((period.since - window.start) // HOUR))
            last = shape[1]
            if period.until is not None:
                last = min(last, int(-((window.start - period.until) // HOUR)))
            mask[unit, first : max(first, last)] = True
    return mask


def _suspect_units(window: RoomWindow, trust: Trust, count: int) -> NDArray[np.bool_]:
    """Dwellings none of whose sensors is of grade A, (dwellings, hours)."""
    shape = (count, trust.suspect.shape[1])
    good, any_sensor = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    np.add.at(good, window.unit, ~trust.suspect)
    np.add.at(any_sensor, window.unit, 1)
    none_good: NDArray[np.bool_] = (good == 0) & (any_sensor > 0)
    return none_good


def _last_known(series: Floats) -> float:
    known = series[~np.isnan(series)]
    return float(known[-1]) if len(known) else float("nan")
