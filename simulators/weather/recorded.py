"""Measured weather in memory, whichever file it came from.

A record holds two courses over the hours since its first midnight: the air at the instants at
which it was read, and the sun at the instants for which radiation stands (the middle of the hour
where a file gives sums of hours). A record of a year repeats; of any other, a shorter, length the
first and the last day do, for the hours before and after it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LONGEST_GAP_H = 6.0
HUMIDITY_PCT, WIND_MS = 70.0, 3.0
"""What is taken where a file holds no humidity or no wind at all."""


class FileError(ValueError):
    """A weather file cannot be used; ``sentences`` says everything that is wrong with it."""

    def __init__(self, sentences: list[str]) -> None:
        self.sentences = tuple(sentences)
        super().__init__("; ".join(sentences))


@dataclass(frozen=True)
class Course:
    """Points in ascending hours with a value of several quantities each, joined straight."""

    hours: list[float]
    values: list[tuple[float, ...]]

    @classmethod
    def of(cls, hours: Array, *columns: Array) -> Course:
        """From one array a quantity."""
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return cls(hours.tolist(), list(rows))

    def at(self, hour: float) -> tuple[float, ...]:
        """The quantities at an hour; held beyond the ends."""
        after = bisect_right(self.hours, hour)
        if after == 0 or after == len(self.hours):
            return self.values[min(after, len(self.hours) - 1)]
        start, end = self.hours[after - 1], self.hours[after]
        share = (hour - start) / (end - start)
        pairs = zip(self.values[after - 1], self.values[after], strict=True)
        return tuple(one + (other - one) * share for one, other in pairs)


@dataclass(frozen=True)
class Record:
    """A file's weather.

    ``air`` holds outdoor °C, wind m/s and humidity %; ``sun`` global and south W/m². ``days``
    gives for each day of the record its day of the year; ``year_h`` is the length after which the
    record repeats, or None; ``ends_h`` its last hour.
    """

    name: str
    air: Course
    sun: Course
    days: tuple[int, ...]
    starts_h: float
    ends_h: float
    year_h: float | None

    def hour_of_day(self, day_of_year: int) -> float:
        """The hour at which the first such day begins.

        Raises:
            FileError: the record has no such day.
        """
        wanted = min(day_of_year, 365) if self.year_h == 8760.0 else day_of_year
        if wanted not in self.days:
            first, last = self.days[0], self.days[-1]
            says = f"{self.name}: has no day {day_of_year} of a year (it runs from day {first}"
            raise FileError([f"{says} to day {last}, {len(self.days)} days)"])
        return 24.0 * self.days.index(wanted)

    def within(self, hour: float) -> float:
        """The hour of the record that stands for any hour."""
        if self.year_h is not None:
            return hour % self.year_h
        if hour < self.starts_h:
            return hour + 24.0 * math.ceil((self.starts_h - hour) / 24.0)
        if hour > self.ends_h:
            return hour - 24.0 * math.ceil((hour - self.ends_h) / 24.0)
        return hour

    def short_of(self, day_of_year: int, history: timedelta) -> str | None:
        """What is missing for a history that begins on a day of the year, as a sentence.

        A day more is wanted than the history is long, since it may begin at any hour; the last
        row counts as an hour.
        """
        if self.year_h is not None:
            return None
        needs_h = max(history.total_seconds() / 3600.0, 24.0) + 24.0
        has_h = self.ends_h + 1.0 - self.hour_of_day(day_of_year)
        if has_h >= needs_h:
            return None
        says = f"{self.name}: ends {has_h / 24.0:.1f} days after day {day_of_year} of the year"
        return f"{says} begins; {needs_h / 24.0:.1f} days are needed"


class Filled(NamedTuple):
    """A quantity at every instant of a record, and the gaps (from, to, hours) too long to fill."""

    values: Array
    gaps: list[tuple[float, float]]


def fill(hours: Array, values: Array, step_h: float, year_h: float | None) -> Filled:
    """Fill missing values (NaN) straight from neighbour to neighbour.

    Gaps run from the last known to the next known hour; where nothing is known the whole record is
    one. Beyond the ends of a record that does not repeat, the nearest known value holds.
    """
    known = np.isfinite(values)
    if not known.any():
        return Filled(values, [(float(hours[0]) - step_h, float(hours[-1]) + step_h)])
    at, have = hours[known], values[known]
    if year_h is not None:
        at = np.concatenate([[at[-1] - year_h], at, [at[0] + year_h]])
        have = np.concatenate([[have[-1]], have, [have[0]]])
    else:
        at = np.concatenate([[min(at[0], hours[0])], at, [max(at[-1], hours[-1])]])
        have = np.concatenate([[have[0]], have, [have[-1]]])
    long = np.flatnonzero(np.diff(at) > LONGEST_GAP_H + step_h + 1e-9)
    gaps = [(float(at[index]), float(at[index + 1])) for index in long]
    return Filled(np.interp(hours, at, have), gaps)


def fill_or(hours: Array, values: Array, year_h: float | None, otherwise: float) -> Array:
    """As ``fill`` for a quantity that may be missing for any time, or altogether."""
    if not np.isfinite(values).any():
        return np.full(len(hours), otherwise)
    return fill(hours, values, 0.0, year_h).values


def read(path: Path, latitude: float, ahead_h: float) -> Record:
    """The record of a file: EPW by its suffix, otherwise a measured series.

    ``latitude`` and ``ahead_h`` (solar time minus the clock, h) are the town's; they stand in for
    a file that does not say where it was measured.

    Raises:
        FileError: it cannot be used.
    """
    from simulators.weather import epw, series_file  # they build what this module defines

    if path.suffix.lower() == ".epw":
        return epw.read(path)
    return series_file.read(path, latitude, ahead_h)
