"""Balance degree, spreads, approach, overheating: small numbers that can be added up by hand."""

from __future__ import annotations

import numpy as np
import pytest

from analytics import imbalance, water
from analytics.emission import Emitter
from analytics.imbalance import ApproachGrade


def test_design_flow_carries_the_design_heat_of_an_area() -> None:
    for emitter in Emitter:
        design = emitter.design
        flow = imbalance.design_flow_m3h(4_000.0, emitter)
        heat = water.heat_kwh(flow, design.supply_c, design.return_c, False)
        assert heat == pytest.approx(4_000.0 * 45.0 / 1000.0)


def test_floors_need_two_and_a_half_times_the_flow_of_radiators() -> None:
    ratio = imbalance.design_flow_m3h(1.0, Emitter.FLOOR) / imbalance.design_flow_m3h(
        1.0, Emitter.RADIATORS
    )
    assert 2.45 < ratio < 2.55


def test_balance_degree_is_flow_over_design_flow() -> None:
    flow = imbalance.design_flow_m3h([1000.0, 2000.0], Emitter.RADIATORS) * [1.3, 0.7]
    degree = imbalance.balance_degree(flow, [1000.0, 2000.0], Emitter.RADIATORS)
    assert degree == pytest.approx([1.3, 0.7])
    assert np.isnan(imbalance.balance_degree(5.0, 0.0, Emitter.RADIATORS))
    assert imbalance.balanced_share([1.3, 0.95, 1.2], [1.0, 2.0, 1.0]) == 0.75


def test_spread_is_weighted_by_area_and_leaves_out_what_is_not_known() -> None:
    assert imbalance.weighted_spread([40.0, 44.0, np.nan], [1.0, 3.0, 9.0]) == pytest.approx(
        np.sqrt((9.0 + 3.0) / 4.0)
    )
    assert np.isnan(imbalance.weighted_spread([40.0], [1.0]))
    assert np.isnan(imbalance.weighted_mean([], []))


@pytest.mark.parametrize(
    ("approach_k", "grade"),
    [
        (None, ApproachGrade.UNKNOWN),
        (float("nan"), ApproachGrade.UNKNOWN),
        (3.0, ApproachGrade.HEALTHY),
        (5.0, ApproachGrade.HEALTHY),
        (6.5, ApproachGrade.WATCH),
        (8.0, ApproachGrade.FOULED),
        (15.0, ApproachGrade.FOULED),
    ],
)
def test_an_exchanger_is_graded_by_its_approach(
    approach_k: float | None, grade: ApproachGrade
) -> None:
    assert imbalance.approach_grade(approach_k) is grade


def test_overheating_is_the_heat_that_a_cooler_room_would_not_have_lost() -> None:
    share, waste = imbalance.overheating([26.0, 20.0], [50.0, 150.0], -10.0, 24.0)
    assert share == 0.25
    assert waste == pytest.approx(2.0 * 50.0 / (36.0 * 50.0 + 30.0 * 150.0))
    assert all(np.isnan(imbalance.overheating([np.nan], [50.0], -10.0, 24.0)))
