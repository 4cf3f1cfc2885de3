"""Lies that take days or weeks to show: sun, radiator, outdoors, drift; and heat like them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analytics.trust import Facts, SensorHours, Surroundings, TrustReason, daily, judge
from analytics.trust.drift import trends
from analytics.trust.hung import mean_offset, water_slopes, weather_slopes
from analytics.trust.model import GRADE_C, HOUR, NUMBER
from tests.unit.analytics.rooms import around, breathing, shown

HOURS, ROWS = 16 * 24, 10
WEATHER = around(HOURS, ROWS)


def test_slopes_are_those_of_a_regression() -> None:
    """The running sums give what least squares on all increments gives."""
    level = breathing(ROWS, HOURS)
    assert WEATHER.outdoor_c is not None
    assert WEATHER.solar_wm2 is not None
    level[4] += 0.05 * WEATHER.outdoor_c + 0.004 * WEATHER.solar_wm2
    sensors = shown(level)
    past = daily(sensors, WEATHER)
    outdoor, sun = weather_slopes(past)
    assert outdoor.slope[4, -1] == pytest.approx(0.05, abs=0.015)
    assert sun.slope[4, -1] == pytest.approx(0.4, abs=0.03)
    assert abs(outdoor.slope[2, -1] / outdoor.error[2, -1]) < 4.0
    assert water_slopes(past).slope.shape == (ROWS, 16)


def test_a_sensor_in_the_sun() -> None:
    """Warm while the sun shines: C within days, and only this one."""
    level = breathing(ROWS, HOURS)
    assert WEATHER.solar_wm2 is not None
    level[4] += 0.5 * WEATHER.solar_wm2 / 100.0
    _only(level, 4, TrustReason.SUN)


def test_a_sensor_over_a_radiator() -> None:
    """A share of what the water is over the room."""
    level = breathing(ROWS, HOURS)
    assert WEATHER.supply_c is not None
    level[4] += 0.1 * (WEATHER.supply_c[4] - 28.0)
    _only(level, 4, TrustReason.RADIATOR)


def test_a_sensor_on_a_radiator_that_goes_on_and_off() -> None:
    """Without any meter: half the day six kelvin above the room."""
    level = breathing(ROWS, HOURS)
    level[4] += np.where(np.arange(HOURS) % 8 < 2, 4.0, 0.0)
    past = daily(shown(level))
    trust = judge(shown(level), past=past)
    assert trust.why(4, HOURS - 1)[1] is TrustReason.RADIATOR
    assert (np.delete(trust.grade, 4, axis=0) < GRADE_C).all()


def test_a_sensor_on_a_balcony() -> None:
    """A tenth of the way from the room to the outdoor air, at every hour."""
    level = breathing(ROWS, HOURS)
    assert WEATHER.outdoor_c is not None
    level[4] += 0.1 * (WEATHER.outdoor_c - level[4])
    _only(level, 4, TrustReason.OUTDOORS)


def test_a_leaky_dwelling_is_not_outdoors() -> None:
    """It follows the outdoor air over hours, and lies lower than its hourly response explains."""
    level = breathing(ROWS, HOURS)
    assert WEATHER.outdoor_c is not None
    slow = np.zeros(HOURS)
    for hour in range(1, HOURS):
        slow[hour] = slow[hour - 1] + (WEATHER.outdoor_c[hour] + 12.0 - slow[hour - 1]) / 12.0
    level[4] += -2.5 + 0.08 * slow
    assert (_judged(level)[0] < GRADE_C).all()


def test_a_valve_turned_down_at_night_is_not_outdoors() -> None:
    """Colder every night by the clock, whatever the weather."""
    level = breathing(ROWS, HOURS)
    night = (np.arange(HOURS) + 2) % 24 < 8
    dip = np.convolve(np.where(night, -1.6, 0.0), np.full(4, 0.25), "same")
    level[4] += dip - 0.6
    assert (_judged(level)[0] < GRADE_C).all()


def _judged(level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sensors = shown(level)
    trust = judge(sensors, WEATHER, daily(sensors, WEATHER))
    return trust.grade, trust.reason


def _only(level: np.ndarray, row: int, reason: TrustReason) -> None:
    grade, why = _judged(level)
    assert grade[row, -1] == GRADE_C
    assert why[row, -1] == NUMBER[reason]
    assert (np.delete(grade, row, axis=0) < GRADE_C).all()


def test_a_drift_is_found_after_weeks_and_not_before() -> None:
    """0.3 K a week: said when it stands out by six errors, which takes more than a month."""
    level = breathing(ROWS, 60 * 24)
    level[4] -= 0.3 * np.arange(60 * 24) / 168.0
    sensors = shown(level)
    past = daily(sensors)
    trust = judge(sensors, past=past)
    told = np.flatnonzero(trust.grade[4] == GRADE_C)
    assert len(told)
    assert told[0] >= 21 * 24
    assert trust.why(4, told[-1])[1] is TrustReason.DRIFT
    assert trust.measure[4, told[-1]] == pytest.approx(-0.3, abs=0.08)
    assert (np.delete(trust.grade, 4, axis=0) < GRADE_C).all()
    slope, error = trends(past)
    assert error[4, 59] < error[4, 27] < error[4, 13]
    assert 7.0 * slope[4, 59] == pytest.approx(-0.3, abs=0.08)


def test_a_fast_ramp_is_heat() -> None:
    """A strainer that fills up lowers a room by a kelvin a week; no sensor ages that fast."""
    level = breathing(ROWS, 30 * 24)
    level[4] -= 1.2 * np.arange(30 * 24) / 168.0
    sensors = shown(level)
    assert (judge(sensors, past=daily(sensors)).grade < GRADE_C).all()


def test_what_was_told_stays_told_while_it_shows_at_all() -> None:
    """A week of other weather widens the errors; the sensor still hangs on its balcony."""
    near = around(40 * 24, ROWS)
    assert near.outdoor_c is not None
    level = breathing(ROWS, 40 * 24)
    rng = np.random.default_rng(3)
    level[4] += 0.07 * (near.outdoor_c - 21.0)
    level[4, 20 * 24 :] += np.repeat(rng.normal(0.0, 0.6, 20 * 8), 3)
    sensors = shown(level)
    past = daily(sensors, near)
    told = past["told"][4] == NUMBER[TrustReason.OUTDOORS]
    assert told.argmax() < 10
    assert told[told.argmax() :].all()
    assert (judge(sensors, near, past).grade[4, -24:] == GRADE_C).all()


def test_memory_grown_day_by_day_is_memory_of_the_whole() -> None:
    """Three days of hours at a time, the last row as all that is known of before."""
    level = breathing(ROWS, HOURS)
    sensors = shown(level)
    whole = daily(sensors, WEATHER)
    grown: Facts | None = None
    for day in range(1, 17):
        cut = slice(max(0, (day - 3) * 24), day * 24)
        new = daily(_cut(sensors, cut), _around(cut), grown)
        if new.days:
            grown = new
    assert grown is not None
    assert grown.first_day + grown.days == whole.first_day + whole.days
    same = np.isclose(grown.state[:, -1], whole.state[:, -1], rtol=0.1, atol=0.05, equal_nan=True)
    assert same.mean() > 0.97
    assert np.allclose(mean_offset(grown)[:, -1], mean_offset(whole)[:, -1], atol=0.02)


def _cut(sensors: SensorHours, cut: slice) -> SensorHours:
    return replace(
        sensors,
        start=sensors.start + cut.start * HOUR,
        mean_c=sensors.mean_c[:, cut],
        min_c=sensors.min_c[:, cut],
        max_c=sensors.max_c[:, cut],
        samples=sensors.samples[:, cut],
    )


def _around(cut: slice) -> Surroundings:
    parts = (WEATHER.outdoor_c, WEATHER.solar_wm2, WEATHER.supply_c)
    outdoor, sun, supply = (None if part is None else part[..., cut] for part in parts)
    return Surroundings(outdoor_c=outdoor, solar_wm2=sun, supply_c=supply)
