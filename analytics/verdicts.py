"""The compliance ledger's word on a dwelling and a local day.

A day is below standard when the mean of its counted hours, weighted by the minutes that readings
stand for, is below the threshold of the policy valid on that day (the reading that a certified
inspector's three values stand for). Too little measured is *undetermined*, never cold; measured
but not owed (out of season, heating stopped, a sensor that lies) is *held back* with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearthline.domain.policies import DayVerdict, HoldReason, Policy

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DayHours:
    """The counted hours of one dwelling's local day: means in °C and minutes covered, both (n,)."""

    mean_c: Floats
    covered_min: Floats


@dataclass(frozen=True, slots=True)
class UnitDay:
    """One line of the ledger; minutes and °C, NaN-free (None where nothing was measured)."""

    covered_min: float
    below_min: float
    mean_c: float | None
    min_c: float | None
    verdict: DayVerdict
    reason: HoldReason


def judge_day(hours: DayHours, policy: Policy, hold: HoldReason = HoldReason.NONE) -> UnitDay:
    """The verdict on one day; ``hold`` says why none may be given, if so."""
    covered = float(hours.covered_min.sum())
    below = float(hours.covered_min[hours.mean_c < policy.threshold_c].sum())
    mean = float(np.average(hours.mean_c, weights=hours.covered_min)) if covered > 0 else None
    lowest = float(hours.mean_c.min()) if len(hours.mean_c) else None
    verdict, reason = _word(covered, mean, policy, hold)
    return UnitDay(covered, below, mean, lowest, verdict, reason)


def _word(
    covered_min: float, mean_c: float | None, policy: Policy, hold: HoldReason
) -> tuple[DayVerdict, HoldReason]:
    if hold is not HoldReason.NONE:
        return DayVerdict.HELD_BACK, hold
    if mean_c is None or covered_min * 60 < policy.min_covered.total_seconds():
        return DayVerdict.UNDETERMINED, HoldReason.TOO_FEW_READINGS
    below = mean_c < policy.threshold_c
    return (DayVerdict.BELOW if below else DayVerdict.COMPLIANT), HoldReason.NONE
