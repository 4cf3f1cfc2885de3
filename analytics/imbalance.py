"""How far a network is out of balance, as pure functions of what meters and sensors say.

- *balance degree* (水力平衡度): a building's flow over its design flow; 0.9 to 1.2 is in order.
- *return spread*: area-weighted standard deviation of the buildings' return temperatures.
- *room spread*: the same of rooms, within a building (vertical) or between buildings (horizontal).
- *approach* (端差): primary return less secondary return of an exchanger; 2 to 5 K is healthy, 8 to
  15 K a fouled one.

Nobody hands over design flows, so they follow from the heated area: ``45 W/m²`` (the usual index
with insulation) over the emitters' design temperature difference.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from analytics import water
from analytics.emission import Emitter
from analytics.water import FloatArray

DESIGN_INDEX_W_M2 = 45.0
BALANCED = (0.9, 1.2)
HEALTHY_APPROACH_K = 5.0
FOULED_APPROACH_K = 8.0


class ApproachGrade(StrEnum):
    """What an exchanger's approach says of it."""

    UNKNOWN = "unknown"
    HEALTHY = "healthy"
    WATCH = "watch"
    FOULED = "fouled"


def design_flow_m3h(area_m2: ArrayLike, emitter: Emitter) -> FloatArray:
    """Design flow of a heated area: index × area over EN 1434's k and the design difference."""
    design = emitter.design
    k = water.heat_coefficient(design.supply_c, design.return_c, False)
    heat_kw = DESIGN_INDEX_W_M2 * np.asarray(area_m2, dtype=np.float64) / 1000.0
    return np.asarray(heat_kw / (k * (design.supply_c - design.return_c)))


def balance_degree(flow_m3h: ArrayLike, area_m2: ArrayLike, emitter: Emitter) -> FloatArray:
    """Flow over design flow, shape of the inputs; NaN where there is no flow or no area."""
    area = np.asarray(area_m2, dtype=np.float64)
    design = design_flow_m3h(np.where(area > 0.0, area, np.nan), emitter)
    return np.asarray(np.asarray(flow_m3h, dtype=np.float64) / design)


def weighted_mean(values: ArrayLike, weights: ArrayLike) -> float:
    """Mean by weight of what is known; NaN where nothing is."""
    value, weight = _known(values, weights)
    return float(np.average(value, weights=weight)) if weight.sum() > 0.0 else float("nan")


def weighted_spread(values: ArrayLike, weights: ArrayLike) -> float:
    """Standard deviation by weight, in the unit of ``values``; NaN with fewer than two known."""
    value, weight = _known(values, weights)
    if len(value) < 2 or not weight.sum() > 0.0:
        return float("nan")
    mean = np.average(value, weights=weight)
    return float(np.sqrt(np.average((value - mean) ** 2, weights=weight)))


def _known(values: ArrayLike, weights: ArrayLike) -> tuple[FloatArray, FloatArray]:
    value, weight = np.broadcast_arrays(
        np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    )
    known = np.isfinite(value) & np.isfinite(weight) & (weight > 0.0)
    return value[known], weight[known]


def balanced_share(degrees: ArrayLike, area_m2: ArrayLike) -> float:
    """Share of the area whose balance degree lies within 0.9 to 1.2; NaN where none is known."""
    degree, area = _known(degrees, area_m2)
    if not area.sum() > 0.0:
        return float("nan")
    low, high = BALANCED
    return float(area[(degree >= low) & (degree <= high)].sum() / area.sum())


def approach_grade(approach_k: float | None) -> ApproachGrade:
    """Healthy up to 5 K, fouled from 8 K."""
    if approach_k is None or not np.isfinite(approach_k):
        return ApproachGrade.UNKNOWN
    if approach_k >= FOULED_APPROACH_K:
        return ApproachGrade.FOULED
    return ApproachGrade.WATCH if approach_k > HEALTHY_APPROACH_K else ApproachGrade.HEALTHY


def overheating(
    room_c: ArrayLike, area_m2: ArrayLike, outdoor_c: float, limit_c: float
) -> tuple[float, float]:
    """Share of the area above a limit, and the share of all heat that warms it beyond; 0 to 1.

    A room at T loses in proportion to ``T − T_out``, so cooling it to the limit saves
    ``(T − limit)/(T − T_out)`` of its heat. NaN where nothing is known.
    """
    room, area = _known(room_c, area_m2)
    lost = np.maximum(room - outdoor_c, 1.0) * area
    if not lost.sum() > 0.0:
        return float("nan"), float("nan")
    above = np.maximum(room - limit_c, 0.0)
    return float(area[above > 0.0].sum() / area.sum()), float((above * area).sum() / lost.sum())
