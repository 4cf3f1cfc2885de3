"""What a sensor's peers say: the level of its building, and how far the sensor lies from it.

The median of many does not care about a few liars or cold dwellings. Where a building has few
sensors, a sensor must not vote on itself; where it has hardly any, the station's stand in, and then
everybody's.
"""

from __future__ import annotations

import numpy as np

from analytics.trust.model import Flags, Floats, Ints, SensorHours, Surroundings

MANY = 12
"""From so many peers on, a sensor's own vote moves the median by less than its noise."""
FEWEST = 3
"""Other sensors that a comparison needs: with two, either may be the liar."""


def offsets(sensors: SensorHours, around: Surroundings) -> Floats:
    """How far each sensor lies from the median of its peers, K (sensors, hours); NaN without."""
    level = sensors.mean_c
    if around.unheated is not None:
        level = np.where(around.unheated[:, None], np.nan, level)
    base = np.full(level.shape, np.nan)
    lonely = _compare(level, sensors.peer_group, np.ones(len(level), bool), base)
    if lonely.any() and around.area is not None:
        lonely = _compare(level, around.area, lonely, base)
    if lonely.any():
        everybody = np.zeros(len(level), np.int64) if around.network is None else around.network
        _compare(level, everybody, lonely, base)
    return np.asarray(level - base)


def _compare(level: Floats, group: Ints, wanted: Flags, base: Floats) -> Flags:
    """Write the peers' medians of the wanted sensors into ``base``; returns who has no peers."""
    lonely = wanted.copy()
    for rows in groups(group):
        chosen = rows[wanted[rows]]
        if len(rows) <= FEWEST or not len(chosen):
            continue
        lonely[chosen] = False
        if len(rows) >= MANY:
            base[chosen] = median(level[rows], FEWEST)
            continue
        for row in chosen:
            base[row] = median(level[rows[rows != row]], FEWEST)
    return lonely


def groups(number: Ints) -> list[Ints]:
    """The rows of each group, by the group's number."""
    order = np.argsort(number, kind="stable")
    edges = np.flatnonzero(np.diff(number[order])) + 1
    return [part for part in np.split(order, edges) if len(part)]


def median(level: Floats, least: int) -> Floats:
    """Median over rows, (hours,); NaN where fewer than ``least`` rows are known."""
    ordered = np.sort(level, axis=0)  # NaN last
    known = (~np.isnan(level)).sum(axis=0)
    low, high = np.maximum(known - 1, 0) // 2, np.minimum(known // 2, len(level) - 1)
    column = np.arange(level.shape[1])
    middle = (ordered[low, column] + ordered[high, column]) / 2.0
    return np.where(known >= least, middle, np.nan)
