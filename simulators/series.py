"""Measured series in files: comma CSV with a named time zone, or tab-separated Unix seconds.

Two shapes are read: a header ``t_UTC+2,T,RH`` (rooms) or ``t_UTC+2,Te,RHe,…`` (weather), with the
offset of local time in the column's name; and headerless ``Unix seconds<TAB>value``. A row that
cannot be read is noted with its line number and the reason; nothing is dropped in silence.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from hearthline.domain.places import DeviceKind

_TIME_COLUMN = re.compile(r"^t_UTC([+-]\d{1,2})?(?::?(\d{2}))?$")
_ROOM = {"T": "temperature_c", "RH": "humidity_pct"}
_WEATHER = {"Te": "outdoor_c", "RHe": "humidity_pct", "Rglob": "solar_wm2", "ws": "wind_ms"}
_OUTDOORS = re.compile(r"outdoor|fmi|weather", re.IGNORECASE)
_NOTED = 1000
"""Bad rows kept one by one; beyond that they are only counted."""


class RowProblem(StrEnum):
    """Why a row was not published."""

    WRONG_WIDTH = "wrong_width"
    BAD_TIME = "bad_time"
    NOT_A_NUMBER = "not_a_number"
    NO_VALUE = "no_value"
    REPEATED_TIME = "repeated_time"


class SeriesError(ValueError):
    """A file is no series that can be read; the text says why."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not published."""

    file: str
    line: int
    problem: RowProblem
    text: str


@dataclass(slots=True)
class Rows:
    """What was read: rows in all, good ones, and bad ones by reason."""

    rows: int = 0
    good: int = 0
    bad: Counter[RowProblem] = field(default_factory=Counter)
    noted: list[BadRow] = field(default_factory=list)

    def refuse(self, bad: BadRow) -> None:
        """Count a bad row and keep it while there is room."""
        self.bad[bad.problem] += 1
        if len(self.noted) < _NOTED:
            self.noted.append(bad)


class Sample(NamedTuple):
    """One measured instant: Unix seconds and quantities named like the domain's readings."""

    at_s: int
    quantities: dict[str, float]


@dataclass(frozen=True, slots=True)
class Series:
    """A file and what it holds; ``columns`` maps positions to quantities."""

    path: Path
    kind: DeviceKind
    zone: timezone | None
    columns: dict[int, str]
    separator: str
    first_line: int

    @property
    def name(self) -> str:
        """The file's name without its suffix: how its device calls itself."""
        return self.path.stem


def open_series(path: Path | str) -> Series:
    """What a file holds, from its first line.

    Raises:
        SeriesError: it cannot be opened, is empty, or has neither shape.
    """
    file = Path(path)
    try:
        with file.open(encoding="utf-8-sig") as lines:
            first = lines.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SeriesError(f"{file}: cannot be read: {error}") from error
    if "\t" in first:
        outdoors = _OUTDOORS.search(file.stem) is not None
        kind = DeviceKind.WEATHER if outdoors else DeviceKind.ROOM
        quantity = "outdoor_c" if outdoors else "temperature_c"
        return Series(file, kind, None, {1: quantity}, "\t", 1)
    header = [name.strip() for name in first.split(",")]
    match = _TIME_COLUMN.match(header[0])
    if match is None:
        wanted = "a header like 't_UTC+2,T,RH' or tab-separated Unix seconds and values"
        raise SeriesError(f"{file}: expected {wanted}, got {first[:60]!r}")
    known = _WEATHER if "Te" in header else _ROOM
    kind = DeviceKind.WEATHER if "Te" in header else DeviceKind.ROOM
    columns = {at: known[name] for at, name in enumerate(header) if name in known}
    if not {"temperature_c", "outdoor_c"} & set(columns.values()):
        raise SeriesError(f"{file}: has no temperature column (T or Te) in {first[:60]!r}")
    return Series(file, kind, _zone(match), columns, ",", 2)


def _zone(match: re.Match[str]) -> timezone:
    hours = int(match[1] or 0)
    minutes = int(match[2] or 0)
    return timezone(timedelta(hours=hours, minutes=minutes if hours >= 0 else -minutes))


def read(series: Series, rows: Rows, *, most: int | None = None) -> list[Sample]:
    """The samples of a series in order of time; the first of two at one instant counts.

    ``most`` ends reading after so many lines.
    """
    samples: dict[int, Sample] = {}
    with series.path.open(encoding="utf-8-sig", errors="replace") as lines:
        for number, line in enumerate(islice(lines, most), start=1):
            text = line.rstrip("\r\n")
            if number < series.first_line or not text.strip():
                continue
            rows.rows += 1
            found = _sample(series, text)
            if isinstance(found, Sample) and found.at_s in samples:
                found = RowProblem.REPEATED_TIME
            if isinstance(found, Sample):
                samples[found.at_s] = found
                rows.good += 1
            else:
                rows.refuse(BadRow(series.path.name, number, found, text[:120]))
    return [samples[at] for at in sorted(samples)]


def _sample(series: Series, text: str) -> Sample | RowProblem:
    cells = text.split(series.separator)
    if len(cells) <= max(series.columns):
        return RowProblem.WRONG_WIDTH
    at_s = _instant(series, cells[0].strip())
    if at_s is None:
        return RowProblem.BAD_TIME
    quantities = {}
    for position, quantity in series.columns.items():
        cell = cells[position].strip()
        if not cell:
            continue
        try:
            value = float(cell)
        except ValueError:
            return RowProblem.NOT_A_NUMBER
        if not math.isfinite(value):
            return RowProblem.NOT_A_NUMBER
        quantities[quantity] = value
    if not {"temperature_c", "outdoor_c"} & quantities.keys():
        return RowProblem.NO_VALUE
    return Sample(at_s, quantities)


def _instant(series: Series, cell: str) -> int | None:
    """Unix seconds of a cell: local time in the file's zone, or already Unix seconds."""
    try:
        if series.zone is None:
            return int(float(cell))
        at = datetime.fromisoformat(cell)
        return int((at if at.tzinfo else at.replace(tzinfo=series.zone)).timestamp())
    except (ValueError, OverflowError):
        return None


def dwelling_of(series: Series) -> str:
    """The dwelling a room series belongs to: ``R2_indoor1`` → ``R2``; a flat's rooms → ``flat``.

    Files are one dwelling's rooms where they share a folder and name no dwelling themselves.
    """
    match = re.match(r"^(.+?)_indoor\w*$", series.name, re.IGNORECASE)
    return match[1] if match else series.path.parent.name or "dwelling"


def all_series(files: Iterable[Path | str]) -> Sequence[Series]:
    """Open every file; a folder stands for the ``.csv`` files in it.

    Raises:
        SeriesError: one of them is no series, or two have the same name.
    """
    opened = [open_series(file) for file in _expand(files)]
    names = Counter(series.name for series in opened)
    for name, count in names.items():
        if count > 1:
            raise SeriesError(f"{count} files are called {name}; a device needs a name of its own")
    return opened


def _expand(files: Iterable[Path | str]) -> Iterator[Path]:
    for file in files:
        path = Path(file)
        if path.is_dir():
            yield from sorted(path.glob("*.csv"))
        else:
            yield path
