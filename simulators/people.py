"""People: what they give off, cook, and let out of the window, for every dwelling at once.

Habits are drawn per dwelling and per slot of twenty minutes; the draw depends only on dwelling,
slot and seed. Nobody airs a room that is already cool, so people never explain a cold dwelling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators import rand

Array = NDArray[np.float64]

SLOT_S = 1200
"""Length of one activity or airing, s."""

# By local hour, midnight first. Share of the mean gain: asleep, away, at home.
_AT_HOME = np.repeat(
    [0.8, 0.76, 0.8, 1.05, 0.85, 0.95, 0.85, 1.2, 1.4, 1.1], [2, 3, 1, 2, 4, 2, 3, 1, 4, 2]
)
# Chance that a slot of twenty minutes holds cooking or the like.
_COOKING = np.repeat(
    [0.01, 0.06, 0.2, 0.07, 0.25, 0.06, 0.14, 0.35, 0.18, 0.05], [4, 2, 2, 3, 2, 3, 1, 2, 3, 2]
)
# Chance that a window is opened in a slot.
_AIRING = np.repeat([0.0, 0.006, 0.022, 0.006, 0.009, 0.003], [5, 2, 3, 8, 4, 2])
_COOKING_SHARE = 0.6  # of the mean gain comes in bursts
_COMPANY = 0.5  # a day's gains differ from the dwelling's mean by up to this share
_AIRING_WM2 = 17.0
_NOT_AIRED_BELOW_C = 21.5


@dataclass(frozen=True, slots=True)
class Household:
    """Per dwelling: mean gain in W, area in m², and hours by which its day runs late."""

    mean_w: Array
    area_m2: Array
    late_h: Array


def household(seed: int, area_m2: Array, gains_wm2: float) -> Household:
    """Households of a town: mean gains ±15 %, days shifted by up to two hours."""
    keys = np.arange(len(area_m2))
    mean = gains_wm2 * area_m2 * (1.0 + 0.15 * rand.normal(seed, "people/gain", keys))
    late = 0.6 * rand.normal(seed, "people/late", keys)
    return Household(np.maximum(mean, 0.0), area_m2, late)


def gains(home: Household, seed: int, slot: int, local_hour: float) -> Array:
    """Internal gains in W during a slot, shape [units]; their daily mean is ``home.mean_w``."""
    keys = np.arange(len(home.mean_w))
    hour = ((local_hour - home.late_h) % 24.0).astype(int) % 24
    steady = (1.0 - _COOKING_SHARE) * _AT_HOME[hour] / _AT_HOME.mean()
    busy = rand.happens(_COOKING[hour], seed, "people/cooking", slot, keys)
    burst = _COOKING_SHARE / _COOKING.mean()
    day = slot * SLOT_S // 86400
    company = 1.0 + _COMPANY * (2.0 * rand.uniform(seed, "people/company", day, keys) - 1.0)
    return np.asarray(home.mean_w * company * (steady + burst * busy))


def airing(home: Household, seed: int, slot: int, local_hour: float, air_c: Array) -> Array:
    """Heat in W that leaves by opened windows during a slot, shape [units]."""
    keys = np.arange(len(air_c))
    hour = ((local_hour - home.late_h) % 24.0).astype(int) % 24
    opened = rand.happens(_AIRING[hour], seed, "people/airing", slot, keys)
    airs = np.flatnonzero(opened & (air_c > _NOT_AIRED_BELOW_C))
    width = np.exp(0.4 * rand.normal(seed, "people/width", slot, airs))
    escaping = np.zeros(len(air_c))
    escaping[airs] = _AIRING_WM2 * home.area_m2[airs] * width
    return escaping
