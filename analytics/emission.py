"""Radiators and heated floors as one closed formula: water flow, return and room tied together.

An emitter whose every element gives off heat like ``(T_water − T_room)^n`` while the water cools
along it has a closed solution. With ``p = n − 1`` and excesses over the room ``x``:

    K = m·c·(x_return^−p − x_supply^−p) / p        size of the emitter, W/K^n
    Q = K · strength,   strength = p·(x_supply − x_return) / (x_return^−p − x_supply^−p)

``n`` is 1.3 for radiators (EN 442) and 1.1 for heated floors (EN 1264). Down to a third of the
flow the return lies within 0.6 K of the catalogue formula with the logarithmic mean temperature.
Everything is an array expression; what has no closed inverse is found by bisection, to 1 mK.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from analytics.water import BoolArray, FloatArray

_Above = Callable[[FloatArray], BoolArray]

CP_J_KGK = 4185.0
"""Heat capacity of heating water, 30 to 80 °C, within 0.2 %."""
_HALVINGS = 32
_LEAST_K = 0.02


@dataclass(frozen=True, slots=True)
class Design:
    """Supply and return at design outdoor temperature, °C, and the emitter's exponent."""

    supply_c: float
    return_c: float
    exponent: float


class Emitter(StrEnum):
    """What gives off the heat in a circuit's dwellings."""

    RADIATORS = "radiators"
    FLOOR = "floor"

    @property
    def design(self) -> Design:
        """Usual design temperatures: radiators 75/50 °C, floors 45/35 °C."""
        return _DESIGN[self]


_DESIGN = {
    Emitter.RADIATORS: Design(75.0, 50.0, 1.3),
    Emitter.FLOOR: Design(45.0, 35.0, 1.1),
}


def likely_emitter(
    supply_c: float, outdoor_c: float, *, room_c: float = 20.0, design_outdoor_c: float = -24.2
) -> Emitter:
    """Radiators or floors, from how warm the supply is for the weather.

    At a load ``φ = (T_room − T_out)/(T_room − T_design)`` the mean excess over the room falls like
    ``φ^(1/n)``, so the supply's excess over that power of the load is 55 K in a radiator circuit
    and 25 K in a floor circuit at any weather. The limit is their geometric mean.
    """
    load = max((room_c - outdoor_c) / (room_c - design_outdoor_c), 0.05)
    at_design_k = (supply_c - room_c) / load ** (1.0 / 1.2)
    return Emitter.RADIATORS if at_design_k > 37.0 else Emitter.FLOOR


def strength(
    supply_c: ArrayLike, return_c: ArrayLike, room_c: ArrayLike, exponent: float
) -> FloatArray:
    """Heat per size, K^n; shapes broadcast. Excesses are taken as at least 0.02 K."""
    hot, cold = _excess(supply_c, room_c), _excess(return_c, room_c)
    cold = np.minimum(cold, hot - 1e-6)
    p = exponent - 1.0
    return np.asarray(p * (hot - cold) / (cold**-p - hot**-p), dtype=np.float64)


def return_for(
    supply_c: ArrayLike, room_c: ArrayLike, strength_kn: ArrayLike, exponent: float
) -> FloatArray:
    """The return at which an emitter has a strength, °C; NaN where even a full flow has less."""
    hot = np.asarray(supply_c, dtype=np.float64)
    room, wanted = np.broadcast_arrays(np.asarray(room_c, float), np.asarray(strength_kn, float))

    def less(middle: FloatArray) -> BoolArray:
        return np.asarray(strength(hot, middle, room, exponent) < wanted)

    found = _bisect(room + _LEAST_K, np.broadcast_to(hot, room.shape) - 1e-4, less)
    reachable = wanted < _excess(hot, room) ** exponent
    return np.where(reachable, found, np.nan)


def room_balanced(
    supply_c: ArrayLike,
    return_c: ArrayLike,
    ratio: ArrayLike,
    gain: ArrayLike,
    *,
    outdoor_c: float,
    exponent: float,
) -> FloatArray:
    """The room at which emitters give what the walls lose, °C.

    ``ratio`` is emitter size over heat loss (K^(1−n)), ``gain`` the factor by which gains of
    people and sun add to the emitters' heat: ``ratio·gain·strength = T_room − T_out``.
    """
    back, hot = np.asarray(return_c, dtype=np.float64), np.asarray(supply_c, dtype=np.float64)

    def colder(middle: FloatArray) -> BoolArray:
        given = np.asarray(ratio) * np.asarray(gain) * strength(hot, back, middle, exponent)
        return np.asarray(given > middle - outdoor_c)

    return _bisect(np.full(back.shape, outdoor_c), back - _LEAST_K, colder)


def settled_room(
    flow_kgs: FloatArray,
    supply_c: FloatArray,
    size: FloatArray,
    loss_wk: FloatArray,
    gains_w: FloatArray,
    *,
    outdoor_c: float,
    exponent: float,
) -> FloatArray:
    """The room that a flow holds in the end, °C: what emitters and gains bring, walls lose."""
    p = exponent - 1.0

    def colder(room: FloatArray) -> BoolArray:
        hot = _excess(supply_c, room)
        weak = p * size / (np.maximum(flow_kgs, 1e-9) * CP_J_KGK)
        cold = (hot**-p + weak) ** (-1.0 / p)
        heat = flow_kgs * CP_J_KGK * (hot - cold)
        return np.asarray(heat + gains_w > loss_wk * (room - outdoor_c))

    return _bisect(np.full(supply_c.shape, outdoor_c), supply_c - _LEAST_K, colder)


def _excess(water_c: ArrayLike, room_c: ArrayLike) -> FloatArray:
    return np.maximum(np.subtract(water_c, room_c, dtype=np.float64), _LEAST_K)


def _bisect(low: FloatArray, high: FloatArray, above: _Above) -> FloatArray:
    """Where ``above`` turns from true to false between two arrays of limits."""
    low, high = np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        higher = above(middle)
        low, high = np.where(higher, middle, low), np.where(higher, high, middle)
    return (low + high) / 2.0
