"""Zigbee2MQTT states, by example."""

import json
from datetime import UTC, datetime

import pytest

from hearthline.domain.readings import Quality, RejectReason, RoomReading, Sign
from ingest.formats.model import Context, Decoded
from ingest.formats.profiles import builtin
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


@pytest.mark.parametrize("topic", ["bridge/devices", "bridge", "bridge/response/x"])
@pytest.mark.parametrize("payload", [b"online", json.dumps(STATE).encode()])
def test_what_the_bridge_says_is_no_measurement(topic: str, payload: bytes) -> None:
    assert decode(f"zigbee2mqtt/{topic}", payload, NOW) == Decoded()


@pytest.mark.parametrize("topic", ["lamp/set", "lamp/get", "lamp/set/state", "a/b/get/brightness"])
def test_commands_are_no_measurement(topic: str) -> None:
    assert decode(f"zigbee2mqtt/{topic}", json.dumps(STATE).encode(), NOW) == Decoded()


@pytest.mark.parametrize(
    ("payload", "online"),
    [(b"online", True), (b"offline", False), (b'{"state":"online"}', True),
     (b'{"state":"offline"}', False)],
)  # fmt: skip
@pytest.mark.parametrize("name", ["lamp", "三单元/301/bed room"])
def test_availability_says_whether_a_device_lives(name: str, payload: bytes, online: bool) -> None:
    decoded = decode(f"zigbee2mqtt/{name}/availability", payload, NOW)
    assert decoded == Decoded(signs=(Sign(f"zigbee2mqtt:{name}", NOW, online=online),))


@pytest.mark.parametrize("payload", [b"", b"perhaps", b"[1]", b"\xff"])
def test_availability_that_says_nothing(payload: bytes) -> None:
    assert decode("zigbee2mqtt/lamp/availability", payload, NOW) == Decoded()


def test_the_bridge_lives_or_not() -> None:
    decoded = decode("zigbee2mqtt/bridge/state", b'{"state":"offline"}', NOW)
    assert decoded.signs == (Sign("zigbee2mqtt:bridge", NOW, online=False),)


def test_a_thermostat_calls_the_room_local() -> None:
    said = {"local_temperature": 20.5, "current_heating_setpoint": 23, "device_temperature": 31}
    (reading,) = decode("zigbee2mqtt/trv", json.dumps(said).encode(), NOW).readings
    assert reading.temperature_c == 20.5


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("trv-external-sensor", {"local_temperature": 27, "external_measured_room_sensor": 2050}),
        ("room-fahrenheit", {"temperature": 68.9}),
    ],
)
def test_a_profile_reads_what_the_default_would_misread(
    profile: str, said: dict[str, float]
) -> None:
    context = Context(profiles={"zigbee2mqtt:a": builtin()[profile]})
    (reading,) = decode("zigbee2mqtt/a", json.dumps(said).encode(), NOW, context).readings
    assert reading.temperature_c == 20.5


def test_the_chips_temperature_is_not_the_rooms() -> None:
    decoded = decode("zigbee2mqtt/a", b'{"device_temperature":31,"linkquality":9}', NOW)
    assert [r.reason for r in decoded.rejections] == [RejectReason.NO_QUANTITY]


def test_humidity_and_battery_alone_are_a_sign() -> None:
    decoded = decode("zigbee2mqtt/a", b'{"humidity":44,"battery":90,"temperature":null}', NOW)
    assert decoded.signs == (Sign("zigbee2mqtt:a", NOW, battery_pct=90.0, humidity_pct=44.0),)


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
