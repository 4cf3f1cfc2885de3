"""Spells in which something is silent: outages of gateways, devices that nobody hears.

At most one spell of a key begins in a day. Where and when is a hash of the key and the day, so
any spell can be looked up at any time. Seconds are from the anchor.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators import rand

AnyInts = NDArray[np.integer[Any]]
Ints = NDArray[np.int_]
Flags = NDArray[np.bool_]

DAY_S = 86400
NEVER_S = 1 << 60
"""Where a spell begins and ends that does not take place."""


@dataclass(frozen=True, slots=True)
class Spells:
    """On a ``share`` of days, ``length_s`` (at most, where it ``varies``) of silence."""

    seed: int
    stream: str
    share: float
    length_s: int
    varies: bool = False

    @property
    def reach_days(self) -> int:
        """How many days before an instant a spell that covers it may have begun."""
        return self.length_s // DAY_S + 1

    @property
    def reach_s(self) -> int:
        """How long anything is held back at most; 0 where nothing ever is."""
        return self.length_s if self.share else 0

    def of_day(self, keys: AnyInts, day: int) -> tuple[Ints, Ints]:
        """The first second of each key's spell that begins on a day, and the first after it."""
        strikes = rand.happens(self.share, self.seed, self.stream, keys, day)
        start = (day + rand.uniform(self.seed, f"{self.stream}-at", keys, day)) * DAY_S
        length: float | NDArray[np.float64] = self.length_s
        if self.varies:
            length = length * rand.uniform(self.seed, f"{self.stream}-long", keys, day)
        begins, ends = np.ceil(start).astype(int), np.ceil(start + length).astype(int)
        return np.where(strikes, begins, NEVER_S), np.where(strikes, ends, NEVER_S)


@dataclass(slots=True)
class Calendar:
    """The spells of some ``keys``, which are then known by their position.

    Days are drawn when they are first asked for, and those asked for together are kept.
    """

    spells: Spells
    keys: AnyInts
    _first_day: int = field(init=False, default=0)
    _starts: Ints = field(init=False)
    _ends: Ints = field(init=False)

    def __post_init__(self) -> None:
        self._starts = self._ends = np.zeros((0, len(self.keys)), dtype=int)

    def of_day(self, at: AnyInts, day: Ints) -> tuple[Ints, Ints]:
        """Start and end of the spell that begins on each of the days, ``NEVER_S`` if none does."""
        if not len(day):
            return day, day
        self._open(int(day.min()), int(day.max()))
        row = day - self._first_day
        return self._starts[row, at], self._ends[row, at]

    def _open(self, first: int, last: int) -> None:
        """Make sure that the days from ``first`` to ``last`` are drawn; forget what is too old."""
        known = range(self._first_day, self._first_day + len(self._starts))
        if first in known and last in known:
            return
        wanted = range(first - self.spells.reach_days - 1, last + self.spells.reach_days + 1)
        drawn = [
            (self._starts[day - known.start], self._ends[day - known.start])
            if day in known
            else self.spells.of_day(self.keys, day)
            for day in wanted
        ]
        self._first_day = wanted.start
        self._starts = np.stack([starts for starts, _ in drawn])
        self._ends = np.stack([ends for _, ends in drawn])

    def end_of(self, at: AnyInts, at_s: Ints) -> Ints:
        """Each instant, or the end of the spell (or of the chain of them) that covers it."""
        if not self.spells.share:
            return at_s
        for back in range(self.spells.reach_days, -1, -1):
            start, end = self.of_day(at, at_s // DAY_S - back)
            at_s = np.where((at_s >= start) & (at_s < end), end, at_s)
        return at_s
