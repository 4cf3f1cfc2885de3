"""How good chances are: top-1 and top-2, log loss, Brier, and whether they mean what they say.

All are weighted means over examples. Log loss is ``−log p(true)``; Brier the sum over causes of
``(p − 1[true])²`` (Brier 1950: 0 at best, 2 at worst); the expected calibration error is the mean
gap between the chance of the first cause and how often it is right, over ``BINS`` equal bins of
that chance (Naeini et al. 2015). Pure.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BINS = 10
LEAST_CHANCE = 1e-3
"""What a cause that was given no chance is taken to have had, so that a loss stays finite."""


def measures(chances: Floats, true: Ints, weight: Floats) -> dict[str, Any]:
    """The measures of chances (examples, causes), which need not add up to one, by true causes."""
    if not len(true):
        return {"examples": 0, "faults_weight": 0.0}
    rows = np.arange(len(true))
    order = np.argsort(-chances, axis=1, kind="stable")
    first = order[:, 0] == true
    second = first | (order[:, 1] == true)
    given = np.maximum(chances[rows, true], LEAST_CHANCE)
    target = np.zeros_like(chances)
    target[rows, true] = 1.0
    bins = reliability(chances.max(axis=1), first, weight)
    total = sum(one["weight"] for one in bins)
    gap = sum(one["weight"] * abs(one["said"] - one["right"]) for one in bins)
    return {
        "examples": len(true),
        "faults_weight": round(float(weight.sum()), 1),
        "top1": _mean(first, weight),
        "top2": _mean(second, weight),
        "log_loss": _mean(-np.log(given), weight),
        "brier": _mean(((chances - target) ** 2).sum(axis=1), weight),
        "calibration_error": round(gap / total, 4),
        "reliability": bins,
    }


def reliability(said: Floats, right: NDArray[np.bool_], weight: Floats) -> list[dict[str, float]]:
    """For each bin of the first cause's chance that is not empty: what was said and came true."""
    at = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    return [
        {
            "from": number / BINS,
            "weight": round(float(weight[at == number].sum()), 2),
            "said": _mean(said[at == number], weight[at == number]),
            "right": _mean(right[at == number], weight[at == number]),
        }
        for number in np.unique(at[weight > 0]).tolist()
    ]


def _mean(values: NDArray[Any], weight: Floats) -> float:
    return round(float(np.average(values, weights=weight)), 4)
