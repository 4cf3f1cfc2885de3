"""Water properties against tabulated IAPWS-IF97 values at 16 bar."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.physics import water

# temperature °C, density kg/m³, enthalpy kJ/kg
TABLE = [
    (20.0, 998.891, 85.4225),
    (50.0, 988.698, 210.7052),
    (75.0, 975.520, 315.2333),
    (100.0, 959.055, 420.225),
    (130.0, 935.522, 547.2878),
]


@pytest.mark.parametrize(("temperature", "density", "enthalpy"), TABLE)
def test_properties_match_the_table(temperature: float, density: float, enthalpy: float) -> None:
    assert water.density(temperature) == pytest.approx(density, abs=0.06)
    assert water.enthalpy(temperature) == pytest.approx(enthalpy, abs=0.05)


def test_arrays_and_numbers_agree() -> None:
    assert water.density(np.array([50.0]))[0] == water.density(50.0)


@pytest.mark.parametrize(
    ("supply", "back", "in_return", "in_supply"),
    [(130, 70, 1.14598, 1.09572), (75, 50, 1.14830, 1.13299), (45, 35, 1.15356, 1.14913)],
)
def test_heat_per_volume_and_kelvin_is_the_standards_coefficient(
    supply: float, back: float, in_return: float, in_supply: float
) -> None:
    drop = (water.enthalpy(float(supply)) - water.enthalpy(float(back))) / (supply - back) / 3600
    assert drop * water.density(float(back)) == pytest.approx(in_return, rel=3e-4)
    assert drop * water.density(float(supply)) == pytest.approx(in_supply, rel=3e-4)


def test_temperature_is_the_inverse_of_enthalpy() -> None:
    celsius = np.linspace(0.5, 159.5, 400)
    assert np.abs(water.temperature(water.enthalpy(celsius)) - celsius).max() < 1e-9
    in_loops = [water.temperature_of(water.enthalpy(float(c))) for c in celsius]
    assert np.abs(np.array(in_loops) - celsius).max() < 1e-6
