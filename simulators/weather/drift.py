"""Irregular courses that can be asked at any instant, in any order.

A course is first-order autoregression cut off after its memory has faded, so that each knot is a
finite sum of numbers drawn for their own index: nothing has to be walked through from a start.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, field

import numpy as np

from simulators import rand

_FADED = 1e-4
_BLOCK = 32
"""Knots drawn at once, because one array costs hardly more than one number."""


@dataclass(frozen=True)
class Drift:
    """Standard deviation 1, mean 0, one knot every ``knot_h`` hours, ``keeps`` from knot to knot.

    Between knots it runs straight, stretched so that it spreads as much there as at the knots.
    Blocks of knots once computed are kept; what is returned never depends on that.
    """

    seed: int
    stream: str
    knot_h: float
    keeps: float
    _known: dict[int, list[float]] = field(default_factory=dict, repr=False, compare=False)
    _weights: list[float] = field(default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        weight = math.sqrt(1.0 - self.keeps * self.keeps)
        while weight > _FADED:
            self._weights.append(weight)
            weight *= self.keeps

    def at(self, hours: float) -> float:
        """The course ``hours`` after the anchor."""
        place = hours / self.knot_h
        index = math.floor(place)
        block, first = divmod(index, _BLOCK)
        knots = self._known.get(block)
        if knots is None:
            knots = self._known[block] = self._knots(block)
        later = place - index
        earlier = 1.0 - later
        spread = earlier * earlier + later * later + 2.0 * earlier * later * self.keeps
        return (earlier * knots[first] + later * knots[first + 1]) / math.sqrt(spread)

    def _knots(self, block: int) -> list[float]:
        """The knots of a block and the first of the next."""
        memory = len(self._weights)
        numbers = block * _BLOCK + np.arange(1 - memory, _BLOCK + 1)
        shocks = rand.normal(self.seed, self.stream, numbers)[::-1].tolist()
        weighed = (
            map(operator.mul, self._weights, shocks[_BLOCK - knot :]) for knot in range(_BLOCK + 1)
        )
        return [math.fsum(parts) for parts in weighed]
