"""What a crew sets by hand: valves and pumps, in the town and in its twin, and no fault."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.scenario import ScenarioError
from simulators.scenario.checks import sound
from simulators.scenario.file import look_over
from simulators.testing import Town, small_city
from tests.unit.simulators.village import VILLAGE

HOUSES = ["2x4", "2x4", "2x4"]


def flows(town: Town, *, with_faults: bool = True) -> tuple[np.ndarray, float]:
    """Flows of the buildings and of the pump, kg/s, in the first step."""
    engine, _ = town.city.start(town.anchor, with_faults=with_faults)
    step = engine.advance(engine.unsettled(), 0)
    return step.flows.building.copy(), float(step.flows.pump.sum())


def test_a_valve_turned_towards_shut_gives_its_flow_to_the_others() -> None:
    town = small_city(HOUSES)
    before, _ = flows(town)
    after, _ = flows(town.with_setting("T-S1-B01", valve=4.0))
    assert after[0] < 0.85 * before[0]
    assert (after[1:] > 1.02 * before[1:]).all()


def test_settings_of_one_valve_multiply() -> None:
    town = small_city(HOUSES)
    twice = town.with_setting("T-S1-B01", valve=2.0).with_setting("T-S1-B01", valve=2.0)
    assert flows(twice)[0] == pytest.approx(flows(town.with_setting("T-S1-B01", valve=4.0))[0])


@pytest.mark.parametrize("place", ["T-S1", "T-S1-C1"])
def test_flow_follows_the_speed_of_the_pump(place: str) -> None:
    town = small_city(HOUSES)
    before, total = flows(town)
    after, faster = flows(town.with_setting(place, pump=1.1))
    assert faster == pytest.approx(1.1 * total, rel=1e-6)
    assert after == pytest.approx(1.1 * before, rel=1e-5)


def test_a_setting_is_no_fault_and_holds_in_the_twin() -> None:
    town = small_city(HOUSES).with_setting("T-S1-B02", valve=3.0)
    assert town.city.truth == ()
    broken = town.with_fault("strainer_clogged", "T-S1-B03", onset="-60d")
    assert flows(broken, with_faults=False)[0] == pytest.approx(flows(town)[0])


def test_a_file_can_say_it_and_is_told_where_it_is_wrong() -> None:
    good = VILLAGE + "settings: [{place: V-S1-B01, valve: 2.5}, {place: V-S2, pump: 0.9}]\n"
    assert len(sound(look_over(good, "village")).settings) == 2
    with pytest.raises(ScenarioError) as told:
        sound(look_over(VILLAGE + "settings: [{place: V-S1-B99, valve: 2}]\n", "village"))
    assert "settings[0].place" in str(told.value)
    with pytest.raises(ScenarioError, match="a building is needed"):
        sound(look_over(VILLAGE + "settings: [{place: V-S1, valve: 2}]\n", "village"))
    with pytest.raises(ScenarioError, match="valve and a pump"):
        sound(look_over(VILLAGE + "settings: [{place: V-S1, valve: 2, pump: 2}]\n", "village"))
