"""From a window of matrices to a judged stretch of the past: who was cold, what meters said.

Several networks are judged together: each by itself, but hour after hour for all of them at once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from analytics import owed
from analytics.episodes import Excursion, Persistence, Scan, scan
from analytics.history import History, policy_at
from analytics.localise.offsets import Offsets, Past, offsets
from analytics.localise.tree import Tree
from analytics.observed import Observed
from analytics.plants import signals
from analytics.robust import summed
from analytics.signs import Signal
from analytics.trust import Trust
from analytics.window import HOUR, Floats, RoomWindow, unit_levels
from hearthline.domain.complaints import Complaint
from hearthline.domain.maintenance import Window
from hearthline.domain.network import Network
from hearthline.domain.places import PlaceKind
from hearthline.domain.policies import Policy, Profile


@dataclass(frozen=True)
class Around:
    """What people have put on file: maintenance ``windows``, and in ``wrong_by_k``,
    (sensors, hours), what certified readings take off each sensor; ``complaints`` by phone.
    """

    windows: Sequence[Window] = ()
    wrong_by_k: Floats | float = 0.0
    complaints: Sequence[Complaint] = ()


NOTHING_AROUND = Around()


@dataclass(frozen=True)
class Case:
    """A window of a network whose sensors have been graded.

    ``open_since`` are the dwellings in an episode when it starts.
    """

    observed: Observed
    open_since: Mapping[str, datetime]
    trust: Trust
    around: Around = NOTHING_AROUND


def judge(cases: Sequence[Case], profile: Profile) -> list[History]:
    """Judge windows of several networks; what is done hour by hour is done for all at once."""
    looks = [_Look.at(case) for case in cases]
    told = [
        owed.heeded(one, profile, case.around.windows, case.observed.network.path_of)
        for one, case in zip(signals([case.observed for case in cases]), cases, strict=True)
    ]
    found: dict[int, History] = {}
    for start, hours in {(look.start, look.hours) for look in looks}:
        those = [n for n, look in enumerate(looks) if (look.start, look.hours) == (start, hours)]
        policies = owed.policies_by_hour(profile, start, hours)
        calendar = _Calendar(policies, start)
        days = calendar.days()
        reasons = [looks[n].reasons(policies) for n in those]
        spells = _excursions(calendar, [looks[n] for n in those], reasons)
        for n, why, cold in zip(those, reasons, spells, strict=True):
            past = Past(cases[n].observed.past_c, calendar.floor_c)
            off = _offsets(cases[n].observed.network, looks[n].level_c, why, days, past)
            found[n] = looks[n].history(profile, why, cold, told[n], off)
    return [found[n] for n in range(len(cases))]


@dataclass(frozen=True)
class _Look:
    """A case with the levels that are believed, (dwellings, hours), and the weather, (hours,)."""

    case: Case
    level_c: Floats
    outdoor_c: Floats

    @classmethod
    def at(cls, case: Case) -> _Look:
        observed, window = case.observed, case.observed.rooms
        count = len(observed.network.dwellings)
        level = unit_levels(window, case.trust, count, case.around.wrong_by_k)
        return cls(case, level, observed.weather.outdoors(window.start, level.shape[1]))

    @property
    def start(self) -> datetime:
        return self.case.observed.rooms.start

    @property
    def hours(self) -> int:
        return int(self.level_c.shape[1])

    def reasons(self, policies: Sequence[Policy]) -> owed.Reasons:
        network, windows = self.case.observed.network, self.case.around.windows
        return owed.reasons(network, policies, windows, owed.day_means(self.outdoor_c), self.start)

    def open_since(self) -> dict[int, datetime]:
        index = self.case.observed.network.index
        return {index[c]: at for c, at in self.case.open_since.items() if c in index}

    def history(
        self,
        profile: Profile,
        reasons: owed.Reasons,
        excursions: Sequence[Excursion],
        told: Sequence[Signal],
        found: Offsets,
    ) -> History:
        observed, trust = self.case.observed, self.case.trust
        network = observed.network
        count, rooms = len(network.dwellings), observed.rooms
        standard_c = policy_at(profile, rooms.until).threshold_c
        told_by = [c for c in self.case.around.complaints if c.place in network.index]
        complaints = sorted(told_by, key=lambda c: c.at)
        due = owed.due_on(profile, (c.at for c in complaints))
        return History(
            network,
            profile,
            rooms,
            trust,
            self.level_c,
            _none_of(~trust.suspect, rooms, count),
            _any_of(trust.maybe_low & (rooms.hours.mean_c >= standard_c), rooms, count),
            reasons,
            excursions,
            told,
            observed.stations,
            found,
            Tree.of(network),
            self.outdoor_c,
            complaints,
            [c for c, counts in zip(complaints, due, strict=True) if counts],
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
    days: NDArray[np.int64],
    past: Past,
) -> Offsets:
    """How far dwellings lie off their circuits' heated ones, hour by hour."""
    heated = np.asarray((reasons == 0).any(axis=1)) | (level.shape[1] == 0)
    above = zip(
        network.ancestors(PlaceKind.CIRCUIT), network.ancestors(PlaceKind.SUBSTATION), strict=True
    )
    circuits = [circuit or substation or "" for circuit, substation in above]
    number = {code: at for at, code in enumerate(sorted(set(circuits)))}
    group = np.array([number[code] for code in circuits], np.int64)
    shown = np.where(reasons == 0, level, np.nan)
    return offsets(shown, heated, group, days, past)


def _excursions(
    calendar: _Calendar, looks: Sequence[_Look], reasons: Sequence[owed.Reasons]
) -> list[list[Excursion]]:
    """When dwellings were below the standard for long enough, while heat was owed."""
    policies, start = calendar.policies, calendar.start
    if not policies:
        return [[] for _ in looks]
    first = np.cumsum([0, *(len(look.level_c) for look in looks)]).tolist()
    hours = Scan(
        start,
        np.concatenate([look.level_c for look in looks]),
        np.concatenate(reasons) == 0,
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
    open_since = {
        row + unit: at
        for row, look in zip(first, looks, strict=False)
        for unit, at in look.open_since().items()
    }
    found: list[list[Excursion]] = [[] for _ in looks]
    for one in scan(hours, persistence, open_since):
        number = bisect_right(first, one.unit) - 1
        found[number].append(replace(one, unit=one.unit - first[number]))
    return found


def _counts(policy: Policy, at: datetime) -> bool:
    return policy.counts(at.astimezone(policy.zone()).hour)


def _hours(span: timedelta) -> int:
    return max(1, round(span / HOUR))


def _none_of(sensors: NDArray[np.bool_], window: RoomWindow, count: int) -> NDArray[np.bool_]:
    """Dwellings with sensors of which none is one of some, (dwellings, hours)."""
    any_sensor = np.zeros(count, bool)
    any_sensor[window.unit] = True
    return ~_any_of(sensors, window, count) & any_sensor[:, None]


def _any_of(sensors: NDArray[np.bool_], window: RoomWindow, count: int) -> NDArray[np.bool_]:
    """Dwellings of whose sensors any is one of some, (dwellings, hours)."""
    return np.asarray(summed(sensors, window.unit, count) > 0)
