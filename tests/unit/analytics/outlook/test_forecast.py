"""Forecasts: rooms relax as physics says, doubt grows with time, and weather is told or guessed."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics.outlook import overheat, weather, weather_table
from analytics.outlook.estimate import estimate
from analytics.outlook.forecast import LEADS, Forecast, Past, forecast
from analytics.outlook.relaxation import Noise, follow, share
from analytics.outlook.town import Town
from analytics.outlook.weather import ForecastPoint, look_ahead
from hearthline.errors import Invalid
from tests.unit.analytics.outlook import towns

Floats = NDArray[np.float64]
HOURS = 96
NOISE = Noise(0.03**2, 0.1**2, 0.1**2, start=1.0, back_h=12.0, jumps=False)


def rooms(town: Town, seed: int = 1) -> Floats:
    """Four days of healthy hourly means, with a course of the day and people's noise."""
    chance = np.random.default_rng(seed)
    day = 0.4 * np.sin(2 * np.pi * np.arange(HOURS) / 24.0)
    own = chance.normal(0.0, 0.4, town.size)
    return 21.5 + own[:, None] + day + chance.normal(0.0, 0.2, (town.size, HOURS))


def ahead_of(
    town: Town, level: Floats, outdoor: float = -12.0, heat: Floats | None = None
) -> Forecast:
    """A forecast with steady weather."""
    heat = np.ones((len(town.buildings), HOURS)) if heat is None else heat
    outdoors = np.full(HOURS, outdoor)
    coming = look_ahead(outdoors, towns.AT, LEADS, ())
    return forecast(
        town, Past(level, outdoors, heat), coming, estimate(town, level[:, -24:].mean(1))
    )


def test_a_healthy_town_goes_on_with_its_course_of_the_day() -> None:
    """The mean error a day ahead is smaller than that of taking the last hour's reading."""
    town = towns.town(6)
    level = rooms(town)
    found = ahead_of(town, level)
    truth = level[:, 0:24].mean() + 0.4 * np.sin(2 * np.pi * np.arange(24) / 24.0)
    assert np.abs(found.mean_c[:, :24].mean(axis=0) - truth).max() < 0.2
    assert found.breach(18.0).within_48h.max() < 0.2


@pytest.mark.parametrize("known_h", [0, 3, 20, 30])
def test_the_first_hours_of_an_installation_are_looked_ahead_from(known_h: int) -> None:
    """Nobody was measured a day ago, or ever: a wide answer, and no failure."""
    town = towns.town(6)
    level = rooms(town)
    level[:, : HOURS - known_h] = np.nan
    found = ahead_of(town, level)
    assert found.mean_c.shape == (town.size, LEADS)
    if known_h:
        assert np.isfinite(found.mean_c).all()


def test_doubt_grows_with_the_lead() -> None:
    """Nobody knows the day after tomorrow as well as the next hour."""
    found = ahead_of(towns.town(6), rooms(towns.town(6)))
    settled = found.settled_k[:, [0, 11, 47]] / found.widened[[0, 11, 47]]
    assert (np.diff(settled, axis=1) > 0).all()


def test_a_house_without_heat_is_foreseen_before_it_is_cold() -> None:
    """Its pump stopped an hour ago: its meter says so, and the standard will be broken."""
    town = towns.town(6)
    level = rooms(town)
    heat = np.ones((6, HOURS))
    heat[2, -3:] = 0.0
    found = ahead_of(town, level, -20.0, heat)
    breach = found.breach(20.0)
    dark = town.building == 2
    assert breach.within_24h[dark].mean() > 0.5
    assert breach.within_24h[~dark].mean() < 0.2
    assert (breach.hours[dark] > 1).mean() > 0.5
    assert found.building_c[2, 12] < found.building_c[1, 12] - 0.5


def test_a_valve_that_was_just_closed_is_followed() -> None:
    """A dwelling falls from its house with 10 h to the hour: it will not come back at once."""
    town = towns.town(6)
    level = rooms(town)
    level[17, -6:] -= 4.0 * -np.expm1(-np.arange(1, 7) / 10.0)
    before = level[17, -1]
    found = ahead_of(town, level)
    assert found.mean_c[17, 5] < before + 0.5
    assert found.breach(20.0).within_24h[17] > 0.5


def test_a_relaxing_series_tells_its_equilibrium() -> None:
    """A noiseless fall with τ = 60 h towards 10 °C, heard for a day: where is it going?"""
    tau = np.array([60.0])
    step = float(share(tau)[0])
    level, series = 21.0, []
    for hour in range(72):
        level += step * ((21.0 if hour < 36 else 10.0) - level)
        series.append(level)
    noise = Noise(0.02**2, 0.5**2, 0.02**2, start=1.0, back_h=1e6, jumps=False)
    state = follow(np.array([series]), np.zeros((1, 72)), tau, noise)
    assert state.equilibrium[0] == pytest.approx(10.0, abs=1.0)
    assert state.level[0] == pytest.approx(series[-1], abs=0.05)


def test_gaps_leave_a_series_where_it_was_and_less_sure() -> None:
    """Missing is never cold: without readings the level returns to the usual."""
    read = np.full((2, 48), 21.0)
    read[1, 24:] = np.nan
    state = follow(read, np.zeros((2, 48)), np.array([60.0, 60.0]), NOISE)
    assert state.level == pytest.approx([21.0, 21.0], abs=0.01)
    assert state.var_level[1] > state.var_level[0]


def test_weather_comes_from_the_forecast_as_far_as_it_reaches() -> None:
    """Beyond its end the last day is repeated, with errors that say so."""
    past = np.tile(np.linspace(-20.0, -10.0, 24), 3)
    points = [ForecastPoint(towns.AT + timedelta(hours=h + 0.5), -25.0) for h in range(30)]
    found = look_ahead(past, towns.AT, 48, points)
    assert found.outdoor_c[:30] == pytest.approx(np.full(30, -25.0))
    assert found.forecast.sum() in range(30, 34)
    assert found.outdoor_c[40] == pytest.approx(past[40 % 24])
    assert found.sd_k[40] > 2.0 * found.sd_k[10]


def test_heat_counts_as_missing_only_beyond_its_own_scatter() -> None:
    """A meter that scatters by a tenth proves nothing with a tenth; a stopped pump proves all."""
    outdoor = np.full(48, -12.0)
    chance = np.random.default_rng(3)
    heat = 90.0 * (1.0 + chance.normal(0.0, [[0.1], [0.01]], (2, 48)))
    heat[:, -1] = 90.0 * 0.9
    found = weather.heat_share(heat, outdoor)
    assert found[0, -1] > 0.97
    assert found[1, -1] < 0.95
    heat[1, -1] = 0.0
    assert weather.heat_share(heat, outdoor)[1, -1] == pytest.approx(0.0, abs=0.02)
    assert (weather.heat_share(np.full((1, 48), np.nan), outdoor) == 1.0).all()
    swapped = weather.heat_share(np.full((1, 48), -90.0), outdoor)
    assert (swapped == 1.0).all()


def test_waste_is_the_excess_times_the_loss_of_the_dwelling() -> None:
    """80 m² at 45/44.2 W/m²K, 2 K above the limit for a day: 3.9 kWh."""
    town = towns.town(1)
    mean = np.full(town.size, 22.0)
    mean[0] = 26.0
    found = overheat.waste(town, mean, np.full(town.size, 0.01), -10.0, 24.0)
    by_hand = 80.0 * 45.0 / 44.2 * 2.0 * 24.0 / 1000.0
    assert found.dwelling_kwh[0] == pytest.approx(by_hand, rel=1e-3)
    assert found.dwelling_kwh[1:].max() < 1e-6
    assert found.building_kwh[0] == pytest.approx(by_hand, rel=1e-3)
    assert found.dwelling_share[0] == pytest.approx(2.0 / 36.0, rel=1e-3)
    doubtful = overheat.waste(town, mean, np.full(town.size, 3.0), -10.0, 24.0)
    assert 0.0 < doubtful.dwelling_kwh[1] < doubtful.dwelling_kwh[0]


def test_a_weather_table_is_read_from_csv_and_json_and_names_every_bad_row() -> None:
    """Times without an offset are the company's; what is wrong is said by row."""
    zone = towns.AT.tzinfo
    assert zone is not None
    table = weather_table.read("time,outdoor_c,wind_ms\n2026-01-14T01:00,-18.5,3\n", zone)
    assert table.rows[0]["time"] == towns.AT + timedelta(hours=1)
    assert table.rows[0]["solar_wm2"] is None
    told = weather_table.read(
        '{"issued_at": "2026-01-14T00:00Z",'
        ' "points": [{"time": "2026-01-14T02:00+08:00", "outdoor_c": -18}]}',
        zone,
    )
    assert told.issued_at == towns.AT
    with pytest.raises(Invalid, match=r"row 2: outdoor_c 99 lies outside"):
        weather_table.read("time,outdoor_c\n2026-01-14T01:00,-1\n2026-01-14T02:00,99\n", zone)
    with pytest.raises(Invalid, match="no rows"):
        weather_table.read("time,outdoor_c\n", zone)
