"""Knocked and exchanged sensors, windows, and the real cold that must not look like them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analytics.trust import Facts, Trust, TrustReason, daily, judge
from analytics.trust.jump import LARGE_AFTER_H, SMALL_AFTER_H
from analytics.trust.keeping import joined
from analytics.trust.model import GRADE_B, GRADE_C, HOUR, NUMBER, SensorHours, Surroundings
from tests.unit.analytics.rooms import breathing, knocked, shown

KNOCK = 40


def reasons(trust: Trust, row: int, hour: int) -> tuple[str, TrustReason]:
    grade, reason = trust.why(row, hour)
    return grade.value, reason


@pytest.mark.parametrize("step_k", [-2.0, 2.5])
def test_a_knocked_sensor_is_doubted_then_known(step_k: float) -> None:
    """B within hours, C once it has stayed; its hours are unusable back to the knock."""
    trust = judge(knocked(shown(breathing(8, 96)), 3, KNOCK, step_k))
    assert reasons(trust, 3, KNOCK + 4)[0] == "B"
    known = slice(KNOCK + LARGE_AFTER_H, None)
    assert (trust.grade[3, known] == GRADE_C).all()
    assert reasons(trust, 3, 90) == ("C", TrustReason.MOVED)
    assert trust.measure[3, 90] == pytest.approx(step_k, abs=0.5)
    assert trust.since[3, 90] == KNOCK
    assert not trust.usable[3, KNOCK:].any()
    assert trust.usable[3, :KNOCK].all()
    assert (np.delete(trust.grade, 3, axis=0) < GRADE_C).all()


def test_a_smaller_step_must_stay_for_more_than_a_day() -> None:
    """What people do changes from one day to the next."""
    trust = judge(knocked(shown(breathing(8, 96)), 3, KNOCK, -1.35))
    assert (trust.grade[3, : KNOCK + SMALL_AFTER_H] < GRADE_C).all()
    assert (trust.grade[3, KNOCK + SMALL_AFTER_H + 1 :] == GRADE_C).all()


def test_put_right_again_it_is_believed_again() -> None:
    """The claim ends with the level's return, and the step back is no jump of its own."""
    sensors = knocked(knocked(shown(breathing(8, 120)), 3, KNOCK, -2.0), 3, 80, 2.0)
    trust = judge(sensors)
    assert trust.grade[3, 75] == GRADE_C
    assert (trust.grade[3, 90:] < GRADE_C).all()
    assert trust.usable[3, 90:].all()


def test_judgement_knows_only_the_past() -> None:
    """Grades at an hour are the same whether or not later hours are known."""
    sensors = knocked(shown(breathing(8, 96)), 3, KNOCK, -2.0)
    whole = judge(sensors)
    for width in (KNOCK + 6, KNOCK + LARGE_AFTER_H + 2, 80):
        part = judge(_until(sensors, width))
        assert np.array_equal(part.grade, whole.grade[:, :width])


def _until(sensors: SensorHours, hours: int) -> SensorHours:
    cut = slice(None, hours)
    return replace(
        sensors,
        mean_c=sensors.mean_c[:, cut],
        min_c=sensors.min_c[:, cut],
        max_c=sensors.max_c[:, cut],
        samples=sensors.samples[:, cut],
    )


@pytest.mark.parametrize("tau_h", [7.0, 16.0])
def test_a_closed_valve_is_not_a_lie(tau_h: float) -> None:
    """A dwelling that cools with its own time constant stays of grade A or B, and usable."""
    level = breathing(8, 120)
    after = np.maximum(np.arange(120) - KNOCK, 0)
    level[3] -= 4.0 * (1.0 - np.exp(-after / tau_h)) + 0.5 * (1.0 - np.exp(-after / 0.5))
    trust = judge(shown(level))
    assert (trust.grade[3] < GRADE_C).all()
    assert trust.usable.all()


def test_a_riser_that_cools_together_is_not_a_lie() -> None:
    """Three of eight sensors falling at once: an air lock."""
    level = breathing(8, 120)
    after = np.maximum(np.arange(120) - KNOCK, 0)
    level[2:5] -= 5.0 * (1.0 - np.exp(-after / 20.0))
    assert (judge(shown(level)).grade < GRADE_C).all()


def test_a_shortage_moves_everybody_and_accuses_nobody() -> None:
    level = breathing(8, 96)
    level[:, KNOCK:] -= 3.0
    assert (judge(shown(level)).grade < GRADE_B).all()


def test_an_opened_window_is_no_evidence_of_cold() -> None:
    """B while it is open, A afterwards."""
    level = breathing(8, 72)
    level[3, 30:32] -= 0.9
    trust = judge(shown(level))
    assert reasons(trust, 3, 30) == ("B", TrustReason.WINDOW)
    assert (trust.grade[3, 34:] < GRADE_B).all()
    assert trust.usable.all()


def test_an_hourly_sensor_is_not_called_knocked() -> None:
    """One reading an hour does not tell a jump from a quick change."""
    sensors = knocked(shown(breathing(8, 96)), 3, KNOCK, -2.0)
    hourly = replace(sensors, samples=np.minimum(sensors.samples, 1))
    assert (judge(hourly).grade < GRADE_C).all()


@pytest.mark.parametrize("beside", [-1, 1])
def test_a_lost_reading_beside_it_does_not_hide_a_knock(beside: int) -> None:
    """A single one still shows that the hour was calm; of a smaller step it does not."""
    for step_k, told in ((-2.2, True), (-1.5, False)):
        sensors = knocked(shown(breathing(8, 96)), 3, KNOCK, step_k)
        samples = sensors.samples.copy()
        samples[3, KNOCK + beside] = 1
        trust = judge(replace(sensors, samples=samples))
        assert (trust.grade[3, KNOCK + SMALL_AFTER_H + 1 :] == GRADE_C).all() == told


def ranged(sensors: SensorHours, row: int, hour: int, low_c: float, high_c: float) -> None:
    sensors.min_c[row, hour], sensors.max_c[row, hour] = low_c, high_c


def test_a_knock_while_the_building_warms_up_is_told() -> None:
    """The hour before it is as wide as the water makes it for everybody."""
    level = breathing(8, 96)
    level += 0.3 * np.clip(np.arange(96) - KNOCK + 6, 0, 8)
    sensors = shown(level)
    wide = slice(KNOCK - 6, KNOCK + 3)
    sensors.min_c[:, wide], sensors.max_c[:, wide] = level[:, wide] - 0.3, level[:, wide] + 0.3
    trust = judge(knocked(sensors, 3, KNOCK, -2.0))
    assert reasons(trust, 3, 90) == ("C", TrustReason.MOVED)
    assert (np.delete(trust.grade, 3, axis=0) < GRADE_B).all()


def test_a_knock_just_before_a_reading_is_told() -> None:
    """The hour holds the reading before it for some minutes, and shows the new level else."""
    sensors = knocked(shown(breathing(8, 96)), 3, KNOCK, -1.6)
    sensors.mean_c[3, KNOCK] -= 1.6 / 4.0
    trust = judge(sensors)
    assert reasons(trust, 3, 90) == ("C", TrustReason.MOVED)


@pytest.mark.parametrize(("goes_on_k", "told"), [(0.0, True), (-0.3, False)])
def test_a_reading_on_the_way_is_the_sensor_s_only_if_it_then_has_arrived(
    goes_on_k: float, told: bool
) -> None:
    """The case of a sensor is minutes behind; a room whose window stays open goes on."""
    level = breathing(8, 96)
    level[3] += goes_on_k * np.clip(np.arange(96) - KNOCK - 1, 0, 5)
    sensors = knocked(shown(level), 3, KNOCK, -3.0)
    low, high = sensors.min_c[3, KNOCK], sensors.max_c[3, KNOCK]
    ranged(sensors, 3, KNOCK, low + 0.8, high)
    ranged(sensors, 3, KNOCK + 1, float(sensors.min_c[3, KNOCK + 1]), low + 0.8)
    assert (judge(sensors).grade[3, 90] == GRADE_C) == told


def test_a_ramp_of_three_hours_is_no_knock() -> None:
    """A guest leaves: the hours beside the steepest one move as well."""
    level = breathing(8, 96)
    ramp = np.interp(np.arange(96), [KNOCK - 1, KNOCK, KNOCK + 1, KNOCK + 3], [0, -0.5, -1.1, -1.4])
    level[3] += ramp
    sensors = shown(level)
    for hour, wide in ((KNOCK - 1, 0.4), (KNOCK, 0.8), (KNOCK + 1, 0.35)):
        middle = float(sensors.mean_c[3, hour])
        ranged(sensors, 3, hour, middle - wide / 2.0, middle + wide / 2.0)
    assert (judge(sensors).reason[3] != NUMBER[TrustReason.MOVED]).all()


def test_two_that_take_each_others_level_were_exchanged() -> None:
    """Same hour, opposite steps, and each shows what the other showed."""
    level = breathing(8, 120)
    level[2] += 0.7
    level[5] -= 0.7
    swapped = level.copy()
    swapped[2, KNOCK:], swapped[5, KNOCK:] = level[5, KNOCK:], level[2, KNOCK:]
    trust = judge(shown(swapped))
    for row in (2, 5):
        assert reasons(trust, row, 90) == ("C", TrustReason.SWAPPED)
    assert (np.delete(trust.grade, [2, 5], axis=0) < GRADE_C).all()


def test_two_rooms_that_pass_each_other_were_not_exchanged() -> None:
    """One is aired while the other warms up: each ends where the other was, but it takes hours."""
    level = breathing(8, 120)
    hours = np.arange(120)
    for row, by in ((2, -1.0), (5, 1.0)):
        level[row] += 0.5 * by * np.interp(hours, [KNOCK - 1, KNOCK + 1], [-1.0, 1.0])
    trust = judge(shown(level))
    assert NUMBER[TrustReason.SWAPPED] not in trust.reason


def test_a_fall_that_is_over_next_morning_is_half_of_no_exchange() -> None:
    """It fits another sensor's step for most of a night; then it is home again."""
    level = breathing(8, 120)
    level[2] += 0.7
    level[5] -= 0.7
    swapped = level.copy()
    swapped[2, KNOCK:], swapped[5, KNOCK:] = level[5, KNOCK:], level[2, KNOCK:]
    swapped[2, KNOCK + 11 :] = level[2, KNOCK + 11 :]
    assert (judge(shown(swapped)).reason[:, -1] != NUMBER[TrustReason.SWAPPED]).all()


def test_memory_carries_a_shift_beyond_the_window() -> None:
    """Days later the jump is out of sight, and the sensor still is not believed."""
    sensors = knocked(shown(breathing(8, 240)), 3, KNOCK, -2.0)
    past = daily(_until(sensors, 168))
    late = _from(sensors, 168)
    trust = judge(late, past=past)
    assert (trust.grade[3] == GRADE_C).all()
    assert (trust.reason[3] == NUMBER[TrustReason.MOVED]).all()
    assert trust.since[3, 0] < 0
    forgotten = judge(late, past=Facts.none(8))
    assert (forgotten.grade[3] < GRADE_C).all()


def test_judged_day_by_day_a_shift_is_never_believed_in_between() -> None:
    """Two days of hours at a time: memory takes over before the jump is out of sight."""
    sensors = knocked(shown(breathing(8, 240)), 3, KNOCK, -1.35)
    past: Facts | None = None
    for hour in range(54, 240, 6):
        window = _from(_until(sensors, hour), max(0, hour - 54))
        new = daily(window, before=past)
        past = joined(past, new) if past else new
        trust = judge(window, past=past)
        doubted = hour <= KNOCK + SMALL_AFTER_H + 1
        assert trust.grade[3, -1] >= (GRADE_B if doubted else GRADE_C), hour


def test_a_level_that_comes_home_by_itself_was_no_shift() -> None:
    """Days later it lies where it was: people, and not the sensor, had moved."""
    level = breathing(8, 16 * 24)
    level[3] += np.where(np.arange(16 * 24) < 72, 0.0, 1.0) * np.interp(
        np.arange(16 * 24), [0, 150, 200, 16 * 24], [1.6, 1.6, 0.0, 0.0]
    )
    sensors = shown(level)
    trust = judge(sensors, past=daily(sensors))
    assert trust.grade[3, 110] == GRADE_C
    assert (trust.grade[3, -24:] < GRADE_C).all()


def test_pairs_that_fit_while_a_building_is_in_trouble_are_chance() -> None:
    """When water comes or goes everybody steps, and some fit each other."""
    level = breathing(20, 120)
    level[:10, KNOCK:] -= 1.2 + 0.05 * np.arange(10)[:, None]
    level[10:, KNOCK:] += 1.2 + 0.05 * np.arange(10)[:, None]
    trust = judge(shown(level))
    assert NUMBER[TrustReason.SWAPPED] not in trust.reason


def test_a_certified_reading_settles_it() -> None:
    """From then on the level is corrected, so it is no lie any more."""
    sensors = knocked(shown(breathing(8, 240)), 3, KNOCK, -2.0)
    hour = np.full(8, np.nan)
    hour[3] = 100.0
    around = Surroundings(certified_hour=hour)
    assert (judge(sensors, around).grade[3] < GRADE_C).all()
    past = daily(sensors, around)
    assert np.nan_to_num(past["moved_k"][3, -1]) == 0.0
    assert past["days"][3, -1] == pytest.approx(6.0)


def _from(sensors: SensorHours, hour: int) -> SensorHours:
    cut = slice(hour, None)
    return replace(
        sensors,
        start=sensors.start + hour * HOUR,
        mean_c=sensors.mean_c[:, cut],
        min_c=sensors.min_c[:, cut],
        max_c=sensors.max_c[:, cut],
        samples=sensors.samples[:, cut],
    )
