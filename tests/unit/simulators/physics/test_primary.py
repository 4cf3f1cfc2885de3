"""Primary pipes: water takes its time, cools on its way, and none of its heat gets lost unseen."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.physics import primary, water

STEP_S = 300
LENGTH_M = np.array([1440.0, 7200.0])
MOST_KGS = np.array([20.0, 20.0])


def mains(length_m: np.ndarray = LENGTH_M) -> primary.Mains:
    design_w = MOST_KGS * 4.2e3 * 58.0 / 1.25
    return primary.mains(length_m, MOST_KGS, design_w, STEP_S)


def arrival(pipes: primary.Mains, flow_kgs: np.ndarray) -> np.ndarray:
    """Step at which half of a rise by 10 K at the inlet has arrived at each end."""
    cells = primary.Pipes.filled(pipes, 90.0, 50.0).supply
    seen = np.full(2, -1)
    for step in range(200):
        inlet = np.full(2, water.enthalpy(100.0))
        cells, _ = primary.move(cells, pipes, inlet, flow_kgs, STEP_S)
        at_end = water.temperature(primary.arriving(cells, pipes, inlet, flow_kgs))
        seen = np.where((seen < 0) & (at_end > 94.5), step + 1, seen)
    return seen


def test_a_step_arrives_after_length_over_velocity() -> None:
    """At the largest flow water runs 1.2 m/s: 20 and 100 minutes; at half of it twice as long."""
    pipes = mains()
    assert arrival(pipes, MOST_KGS) == pytest.approx([4, 20], abs=1)
    assert arrival(pipes, MOST_KGS / 2) == pytest.approx([8, 40], abs=2)


def test_pipes_give_up_exactly_what_they_lost_on_the_way() -> None:
    pipes = mains()
    cells = primary.Pipes.filled(pipes, 100.0, 50.0)
    source, number = 100.0, np.random.default_rng(1)
    held, came, gone, lost = cells.stored_kj(pipes), 0.0, 0.0, 0.0
    for _ in range(500):
        flow, source = MOST_KGS * number.uniform(0.1, 1.0, 2), source + number.uniform(-1, 1)
        inlet = np.full(2, water.enthalpy(source))
        leaving = primary.arriving(cells.supply, pipes, inlet, flow)
        supply, went = primary.move(cells.supply, pipes, inlet, flow, STEP_S)
        cells = primary.Pipes(supply, cells.back)
        came += float((flow * inlet).sum()) * STEP_S
        gone += float((flow * leaving).sum()) * STEP_S
        lost += went
    assert cells.stored_kj(pipes) - held == pytest.approx(came - gone - lost, abs=1e-9 * came)


def test_the_way_there_costs_18_thousandths_of_design_heat_at_100_kelvin() -> None:
    pipes = mains()
    flow, inlet = 0.8 * MOST_KGS, np.full(2, water.enthalpy(104.0))
    cells = primary.Pipes.filled(pipes, 104.0, 50.0).supply
    for _ in range(300):
        cells, lost_kj = primary.move(cells, pipes, inlet, flow, STEP_S)
    design_kw = MOST_KGS * 4.2 * 58.0 / 1.25
    assert lost_kj / STEP_S / design_kw.sum() == pytest.approx(primary.LOSS_SHARE, rel=0.03)
    cooled = inlet - primary.arriving(cells, pipes, inlet, flow)
    assert flow * cooled == pytest.approx(primary.LOSS_SHARE * design_kw, rel=0.03)


def test_a_pipe_too_short_for_a_step_only_cools() -> None:
    pipes = mains(np.array([50.0, 150.0]))
    assert pipes.cells.tolist() == [0, 0]
    inlet = np.full(2, water.enthalpy(100.0))
    empty = primary.Pipes.filled(pipes, 90.0, 50.0)
    leaving = water.temperature(primary.arriving(empty.supply, pipes, inlet, MOST_KGS))
    assert ((leaving < 99.9) & (leaving > 98.0)).all()
    assert empty.stored_kj(pipes) == 0.0


def test_a_source_follows_its_schedule_as_far_as_its_capacity_goes() -> None:
    source = primary.Source((np.array([-24.2, 5.0]), np.array([112.0, 75.0])), 4.2e6)
    last = side(flow_kgs=20.0, return_c=50.0)
    assert source.wanted_c(-30.0) == 112.0
    assert primary.source_supply(source, 5.0, last, 1.0) == 75.0
    scarce = primary.source_supply(source, -24.2, last, 1.0)
    assert scarce == pytest.approx(50.0 + 4.2e6 / (20.0 * 4.2e3), abs=0.3)
    assert primary.source_supply(source, -24.2, last, 0.5) == pytest.approx(75.0, abs=0.3)


def side(flow_kgs: float, return_c: float) -> primary.PrimarySide:
    one = np.ones(1)
    return primary.PrimarySide(
        supply_c=95.0 * one,
        return_c=return_c * one,
        flow_kgs=flow_kgs * one,
        valve_pct=50.0 * one,
        source_supply_c=95.0,
        source_return_c=return_c,
        source_flow_kgs=flow_kgs,
        source_makeup_kgs=0.0,
        lost_kj=0.0,
    )
