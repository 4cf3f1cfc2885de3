"""Radiators and heated floors: heat and return temperature from flow and supply, no iteration.

An emitter whose every surface element gives off heat like (T_water − T_room)^n, with water
cooling along it, has a closed solution. For n = 1.3 its return lies within 0.6 K of the
catalogue formula with the logarithmic mean temperature (EN 442-2) down to a third of the flow.

With x = T_supply − T_room and p = n − 1 the water leaves (x^−p + p K / (c m))^(−1/p) above the
room. The two powers are read from tables, so that no library function makes two processors
disagree; the error of that is below 2e-3 K.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import inlined
from simulators.physics.water import CP

EXPONENT = 1.3
"""Radiator exponent of EN 442-2."""
FLOOR_EXPONENT = 1.1
"""A heated floor's exponent (EN 1264)."""

Array = NDArray[np.floating[Any]]
Single = NDArray[np.float32]

_HOTTEST_K = 128
_PER_KELVIN = 32
_WEAKEST = 2.5  # of x^−p + pK/(cm): below that the water leaves within 0.05 K of the room
_FINE = 2000


class Tables(NamedTuple):
    """x^−p for 0 to 128 K and y^(−1/p) for 0 to 2.5, of radiators (row 0) and floors (row 1)."""

    power: Single
    root: Single


def tables() -> Tables:
    """The look-up tables of both kinds of emitter."""
    excess = np.maximum(np.arange(_HOTTEST_K * _PER_KELVIN + 2), 0.5) / _PER_KELVIN
    weak = np.maximum(np.arange(int(_WEAKEST * _FINE) + 2) / _FINE, 0.2)
    kinds = (EXPONENT - 1.0, FLOOR_EXPONENT - 1.0)
    power = [excess**-p for p in kinds]
    root = [np.minimum(weak ** (-1.0 / p), 2.0 * _HOTTEST_K) for p in kinds]
    return Tables(np.array(power, dtype=np.float32), np.array(root, dtype=np.float32))


def emission_constant(
    flow_kgs: Array, supply_c: float, return_c: float, room_c: float, exponent: float = EXPONENT
) -> Array:
    """Size of an emitter, W/K^n, that cools ``flow_kgs`` from supply to return at ``room_c``."""
    p = exponent - 1.0
    across = (return_c - room_c) ** -p - (supply_c - room_c) ** -p
    return np.asarray(flow_kgs * (CP * across / p))


def return_temperature(
    supply_c: Array, room_c: Array, flow_kgs: Array, constant: Array, exponent: float = EXPONENT
) -> Array:
    """Temperature in °C at which water leaves; the room's where nothing flows.

    Low flow → low return; little emission → high return. Water colder than the room gives
    nothing off and leaves as it came.
    """
    p = exponent - 1.0
    excess = np.maximum(supply_c - room_c, 1e-6)
    ratio = constant * p / (np.maximum(flow_kgs, 1e-9) * CP)
    left = (excess**-p + ratio) ** (-1.0 / p)
    return np.where(supply_c > room_c, room_c + left, supply_c)


def weakness(constant: Array, exponent: Array | float) -> Array:
    """p K / c of an emitter: divided by the flow in kg/s it is what ``leaving_excess`` needs."""
    return constant * ((exponent - 1.0) / CP)


@inlined
def leaving_excess(excess_k, weak, kind, power, root):
    """What ``return_temperature`` says, for one emitter and from the tables: K above the room.

    ``excess_k`` is supply minus room (not negative), ``weak`` p K / (c m), ``kind`` 0 a radiator,
    1 a heated floor.
    """
    at = min(excess_k, _HOTTEST_K * 1.0) * _PER_KELVIN
    cell = np.uint32(at)
    strength = power[kind, cell] + (at - cell) * (power[kind, cell + 1] - power[kind, cell])
    at = min(strength + weak, _WEAKEST) * _FINE
    cell = np.uint32(at)
    left = root[kind, cell] + (at - cell) * (root[kind, cell + 1] - root[kind, cell])
    return min(left, excess_k)


def heat(flow_kgs: Array, supply_c: Array, return_c: Array) -> Array:
    """Heat in W that water gives off between supply and return."""
    return flow_kgs * CP * (supply_c - return_c)
