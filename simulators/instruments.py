"""What instruments read in one step: sampled, biased, noisy, quantised, counted.

Pure in the sense that matters: given the step and what an instrument remembers (the value it
stuck at, its counters), the readings follow. What happens to a reading on its way is ``post``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators import rand
from simulators.engine import Step
from simulators.fleet import Fleet, MeterFleet, Node, RoomFleet
from simulators.layout import Layout
from simulators.physics import water

Array = NDArray[np.float64]
Index = NDArray[np.intp]

NOISE_K = 0.06
METER_NOISE_K = 0.015
FLOW_NOISE = 0.002
_STATIC_KPA, _PRIMARY_SUPPLY_KPA, _PRIMARY_RETURN_KPA = 360.0, 920.0, 560.0
_PUMP_HZ = 42.0
_MAKEUP_SHARE_H = 0.0015
"""Make-up per hour as a share of the hourly circulating volume."""


@dataclass(frozen=True, slots=True)
class RoomSamples:
    """Readings in a step; ``sensor`` indexes the fleet, ``at_s`` is seconds from the anchor."""

    sensor: Index
    at_s: NDArray[np.int_]
    temperature_c: Array
    humidity_pct: Array
    battery_pct: Array


@dataclass(slots=True)
class RoomSensors:
    """All room sensors and the values at which some of them stuck."""

    fleet: RoomFleet
    seed: int
    every_s: int
    _damp: Array
    _stuck_at: Array

    @classmethod
    def of(cls, fleet: RoomFleet, seed: int, every_s: int) -> RoomSensors:
        """Sensors that are all well; some dwellings are damper than others."""
        damp = 5.0 * rand.normal(seed, "sensor/damp", fleet.unit)
        return cls(fleet, seed, every_s, damp, np.full(len(fleet), np.nan))

    def read(self, step: Step) -> RoomSamples:
        """The samples due in a step, ordered by time and sensor."""
        fleet = self.fleet
        at = _due(step, fleet.phase_s, self.every_s)
        sensor = np.flatnonzero(at < step.offset_s + step.seconds)
        sensor = sensor[np.lexsort((sensor, at[sensor]))]
        at, unit = at[sensor], fleet.unit[sensor]
        along = (at - step.offset_s) / step.seconds
        true = step.air_before_c[unit] + along * (step.air_c[unit] - step.air_before_c[unit])
        noise = NOISE_K * rand.normal(self.seed, "sensor/noise", unit, at)
        shown = np.round(true + fleet.bias_k[sensor] + noise, 1)
        shown = self._stick(step, sensor, unit, shown)
        humid = 30.0 + 0.35 * (step.weather.outdoor_c + 20.0) - 1.2 * (true - 22.0)
        humid = humid + self._damp[sensor] + rand.normal(self.seed, "sensor/humidity", unit, at)
        battery = fleet.battery_pct[sensor] - at / 86400.0 * 0.05
        return RoomSamples(
            sensor,
            at,
            shown,
            np.round(np.clip(humid, 8.0, 90.0), 1).astype(np.float64),
            np.round(np.clip(battery, 3.0, 100.0)).astype(np.float64),
        )

    def skip(self, step: Step) -> None:
        """Let a step pass without reading, except what stuck sensors will need to remember."""
        if step.knobs.sensor_stuck.any():
            self.read(step)
        else:
            self._stuck_at[:] = np.nan

    def _stick(self, step: Step, sensor: Index, unit: Index, shown: Array) -> Array:
        """Replace what stuck sensors show; a sensor freezes at the first value after its onset."""
        stuck = step.knobs.sensor_stuck[unit]
        self._stuck_at[sensor[~stuck]] = np.nan
        if not stuck.any():
            return shown
        forced = step.knobs.sensor_value[unit]
        frozen = np.where(np.isnan(self._stuck_at[sensor]), shown, self._stuck_at[sensor])
        frozen = np.where(np.isnan(forced), frozen, forced)
        self._stuck_at[sensor[stuck]] = frozen[stuck]
        return np.where(stuck, frozen, shown)


def _due(step: Step, phase_s: NDArray[np.int_], every_s: int) -> NDArray[np.int_]:
    """The first instant of each device at or after the start of a step, s from the anchor."""
    return phase_s - (phase_s - step.offset_s) // every_s * every_s


@dataclass(frozen=True, slots=True)
class MeterSamples:
    """Readings of heat meters in a step; NaN where a meter does not measure a quantity."""

    meter: Index
    at_s: NDArray[np.int_]
    quantities: dict[str, Array]


@dataclass(frozen=True, slots=True)
class _Face:
    """The meters due in a step and what their sensors feel, before noise and rounding."""

    meter: Index
    at_s: NDArray[np.int_]
    supply_c: Array
    return_c: Array
    flow_m3h: Array


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
    every_s: int
    _energy: Array
    _volume: Array
    _makeup: Array

    @classmethod
    def of(cls, fleet: MeterFleet, layout: Layout, seed: int, every_s: int) -> HeatMeters:
        """Meters that have been counting for years."""
        keys = fleet.row
        energy = np.round(2e5 * (1.0 + 20.0 * rand.uniform(seed, "meter/energy", keys)), 1)
        makeup = np.round(900.0 * rand.uniform(seed, "meter/makeup", keys), 2)
        return cls(fleet, layout, seed, every_s, energy, energy / 20.0, makeup)

    def read(self, step: Step) -> MeterSamples:
        """The samples due in a step; counters then move on to its end."""
        rates = self._rates(step)
        at = _due(step, self.fleet.phase_s, self.every_s)
        meter = np.flatnonzero(at < step.offset_s + step.seconds)
        meter = meter[np.lexsort((meter, at[meter]))]
        hours = (at - step.offset_s)[meter] / 3600.0
        face = _Face(
            meter,
            at[meter],
            rates.supply_c[meter],
            rates.return_c[meter],
            rates.flow_m3h[meter],
        )
        quantities = self._shown(face) | self._plant(step, face)
        energy, volume, makeup = (
            counter[meter] + rate[meter] * hours for counter, rate in self._counted(rates)
        )
        quantities["energy_kwh"] = np.round(energy, 1)
        quantities["volume_m3"] = np.round(volume, 2)
        quantities["makeup_m3"] = np.round(makeup, 3)
        self._count(rates, step)
        return MeterSamples(meter, at[meter], quantities)

    def skip(self, step: Step) -> None:
        """Count a step without reading anything."""
        self._count(self._rates(step), step)

    def _rates(self, step: Step) -> _Rates:
        """What every meter feels and counts during a step."""
        fleet = self.fleet
        supply, returned, mass, swapped = self._true(step)
        shown_supply = np.where(swapped, returned, supply) + fleet.supply_bias_k
        shown_return = np.where(swapped, supply, returned) + fleet.return_bias_k
        sensed = np.where(fleet.in_return, shown_return, shown_supply)
        drop = water.enthalpy(shown_supply) - water.enthalpy(shown_return)
        return _Rates(
            supply_c=shown_supply,
            return_c=shown_return,
            flow_m3h=3600.0 * mass / water.density(sensed) * fleet.gain,
            counting_kw=np.maximum(mass * fleet.gain * drop, 0.0),
            makeup_m3h=_MAKEUP_SHARE_H * self._circulating(step),
        )

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

    def _true(self, step: Step) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
        """Supply °C, return °C, kg/s at every meter, and which are mounted the wrong way round."""
        row, primary = self.fleet.row, step.primary
        supply = _nodes(
            primary.source_supply_c,
            primary.supply_c,
            step.water.secondary_supply_c,
            step.water.building_supply_c,
            step.water.entrance_supply_c,
        )
        returned = _nodes(
            primary.source_return_c,
            primary.return_c,
            step.water.secondary_return_c,
            step.water.building_return_c,
            step.water.entrance_return_c,
        )
        flows = step.flows
        mass = _nodes(
            primary.source_flow_kgs, primary.flow_kgs, flows.pump, flows.building, flows.entrance
        )
        swapped = np.zeros(len(supply), dtype=bool)
        swapped[len(supply) - len(flows.entrance) :] = step.knobs.entrance_swapped
        return supply[row], returned[row], mass[row], swapped[row]

    def _circulating(self, step: Step) -> Array:
        """Circulating m³/h behind meters that also count make-up; NaN at the others."""
        circulating = np.full(len(self.fleet), np.nan)
        node, index = self.fleet.node, self.fleet.index
        source = node == Node.SOURCE
        circulating[source] = 3.6 * step.primary.source_flow_kgs
        secondary = node == Node.SECONDARY
        circulating[secondary] = 3.6 * step.flows.pump[index[secondary]]
        return circulating

    def _shown(self, face: _Face) -> dict[str, Array]:
        """What the meters due show: temperatures, flow, and power by the meter's own arithmetic."""
        row, at_s = self.fleet.row[face.meter], face.at_s
        hot = face.supply_c + METER_NOISE_K * rand.normal(self.seed, "meter/s", row, at_s)
        cold = face.return_c + METER_NOISE_K * rand.normal(self.seed, "meter/r", row, at_s)
        flow = face.flow_m3h * (1.0 + FLOW_NOISE * rand.normal(self.seed, "meter/f", row, at_s))
        hot, cold, flow = np.round(hot, 2), np.round(cold, 2), np.round(flow, 3)
        sensed = water.density(np.where(self.fleet.in_return[face.meter], cold, hot))
        power = flow * sensed * (water.enthalpy(hot) - water.enthalpy(cold)) / 3600.0
        return {
            "supply_c": hot,
            "return_c": cold,
            "flow_m3h": flow,
            "power_kw": np.round(power, 2),
        }

    def _plant(self, step: Step, face: _Face) -> dict[str, Array]:
        """Pressures in kPa, valve % and pump Hz of stations and source; NaN elsewhere."""
        meter, row, at_s = face.meter, self.fleet.row[face.meter], face.at_s
        node, index = self.fleet.node[meter], self.fleet.index[meter]
        ripple = 2.0 * rand.normal(self.seed, "meter/p", row, at_s)
        shown = {
            name: np.full(len(meter), np.nan)
            for name in ("supply_kpa", "return_kpa", "valve_pct", "pump_hz")
        }
        lift = step.flows.lift_kpa
        second, first, source = (node == k for k in (Node.SECONDARY, Node.PRIMARY, Node.SOURCE))
        shown["return_kpa"][second] = _STATIC_KPA + ripple[second]
        shown["supply_kpa"][second] = _STATIC_KPA + ripple[second] + lift[index[second]]
        shown["pump_hz"][second] = _PUMP_HZ * step.knobs.pump_speed[index[second]].round(1)
        shown["supply_kpa"][first] = _PRIMARY_SUPPLY_KPA - 60.0 + ripple[first]
        shown["return_kpa"][first] = _PRIMARY_RETURN_KPA + 60.0 + ripple[first]
        shown["valve_pct"][first] = step.primary.valve_pct[index[first]]
        shown["supply_kpa"][source] = _PRIMARY_SUPPLY_KPA + ripple[source]
        shown["return_kpa"][source] = _PRIMARY_RETURN_KPA + ripple[source]
        shown["pump_hz"][source] = _PUMP_HZ
        return {name: np.round(values, 1) for name, values in shown.items()}


def _nodes(source: float, *blocks: Array) -> Array:
    """The vector of all metered nodes in the order of ``Node``."""
    return np.concatenate([np.array([source]), *blocks])


@dataclass(frozen=True, slots=True)
class Bench:
    """All instruments of a town."""

    rooms: RoomSensors
    meters: HeatMeters

    @classmethod
    def of(cls, fleet: Fleet, layout: Layout, seed: int, room_s: int, meter_s: int) -> Bench:
        """New instruments for a run."""
        return cls(
            RoomSensors.of(fleet.rooms, seed, room_s),
            HeatMeters.of(fleet.meters, layout, seed, meter_s),
        )
