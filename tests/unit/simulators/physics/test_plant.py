"""Source and substations: curve, approach, limits, losses."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.physics import emitter, plant, water


def test_the_curve_reaches_75_at_design_and_falls_with_milder_weather() -> None:
    design = 81.0 * (22.0 + 24.2) - 284.0
    curve = plant.curve(22.0, design, 81.0, 284.0)
    assert curve.supply(plant.DESIGN_OUTDOOR_C) == pytest.approx(75.0, abs=0.3)
    assert (np.diff(curve.supply(np.arange(-30.0, 15.0))) < 0).all()


@pytest.mark.parametrize("outdoor", [-24.0, -10.0, 0.0, 8.0])
def test_the_curve_holds_the_room(outdoor: float) -> None:
    """Heat of the reference radiator at the curve's supply equals the loss at 22 °C."""
    design = 81.0 * (22.0 + 24.2) - 284.0
    flow = np.array([design / (water.CP * 25.0)])
    size = emitter.emission_constant(flow, 75.0, 50.0, 22.0)
    supply = plant.curve(22.0, design, 81.0, 284.0).supply(np.array([outdoor]))
    back = emitter.return_temperature(supply, np.array([22.0]), flow, size)
    wanted = 81.0 * (22.0 - outdoor) - 284.0
    assert emitter.heat(flow, supply, back)[0] == pytest.approx(wanted, rel=0.01)


def test_the_approach_of_a_healthy_exchanger_is_two_to_five_kelvin() -> None:
    load = np.linspace(0.2, 1.2, 20)
    approach = plant.approach(load, np.ones(20))
    assert approach.min() >= 2.0
    assert approach.max() <= 5.0


def test_primary_and_secondary_carry_the_same_heat() -> None:
    station = plant.stations(np.array([1e6, 5e5]))
    heat = np.array([7e5, 3e5])
    side = plant.primary(station, heat, np.array([45.0, 44.0]), 100.0, np.array([3.0, 1.5]))
    drop = water.enthalpy(side.supply_c) - water.enthalpy(side.return_c)
    assert side.flow_kgs * drop * 1000.0 == pytest.approx(heat, rel=1e-9)
    assert side.source_flow_kgs == pytest.approx(side.flow_kgs.sum())
    assert ((side.valve_pct > 0) & (side.valve_pct <= 100)).all()


def test_pipes_lose_a_few_percent_on_the_way() -> None:
    station = plant.stations(np.array([1e6]))
    side = plant.primary(station, np.array([7e5]), np.array([45.0]), 100.0, np.array([3.0]))
    given = side.source_flow_kgs * (
        water.enthalpy(side.source_supply_c) - water.enthalpy(side.source_return_c)
    )
    assert 0.01 < 1.0 - 700.0 / given < 0.08


def test_a_fully_open_valve_bounds_the_heat() -> None:
    station = plant.stations(np.array([1e6]))
    assert 1.0e6 < plant.heat_limit(station, np.array([112.0]), np.array([50.0]))[0] < 1.4e6
    assert plant.heat_limit(station, np.array([50.0]), np.array([50.0]))[0] == 0.0


def test_standing_water_takes_the_soils_temperature() -> None:
    end = plant.pipe_outlet(np.array([70.0]), np.array([0.0]), np.array([20.0]))
    assert end[0] == pytest.approx(plant.GROUND_C)


def test_the_source_supplies_hotter_in_the_cold() -> None:
    assert plant.source_supply(-24.2) == pytest.approx(112.0)
    assert plant.source_supply(10.0) == pytest.approx(75.0)
