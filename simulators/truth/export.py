"""Truth files: what was really so, beside what the instruments published.

Four tables: ``rooms`` (hourly true temperatures with and without faults), ``days`` (what each
dwelling got on each day of the scenario's time zone), ``faults`` (what went wrong where, and whom
it truly made cold) and ``calls`` (which households phoned, which is no truth but was said). As
``.npz`` they are plain arrays that load with ``allow_pickle=False``; as ``.parquet`` four files
beside each other. Hours are written as they come and never held, and
the files appear under their names only when they are complete.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Protocol, Self
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from hearthline.domain.complaints import Complaint
from simulators.calls import Households
from simulators.city import City
from simulators.truth.survey import (
    NOTHING,
    Blame,
    Hour,
    Progress,
    survey,
    utc_anchor,
    whole_hours,
)

Array = NDArray[np.float32]


class ExportError(ValueError):
    """A truth file cannot be written; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Day:
    """The truth of one day, [units]: how many of its hours were simulated, and what they held.

    ``below_min`` are minutes below the standard, ``fault`` the index of the fault that made the
    dwelling cold for most hours of the day, or −1.
    """

    date: date
    hours: int
    mean_c: Array
    min_c: Array
    below_min: Array
    fault: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Frame:
    """What a writer must know before the first hour."""

    city: City
    anchor: datetime
    hours: int
    days: int

    @classmethod
    def of(cls, city: City, anchor: datetime, length: timedelta | None) -> Frame:
        """Sizes of a run; the length defaults to the scenario's history."""
        start, hours = utc_anchor(anchor), whole_hours(city, length)
        zone = ZoneInfo(city.scenario.timezone)
        first = start.astimezone(zone).date()
        last = (start + timedelta(hours=hours - 1)).astimezone(zone).date()
        return cls(city, start, hours, (last - first).days + 1)


class Shelf(Protocol):
    """Where tables are put, in one file format; complete only after ``finish``."""

    def rooms(self, hour: Hour) -> None:
        """Take one hour."""
        ...

    def day(self, day: Day) -> None:
        """Take one day."""
        ...

    def calls(self, calls: Sequence[Complaint]) -> None:
        """Take who phoned in one hour."""
        ...

    def finish(self, cold_units: dict[int, NDArray[np.intp]]) -> list[Path]:
        """Take the faults with the dwellings each made cold; the files that are now there."""
        ...

    def discard(self) -> None:
        """Leave nothing behind."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """What was written. Dwelling-days count those with a minute or more below the standard."""

    files: tuple[Path, ...]
    hours: int
    days: int
    dwellings: int
    faults: int
    calls: int
    cold_dwelling_days: int
    cold_by_fault_dwelling_days: int

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        names = self.__slots__
        return {name: getattr(self, name) for name in names} | {
            "files": [str(path) for path in self.files]
        }


class _OpenDay:
    """A day being added up."""

    def __init__(self, when: date, units: int) -> None:
        self.date = when
        self._hours = 0
        self._total = np.zeros(units, np.float64)
        self._lowest = np.full(units, np.inf, np.float32)
        self._below = np.zeros(units, np.float32)
        self._blamed: dict[int, dict[int, int]] = {}

    def add(self, hour: Hour, blamed: Iterator[tuple[int, NDArray[np.intp]]]) -> None:
        self._hours += 1
        self._total += hour.room_c
        np.minimum(self._lowest, hour.lowest_c, out=self._lowest)
        self._below += hour.below_min
        for fault, units in blamed:
            for unit in units.tolist():
                tally = self._blamed.setdefault(unit, {})
                tally[fault] = tally.get(fault, 0) + 1

    def closed(self) -> Day:
        fault = np.full(len(self._total), NOTHING, np.int32)
        for unit, tally in self._blamed.items():
            fault[unit] = max(tally, key=lambda one: (tally[one], -one))
        mean = np.round(self._total / self._hours, 3).astype(np.float32)
        return Day(self.date, self._hours, mean, self._lowest, self._below, fault)


class TruthWriter:
    """Takes the hours of a survey in order and writes the files; a context manager.

    Files appear with ``finish``; leaving before it leaves none.

    Raises:
        ExportError: the file's ending is neither .npz nor .parquet, or a package is missing.
    """

    def __init__(
        self, city: City, anchor: datetime, length: timedelta | None, path: str | Path
    ) -> None:
        self._frame = Frame.of(city, anchor, length)
        self._zone = ZoneInfo(city.scenario.timezone)
        self._blame = Blame(city)
        self._shelf = _shelf(self._frame, Path(path))
        self._day: _OpenDay | None = None
        self._households = Households.of(city)
        self._cold = self._caused = self._hours = self._calls = 0
        self.written: Written | None = None

    def take(self, hour: Hour) -> None:
        """One more hour."""
        when = hour.starts_at.astimezone(self._zone).date()
        if self._day is None or self._day.date != when:
            self._close_day()
            self._day = _OpenDay(when, len(hour.room_c))
        self._day.add(hour, self._blame.of(hour))
        self._shelf.rooms(hour)
        calls = self._households.hear(hour.starts_at, hour.room_c)
        self._shelf.calls(calls)
        self._calls += len(calls)
        self._hours += 1

    def _close_day(self) -> None:
        if self._day is None:
            return
        day = self._day.closed()
        self._shelf.day(day)
        self._cold += int(np.count_nonzero(day.below_min))
        self._caused += int(np.count_nonzero(day.fault != NOTHING))

    def finish(self) -> Written:
        """Close the last day and give the files their names.

        Raises:
            ExportError: not every hour was shown.
        """
        if self._hours != self._frame.hours:
            raise ExportError(f"{self._hours} of {self._frame.hours} hours were shown")
        self._close_day()
        files = self._shelf.finish(self._blame.cold_units())
        city = self._frame.city
        self.written = Written(
            files=tuple(files),
            hours=self._frame.hours,
            days=self._frame.days,
            dwellings=city.layout.units,
            faults=len(city.faults),
            calls=self._calls,
            cold_dwelling_days=self._cold,
            cold_by_fault_dwelling_days=self._caused,
        )
        return self.written

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self.written is None:
            self._shelf.discard()


def write(
    city: City,
    anchor: datetime,
    length: timedelta | None,
    path: str | Path,
    progress: Progress | None = None,
) -> Written:
    """Simulate a city and its twin and write their truth; memory holds one hour and one day.

    Args:
        city: what ``build`` made.
        anchor: the instant at which the history begins, aware.
        length: how much, by whole hours; None takes the scenario's history.
        path: ``….npz`` or ``….parquet``.
        progress: called after every hour.

    Raises:
        ExportError: the ending is another, or pyarrow is not installed.
        ValueError: the anchor has no time zone, or the length holds no hour.
    """
    with TruthWriter(city, anchor, length, path) as writer:
        for hour in survey(city, anchor, length, progress):
            writer.take(hour)
        return writer.finish()


def check_path(path: str | Path) -> Path:
    """The path, if a truth file can be written there.

    Raises:
        ExportError: the ending is another, the folder is missing, or pyarrow is not installed.
    """
    target = Path(path)
    if target.suffix not in {".npz", ".parquet"}:
        raise ExportError(f"a truth file ends in .npz or .parquet, got {target.name!r}")
    if not target.parent.is_dir():
        raise ExportError(f"there is no folder {target.parent}; make it first")
    if target.suffix == ".parquet":
        _require_pyarrow()
    return target


def _require_pyarrow() -> None:
    try:
        import_module("pyarrow")
    except ImportError:
        raise ExportError(
            "parquet needs pyarrow, which is not installed; "
            "run `pip install 'hearthline[simulator]'`, or name a file that ends in .npz"
        ) from None


def _shelf(frame: Frame, path: Path) -> Shelf:
    target = check_path(path)
    if target.suffix == ".npz":
        from simulators.truth.npz import NpzShelf

        return NpzShelf(frame, target)
    from simulators.truth.parquet import ParquetShelf

    return ParquetShelf(frame, target)
