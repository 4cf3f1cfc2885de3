"""Water at 16 bar: density and enthalpy as polynomials of the temperature.

Fifth-order fits to IAPWS-IF97 at Chebyshev nodes of 1 to 150 °C; within 0.025 kg/m³, 0.01 kJ/kg.
The coefficients are our own fit, so that no table or library has to be shipped.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Numbers = TypeVar("Numbers", float, NDArray[np.float64])

CP = 4182.0
"""Specific heat in J/(kg K) used inside dwellings and secondary pipes (20 to 80 °C: ±0.15 %)."""

_RHO = (
    1000.644463,
    0.04558008095,
    -0.007496067937,
    4.533891347e-05,
    -2.024167848e-07,
    3.72566362e-10,
)
_H = (1.602986085, 4.204122578, -0.0008288708481, 9.465580273e-06, -3.9260813e-08, 9.621705715e-11)


def density(temperature_c: Numbers) -> Numbers:
    """Density in kg/m³ at a temperature in °C."""
    return _horner(_RHO, temperature_c)


def enthalpy(temperature_c: Numbers) -> Numbers:
    """Specific enthalpy in kJ/kg at a temperature in °C."""
    return _horner(_H, temperature_c)


def _horner(coefficients: tuple[float, ...], x: Numbers) -> Numbers:
    total = x * 0.0 + coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total
