"""The engine as a whole: equilibrium at the anchor, the start of a season, water on its way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from simulators import City, build
from simulators.physics import emitter, water
from simulators.states import Step
from tests.unit.simulators.village import quarter, steps, turned_by, village

ANCHOR = datetime(2026, 1, 12, 2, 30, tzinfo=UTC)
Array = np.ndarray[Any, Any]


def course(city: City, hours: float) -> list[Step]:
    """The steps of the first hours."""
    engine, state = city.start(ANCHOR)
    return [engine.advance(state, n) for n in range(int(hours * 3600 / engine.seconds))]


def test_at_the_anchor_the_town_is_in_equilibrium(hamlet: Callable[..., City]) -> None:
    steps = course(hamlet(), 24)
    rooms = np.array([step.air_c for step in steps])
    assert abs(rooms[-1].mean() - rooms[0].mean()) < 0.6


def test_at_the_anchor_water_is_where_it_would_be_a_day_later() -> None:
    """In still weather pipes, exchangers and rooms begin as they go on."""
    taken = course(with_distances(quarter()), 25)
    for name in ("supply_c", "return_c", "valve_pct"):
        first, later = (getattr(taken[n].primary, name) for n in (0, 24 * 12))
        assert first == pytest.approx(later, abs=2.0), name
    assert taken[0].primary.source_return_c == pytest.approx(
        taken[24 * 12].primary.source_return_c, abs=1.0
    )


def test_all_heat_of_a_circuit_reaches_dwellings_or_the_ground() -> None:
    city = village()
    for step in course(city, 2):
        flows, temps = step.flows, step.water
        given = emitter.heat(flows.pump, temps.secondary_supply_c, temps.secondary_return_c)
        supply = temps.building_supply_c[city.layout.unit_building]
        taken = np.bincount(
            city.layout.unit_circuit, emitter.heat(flows.unit, supply, temps.unit_return_c)
        )
        lost = 1.0 - taken / given
        assert ((lost > 0.002) & (lost < 0.05)).all()


def test_the_primary_pipes_lose_a_few_percent() -> None:
    taken = course(village(), 48)
    sent = sum(_source_kw(step) for step in taken)
    lost = sum(step.primary.lost_kj / step.seconds for step in taken)
    assert 0.01 < lost / sent < 0.06


def _source_kw(step: Step) -> float:
    side = step.primary
    drop = water.enthalpy(side.source_supply_c) - water.enthalpy(side.source_return_c)
    return float(side.source_flow_kgs * drop)


# Water on its way --------------------------------------------------------------------------------

FAR_M, NEAR_M = 6000.0, 1200.0


def with_distances(city: City) -> City:
    """The quarter with one substation near the source and one far from it."""
    near, far = city.scenario.substations
    placed = (
        msgspec.structs.replace(near, distance_m=NEAR_M),
        msgspec.structs.replace(far, distance_m=FAR_M),
    )
    return build(msgspec.structs.replace(city.scenario, substations=placed))


def test_hotter_water_reaches_a_far_substation_later_by_length_over_velocity() -> None:
    """The source recovers after a shortage: half of the rise arrives when the water does."""
    city = with_distances(quarter())
    scarce, plenty = {"source_capacity": 0.42}, {"source_capacity": 1.0}
    engine = turned_by(city, lambda hours: scarce if hours < 6.0 else plenty)
    taken = [step for _, step in steps(engine, engine.spin_up(), 12)]
    supply = np.array([step.primary.supply_c for step in taken])
    source = np.array([step.primary.source_supply_c for step in taken])
    begun = int(np.argmax(source > source[71] + 8.0))
    pipes = city.model.mains
    for station in range(2):
        start, end = supply[begun, station], supply[-1, station]
        arrived = int(np.argmax(supply[begun:, station] > (start + end) / 2.0))
        flow = np.array([step.primary.flow_kgs[station] for step in taken[begun:]])
        holds = pipes.cells[station] * pipes.cell_kg[station]
        expected = int(np.argmax(np.cumsum(flow) * engine.seconds > holds))
        assert arrived == pytest.approx(expected, abs=3), station
    assert pipes.cells.tolist() == [3, 17]


# The start of a season ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def season() -> tuple[City, list[Step]]:
    """The quarter whose season begins ten hours after the anchor."""
    city = quarter(outdoor_c=2.0)
    source = msgspec.structs.replace(city.scenario.source, starts=timedelta(hours=10))
    city = build(msgspec.structs.replace(city.scenario, source=source))
    return city, course(city, 72)


def test_before_the_season_nothing_flows_and_pipes_are_empty(
    season: tuple[City, list[Step]],
) -> None:
    _, taken = season
    for step in taken[: 10 * 12]:
        assert (step.flows.pump == 0.0).all()
        assert (step.flows.unit == 0.0).all()
        assert (step.circuits.static_kpa == 0.0).all()
        assert abs(_source_kw(step)) < 1.0
    rooms = np.array([step.air_c.mean() for step in taken[: 10 * 12]])
    assert 11.0 < rooms.min() < rooms.max() < 17.0


def test_then_circuits_fill_one_after_the_other_and_rooms_rise(
    season: tuple[City, list[Step]],
) -> None:
    city, taken = season
    kpa = np.array([step.circuits.static_kpa for step in taken])
    begins = [int(np.argmax(kpa[:, circuit] > 0.0)) / 12.0 for circuit in range(2)]
    assert begins == pytest.approx([10.0, 11.0], abs=0.1)
    assert kpa[16 * 12] == pytest.approx(city.model.filled_kpa, rel=0.02)
    assert (np.diff(kpa[10 * 12 : 13 * 12, 0]) > 0.0).all()
    makeup = np.array([3.6 * step.circuits.makeup_kgs for step in taken])
    assert (makeup[: 10 * 12] == 0.0).all()
    assert (makeup[11 * 12 : 12 * 12, 0] > 0.01 * city.model.volume_m3[0]).all()
    rooms = np.array([step.air_c.mean() for step in taken])
    assert (np.diff(rooms[14 * 12 :: 24 * 12]) > 1.0).all()
    assert rooms[-1] > rooms[10 * 12] + 4.0
    supply = np.array([step.water.secondary_supply_c for step in taken])
    assert supply.max() < 70.0
    assert np.diff(supply, axis=0).max() < 8.0


def test_a_states_copy_goes_its_own_way() -> None:
    engine, state = village().start(ANCHOR)
    copy = state.copy()
    for index in range(30):
        engine.advance(state, index)
    again = [engine.advance(copy, index) for index in range(30)]
    assert (state.air_c == again[-1].air_c).all()
    assert (state.gains_w == copy.gains_w).all()


def test_knobs_turned_at_night_only_lower_the_flow_at_night() -> None:
    city = quarter()
    half = {"unit_night_valve": np.full(city.layout.units, 0.5)}
    engine = turned_by(city, lambda _: half)
    for _, step in steps(engine, engine.spin_up(), 24):
        night = step.weather.local_hour >= 22.0 or step.weather.local_hour < 6.0
        share = step.flows.pump.sum() / city.model.design_kgs.sum()
        assert share < 0.93 if night else share > 0.95


def test_the_same_city_built_anew_takes_the_same_course() -> None:
    one, other = (course(village(seed=9), 6)[-1] for _ in range(2))
    assert (one.air_c == other.air_c).all()
    assert (one.flows.unit == other.flows.unit).all()
    assert one.primary.source_return_c == other.primary.source_return_c


@pytest.mark.parametrize("party_wm2k", [1.5, 5.0, 12.0])
def test_a_town_settles_whatever_its_party_walls_pass(
    hamlet: Callable[..., City], party_wm2k: float
) -> None:
    _, state = hamlet(f"dwellings: {{party_wm2k: {party_wm2k}}}").start(ANCHOR)
    assert 20.0 < state.air_c.min() < state.air_c.max() < 25.0
    assert 19.0 < state.mass_c.min() < state.mass_c.max() < 25.0
