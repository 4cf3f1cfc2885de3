"""The town as a whole: heat is conserved, and every fault shows the way the rule of thumb says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from simulators import City
from simulators.engine import Step
from simulators.physics import emitter, water

ANCHOR = datetime(2026, 1, 12, 2, 30, tzinfo=UTC)


LONGEST_H = 11
_sound: list[Step] = []


def course(city: City, hours: int) -> list[Step]:
    """The steps of the first hours."""
    engine, state = city.start(ANCHOR)
    return [engine.advance(state, index) for index in range(hours * 3)]


def ending(city: City, hours: int) -> tuple[Step, Step]:
    """The last step with the city's faults and without."""
    if not _sound:
        engine, state = city.start(ANCHOR, with_faults=False)
        _sound.extend(engine.advance(state, index) for index in range(LONGEST_H * 3))
    return course(city, hours)[-1], _sound[hours * 3 - 1]


def test_at_the_anchor_the_town_is_in_equilibrium(hamlet: Callable[..., City]) -> None:
    steps = course(hamlet(), 24)
    rooms = np.array([step.air_c for step in steps])
    assert abs(rooms[-1].mean() - rooms[0].mean()) < 0.6


def test_all_heat_of_a_substation_reaches_dwellings_or_the_ground(
    hamlet: Callable[..., City],
) -> None:
    city = hamlet()
    for step in course(city, 2):
        flows, temps = step.flows, step.water
        given = emitter.heat(flows.pump, temps.secondary_supply_c, temps.secondary_return_c)
        supply = temps.building_supply_c[city.layout.unit_building]
        taken = np.bincount(
            city.layout.unit_pump, emitter.heat(flows.unit, supply, temps.unit_return_c)
        )
        lost = 1.0 - taken / given
        assert ((lost > 0.002) & (lost < 0.05)).all()


def test_primary_and_secondary_heat_agree(hamlet: Callable[..., City]) -> None:
    for step in course(hamlet(), 2):
        side, temps = step.primary, step.water
        drop = water.enthalpy(side.supply_c) - water.enthalpy(side.return_c)
        second = emitter.heat(step.flows.pump, temps.secondary_supply_c, temps.secondary_return_c)
        assert side.flow_kgs * drop * 1000.0 == pytest.approx(second, rel=1e-6)


def test_rooms_do_not_depend_on_faults_elsewhere_before_the_onset(
    hamlet: Callable[..., City],
) -> None:
    text = "faults:\n  - {cause: pump_trip, place: H-S1, onset: 3h}\n"
    broken, sound = ending(hamlet(text), 3)
    assert (broken.air_c == sound.air_c).all()


def test_pump_trip_stops_the_flow_and_all_its_rooms_fall(hamlet: Callable[..., City]) -> None:
    city = hamlet("faults:\n  - {cause: pump_trip, place: H-S1, onset: 0h}\n")
    broken, sound = ending(city, 10)
    assert broken.flows.pump[0] / sound.flows.pump[0] == pytest.approx(0.03)
    assert broken.flows.pump[1] == sound.flows.pump[1]
    assert broken.flows.lift_kpa[0] < 1.0
    fall = (sound.air_c - broken.air_c)[city.layout.unit_pump == 0]
    assert fall.min() > 1.5
    assert broken.air_c[city.layout.unit_pump == 1] == pytest.approx(
        sound.air_c[city.layout.unit_pump == 1]
    )


def test_a_clogged_strainer_lowers_flow_and_return_and_raises_the_others_flow(
    hamlet: Callable[..., City],
) -> None:
    city = hamlet("faults:\n  - {cause: strainer_clogged, place: H-S1-B01, onset: 0h}\n")
    broken, sound = ending(city, 10)
    flow = broken.flows.building / sound.flows.building
    assert 0.33 < flow[0] < 0.47
    assert 1.0 < flow[1] < 1.5
    assert broken.water.building_return_c[0] < sound.water.building_return_c[0] - 5.0
    assert broken.air_c[city.layout.unit_building == 0].mean() < (
        sound.air_c[city.layout.unit_building == 0].mean() - 1.0
    )


def test_swapped_pipes_are_cold_from_the_first_hour(hamlet: Callable[..., City]) -> None:
    city = hamlet("faults:\n  - {cause: pipes_swapped, place: H-S1-B01-E2, onset: -60d}\n")
    rooms = course(city, 1)[0].air_c
    struck = city.layout.unit_entrance == 1
    assert rooms[struck].max() < 19.0
    assert rooms[~struck & (city.layout.unit_building == 0)].min() > 20.0


def test_a_closed_valve_cools_one_dwelling_and_its_neighbours_a_little(
    hamlet: Callable[..., City],
) -> None:
    code = "H-S1-B01-E1-0302"
    city = hamlet(f"faults:\n  - {{cause: valve_closed, place: {code}, onset: 0h}}\n")
    broken, sound = ending(city, 11)
    fall = sound.air_c - broken.air_c
    unit = city.unit_codes.index(code)
    assert broken.flows.unit[unit] == 0.0
    assert fall[unit] > 2.0
    around = city.layout.neighbours[:, unit]
    assert ((fall[around] > 0.05) & (fall[around] < fall[unit] / 2)).all()


def test_an_open_window_takes_more_heat_and_cools_the_room(hamlet: Callable[..., City]) -> None:
    code = "H-S1-B01-E1-0302"
    city = hamlet(f"faults:\n  - {{cause: window_open, place: {code}, onset: 0h}}\n")
    broken, sound = ending(city, 11)
    unit = city.unit_codes.index(code)
    assert sound.air_c[unit] - broken.air_c[unit] > 2.0
    taken = [
        step.water.building_supply_c[0] - step.water.unit_return_c[unit] for step in (broken, sound)
    ]
    assert taken[0] > 1.05 * taken[1]


def test_stopped_neighbours_cost_one_to_a_few_kelvin(hamlet: Callable[..., City]) -> None:
    city = hamlet(
        "faults:\n  - {cause: neighbour_unheated, place: H-S1-B01-E1-0402, onset: -60d}\n"
    )
    broken, sound = ending(city, 2)
    fall = sound.air_c - broken.air_c
    unit = city.unit_codes.index("H-S1-B01-E1-0402")
    above, below = city.layout.neighbours[:2, unit]
    assert 0.8 < fall[above] < 3.0
    assert 0.8 < fall[below] < 3.0


def test_a_stuck_sensor_leaves_the_room_alone(hamlet: Callable[..., City]) -> None:
    city = hamlet("faults:\n  - {cause: sensor_stuck, place: H-S1-B01-E1-0302, onset: 0h}\n")
    broken, sound = ending(city, 3)
    assert (broken.air_c == sound.air_c).all()
