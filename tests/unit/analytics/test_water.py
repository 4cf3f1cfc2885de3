"""Water properties against the IF97 oracle and the table that our domain notes print."""

from __future__ import annotations

import numpy as np
import pytest
from CoolProp.CoolProp import PropsSI
from hypothesis import given
from hypothesis import strategies as st

from analytics import water

T_C = np.linspace(1.0, 150.0, 1491)


def oracle(quantity: str, t_c: np.ndarray | float) -> np.ndarray:
    return np.asarray(PropsSI(quantity, "T", np.asarray(t_c) + 273.15, "P", 16e5, "IF97::Water"))


def oracle_k(supply_c: np.ndarray, return_c: np.ndarray, sensor_c: np.ndarray) -> np.ndarray:
    enthalpy = oracle("H", supply_c) - oracle("H", return_c)
    return oracle("D", sensor_c) * enthalpy / 3.6e6 / (supply_c - return_c)


def test_density_stays_within_its_printed_error() -> None:
    error = np.abs(water.density_kg_m3(T_C) / oracle("D", T_C) - 1)
    assert error.max() < 0.000_062  # asked: 0.015 %


def test_enthalpy_stays_within_its_printed_error() -> None:
    error = np.abs(water.enthalpy_kj_kg(T_C) - oracle("H", T_C) / 1000)
    assert error.max() < 0.009  # asked: 0.042 kJ/kg


def test_heat_capacity_is_the_slope_of_the_oracle() -> None:
    error = np.abs(water.heat_capacity_kj_kgk(T_C) / (oracle("C", T_C) / 1000) - 1)
    assert error.max() < 0.000_22


@pytest.mark.parametrize("delta_k", [1.0, 3.0, 10.0, 30.0, 60.0, 100.0])
@pytest.mark.parametrize("in_supply", [True, False])
def test_every_heat_coefficient_is_within_003_percent(delta_k: float, in_supply: bool) -> None:
    """Also for the few kelvin that a branch or a floor-heating meter sees."""
    cold = np.arange(1.0, 150.0 - delta_k, 0.5)
    warm = cold + delta_k
    ours = water.heat_coefficient(warm, cold, in_supply)
    error = np.abs(ours / oracle_k(warm, cold, warm if in_supply else cold) - 1)
    assert error.max() < 0.000_30


@pytest.mark.parametrize("in_supply", [True, False])
def test_heat_of_any_pair_of_pipes_is_within_005_percent_of_if97(in_supply: bool) -> None:
    """Every pair of whole degrees from 1 to 150, whichever pipe holds the flow sensor."""
    degrees = np.arange(1.0, 151.0)
    cold, warm = (grid.ravel() for grid in np.meshgrid(degrees, degrees))
    cold, warm = cold[warm > cold], warm[warm > cold]
    ours = water.heat_kwh(1.0, warm, cold, in_supply)
    theirs = oracle_k(warm, cold, warm if in_supply else cold) * (warm - cold)
    assert len(ours) == 150 * 149 // 2
    assert np.abs(ours / theirs - 1).max() < 0.000_5


@pytest.mark.parametrize(
    ("t_c", "rho", "h"),
    [
        (20, 998.891, 85.4225),
        (50, 988.698, 210.7052),
        (75, 975.520, 315.2333),
        (100, 959.055, 420.225),
        (130, 935.522, 547.2878),
    ],
)
def test_domain_table_of_density_and_enthalpy(t_c: float, rho: float, h: float) -> None:
    assert water.density_kg_m3(t_c) == pytest.approx(rho, rel=0.00015)
    assert water.enthalpy_kj_kg(t_c) == pytest.approx(h, abs=0.042)


@pytest.mark.parametrize(
    ("supply_c", "return_c", "k_return", "k_supply"),
    [(130, 70, 1.14598, 1.09572), (75, 50, 1.14830, 1.13299), (45, 35, 1.15356, 1.14913)],
)
def test_domain_table_of_heat_coefficients(
    supply_c: float, return_c: float, k_return: float, k_supply: float
) -> None:
    assert water.heat_coefficient(supply_c, return_c, False) == pytest.approx(k_return, rel=3e-4)
    assert water.heat_coefficient(supply_c, return_c, True) == pytest.approx(k_supply, rel=3e-4)


def test_the_wrong_pipe_costs_percents() -> None:
    right = water.heat_kwh(10.0, 130.0, 70.0, True)
    wrong = water.heat_kwh(10.0, 130.0, 70.0, False)
    assert 0.015 < wrong / right - 1 < 0.046


def test_one_cubic_metre_cooled_by_twenty_five_kelvin() -> None:
    assert water.heat_kwh(1.0, 75.0, 50.0, False) == pytest.approx(28.71, abs=0.01)


@pytest.mark.parametrize("t_c", [0.0, 0.99, 150.01, -20.0, 180.0, np.nan])
def test_nothing_is_extrapolated(t_c: float) -> None:
    assert np.isnan(water.density_kg_m3(t_c))
    assert np.isnan(water.heat_kwh(1.0, t_c, 50.0, False))


def test_equally_warm_pipes_carry_no_heat_and_have_no_coefficient() -> None:
    assert water.heat_kwh(5.0, 60.0, 60.0, True) == 0.0
    assert np.isnan(water.heat_coefficient(60.0, 60.0, True))


def test_arrays_broadcast_and_each_meter_keeps_its_pipe() -> None:
    heat = water.heat_kwh([1.0, 1.0], 130.0, 70.0, [True, False])
    assert heat[0] < heat[1]


def test_warming_the_network_stores_heat_and_cooling_gives_it_back() -> None:
    assert water.stored_kwh(1000.0, 60.0, 65.0) == pytest.approx(5_700, rel=0.01)
    assert water.stored_kwh(1000.0, 65.0, 60.0) == -water.stored_kwh(1000.0, 60.0, 65.0)


@given(supply_c=st.floats(1, 150), return_c=st.floats(1, 150), volume=st.floats(0, 1e4), pipe=...)
def test_swapping_the_pipes_turns_the_sign(
    supply_c: float, return_c: float, volume: float, pipe: bool
) -> None:
    forward = float(water.heat_kwh(volume, supply_c, return_c, pipe))
    backward = float(water.heat_kwh(volume, return_c, supply_c, not pipe))
    assert forward == pytest.approx(-backward, abs=1e-9)
    assert (forward >= -1e-9) == (supply_c >= return_c) or abs(forward) < 1e-9
