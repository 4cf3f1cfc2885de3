"""One step of the whole town: weather → flows → supply → rooms → plant.

``Engine`` holds what never changes (sizes, resistances, propagators), ``State`` what does. The
engine knows physics and knobs, neither devices nor messages nor faults, and steps on a grid fixed
to the anchor, so that every run passes through the same states. Circuits meet only in the
substations, so the two loops over dwellings (flows, rooms) run side by side on all processors.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators import parallel, people, rand, rooms
from simulators.knobs import Board, Knobs
from simulators.layout import Layout
from simulators.model import (
    CONVECTIVE_FLOOR,
    CONVECTIVE_RADIATOR,
    FLOOR_LAG_S,
    MASS_CAPACITY,
    RADIATOR_LAG_S,
    Model,
)
from simulators.physics import dwelling, emitter, hydraulics, plant, primary, water
from simulators.scenario import Scenario
from simulators.states import Circuits, State, Step, Water
from simulators.weather import Climate, Weather

Array = NDArray[np.floating[Any]]
Single = NDArray[np.float32]

OUTDOOR_FILTER_S = 3.0 * 3600.0
"""Time constant with which a substation's controller follows the outdoor temperature."""
SUPPLY_LAG_S = 600.0
WIND_AT_REST_MS = 3.0
_WIND_LOSS = 0.035  # change of infiltration per m/s of wind, share of the windows' conductance
_SOAK_H, _SOAK_LIGHTER = 48, 14.0
_WARM_UP_H = 30
_SPIN_UP_STEP_S = 1200
_UNHEATED_C = 15.5
"""What rooms have before the first heating of a season."""
_WARMING_S, _NEXT_S = 12.0 * 3600.0, 3600.0
"""At the start of a season: to warm a circuit up, and between one station and the next."""


_NETWORK_KNOBS = (
    "circuit_resistance",
    "balance_lost",
    "building_resistance",
    "building_valve",
    "entrance_resistance",
)


@dataclass(frozen=True, slots=True)
class _Solved:
    """Flows, and what they followed from: knobs (by identity), speeds and pressures."""

    turned: tuple[object, ...]
    speed: Array
    static_kpa: Array
    flows: hydraulics.Flows


@dataclass(slots=True)
class Engine:
    """A town ready to run from an anchor; ``board`` turns its knobs."""

    scenario: Scenario
    seed: int
    layout: Layout
    model: Model
    board: Board
    anchor: datetime
    climate: Climate = field(init=False)
    seconds: int = field(init=False)
    _homes: rooms.Homes = field(init=False)
    _emitters: rooms.Emitters = field(init=False)
    _tables: emitter.Tables = field(init=False)
    _own: Single = field(init=False)
    _parts: list[tuple[int, int]] = field(init=False)
    _solved: _Solved | None = None
    _touch: tuple[Knobs, rooms.Touched] | None = None

    def __post_init__(self) -> None:
        self.climate = Climate(self.scenario, self.seed, self.anchor)
        self._tables = emitter.tables()
        self._own = self.model.pipes.unit_conductance
        self._parts = parallel.cut(self.layout.tree.circuit_units)
        self._use(self.model.shell, int(self.scenario.step / timedelta(seconds=1)))

    def _use(self, shell: dwelling.Shell, seconds: int) -> None:
        """Step with a shell and a length of step from now on."""
        model, self.seconds = self.model, seconds
        self._homes = rooms.Homes(
            response=dwelling.response(shell, seconds),
            wind_wk=shell.air_out.astype(np.float32),
            solar_m2=model.solar_m2,
            gain_w=model.gain_w,
            airing_w=model.airing_w,
            late=model.late,
        )
        lag = np.where(model.floor_heated, FLOOR_LAG_S, RADIATOR_LAG_S)
        keep = np.round(np.exp(-seconds / lag), 12).astype(np.float64)
        self._emitters = rooms.Emitters(
            kind=model.floor_heated.astype(np.int8),
            keep=keep,
            mean_keep=(1.0 - keep) * lag / seconds,
            convective=np.where(model.floor_heated, CONVECTIVE_FLOOR, CONVECTIVE_RADIATOR),
        )

    # The beginning ---------------------------------------------------------------------------

    def spin_up(self) -> State:
        """The town in equilibrium with its weather and standing faults at the anchor.

        First two days with walls made fourteen times lighter, which reaches the steady state
        (less light where much party heat would overshoot from step to step), then thirty hours
        with the true ones, so that the daily cycle is in the walls as well. A town whose season
        has not begun is not in equilibrium: its rooms start where autumn left them.
        """
        usual, heated = self.seconds, bool(self._heated(-1.0).any())
        state = self._first_guess(heated)
        start, middle = -(_SOAK_H + _WARM_UP_H) * 3600, -_WARM_UP_H * 3600
        if heated:
            self._use(self.model.shell.lighter(self._lightest()), _SPIN_UP_STEP_S)
            for index in range(start // _SPIN_UP_STEP_S, middle // _SPIN_UP_STEP_S):
                self.advance(state, index)
        self._use(self.model.shell, _SPIN_UP_STEP_S)
        for index in range(middle // _SPIN_UP_STEP_S, 0):
            self.advance(state, index)
        self._use(self.model.shell, usual)
        return state

    def _lightest(self) -> float:
        """By how much walls may be lighter for party heat to stay stable in the first steps."""
        walls = self.model.columns
        party_wk = 2.0 * walls.slab_wk + walls.wall_wk.sum(axis=0)
        capacity = MASS_CAPACITY * self.layout.riser_area_m2
        passed = float((party_wk / capacity).max()) * _SPIN_UP_STEP_S
        return min(_SOAK_LIGHTER, max(0.8 / passed, 1.0))

    def unsettled(self) -> State:
        """The town as it is guessed to be: quick, for whoever does not mind how warm it is."""
        return self._first_guess(bool(self._heated(-1.0).any()))

    def _first_guess(self, heated: bool) -> State:
        units, _, _, _, circuits = self.layout.tree.sizes
        outdoor = self.climate.at(-(_SOAK_H + _WARM_UP_H) * 3600.0).outdoor_c
        start_c = self.scenario.dwellings.room_c if heated else _UNHEATED_C
        room = np.full(units, start_c, dtype=np.float32)
        curve = self._curve(outdoor) if heated else np.full(circuits, _UNHEATED_C)
        model, stations = self.model, len(self.layout.substations)
        source_c = model.source.wanted_c(outdoor) if heated else _UNHEATED_C
        back_c = 50.0 if heated else _UNHEATED_C
        flow = self._at_stations(0.5 * model.station.primary_max_kgs)
        pipes = primary.Pipes.filled(model.mains, source_c, back_c)
        even = np.ones(stations)
        return State(
            air_c=room,
            mass_c=room.copy(),
            emitted_w=(0.5 * model.design_w * heated).astype(np.float32),
            today_w=np.zeros(units, dtype=np.float32),
            gains_w=np.zeros(units, dtype=np.float32),
            airing_w=np.zeros(units, dtype=np.float32),
            slot=-(10**9),
            secondary_supply_c=curve,
            secondary_return_c=curve - 15.0 * heated,
            static_kpa=model.filled_kpa * heated,
            pipes=pipes,
            primary=primary.PrimarySide(
                source_c * even, back_c * even, flow, 50.0 * even, source_c, back_c,
                float(flow.sum()), 0.0, 0.0,
            ),
            outdoor_filtered_c=outdoor,
        )  # fmt: skip

    def _heated(self, offset_s: float) -> Array:
        """How far each circuit's season has begun, 0 to 1, [circuits]; stations go one by one."""
        starts = self.scenario.source.starts
        if starts is None:
            return np.ones(len(self.layout.circuits))
        begins = starts.total_seconds() + _NEXT_S * self.layout.circuit_substation
        return np.asarray(np.clip((offset_s - begins) / _WARMING_S, 0.0, 1.0))

    def streams(self, state: State) -> tuple[object, ...]:
        """Whatever holds the arrays of dwellings that a step reads."""
        return (self._homes, self._own, state, self.board.knobs(0.0))

    # A step ----------------------------------------------------------------------------------

    def advance(self, state: State, index: int) -> Step:
        """One step from ``index`` steps after the anchor; ``state`` moves on."""
        offset = index * self.seconds
        weather = self.climate.at(offset + self.seconds / 2.0)
        knobs, heated = self.board.knobs(offset), self._heated(offset)
        flows = self._flows(state, knobs, heated, people.is_night(weather.local_hour))
        source_c, arrived = self._secondary_supply(state, weather, knobs, heated, flows)
        before = state.air_c
        temperatures = self._rooms(state, weather, knobs, flows, index)
        back_c = temperatures.secondary_return_c
        side = self._plant(state, knobs, flows, back_c, (source_c, arrived))
        circuits = self._pressures(state, knobs, heated, flows)
        return Step(
            offset_s=offset,
            seconds=self.seconds,
            weather=weather,
            knobs=knobs,
            air_before_c=before,
            air_c=state.air_c,
            emitted_w=state.emitted_w,
            flows=flows,
            water=temperatures,
            primary=side,
            circuits=circuits,
        )

    def _flows(self, state: State, knobs: Knobs, heated: Array, night: bool) -> hydraulics.Flows:
        """Flows everywhere; the last ones as long as nothing that drives or hinders them moves."""
        valves = (knobs.unit_valve, knobs.unit_night_valve if night else None)
        turned = (*valves, *(getattr(knobs, name) for name in _NETWORK_KNOBS))
        speed, static_kpa = knobs.pump_speed * (heated > 0.0), state.static_kpa
        last = self._solved
        if last is not None and all(map(operator.is_, turned, last.turned)):
            same = np.array_equal(speed, last.speed)
            if same and np.array_equal(static_kpa, last.static_kpa):
                return last.flows
        flows = self._solve(knobs, night, speed, static_kpa)
        self._solved = _Solved(turned, speed, static_kpa, flows)
        return flows

    def _solve(
        self, knobs: Knobs, night: bool, speed: Array, static_kpa: Array
    ) -> hydraulics.Flows:
        model, tree = self.model, self.layout.tree
        run = hydraulics.Operation(
            valve=knobs.unit_valve * knobs.unit_night_valve if night else knobs.unit_valve,
            entrance=knobs.entrance_resistance.astype(np.float64),
            building=knobs.building_resistance.astype(np.float64),
            setting=knobs.building_valve.astype(np.float64),
            open=knobs.balance_lost[self.layout.building_circuit].astype(np.float64),
            plant=knobs.circuit_resistance.astype(np.float64),
            speed=speed,
            spare_kpa=np.asarray(static_kpa, dtype=np.float64),
        )
        flows = hydraulics.Flows.empty(tree)
        parallel.each(
            self._parts,
            lambda part: hydraulics.solve_part(
                tree, model.pipes, self._own, model.pumps, run, flows, part
            ),
        )
        return flows

    def _curve(self, outdoor_c: float) -> Array:
        """Secondary supply by the curve of each circuit, °C."""
        radiators, floor = (float(curve.supply(outdoor_c)) for curve in self.model.curves)
        return np.where(self.model.floor_heated, floor, radiators)

    def _secondary_supply(
        self, state: State, weather: Weather, knobs: Knobs, heated: Array, flows: hydraulics.Flows
    ) -> tuple[float, Array]:
        """Set each circuit's supply: the curve, or what the valve can bring.

        Returns the source's supply in °C, and the enthalpy in kJ/kg of what arrives at each
        substation.
        """
        model, station = self.model, self.model.station
        share = self.seconds / (OUTDOOR_FILTER_S + self.seconds)
        state.outdoor_filtered_c += share * (weather.outdoor_c - state.outdoor_filtered_c)
        cold = state.secondary_return_c
        wanted = self._curve(state.outdoor_filtered_c) + knobs.curve_offset_k
        wanted = cold + (wanted - cold) * heated
        capacity = knobs.source_capacity * float(heated.max())
        source_c = primary.source_supply(
            model.source, state.outdoor_filtered_c, state.primary, capacity
        )
        sent = np.full(len(self.layout.substations), water.enthalpy(source_c))
        arrived = primary.arriving(state.pipes.supply, model.mains, sent, state.primary.flow_kgs)
        brought = arrived[self.layout.circuit_substation]
        most = plant.heat_limit(station, brought, cold, knobs.exchanger_fouling_k)
        rise = most / (np.maximum(flows.pump, 1e-3) * water.CP)
        follow = 1.0 - np.round(np.exp(-self.seconds / SUPPLY_LAG_S), 12)
        supply = state.secondary_supply_c
        supply = supply + follow * (wanted - supply)
        state.secondary_supply_c = np.minimum(supply, np.maximum(cold + rise, cold))
        return source_c, arrived

    def _rooms(
        self, state: State, weather: Weather, knobs: Knobs, flows: hydraulics.Flows, index: int
    ) -> Water:
        """Advance every dwelling by one step."""
        units, _, entrances, buildings, circuits = self.layout.tree.sizes
        out = rooms.Outcome(
            air_c=np.empty(units, dtype=np.float32),
            mass_c=np.empty(units, dtype=np.float32),
            emitted_w=np.empty(units, dtype=np.float32),
            unit_return_c=np.empty(units, dtype=np.float32),
            entrance_return_c=np.empty(entrances),
            building_supply_c=np.empty(buildings),
            building_return_c=np.empty(buildings),
            circuit_return_c=np.empty(circuits),
        )
        now = rooms.Inside(
            state.air_c, state.mass_c, state.emitted_w, state.today_w, state.gains_w, state.airing_w
        )
        water_ = rooms.Circulation(
            flows.unit, flows.riser, flows.entrance, flows.building, flows.pump,
            state.secondary_supply_c, self.model.secondary_loss_wk,
        )  # fmt: skip
        touched = self._touched(knobs)
        moment = self._moment(state, weather, index)
        model, habits = self.model, self.model.day.at(weather.local_hour)
        parallel.each(
            self._parts,
            lambda part: rooms.advance(
                *part, model.branches, self._homes, model.columns, self._emitters, habits,
                self._tables, moment, touched, now, water_, out,
            ),
        )  # fmt: skip
        state.air_c, state.mass_c, state.emitted_w = out.air_c, out.mass_c, out.emitted_w
        return Water(
            secondary_supply_c=state.secondary_supply_c,
            secondary_return_c=out.circuit_return_c,
            building_supply_c=out.building_supply_c,
            building_return_c=out.building_return_c,
            entrance_supply_c=out.building_supply_c[self.layout.tree.entrance_building],
            entrance_return_c=out.entrance_return_c,
            unit_return_c=out.unit_return_c,
        )

    def _touched(self, knobs: Knobs) -> rooms.Touched:
        """What the knobs make of dwellings, remembered while their arrays stay."""
        last = self._touch
        if last is None or last[0].unit_emission is not knobs.unit_emission:
            weakness = self.model.weakness * knobs.unit_emission
        else:
            weakness = last[1].weakness
        if last is None or last[0].unit_extra_loss is not knobs.unit_extra_loss:
            extra_wk = self.model.loss_wk * knobs.unit_extra_loss
        else:
            extra_wk = last[1].extra_wk
        self._touch = (knobs, rooms.Touched(weakness, extra_wk, knobs.unit_gains))
        return self._touch[1]

    def _moment(self, state: State, weather: Weather, index: int) -> rooms.Moment:
        """What is the same everywhere, and whether a new slot of people's day begins."""
        slot = (index * self.seconds) // people.SLOT_S
        begins, day_begins = slot != state.slot, slot // people.SLOTS != state.slot // people.SLOTS
        state.slot = slot
        return rooms.Moment(
            outdoor_c=weather.outdoor_c,
            wind=(weather.wind_ms - WIND_AT_REST_MS) * _WIND_LOSS,
            south_wm2=weather.south_wm2,
            slot_begins=begins,
            day_begins=day_begins,
            slot_state=rand.state(self.seed, "people/slot", slot),
            day_state=rand.state(self.seed, "people/company", slot // people.SLOTS),
        )

    def _plant(
        self,
        state: State,
        knobs: Knobs,
        flows: hydraulics.Flows,
        back_c: Array,
        sent: tuple[float, Array],
    ) -> primary.PrimarySide:
        """The primary side that carries what the secondary took; ``state`` remembers both."""
        model, of = self.model, self.layout.circuit_substation
        source_c, arrived = sent
        taken = np.maximum(emitter.heat(flows.pump, state.secondary_supply_c, back_c), 0.0)
        fouling_k = knobs.exchanger_fouling_k
        done = plant.exchange(model.station, taken, back_c, arrived[of], fouling_k)
        count = len(self.layout.substations)
        flow = self._at_stations(done.flow_kgs)
        left = self._at_stations(done.flow_kgs * done.return_kj_kg) / flow
        valve = np.maximum.reduceat(done.valve_pct, np.searchsorted(of, np.arange(count)))
        exchanged = (flow, left, valve)
        state.pipes, state.primary = primary.step(
            model.mains, state.pipes, source_c, arrived, exchanged, self.seconds
        )
        state.secondary_return_c = back_c
        return state.primary

    def _at_stations(self, circuits: Array) -> Array:
        """Sums over the circuits of each substation, [substations]."""
        of = self.layout.circuit_substation
        return np.bincount(of, circuits, len(self.layout.substations)).astype(np.float64)

    def _pressures(
        self, state: State, knobs: Knobs, heated: Array, flows: hydraulics.Flows
    ) -> Circuits:
        """Static pressure and make-up of every circuit; those not heated yet stand empty."""
        vessel = plant.Vessel(self.model.filled_kpa, self.model.volume_m3, heated > 0.0)
        state.static_kpa, brought = plant.made_up(
            vessel, state.static_kpa, knobs.leak_m3h, flows.pump, self.seconds
        )
        return Circuits(state.static_kpa, brought * 1000.0 / 3600.0)
