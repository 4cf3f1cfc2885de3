"""Emitters: the closed formula against stepping along the radiator, and back again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import emission
from analytics.emission import CP_J_KGK, Emitter, likely_emitter
from simulators.physics import plant


def stepped_return(flow_kgs: float, supply_c: float, room_c: float, size: float, n: float) -> float:
    """Water that cools from element to element, twenty thousand of them."""
    t = supply_c
    parts = 20_000
    for _ in range(parts):
        t -= size / parts * (t - room_c) ** n / (flow_kgs * CP_J_KGK)
    return t


@pytest.mark.parametrize("emitter", list(Emitter))
def test_strength_is_what_stepping_along_the_emitter_gives(emitter: Emitter) -> None:
    n = emitter.design.exponent
    flow, supply, room, size = 0.05, 60.0, 20.0, 30.0
    back = stepped_return(flow, supply, room, size, n)
    heat = flow * CP_J_KGK * (supply - back)
    assert size * emission.strength(supply, back, room, n) == pytest.approx(heat, rel=1e-3)


@given(
    supply=st.floats(32, 90),
    drop=st.floats(1, 25),
    room=st.floats(14, 26),
    n=st.sampled_from([1.1, 1.3]),
)
def test_the_return_of_a_strength_is_the_return_it_came_from(
    supply: float, drop: float, room: float, n: float
) -> None:
    back = max(supply - drop, room + 1.0)
    strength = emission.strength(supply, back, room, n)
    found = float(emission.return_for(supply, room, strength, n))
    assert found == pytest.approx(back, abs=0.01)


def test_more_than_a_full_flow_gives_has_no_return() -> None:
    assert np.isnan(emission.return_for(50.0, 20.0, 30.0**1.3 * 1.001, 1.3))


def test_a_room_settles_where_emitters_and_gains_bring_what_the_walls_lose() -> None:
    flow, supply = np.array([0.4, 0.8]), np.array([60.0, 60.0])
    size, loss, gains = np.array([400.0, 400.0]), np.array([800.0, 800.0]), np.array([3e3, 3e3])
    room = emission.settled_room(flow, supply, size, loss, gains, outdoor_c=-10.0, exponent=1.3)
    assert room[1] > room[0]
    for at in range(2):
        back = stepped_return(flow[at], 60.0, room[at], 400.0, 1.3)
        heat = flow[at] * CP_J_KGK * (60.0 - back)
        assert heat + 3e3 == pytest.approx(800.0 * (room[at] + 10.0), rel=2e-3)


@pytest.mark.parametrize("outdoor_c", [5.0, 0.0, -10.0, -24.2, -32.0])
def test_the_supply_tells_radiators_from_floors_at_any_weather(outdoor_c: float) -> None:
    """By the curves that plants are run on, six kelvin too low or too high."""
    designs = {Emitter.RADIATORS: plant.RADIATORS, Emitter.FLOOR: plant.FLOOR}
    for emitter, design in designs.items():
        curve = plant.curve(21.0, 3600.0, 3600.0 / 45.0, 250.0, design)
        supply = float(curve.supply(outdoor_c))
        off = 3.0 if emitter is Emitter.FLOOR else 6.0
        for error in (-off, 0.0, off) if outdoor_c < -5 else (0.0,):
            assert likely_emitter(supply + error, outdoor_c) is emitter
