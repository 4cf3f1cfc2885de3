"""Every dwelling's temperature, measured or not, with an interval that covers.

Pure. The model is ``kriging``; this module decides how sure it may call itself. It hides a part of
the measured dwellings from the model, estimates them, and widens (or narrows) all intervals by
what the errors there showed: an interval that says 90 % has held 90 % of dwellings that were not
looked at. Where few can be hidden, the errors are drawn towards those of a Student-t, and they
never make an interval narrower than the model's own: a few dozen errors may flatter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.outlook import kriging, tails, trend
from analytics.outlook.kriging import Fit
from analytics.outlook.spread import PRIOR, SENSOR_K, Spread, measure
from analytics.outlook.town import Town

Floats = NDArray[np.float64]

FOLDS = 5
ENOUGH_HIDDEN = 500
"""Of so many errors the share below a limit is known within 1.3 % (binomial)."""
PRIOR_HIDDEN = 20
SEED = 7_206_613


@dataclass(frozen=True)
class Estimate:
    """Temperatures of all dwellings, (dwellings,) each: mean, half the 90 % interval, K.

    ``measured`` tells which have their own sensor in it; ``widened`` by how much the errors of
    hidden dwellings stretched the model's own intervals; ``hidden`` how many were hidden.
    """

    mean_c: Floats
    half_k: Floats
    measured: NDArray[np.bool_]
    spread: Spread
    widened: float
    hidden: int
    fit: Fit

    @property
    def low_c(self) -> Floats:
        """Lower end of the 90 % interval."""
        return self.mean_c - self.half_k

    @property
    def high_c(self) -> Floats:
        """Upper end of the 90 % interval."""
        return self.mean_c + self.half_k

    def below(self, limit_c: float) -> Floats:
        """Chance of each dwelling to be below a limit, 0 to 1."""
        return tails.below(limit_c, self.mean_c, self.half_k)


def estimate(town: Town, level_c: Floats) -> Estimate:
    """Estimate all dwellings from those measured.

    Args:
        town: the dwellings.
        level_c: means of believed sensors over an hour or a day, (dwellings,); NaN elsewhere.
    """
    spread = _spread(town, level_c)
    model = kriging.fit(town, spread, kriging.build(town, level_c))
    mean, variance = model.predict()
    errors = _hidden_errors(town, level_c, spread)
    widened = _quantile(errors) / tails.NORMAL_HALF
    half = _quantile(errors) * np.sqrt(variance)
    measured = ~np.isnan(level_c)
    half = np.where(measured, tails.NORMAL_HALF * SENSOR_K, half)
    mean = np.where(measured, level_c, mean)
    return Estimate(mean, half, measured, spread, widened, len(errors), model)


def _spread(town: Town, level_c: Floats) -> Spread:
    """Variances of heated, measured dwellings around what the trend explains at first sight."""
    rough = kriging.fit(town, PRIOR, kriging.build(town, level_c), passes=1)
    explained = np.einsum("uk,k->u", trend.columns(town), np.median(rough.trend_c, axis=0))
    return measure(town, np.where(town.owed, level_c - explained, np.nan))


def _hidden_errors(town: Town, level_c: Floats, spread: Spread) -> Floats:
    """Errors of dwellings hidden from the model, in standard deviations it gave itself."""
    known = np.flatnonzero(~np.isnan(level_c) & town.owed)
    order = np.random.default_rng(SEED).permutation(known)
    found: list[Floats] = []
    for fold in range(FOLDS):
        hidden = order[fold::FOLDS]
        if not len(hidden) or sum(map(len, found)) >= ENOUGH_HIDDEN:
            break
        seen = level_c.copy()
        seen[hidden] = np.nan
        mean, variance = kriging.fit(town, spread, kriging.build(town, seen)).predict()
        off = level_c[hidden] - mean[hidden]
        found.append(off / np.sqrt(variance[hidden] + SENSOR_K**2))
    return np.concatenate(found) if found else np.empty(0)


def _quantile(errors: Floats) -> float:
    """The share's quantile of absolute errors, with ``PRIOR_HIDDEN`` errors of a Student-t."""
    ranks = (np.arange(PRIOR_HIDDEN) + 0.5) / PRIOR_HIDDEN
    usual = tails.quantile(0.5 + ranks / 2.0) * tails.NORMAL_HALF / tails.T_HALF
    found = float(np.quantile(np.concatenate([np.abs(errors), usual]), tails.SHARE))
    return max(found, tails.NORMAL_HALF)
