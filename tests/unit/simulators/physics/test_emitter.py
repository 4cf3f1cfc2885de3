"""Radiators: closed solution against the catalogue formula, and the rule of thumb's directions."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.physics import emitter

FLOW = np.array([0.0344])  # kg/s: 3.6 kW between 75 and 50 °C


def size() -> np.ndarray:
    return emitter.emission_constant(FLOW, 75.0, 50.0, 20.0)


def test_a_radiator_of_that_size_returns_at_design() -> None:
    back = emitter.return_temperature(np.array([75.0]), np.array([20.0]), FLOW, size())
    assert back[0] == pytest.approx(50.0, abs=1e-9)


@pytest.mark.parametrize("share", [1.0, 0.7, 0.5, 0.3])
@pytest.mark.parametrize("supply", [45.0, 60.0, 75.0])
def test_the_closed_solution_agrees_with_the_logarithmic_mean_formula(
    share: float, supply: float
) -> None:
    """EN 442-2 with the logarithmic mean excess temperature, solved by bisection."""
    constant = 3600.0 / ((75.0 - 50.0) / np.log(55.0 / 30.0)) ** 1.3
    nominal = 3600.0 / (4182.0 * 25.0)
    low, high = 20.001, supply - 1e-6
    for _ in range(100):
        back = (low + high) / 2
        mean = (supply - back) / np.log((supply - 20.0) / (back - 20.0))
        if nominal * share * 4182.0 * (supply - back) > constant * mean**1.3:
            low = back
        else:
            high = back
    flow = np.array([nominal])
    ours = emitter.return_temperature(
        np.array([supply]),
        np.array([20.0]),
        flow * share,
        emitter.emission_constant(flow, 75.0, 50.0, 20.0),
    )
    assert ours[0] == pytest.approx(back, abs=0.6)


def test_low_flow_returns_low_and_widens_the_difference() -> None:
    supply, room = np.full(4, 60.0), np.full(4, 20.0)
    back = emitter.return_temperature(supply, room, FLOW * [1.0, 0.7, 0.5, 0.3], size())
    assert (np.diff(back) < 0).all()


def test_poor_emission_returns_high_and_narrows_the_difference() -> None:
    supply, room = np.full(3, 60.0), np.full(3, 20.0)
    back = emitter.return_temperature(supply, room, FLOW, size() * [1.0, 0.7, 0.5])
    assert (np.diff(back) > 0).all()


def test_no_flow_returns_at_room_temperature_and_gives_no_heat() -> None:
    nothing = np.zeros(1)
    supply = np.array([60.0])
    back = emitter.return_temperature(supply, np.array([20.0]), nothing, size())
    assert back[0] == pytest.approx(20.0, abs=1e-6)
    assert emitter.heat(nothing, supply, back)[0] == 0.0


def test_water_colder_than_the_room_leaves_as_it_came() -> None:
    back = emitter.return_temperature(np.array([18.0]), np.array([20.0]), FLOW, size())
    assert back[0] == 18.0


@pytest.mark.parametrize(("kind", "exponent"), [(0, 1.3), (1, 1.1)])
def test_the_tables_agree_with_the_closed_solution_to_two_ten_thousandths_of_the_heat(
    kind: int, exponent: float
) -> None:
    numbers = np.random.default_rng(3)
    tables = emitter.tables()
    nominal = np.array([0.0344 if kind == 0 else 0.086])
    design = (75.0, 50.0) if kind == 0 else (45.0, 35.0)
    sized = emitter.emission_constant(nominal, *design, 20.0, exponent)[0]
    excess = numbers.uniform(0.5, 60.0, 2000)
    flow = nominal * numbers.uniform(0.1, 1.6, 2000)
    constant = sized * numbers.uniform(0.2, 1.3, 2000)
    exact = emitter.return_temperature(20.0 + excess, np.full(2000, 20.0), flow, constant, exponent)
    weak = emitter.weakness(constant, exponent) / flow
    found = [
        20.0 + emitter.leaving_excess(x, w, kind, tables.power, tables.root)
        for x, w in zip(excess, weak, strict=True)
    ]
    assert np.abs(np.array(found) - exact).max() < 0.01
    warm = excess > 3.0  # of water all but as cold as the room nobody asks
    off = (np.array(found) - exact) / (20.0 + excess - exact)
    assert np.abs(off[warm]).max() < 2e-4


def test_a_heated_floor_needs_water_of_only_35_to_45_degrees() -> None:
    flow = np.array([3600.0 / (4182.0 * 10.0)])
    sized = emitter.emission_constant(flow, 45.0, 35.0, 20.0, emitter.FLOOR_EXPONENT)
    back = emitter.return_temperature(
        np.array([45.0]), np.array([20.0]), flow, sized, emitter.FLOOR_EXPONENT
    )
    assert emitter.heat(flow, np.array([45.0]), back)[0] == pytest.approx(3600.0)


@pytest.mark.parametrize("kind", [0, 1])
def test_at_no_flow_and_without_excess_the_tables_say_room_temperature(kind: int) -> None:
    tables = emitter.tables()
    stagnant = emitter.weakness(30.0, 1.3 if kind == 0 else 1.1) / 1e-9
    assert emitter.leaving_excess(40.0, stagnant, kind, *tables) < 0.06
    assert emitter.leaving_excess(0.0, 0.1, kind, *tables) == 0.0
