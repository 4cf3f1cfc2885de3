"""Measured weather series in CSV, as ``simulators.series`` reads them: ``t_UTC+2,Te,RHe,Rglob,ws``.

Rows that cannot be read are gaps. The file does not say where it was measured, so the sun stands
where the town has it: give the town the latitude of the file for south radiation to be right.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearthline.domain.places import DeviceKind
from simulators import series
from simulators.series import BadRow, Rows, Sample, Series, SeriesError
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

_DIFFUSE = "Rdif"
_MOST_NOTED = 5


def read(path: Path, latitude: float, ahead_h: float) -> Record:
    """The record of a CSV file; ``ahead_h`` is solar time minus the town's clock.

    Raises:
        FileError: it is no weather series, too short, or has gaps of over six hours.
    """
    found = _opened(path)
    rows = Rows()
    samples = series.read(found, rows)
    if len(samples) < 2 or samples[-1].at_s - samples[0].at_s < 86_400:
        refused = _refused(rows.noted)
        raise FileError([f"{path.name}: holds less than one day of readable rows{refused}"])
    midnight = _midnight(found, samples[0])
    hours = np.array([(sample.at_s - midnight.timestamp()) / 3600.0 for sample in samples])
    step_h = float(np.median(np.diff(hours)))
    outdoor = fill(hours, _column(samples, "outdoor_c"), step_h, None)
    level = fill(hours, _column(samples, "solar_wm2"), step_h, None)
    dark = [gap for gap in level.gaps if gap not in outdoor.gaps]
    wrong = [*_gaps("Te", outdoor.gaps, midnight), *_gaps("Rglob", dark, midnight)]
    if wrong:
        raise FileError([f"{path.name}: {says}{_refused(rows.noted)}" for says in wrong])
    days = _days(midnight, float(hours[-1]))
    parts = (hours, level.values, _column(samples, "diffuse_wm2"), outdoor.values)
    lists = zip(*(part.tolist() for part in parts), strict=True)
    south = np.array([_south(row, days, latitude, ahead_h) for row in lists])
    wind_ms = fill_or(hours, _column(samples, "wind_ms"), None, WIND_MS)
    humidity = fill_or(hours, _column(samples, "humidity_pct"), None, HUMIDITY_PCT)
    air = Course.of(hours, outdoor.values, wind_ms, humidity)
    beams = Course.of(hours, level.values, south)
    return Record(path.name, air, beams, days, float(hours[0]), float(hours[-1]), None)


def _opened(path: Path) -> Series:
    try:
        found = series.open_series(path)
    except SeriesError as error:
        raise FileError([str(error).replace(f"{path}:", f"{path.name}:", 1)]) from error
    if found.kind is not DeviceKind.WEATHER or found.zone is None:
        wanted = "a header with Te and Rglob, like 't_UTC+2,Te,RHe,Rdif,Rglob,ws'"
        raise FileError([f"{path.name}: line 1: expected {wanted}"])
    with path.open(encoding="utf-8-sig") as lines:
        header = [cell.strip() for cell in lines.readline().split(",")]
    if "solar_wm2" not in found.columns.values():
        raise FileError([f"{path.name}: line 1: has no column Rglob (global radiation W/m²)"])
    if _DIFFUSE in header:
        return replace(found, columns={**found.columns, header.index(_DIFFUSE): "diffuse_wm2"})
    return found


def _midnight(found: Series, first: Sample) -> datetime:
    """Midnight, on the file's clock, of the day of the first sample."""
    local = datetime.fromtimestamp(first.at_s, found.zone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def _days(midnight: datetime, last_h: float) -> tuple[int, ...]:
    """The day of the year of each day of the file, the last one too if it has only begun."""
    count = math.floor(last_h / 24.0) + 1
    return tuple((midnight + timedelta(days=n)).timetuple().tm_yday for n in range(count))


def _column(samples: list[Sample], quantity: str) -> Array:
    return np.array([sample.quantities.get(quantity, math.nan) for sample in samples])


def _gaps(words: str, gaps: list[tuple[float, float]], midnight: datetime) -> Iterator[str]:
    """A sentence for each of the first gaps that are too long, on the file's clock."""
    for start, end in gaps[:_MOST_NOTED]:
        since, until = (midnight + timedelta(hours=hour) for hour in (start, end))
        says = f"{words} is missing between {since:%Y-%m-%d %H:%M} and {until:%Y-%m-%d %H:%M}"
        yield f"{says}; up to {LONGEST_GAP_H:.0f} h can be interpolated"


def _refused(noted: list[BadRow]) -> str:
    """The first row that was refused, for whoever looks for the cause of a gap."""
    if not noted:
        return ""
    first = noted[0]
    return f" (first refused row: line {first.line}, {first.problem}: {first.text[:60]!r})"


def _south(
    row: tuple[float, float, float, float], days: tuple[int, ...], latitude: float, ahead_h: float
) -> float:
    hour, global_wm2, diffuse, outdoor_c = row
    day = float(days[int(hour // 24.0)])
    here = sun.place(day, hour % 24.0 + ahead_h, latitude)
    if math.isnan(diffuse):
        diffuse = sun.diffuse_of(here, global_wm2, day)
    radiation = sun.from_level(here, global_wm2, diffuse)
    return sun.on_south_wall(here, radiation, sun.albedo_of(outdoor_c))
