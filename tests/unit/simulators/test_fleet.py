"""Who has a sensor, what it speaks, where meters sit."""

from __future__ import annotations

from collections import Counter

import pytest

import simulators
from hearthline.domain.places import DeviceKind, HeatingStatus
from simulators import City


@pytest.fixture(scope="module")
def town() -> City:
    return simulators.build(simulators.load("town"))


def sensed(coverage: float, seed: int = 7) -> dict[str, str]:
    """Uid by dwelling."""
    city = simulators.build(simulators.load("town"), seed=seed, coverage=coverage)
    return {device.place: device.uid for device in city.fleet.rooms.devices}


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


def test_the_town_speaks_the_mix_of_formats(town: City) -> None:
    spoken = Counter(device.uid.split(":")[0] for device in town.fleet.rooms.devices)
    assert spoken["own"] / len(town.fleet.rooms) == pytest.approx(0.65, abs=0.04)
    assert spoken["chirpstack"] / len(town.fleet.rooms) == pytest.approx(0.25, abs=0.04)
    assert spoken["zigbee2mqtt"] / len(town.fleet.rooms) == pytest.approx(0.10, abs=0.03)


def test_uids_and_topics_belong_together(town: City) -> None:
    rooms = town.fleet.rooms
    for device, topic, name in zip(rooms.devices, rooms.topics, rooms.names, strict=True):
        kind, _, rest = device.uid.partition(":")
        if kind == "chirpstack":
            assert topic.split("/")[3] == rest == name
        elif kind == "zigbee2mqtt":
            assert topic == f"zigbee2mqtt/{rest}"
        else:
            assert rest == f"hx/{name}"
            assert topic.endswith("-GW1/room")


def test_sampling_is_staggered_over_the_interval(town: City) -> None:
    phases = town.fleet.rooms.phase_s
    assert phases.min() >= 0
    assert phases.max() < 1200
    assert len(set(phases.tolist())) > 400


def test_entrances_with_meters_include_the_swapped_one(town: City) -> None:
    metered = {d.place for d in town.fleet.meters.devices if d.kind is DeviceKind.METER}
    swapped = next(t for t in town.truth if t.cause == "pipes_swapped")
    assert set(swapped.places) <= metered


def test_the_stopped_dwellings_of_the_town_are_in_the_ledger(town: City) -> None:
    stopped = {s.code for s in town.ledger.statuses if s.status is HeatingStatus.STOPPED}
    (fault,) = [t for t in town.truth if t.cause == "neighbour_unheated"]
    assert stopped == set(fault.places)
