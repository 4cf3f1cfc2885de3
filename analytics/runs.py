"""Stretches of hours in which something holds, and what was measured in them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def runs(mask: Bools) -> list[tuple[int, int]]:
    """First and past-the-last hours of every run of True."""
    edges = np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(int(first), int(stop)) for first, stop in zip(starts, stops, strict=True)]


def row_runs(mask: Bools) -> list[tuple[int, tuple[int, int]]]:
    """The runs of every row that has any."""
    return [(int(row), run) for row in np.flatnonzero(mask.any(axis=1)) for run in runs(mask[row])]


def below(value: Floats, limit: float) -> Bools:
    """Known and at or below a limit."""
    with np.errstate(invalid="ignore"):
        return np.asarray(value <= limit)


def above(value: Floats, limit: float) -> Bools:
    """Known and at or above a limit."""
    with np.errstate(invalid="ignore"):
        return np.asarray(value >= limit)


def last(series: Floats, run: tuple[int, int]) -> float:
    """The last known value before a run's end."""
    known = series[: run[1]][~np.isnan(series[: run[1]])]
    return float(known[-1]) if len(known) else float("nan")


def extreme(series: Floats, run: tuple[int, int], of: Callable[[Floats], float]) -> float:
    """Least, greatest or median known value in a run."""
    here = series[slice(*run)]
    known = here[~np.isnan(here)]
    return float(of(known)) if len(known) else float("nan")
