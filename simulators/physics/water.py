"""Water at 16 bar: density and enthalpy as polynomials of the temperature.

Fifth-order fits to IAPWS-IF97 at Chebyshev nodes of 1 to 150 °C; within 0.025 kg/m³, 0.01 kJ/kg.
The coefficients are our own fit, so that no table or library has to be shipped.
"""

from __future__ import annotations

from typing import Any

from simulators.compiled import elementwise, inlined

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


@elementwise
def density(temperature_c: Any) -> Any:
    """Density in kg/m³ at a temperature in °C; numbers or arrays."""
    total = 0.0
    for power in range(5, -1, -1):
        total = total * temperature_c + _RHO[power]
    return total


@elementwise
def enthalpy(temperature_c: Any) -> Any:
    """Specific enthalpy in kJ/kg at a temperature in °C; numbers or arrays."""
    total = 0.0
    for power in range(5, -1, -1):
        total = total * temperature_c + _H[power]
    return total


@inlined
def temperature_of(enthalpy_kj_kg: Any) -> Any:
    """The inverse of ``enthalpy`` for one number in a compiled loop, within 1e-9 K to 160 °C."""
    found = enthalpy_kj_kg / 4.22
    for _ in range(3):  # Newton's steps; the slope is the specific heat
        height, slope = 0.0, 0.0
        for power in range(5, -1, -1):
            slope = slope * found + height
            height = height * found + _H[power]
        found -= (height - enthalpy_kj_kg) / slope
    return found


@elementwise
def temperature(enthalpy_kj_kg: Any) -> Any:
    """Temperature in °C at a specific enthalpy: the inverse of ``enthalpy``; numbers or arrays."""
    return temperature_of(enthalpy_kj_kg)
