"""Substations: the weather-compensated curve, the exchanger, the valve, make-up and pressure.

A substation's valve delivers whatever heat its secondary side takes, as long as the primary flow
that needs stays within the valve; beyond that the secondary supply sags. The primary leaves the
exchanger warmer than the secondary return by the *approach*, which grows with load and with dirt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.physics import water
from simulators.physics.emitter import EXPONENT, FLOOR_EXPONENT

Array = NDArray[np.floating[Any]]

DESIGN_OUTDOOR_C = -24.2
GROUND_C = 4.0
"""Soil around buried pipes in winter, °C."""

_APPROACH_IDLE_K, _APPROACH_LOAD_K = 1.5, 2.7
_VALVE_AUTHORITY = 0.55
_NARROWS_PER_K = 0.03  # of the flow, for a K by which dirt raises the approach


@dataclass(frozen=True, slots=True)
class Design:
    """Supply and return in °C at design outdoor temperature, and the emitters' exponent."""

    supply_c: float
    return_c: float
    exponent: float

    @property
    def drop_k(self) -> float:
        """Supply minus return."""
        return self.supply_c - self.return_c


RADIATORS = Design(75.0, 50.0, EXPONENT)
FLOOR = Design(45.0, 35.0, FLOOR_EXPONENT)


@dataclass(frozen=True)
class Curve:
    """Secondary supply against outdoor temperature for one room temperature."""

    outdoor_c: Array
    supply_c: Array

    def supply(self, outdoor_c: float | Array) -> Array:
        """Supply set point in °C."""
        return np.asarray(np.interp(outdoor_c, self.outdoor_c, self.supply_c))


def curve(
    room_c: float, design_w: float, loss_wk: float, gains_w: float, design: Design = RADIATORS
) -> Curve:
    """The curve that keeps ``room_c`` in a dwelling sized for ``design``.

    Heat φ (as a share of design) needs a return excess θr with θs = θr + ΔT φ and the same
    emitter: θr^-p − θs^-p stays what it is at design, scaled by the flow's share (1).
    """
    outdoor = np.arange(-45.0, room_c, 1.0)
    share = np.maximum(loss_wk * (room_c - outdoor) - gains_w, 0.02 * design_w) / design_w
    p = design.exponent - 1.0
    target = (design.return_c - room_c) ** -p - (design.supply_c - room_c) ** -p
    drop = design.drop_k * share
    low, high = np.full_like(outdoor, 1e-3), np.full_like(outdoor, 200.0)
    for _ in range(60):
        middle = (low + high) / 2.0
        too_large = middle**-p - (middle + drop) ** -p > target
        low, high = np.where(too_large, middle, low), np.where(too_large, high, middle)
    return Curve(outdoor, np.round(room_c + low + drop, 6))


def pipe_outlet(inlet_c: Array | float, flow_kgs: Array, loss_wk: Array) -> Array:
    """Temperature in °C at the end of a buried pipe with ``loss_wk`` W/K to the ground."""
    kept = np.exp(-loss_wk / (np.maximum(flow_kgs, 1e-6) * water.CP))
    return GROUND_C + (inlet_c - GROUND_C) * kept


@dataclass(frozen=True, slots=True)
class Station:
    """Design heat in W and largest primary flow in kg/s of each circuit's exchanger; [circuits]."""

    design_w: Array
    primary_max_kgs: Array


def stations(design_w: Array) -> Station:
    """Exchangers sized with a quarter in reserve."""
    drop = water.enthalpy(112.0) - water.enthalpy(54.0)
    return Station(design_w, 1.25 * design_w / (drop * 1000.0))


def approach(heat_w: Array, design_w: Array, fouling_k: Array | float = 0.0) -> Array:
    """Primary return minus secondary return, K: 2 at low load to about 4.5 at full load.

    ``fouling_k`` is added at full load; a fouled exchanger shows 8 to 15 K.
    """
    load = np.clip(heat_w / design_w, 0.05, 1.5)
    return np.asarray(_APPROACH_IDLE_K + (_APPROACH_LOAD_K + fouling_k) * load)


def heat_limit(
    station: Station,
    supply_kj_kg: Array,
    secondary_return_c: Array,
    fouling_k: Array | float = 0.0,
) -> Array:
    """Largest heat in W that fully open valves can bring from primary water of an enthalpy.

    The approach grows with the heat, so the heat Q follows from Q = m (h − c a Q / design).
    """
    idle = secondary_return_c + _APPROACH_IDLE_K
    drop = np.maximum(supply_kj_kg - water.enthalpy(idle), 0.0) * 1000.0
    flow = _passes(station, fouling_k)
    warmer = flow * water.CP * (_APPROACH_LOAD_K + fouling_k) / station.design_w
    return np.asarray(flow * drop / (1.0 + warmer))


def _passes(station: Station, fouling_k: Array | float) -> Array:
    """Primary flow in kg/s that a fully open valve lets through: dirt narrows the plates."""
    return np.asarray(station.primary_max_kgs / (1.0 + _NARROWS_PER_K * fouling_k))


@dataclass(frozen=True, slots=True)
class Exchange:
    """Primary side of each circuit's exchanger: what leaves it in kJ/kg, kg/s, valve in %."""

    return_kj_kg: Array
    flow_kgs: Array
    valve_pct: Array


def exchange(
    station: Station,
    heat_w: Array,
    secondary_return_c: Array,
    supply_kj_kg: Array,
    fouling_k: Array | float = 0.0,
) -> Exchange:
    """Primary flow and return for the heat that each secondary takes, [circuits]."""
    leaving = secondary_return_c + approach(heat_w, station.design_w, fouling_k)
    drop = np.maximum(supply_kj_kg - water.enthalpy(leaving), 4.2) * 1000.0
    flow = np.maximum(heat_w / drop, 1e-4 * station.primary_max_kgs)
    share = np.minimum(flow / _passes(station, fouling_k), 1.0)
    valve = 100.0 * np.round(share**_VALVE_AUTHORITY, 9)
    return Exchange(supply_kj_kg - heat_w / flow / 1000.0, flow, valve)


MAKEUP_SHARE_H = 0.0015
"""Make-up of a sound circuit per hour, share of the hourly circulating volume (limit 1 %)."""
_MAKEUP_MOST_H = 0.03  # of a circuit's volume, what a make-up pump can bring in an hour
_KPA_PER_SHARE = 6000.0  # how pressure falls with the share of a circuit's volume that is missing
_FILLING_S = 4.0 * 3600.0


@dataclass(frozen=True, slots=True)
class Vessel:
    """Static pressure in kPa to which circuits are filled, their water in m³, whether in use."""

    filled_kpa: Array
    volume_m3: Array
    used: NDArray[np.bool_]


def made_up(
    vessel: Vessel, before_kpa: Array, leak_m3h: Array, pump_kgs: Array, seconds: float
) -> tuple[Array, Array]:
    """Static pressure in kPa after a step, and make-up in m³/h during it, [circuits].

    What leaks is made up as far as the make-up pump goes. A leak of ``leak_m3h`` at full pressure
    runs with the root of it, so a circuit may settle where the pump keeps up, its top floors
    without flow. The pressure p after the step solves, with k in kPa per m³/h over a step,
    p + k leak √(p / filled) = before + k (most − sound). An empty circuit is filled in hours.
    """
    sound = MAKEUP_SHARE_H * 3.6 * pump_kgs
    most = _MAKEUP_MOST_H * vessel.volume_m3
    per_m3h = seconds / 3600.0 * _KPA_PER_SHARE / vessel.volume_m3
    runs = leak_m3h / np.sqrt(vessel.filled_kpa)
    half = per_m3h * runs / 2.0
    root = np.sqrt(half * half + np.maximum(before_kpa + per_m3h * (most - sound), 0.0)) - half
    risen = np.minimum(root * root, vessel.filled_kpa)
    brought = (risen - before_kpa) / per_m3h + sound + runs * np.sqrt(risen)
    filling = (before_kpa < 0.5 * vessel.filled_kpa) & (leak_m3h <= 0.0)
    quick = before_kpa + vessel.filled_kpa * seconds / _FILLING_S
    after = np.where(filling, quick, risen) * vessel.used
    return after, np.clip(brought, 0.0, most) * vessel.used
