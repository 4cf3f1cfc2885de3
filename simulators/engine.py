"""One step of the whole town: weather → people → flows → radiators → rooms → plant.

``Engine`` holds what never changes (sizes, resistances, propagators), ``State`` what does. The
engine knows physics and faults, neither devices nor messages, and steps on a grid fixed to the
anchor, so that every run passes through the same states.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from simulators import circuit, people
from simulators.circuit import Water
from simulators.faults import FaultBoard, Knobs, PlacedFault
from simulators.layout import Layout
from simulators.model import Model
from simulators.physics import dwelling, emitter, hydraulics, plant, water
from simulators.scenario import Scenario
from simulators.weather import Climate, Weather

Array = NDArray[np.float64]

OUTDOOR_FILTER_S = 3.0 * 3600.0
"""Time constant with which a substation's controller follows the outdoor temperature."""
SUPPLY_LAG_S = 600.0
RADIATOR_LAG_S = 2400.0
WIND_AT_REST_MS = 3.0
_WIND_LOSS = 0.035  # change of infiltration per m/s of wind, share of the windows' conductance
_SOAK_H, _SOAK_LIGHTER = 48, 14.0
_WARM_UP_H = 30
_SPIN_UP_STEP_S = 1200


@dataclass(slots=True)
class State:
    """What the town remembers from step to step; shapes [units], [pumps] or a number."""

    air_c: Array
    mass_c: Array
    emitted_w: Array
    secondary_supply_c: Array
    secondary_return_c: Array
    primary_flow_kgs: Array
    outdoor_filtered_c: float

    def copy(self) -> State:
        """The same town once more; arrays are replaced and never written to, so they are shared."""
        return replace(self)


@dataclass(frozen=True, slots=True)
class Step:
    """What happened in one step, for instruments and truth; flows and water are its means.

    ``air_before_c`` and ``air_c`` are the rooms at its two ends, [units].
    """

    offset_s: int
    seconds: int
    weather: Weather
    knobs: Knobs
    air_before_c: Array
    air_c: Array
    flows: hydraulics.Flows
    water: Water
    primary: plant.PrimarySide


@dataclass(slots=True)
class Engine:
    """A town ready to run from an anchor, optionally without its faults (the twin of the truth)."""

    scenario: Scenario
    seed: int
    layout: Layout
    model: Model
    faults: tuple[PlacedFault, ...]
    anchor: datetime
    climate: Climate = field(init=False)
    board: FaultBoard = field(init=False)
    seconds: int = field(init=False)
    _step: dwelling.Propagator = field(init=False)
    _shell: dwelling.Shell = field(init=False)
    _flows: tuple[Knobs, hydraulics.Flows] | None = None
    _gains: tuple[int, Array, Array] | None = None

    def __post_init__(self) -> None:
        self.climate = Climate(self.scenario, self.seed, self.anchor)
        self.board = FaultBoard(self.layout, self.faults)
        self._use(self.model.shell, int(self.scenario.step / timedelta(seconds=1)))

    def _use(self, shell: dwelling.Shell, seconds: int) -> None:
        self._shell, self.seconds = shell, seconds
        self._step = dwelling.propagator(shell, seconds)

    def spin_up(self) -> State:
        """The town in equilibrium with its weather and standing faults at the anchor.

        First two days with walls made fourteen times lighter, which reaches the steady state,
        then thirty hours with the true ones, so that the daily cycle is in the walls as well.
        """
        usual = self.seconds
        state = self._first_guess()
        start, middle = -(_SOAK_H + _WARM_UP_H) * 3600, -_WARM_UP_H * 3600
        self._use(self.model.shell.lighter(_SOAK_LIGHTER), _SPIN_UP_STEP_S)
        for index in range(start // _SPIN_UP_STEP_S, middle // _SPIN_UP_STEP_S):
            self.advance(state, index)
        self._use(self.model.shell, _SPIN_UP_STEP_S)
        for index in range(middle // _SPIN_UP_STEP_S, 0):
            self.advance(state, index)
        self._use(self.model.shell, usual)
        return state

    def _first_guess(self) -> State:
        units, _, _, _, pumps = self.layout.tree.sizes
        room = np.full(units, self.scenario.dwellings.room_c)
        outdoor = self.climate.at(-(_SOAK_H + _WARM_UP_H) * 3600.0).outdoor_c
        supply = np.full(pumps, float(self.model.curve.supply(outdoor)))
        flow = 0.5 * self.model.station.primary_max_kgs
        half = 0.5 * self.model.design_w
        return State(room, room.copy(), half, supply, supply - 15.0, flow, outdoor)

    def advance(self, state: State, index: int) -> Step:
        """One step from ``index`` steps after the anchor; ``state`` moves on."""
        offset = index * self.seconds
        weather = self.climate.at(offset + self.seconds / 2.0)
        knobs = self.board.knobs(offset)
        flows = self._solve(knobs)
        supply = self._secondary_supply(state, weather, flows)
        building_in = circuit.at_buildings(self.layout, self.model, flows, supply)
        unit_in = building_in[self.layout.unit_building]
        emission = self.model.emission * knobs.unit_emission
        unit_out = emitter.return_temperature(unit_in, state.air_c, flows.unit, emission)
        before = state.air_c
        heat_w = emitter.heat(flows.unit, unit_in, unit_out)
        self._rooms(state, weather, knobs, heat_w, index)
        returned = circuit.collect(
            self.layout,
            self.model,
            flows,
            supply_c=supply,
            building_supply_c=building_in,
            unit_return_c=unit_out,
        )
        return Step(
            offset_s=offset,
            seconds=self.seconds,
            weather=weather,
            knobs=knobs,
            air_before_c=before,
            air_c=state.air_c,
            flows=flows,
            water=returned,
            primary=self._primary(state, flows, returned),
        )

    def _solve(self, knobs: Knobs) -> hydraulics.Flows:
        if self._flows is None or self._flows[0] is not knobs:
            run = hydraulics.Operation(
                knobs.unit_valve,
                knobs.entrance_resistance,
                knobs.building_resistance,
                knobs.pump_speed,
            )
            solved = hydraulics.solve(self.layout.tree, self.model.pipes, self.model.pumps, run)
            self._flows = (knobs, solved)
        return self._flows[1]

    def _secondary_supply(self, state: State, weather: Weather, flows: hydraulics.Flows) -> Array:
        """Secondary supply of each substation, °C: the curve, or what the valve can bring."""
        share = self.seconds / (OUTDOOR_FILTER_S + self.seconds)
        state.outdoor_filtered_c += share * (weather.outdoor_c - state.outdoor_filtered_c)
        wanted = self.model.curve.supply(state.outdoor_filtered_c)
        source_c = plant.source_supply(state.outdoor_filtered_c)
        station = self.model.station
        arrived = plant.pipe_outlet(source_c, state.primary_flow_kgs, station.primary_loss_wk)
        most = plant.heat_limit(station, arrived, state.secondary_return_c)
        rise = most / (np.maximum(flows.pump, 1e-3) * water.CP)
        target = np.minimum(wanted, state.secondary_return_c + rise)
        follow = 1.0 - np.exp(-self.seconds / SUPPLY_LAG_S)
        state.secondary_supply_c = state.secondary_supply_c + follow * (
            target - state.secondary_supply_c
        )
        return state.secondary_supply_c

    def _rooms(
        self, state: State, weather: Weather, knobs: Knobs, water_w: Array, index: int
    ) -> None:
        """Advance radiators, air and mass of every dwelling by one step."""
        model, home = self.model, self.model.home
        gains, airing = self._people(state, weather, index)
        sun = model.solar_m2 * weather.south_wm2
        extra = knobs.unit_extra_loss * self._shell.loss_wk
        extra = extra + model.wind_wk * (weather.wind_ms - WIND_AT_REST_MS) * _WIND_LOSS
        escaping = extra * (state.air_c - weather.outdoor_c) + airing
        keep = np.exp(-self.seconds / RADIATOR_LAG_S)
        emitted = water_w + (state.emitted_w - water_w) * keep
        mean = water_w + (state.emitted_w - water_w) * (1.0 - keep) * RADIATOR_LAG_S / self.seconds
        state.emitted_w = emitted
        air_w = model.convective * mean + home.convective * gains + 0.35 * sun - escaping
        party = dwelling.party_heat(state.mass_c, self.layout.neighbours, model.party_wk)
        mass_w = mean - model.convective * mean
        mass_w = mass_w + (1.0 - home.convective) * gains + 0.65 * sun + party
        state.air_c, state.mass_c = dwelling.advance(
            self._shell,
            self._step,
            air_c=state.air_c,
            mass_c=state.mass_c,
            outdoor_c=weather.outdoor_c,
            air_w=air_w,
            mass_w=mass_w,
        )

    def _people(self, state: State, weather: Weather, index: int) -> tuple[Array, Array]:
        """Gains and airing in W, drawn once a slot."""
        slot = (index * self.seconds) // people.SLOT_S
        if self._gains is None or self._gains[0] != slot:
            home, hour = self.model.home.household, weather.local_hour
            self._gains = (
                slot,
                people.gains(home, self.seed, slot, hour),
                people.airing(home, self.seed, slot, hour, state.air_c),
            )
        return self._gains[1], self._gains[2]

    def _primary(self, state: State, flows: hydraulics.Flows, returned: Water) -> plant.PrimarySide:
        """The primary side that carries what the secondary took; ``state`` remembers both."""
        supply, back = returned.secondary_supply_c, returned.secondary_return_c
        taken = np.maximum(emitter.heat(flows.pump, supply, back), 0.0)
        source_c = plant.source_supply(state.outdoor_filtered_c)
        side = plant.primary(self.model.station, taken, back, source_c, state.primary_flow_kgs)
        state.secondary_return_c = back
        state.primary_flow_kgs = side.flow_kgs
        return side
