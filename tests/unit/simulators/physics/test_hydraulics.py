"""Flows on the tree against hand calculation and the reference figures of direct return."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.physics.hydraulics import (
    DesignDrops,
    Flows,
    Operation,
    Pumps,
    Resistances,
    Tree,
    balance,
    solve,
)

CONSUMERS = 20


def row_of(count: int) -> Tree:
    """One pump and ``count`` buildings of one dwelling each along a main."""
    one = np.arange(count)
    return Tree(one, one, one, one, one, one, one[None, :])


def pipes(segment: np.ndarray, plant: float = 0.0) -> Resistances:
    """Equal consumers of resistance 1 with nothing else in their branches."""
    count = segment.shape[1]
    none = np.full(count, 1e-12)
    return Resistances(np.ones(count), none, none, none, segment, np.array([plant]))


def telescoped(drop: float) -> np.ndarray:
    """A main whose segments all drop the same at nominal flow."""
    return (drop / (CONSUMERS - np.arange(CONSUMERS)) ** 2)[None, :]


PUMP = Pumps(np.array([100.0]), np.array([0.0]))


def run(segment: np.ndarray, plant: float = 0.0, **change: np.ndarray) -> Flows:
    tree = row_of(segment.shape[1])
    normal = Operation.normal(tree)
    operation = Operation(
        change.get("valve", normal.valve),
        normal.entrance,
        change.get("building", normal.building),
        change.get("speed", normal.speed),
    )
    return solve(tree, pipes(segment, plant), PUMP, operation)


def test_two_consumers_by_hand() -> None:
    """Pump 100 kPa; segment 1, branch 1; segment 2 and branch 1 behind it: g = 1/√(1 + 1/G²)."""
    flows = run(np.array([[1.0, 2.0]]))
    beyond = 1.0 / np.sqrt(3.0)
    total = np.sqrt(100.0 / (1.0 + 1.0 / (1.0 + beyond) ** 2))
    assert flows.pump[0] == pytest.approx(total)
    assert flows.unit == pytest.approx([total / (1 + beyond), total * beyond / (1 + beyond)])


def test_mass_is_conserved_on_every_level() -> None:
    flows = run(telescoped(0.1))
    assert flows.building.sum() == pytest.approx(flows.pump[0], rel=1e-12)
    assert flows.unit == pytest.approx(flows.building, rel=1e-12)


def test_with_direct_return_the_near_consumer_gets_133_percent_and_the_far_one_67() -> None:
    share = run(telescoped(0.1)).building
    share = share / share.mean()
    assert share[0] == pytest.approx(1.33, rel=0.05)
    assert share[-1] == pytest.approx(0.67, rel=0.05)


@pytest.mark.parametrize("clogged", [0, 9, 19])
def test_a_strainer_clogged_nine_times_leaves_034_and_raises_the_others_a_little(
    clogged: int,
) -> None:
    segment, plant = telescoped(1e-4), 0.0024
    factor = np.ones(CONSUMERS)
    factor[clogged] = 9.0
    ratio = run(segment, plant, building=factor).building / run(segment, plant).building
    assert ratio[clogged] == pytest.approx(0.34, rel=0.05)
    others = np.delete(ratio, clogged) - 1.0
    assert others.min() >= 0.0148
    assert others.max() <= 0.018


def test_closing_a_valve_raises_the_others_and_stops_its_own() -> None:
    valve = np.ones(CONSUMERS)
    valve[3] = 0.0
    ratio = run(telescoped(0.05), 0.002, valve=valve).unit / run(telescoped(0.05), 0.002).unit
    assert ratio[3] == 0.0
    assert (np.delete(ratio, 3) > 1.0).all()


def test_all_valves_closed_is_no_flow_and_no_error() -> None:
    flows = run(telescoped(0.05), valve=np.zeros(CONSUMERS))
    assert flows.pump[0] == 0.0
    assert (flows.unit == 0.0).all()


def test_flow_follows_the_pumps_speed() -> None:
    slow = run(telescoped(0.05), speed=np.array([0.03]))
    assert slow.unit / run(telescoped(0.05)).unit == pytest.approx(0.03)


def test_a_balanced_network_gives_every_dwelling_its_design_flow() -> None:
    """Two pumps, mains of different length, entrances with two risers of three dwellings."""
    tree = Tree(
        unit_riser=np.repeat(np.arange(6), 3),
        riser_entrance=np.repeat(np.arange(3), 2),
        entrance_building=np.arange(3),
        riser_start=np.arange(6) * 3,
        entrance_start=np.arange(3) * 2,
        building_start=np.arange(3),
        main=np.array([[0, 1], [2, -1]]),
    )
    design = np.linspace(0.02, 0.05, 18)
    resistances, pumps = balance(tree, design, DesignDrops())
    flows = solve(tree, resistances, pumps, Operation.normal(tree))
    assert flows.unit == pytest.approx(design, rel=1e-9)
    assert flows.pump == pytest.approx([design[:12].sum(), design[12:].sum()])
    assert flows.lift_kpa == pytest.approx(100.0)
