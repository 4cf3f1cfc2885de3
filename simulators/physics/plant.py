"""Source, primary pipes and substations: where supply temperatures and primary flows come from.

A substation's valve delivers whatever heat its secondary side takes, as long as the primary flow
that needs stays within the valve; beyond that the secondary supply sags. The primary leaves the
exchanger warmer than the secondary return by the *approach*, which grows with load.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.physics import water
from simulators.physics.emitter import EXPONENT

Array = NDArray[np.float64]

DESIGN_OUTDOOR_C = -24.2
DESIGN_SUPPLY_C, DESIGN_RETURN_C = 75.0, 50.0
GROUND_C = 4.0
"""Soil around buried pipes in winter, °C."""

_SOURCE_OUTDOOR_C = np.array([-35.0, -24.2, -10.0, 5.0])
_SOURCE_SUPPLY_C = np.array([120.0, 112.0, 95.0, 75.0])
_APPROACH_IDLE_K, _APPROACH_LOAD_K = 1.5, 2.7
_VALVE_AUTHORITY = 0.55


@dataclass(frozen=True)
class Curve:
    """Secondary supply against outdoor temperature for one room temperature."""

    outdoor_c: Array
    supply_c: Array

    def supply(self, outdoor_c: float | Array) -> Array:
        """Supply set point in °C."""
        return np.asarray(np.interp(outdoor_c, self.outdoor_c, self.supply_c))


def curve(room_c: float, design_w: float, loss_wk: float, gains_w: float) -> Curve:
    """The curve that keeps ``room_c`` in a dwelling sized for 75/50 at −24.2 °C.

    Heat φ (as a share of design) needs a return excess θr with θs = θr + 25 φ and the same
    radiator: θr^-p − θs^-p stays what it is at design, scaled by the flow's share (1).
    """
    outdoor = np.arange(-45.0, room_c, 1.0)
    share = np.maximum(loss_wk * (room_c - outdoor) - gains_w, 0.02 * design_w) / design_w
    p = EXPONENT - 1.0
    target = (DESIGN_RETURN_C - room_c) ** -p - (DESIGN_SUPPLY_C - room_c) ** -p
    drop = (DESIGN_SUPPLY_C - DESIGN_RETURN_C) * share
    low, high = np.full_like(outdoor, 1e-3), np.full_like(outdoor, 200.0)
    for _ in range(60):
        middle = (low + high) / 2.0
        too_large = middle**-p - (middle + drop) ** -p > target
        low, high = np.where(too_large, middle, low), np.where(too_large, high, middle)
    return Curve(outdoor, room_c + low + drop)


def source_supply(outdoor_c: float) -> float:
    """The source's supply schedule, °C: about 112 at −24 °C, 75 at +5 °C."""
    return float(np.interp(outdoor_c, _SOURCE_OUTDOOR_C, _SOURCE_SUPPLY_C))


def pipe_outlet(inlet_c: Array | float, flow_kgs: Array, loss_wk: Array) -> Array:
    """Temperature in °C at the end of a buried pipe with ``loss_wk`` W/K to the ground."""
    kept = np.exp(-loss_wk / (np.maximum(flow_kgs, 1e-6) * water.CP))
    return GROUND_C + (inlet_c - GROUND_C) * kept


@dataclass(frozen=True, slots=True)
class Station:
    """Design heat in W and largest primary flow in kg/s of each substation; shape [pumps]."""

    design_w: Array
    primary_max_kgs: Array
    primary_loss_wk: Array


@dataclass(frozen=True, slots=True)
class PrimarySide:
    """Primary of each substation, [pumps], and of the source: °C, kg/s, valve %."""

    supply_c: Array
    return_c: Array
    flow_kgs: Array
    valve_pct: Array
    source_supply_c: float
    source_return_c: float
    source_flow_kgs: float


def stations(design_w: Array) -> Station:
    """Substations sized with a quarter in reserve, and pipes that lose about 2 % each way."""
    drop = water.enthalpy(112.0) - water.enthalpy(54.0)
    nominal = design_w / (drop * 1000.0)
    return Station(design_w, 1.25 * nominal, 0.016 * design_w / 100.0)


def approach(heat_w: Array, design_w: Array) -> Array:
    """Primary return minus secondary return, K: 2 at low load to about 4.5 at full load."""
    return _APPROACH_IDLE_K + _APPROACH_LOAD_K * np.clip(heat_w / design_w, 0.05, 1.5)


def heat_limit(station: Station, supply_c: Array, secondary_return_c: Array) -> Array:
    """Largest heat in W that fully open valves can bring."""
    returned = secondary_return_c + _APPROACH_IDLE_K + _APPROACH_LOAD_K
    drop = np.maximum(water.enthalpy(supply_c) - water.enthalpy(returned), 0.0)
    return np.asarray(station.primary_max_kgs * drop * 1000.0)


def primary(
    station: Station,
    heat_w: Array,
    secondary_return_c: Array,
    source_c: float,
    last_flow_kgs: Array,
) -> PrimarySide:
    """Primary flows and returns for the heat each secondary takes.

    ``last_flow_kgs`` (a step old) gives the cooling on the way from the source.
    """
    arrived = pipe_outlet(source_c, last_flow_kgs, station.primary_loss_wk)
    left = np.minimum(secondary_return_c + approach(heat_w, station.design_w), arrived - 1.0)
    drop = np.maximum(water.enthalpy(arrived) - water.enthalpy(left), 1.0) * 1000.0
    flow = np.clip(heat_w / drop, 1e-4 * station.primary_max_kgs, None)
    share = np.clip(flow / station.primary_max_kgs, 0.0, 1.0)
    back = pipe_outlet(left, flow, station.primary_loss_wk)
    total = float(flow.sum())
    return PrimarySide(
        supply_c=arrived,
        return_c=left,
        flow_kgs=flow,
        valve_pct=100.0 * share**_VALVE_AUTHORITY,
        source_supply_c=source_c,
        source_return_c=float((flow * back).sum() / total),
        source_flow_kgs=total,
    )
