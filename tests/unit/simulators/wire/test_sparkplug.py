"""Sparkplug B, decoded by hand: names at birth, aliases afterwards, numbers round and round."""

from __future__ import annotations

import struct
from datetime import UTC
from typing import Any

import pytest

from simulators.wire import Identity, MeterReading, RoomReading, sparkplug

AT_S = 1_768_197_626
DEVICES = [sparkplug.identify("hm", f"H-S1-B01-E1-0{n}02", n, "H-S1-B01-GW1") for n in range(1, 4)]


def varint(raw: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (raw[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if raw[at - 1] < 0x80:
            return number, at


def fields(raw: bytes) -> list[tuple[int, Any]]:
    """(tag, value) of a message, by the wire types alone."""
    at, found = 0, []
    while at < len(raw):
        key, at = varint(raw, at)
        value: Any
        if key & 7 == 0:
            value, at = varint(raw, at)
        elif key & 7 == 1:
            value, at = struct.unpack("<d", raw[at : at + 8])[0], at + 8
        elif key & 7 == 5:
            value, at = struct.unpack("<f", raw[at : at + 4])[0], at + 4
        else:
            assert key & 7 == 2
            size, at = varint(raw, at)
            value, at = raw[at : at + size], at + size
        found.append((key >> 3, value))
    return found


def metrics(raw: bytes) -> list[dict[int, Any]]:
    return [dict(fields(value)) for tag, value in fields(raw) if tag == 2]


def seq(raw: bytes) -> int | None:
    return dict(fields(raw)).get(3)


def data(identity: Identity = DEVICES[1], **more: Any) -> bytes:
    reading = RoomReading(AT_S, AT_S, 6, 21.5, 40.25, 80.0, **more)
    (said,) = sparkplug.say(identity, reading, UTC)
    assert said.topic == "spBv1.0/hm/DDATA/H-S1-B01-GW1/H-S1-B01-E1-0202-T1"
    assert said.readings == 1
    return said.payload


def test_a_sensor_is_a_device_of_its_gateway() -> None:
    assert DEVICES[0].uid == "sparkplug:hm/H-S1-B01-GW1/H-S1-B01-E1-0102-T1"


def test_a_birth_names_every_metric_and_gives_it_an_alias_of_its_own() -> None:
    node, *births = sparkplug.hello(sparkplug.ROOM_METRICS, DEVICES, AT_S, 258)
    assert node.topic == "spBv1.0/hm/NBIRTH/H-S1-B01-GW1"
    assert [metric[1] for metric in metrics(node.payload)] == [b"bdSeq", b"Node Control/Rebirth"]
    assert metrics(node.payload)[0][11] == 2
    named = [metric for birth in births for metric in metrics(birth.payload)]
    assert [metric[1] for metric in named[:3]] == [
        b"room/temperature",
        b"room/humidity",
        b"device/battery",
    ]
    assert len({metric[2] for metric in named}) == 9
    assert all(metric[7] == 1 for metric in named)  # is_null: births are no readings
    assert [seq(one.payload) for one in (node, *births)] == [0, 1, 2, 3]
    assert all(one.readings == 0 and not one.retain for one in (node, *births))


def test_data_has_aliases_and_no_names() -> None:
    raw = data(slot=1, turn=4)
    said = metrics(raw)
    assert all(1 not in metric for metric in said)
    assert [metric[2] for metric in said] == [sparkplug.alias(1, row) for row in range(3)]
    assert (said[0][12], said[1][12], said[2][10]) == (21.5, 40.25, 80)
    assert [metric[4] for metric in said] == [9, 9, 7]
    assert all(metric[3] == AT_S * 1000 for metric in said)
    assert seq(raw) == 4


@pytest.mark.parametrize(("turn", "number"), [(0, 0), (255, 255), (256, 0), (1023, 255)])
def test_messages_are_numbered_from_0_to_255(turn: int, number: int) -> None:
    assert seq(data(turn=turn)) == number


def test_what_was_kept_during_an_outage_is_historical() -> None:
    assert all(metric[5] == 1 for metric in metrics(data(late=True)))
    assert all(5 not in metric for metric in metrics(data()))


def test_a_death_ends_the_birth_of_the_same_number() -> None:
    (death,) = sparkplug.bye(DEVICES, AT_S, 258)
    assert death.topic == "spBv1.0/hm/NDEATH/H-S1-B01-GW1"
    assert metrics(death.payload)[0][1] == b"bdSeq"
    assert metrics(death.payload)[0][11] == 2
    assert seq(death.payload) is None


def test_a_meter_tells_counters_in_double_precision() -> None:
    identity = sparkplug.identify_meter("hm", "H-S1-B01-M1", 7)
    assert identity.topic == "spBv1.0/hm/DDATA/H-S1-B01-MBUS/H-S1-B01-M1"
    reading = MeterReading(AT_S, AT_S, 1, {"supply_c": 61.5, "energy_kwh": 1_234_567.8}, turn=2)
    (said,) = sparkplug.say_meter(identity, reading, UTC)
    hot, energy = metrics(said.payload)
    assert hot[12] == 61.5
    assert energy[13] == 1_234_567.8
    names = {
        metric[2]: metric[1]
        for metric in metrics(
            sparkplug.hello(sparkplug.METER_METRICS, [identity], AT_S, 0)[1].payload
        )
    }
    assert (names[hot[2]], names[energy[2]]) == (b"meter/supply_temperature", b"meter/energy")
