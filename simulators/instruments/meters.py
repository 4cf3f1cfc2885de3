"""Heat meters: what they show at their own instants, and counters that run through every step.

A meter computes from what its own sensors show: below its starting flow it sees none, above twice
its size it sees no more. Counters never run backwards, whichever way the pipes are joined.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators import rand
from simulators.devices.metering import MeterFleet, Node
from simulators.instruments import kernels
from simulators.instruments.rota import Rota
from simulators.layout import Layout
from simulators.physics import water
from simulators.states import Step

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

METER_NOISE_K = 0.015
FLOW_NOISE = 0.002
STARTING_FLOW = 1.0 / 250.0
"""Share of its design flow below which a meter does not turn."""
SATURATED = 2.0
"""Multiple of its design flow beyond which a meter shows no more."""
PUMP_HZ = 42.0
_PUMP_RUNS = 0.1
"""Share of nominal speed below which what moves is the water's own weight, not the pump."""
_PRIMARY_SUPPLY_KPA, _PRIMARY_RETURN_KPA, _PRIMARY_DROP_KPA = 920.0, 560.0, 60.0
_RIPPLE_KPA = 2.0
_SOURCE, _PRIMARY, _SECONDARY = int(Node.SOURCE), int(Node.PRIMARY), int(Node.SECONDARY)
_PLANT = ("supply_kpa", "return_kpa", "valve_pct", "pump_hz")


@dataclass(frozen=True, slots=True)
class MeterSamples:
    """Readings of heat meters in a step; NaN where a meter does not measure a quantity."""

    meter: Index
    at_s: NDArray[np.int_]
    quantities: dict[str, Array]


@dataclass(frozen=True, slots=True)
class _Rates:
    """Of every meter during a step: what its sensors feel, and what its counters gain an hour."""

    supply_c: Array
    return_c: Array
    flow_m3h: Array
    counting_kw: Array
    makeup_m3h: Array


@dataclass(slots=True)
class HeatMeters:
    """All heat meters and their counters (kWh, m³, make-up m³), [meters] each."""

    fleet: MeterFleet
    layout: Layout
    seed: int
    _rota: Rota
    _energy: Array
    _volume: Array
    _makeup: Array

    @classmethod
    def of(cls, fleet: MeterFleet, layout: Layout, seed: int, every_s: int) -> HeatMeters:
        """Meters that have been counting for years."""
        keys = fleet.row
        energy = np.round(2e5 * (1.0 + 20.0 * rand.uniform(seed, "meter/energy", keys)), 1)
        makeup = np.round(900.0 * rand.uniform(seed, "meter/makeup", keys), 2)
        makeup[fleet.node >= Node.BUILDING] = np.nan
        makeup[fleet.node == Node.PRIMARY] = np.nan
        rota = Rota.of(fleet.phase_s, every_s)
        return cls(fleet, layout, seed, rota, energy, energy / 20.0, makeup)

    def read(self, step: Step) -> MeterSamples:
        """The samples due in a step, by instant and then meter; counters move on to its end."""
        rates = self._rates(step)
        meter, at_s = self._rota.due(step.offset_s, step.seconds)
        shown = self._shown(rates, meter, at_s) | self._plant(step, meter, at_s)
        hours = (at_s - step.offset_s) / 3600.0
        energy, volume, makeup = (
            counter[meter] + rate[meter] * hours for counter, rate in self._counted(rates)
        )
        shown["energy_kwh"] = np.round(energy, 1)
        shown["volume_m3"] = np.round(volume, 2)
        shown["makeup_m3"] = np.round(makeup, 3)
        self._count(rates, step)
        return MeterSamples(meter, at_s, shown)

    def skip(self, step: Step) -> None:
        """Count a step without reading anything."""
        self._count(self._rates(step), step)

    def _rates(self, step: Step) -> _Rates:
        """What every meter feels and counts during a step."""
        fleet = self.fleet
        supply, returned, mass, swapped = _true(step, fleet.row, self.layout.tree.entrance_building)
        shown_supply = np.where(swapped, returned, supply) + fleet.supply_bias_k
        shown_return = np.where(swapped, supply, returned) + fleet.return_bias_k
        density = water.density(np.where(fleet.in_return, shown_return, shown_supply))
        flow = self._turned(3600.0 * mass / density * fleet.gain)
        drop = water.enthalpy(shown_supply) - water.enthalpy(shown_return)
        return _Rates(
            supply_c=shown_supply,
            return_c=shown_return,
            flow_m3h=flow,
            counting_kw=np.maximum(flow * density / 3600.0 * drop, 0.0),
            makeup_m3h=self._made_up(step),
        )

    def _turned(self, flow_m3h: Array) -> Array:
        """Flow in m³/h as the meters see it: none below their start, no more beyond their size."""
        design = self.fleet.design_m3h
        turned = np.where(flow_m3h < STARTING_FLOW * design, 0.0, flow_m3h)
        return np.minimum(turned, SATURATED * design)

    def _counted(self, rates: _Rates) -> tuple[tuple[Array, Array], ...]:
        """Each counter with the rate per hour at which it runs."""
        return (
            (self._energy, rates.counting_kw),
            (self._volume, rates.flow_m3h),
            (self._makeup, rates.makeup_m3h),
        )

    def _count(self, rates: _Rates, step: Step) -> None:
        for counter, rate in self._counted(rates):
            np.add(counter, rate * (step.seconds / 3600.0), out=counter)

    def _made_up(self, step: Step) -> Array:
        """Make-up in m³/h behind meters that also count it; NaN at the others."""
        made_up = np.full(len(self.fleet), np.nan)
        node, index = self.fleet.node, self.fleet.index
        made_up[node == _SOURCE] = 3.6 * step.primary.source_makeup_kgs
        secondary = node == _SECONDARY
        made_up[secondary] = 3.6 * step.circuits.makeup_kgs[index[secondary]]
        return made_up

    def _shown(self, rates: _Rates, meter: Index, at_s: Index) -> dict[str, Array]:
        """What the meters due show: temperatures, flow, and power by the meter's own arithmetic."""
        row = self.fleet.row[meter]
        hot = rates.supply_c[meter] + METER_NOISE_K * self._noise("meter/s", row, at_s)
        cold = rates.return_c[meter] + METER_NOISE_K * self._noise("meter/r", row, at_s)
        wobble = 1.0 + FLOW_NOISE * self._noise("meter/f", row, at_s)
        flow = np.minimum(rates.flow_m3h[meter] * wobble, SATURATED * self.fleet.design_m3h[meter])
        hot, cold = np.round(hot, 2), np.round(cold, 2)
        flow = np.round(flow, 3).astype(np.float64)
        sensed = water.density(np.where(self.fleet.in_return[meter], cold, hot))
        power = flow * sensed * (water.enthalpy(hot) - water.enthalpy(cold)) / 3600.0
        return {
            "supply_c": hot,
            "return_c": cold,
            "flow_m3h": flow,
            "power_kw": np.round(power, 2),
        }

    def _noise(self, stream: str, row: Index, at_s: Index) -> Array:
        """Near-normal numbers of the meters due."""
        drawn = np.empty(len(row))
        kernels.normals(rand.state(self.seed, stream), row, at_s, drawn)
        return drawn

    def _plant(self, step: Step, meter: Index, at_s: Index) -> dict[str, Array]:
        """Pressures in kPa, valve % and pump Hz of stations and source; NaN elsewhere."""
        shown = {name: np.full(len(meter), np.nan) for name in _PLANT}
        plant = np.flatnonzero(self.fleet.node[meter] <= _SECONDARY)
        meter = meter[plant]
        node, index, row = self.fleet.node[meter], self.fleet.index[meter], self.fleet.row[meter]
        wave = _RIPPLE_KPA * self._noise("meter/p", row, at_s[plant])
        second, first, source = (node == kind for kind in (_SECONDARY, _PRIMARY, _SOURCE))
        supply = np.where(source, 0.0, -_PRIMARY_DROP_KPA) + _PRIMARY_SUPPLY_KPA + wave
        back = np.where(source, 0.0, _PRIMARY_DROP_KPA) + _PRIMARY_RETURN_KPA + wave
        circuit = index[second]
        back[second] = np.maximum(step.circuits.static_kpa[circuit] + wave[second], 0.0)
        supply[second] = back[second] + step.flows.lift_kpa[circuit]
        speed = step.knobs.pump_speed[circuit].astype(np.float64)
        hz = np.where(source, PUMP_HZ, np.nan)
        hz[second] = np.where(speed < _PUMP_RUNS, 0.0, PUMP_HZ * speed)
        valve = np.full(len(meter), np.nan)
        valve[first] = step.primary.valve_pct[index[first]]
        for name, values in zip(_PLANT, (supply, back, valve, hz), strict=True):
            shown[name][plant] = np.round(values, 1)
        return shown


def _true(step: Step, row: Index, entrance_building: Index) -> tuple[Array, Array, Array, Flags]:
    """Supply °C, return °C, kg/s at every meter, and which are joined the wrong way round."""
    primary, circuits = step.primary, step.water
    supply = _nodes(
        primary.source_supply_c,
        primary.supply_c,
        circuits.secondary_supply_c,
        circuits.building_supply_c,
        circuits.entrance_supply_c,
    )
    returned = _nodes(
        primary.source_return_c,
        primary.return_c,
        circuits.secondary_return_c,
        circuits.building_return_c,
        circuits.entrance_return_c,
    )
    flows = step.flows
    mass = _nodes(
        primary.source_flow_kgs, primary.flow_kgs, flows.pump, flows.building, flows.entrance
    )
    buildings = step.knobs.building_swapped
    entrances = step.knobs.entrance_swapped ^ buildings[entrance_building]  # twice wrong is right
    upstream = np.zeros(len(supply) - len(buildings) - len(entrances), dtype=bool)
    swapped = np.concatenate([upstream, buildings, entrances])
    return supply[row], returned[row], mass[row], swapped[row]


def _nodes(source: float, *blocks: NDArray[np.floating[Any]]) -> Array:
    """The vector of all nodes in the order of ``Node``."""
    return np.concatenate([np.array([source]), *blocks]).astype(np.float64, copy=False)
