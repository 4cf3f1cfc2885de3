"""Energy signature: what a place's heat is at some weather, learnt from its own days before.

    P = a − b·T − c·G,   T = (1 − w)·T_today + w·T_yesterday

``P`` in kW, ``T`` daily mean outdoors in °C, ``G`` daily mean sun in W/m², ``w`` the weight of
yesterday: buildings of 65 to 105 h remember it. The same fit without sun serves the supply
temperature, where it is the control curve that is really driven.

Robust: reweighted least squares with Huber's weights, so that a few broken days do not bend the
line; ``w`` is the one of a few that leaves least scatter. All places are fitted at once.

What it may say is limited: on a real station the daily residual is about 8 % of the mean, so a
day is called only beyond 25 % of its heat, and beyond three times the fit's own scatter. There is
no fit from under ten reference days, nor where the weather hardly changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analytics.water import BoolArray, FloatArray

REFERENCE_DAYS = 10
FIT_DAYS = 60
CALLED = 0.25
LEAST_WEATHER_K = 1.5
"""Standard deviation of outdoor days under which a slope is mostly noise."""
_YESTERDAY = (0.0, 0.15, 0.3, 0.45, 0.6)
_ROUNDS = 6
_HUBER = 1.345  # efficient to 95 % where all is normal
_MAD = 1.4826
_RIDGE = 1e-9


class NoFit(StrEnum):
    """Why a place has no signature; NONE where it has."""

    NONE = ""
    TOO_FEW_DAYS = "too_few_days"
    EVEN_WEATHER = "even_weather"
    NO_SLOPE = "no_slope"  # it takes no more when it is colder: not heated by need, or broken


class Call(StrEnum):
    """A day's heat against its signature."""

    NONE = ""
    HIGH = "high"
    LOW = "low"


@dataclass(frozen=True, slots=True, eq=False)
class Signatures:
    """Fits of many places, columns of one length; NaN where ``reason`` says there is none.

    ``scatter`` is the robust standard deviation of a day in the fitted unit, ``mean`` the mean
    of the reference days.
    """

    base: FloatArray
    per_k: FloatArray
    per_wm2: FloatArray
    yesterday: FloatArray
    scatter: FloatArray
    mean: FloatArray
    days: FloatArray
    reason: tuple[NoFit, ...]

    def expected(
        self, outdoor_c: FloatArray | float, before_c: FloatArray | float, solar_wm2: float
    ) -> FloatArray:
        """What the fits say for a day, in the fitted unit; sun that is not known counts as none."""
        felt = (1.0 - self.yesterday) * outdoor_c + self.yesterday * before_c
        sun = np.nan_to_num(solar_wm2)
        return np.asarray(self.base - self.per_k * felt - self.per_wm2 * sun)


def fit(
    value: FloatArray,
    outdoor_c: FloatArray,
    before_c: FloatArray,
    solar_wm2: FloatArray | None = None,
) -> Signatures:
    """Fit every place over the same days.

    Args:
        value: heat in kW or temperature in °C, [places, days]; NaN where not measured.
        outdoor_c: daily mean, [days]; NaN where not known.
        before_c: that of the day before, [days]; where not known, the same day's is taken.
        solar_wm2: daily mean, [days]; None, or nowhere known, to leave it out.
    """
    places = len(value)
    before = np.where(np.isfinite(before_c), before_c, outdoor_c)
    sun = np.zeros(len(outdoor_c)) if solar_wm2 is None else np.nan_to_num(solar_wm2)
    known = np.isfinite(value) & np.isfinite(outdoor_c)[None, :]
    clean = np.where(known, value, 0.0)
    best = _Best.none(places)
    for weight in _YESTERDAY if known.any() else ():
        felt = np.nan_to_num((1.0 - weight) * outdoor_c + weight * before)
        best.take(weight, *_robust(clean, known, felt, sun))
    return _judged(best, clean, known, np.nan_to_num(outdoor_c))


@dataclass(slots=True, eq=False)
class _Best:
    """The fit with the least scatter so far, per place."""

    line: FloatArray
    scatter: FloatArray
    yesterday: FloatArray

    @classmethod
    def none(cls, places: int) -> _Best:
        return cls(np.full((places, 3), np.nan), np.full(places, np.inf), np.zeros(places))

    def take(self, weight: float, line: FloatArray, scatter: FloatArray) -> None:
        better = scatter < self.scatter * (1.0 - 1e-6)
        self.line[better], self.scatter[better] = line[better], scatter[better]
        self.yesterday[better] = weight


def _robust(
    value: FloatArray, known: BoolArray, felt_c: FloatArray, sun: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Lines (base, per_k, per_wm2) of all places, and the spread of their residuals."""
    columns = np.stack([np.ones_like(felt_c), -felt_c, -sun / 100.0], axis=1)
    if not sun.any():
        columns[:, 2] = 0.0
    line, scatter = _weighted(value, known, columns)
    brighter_needs_more = line[:, 2] < 0.0
    if brighter_needs_more.any():  # the sun cannot raise the need: leave it out there
        without = columns.copy()
        without[:, 2] = 0.0
        again = _weighted(value[brighter_needs_more], known[brighter_needs_more], without)
        line[brighter_needs_more], scatter[brighter_needs_more] = again
    return line * np.array([1.0, 1.0, 0.01]), scatter


def _weighted(
    value: FloatArray, known: BoolArray, columns: FloatArray
) -> tuple[FloatArray, FloatArray]:
    weight = known.astype(np.float64)
    ridge = _RIDGE * np.eye(3) * max(float((columns**2).sum()), 1.0)
    for _ in range(_ROUNDS):
        normal = np.einsum("pd,di,dj->pij", weight, columns, columns) + ridge
        right = np.einsum("pd,di->pi", weight * value, columns)
        line = np.linalg.solve(normal, right[:, :, None])[:, :, 0]
        residual = value - line @ columns.T
        scatter = _mad(residual, known)
        far = np.abs(residual) / np.maximum(_HUBER * scatter[:, None], 1e-9)
        weight = known / np.maximum(far, 1.0)
    return line, scatter


def _mad(residual: FloatArray, known: BoolArray) -> FloatArray:
    """Robust standard deviation about zero, freedom of the fit counted; per place."""
    size = np.where(known, np.abs(residual), np.nan)
    count = known.sum(axis=1)
    size[count == 0, 0] = 0.0
    freed = np.sqrt(count / np.maximum(count - 3.0, 1.0))
    return np.asarray(_MAD * np.nanmedian(size, axis=1) * freed)


def _judged(best: _Best, value: FloatArray, known: BoolArray, outdoor_c: FloatArray) -> Signatures:
    count = known.sum(axis=1)
    weight = known / np.maximum(count, 1)[:, None]
    middle = weight @ outdoor_c
    weather_k = np.sqrt((weight * (outdoor_c[None, :] - middle[:, None]) ** 2).sum(axis=1))
    mean = (weight * value).sum(axis=1)
    tests = (
        (count < REFERENCE_DAYS, NoFit.TOO_FEW_DAYS),
        (weather_k < LEAST_WEATHER_K, NoFit.EVEN_WEATHER),
        (~(best.line[:, 1] > 0.0), NoFit.NO_SLOPE),
    )
    reason = tuple(
        next((why for stands, why in tests if stands[at]), NoFit.NONE) for at in range(len(value))
    )
    gone = np.array([bool(why) for why in reason], dtype=bool)
    line = np.where(gone[:, None], np.nan, best.line)
    return Signatures(
        base=line[:, 0],
        per_k=line[:, 1],
        per_wm2=line[:, 2],
        yesterday=np.where(gone, np.nan, best.yesterday),
        scatter=np.where(gone, np.nan, best.scatter),
        mean=mean,
        days=count.astype(np.float64),
        reason=reason,
    )


def call(heat: float | None, expected: float | None, scatter: float) -> Call:
    """Whether a day's heat lies beyond what its signature can be wrong by.

    Args:
        heat: of the day, any unit.
        expected: by the signature, same unit.
        scatter: a day's relative standard deviation by the fit, 0..1.
    """
    if heat is None or expected is None or not np.isfinite(expected) or expected <= 0.0:
        return Call.NONE
    off = heat / expected - 1.0
    if abs(off) < max(CALLED, 3.0 * scatter):
        return Call.NONE
    return Call.HIGH if off > 0.0 else Call.LOW
