"""How alike dwellings are: the variance between stations, buildings, entrances and neighbours.

Pure. Differences between pairs of measured dwellings are sorted by how near the two live; half the
square of a usual difference is the semivariance at that distance (a variogram over the tree).
Medians are used, since a tenth of the pairs may hold a fault, and each figure is drawn towards a
documented prior with the weight of ``PRIOR_PAIRS`` pairs, which rules where few dwellings speak.

A difference is gaussian for like dwellings, so the median of its square is 0.455 of its mean
(the median of chi-squared with one degree of freedom).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np
from numpy.typing import NDArray

from analytics.outlook.town import Index, Town, find

Floats = NDArray[np.float64]

MEDIAN_OF_SQUARE = 0.4549
PRIOR_PAIRS = 30
RANGE_FLOORS = 2.0
"""Distance at which the likeness of neighbours has fallen to 1/e, in storeys.

With 428 W/K to neighbours and 81 W/K outdoors a disturbance decays over √(428/4/81) ≈ 1.2
dwellings each way, and the sum over both directions looks like twice that.
"""
COLUMN_FLOORS = 1.7
"""A column further counts as so many storeys: walls are a third of a slab's area, √3."""
SENSOR_K = 0.15
"""Standard deviation of a room sensor against its dwelling: ±0.3 K (2 sd) is usual."""
SEED = 7_206_612  # pairs are drawn, always the same ones
_NEAR = ((1, 0), (0, 1), (2, 0), (1, 1), (3, 0))


@dataclass(frozen=True, slots=True)
class Spread:
    """Variances in K² of what dwellings share at each level, and of what is a dwelling's own."""

    station: float
    building: float
    entrance: float
    field: float
    own: float

    @property
    def within_building(self) -> float:
        """Of two dwellings far apart in one building, half the mean square of the difference."""
        return self.entrance + self.field + self.own


PRIOR = Spread(station=0.15, building=0.12, entrance=0.03, field=0.12, own=0.08)
"""Where nothing is known: 0.7 K between any two dwellings of a healthy network, 0.45 K between
neighbours. Two sensors of one dwelling differ by 0.1 to 0.4 K, far and near buildings of a
network out of balance by 1 to 3 K (three sd of building and station together)."""


def measure(town: Town, level_c: Floats) -> Spread:
    """Variances of dwellings around what their place explains.

    Args:
        town: the dwellings.
        level_c: residuals of the measured, heated dwellings, (dwellings,); NaN for all others.
    """
    near = _pairs_near(town, level_c)
    chance = np.random.default_rng(SEED)
    known = np.flatnonzero(~np.isnan(level_c))
    shuffled = known[chance.permutation(len(known))]
    prior = PRIOR
    floors = np.concatenate([np.full(len(d), r) for r, d in near]) if near else np.empty(0)
    squares = np.concatenate([d for _, d in near]) if near else np.empty(0)
    fading = exp(-1.0 / RANGE_FLOORS)
    close = _drawn_to(squares[floors < RANGE_FLOORS], prior.own + prior.field * (1.0 - fading))
    entrance = _drawn_to(_grouped(town.entrance, shuffled, level_c), prior.own + prior.field)
    building = _drawn_to(_grouped(town.building, shuffled, level_c), prior.within_building)
    station = _drawn_to(
        _grouped(town.station, shuffled, level_c), prior.within_building + prior.building
    )
    whole = _drawn_to(
        _grouped(np.zeros_like(town.station), shuffled, level_c),
        prior.within_building + prior.building + prior.station,
    )
    return _parted((close, entrance, building, station, whole), fading)


def _parted(by_distance: tuple[float, float, float, float, float], fading: float) -> Spread:
    """Semivariances by distance → what each level adds; every level adds something."""
    close, entrance, building, station, whole = by_distance
    least = 0.01
    field = max(least, (entrance - close) / fading)
    return Spread(
        station=max(least, whole - station),
        building=max(least, station - building),
        entrance=max(least, building - entrance),
        field=field,
        own=max(least, close - field * (1.0 - fading)),
    )


def _drawn_to(squares: Floats, prior: float) -> float:
    """A robust semivariance, drawn towards a prior by ``PRIOR_PAIRS`` pairs."""
    count = len(squares)
    found = float(np.median(squares)) / MEDIAN_OF_SQUARE / 2.0 if count else 0.0
    return (PRIOR_PAIRS * prior + count * found) / (PRIOR_PAIRS + count)


def _pairs_near(town: Town, level_c: Floats) -> list[tuple[float, Floats]]:
    """Squared differences of neighbours in a building, with their distance in storeys."""
    found = []
    for up, right in _NEAR:
        other = find(town.building, town.floor, town.column, up, right)
        squares = (level_c - np.where(other >= 0, level_c[other], np.nan)) ** 2
        found.append((up + COLUMN_FLOORS * right, squares[~np.isnan(squares)]))
    return found


def _grouped(group: Index, shuffled: Index, level_c: Floats) -> Floats:
    """Squared differences of dwellings drawn from the same group, each used once or twice."""
    order = shuffled[np.argsort(group[shuffled], kind="stable")]
    same = group[order[1:]] == group[order[:-1]]
    squares = (level_c[order[1:]] - level_c[order[:-1]]) ** 2
    return np.asarray(squares[same], np.float64)
