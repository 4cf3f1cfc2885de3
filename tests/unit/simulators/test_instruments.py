"""What sensors and meters show of the truth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from hearthline.domain.readings import LIMITS
from simulators import City, build
from simulators.engine import Step
from simulators.fleet import Node
from simulators.instruments import Bench, MeterSamples, RoomSamples
from simulators.physics import water
from tests.unit.simulators.conftest import scenario_of

ANCHOR = datetime(2026, 1, 12, 2, 30, tzinfo=UTC)


Taken = list[tuple[Step, RoomSamples, MeterSamples]]


def measured(city: City, hours: int = 3) -> Taken:
    """Steps and what the instruments read in them."""
    engine, state = city.start(ANCHOR)
    bench = Bench.of(city.fleet, city.layout, city.seed, 1200, 1200)
    taken = []
    for index in range(hours * 3):
        step = engine.advance(state, index)
        taken.append((step, bench.rooms.read(step), bench.meters.read(step)))
    return taken


@pytest.fixture(scope="module")
def sound() -> tuple[City, Taken]:
    """The hamlet without faults and six hours of its readings."""
    city = build(scenario_of())
    return city, measured(city, hours=6)


def test_every_sensor_reads_once_an_interval_inside_the_step(sound: tuple[City, Taken]) -> None:
    for step, rooms, meters in sound[1]:
        assert sorted(rooms.sensor.tolist()) == list(range(52))
        assert sorted(meters.meter.tolist()) == list(range(10))
        for at in (rooms.at_s, meters.at_s):
            assert ((at >= step.offset_s) & (at < step.offset_s + 1200)).all()
            assert (np.diff(at) >= 0).all()


def test_room_sensors_are_within_half_a_kelvin_and_quantised(sound: tuple[City, Taken]) -> None:
    city, taken = sound
    for step, rooms, _ in taken:
        unit = city.fleet.rooms.unit[rooms.sensor]
        low = np.minimum(step.air_before_c, step.air_c)[unit]
        high = np.maximum(step.air_before_c, step.air_c)[unit]
        assert (rooms.temperature_c > low - 0.5).all()
        assert (rooms.temperature_c < high + 0.5).all()
        tenths = rooms.temperature_c * 10
        assert tenths == pytest.approx(np.round(tenths), abs=1e-9)


STUCK = """
faults:
  - {cause: sensor_stuck, place: H-S1-B01-E1-0302, onset: 1h, severity: 17.3}
  - {cause: sensor_stuck, place: H-S1-B01-E1-0401, onset: 1h, end: 3h}
"""


def test_a_stuck_sensor_shows_its_value_or_the_last_it_read(
    hamlet: Callable[..., City],
) -> None:
    city = hamlet(STUCK)
    shown: dict[str, list[float]] = {"H-S1-B01-E1-0302": [], "H-S1-B01-E1-0401": []}
    for _, rooms, _ in measured(city, hours=6):
        for code, values in shown.items():
            at = rooms.sensor.tolist().index(city.unit_codes.index(code))
            values.append(float(rooms.temperature_c[at]))
    low, frozen = shown.values()
    assert low[3:] == [17.3] * 15
    assert min(low[:3]) > 20.0
    assert len(set(frozen[3:9])) == 1
    assert len(set(frozen[9:])) > 1


def test_a_meters_power_is_its_own_flow_times_density_times_enthalpy_difference(
    sound: tuple[City, Taken],
) -> None:
    city, taken = sound
    _, _, meters = taken[0]
    shown = meters.quantities
    sensed = np.where(
        city.fleet.meters.in_return[meters.meter], shown["return_c"], shown["supply_c"]
    )
    drop = water.enthalpy(shown["supply_c"]) - water.enthalpy(shown["return_c"])
    power = shown["flow_m3h"] * water.density(sensed) * drop / 3600.0
    assert shown["power_kw"] == pytest.approx(power, abs=0.006)


def test_counters_integrate_power_and_flow(sound: tuple[City, Taken]) -> None:
    taken = [meters for _, _, meters in sound[1]]
    by_meter = [np.argsort(samples.meter) for samples in taken]
    for counter, rate in (("energy_kwh", "power_kw"), ("volume_m3", "flow_m3h")):
        values = [s.quantities[counter][o] for s, o in zip(taken, by_meter, strict=True)]
        rates = [s.quantities[rate][o] for s, o in zip(taken, by_meter, strict=True)]
        counted = values[-1] - values[0]
        assert (np.diff(values, axis=0) >= 0).all()
        assert counted == pytest.approx(np.mean(rates[:-1], axis=0) * (17 / 3), rel=0.03, abs=0.2)


def test_the_energy_of_the_town_balances_with_a_sensible_loss(sound: tuple[City, Taken]) -> None:
    city, taken = sound
    power = np.zeros(len(city.fleet.meters))
    for _, _, meters in taken:
        power[meters.meter] += meters.quantities["power_kw"]
    node = city.fleet.meters.node
    total = {kind: power[node == kind].sum() for kind in Node}
    assert 0.01 < 1 - total[Node.PRIMARY] / total[Node.SOURCE] < 0.08
    assert abs(1 - total[Node.SECONDARY] / total[Node.PRIMARY]) < 0.01
    assert 0.0 < 1 - total[Node.BUILDING] / total[Node.SECONDARY] < 0.05


def test_a_swapped_entrance_meter_shows_supply_below_return_and_does_not_count(
    hamlet: Callable[..., City],
) -> None:
    city = hamlet("faults:\n  - {cause: pipes_swapped, place: H-S1-B01-E2, onset: -60d}\n")
    names = city.fleet.meters.names
    wrong, right = names.index("H-S1-B01-E2-M1"), names.index("H-S1-B01-E1-M1")
    energy = []
    for _, _, meters in measured(city):
        at = {meter: row for row, meter in enumerate(meters.meter.tolist())}
        shown = meters.quantities
        assert shown["supply_c"][at[wrong]] < shown["return_c"][at[wrong]] - 5.0
        assert shown["power_kw"][at[wrong]] < 0.0
        assert shown["power_kw"][at[right]] > 0.0
        energy.append(shown["energy_kwh"][at[wrong]])
    assert len(set(energy)) == 1


def test_a_tripped_pump_shows_at_the_station(hamlet: Callable[..., City]) -> None:
    city = hamlet("faults:\n  - {cause: pump_trip, place: H-S1, onset: 0h}\n")
    _, _, meters = measured(city, hours=1)[-1]
    at = meters.meter.tolist().index(city.fleet.meters.names.index("H-S1-S1"))
    shown = {name: values[at] for name, values in meters.quantities.items()}
    assert shown["pump_hz"] == 0.0
    assert shown["supply_kpa"] - shown["return_kpa"] < 1.0
    assert 0.0 < shown["flow_m3h"] < 0.5


def test_only_stations_and_source_measure_pressures_and_make_up(sound: tuple[City, Taken]) -> None:
    city, taken = sound
    _, _, meters = taken[0]
    node = city.fleet.meters.node[meters.meter]
    branch = (node == Node.BUILDING) | (node == Node.ENTRANCE)
    for name in ("supply_kpa", "pump_hz", "valve_pct", "makeup_m3"):
        assert np.isnan(meters.quantities[name][branch]).all()
    assert np.isfinite(meters.quantities["makeup_m3"][node == Node.SECONDARY]).all()


def test_everything_lies_within_the_domains_limits(sound: tuple[City, Taken]) -> None:
    for _, rooms, meters in sound[1]:
        shown = {
            **meters.quantities,
            "temperature_c": rooms.temperature_c,
            "humidity_pct": rooms.humidity_pct,
            "battery_pct": rooms.battery_pct,
        }
        for name, values in shown.items():
            low, high = LIMITS[name]
            known = values[np.isfinite(values)]
            assert ((known >= low) & (known <= high)).all(), name


def test_readings_do_not_depend_on_coverage(hamlet: Callable[..., City]) -> None:
    """A sensor of a small fleet shows what it shows in a large one."""
    few, all_ = hamlet(coverage=0.3), hamlet()
    (_, small, _), (_, large, _) = measured(few, 1)[0], measured(all_, 1)[0]
    shown = dict(zip(large.sensor.tolist(), large.temperature_c.tolist(), strict=True))
    for sensor, value in zip(small.sensor, small.temperature_c, strict=True):
        assert shown[int(few.fleet.rooms.unit[sensor])] == value
