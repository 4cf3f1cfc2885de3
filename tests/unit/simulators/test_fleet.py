"""Who has a sensor, what it speaks, where meters sit."""

from __future__ import annotations

import time
import tracemalloc
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from msgspec import structs

import simulators
import simulators.testing
from hearthline.domain.places import DeviceKind, DeviceRole, HeatingStatus
from simulators import City, build, rand, wire
from simulators.devices.fleet import Node, equip
from simulators.layout import lay_out
from simulators.scenario import FormatMix, GrownTownSpec, MeterMix
from tests.unit.simulators.conftest import HAMLET, scenario_of


@pytest.fixture(scope="module")
def town() -> City:
    return simulators.build(simulators.load("town"))


def sensed(coverage: float, seed: int = 7) -> dict[str, str]:
    """Uid by dwelling."""
    city = simulators.build(simulators.load("town"), seed=seed, coverage=coverage)
    return {device.place: device.uid for device in city.fleet.rooms.devices}


# Rooms -------------------------------------------------------------------------------------


def test_fleets_nest_and_a_device_keeps_its_name_at_every_coverage() -> None:
    few, some, all_ = sensed(0.04), sensed(0.2), sensed(1.0)
    assert few.items() <= some.items() <= all_.items()
    assert (len(few), len(some), len(all_)) == (39, 196, 978)


def test_no_coverage_is_no_room_sensor() -> None:
    assert sensed(0.0) == {}


def test_seeds_choose_other_dwellings() -> None:
    assert set(sensed(0.04, seed=1)) != set(sensed(0.04, seed=2))


def test_exposed_dwellings_are_watched_first(town: City) -> None:
    layout = town.layout
    exposed = layout.top | layout.ground | (layout.gables > 0)
    codes = {code for code, is_exposed in zip(town.unit_codes, exposed, strict=True) if is_exposed}
    chosen = sensed(0.2)
    assert len(codes & set(chosen)) / len(chosen) > exposed.mean() + 0.05


def test_devices_of_the_town_keep_their_uids(town: City) -> None:
    """As they were when only three formats were spoken: ledgers out there hold them."""
    rooms = town.fleet.rooms
    drawn = rand.uniform(7, "fleet/speech", rooms.unit)
    eui = rand.bits(7, "fleet/eui", rooms.unit)
    for sensor, device in enumerate(rooms.devices):
        place = town.unit_codes[rooms.unit[sensor]]
        building, entrance, door = place.rsplit("-", 2)
        if drawn[sensor] < 0.65:
            wanted = f"own:hx/{place}-T1"
        elif drawn[sensor] < 0.9:
            wanted = f"chirpstack:24e124{int(eui[sensor]) % (1 << 40):010x}"
        else:
            wanted = f"zigbee2mqtt:{building}/{entrance} {door.lstrip('0')} living room"
        assert (device.uid, device.place) == (wanted, place)


def test_uids_and_topics_belong_together(town: City) -> None:
    rooms = town.fleet.rooms
    for sensor in range(len(rooms)):
        uid, name, topic, _ = rooms.identity(sensor)
        kind, _, rest = uid.partition(":")
        if kind == "chirpstack":
            assert topic.split("/")[3] == rest == name
        elif kind == "zigbee2mqtt":
            assert topic == f"zigbee2mqtt/{rest}"
        else:
            assert rest == f"hx/{name}"
            assert topic.endswith("-GW1/room")


ALL_FORMATS = dict.fromkeys(FormatMix.__struct_fields__, 1.0)


def test_sensors_speak_every_format_of_the_mix_in_its_share(town: City) -> None:
    every = structs.replace(town.scenario.instruments, mix=FormatMix(**ALL_FORMATS))
    mixed = build(structs.replace(town.scenario, instruments=every))
    spoken = Counter(wire.FORMATS[number].name for number in mixed.fleet.rooms.speech)
    assert set(spoken) == set(ALL_FORMATS)
    assert all(0.04 < count / 978 < 0.13 for count in spoken.values())
    uids = [device.uid for device in mixed.fleet.devices]
    assert len(set(uids)) == len(uids)


@pytest.mark.parametrize("name", FormatMix.__struct_fields__)
def test_a_mix_of_one_format_is_spoken_by_all(name: str) -> None:
    mix = ", ".join(f"{other}: {float(other == name)}" for other in FormatMix.__struct_fields__)
    city = build(
        scenario_of(base=HAMLET.replace("instruments:\n  {", f"instruments:\n  {{mix: {{{mix}}}, "))
    )
    assert {wire.FORMATS[number].name for number in city.fleet.rooms.speech} == {name}


def test_sampling_is_staggered_over_the_interval(town: City) -> None:
    phases = town.fleet.rooms.phase_s
    assert phases.min() >= 0
    assert phases.max() < 1200
    assert len(set(phases.tolist())) > 400


def test_every_building_has_its_gateway(town: City) -> None:
    rooms, layout = town.fleet.rooms, town.layout
    assert len(town.fleet.gateways) == len(set(town.fleet.gateways)) == 24
    assert (rooms.gateway == layout.unit_building[rooms.unit]).all()


def test_a_sensor_is_found_by_its_dwelling(hamlet: Callable[..., City]) -> None:
    rooms = hamlet(coverage=0.3).fleet.rooms
    found = [rooms.of_unit(unit) for unit in range(52)]
    assert [sensor for sensor in found if sensor is not None] == list(range(len(rooms)))
    assert all(
        rooms.unit[sensor] == unit for unit, sensor in enumerate(found) if sensor is not None
    )


def test_serial_numbers_differ_in_the_bits_that_formats_use() -> None:
    """Among so many, some forty-bit numbers would be drawn twice."""
    scenario = structs.replace(
        scenario_of(), substations=(), grown=GrownTownSpec(dwellings=1_500_000)
    )
    layout = lay_out(scenario, 3)
    rooms = equip(scenario, layout, 3, 0.0).rooms
    seen = rooms._serials & np.uint64((1 << 40) - 1)
    drawn = rand.bits(3, "fleet/eui", np.arange(layout.units)) & np.uint64((1 << 40) - 1)
    assert len(np.unique(drawn)) < layout.units
    assert len(np.unique(seen)) == layout.units
    assert (seen != drawn).sum() < 10


def test_a_million_sensors_are_equipped_quickly_and_in_little_memory() -> None:
    scenario = structs.replace(
        scenario_of(), substations=(), grown=GrownTownSpec(dwellings=1_000_000)
    )
    layout = lay_out(scenario, 3)
    assert len(layout.unit_building) >= 1_000_000
    tracemalloc.start()
    began = time.process_time()
    fleet = equip(scenario, layout, 3, 1.0)
    took = time.process_time() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(fleet.rooms) == layout.units
    assert took < 3.0
    assert peak < 200e6


# Meters ------------------------------------------------------------------------------------


def test_entrances_with_meters_include_the_swapped_one(town: City) -> None:
    metered = {d.place for d in town.fleet.meters.devices if d.kind is DeviceKind.METER}
    swapped = next(t for t in town.truth if t.cause == "pipes_swapped")
    assert set(swapped.places) <= metered


def metered(share: float, town: City) -> set[str]:
    """Uids of all meters where a share of the buildings has one."""
    every = structs.replace(town.scenario.instruments, building_meters=share)
    fleet = build(structs.replace(town.scenario, instruments=every)).fleet.meters
    return {device.uid for device in fleet.devices}


def test_a_share_of_the_buildings_is_metered_and_shares_nest(town: City) -> None:
    none, few, half, all_ = (metered(share, town) for share in (0.0, 0.25, 0.5, 1.0))
    assert none < few < half < all_
    assert [len(some) - len(none) for some in (few, half, all_)] == [6, 12, 24]
    assert {f"own:hx/HX-S{n}-{kind}1" for n in range(1, 5) for kind in "PS"} <= none


def test_a_meter_is_the_same_device_whatever_others_there_are(town: City) -> None:
    every = structs.replace(town.scenario.instruments, building_meters=0.25)
    few = build(structs.replace(town.scenario, instruments=every)).fleet.meters
    all_ = town.fleet.meters
    at = np.searchsorted(all_.row, few.row)
    assert (all_.row[at] == few.row).all()
    for name in ("phase_s", "gain", "supply_bias_k", "in_return", "design_m3h", "index", "node"):
        assert (getattr(all_, name)[at] == getattr(few, name)).all()


def test_branch_meters_speak_the_mix_and_plant_meters_our_own(town: City) -> None:
    mix = MeterMix(own=0.25, wmbusmeters=0.25, sparkplug=0.25, iotda=0.25)
    every = structs.replace(town.scenario.instruments, meter_mix=mix)
    fleet = build(structs.replace(town.scenario, instruments=every)).fleet.meters
    branch = fleet.node >= Node.BUILDING
    names = [wire.FORMATS[number].name for number in fleet.speech]
    assert {name for name, far in zip(names, branch, strict=True) if far} == set(
        MeterMix.__struct_fields__
    )
    assert {name for name, far in zip(names, branch, strict=True) if not far} == {"own"}
    uids = [device.uid for device in fleet.devices]
    assert len(set(uids)) == len(uids)


SEVERAL = HAMLET.replace(
    "buildings: [2x5]}",
    "circuits: [{name: low zone, buildings: [2x5]},"
    " {name: floors, heating: floor, buildings: [1x6x3]}]}",
)


def test_each_circuit_of_a_substation_has_its_own_secondary_meter() -> None:
    city = build(scenario_of(base=SEVERAL))
    secondary = {
        d.place: d.uid for d in city.fleet.meters.devices if d.role is DeviceRole.SECONDARY
    }
    assert secondary == {
        "H-S1": "own:hm/H-S1-S1",
        "H-S2-C1": "own:hm/H-S2-C1-S1",
        "H-S2-C2": "own:hm/H-S2-C2-S1",
    }
    primary = [d.place for d in city.fleet.meters.devices if d.role is DeviceRole.PRIMARY]
    assert primary == ["H", "H-S1", "H-S2"]


def test_meters_are_chosen_for_the_flow_of_their_place() -> None:
    city = build(scenario_of(base=SEVERAL))
    engine, state = city.start(simulators.testing.ANCHOR)
    flows = engine.advance(state, 0).flows
    fleet = city.fleet.meters
    for node, flow in ((Node.SECONDARY, flows.pump), (Node.BUILDING, flows.building)):
        sizes = fleet.design_m3h[fleet.node == node]
        assert sizes == pytest.approx(3.6 * flow, rel=0.35)


# Ledger ------------------------------------------------------------------------------------


def test_the_stopped_dwellings_of_the_town_are_in_the_ledger(town: City) -> None:
    stopped = {s.code for s in town.ledger.statuses if s.status is HeatingStatus.STOPPED}
    (fault,) = [t for t in town.truth if t.cause == "neighbour_unheated"]
    assert stopped == set(fault.places)
