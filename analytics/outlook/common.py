"""What dwellings have in common: the hourly level of every building, and what is left to each.

Pure. A building's level is the median of its measured dwellings, drawn towards its station's with
the weight of ``DRAWN_BY`` dwellings, so that one odd dwelling is no building. The usual course of
the day is taken off both, as a median over days, which a fault on one of them does not bend.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.outlook.town import Index, Town

Floats = NDArray[np.float64]

DRAWN_BY = 1.5
"""A dwelling's own variance (0.2 K²) over a building's (0.12 K²): see ``spread.PRIOR``."""
OWN_DAYS = 4.0
"""A dwelling's own course of the day is believed by half after so many days."""
DAY = 24


@dataclass(frozen=True)
class Parted:
    """Levels parted into what is shared and what is not.

    ``shared_c`` is (buildings, hours), ``own_k`` (dwellings, hours), both without the course of
    the day; ``course_k`` (buildings, 24) and ``own_course_k`` (dwellings, 24) hold it, by hours
    after the end of the window. ``heard`` counts measured dwellings, (buildings, hours).
    """

    shared_c: Floats
    own_k: Floats
    course_k: Floats
    own_course_k: Floats
    heard: Index


def part(town: Town, level_c: Floats) -> Parted:
    """Part hourly levels of dwellings, (dwellings, hours), NaN where nothing was measured."""
    counted = np.where(town.owed[:, None], level_c, np.nan)
    network = _median(counted)
    station = _medians(counted, town.station, len(town.stations))
    station = np.where(np.isnan(station), network, station)
    building = _medians(counted, town.building, len(town.buildings))
    heard = np.zeros((len(town.buildings), level_c.shape[1]), np.int64)
    rows = np.flatnonzero((~np.isnan(level_c)).any(axis=1))
    np.add.at(heard, town.building[rows], ~np.isnan(counted[rows]))
    above = np.zeros(len(town.buildings), np.int64)
    above[town.building] = town.station
    weight = heard / (heard + DRAWN_BY)
    shared = station[above] + np.where(heard > 0, weight * (building - station[above]), 0.0)
    course = _course(station)[above]
    own = level_c - shared[town.building]
    days = (~np.isnan(own[rows])).sum(axis=1, keepdims=True) / DAY
    own_course = np.zeros((len(own), DAY))
    own_course[rows] = _course(own[rows]) * days / (days + OWN_DAYS)
    return Parted(
        shared - repeated(course, level_c.shape[1], back=True),
        own - repeated(own_course, level_c.shape[1], back=True),
        course,
        own_course,
        heard,
    )


def repeated(course_k: Floats, hours: int, *, back: bool = False) -> Floats:
    """A course of the day over hours from the window's end on, or back from it, (rows, hours)."""
    index = np.arange(-hours, 0) if back else np.arange(hours)
    return course_k[:, index % DAY]


def _course(series: Floats) -> Floats:
    """Median over days of each hour's difference from the mean of the day around it, (rows, 24).

    The mean of the day around an hour holds any straight trend, and no course of the day.
    """
    hours = series.shape[1]
    if hours < 2 * DAY:
        return np.zeros((len(series), DAY))
    off = series[:, DAY // 2 : hours - DAY // 2] - _around(series)
    days = np.full((hours // DAY + 1, len(series), DAY), np.nan)
    column = np.arange(DAY // 2, hours - DAY // 2) - hours  # hours before the window's end
    days[column // DAY, :, column % DAY] = off.T
    return np.nan_to_num(_median(days))


def _around(series: Floats) -> Floats:
    """Mean of the 24 hours around each, from the 12th to the 12th last; NaN with too many gaps."""
    known = ~np.isnan(series)
    total, count = _day_sums(np.where(known, series, 0.0)), _day_sums(known.astype(np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count >= 0.75 * DAY, total / count, np.nan)


def _day_sums(values: Floats) -> Floats:
    """Sums over 25 hours, the first and last by half, (rows, hours - 24)."""
    sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    whole = sums[:, DAY + 1 :] - sums[:, : -DAY - 1]
    return np.asarray(whole - 0.5 * (values[:, :-DAY] + values[:, DAY:]), np.float64)


def _medians(level_c: Floats, group: Index, groups: int) -> Floats:
    """Median of the measured members of each group, (groups, hours); NaN where nobody speaks."""
    found = np.full((groups, level_c.shape[1]), np.nan)
    measured = np.flatnonzero(~np.isnan(level_c).all(axis=1))
    order = measured[np.argsort(group[measured], kind="stable")]
    for rows in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        if len(rows):
            found[group[rows[0]]] = _median(level_c[rows])
    return found


def _median(values: Floats) -> Floats:
    """Median over the first axis of what is known; NaN where nothing is."""
    known = np.sort(values, axis=0)  # NaN last
    count = (~np.isnan(known)).sum(axis=0)
    low = np.maximum((count - 1) // 2, 0)
    high = np.minimum(count // 2, max(len(known) - 1, 0))
    if not len(known):
        return np.full(values.shape[1:], np.nan)
    lower = np.take_along_axis(known, low[None], axis=0)[0]
    upper = np.take_along_axis(known, high[None], axis=0)[0]
    return np.where(count > 0, (lower + upper) / 2.0, np.nan)
