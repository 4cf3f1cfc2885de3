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


def test_a_fouled_exchanger_shows_8_to_15_kelvin_at_full_load() -> None:
    approach = plant.approach(np.ones(3), np.ones(3), np.array([4.0, 7.0, 10.0]))
    assert approach.min() >= 8.0
    assert approach.max() <= 15.0


def test_primary_and_secondary_carry_the_same_heat() -> None:
    station = plant.stations(np.array([1e6, 5e5]))
    heat, back = np.array([7e5, 3e5]), np.array([45.0, 44.0])
    arrived = water.enthalpy(np.array([98.0, 96.0]))
    side = plant.exchange(station, heat, back, arrived)
    assert side.flow_kgs * (arrived - side.return_kj_kg) * 1000.0 == pytest.approx(heat, rel=1e-12)
    assert ((side.valve_pct > 0) & (side.valve_pct < 100)).all()
    left = water.temperature(side.return_kj_kg) - back
    assert left == pytest.approx(plant.approach(heat, station.design_w), abs=1e-6)


def test_a_fully_open_valve_bounds_the_heat_with_a_quarter_in_reserve() -> None:
    station = plant.stations(np.array([1e6]))
    hot, back = np.array([water.enthalpy(112.0)]), np.array([49.8])
    most = plant.heat_limit(station, hot, back)
    assert most[0] == pytest.approx(1.25e6, rel=0.02)
    assert plant.exchange(station, most, back, hot).valve_pct[0] == pytest.approx(100.0, abs=0.2)
    assert plant.heat_limit(station, np.array([water.enthalpy(50.0)]), back)[0] == 0.0


def test_a_fouled_exchanger_opens_the_valve_and_bounds_the_heat_sooner() -> None:
    station = plant.stations(np.array([1e6]))
    hot, back, heat = np.array([water.enthalpy(105.0)]), np.array([48.0]), np.array([8e5])
    clean, fouled = (plant.exchange(station, heat, back, hot, k) for k in (0.0, 8.0))
    assert fouled.valve_pct[0] > clean.valve_pct[0] + 3.0
    most = [plant.heat_limit(station, hot, back, k)[0] for k in (0.0, 8.0)]
    assert most[1] < 0.9 * most[0]


def test_standing_water_takes_the_soils_temperature() -> None:
    end = plant.pipe_outlet(np.array([70.0]), np.array([0.0]), np.array([20.0]))
    assert end[0] == pytest.approx(plant.GROUND_C)


def vessel(volume_m3: float = 20.0) -> plant.Vessel:
    return plant.Vessel(np.array([300.0]), np.array([volume_m3]), np.array([True]))


def hold(
    leak_m3h: float, hours: float, begin_kpa: float = 300.0, seconds: float = 300.0
) -> tuple[float, float]:
    """Pressure in kPa and make-up in m³/h after some hours of a leak."""
    kpa, brought = np.array([begin_kpa]), np.zeros(1)
    for _ in range(int(hours * 3600 / seconds)):
        kpa, brought = plant.made_up(vessel(), kpa, np.array([leak_m3h]), np.array([8.0]), seconds)
    return float(kpa[0]), float(brought[0])


def test_a_sound_circuit_holds_its_pressure_with_a_little_make_up() -> None:
    kpa, brought = hold(0.0, 24)
    assert kpa == 300.0
    assert brought == pytest.approx(plant.MAKEUP_SHARE_H * 3.6 * 8.0)
    assert brought < 0.01 * 20.0


def test_a_small_leak_is_made_up_and_a_larger_one_takes_the_pressure() -> None:
    kpa, brought = hold(0.4, 24)
    assert kpa == 300.0
    assert brought == pytest.approx(0.4 + plant.MAKEUP_SHARE_H * 3.6 * 8.0)
    kpa, brought = hold(1.2, 48)
    assert brought == pytest.approx(0.6)  # 3 % of the volume an hour is all it can
    runs = 0.6 - plant.MAKEUP_SHARE_H * 3.6 * 8.0
    assert kpa == pytest.approx(300.0 * (runs / 1.2) ** 2, rel=0.01)


def test_pressure_does_not_depend_on_the_length_of_a_step() -> None:
    assert hold(1.2, 3, seconds=300.0)[0] == pytest.approx(hold(1.2, 3, seconds=30.0)[0], rel=0.05)
    assert hold(50.0, 6)[0] < 1.0


def test_an_empty_circuit_is_filled_within_hours() -> None:
    after = [hold(0.0, hours, begin_kpa=0.0)[0] for hours in (0.5, 1.0, 2.5, 8.0)]
    assert (np.diff(after) > 0.0).all()
    assert after[-1] == 300.0
