"""The ledger's word on a dwelling-day."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from analytics.owed import NUMBER
from analytics.verdicts import DayHours, TownDay, UnitDay, judge_days
from analytics.verdicts import judge_day as judge_hours
from hearthline.domain.policies import PROFILES, DayVerdict, HoldReason

Floats = NDArray[np.float64]
POLICY = PROFILES["standard-20"].on(date(2026, 1, 12))


def judge_day(
    levels: Sequence[float] | Floats, covered: Sequence[float] | Floats, held: object = None
) -> UnitDay:
    """The verdict on one dwelling's day under the rule of 20 °C."""
    numbers = None if held is None else np.array(held, np.int8)
    return judge_hours(DayHours(np.array(levels), np.array(covered), numbers), POLICY)


def day(levels: list[float], covered: float = 60.0) -> UnitDay:
    return judge_day(levels, [covered] * len(levels))


def held(level: float, reasons: dict[HoldReason, int]) -> UnitDay:
    """A day of one level in which so many hours were held back for each reason."""
    numbers = [NUMBER[reason] for reason, hours in reasons.items() for _ in range(hours)]
    return judge_day([level] * 24, [60.0] * 24, numbers + [0] * (24 - len(numbers)))


def test_a_day_whose_mean_is_below_the_standard_is_below() -> None:
    """Minutes below and the minimum are kept with it."""
    judged = day([19.0] * 18 + [21.0] * 6)
    assert (judged.verdict, judged.below_min, judged.min_c) == (DayVerdict.BELOW, 1080, 19)
    assert judged.mean_c == 19.5


def test_a_few_low_hours_leave_a_day_compliant() -> None:
    """The mean decides, the minutes are on record."""
    judged = day([19.5] * 3 + [21.5] * 21)
    assert (judged.verdict, judged.below_min) == (DayVerdict.COMPLIANT, 180)


def test_too_little_measured_is_undetermined_never_cold() -> None:
    """Eleven hours of bitter cold are not a verdict on a day."""
    judged = day([10.0] * 11)
    assert (judged.verdict, judged.reason) == (
        DayVerdict.UNDETERMINED,
        HoldReason.TOO_FEW_READINGS,
    )
    nothing = judge_day([np.nan] * 24, [0.0] * 24)
    assert (nothing.mean_c, nothing.min_c, nothing.covered_min) == (None, None, 0)
    assert nothing.verdict is DayVerdict.UNDETERMINED


def test_minutes_weigh() -> None:
    """An hour that was hardly measured hardly counts."""
    judged = judge_day([18.0, *[21.0] * 13], [5.0, *[60.0] * 13])
    assert judged.verdict is DayVerdict.COMPLIANT


def test_what_is_not_owed_is_held_back_with_its_reason() -> None:
    """A stopped dwelling is measured but not judged."""
    judged = held(12.0, {HoldReason.HEATING_STOPPED: 24})
    assert (judged.verdict, judged.reason) == (DayVerdict.HELD_BACK, HoldReason.HEATING_STOPPED)
    assert (judged.mean_c, judged.covered_min) == (12.0, 1440), "what was measured is on record"


def test_hours_in_which_heat_was_not_owed_do_not_count() -> None:
    """Six hours of maintenance: the other eighteen are judged, and only they are told."""
    judged = held(15.0, {HoldReason.MAINTENANCE: 6})
    assert (judged.verdict, judged.covered_min) == (DayVerdict.BELOW, 18 * 60)


def test_a_day_mostly_held_back_is_held_back_with_its_main_reason() -> None:
    judged = held(15.0, {HoldReason.MAINTENANCE: 5, HoldReason.VACANT: 8})
    assert (judged.verdict, judged.reason) == (DayVerdict.HELD_BACK, HoldReason.VACANT)


def test_readings_that_are_too_few_anyway_are_what_is_told() -> None:
    """One hour of maintenance is not why fifteen hours are missing."""
    number = NUMBER[HoldReason.MAINTENANCE]
    judged = judge_day([15.0] * 9, [60.0] * 9, [number] + [0] * 8)
    assert judged.reason is HoldReason.TOO_FEW_READINGS
    assert judge_day([15.0], [60.0], [number]).reason is HoldReason.MAINTENANCE


def test_sensors_that_lie_tell_no_figures() -> None:
    """And a stopped dwelling is stopped, whatever its sensor is worth."""
    numbers = np.zeros((2, 24), np.int8)
    numbers[1] = NUMBER[HoldReason.HEATING_STOPPED]
    hours = TownDay(np.full((2, 24), 12.0), np.full((2, 24), 60.0), numbers)
    liar, stopped = judge_days(hours, POLICY, np.array([False, False]))
    assert (liar.verdict, liar.reason) == (DayVerdict.HELD_BACK, HoldReason.SENSOR_UNTRUSTED)
    assert (liar.covered_min, liar.mean_c) == (0, None)
    assert stopped.reason is HoldReason.HEATING_STOPPED


def test_a_day_exactly_at_the_standard_is_compliant() -> None:
    """Whatever the sum of its floats says."""
    judged = judge_day([20.0] * 24, np.linspace(10.1, 59.9, 24))
    assert (judged.verdict, judged.below_min, judged.mean_c) == (DayVerdict.COMPLIANT, 0, 20.0)
    assert day([19.999] * 24).verdict is DayVerdict.BELOW


hour = st.tuples(st.floats(10, 28) | st.just(np.nan), st.floats(0, 60), st.integers(0, 7))


@given(st.lists(st.lists(hour, min_size=24, max_size=24), min_size=1, max_size=5))
def test_a_dwelling_is_judged_alike_alone_and_in_company(rows: list[list[tuple]]) -> None:  # type: ignore[type-arg]
    """And never below standard on less than the rule asks for."""
    table = np.array(rows)
    mean = table[:, :, 0]
    covered = np.where(np.isnan(mean), 0.0, table[:, :, 1])
    numbers = table[:, :, 2].astype(np.int8)
    together = judge_days(TownDay(mean, covered, numbers), POLICY)
    for row, line in enumerate(together):
        assert line == judge_day(mean[row], covered[row], numbers[row])
        if line.verdict in {DayVerdict.BELOW, DayVerdict.COMPLIANT}:
            assert covered[row][numbers[row] == 0].sum() >= 12 * 60
            assert line.mean_c is not None
            assert (line.mean_c < 20) == (line.verdict is DayVerdict.BELOW)


def test_a_city_is_judged_in_a_moment() -> None:
    """A hundred thousand dwellings, the sum of their minutes as one counts it by hand."""
    rng = np.random.default_rng(7)
    mean = rng.normal(20, 1, (100_000, 24))
    lines = judge_days(
        TownDay(mean, np.full(mean.shape, 60.0), np.zeros(mean.shape, np.int8)), POLICY
    )
    assert lines[17].mean_c == pytest.approx(mean[17].mean(), abs=1e-3)
    assert lines[17].below_min == 60 * (np.round(mean[17], 3) < 20).sum()


def test_a_reason_from_without_leaves_the_figures() -> None:
    judged = judge_hours(
        DayHours(np.full(24, 12.0), np.full(24, 60.0)), POLICY, HoldReason.SENSOR_UNTRUSTED
    )
    assert (judged.verdict, judged.reason, judged.mean_c) == (
        DayVerdict.HELD_BACK,
        HoldReason.SENSOR_UNTRUSTED,
        12.0,
    )
