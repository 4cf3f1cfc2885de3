"""The ledger's word on a dwelling-day."""

from datetime import date

import numpy as np

from analytics.verdicts import DayHours, judge_day
from hearthline.domain.policies import PROFILES, DayVerdict, HoldReason

POLICY = PROFILES["standard-20"].on(date(2026, 1, 12))


def day(levels: list[float], covered: float = 60.0) -> DayHours:
    return DayHours(np.array(levels, float), np.full(len(levels), covered))


def test_a_day_whose_mean_is_below_the_standard_is_below() -> None:
    """Minutes below and the minimum are kept with it."""
    judged = judge_day(day([19.0] * 18 + [21.0] * 6), POLICY)
    assert (judged.verdict, judged.below_min, judged.min_c) == (DayVerdict.BELOW, 1080, 19)
    assert judged.mean_c == 19.5


def test_a_few_low_hours_leave_a_day_compliant() -> None:
    """The mean decides, the minutes are on record."""
    judged = judge_day(day([19.5] * 3 + [21.5] * 21), POLICY)
    assert (judged.verdict, judged.below_min) == (DayVerdict.COMPLIANT, 180)


def test_too_little_measured_is_undetermined_never_cold() -> None:
    """Eleven hours of bitter cold are not a verdict on a day."""
    judged = judge_day(day([10.0] * 11), POLICY)
    assert (judged.verdict, judged.reason) == (
        DayVerdict.UNDETERMINED,
        HoldReason.TOO_FEW_READINGS,
    )
    assert judge_day(day([]), POLICY).mean_c is None


def test_what_is_not_owed_is_held_back_with_its_reason() -> None:
    """A stopped dwelling is measured but not judged."""
    judged = judge_day(day([12.0] * 24), POLICY, HoldReason.HEATING_STOPPED)
    assert (judged.verdict, judged.reason) == (DayVerdict.HELD_BACK, HoldReason.HEATING_STOPPED)


def test_minutes_weigh() -> None:
    """An hour that was hardly measured hardly counts."""
    hours = DayHours(np.array([18.0, 21.0] + [21.0] * 12), np.array([5.0] + [60.0] * 13))
    assert judge_day(hours, POLICY).verdict is DayVerdict.COMPLIANT
