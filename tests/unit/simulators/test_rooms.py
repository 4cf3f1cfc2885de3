"""The compiled step of all dwellings against the same step written plainly, formula by formula."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from simulators import City, model, people, rand
from simulators.engine import Engine
from simulators.physics import dwelling, emitter, plant
from simulators.states import State, Step
from tests.unit.simulators.village import steps, turned_by, village

Array = np.ndarray[Any, Any]
HOURS = 24


@dataclass
class Home:
    """What a plain step carries from one to the next."""

    air_c: Array
    mass_c: Array
    emitted_w: Array


def lives(city: City, engine: Engine, step: Step, air_c: Array, slot: int) -> tuple[Array, Array]:
    """Gains and airing of every dwelling in the slot that a step begins, W."""
    unit = np.arange(city.layout.units)
    bits = rand.bits(city.seed, "people/slot", slot, unit)
    day = rand.bits(city.seed, "people/company", slot // people.SLOTS, unit)
    share, cooks, opens, width = (bits >> np.uint64(s) & np.uint64(0xFFFF) for s in (0, 0, 16, 48))
    day_of = people.day(city.scenario.people)
    local = int(step.weather.local_hour * 3600) // people.SLOT_S
    at = (local - (city.model.late.astype(int) - people.LATEST)) % people.SLOTS
    share = day_of.rest[at] + day_of.burst * (cooks.astype(int) < day_of.bursts[at])
    company = 1.0 + people.COMPANY * ((day >> np.uint64(48)).astype(float) / 32768.0 - 1.0)
    open_w = city.model.airing_w * (0.4 + 1.2 * width.astype(float) / 65536.0)
    opened = (opens.astype(int) < day_of.airs[at]) & (air_c > people.NOT_AIRED_BELOW_C)
    return city.model.gain_w * share * company, open_w * opened


def plainly(
    city: City, home: Home, step: Step, people_w: tuple[Array, Array]
) -> tuple[Home, dict[str, Array]]:
    """One step of ``step.seconds`` with its flows, supply, weather and knobs, in numpy."""
    town, made, knobs, weather = city.layout, city.model, step.knobs, step.weather
    shell, circuit = made.shell, town.unit_circuit
    on_floor = made.floor_heated[circuit]
    into = plant.pipe_outlet(
        step.water.secondary_supply_c[town.building_circuit],
        step.flows.building,
        made.secondary_loss_wk,
    )
    supply = into[town.unit_building]
    flow = step.flows.unit.astype(float)
    weak = made.weakness.astype(float) * knobs.unit_emission
    back = np.empty(town.units)
    for kind, power in ((False, emitter.EXPONENT), (True, emitter.FLOOR_EXPONENT)):
        here = on_floor == kind
        size = weak[here] * emitter.CP / (power - 1.0)
        back[here] = emitter.return_temperature(
            supply[here], home.air_c[here], flow[here], size, power
        )
    heat = emitter.heat(flow, supply, back)
    lag = np.where(on_floor, model.FLOOR_LAG_S, model.RADIATOR_LAG_S)
    keep = np.exp(-step.seconds / lag)
    ahead = home.emitted_w - heat
    given = heat + ahead * (1.0 - keep) * lag / step.seconds
    convective = np.where(on_floor, model.CONVECTIVE_FLOOR, model.CONVECTIVE_RADIATOR)
    gains, sun = people_w[0], made.solar_m2 * weather.south_wm2
    extra_wk = knobs.unit_extra_loss * shell.loss_wk
    extra_wk = extra_wk + shell.air_out * 0.035 * (weather.wind_ms - 3.0)
    lost = extra_wk * (home.air_c - weather.outdoor_c) + people_w[1]
    party = dwelling.party_heat(
        home.mass_c, town.neighbours, city.scenario.dwellings.party_wm2k * town.party_m2
    )
    air, mass = dwelling.advance(
        shell,
        dwelling.propagator(shell, step.seconds),
        air_c=home.air_c,
        mass_c=home.mass_c,
        outdoor_c=weather.outdoor_c,
        air_w=convective * given + 0.6 * gains + 0.35 * sun - lost,
        mass_w=(1.0 - convective) * given + 0.4 * gains + 0.65 * sun + party,
    )
    return Home(air, mass, heat + ahead * keep), {"back": back, "supply": into, "flow": flow}


def knobs_turned(city: City) -> dict[str, Array]:
    """Everything that rooms and flows can feel, turned by a different amount in each place."""
    units, _, entrances, buildings, circuits = city.layout.tree.sizes
    number = np.random.default_rng(5)
    return {
        "unit_valve": number.uniform(0.2, 1.0, units) * (number.uniform(0, 1, units) > 0.05),
        "unit_emission": number.uniform(0.3, 1.2, units),
        "unit_extra_loss": number.uniform(0.0, 1.0, units) * (number.uniform(0, 1, units) > 0.7),
        "unit_gains": number.uniform(0.0, 1.5, units),
        "entrance_resistance": number.uniform(1.0, 9.0, entrances),
        "building_resistance": number.uniform(1.0, 4.0, buildings),
        "balance_lost": number.uniform(0.0, 1.0, circuits),
        "curve_offset_k": number.uniform(-6.0, 3.0, circuits),
        "pump_speed": number.uniform(0.6, 1.0, circuits),
    }


@pytest.fixture(scope="module")
def city() -> City:
    return village()


@pytest.fixture(scope="module", params=["sound", "turned"])
def course(city: City, request: pytest.FixtureRequest) -> tuple[Engine, list[tuple[State, Step]]]:
    wanted = knobs_turned(city) if request.param == "turned" else {}
    engine = turned_by(city, lambda _: wanted)
    return engine, list(steps(engine, engine.spin_up(), HOURS))


def test_every_step_of_every_dwelling_is_the_plain_one(
    city: City, course: tuple[Engine, list[tuple[State, Step]]]
) -> None:
    """Rooms within 0.1 mK a step, water within 5 mK: what single precision and tables leave."""
    engine, taken = course
    habit, slot = (np.zeros(0), np.zeros(0)), -1
    for (before, step), (after, _) in pairwise(taken):
        if step.offset_s // people.SLOT_S != slot:
            slot = step.offset_s // people.SLOT_S
            gains_w, airing_w = lives(city, engine, step, before.air_c, slot)
            habit = (gains_w * step.knobs.unit_gains, airing_w)
        home = Home(before.air_c, before.mass_c, before.emitted_w.astype(float))
        plain, water = plainly(city, home, step, habit)
        assert np.abs(after.gains_w - habit[0]).max() < 0.01
        assert np.abs(after.airing_w - habit[1]).max() < 0.01
        assert np.abs(plain.air_c - step.air_c).max() < 1e-4
        assert np.abs(plain.mass_c - after.mass_c).max() < 1e-4
        assert np.abs(plain.emitted_w - step.emitted_w).max() < 1.0
        assert np.abs(water["back"] - step.water.unit_return_c)[water["flow"] > 0].max() < 5e-3
        assert np.abs(water["supply"] - step.water.building_supply_c).max() < 1e-6


def test_a_plain_town_left_to_itself_stays_beside_the_compiled_one(
    city: City, course: tuple[Engine, list[tuple[State, Step]]]
) -> None:
    """Errors do not add up: after a day rooms differ by less than 0.3 mK."""
    _, taken = course
    start = taken[0][0]
    home = Home(start.air_c, start.mass_c, start.emitted_w.astype(float))
    for (_, step), (after, _) in pairwise(taken):
        home, _ = plainly(city, home, step, (after.gains_w, after.airing_w))
    assert np.abs(home.air_c - taken[-1][0].air_c).max() < 3e-4


def test_returns_join_by_their_flows(
    city: City, course: tuple[Engine, list[tuple[State, Step]]]
) -> None:
    _, step = course[1][-1]
    tree, water = city.layout.tree, step.water
    _, entrance, building, _ = tree.total(step.flows.unit * water.unit_return_c.astype(float))
    assert entrance / step.flows.entrance == pytest.approx(water.entrance_return_c, abs=1e-3)
    assert building / step.flows.building == pytest.approx(water.building_return_c, abs=1e-3)
    cooled = plant.pipe_outlet(
        water.building_return_c, step.flows.building, 0.5 * city.model.secondary_loss_wk
    )
    carried = np.add.reduceat(step.flows.building * cooled, tree.circuit_buildings[:-1])
    assert carried / step.flows.pump == pytest.approx(water.secondary_return_c, abs=1e-3)
