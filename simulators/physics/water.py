"""Water at 16 bar: density and enthalpy as polynomials of the temperature.

Fifth-order least-squares fits to IAPWS-IF97 over 1 to 150 °C; within 0.05 kg/m³ and 0.03 kJ/kg.
The coefficients are our own fit, so that no table or library has to be shipped.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Numbers = TypeVar("Numbers", float, NDArray[np.float64])

CP = 4182.0
"""Specific heat in J/(kg K) used inside dwellings and secondary pipes (20 to 80 °C: ±0.15 %)."""

_RHO = (1000.67006, 0.0430138504, -0.00742952412, 4.45778544e-05, -1.98497834e-07, 3.65468968e-10)
_H = (1.61943776, 4.20238886, -0.000833289142, 1.08869431e-05, -5.59864253e-08, 1.48238389e-10)


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
