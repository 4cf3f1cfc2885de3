"""The weather of hand-drawn levels, and what every way of saying the weather has in common."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from simulators.scenario import Scenario, WeatherSpec
from simulators.scenario import file as scenario_file
from simulators.weather import Climate

ANCHOR = datetime(2026, 1, 12, 2, 0, tzinfo=UTC)
HOUR = 3600.0


@pytest.fixture(scope="module")
def town() -> Scenario:
    return scenario_file.read("town")[0]


@pytest.fixture
def climate(town: Scenario) -> Climate:
    return Climate(town, 7, ANCHOR)


def course(climate: Climate, name: str, hours: int = 72) -> np.ndarray[Any, Any]:
    return np.array([getattr(climate.at(hour * HOUR), name) for hour in range(hours)])


def of(town: Scenario, weather: WeatherSpec, seed: int = 7, anchor: datetime = ANCHOR) -> Climate:
    return Climate(msgspec.structs.replace(town, weather=weather), seed, anchor)


LEVEL = WeatherSpec(level=((timedelta(0), -10.0), (timedelta(days=2), -20.0)))
EITHER = pytest.mark.parametrize(
    "weather", [LEVEL, WeatherSpec(preset="harbin")], ids=["level", "preset"]
)


@EITHER
def test_an_instant_does_not_depend_on_what_was_asked_before(
    town: Scenario, weather: WeatherSpec
) -> None:
    forth, back = of(town, weather), of(town, weather)
    hours = range(-100, 400, 3)
    there = {hour: forth.at(hour * HOUR) for hour in hours}
    assert {hour: back.at(hour * HOUR) for hour in reversed(hours)} == there


@EITHER
def test_seeds_give_different_weather(town: Scenario, weather: WeatherSpec) -> None:
    one, other = of(town, weather, seed=7), of(town, weather, seed=8)
    assert one.at(HOUR).outdoor_c != other.at(HOUR).outdoor_c


@EITHER
def test_what_is_returned_is_rounded_so_that_machines_agree(
    town: Scenario, weather: WeatherSpec
) -> None:
    climate = of(town, weather)
    for hour in range(48):
        now = climate.at(hour * HOUR)
        values = (now.outdoor_c, now.wind_ms, now.solar_wm2, now.south_wm2, now.humidity_pct)
        assert values == tuple(round(value, 6) for value in values)


def test_the_local_hour_is_that_of_the_towns_time_zone(climate: Climate) -> None:
    assert climate.at(0.0).local_hour == 10.0
    assert climate.at(-10.5 * HOUR).local_hour == 23.5
    assert climate.at(30 * 24 * HOUR + 90.0).local_hour == pytest.approx(10.025)


def test_local_time_follows_a_change_of_the_clocks(town: Scenario) -> None:
    helsinki = msgspec.structs.replace(town, timezone="Europe/Helsinki")
    climate = Climate(helsinki, 7, datetime(2026, 3, 29, 0, 0, tzinfo=UTC))
    assert [climate.at(hour * HOUR).local_hour for hour in (0, 1, 2)] == [2.0, 4.0, 5.0]


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


def test_a_summer_anchor_still_has_a_winter_sun(town: Scenario) -> None:
    summer = Climate(town, 7, ANCHOR + timedelta(days=180))
    winter = Climate(town, 7, ANCHOR)
    assert course(summer, "solar_wm2").max() == pytest.approx(
        course(winter, "solar_wm2").max(), rel=0.1
    )


def test_quantities_stay_in_range_for_a_season(climate: Climate) -> None:
    wind, humid = course(climate, "wind_ms", 2000), course(climate, "humidity_pct", 2000)
    assert 0.0 < wind.min() < wind.max() < 20.0
    assert 20.0 <= humid.min() <= humid.max() <= 98.0


def test_a_level_holds_before_its_first_and_after_its_last_point(town: Scenario) -> None:
    flat = msgspec.structs.replace(LEVEL, daily_swing_k=0.0, variation_k=0.0)
    climate = of(town, flat)
    temperatures = [climate.at(hour * HOUR).outdoor_c for hour in (-90, 0, 24, 48, 900)]
    assert temperatures == [-10.0, -10.0, -15.0, -20.0, -20.0]


def test_what_a_level_leaves_out_is_5_kelvin_1_kelvin_3_metres_a_second_and_cloud_04(
    town: Scenario,
) -> None:
    said = msgspec.structs.replace(
        LEVEL, daily_swing_k=5.0, variation_k=1.0, wind_ms=3.0, cloud=0.4, cold_snaps_per_month=0.0
    )
    one, other = of(town, LEVEL), of(town, said)
    assert all(one.at(hour * HOUR) == other.at(hour * HOUR) for hour in range(72))


def test_cold_snaps_can_be_added_to_a_level(town: Scenario) -> None:
    flat = msgspec.structs.replace(LEVEL, cold_snaps_per_month=0.0)
    with_snaps = msgspec.structs.replace(LEVEL, cold_snaps_per_month=4.0, cold_snap_k=6.0)
    colder = course(of(town, flat), "outdoor_c", 1500) - course(
        of(town, with_snaps), "outdoor_c", 1500
    )
    assert colder.min() == pytest.approx(0.0, abs=2e-6)
    assert 4.0 <= colder.max() <= 8.0
