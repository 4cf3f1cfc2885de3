"""What is usual of a meter, learnt from the hours before: lines over the weather, and levels.

Lines are drawn anew for every day from the hours before that day, so that an hour is judged only
by what was known before it. Hours that were called unusual teach nothing: a fault that lasts for
weeks does not become the standard.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from analytics.robust import median

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

DAY = 24
LEAST_HOURS = 24
"""Hours from which a line is drawn: a whole day, so that noon and night are in it."""
_HUBER = 1.5  # residuals beyond this many deviations lose weight (Huber 1964: 1.345 to 2)
_ROUNDS = 3
_RIDGE = 1e-3  # a level that hardly varies does not tilt the line
_ABS = 1.2533  # the standard deviation of a normal sample over its mean absolute deviation
_HIGH = 0.9
_SHIFTED = 0.03

Unusual = Callable[[Floats], Bools]
"""Which of a day's residuals, (meters, hours of that day), must not be learnt from."""


def regressors(outdoor_c: Floats) -> Floats:
    """What a meter's usual value depends on, (hours, 3): one, the outdoors, their last six hours.

    Gaps of the weather are bridged; where nothing is known of it at all it is called constant.
    """
    known = ~np.isnan(outdoor_c)
    hours = np.arange(len(outdoor_c))
    bridged = np.zeros(len(hours))
    if known.any():
        bridged = np.interp(hours, hours[known], outdoor_c[known])
    padded = np.concatenate([np.full(5, bridged[0] if len(bridged) else 0.0), bridged])
    lagged = np.lib.stride_tricks.sliding_window_view(padded, 6).mean(axis=1)
    return np.column_stack([np.ones(len(hours)), bridged, lagged])


def residuals(value: Floats, weather: Floats, unusual: Unusual) -> Floats:
    """By how much each hour lies above what was usual before its day, (meters, hours).

    ``value`` is (meters, hours), ``weather`` (hours, k) as ``regressors`` makes it. NaN where
    nothing was measured or less than ``LEAST_HOURS`` were known before. ``unusual`` tells, day by
    day, which hours no later day may learn from.
    """
    found = np.full(value.shape, np.nan)
    lessons = ~np.isnan(value)
    for start in range(DAY, value.shape[1], DAY):
        day = slice(start, min(start + DAY, value.shape[1]))
        line = fit(value[:, :start], weather[:start], lessons[:, :start])
        found[:, day] = value[:, day] - line @ weather[day].T
        lessons[:, day] &= ~unusual(found[:, day])
    return found


def fit(value: Floats, weather: Floats, lessons: Bools) -> Floats:
    """Huber's line of every meter, (meters, k); NaN where too little is known."""
    filled = np.nan_to_num(value)
    weight = lessons.astype(np.float64)
    count = np.maximum(weight.sum(axis=1), 1.0)
    line = np.zeros((len(value), weather.shape[1]))
    for _ in range(_ROUNDS):
        line = _solve(filled, weather, weight)
        off = np.abs(filled - line @ weather.T)
        spread = _ABS * (off * lessons).sum(axis=1) / count
        far = off / np.maximum(spread, 1e-6)[:, None]
        weight = lessons * np.minimum(1.0, _HUBER / np.maximum(far, _HUBER))
    line[lessons.sum(axis=1) < LEAST_HOURS] = np.nan
    return line


def _solve(value: Floats, weather: Floats, weight: Floats) -> Floats:
    """Weighted least squares of every row, with a small ridge on all but the constant."""
    width = weather.shape[1]
    products = (weather[:, :, None] * weather[:, None, :]).reshape(len(weather), -1)
    gram = (weight @ products).reshape(-1, width, width)
    ridge = _RIDGE * weight.sum(axis=1)[:, None, None] * np.eye(width)
    ridge[:, 0, 0] = 0.0
    right = (weight * value) @ weather
    solved: Floats = np.linalg.solve(gram + ridge + 1e-9 * np.eye(width), right[..., None])
    return solved[..., 0]


def ratios(value: Floats, step: int = 6) -> Floats:
    """Each hour over the high level of the hours before it, (meters, hours).

    The level is the 90 % quantile of the earlier hours, anew every ``step`` hours: what flows when
    nothing is in the way, whatever has crept up since. Hours more than ``_SHIFTED`` off the level
    teach nothing. NaN before there is a level.
    """
    found = np.full(value.shape, np.nan)
    lessons = value.copy()
    for start in range(step, value.shape[1], step):
        past = lessons[:, :start]
        enough = (~np.isnan(past)).sum(axis=1) >= step
        if not enough.any():
            continue
        level = np.full(len(value), np.nan)
        level[enough] = _quantile(past[enough], _HIGH)
        level[level <= 0] = np.nan
        here = slice(start, min(start + step, value.shape[1]))
        found[:, here] = value[:, here] / level[:, None]
        with np.errstate(invalid="ignore"):
            lessons[:, here][np.abs(found[:, here] - 1.0) > _SHIFTED] = np.nan
    return found


def _quantile(rows: Floats, share: float) -> Floats:
    """``np.nanquantile`` over the hours of rows that know some, (rows,); that one goes by row."""
    ordered = np.sort(rows, axis=1)  # NaN comes last
    last = (~np.isnan(rows)).sum(axis=1) - 1
    low = np.floor(share * last).astype(np.int64)
    row = np.arange(len(rows))
    below, above = ordered[row, low], ordered[row, np.minimum(low + 1, last)]
    quantile: Floats = below + (above - below) * (share * last - low)
    return quantile


def levels(value: Floats) -> Floats:
    """The median of all earlier whole days, (rows, hours); of the first day itself in it."""
    found = np.full(value.shape, np.nan)
    for start in range(0, value.shape[1], DAY):
        past = value[:, : max(start, DAY)]
        found[:, start : start + DAY] = median(past, axis=1)[:, None]
    return found


def sustained(condition: Bools, known: Bools, hours: int) -> Bools:
    """Where a condition has held for ``hours`` known hours in a row, (rows, hours).

    A gap neither adds nor ends.
    """
    against = np.cumsum(known & ~condition, axis=1)
    held = np.cumsum(known & condition, axis=1)
    # held counts at the last hour that spoke against: all since then are in favour
    at_last = np.maximum.accumulate(np.where(known & ~condition, held, 0), axis=1)
    result: Bools = (held - np.where(against > 0, at_last, 0) >= hours) & (known | (held > 0))
    return result


def latched(enter: Bools, stay: Bools) -> Bools:
    """On from where ``enter`` holds until ``stay`` ends: a hysteresis, (rows, hours)."""
    hours = np.arange(enter.shape[1])
    entered = np.maximum.accumulate(np.where(enter, hours, -1), axis=1)
    left = np.maximum.accumulate(np.where(~stay & ~enter, hours, -1), axis=1)
    on: Bools = entered > left
    return on


def echo(mask: Bools, hours: int) -> Bools:
    """True also for ``hours`` after each True, (rows, hours)."""
    at = np.arange(mask.shape[1])
    last = np.maximum.accumulate(np.where(mask, at, -1 - hours), axis=1)
    echoed: Bools = at - last <= hours
    return echoed


def median_of(rows: Floats) -> Floats:
    """Median over rows, (hours,); NaN where nothing is known."""
    return median(rows, axis=0)
