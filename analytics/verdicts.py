"""The compliance ledger's word on a dwelling and a local day.

A day is below standard when the mean of its counted hours, weighted by the minutes that readings
stand for, is below the threshold of the policy valid on that day (the reading that a certified
inspector's three values stand for). Too little measured is *undetermined*, never cold; measured
but not owed (out of season, heating stopped, maintenance, a sensor that lies) is *held back* with
the reason. Hours in which heat was not owed do not count; a day is judged by the rest of it where
enough is left.

Pure, and of all dwellings of a day at once: a city has a hundred thousand, every hour anew.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.owed import REASONS, Reasons
from hearthline.domain.policies import DayVerdict, HoldReason, Policy
from hearthline.domain.policies.refunds import DECIMALS

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TELLABLE: tuple[HoldReason, ...] = (
    *REASONS,
    HoldReason.TOO_FEW_READINGS,
    HoldReason.SENSOR_UNTRUSTED,
)
"""Every reason that a line of the ledger may carry; the numbers of ``owed.REASONS`` stay."""

TOO_FEW = TELLABLE.index(HoldReason.TOO_FEW_READINGS)
UNTRUSTED = TELLABLE.index(HoldReason.SENSOR_UNTRUSTED)


@dataclass(frozen=True, slots=True)
class DayHours:
    """The counted hours of one dwelling's local day: means in °C and minutes covered, both (n,).

    ``held`` says of each why heat was not owed, as indices into ``owed.REASONS``; None: it was.
    """

    mean_c: Floats
    covered_min: Floats
    held: Reasons | None = None


@dataclass(frozen=True, slots=True)
class TownDay:
    """Counted hours of many dwellings on one local day, each (dwellings, hours).

    ``mean_c`` is NaN and ``covered_min`` 0 where nothing was measured; ``held`` as of ``DayHours``.
    """

    mean_c: Floats
    covered_min: Floats
    held: Reasons


@dataclass(frozen=True, slots=True)
class UnitDay:
    """One line of the ledger; minutes and °C, NaN-free (None where nothing was measured)."""

    covered_min: float
    below_min: float
    mean_c: float | None
    min_c: float | None
    verdict: DayVerdict
    reason: HoldReason


def judge_days(hours: TownDay, policy: Policy, trusted: Bools | None = None) -> list[UnitDay]:
    """The verdicts on one local day, a dwelling a row.

    ``trusted`` is False (dwellings,) where all that was measured comes from sensors that lie:
    such a day is held back and tells no figures. Figures are of the hours that were judged, or
    of all where the day is held back.
    """
    known = hours.covered_min > 0
    owed = known & (hours.held == 0)
    few = ~_enough(hours, owed, policy)
    spared = _enough(hours, known, policy) | ~owed.any(axis=1)  # else readings are too few anyway
    reason = np.where(few & spared, _main_reason(hours.held, known), 0)
    told = np.ones(len(reason), bool) if trusted is None else trusted
    reason = np.where((reason == 0) & ~told, UNTRUSTED, reason)
    counted = np.where(reason[:, np.newaxis] > 0, known, owed) & told[:, np.newaxis]
    reason = np.where((reason == 0) & few, TOO_FEW, reason)
    return _lines(_figures(hours, counted, policy), reason, policy)


def judge_day(hours: DayHours, policy: Policy, hold: HoldReason = HoldReason.NONE) -> UnitDay:
    """The verdict on one dwelling's day; ``hold`` says why none may be given, if so."""
    held = np.zeros(len(hours.mean_c), np.int8) if hours.held is None else hours.held
    town = TownDay(hours.mean_c[np.newaxis], hours.covered_min[np.newaxis], held[np.newaxis])
    if hold is HoldReason.NONE:
        return judge_days(town, policy)[0]
    reason = np.array([TELLABLE.index(hold)])
    return _lines(_figures(town, town.covered_min > 0, policy), reason, policy)[0]


def _enough(hours: TownDay, which: Bools, policy: Policy) -> Bools:
    covered_s = np.where(which, hours.covered_min, 0.0).sum(axis=1) * 60
    enough: Bools = (covered_s > 0) & (covered_s >= policy.min_covered.total_seconds())
    return enough


def _main_reason(held: Reasons, known: Bools) -> NDArray[np.int64]:
    """The reason of the most hours in which heat was not owed; 0 where it always was."""
    counts = np.stack(
        [((held == number) & known).sum(axis=1) for number in range(1, len(REASONS))], axis=1
    )
    main: NDArray[np.int64] = np.where(counts.any(axis=1), counts.argmax(axis=1) + 1, 0)
    return main


@dataclass(frozen=True, slots=True)
class _Figures:
    covered_min: Floats
    below_min: Floats
    mean_c: Floats
    min_c: Floats


def _figures(hours: TownDay, counted: Bools, policy: Policy) -> _Figures:
    """Each (dwellings,); NaN where nothing counts. Levels to the millikelvin, as refunds are."""
    weight = np.where(counted, hours.covered_min, 0.0)
    level = np.where(counted, hours.mean_c, np.nan)
    covered = weight.sum(axis=1)
    below = np.where(np.round(level, DECIMALS) < policy.threshold_c, weight, 0.0).sum(axis=1)
    total = (np.nan_to_num(level) * weight).sum(axis=1)
    mean = np.full(len(covered), np.nan)
    np.divide(total, covered, out=mean, where=covered > 0)
    lowest = np.where(counted, hours.mean_c, np.inf).min(axis=1, initial=np.inf)
    return _Figures(
        covered, below, np.round(mean, DECIMALS), np.where(np.isinf(lowest), np.nan, lowest)
    )


def _lines(figures: _Figures, reason: NDArray[np.int64], policy: Policy) -> list[UnitDay]:
    below = figures.mean_c < policy.threshold_c
    columns = (figures.covered_min, figures.below_min, figures.mean_c, figures.min_c, reason, below)
    return [
        UnitDay(covered, below_min, _or_none(mean), _or_none(low), _word(why, cold), TELLABLE[why])
        for covered, below_min, mean, low, why, cold in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]


def _word(reason: int, below: bool) -> DayVerdict:
    if reason == TOO_FEW:
        return DayVerdict.UNDETERMINED
    if reason:
        return DayVerdict.HELD_BACK
    return DayVerdict.BELOW if below else DayVerdict.COMPLIANT


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
