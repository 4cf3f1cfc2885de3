"""When is a dwelling cold, or overheated: persistence, hysteresis and gaps over hourly means.

An excursion *opens* at the end of the hour that completes ``open_after`` of counted hours below
the standard, and *closes* at the end of the hour that completes ``close_after`` at or above the
standard plus the hysteresis. Hours without readings are neither cold nor warm: they stop nothing
and prove nothing, until ``lapse_after`` of them end an open excursion for want of knowledge.
Hours that do not count (excluded clock hours) are passed over; hours in which heat is not owed
(out of season, heating stopped, maintenance) end an excursion, and the persistence counts from
scratch after them.

*Cold* and *overheated* are one scan: above an upper limit is below it with every sign turned.

Flapping: an excursion is held open until ``close_after`` hours in a row were warm, so a room that
swings about the standard is one episode; what is stored has at most one open per dwelling and
kind, and ``reconcile`` carries an open one on as long as anything overlaps it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

HOUR = timedelta(hours=1)
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class EpisodeKind(StrEnum):
    """What a dwelling is, as long as an episode lasts."""

    COLD = "cold"  # below the policy's standard
    OVERHEATED = "overheated"  # above its upper limit

    @property
    def sign(self) -> float:
        """What turns *above an upper limit* into *below a standard*."""
        return -1.0 if self is EpisodeKind.OVERHEATED else 1.0


class CloseReason(StrEnum):
    """Why an episode ended."""

    WARM_AGAIN = "warm_again"
    NO_READINGS = "no_readings"
    NOT_OWED = "not_owed"
    REVISED = "revised"  # late readings showed that it never was


@dataclass(frozen=True, slots=True)
class Persistence:
    """How long is long enough, in whole hours; temperatures in K."""

    open_hours: int
    close_hours: int
    lapse_hours: int
    hysteresis_k: float


@dataclass(frozen=True, slots=True)
class Excursion:
    """One stretch beyond the limit of the dwelling at row ``unit``; instants are hour ends.

    ``min_c`` is its furthest hour: the coldest, or of an overheated dwelling the hottest.
    """

    unit: int
    began_at: datetime
    opened_at: datetime
    min_c: float
    closed_at: datetime | None = None
    reason: CloseReason | None = None
    kind: EpisodeKind = EpisodeKind.COLD

    def holds(self, at: datetime) -> bool:
        """Whether it is open at an instant."""
        return self.opened_at <= at and (self.closed_at is None or at < self.closed_at)


@dataclass(frozen=True, slots=True)
class Scan:
    """The hours to judge.

    ``mean_c`` is (dwellings, hours), NaN where nothing was measured; ``owed`` the same shape;
    ``threshold_c`` (the standard, or for overheated dwellings the upper limit; NaN where there
    is none) and ``counts`` are per hour; ``start`` is the start of hour 0.
    """

    start: datetime
    mean_c: Floats
    owed: Bools
    threshold_c: Floats
    counts: Bools
    kind: EpisodeKind = EpisodeKind.COLD


def scan(hours: Scan, rule: Persistence, open_since: Mapping[int, datetime]) -> list[Excursion]:
    """All excursions in a window, by the time they opened.

    ``open_since`` gives, for rows that are in an episode when the window starts, since when.
    Cost: O(hours) steps of vector work over the dwellings.
    """
    walk = _Walk(hours, rule, open_since)
    for hour in range(hours.mean_c.shape[1]):
        walk.step(hour)
    return walk.finish()


class _Walk:
    """The state of one scan; arrays are per dwelling, counters in hours."""

    def __init__(self, hours: Scan, rule: Persistence, open_since: Mapping[int, datetime]) -> None:
        count = hours.mean_c.shape[0]
        self.hours, self.rule = hours, rule
        self.sign = hours.kind.sign
        self.below = np.zeros(count, np.int64)
        self.warm = np.zeros(count, np.int64)
        self.gap = np.zeros(count, np.int64)
        self.began = np.zeros(count, np.int64)
        self.opened = np.zeros(count, np.int64)
        self.min_c = np.full(count, np.inf)
        self.is_open = np.zeros(count, bool)
        self.before = dict(open_since)
        self.is_open[list(open_since)] = True
        self.done: list[Excursion] = []

    def step(self, hour: int) -> None:
        hours, rule = self.hours, self.rule
        value, limit = self.sign * hours.mean_c[:, hour], self.sign * hours.threshold_c[hour]
        self._close(self.is_open & ~hours.owed[:, hour], hour, CloseReason.NOT_OWED)
        self.below[~hours.owed[:, hour]] = 0
        if not hours.counts[hour]:
            return
        known = ~np.isnan(value) & hours.owed[:, hour]
        cold = known & (value < limit)
        self.gap = np.where(known, 0, self.gap + 1)
        self.began = np.where(cold & (self.below == 0) & ~self.is_open, hour, self.began)
        self.below = np.where(known, np.where(cold, self.below + 1, 0), self.below)
        self.below[(self.gap >= rule.open_hours) & ~self.is_open] = 0
        self.min_c = np.where(cold & (self.below == 1) & ~self.is_open, np.inf, self.min_c)
        self.min_c = np.where(cold, np.minimum(self.min_c, value), self.min_c)
        warm = known & (value >= limit + rule.hysteresis_k)
        self.warm = np.where(known, np.where(warm, self.warm + 1, 0), self.warm)
        opening = ~self.is_open & (self.below >= rule.open_hours)
        self.opened = np.where(opening, hour + 1, self.opened)
        self.is_open |= opening
        self.warm[opening] = 0
        self._close(self.is_open & (self.warm >= rule.close_hours), hour, CloseReason.WARM_AGAIN)
        self._close(self.is_open & (self.gap >= rule.lapse_hours), hour, CloseReason.NO_READINGS)

    def _close(self, which: Bools, hour: int, reason: CloseReason) -> None:
        for unit in np.flatnonzero(which):
            self.done.append(self._excursion(int(unit), self._at(hour + 1), reason))
            self.min_c[unit] = np.inf
        self.is_open[which] = False
        self.below[which] = 0

    def finish(self) -> list[Excursion]:
        still = [self._excursion(int(unit), None, None) for unit in np.flatnonzero(self.is_open)]
        return sorted([*self.done, *still], key=lambda e: (e.opened_at, e.unit))

    def _excursion(
        self, unit: int, closed_at: datetime | None, reason: CloseReason | None
    ) -> Excursion:
        since = self.before.pop(unit, None)
        began = since or self._at(int(self.began[unit]))
        opened = since or self._at(int(self.opened[unit]))
        furthest = self.sign * float(self.min_c[unit])
        return Excursion(unit, began, opened, furthest, closed_at, reason, self.hours.kind)

    def _at(self, hour: int) -> datetime:
        return self.hours.start + hour * HOUR


@dataclass(frozen=True, slots=True)
class Known:
    """An episode as it is stored."""

    id: int
    unit: int
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What must be written so that the stored episodes say what the scan says."""

    new: tuple[Excursion, ...]
    closed: tuple[tuple[int, Excursion], ...]
    revoked: tuple[Known, ...]


def reconcile(found: Sequence[Excursion], stored: Sequence[Known]) -> Changes:
    """Match excursions with stored episodes of the same dwelling by overlap in time.

    An open stored episode meets the first excursion that overlaps it and ends with it: a later
    excursion is another episode. One that nothing overlaps is revoked, because late readings undid
    it. A closed one stays as it was decided.
    """
    known: dict[int, dict[int, Known]] = {}
    for episode in stored:
        known.setdefault(episode.unit, {})[episode.id] = episode
    new: list[Excursion] = []
    closed: list[tuple[int, Excursion]] = []
    met: set[int] = set()
    for excursion in sorted(found, key=lambda e: e.opened_at):
        here = known.get(excursion.unit, {})
        same = [k for k in here.values() if _overlap(excursion, k)]
        met.update(k.id for k in same)
        if not same:
            new.append(excursion)
        elif excursion.closed_at is not None:
            ending = [k for k in same if k.closed_at is None]
            closed += [(k.id, excursion) for k in ending]
            here.update({k.id: replace(k, closed_at=excursion.closed_at) for k in ending})
    revoked = tuple(k for k in stored if k.closed_at is None and k.id not in met)
    return Changes(tuple(new), tuple(closed), revoked)


def _overlap(excursion: Excursion, known: Known) -> bool:
    ends_after = excursion.closed_at is None or known.opened_at < excursion.closed_at
    begins_before = known.closed_at is None or excursion.began_at < known.closed_at
    return ends_after and begins_before
