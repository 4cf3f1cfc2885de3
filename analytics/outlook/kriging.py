"""Kriging on the tree: what measured dwellings say of the others, station by station.

Pure. A dwelling is trend + station + building + entrance + a field that fades with distance +
its own. Dwellings of different buildings meet only in the trend of their station, so the work is
one small system per building and one of seven unknowns per station (universal kriging, e.g.
Cressie, Statistics for Spatial Data, 1993, §3.4, with a prior on the trend).

Faults make heavy tails: one house eight kelvin down is not a gaussian among its peers. Effects of
stations, buildings, entrances and dwellings are therefore Student-t with ``TAIL`` degrees of
freedom, by the usual scale mixture: fit, look how far each effect lies out, let it have that much
variance, fit again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analytics.outlook import trend
from analytics.outlook.spread import COLUMN_FLOORS, RANGE_FLOORS, SENSOR_K, Spread
from analytics.outlook.town import Index, Town

Floats = NDArray[np.float64]

TAIL = 3.0
"""Degrees of freedom of effects: three still have a variance, and one effect in thirty lies beyond
±3 sd, as in a network with a fault in a few of a hundred places."""
PASSES = 4


@dataclass
class Block:
    """One building: its dwellings, who is measured (positions in ``units``), and what was said.

    ``entrance`` numbers the entrances from 0; ``loose_*`` are how many times the usual variance an
    effect is given. ``inverse`` is that of the measured dwellings' covariance.
    """

    units: Index
    heard: Index
    station: int
    entrance: Index
    likeness: Floats
    design: Floats
    said_c: Floats
    loose_own: Floats
    loose_entrance: Floats
    loose_building: float = 1.0
    inverse: Floats = field(default_factory=lambda: np.empty((0, 0)))

    def __post_init__(self) -> None:
        self.design_heard = self.design[self.heard]
        self.entrance_heard = self.entrance[self.heard]
        self.likeness_heard = self.likeness[self.heard[:, None], self.heard]

    def covariance(self, spread: Spread) -> Floats:
        """Of everybody in the building, without what is each dwelling's own, K²."""
        return self._shared(spread, self.likeness, self.entrance)

    def covariance_heard(self, spread: Spread) -> Floats:
        """The same of the measured dwellings among each other."""
        return self._shared(spread, self.likeness_heard, self.entrance_heard)

    def _shared(self, spread: Spread, likeness: Floats, entrance: Index) -> Floats:
        shared = (spread.entrance * self.loose_entrance)[entrance]
        found: Floats = likeness * spread.field
        found += spread.building * self.loose_building
        found += np.equal(entrance[:, None], entrance) * shared
        return found


@dataclass(frozen=True)
class Fit:
    """Blocks with every station's trend: mean (stations, k) and covariance (stations, k, k)."""

    town: Town
    spread: Spread
    blocks: list[Block]
    trend_c: Floats
    trend_cov: Floats

    def predict(self) -> tuple[Floats, Floats]:
        """Mean in °C and variance in K² of every dwelling's temperature, (dwellings,) each."""
        mean, variance = np.empty(self.town.size), np.empty(self.town.size)
        for block in self.blocks:
            weights, rest = self.given(block)
            beta = self.trend_c[block.station]
            off = block.said_c - block.design_heard @ beta
            mean[block.units] = block.design @ beta + weights @ off
            variance[block.units] = self._variance(block, weights, rest)
        return mean, variance

    def given(self, block: Block) -> tuple[Floats, Floats]:
        """How a building's dwellings follow those heard, and what of the trend is left open."""
        weights = self._with_own(block) @ block.inverse
        return weights, block.design - weights @ block.design_heard

    def left(self, block: Block, weights: Floats, rest: Floats) -> Floats:
        """Covariance of a building's dwellings once everything was heard, K²."""
        shared = block.covariance(self.spread)
        own = np.full(len(block.units), self.spread.own)
        own[block.heard] = self._own(block)
        shared.ravel()[:: len(own) + 1] += own
        heard = self._with_own(block)
        open_trend = self.trend_cov[block.station]
        found: Floats = shared - weights @ heard.T + rest @ open_trend @ rest.T
        return found

    def _with_own(self, block: Block) -> Floats:
        """Covariance of everybody in a building with those measured, (units, heard)."""
        shared = block.covariance(self.spread)[:, block.heard]
        shared[block.heard, np.arange(len(block.heard))] += self._own(block)
        return shared

    def _variance(self, block: Block, weights: Floats, rest: Floats) -> Floats:
        """The diagonal of ``left``."""
        spread = self.spread
        usual = spread.building * block.loose_building + spread.field
        prior = usual + (spread.entrance * block.loose_entrance)[block.entrance] + spread.own
        prior[block.heard] += self._own(block) - spread.own
        told = np.einsum("ij,ij->i", weights, self._with_own(block))
        trend_left = np.einsum("ij,jk,ik->i", rest, self.trend_cov[block.station], rest)
        found: Floats = np.maximum(prior - told, 0.0) + trend_left
        return found

    def _own(self, block: Block) -> Floats:
        return self.spread.own * block.loose_own


def build(town: Town, level_c: Floats) -> list[Block]:
    """One block per building.

    Args:
        town: the dwellings.
        level_c: what was measured, (dwellings,), NaN where nothing was.
    """
    design = trend.columns(town)
    blocks = []
    for units in town.units_of():
        heard = np.flatnonzero(~np.isnan(level_c[units]))
        entrances, entrance = np.unique(town.entrance[units], return_inverse=True)
        blocks.append(
            Block(
                units=units,
                heard=heard,
                station=int(town.station[units[0]]),
                entrance=entrance,
                likeness=_likeness(town, units),
                design=design[units],
                said_c=level_c[units[heard]],
                loose_own=np.ones(len(heard)),
                loose_entrance=np.ones(len(entrances)),
            )
        )
    return blocks


def _likeness(town: Town, units: Index) -> Floats:
    floor, column = town.floor[units], town.column[units]
    apart = np.abs(floor[:, None] - floor) + COLUMN_FLOORS * np.abs(column[:, None] - column)
    found: Floats = np.exp(-apart / RANGE_FLOORS)
    return found


def fit(town: Town, spread: Spread, blocks: list[Block], passes: int = PASSES) -> Fit:
    """Trend of every station and looseness of every effect, from all that was measured.

    Args:
        town: the dwellings.
        spread: variances at each level.
        blocks: one per building, see ``build``; their looseness is changed.
        passes: how often to look how far effects lie out; 1 leaves all of them gaussian.
    """
    loose_station = np.ones(len(town.stations))
    for turn in range(passes):
        told = _information(town, spread, blocks)
        centre = _network(*told, spread)
        beta, cov = _stations(told, centre, spread, loose_station)
        if turn < passes - 1:
            _loosen(spread, blocks, beta)
            loose_station = _t((beta[:, 0] - centre[0][0]) ** 2 / spread.station)
    return Fit(town, spread, blocks, beta, cov)


def _information(town: Town, spread: Spread, blocks: list[Block]) -> tuple[Floats, Floats]:
    """What each station's measurements say of its trend: precision and precision × mean."""
    k = len(trend.COEFFICIENTS)
    precision, said = np.zeros((len(town.stations), k, k)), np.zeros((len(town.stations), k))
    for block in blocks:
        if not len(block.heard):
            continue
        shared = block.covariance_heard(spread)
        shared.ravel()[:: len(shared) + 1] += spread.own * block.loose_own + SENSOR_K**2
        block.inverse = np.asarray(np.linalg.inv(shared), np.float64)
        design = block.design_heard
        weighted = design.T @ block.inverse
        precision[block.station] += weighted @ design
        said[block.station] += weighted @ block.said_c
    return precision, said


def _network(precision: Floats, said: Floats, spread: Spread) -> tuple[Floats, Floats]:
    """The network's coefficients: every station's word, blurred by how much stations differ."""
    mean, sd = trend.expected()
    differ = np.diag(trend.between(spread.station))
    total: Floats = np.diag(sd**-2.0)
    weighted: Floats = mean * sd**-2.0
    eye = np.eye(len(mean))
    for p, s in zip(precision, said, strict=True):
        blurred: Floats = np.linalg.solve(eye + p @ differ, np.column_stack([p, s]))
        total += blurred[:, :-1]
        weighted += blurred[:, -1]
    cov = np.asarray(np.linalg.inv(total), np.float64)
    return np.asarray(cov @ weighted, np.float64), cov


def _stations(
    told: tuple[Floats, Floats], centre: tuple[Floats, Floats], spread: Spread, loose: Floats
) -> tuple[Floats, Floats]:
    """Each station's coefficients around the network's."""
    precision, said = told
    beta, cov = np.empty_like(said), np.empty_like(precision)
    for station, (p, s) in enumerate(zip(precision, said, strict=True)):
        around = trend.between(spread.station * float(loose[station]))
        prior = np.linalg.inv(centre[1] + np.diag(around))
        cov[station] = np.linalg.inv(p + prior)
        beta[station] = cov[station] @ (s + prior @ centre[0])
    return beta, cov


def _loosen(spread: Spread, blocks: list[Block], beta: Floats) -> None:
    """Give every effect the variance that its own size speaks for."""
    for block in blocks:
        if not len(block.heard):
            continue
        off = block.said_c - block.design_heard @ beta[block.station]
        pull = block.inverse @ off
        effect = spread.building * block.loose_building * float(pull.sum())
        block.loose_building = float(_t(np.array([effect**2 / spread.building]))[0])
        total = np.bincount(block.entrance_heard, pull, minlength=len(block.loose_entrance))
        effects = spread.entrance * block.loose_entrance * total
        block.loose_entrance = _t(effects**2 / spread.entrance)
        own = spread.own * block.loose_own * pull
        block.loose_own = _t(own**2 / spread.own)


def _t(square: Floats) -> Floats:
    """Variance of a Student-t effect given its square in units of its scale, relative to that."""
    found: Floats = (TAIL + square) / (TAIL + 1.0)
    return found
