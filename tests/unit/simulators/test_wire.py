"""The list of formats: it fits the scenario's mixes, and every device has a name of its own."""

from __future__ import annotations

from datetime import UTC

import msgspec
import pytest

from simulators import wire
from simulators.scenario import FormatMix, MeterMix

ROOMS = [one for one in wire.FORMATS if one.say is not None]
METERS = [one for one in wire.FORMATS if one.say_meter is not None]
PLACES = [f"H-S{s}-B{b:02d}-E1-{u:04d}" for s in (1, 2) for b in range(9) for u in (101, 302, 1102)]
FORBIDDEN = set("+#\0")


def test_the_mix_of_room_sensors_names_exactly_the_formats_that_have_rooms() -> None:
    assert {one.name for one in ROOMS} == set(msgspec.structs.asdict(FormatMix()))


def test_the_mix_of_meters_names_exactly_the_formats_that_have_meters() -> None:
    assert {one.name for one in METERS} == set(msgspec.structs.asdict(MeterMix()))
    assert all(one.identify_meter is not None for one in METERS)


def test_fleets_number_formats_by_this_order() -> None:
    assert [one.name for one in wire.FORMATS[:3]] == ["own", "chirpstack", "zigbee2mqtt"]
    assert [wire.FORMATS[number].name for number in wire.NUMBER.values()] == list(wire.NUMBER)


@pytest.mark.parametrize("one", ROOMS, ids=lambda one: one.name)
def test_every_room_sensor_has_a_uid_of_its_own(one: wire.Format) -> None:
    identities = [
        one.identify("hm", place, serial, f"{place.rsplit('-', 2)[0]}-GW1")
        for serial, place in enumerate(PLACES)
    ]
    assert len({identity.uid for identity in identities}) == len(PLACES)
    assert all(identity.uid.startswith(f"{one.name}:") for identity in identities)
    assert not any(FORBIDDEN & set(identity.topic) for identity in identities)


@pytest.mark.parametrize("one", METERS, ids=lambda one: one.name)
def test_every_meter_has_a_uid_of_its_own(one: wire.Format) -> None:
    assert one.identify_meter is not None
    uids = {one.identify_meter("hm", f"H-S1-B{n:02d}-M1", n).uid for n in range(40)}
    assert len(uids) == 40


@pytest.mark.parametrize("one", wire.FORMATS, ids=lambda one: one.name)
def test_two_towns_share_a_broker_without_sharing_devices(one: wire.Format) -> None:
    place = "H-S1-B01-E1-0302"
    here, there = (one.identify(site, place, 7, "H-S1-B01-GW1") for site in ("hm", "hx"))
    if one.name in ("chirpstack", "zigbee2mqtt"):
        return  # theirs follow from the seed and from the place's code
    assert here.uid != there.uid or here.topic != there.topic
    assert here.uid != there.uid


@pytest.mark.parametrize("one", ROOMS, ids=lambda one: one.name)
def test_one_reading_is_counted_once(one: wire.Format) -> None:
    identity = one.identify("hm", "H-S1-B01-E1-0302", 7, "H-S1-B01-GW1")
    assert one.say is not None
    for frame in range(12):
        said = one.say(identity, wire.RoomReading(0, 0, frame, 20.0, 40.0, 90.0), UTC)
        assert sum(message.readings for message in said) == 1


@pytest.mark.parametrize("one", ROOMS, ids=lambda one: one.name)
def test_what_was_not_measured_is_not_invented(one: wire.Format) -> None:
    identity = one.identify("hm", "H-S1-B01-E1-0302", 7, "H-S1-B01-GW1")
    assert one.say is not None
    bare = one.say(identity, wire.RoomReading(0, 0, 6, 20.0), UTC)
    assert sum(message.readings for message in bare) == 1
    told = b" ".join(message.payload for message in bare).lower()
    assert b"hum" not in told or b"null" in told
    assert b"batt" not in told or b"null" in told
