"""The weather generator: any instant, any order, the same answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

import simulators
from simulators.weather import Climate

ANCHOR = datetime(2026, 1, 12, 2, 0, tzinfo=UTC)
HOUR = 3600.0


@pytest.fixture
def climate() -> Climate:
    return Climate(simulators.load("town"), 7, ANCHOR)


def course(climate: Climate, name: str, hours: int = 72) -> np.ndarray[Any, Any]:
    return np.array([getattr(climate.at(hour * HOUR), name) for hour in range(hours)])


def test_an_instant_does_not_depend_on_what_was_asked_before(climate: Climate) -> None:
    again = Climate(climate.scenario, 7, ANCHOR)
    again.at(50 * HOUR)
    assert again.at(13 * HOUR) == climate.at(13 * HOUR)


def test_the_town_has_a_cold_snap_from_about_10_to_about_26_below(climate: Climate) -> None:
    outdoor = course(climate, "outdoor_c")
    assert outdoor[:24].mean() == pytest.approx(-11.0, abs=2.0)
    assert outdoor.min() == pytest.approx(-26.0, abs=2.0)


def test_afternoons_are_warmer_than_dawns(climate: Climate) -> None:
    outdoor = course(climate, "outdoor_c")
    hour = course(climate, "local_hour")
    assert outdoor[(hour > 13) & (hour < 16)].mean() > outdoor[(hour > 2) & (hour < 5)].mean() + 2


def test_the_sun_shines_by_day_only_and_never_more_than_the_sky_allows(climate: Climate) -> None:
    solar, hour = course(climate, "solar_wm2"), course(climate, "local_hour")
    assert (solar[(hour < 7) | (hour > 17)] == 0.0).all()
    assert 100.0 < solar.max() < 600.0


def test_a_summer_anchor_still_has_a_winter_sun() -> None:
    summer = Climate(simulators.load("town"), 7, ANCHOR + timedelta(days=180))
    winter = Climate(simulators.load("town"), 7, ANCHOR)
    assert course(summer, "solar_wm2").max() == pytest.approx(
        course(winter, "solar_wm2").max(), rel=0.1
    )


def test_quantities_stay_in_range_for_a_season(climate: Climate) -> None:
    wind, humid = course(climate, "wind_ms", 2000), course(climate, "humidity_pct", 2000)
    assert 0.0 < wind.min() < wind.max() < 20.0
    assert 20.0 <= humid.min() <= humid.max() <= 98.0


def test_seeds_give_different_weather(climate: Climate) -> None:
    other = Climate(climate.scenario, 8, ANCHOR)
    assert other.at(HOUR).outdoor_c != climate.at(HOUR).outdoor_c
