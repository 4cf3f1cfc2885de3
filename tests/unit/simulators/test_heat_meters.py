"""What heat meters show of the truth, and what their counters count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from msgspec import structs

from simulators import City, build, rand
from simulators.devices.fleet import Node
from simulators.instruments import kernels
from simulators.instruments.meters import PUMP_HZ
from simulators.physics import water
from simulators.states import Step
from tests.unit.simulators.conftest import HAMLET, scenario_of
from tests.unit.simulators.watching import ANCHOR, Taken, bench_of, measured, turning


@pytest.fixture(scope="module")
def city() -> City:
    """The hamlet without faults."""
    return build(scenario_of())


@pytest.fixture(scope="module")
def taken(city: City) -> Taken:
    """Six hours of its readings."""
    return measured(city, hours=6)


def series(taken: Taken, city: City, name: str, quantity: str) -> list[float]:
    """What one meter shows of a quantity, in order of instant."""
    meter = city.fleet.meters.names.index(name)
    return [
        float(value)
        for _, _, meters in taken
        for value in meters.quantities[quantity][meters.meter == meter]
    ]


# When --------------------------------------------------------------------------------------


def test_every_meter_reads_once_an_interval_inside_the_step(taken: Taken) -> None:
    for step, _, meters in taken:
        assert sorted(meters.meter.tolist()) == list(range(10))
        assert ((meters.at_s >= step.offset_s) & (meters.at_s < step.offset_s + 1200)).all()
        assert (np.diff(meters.at_s) >= 0).all()


def test_meters_that_read_more_often_than_the_town_steps_miss_nothing() -> None:
    scenario = scenario_of()
    every = structs.replace(scenario.instruments, meter_every=timedelta(minutes=5))
    often = build(structs.replace(scenario, instruments=every))
    by_meter: dict[int, list[int]] = {meter: [] for meter in range(10)}
    for _, _, meters in measured(often, 2):
        for meter, at_s in zip(meters.meter.tolist(), meters.at_s.tolist(), strict=True):
            by_meter[meter].append(at_s)
    for instants in by_meter.values():
        assert len(instants) == 24
        assert set(np.diff(instants).tolist()) == {300}


# What --------------------------------------------------------------------------------------


def test_a_meters_power_is_its_own_flow_times_density_times_enthalpy_difference(
    city: City, taken: Taken
) -> None:
    for _, _, meters in taken:
        shown = meters.quantities
        sensed = np.where(
            city.fleet.meters.in_return[meters.meter], shown["return_c"], shown["supply_c"]
        )
        drop = water.enthalpy(shown["supply_c"]) - water.enthalpy(shown["return_c"])
        power = shown["flow_m3h"] * water.density(sensed) * drop / 3600.0
        assert shown["power_kw"] == pytest.approx(power, abs=0.006)


def test_readings_are_quantised(taken: Taken) -> None:
    steps = {"supply_c": 100, "return_c": 100, "flow_m3h": 1000, "energy_kwh": 10}
    for _, _, meters in taken:
        for name, per_unit in steps.items():
            scaled = meters.quantities[name] * per_unit
            assert scaled == pytest.approx(np.round(scaled), abs=1e-6)


def test_temperatures_are_those_of_the_water_within_the_meters_class(
    city: City, taken: Taken
) -> None:
    at = city.fleet.meters.names.index("H-S1-B01-M1")
    for step, _, meters in taken:
        row = meters.meter.tolist().index(at)
        supply, back = (meters.quantities[name][row] for name in ("supply_c", "return_c"))
        assert supply == pytest.approx(step.water.building_supply_c[0], abs=0.15)
        assert back == pytest.approx(step.water.building_return_c[0], abs=0.15)


def test_a_meter_shows_no_more_than_twice_its_size(city: City) -> None:
    def rushing(step: Step) -> Step:
        return replace(step, flows=replace(step.flows, building=step.flows.building * 5.0))

    fleet = city.fleet.meters
    for _, _, meters in measured(city, 1, rushing):
        building = fleet.node[meters.meter] == Node.BUILDING
        most = 2.0 * fleet.design_m3h[meters.meter[building]]
        assert meters.quantities["flow_m3h"][building] == pytest.approx(most, rel=0.01)
        assert (meters.quantities["flow_m3h"][building] <= most + 0.001).all()


def test_a_meter_does_not_turn_below_its_starting_flow(city: City) -> None:
    def trickling(step: Step) -> Step:
        return replace(step, flows=replace(step.flows, building=step.flows.building * 0.003))

    steps = measured(city, 2, trickling)
    for quantity in ("flow_m3h", "power_kw"):
        assert set(series(steps, city, "H-S1-B01-M1", quantity)) == {0.0}
    for counter in ("energy_kwh", "volume_m3"):
        assert len(set(series(steps, city, "H-S1-B01-M1", counter))) == 1


def test_the_compiled_noise_is_that_of_rand(city: City) -> None:
    key, at_s = city.fleet.meters.row, np.arange(len(city.fleet.meters)) * 7 - 20
    drawn = np.empty(len(key))
    kernels.normals(rand.state(3, "meter/s"), key, at_s, drawn)
    assert drawn.tolist() == rand.normal(3, "meter/s", key, at_s).tolist()


# Counters ----------------------------------------------------------------------------------


def test_counters_integrate_power_and_flow(taken: Taken) -> None:
    samples = [meters for _, _, meters in taken]
    by_meter = [np.argsort(one.meter) for one in samples]
    for counter, rate in (("energy_kwh", "power_kw"), ("volume_m3", "flow_m3h")):
        values = [s.quantities[counter][o] for s, o in zip(samples, by_meter, strict=True)]
        rates = [s.quantities[rate][o] for s, o in zip(samples, by_meter, strict=True)]
        counted = values[-1] - values[0]
        assert (np.diff(values, axis=0) >= 0).all()
        assert counted == pytest.approx(np.mean(rates[:-1], axis=0) * (17 / 3), rel=0.03, abs=0.2)


def test_skipped_steps_are_counted_all_the_same(city: City, taken: Taken) -> None:
    engine, state = city.start(ANCHOR)
    bench = bench_of(city)
    for index in range(8):
        bench.meters.skip(engine.advance(state, index))
    samples = bench.meters.read(engine.advance(state, 8))
    for name, values in taken[8][2].quantities.items():
        assert samples.quantities[name] == pytest.approx(values, nan_ok=True, abs=1e-9)


def test_the_energy_of_the_town_balances_with_a_sensible_loss(city: City, taken: Taken) -> None:
    power = np.zeros(len(city.fleet.meters))
    for _, _, meters in taken:
        power[meters.meter] += meters.quantities["power_kw"]
    node = city.fleet.meters.node
    total = {kind: power[node == kind].sum() for kind in Node}
    assert 0.005 < 1 - total[Node.PRIMARY] / total[Node.SOURCE] < 0.08
    assert abs(1 - total[Node.SECONDARY] / total[Node.PRIMARY]) < 0.015
    assert 0.0 < 1 - total[Node.BUILDING] / total[Node.SECONDARY] < 0.05


# Pipes joined the wrong way ----------------------------------------------------------------


def test_a_swapped_entrance_meter_shows_supply_below_return_and_does_not_count(
    hamlet: Callable[..., City],
) -> None:
    city = hamlet("faults:\n  - {cause: pipes_swapped, place: H-S1-B01-E2, onset: -60d}\n")
    steps = measured(city)
    wrong, right = "H-S1-B01-E2-M1", "H-S1-B01-E1-M1"
    supply, back = (series(steps, city, wrong, name) for name in ("supply_c", "return_c"))
    assert all(s < r - 5.0 for s, r in zip(supply, back, strict=True))
    assert max(series(steps, city, wrong, "power_kw")) < 0.0
    assert min(series(steps, city, right, "power_kw")) > 0.0
    assert len(set(series(steps, city, wrong, "energy_kwh"))) == 1
    assert np.diff(series(steps, city, wrong, "volume_m3")).min() > 0.0


def test_swapped_building_pipes_show_at_the_building_and_at_all_its_entrances(city: City) -> None:
    steps = measured(city, 1, turning(building_swapped={0: True}))
    for name in ("H-S1-B01-M1", "H-S1-B01-E1-M1", "H-S1-B01-E2-M1"):
        assert max(series(steps, city, name, "power_kw")) < 0.0
    for name in ("H-S1-B02-M1", "H-S1-S1", "H-S2-B01-M1"):
        assert min(series(steps, city, name, "power_kw")) > 0.0


def test_an_entrance_swapped_in_a_swapped_building_is_right_again(city: City) -> None:
    steps = measured(city, 1, turning(building_swapped={0: True}, entrance_swapped={1: True}))
    assert max(series(steps, city, "H-S1-B01-E1-M1", "power_kw")) < 0.0
    assert min(series(steps, city, "H-S1-B01-E2-M1", "power_kw")) > 0.0


# Plant -------------------------------------------------------------------------------------


def test_a_tripped_pump_shows_at_the_station(hamlet: Callable[..., City]) -> None:
    city = hamlet("faults:\n  - {cause: pump_trip, place: H-S1, onset: 0h}\n")
    _, _, meters = measured(city, hours=1)[-1]
    at = meters.meter.tolist().index(city.fleet.meters.names.index("H-S1-S1"))
    shown = {name: values[at] for name, values in meters.quantities.items()}
    assert shown["pump_hz"] == 0.0
    assert shown["supply_kpa"] - shown["return_kpa"] < 1.0
    assert 0.0 < shown["flow_m3h"] < 0.5


def test_a_slowed_pump_says_so(city: City) -> None:
    steps = measured(city, 1, turning(pump_speed={0: 0.8}))
    assert series(steps, city, "H-S1-S1", "pump_hz") == [pytest.approx(PUMP_HZ * 0.8, abs=0.05)] * 3
    assert series(steps, city, "H-S2-S1", "pump_hz") == [PUMP_HZ] * 3


def test_a_leak_shows_in_make_up_and_pressure(hamlet: Callable[..., City]) -> None:
    leaking = "faults:\n  - {cause: leak, place: H-S1, onset: 1h, severity: 0.5}\n"
    city = hamlet(leaking)
    steps, sound = measured(city, 6), measured(hamlet(), 6)
    for name, rises in (("H-S1-S1", True), ("H-S2-S1", False)):
        more = (
            series(steps, city, name, "makeup_m3")[-1] - series(sound, city, name, "makeup_m3")[-1]
        )
        fallen = (
            series(sound, city, name, "return_kpa")[-1]
            - series(steps, city, name, "return_kpa")[-1]
        )
        assert (more > 0.05) is rises
        assert (fallen > 10.0) is rises


def test_pressures_are_the_circuits(city: City, taken: Taken) -> None:
    fleet = city.fleet.meters
    for step, _, meters in taken:
        second = fleet.node[meters.meter] == Node.SECONDARY
        circuit = fleet.index[meters.meter[second]]
        back, supply = (meters.quantities[f"{one}_kpa"][second] for one in ("return", "supply"))
        assert back == pytest.approx(step.circuits.static_kpa[circuit], abs=8.0)
        assert supply - back == pytest.approx(step.flows.lift_kpa[circuit], abs=0.11)


def test_only_stations_and_source_measure_pressures_and_make_up(city: City, taken: Taken) -> None:
    _, _, meters = taken[0]
    node = city.fleet.meters.node[meters.meter]
    branch = node >= Node.BUILDING
    for name in ("supply_kpa", "pump_hz", "valve_pct", "makeup_m3"):
        assert np.isnan(meters.quantities[name][branch]).all()
    for kind in (Node.SOURCE, Node.SECONDARY):
        assert np.isfinite(meters.quantities["makeup_m3"][node == kind]).all()
    assert np.isfinite(meters.quantities["valve_pct"][node == Node.PRIMARY]).all()


def test_no_circuit_meters_are_forgotten_where_a_substation_has_several() -> None:
    text = HAMLET.replace(
        "buildings: [2x5]}",
        "circuits: [{name: low zone, buildings: [2x5]},"
        " {name: floors, heating: floor, buildings: [1x6x3]}]}",
    )
    city = build(scenario_of(base=text))
    steps = measured(city, 2)
    for name in ("H-S2-P1", "H-S2-C1-S1", "H-S2-C2-S1"):
        assert min(series(steps, city, name, "power_kw")) > 0.0
    radiators, floor = (series(steps, city, f"H-S2-C{n}-S1", "supply_c")[-1] for n in (1, 2))
    assert radiators > floor + 8.0
    both = sum(series(steps, city, f"H-S2-C{n}-S1", "power_kw")[-1] for n in (1, 2))
    assert series(steps, city, "H-S2-P1", "power_kw")[-1] == pytest.approx(both, rel=0.05)
