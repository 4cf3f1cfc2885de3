"""Flows on the tree against hand calculation and the reference figures of direct return."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulators.physics.hydraulics import (
    LIFT_MARGIN_KPA,
    STOREY_KPA,
    DesignDrops,
    Flows,
    Operation,
    Pumps,
    Resistances,
    Tree,
    balance,
    solve,
    solve_part,
)

CONSUMERS = 20


def row_of(count: int) -> Tree:
    """One pump and ``count`` buildings of one dwelling each along a main."""
    one = np.arange(count + 1)
    return Tree(one, one, one, np.array([0, count]))


def pipes(segment: np.ndarray, plant: float = 0.0) -> Resistances:
    """Equal consumers of resistance 1 with nothing else in their branches."""
    none = np.full(len(segment), 1e-12)
    return Resistances(
        unit=np.ones(len(segment)),
        riser=none,
        entrance=none,
        building=none,
        throttle=np.zeros(len(segment)),
        main=segment,
        plant=np.array([plant]),
    )


def telescoped(drop: float) -> np.ndarray:
    """A main whose segments all drop the same at nominal flow."""
    return drop / (CONSUMERS - np.arange(CONSUMERS)) ** 2


PUMP = Pumps(np.array([100.0]), np.array([0.0]))


def run(segment: np.ndarray, plant: float = 0.0, pump: Pumps = PUMP, **change: np.ndarray) -> Flows:
    tree = row_of(len(segment))
    operation = replace(Operation.normal(tree), **change)
    return solve(tree, pipes(segment, plant), pump, operation)


def test_two_consumers_by_hand() -> None:
    """Pump 100 kPa; segment 1, branch 1; segment 2 and branch 1 behind it: g = 1/√(1 + 1/G²)."""
    flows = run(np.array([1.0, 2.0]))
    beyond = 1.0 / np.sqrt(3.0)
    total = np.sqrt(100.0 / (1.0 + 1.0 / (1.0 + beyond) ** 2))
    assert flows.pump[0] == pytest.approx(total)
    assert flows.unit == pytest.approx([total / (1 + beyond), total * beyond / (1 + beyond)])


def test_mass_is_conserved_on_every_level() -> None:
    flows = run(telescoped(0.1))
    assert flows.building.sum() == pytest.approx(flows.pump[0], rel=1e-12)
    assert flows.riser == pytest.approx(flows.entrance, rel=1e-12)
    assert flows.unit == pytest.approx(flows.building, rel=1e-6)


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
    ratio = (
        run(telescoped(0.05), 0.002, valve=valve.astype(np.float32)).unit
        / run(telescoped(0.05), 0.002).unit
    )
    assert ratio[3] == 0.0
    assert (np.delete(ratio, 3) > 1.0).all()


def test_all_valves_closed_is_no_flow_and_no_error() -> None:
    flows = run(telescoped(0.05), valve=np.zeros(CONSUMERS, dtype=np.float32))
    assert flows.pump[0] == 0.0
    assert (flows.unit == 0.0).all()


def test_flow_follows_the_pumps_speed() -> None:
    slow = run(telescoped(0.05), speed=np.array([0.03]))
    assert slow.unit / run(telescoped(0.05)).unit == pytest.approx(0.03)


def test_flow_is_where_the_pumps_curve_meets_the_networks() -> None:
    """Shut-off 120 kPa less 2 m² meets R m²: m² = 120 / (2 + R), also at reduced speed."""
    pump = Pumps(np.array([120.0]), np.array([2.0]))
    resistance = 1.0 / (CONSUMERS * CONSUMERS) + 0.5
    flows = run(np.full(CONSUMERS, 1e-12), 0.5, pump)
    assert flows.pump[0] == pytest.approx(np.sqrt(120.0 / (2.0 + resistance)), rel=1e-6)
    assert flows.lift_kpa[0] == pytest.approx(resistance * flows.pump[0] ** 2, rel=1e-6)
    slow = run(np.full(CONSUMERS, 1e-12), 0.5, pump, speed=np.array([0.5]))
    assert slow.pump[0] == pytest.approx(flows.pump[0] / 2)
    assert slow.lift_kpa[0] == pytest.approx(flows.lift_kpa[0] / 4)


STREETS = Tree(
    riser_units=np.arange(7) * 3,
    entrance_risers=np.arange(4) * 2,
    building_entrances=np.arange(4),
    circuit_buildings=np.array([0, 2, 3]),
)
"""Two pumps with two and one buildings, entrances with two risers of three dwellings."""
DESIGN = np.linspace(0.02, 0.05, 18)


def test_the_tree_knows_who_hangs_on_whom() -> None:
    assert STREETS.sizes == (18, 6, 3, 3, 2)
    assert STREETS.circuit_units.tolist() == [0, 12, 18]
    assert [STREETS.units_of(level, 1) for level in ("riser", "entrance", "building")] == [
        (3, 6),
        (6, 12),
        (6, 12),
    ]
    assert STREETS.units_of("circuit", 1) == (12, 18)
    assert STREETS.total(np.ones(18))[3].tolist() == [12.0, 6.0]


def test_a_balanced_network_gives_every_dwelling_its_design_flow() -> None:
    resistances, pumps = balance(STREETS, DESIGN, DesignDrops())
    flows = solve(STREETS, resistances, pumps, Operation.normal(STREETS))
    assert flows.unit == pytest.approx(DESIGN, rel=1e-6)
    assert flows.pump == pytest.approx([DESIGN[:12].sum(), DESIGN[12:].sum()])
    assert flows.lift_kpa == pytest.approx(140.0)


def test_without_the_near_valves_throttling_the_near_take_what_the_far_lack() -> None:
    tree = row_of(CONSUMERS)
    resistances, pumps = balance(tree, np.full(CONSUMERS, 0.1), DesignDrops())
    lost = replace(Operation.normal(tree), open=np.ones(CONSUMERS))
    share = solve(tree, resistances, pumps, lost).unit / 0.1
    assert (np.diff(share) < 0).all()
    assert share[0] > 1.2
    assert 0.65 < share[-1] < 0.8
    at_nominal = share / share.mean()
    assert at_nominal[[0, -1]] == pytest.approx([1.33, 0.67], rel=0.05)


def test_a_circuit_that_lost_its_pressure_starves_from_the_top() -> None:
    """Full flow with 40 kPa above the highest radiator, none where the water does not reach."""
    resistances, pumps = balance(STREETS, DESIGN, DesignDrops())
    sound = solve(STREETS, resistances, pumps, Operation.normal(STREETS)).unit
    spare = np.array([STOREY_KPA * 2.0 + LIFT_MARGIN_KPA / 2.0, STOREY_KPA * 3.0 + LIFT_MARGIN_KPA])
    run_dry = replace(Operation.normal(STREETS), spare_kpa=spare)
    share = solve(STREETS, resistances, pumps, run_dry).unit / sound
    assert share[12:] == pytest.approx(1.0)
    floors = share[:12].reshape(-1, 3)
    assert (floors[:, 0] > 1.0).all()
    assert floors[:, 1] == pytest.approx(floors[:, 0] / 2.0)
    assert (floors[:, 2] == 0.0).all()


def test_parts_of_a_town_solved_one_by_one_give_the_same_flows() -> None:
    resistances, pumps = balance(STREETS, DESIGN, DesignDrops())
    run_normally = Operation.normal(STREETS)
    whole = solve(STREETS, resistances, pumps, run_normally)
    parts = Flows.empty(STREETS)
    for part in ((1, 2), (0, 1)):
        own = resistances.unit_conductance
        solve_part(STREETS, resistances, own, pumps, run_normally, parts, part)
    assert (parts.unit == whole.unit).all()
    assert (parts.pump == whole.pump).all()
