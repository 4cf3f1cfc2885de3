"""Heat and water are conserved by the whole town over a week of frost, thaw and faults."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulators import City, model
from simulators.engine import Engine
from simulators.physics import dwelling, plant, water
from simulators.states import State, Step
from tests.unit.simulators.village import steps, turned_by, village

Array = np.ndarray[Any, Any]
WEEK_H = 168


@pytest.fixture(scope="module")
def city() -> City:
    return village()


def stored_j(city: City, state: State) -> float:
    """Heat in air, walls, emitters and primary pipes, above 0 °C."""
    shell = city.model.shell
    lag = np.where(city.model.floor_heated, model.FLOOR_LAG_S, model.RADIATOR_LAG_S)
    held = shell.air_capacity * state.air_c + shell.mass_capacity * state.mass_c
    held = held + lag[city.layout.unit_circuit] * state.emitted_w
    return float(held.sum()) + 1000.0 * state.pipes.stored_kj(city.model.mains)


def indoors_w(city: City, before: State, after: State, step: Step) -> tuple[Array, Array, Array]:
    """Of every dwelling: what came in from people and sun, what was aired away, what walls lost."""
    shell, weather, knobs = city.model.shell, step.weather, step.knobs
    came = after.gains_w * knobs.unit_gains + city.model.solar_m2 * weather.south_wm2
    extra_wk = knobs.unit_extra_loss * shell.loss_wk
    extra_wk = extra_wk + shell.air_out * 0.035 * (weather.wind_ms - 3.0)
    aired = extra_wk * (before.air_c - weather.outdoor_c) + after.airing_w
    lost = walls_w(city, (before, after), step, came, aired)
    return came, aired, lost


def walls_w(city: City, ends: tuple[State, State], step: Step, came: Array, aired: Array) -> Array:
    """Loss through walls and windows by the exact means of air and mass over the step."""
    shell, made, town = city.model.shell, city.model, city.layout
    before, after = ends
    on_floor = made.floor_heated[town.unit_circuit]
    lag = np.where(on_floor, model.FLOOR_LAG_S, model.RADIATOR_LAG_S)
    share = np.where(on_floor, model.CONVECTIVE_FLOOR, model.CONVECTIVE_RADIATOR)
    supply = step.water.building_supply_c[town.unit_building]
    heat = step.flows.unit * water.CP * (supply - step.water.unit_return_c)
    given = heat - lag * (after.emitted_w - before.emitted_w.astype(float)) / step.seconds
    sun = made.solar_m2 * step.weather.south_wm2
    gains = came - sun
    party = dwelling.party_heat(
        before.mass_c, town.neighbours, city.scenario.dwellings.party_wm2k * town.party_m2
    )
    assert abs(party.sum()) < 1e-6 * np.abs(party).sum()
    mean = dwelling.mean_over_step(
        shell,
        before=(before.air_c, before.mass_c),
        after=(after.air_c, after.mass_c),
        outdoor_c=step.weather.outdoor_c,
        heat_w=(
            share * given + 0.6 * gains + 0.35 * sun - aired,
            (1.0 - share) * given + 0.4 * gains + 0.65 * sun + party,
        ),
        seconds=step.seconds,
    )
    outdoor = step.weather.outdoor_c
    return np.asarray(shell.air_out * (mean[0] - outdoor) + shell.mass_out * (mean[1] - outdoor))


def pipes_w(city: City, step: Step) -> float:
    """What the secondary pipes lose, there and back."""
    tree, flow = city.layout.tree, step.flows.building
    sent = step.water.secondary_supply_c[tree.building_circuit]
    there = plant.pipe_outlet(sent, flow, city.model.secondary_loss_wk)
    left = step.water.building_return_c
    back = plant.pipe_outlet(left, flow, 0.5 * city.model.secondary_loss_wk)
    return float((flow * water.CP * ((sent - there) + (left - back))).sum())


def source_w(step: Step) -> float:
    side = step.primary
    drop = water.enthalpy(side.source_supply_c) - water.enthalpy(side.source_return_c)
    return 1000.0 * side.source_flow_kgs * drop


def balance(city: City, engine: Engine, state: State) -> dict[str, float]:
    """Everything that came in, went out and stayed over a week, J."""
    begin = stored_j(city, state)
    book = dict.fromkeys(("source", "gains", "aired", "walls", "secondary", "primary"), 0.0)
    for before, step in steps(engine, state, WEEK_H):
        came, aired, lost = indoors_w(city, before, state, step)
        book["source"] += source_w(step) * step.seconds
        book["gains"] += float(came.sum()) * step.seconds
        book["aired"] += float(aired.sum()) * step.seconds
        book["walls"] += float(lost.sum()) * step.seconds
        book["secondary"] += pipes_w(city, step) * step.seconds
        book["primary"] += 1000.0 * step.primary.lost_kj
    book["stored"] = stored_j(city, state) - begin
    return book


SOUND: dict[str, Any] = {}


def failing(city: City) -> Any:
    """A week in which nearly everything breaks and is mended."""
    units, _, _, buildings, circuits = city.layout.tree.sizes
    number = np.random.default_rng(2)
    stages = [
        SOUND,
        {"pump_speed": np.array([0.05, 1.0, 0.8])},
        {"source_capacity": 0.45, "curve_offset_k": np.array([5.0, 0.0, -8.0])},
        {
            "unit_valve": number.uniform(0.0, 1.0, units),
            "unit_extra_loss": number.uniform(0.0, 2.0, units),
            "unit_emission": number.uniform(0.3, 1.0, units),
        },
        {
            "building_resistance": number.uniform(1.0, 25.0, buildings),
            "balance_lost": np.ones(circuits),
            "exchanger_fouling_k": np.array([9.0, 0.0, 20.0]),
            "leak_m3h": np.array([3.0, 0.0, 6.0]),
        },
        SOUND,
        {"unit_night_valve": np.full(units, 0.2)},
    ]
    return lambda hours: stages[min(int(hours // 24), 6)] if hours >= 0 else SOUND


@pytest.mark.parametrize("broken", [False, True])
def test_over_a_week_what_came_in_less_what_was_lost_is_what_stayed(
    city: City, broken: bool
) -> None:
    engine = turned_by(city, failing(city) if broken else lambda _: SOUND)
    state = engine.spin_up()
    book = balance(city, engine, state)
    came = book["source"] + book["gains"]
    gone = book["aired"] + book["walls"] + book["secondary"] + book["primary"]
    assert came - gone == pytest.approx(book["stored"], abs=1e-4 * came)
    assert min(book["walls"], book["aired"], book["primary"], book["secondary"]) > 0.01 * came


def test_water_is_conserved_on_every_level_in_every_state_of_repair(city: City) -> None:
    """Flows of children add up to their parent's, primary flows to the source's."""
    tree, of = city.layout.tree, city.layout.circuit_substation
    engine = turned_by(city, failing(city))
    for _, step in steps(engine, engine.spin_up(), WEEK_H):
        flows = step.flows
        riser, entrance, building, circuit = tree.total(flows.unit)
        for found, wanted in (
            (riser, flows.riser),
            (entrance, flows.entrance),
            (building, flows.building),
            (circuit, flows.pump),
        ):
            assert np.abs(found - wanted).max() < 1e-6 * flows.pump.max()
        assert step.primary.source_flow_kgs == pytest.approx(step.primary.flow_kgs.sum())
        assert len(step.primary.flow_kgs) == of[-1] + 1


def test_an_exchanger_passes_on_exactly_what_its_circuits_take(city: City) -> None:
    engine = turned_by(city, failing(city))
    for _, step in steps(engine, engine.spin_up(), 100):
        side, temps = step.primary, step.water
        drop = water.enthalpy(side.supply_c) - water.enthalpy(side.return_c)
        k = temps.secondary_supply_c - temps.secondary_return_c
        taken = np.bincount(city.layout.circuit_substation, step.flows.pump * water.CP * k)
        assert side.flow_kgs * drop * 1000.0 == pytest.approx(taken, rel=1e-5)
