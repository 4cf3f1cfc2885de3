"""Zigbee2MQTT states, by example."""

import json
from datetime import UTC, datetime

import pytest

from hearthline.domain.readings import Quality, RejectReason, RoomReading
from ingest.formats.zigbee2mqtt import decode

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
STATE = {
    "battery": None,
    "humidity": 52.82,
    "linkquality": 108,
    "temperature": 26.14,
    "voltage": None,
}


def test_without_last_seen_the_arrival_stands_in_and_is_marked_so() -> None:
    decoded = decode("zigbee2mqtt/Bedroom Temperature Sensor", json.dumps(STATE).encode(), NOW)
    uid = "zigbee2mqtt:Bedroom Temperature Sensor"
    assert decoded.readings == (RoomReading(uid, NOW, 26.14, 52.82, None, Quality.CLOCK_GUESSED),)


@pytest.mark.parametrize(
    "seen", ["2026-01-10T19:00:00+08:00", 1768042800000, "2026-01-10T11:00:00.000Z"]
)
def test_last_seen_dates_the_message(seen: object) -> None:
    decoded = decode("zigbee2mqtt/a", json.dumps({**STATE, "last_seen": seen}).encode(), NOW)
    (reading,) = decoded.readings
    assert (reading.time, reading.quality) == (NOW.replace(hour=11), Quality.GOOD)


def test_a_friendly_name_may_hold_slashes() -> None:
    decoded = decode("zigbee2mqtt/三单元/301/bed room", json.dumps(STATE).encode(), NOW)
    assert decoded.readings[0].device_uid == "zigbee2mqtt:三单元/301/bed room"


@pytest.mark.parametrize(
    "topic",
    [
        "bridge/state",
        "bridge/devices",
        "bridge",
        "lamp/availability",
        "a/b/availability",
        "lamp/set",
        "lamp/get",
    ],
)
def test_bridge_availability_and_commands_are_no_measurement(topic: str) -> None:
    decoded = decode(f"zigbee2mqtt/{topic}", b"online", NOW)
    assert decoded.readings == decoded.rejections == ()


def test_a_device_may_be_called_set() -> None:
    assert decode("zigbee2mqtt/set", json.dumps(STATE).encode(), NOW).readings


def test_a_plug_has_no_temperature() -> None:
    decoded = decode("zigbee2mqtt/plug", b'{"state":"ON","power":12}', NOW)
    assert [r.reason for r in decoded.rejections] == [RejectReason.NO_QUANTITY]


def test_a_bad_last_seen_is_not_replaced_by_the_arrival() -> None:
    payload = json.dumps({**STATE, "last_seen": "2026-01-10 11:00"}).encode()
    assert [r.reason for r in decode("zigbee2mqtt/a", payload, NOW).rejections] == [
        RejectReason.BAD_TIME
    ]
