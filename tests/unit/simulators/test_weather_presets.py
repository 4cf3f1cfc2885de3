"""A city's winter: its climate, how days hang together, cold snaps, wind and sun."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import pytest

from simulators.scenario import WeatherSpec
from simulators.scenario import file as scenario_file
from simulators.weather import Climate
from simulators.weather.presets import PRESETS
from simulators.weather.snaps import MONTH_H, SLOT_H, ColdSnaps

Array = np.ndarray[Any, np.dtype[np.float64]]

MIDNIGHT = datetime(2025, 12, 31, 16, 0, tzinfo=UTC)
"""Local midnight in China."""
HDD18 = {"harbin": 5032.0, "changchun": 4642.0, "shenyang": 3929.0, "beijing": 2699.0}
HOUR = 3600.0
SEEDS = range(6)
ALONE = [False, False, True, False]
TOWN = scenario_file.read("town")[0]


def climate(name: str = "harbin", seed: int = 1, day_of_year: int = 1, **said: float) -> Climate:
    weather = WeatherSpec(preset=name, day_of_year=day_of_year, **said)  # type: ignore[arg-type]
    return Climate(msgspec.structs.replace(TOWN, weather=weather), seed, MIDNIGHT)


def year(name: str, seed: int) -> Array:
    """Daily means of a year from eight instants a day, °C."""
    asked = climate(name, seed)
    hours = np.array([asked.at(hour * HOUR).outdoor_c for hour in range(1, 8760, 3)])
    return np.asarray(hours.reshape(365, 8).mean(axis=1))


@pytest.fixture(scope="module")
def years() -> dict[str, list[Array]]:
    return {name: [year(name, seed) for seed in SEEDS] for name in PRESETS}


@pytest.fixture(scope="module")
def departures(years: dict[str, list[Array]]) -> dict[str, Array]:
    """Departures of January and February from the climate, by seed and day, K."""
    return {
        name: np.array(
            [days[:59] - [PRESETS[name].mean_c(day + 0.5) for day in range(59)] for days in drawn]
        )
        for name, drawn in years.items()
    }


@pytest.mark.parametrize("name", PRESETS)
def test_the_climate_has_the_heating_degree_days_of_the_standard(name: str) -> None:
    days = np.array([PRESETS[name].mean_c(day + 0.5) for day in range(365)])
    assert np.maximum(18.0 - days, 0.0).sum() == pytest.approx(HDD18[name], rel=0.03)


@pytest.mark.parametrize("name", PRESETS)
def test_so_have_the_years_that_are_drawn(name: str, years: dict[str, list[Array]]) -> None:
    drawn = [np.maximum(18.0 - days, 0.0).sum() for days in years[name]]
    assert np.mean(drawn) == pytest.approx(HDD18[name], rel=0.03)
    assert all(one == pytest.approx(HDD18[name], rel=0.08) for one in drawn)


@pytest.mark.parametrize("name", PRESETS)
def test_months_have_the_means_of_the_table(name: str) -> None:
    preset = PRESETS[name]
    january = np.mean([preset.mean_c(day + 0.5) for day in range(31)])
    july = np.mean([preset.mean_c(day + 0.5) for day in range(181, 212)])
    assert january == pytest.approx(preset.monthly_c[0] + preset.shift_k, abs=0.35)
    assert july == pytest.approx(preset.monthly_c[6] + preset.shift_k, abs=0.35)


def test_january_in_harbin_is_about_18_below_and_the_cities_get_warmer_southwards() -> None:
    january = [PRESETS[name].mean_c(15.0) for name in HDD18]
    assert january[0] == pytest.approx(-17.5, abs=1.0)
    assert january == sorted(january)


def test_a_year_follows_a_year_without_a_step() -> None:
    preset = PRESETS["harbin"]
    assert preset.mean_c(365.0 + 40.25) == preset.mean_c(40.25)
    assert preset.mean_c(-0.001) == pytest.approx(preset.mean_c(0.001), abs=0.01)


@pytest.mark.parametrize("name", PRESETS)
def test_winter_days_vary_by_three_to_four_and_a_half_kelvin(
    name: str, departures: dict[str, Array]
) -> None:
    assert 3.0 < departures[name].std() < 4.7
    assert abs(departures[name].mean()) < 1.2


@pytest.mark.parametrize("name", PRESETS)
def test_weather_lasts_for_two_to_three_and_a_half_days(
    name: str, departures: dict[str, Array]
) -> None:
    off = departures[name] - departures[name].mean()
    kept = float((off[:, 1:] * off[:, :-1]).mean() / off.var())
    assert 2.0 < -1.0 / np.log(kept) < 3.6


def test_records_stay_within_what_has_been_measured(years: dict[str, list[Array]]) -> None:
    coldest = min(days.min() for days in years["harbin"])
    assert -37.0 < coldest < -25.0


def test_the_sun_is_gone_at_night_and_favours_the_south_wall_in_january() -> None:
    for asked in (climate(seed=seed, cloud=0.2) for seed in SEEDS):
        night, noon = asked.at(24.0 * HOUR), asked.at(11.6 * HOUR)
        assert night.solar_wm2 == night.south_wm2 == 0.0
        assert noon.south_wm2 > noon.solar_wm2 > 50.0


def test_the_sun_climbs_with_the_calendar() -> None:
    clear = [climate(cloud=0.0, day_of_year=day) for day in (355, 80)]
    december, march = (max(c.at((24 * d + 11.6) * HOUR).solar_wm2 for d in range(5)) for c in clear)
    assert march > 1.5 * december


def test_dawn_is_coldest_and_early_afternoon_warmest() -> None:
    asked = climate()
    hours = np.array([asked.at(hour * HOUR).outdoor_c for hour in range(24 * 150)])
    course = hours.reshape(150, 24).mean(axis=0)
    assert course.argmin() in (5, 6, 7, 8)
    assert course.argmax() in (13, 14, 15)
    assert 8.0 < course.max() - course.min() < 12.0


def test_nights_are_calmer_than_days_and_fronts_blow() -> None:
    asked = climate()
    wind = np.array([asked.at(hour * HOUR).wind_ms for hour in range(24 * 150)])
    by_hour = wind.reshape(150, 24).mean(axis=0)
    assert by_hour[2:6].mean() < 0.8 * by_hour[13:16].mean()
    assert 2.0 < wind.mean() < 4.5
    assert wind.min() > 0.0
    assert 8.0 < wind.max() < 25.0


@pytest.mark.parametrize("day_of_year", [1, 288, 365])
def test_a_season_of_200_days_may_begin_on_any_day(day_of_year: int) -> None:
    asked = climate(day_of_year=day_of_year)
    for hour in range(-100, 24 * 200, 7):
        now = asked.at(hour * HOUR)
        assert -45.0 < now.outdoor_c < 40.0
        assert 15.0 <= now.humidity_pct <= 98.0
        assert 0.0 <= now.solar_wm2 < 1100.0


def test_steps_of_ten_minutes_bring_no_jumps() -> None:
    asked = climate()
    course = np.array([asked.at(step * 600.0).outdoor_c for step in range(6 * 24 * 30)])
    assert np.abs(np.diff(course)).max() < 0.6


def test_what_is_said_replaces_what_is_the_presets_own() -> None:
    calm = climate(variation_k=0.0, daily_swing_k=0.0, cold_snaps_per_month=0.0, wind_ms=1.0)
    course = np.array([calm.at(hour * HOUR).outdoor_c for hour in range(240)])
    assert course.std() < 1.0
    assert max(calm.at(hour * HOUR).wind_ms for hour in range(240)) < 6.0


# Cold snaps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("per_month", [0.5, 2.0, 4.0])
def test_as_many_snaps_come_as_asked_for(per_month: float) -> None:
    snaps = ColdSnaps(3, per_month, 9.0)
    months = 240
    slots = int(months * MONTH_H / SLOT_H)
    count = sum(snaps.of_slot(slot) is not None for slot in range(slots))
    assert count / months == pytest.approx(per_month, rel=0.15)


def test_a_snap_falls_within_12_to_36_hours_with_wind_and_leaves_over_days() -> None:
    snaps = ColdSnaps(3, 1.0, 9.0)
    lone = [
        n for n in range(900) if [bool(snaps.of_slot(n + by)) for by in (-2, -1, 0, 1)] == ALONE
    ]
    assert len(lone) > 20
    for slot in lone:
        snap = snaps.of_slot(slot)
        assert snap is not None
        assert 12.0 <= snap.fall_h <= 36.0
        deepest = snaps.at(snap.begins_h + snap.fall_h).kelvin
        assert 6.0 <= deepest <= 12.0
        assert snaps.at(snap.begins_h + snap.fall_h / 2.0).front_ms >= 4.0
        assert snaps.at(snap.begins_h + snap.fall_h + snap.stay_h / 2.0).front_ms == 0.0
        assert snaps.at(snap.begins_h + snap.fall_h + 24.0).kelvin > 0.3 * deepest
        assert snaps.at(snap.begins_h + 162.1).kelvin == 0.0


@pytest.mark.parametrize("per_month", [1.0, 2.0, 4.0])
def test_the_mean_of_snaps_is_what_is_given_back(per_month: float) -> None:
    drawn = [ColdSnaps(seed, per_month, 9.0) for seed in range(4)]
    mean = np.mean([snaps.at(float(hour)).kelvin for snaps in drawn for hour in range(0, 30000, 6)])
    assert mean == pytest.approx(drawn[0].mean_k(), rel=0.12)


def test_a_snap_is_felt_in_the_weather() -> None:
    with_snaps = climate(cold_snaps_per_month=3.0, cold_snap_k=10.0)
    without = climate(cold_snaps_per_month=0.0)
    colder = [
        without.at(hour * HOUR).outdoor_c - with_snaps.at(hour * HOUR).outdoor_c
        for hour in range(1400)
    ]
    windier = [
        with_snaps.at(hour * HOUR).wind_ms - without.at(hour * HOUR).wind_ms for hour in range(1400)
    ]
    assert 6.0 < max(colder) < 15.0
    assert max(windier) > 3.5
