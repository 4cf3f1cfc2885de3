"""A dwelling as two nodes, air and mass, discretised exactly.

    C_air  dT_air/dt  = H_am (T_mass − T_air) + H_ao (T_out − T_air) + Q_air
    C_mass dT_mass/dt = H_am (T_air − T_mass) + H_mo (T_out − T_mass) + Q_mass

With inputs constant over a step the solution is the matrix exponential of a 2×2 block, written
out, so a step of any length is stable and right. What couples dwellings (party walls) or bends
the line (wind, an open window) enters as heat computed from the temperatures at the start of the
step; party heat is exchanged between masses and is antisymmetric, so none is ever lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shell:
    """Capacities in J/K and conductances in W/K, each of shape [units].

    ``air_mass`` H_am, ``air_out`` H_ao (windows, infiltration), ``mass_out`` H_mo (walls, roof).
    """

    air_capacity: Array
    mass_capacity: Array
    air_mass: Array
    air_out: Array
    mass_out: Array

    @property
    def loss_wk(self) -> Array:
        """Steady conductance to outdoors seen from the air, W/K."""
        return self.air_out + self.mass_out * self.air_mass / (self.air_mass + self.mass_out)

    def lighter(self, factor: float) -> Shell:
        """The same dwelling with its mass divided by ``factor`` (to reach equilibrium sooner)."""
        return Shell(
            self.air_capacity,
            self.mass_capacity / factor,
            self.air_mass,
            self.air_out,
            self.mass_out,
        )


@dataclass(frozen=True, slots=True)
class Propagator:
    """What one step of fixed length does to the deviation from the steady state; shape [units].

    ``aa`` air←air, ``am`` air←mass, ``ma`` mass←air, ``mm`` mass←mass.
    """

    seconds: float
    aa: Array
    am: Array
    ma: Array
    mm: Array


def propagator(shell: Shell, seconds: float) -> Propagator:
    """The exponential of the 2×2 block over a step of ``seconds``."""
    a = -(shell.air_mass + shell.air_out) / shell.air_capacity
    b = shell.air_mass / shell.air_capacity
    c = shell.air_mass / shell.mass_capacity
    d = -(shell.air_mass + shell.mass_out) / shell.mass_capacity
    middle = (a + d) / 2.0
    spread = np.sqrt(((a - d) / 2.0) ** 2 + b * c)
    fast, slow = np.exp((middle - spread) * seconds), np.exp((middle + spread) * seconds)
    even, odd = (slow + fast) / 2.0, (slow - fast) / (2.0 * spread)
    return Propagator(
        seconds,
        aa=even + odd * (a - middle),
        am=odd * b,
        ma=odd * c,
        mm=even + odd * (d - middle),
    )


def steady(shell: Shell, outdoor_c: float, air_w: Array, mass_w: Array) -> tuple[Array, Array]:
    """Air and mass temperatures (°C) after constant heat for ever, shape [units] each."""
    h_am, h_ao, h_mo = shell.air_mass, shell.air_out, shell.mass_out
    determinant = (h_am + h_ao) * (h_am + h_mo) - h_am**2
    air_k = ((h_am + h_mo) * air_w + h_am * mass_w) / determinant
    mass_k = (h_am * air_w + (h_am + h_ao) * mass_w) / determinant
    return outdoor_c + air_k, outdoor_c + mass_k


def advance(
    shell: Shell,
    step: Propagator,
    *,
    air_c: Array,
    mass_c: Array,
    outdoor_c: float,
    air_w: Array,
    mass_w: Array,
) -> tuple[Array, Array]:
    """Air and mass temperatures (°C) one step later, heat in W constant over the step."""
    air_end, mass_end = steady(shell, outdoor_c, air_w, mass_w)
    air_off, mass_off = air_c - air_end, mass_c - mass_end
    return (
        air_end + step.aa * air_off + step.am * mass_off,
        mass_end + step.ma * air_off + step.mm * mass_off,
    )


def mean_over_step(
    shell: Shell,
    *,
    before: tuple[Array, Array],
    after: tuple[Array, Array],
    outdoor_c: float,
    heat_w: tuple[Array, Array],
    seconds: float,
) -> tuple[Array, Array]:
    """Exact time means (°C) of air and mass over a step, from its two ends.

    The mean is the steady state plus M⁻¹ (x₁ − x₀) / Δt: what a loss integral needs.
    """
    gained_air = heat_w[0] - shell.air_capacity * (after[0] - before[0]) / seconds
    gained_mass = heat_w[1] - shell.mass_capacity * (after[1] - before[1]) / seconds
    return steady(shell, outdoor_c, gained_air, gained_mass)


def response(shell: Shell, seconds: float) -> NDArray[np.float32]:
    """What ``advance`` does to each dwelling, as rows that a loop can read, [7, units].

    aa, am, ma, mm of the propagator, then K/W in the steady state: air by heat to the air, air by
    heat to the mass (and the other way round), mass by heat to the mass.
    """
    step = propagator(shell, seconds)
    h_am, h_ao, h_mo = shell.air_mass, shell.air_out, shell.mass_out
    determinant = (h_am + h_ao) * (h_am + h_mo) - h_am**2
    gain = ((h_am + h_mo) / determinant, h_am / determinant, (h_am + h_ao) / determinant)
    return np.stack([step.aa, step.am, step.ma, step.mm, *gain]).astype(np.float32)


def party_heat(mass_c: Array, neighbours: NDArray[np.intp], party_wk: Array) -> Array:
    """Heat in W that each dwelling receives from those it touches.

    Args:
        mass_c: °C, shape [units].
        neighbours: indices, shape [sides, units]; a dwelling's own index where it has none.
        party_wk: conductance of each side, W/K, shape [sides, units], equal seen from both sides.
    """
    received = np.zeros_like(mass_c)
    for others, conductance in zip(neighbours, party_wk, strict=True):
        received += conductance * (mass_c[others] - mass_c)
    return received
