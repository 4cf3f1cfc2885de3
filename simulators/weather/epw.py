"""EnergyPlus weather files: eight header lines, then one row an hour for a year.

Columns and missing-value codes are those of the EPW data dictionary (EnergyPlus, Auxiliary
Programs). Row ``hour`` h holds the air at h o'clock and the radiation of the hour before. Missing
diffuse or direct radiation is found from the rest; south radiation follows from the file's place.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulators.weather import sun
from simulators.weather.recorded import (
    HUMIDITY_PCT,
    LONGEST_GAP_H,
    WIND_MS,
    Course,
    FileError,
    Record,
    fill,
    fill_or,
)

Array = NDArray[np.float64]

HEADER_LINES = 8
_MOST_NOTED = 5
_COLUMNS = {
    "outdoor_c": (6, 99.9),
    "humidity_pct": (8, 999.0),
    "global_wm2": (13, 9999.0),
    "direct_wm2": (14, 9999.0),
    "diffuse_wm2": (15, 9999.0),
    "wind_ms": (21, 999.0),
}
"""Position in a row, and the value from which on a field counts as missing."""
_LAST = 21


@dataclass(frozen=True, slots=True)
class _Place:
    latitude: float
    ahead_h: float
    """Mean solar time minus the file's clock."""


def read(path: Path) -> Record:
    """The record of an EPW file.

    Raises:
        FileError: it cannot be read, is no EPW file of one year, or has gaps of over six hours.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        raise FileError([f"{path.name}: cannot be read: {error.strerror or error}"]) from error
    place = _place(path.name, lines)
    rows = [(at, line) for at, line in enumerate(lines, start=1) if at > HEADER_LINES]
    rows = [(at, line) for at, line in rows if line.strip()]
    if len(rows) not in (8760, 8784):
        says = f"{path.name}: has {len(rows)} rows of weather; hourly rows of one whole year"
        raise FileError([f"{says} (8760, or 8784 in a leap year) are needed"])
    return _record(path.name, place, _parsed(path.name, rows), [at for at, _ in rows])


def _place(name: str, lines: list[str]) -> _Place:
    """Where the file was measured, from its first line."""
    cells = lines[0].split(",") if lines else []
    if not cells or cells[0].strip().upper() != "LOCATION" or len(cells) < 9:
        wanted = "LOCATION,city,…,latitude,longitude,time zone,elevation"
        got = (lines[0] if lines else "")[:60]
        raise FileError([f"{name}: line 1: expected {wanted!r}, got {got!r}"])
    try:
        latitude, longitude, zone_h = (float(cell) for cell in cells[6:9])
    except ValueError:
        says = f"{name}: line 1: latitude, longitude and time zone are not numbers"
        raise FileError([f"{says}: {','.join(cells[6:9])!r}"]) from None
    if not (abs(latitude) <= 90.0 and abs(longitude) <= 180.0 and abs(zone_h) <= 14.0):
        says = f"{name}: line 1: no place on earth has latitude {latitude:g}, longitude"
        raise FileError([f"{says} {longitude:g} and time zone {zone_h:g}"])
    return _Place(latitude, longitude / 15.0 - zone_h)


def _parsed(name: str, rows: list[tuple[int, str]]) -> dict[str, Array]:
    """Columns with NaN where a value is missing."""
    columns = {key: np.full(len(rows), np.nan) for key in _COLUMNS}
    first = date(2024 if len(rows) == 8784 else 2023, 1, 1)
    wrong = []
    for index, (at, line) in enumerate(rows):
        says = _parse_row(line.split(","), first + timedelta(days=index // 24), index, columns)
        if says is not None:
            wrong.append(f"{name}: line {at}: {says}")
    if wrong:
        more = len(wrong) - _MOST_NOTED
        raise FileError(wrong[:_MOST_NOTED] + ([f"{name}: and {more} more"] if more > 0 else []))
    return columns


def _parse_row(cells: list[str], day: date, index: int, columns: dict[str, Array]) -> str | None:
    """Put a row into the columns; what is wrong with it, if something is."""
    if len(cells) <= _LAST:
        return f"has {len(cells)} fields; at least {_LAST + 1} are needed"
    wanted = (day.month, day.day, index % 24 + 1)
    try:
        got = tuple(int(float(cell)) for cell in cells[1:4])
    except ValueError:
        return f"month, day and hour are not numbers: {','.join(cells[1:4])!r}"
    if got != wanted:
        return f"expected month, day, hour {wanted}, got {got}"
    for key, (position, missing) in _COLUMNS.items():
        cell = cells[position].strip()
        try:
            value = float(cell) if cell else math.nan
        except ValueError:
            return f"field {position + 1} is not a number: {cell!r}"
        columns[key][index] = value if math.isfinite(value) and value < missing else math.nan
    return None


def _record(name: str, place: _Place, columns: dict[str, Array], lines: list[int]) -> Record:
    year_h = float(len(lines))
    hours = np.arange(1.0, year_h + 1.0)
    outdoor = fill(hours, columns["outdoor_c"], 1.0, year_h)
    level = fill(hours, _global(columns, place, hours), 1.0, year_h)
    wrong = [f"{name}: {says}" for says in _gaps("dry-bulb temperature", outdoor.gaps, lines)]
    wrong += [f"{name}: {says}" for says in _gaps("radiation", level.gaps, lines)]
    if wrong:
        raise FileError(wrong)
    south = _south_of(place, hours, level.values, columns, outdoor.values)
    wind_ms = fill_or(hours, columns["wind_ms"], year_h, WIND_MS)
    humidity = fill_or(hours, columns["humidity_pct"], year_h, HUMIDITY_PCT)
    days = tuple(range(1, len(lines) // 24 + 1))
    air = Course.of(*_around(hours, year_h, outdoor.values, wind_ms, humidity))
    beams = Course.of(*_around(hours - 0.5, year_h, level.values, south))
    return Record(name, air, beams, days, 0.0, year_h, year_h)


def _around(hours: Array, year_h: float, *columns: Array) -> list[Array]:
    """Hours and columns with the last point before and the first after, to close the year."""
    closed = [np.concatenate([[hours[-1] - year_h], hours, [hours[0] + year_h]])]
    return closed + [np.concatenate([[col[-1]], col, [col[0]]]) for col in columns]


def _gaps(words: str, gaps: list[tuple[float, float]], lines: list[int]) -> Iterator[str]:
    """A sentence for each of the first gaps that are too long; hour h is in row h − 1."""
    for start, end in gaps[:_MOST_NOTED]:
        line = lines[int(start) % len(lines)]
        says = f"line {line}: {words} is missing for {end - start - 1.0:.0f} h"
        yield f"{says}; up to {LONGEST_GAP_H:.0f} h can be interpolated"


def _sun_of(hour: float, place: _Place) -> tuple[sun.SunPlace, float]:
    """The sun in the middle of the hour before ``hour``, and its day of the year."""
    middle = hour - 0.5
    day = middle // 24.0 + 1.0
    return sun.place(day, middle % 24.0 + place.ahead_h, place.latitude), day


def _global(columns: dict[str, Array], place: _Place, hours: Array) -> Array:
    """Global radiation, where it is missing from direct and diffuse."""
    made = columns["global_wm2"].copy()
    for index in np.flatnonzero(~np.isfinite(made)):
        here, _ = _sun_of(float(hours[index]), place)
        direct = columns["direct_wm2"][index] * max(here.height, 0.0)
        made[index] = direct + columns["diffuse_wm2"][index]
    return made


def _south_of(
    place: _Place, hours: Array, level_wm2: Array, columns: dict[str, Array], outdoor_c: Array
) -> Array:
    """South radiation of every hour, W/m²."""
    parts = (hours, level_wm2, columns["direct_wm2"], columns["diffuse_wm2"], outdoor_c)
    rows = zip(*(part.tolist() for part in parts), strict=True)
    return np.array([_south(row, place) for row in rows])


def _south(row: tuple[float, float, float, float, float], place: _Place) -> float:
    """South radiation of an hour from global, direct normal and diffuse (NaN where missing)."""
    hour, global_wm2, direct, diffuse, outdoor_c = row
    here, day = _sun_of(hour, place)
    if math.isnan(diffuse):
        if math.isnan(direct):
            diffuse = sun.diffuse_of(here, global_wm2, day)
        else:
            diffuse = max(global_wm2 - direct * max(here.height, 0.0), 0.0)
    radiation = sun.from_level(here, global_wm2, diffuse)
    if not math.isnan(direct):
        radiation = radiation._replace(beam_wm2=direct)
    return sun.on_south_wall(here, radiation, sun.albedo_of(outdoor_c))
