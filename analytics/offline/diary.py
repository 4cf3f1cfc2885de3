"""What was believed, hour by hour, and the ledger's word on every day of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from analytics import owed
from analytics.history import History
from analytics.laying import PAST_DAYS
from analytics.verdicts import DayHours, UnitDay, judge_day
from analytics.window import HOUR
from hearthline.domain.network import Network
from hearthline.domain.policies import HoldReason, Policy, Profile

Floats = NDArray[np.float64]


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


@dataclass
class Diary:
    """What was believed, hour by hour: (dwellings, hours) from ``start``; what the ledger reads."""

    start: datetime
    level_c: Floats
    covered_min: Floats
    heard_min: Floats

    @classmethod
    def of(cls, start: datetime, until: datetime, dwellings: int) -> Diary:
        """An empty one from a whole hour on."""
        shape = (dwellings, max(0, int((until - start) / HOUR)))
        return cls(start, np.full(shape, np.nan), np.zeros(shape), np.zeros(shape))

    def take(self, history: History, units: slice) -> None:
        """The hours of some dwellings' judged window, over what was believed of them before."""
        window = history.window
        first = int((window.start - self.start) / HOUR)
        hours = history.level_c.shape[1]
        skip = max(0, -first)
        part = slice(first + skip, first + hours)
        heard = np.zeros(history.level_c.shape)
        np.maximum.at(heard, window.unit, window.covered_min)
        level = history.level_c[:, skip:]
        self.level_c[units, part] = level
        self.heard_min[units, part] = heard[:, skip:]
        self.covered_min[units, part] = np.where(np.isnan(level), 0.0, heard[:, skip:])

    def past(self, units: slice, profile: Profile, before: datetime) -> Floats:
        """Daily means of the civil days that end by an instant, (dwellings, PAST_DAYS)."""
        past = np.full((units.stop - units.start, PAST_DAYS), np.nan)
        policy = profile.on(profile.versions[-1].local_day(before))
        today = policy.local_day(before)
        for back in range(1, PAST_DAYS + 1):
            hours = self._hours_of(today - timedelta(days=back), policy)
            covered = self.covered_min[units, hours]
            total = covered.sum(axis=1)
            with np.errstate(invalid="ignore"):
                mean = (np.nan_to_num(self.level_c[units, hours]) * covered).sum(axis=1) / total
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
