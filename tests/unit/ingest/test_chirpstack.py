"""ChirpStack v4 events, by the vectors of the format's documentation and of vendors' codecs."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from hearthline.domain.readings import MeterReading, Quality, RejectReason, RoomReading, Sign
from ingest.formats.chirpstack import FORMAT, decode
from ingest.formats.model import NO_CONTEXT, Context, Decoded
from ingest.formats.profiles import builtin
from simulators import wire

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
TOPIC = "application/17c82e96-be03-4f38-aef3-f83d48582d97/device/0101010101010AFF/event/up"
UID = "chirpstack:0101010101010aff"
ENVELOPE = {
    "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
    "time": "2022-07-18T09:34:15.775023242+00:00",
    "deviceInfo": {
        "deviceProfileName": "Test device-profile",
        "deviceName": "Test device",
        "devEui": "0101010101010aff",
        "tags": {"key": "value"},
    },
    "devAddr": "00189440",
    "dr": 1,
    "fPort": 85,
    "data": "qg==",
}
TIME = datetime(2022, 7, 18, 9, 34, 15, 775023, UTC)


def up(context: Context = NO_CONTEXT, **fields: Any) -> Decoded:
    return decode(TOPIC, json.dumps({**ENVELOPE, **fields}).encode(), NOW, context)


def event(name: str, **fields: Any) -> Decoded:
    topic = TOPIC.replace("/up", f"/{name}")
    return decode(topic, json.dumps({**ENVELOPE, **fields}).encode(), NOW)


def test_the_codecs_object_is_read() -> None:
    decoded = up(object={"battery": 92, "temperature": 30.8, "humidity": 50.5}, fCnt=12)
    assert decoded.readings == (RoomReading(UID, TIME, 30.8, 50.5, 92.0, seq=12),)
    assert decoded.items == (None,)


def test_a_frame_counter_that_is_left_out_is_zero() -> None:
    assert up(object={"temperature": 20}).readings[0].seq == 0


def test_people_name_the_device_and_the_best_gateway_carries_it() -> None:
    heard = [
        {"gatewayId": "0016C001FF1E4FA9", "rssi": -101, "snr": 3.5},
        {"gatewayId": "0016c001ff1e4faa", "rssi": -57},
        {"rssi": -10},
        7,
    ]
    (sign,) = up(object={"temperature": 20}, rxInfo=heard).signs
    assert sign == Sign(UID, TIME, gateway="0016c001ff1e4faa", label="Test device")
    (sign,) = up(object={"temperature": 20}, rxInfo=5).signs
    assert sign.gateway is None


def test_without_a_codec_there_is_no_quantity() -> None:
    decoded = up()
    assert [r.reason for r in decoded.rejections] == [RejectReason.NO_QUANTITY]
    assert decoded.rejections[0].device_uid == UID


def test_an_uplink_of_mac_commands_alone_is_a_sign() -> None:
    decoded = up(data="", fPort=0)
    assert decoded == Decoded(signs=(Sign(UID, TIME, label="Test device"),))


def test_remembered_values_keep_their_own_time() -> None:
    decoded = up(
        object={"history": [{"humidity": 46.5, "temperature": 27.2, "timestamp": 1665561758}]}
    )
    at = datetime(2022, 10, 12, 8, 2, 38, tzinfo=UTC)
    assert decoded.readings == (RoomReading(UID, at, 27.2, 46.5, None, Quality.HISTORY),)
    assert not decoded.rejections


def test_present_and_remembered_values_in_one_uplink() -> None:
    decoded = up(
        fCnt=3,
        object={
            "temperature": 21.0,
            "history": [
                {"temperature": 20.5, "timestamp": 1665561758},
                {"timestamp": 1665561758},
                {"temperature": 1},
                5,
            ],
        },
    )
    assert [(r.temperature_c, r.seq) for r in decoded.readings] == [(21.0, 3), (20.5, None)]
    assert [r.reason for r in decoded.rejections] == [
        RejectReason.NO_QUANTITY,
        RejectReason.BAD_TIME,
        RejectReason.MALFORMED,
    ]
    assert decoded.items == ({"temperature": 21.0}, {"temperature": 20.5, "timestamp": 1665561758})


@pytest.mark.parametrize(
    "said",
    [
        {"temp": "20.25"},
        {"Temperature": 20.25},
        {"TempC_SHT": "20.25", "TempC_DS": 45, "BatV": 3.1},
        {"TempC_SHT31": 20.25},
        {"air_temperature": {"displayName": "Air temperature", "value": 20.25, "unit": "°C"}},
        {"temperatureSensor": {"1": 20.25}, "humiditySensor": {"2": 45}},
        {"data": {"temperature": 20.25}, "warnings": []},
        {"temperature": 20.25, "externalTemperature": 45, "vdd": 3642},
    ],
)
def test_codecs_name_the_temperature_as_they_like(said: dict[str, Any]) -> None:
    assert up(object=said).readings[0].temperature_c == 20.25


def test_version_3_sends_the_object_as_text() -> None:
    assert up(objectJSON='{"temperature": 20.5}').readings[0].temperature_c == 20.5
    topic = "application/1/device/0101010101010aff/rx"
    (reading,) = decode(topic, b'{"object":{"temperature":20}}', NOW).readings
    assert reading.device_uid == UID
    assert FORMAT.matches(topic)


def test_a_heat_meter_behind_a_codec() -> None:
    decoded = up(
        fCnt=9,
        object={"Energy": 7173, "Volume": 268.7, "Power": 2.2, "Flow": 0.071,
                "fwTemp": 52.29, "rtTemp": 23.01},
    )  # fmt: skip
    assert decoded.readings == (
        MeterReading(UID, TIME, 52.29, 23.01, 0.071, 2.2, 7173.0, 268.7, seq=9),
    )


def test_the_ledgers_profile_says_which_probe_is_the_room() -> None:
    context = Context(profiles={UID: builtin()["elsys-external"]})
    (reading,) = up(context, object={"temperature": 30, "externalTemperature": 20}).readings
    assert reading.temperature_c == 20.0


def test_zero_is_a_temperature() -> None:
    assert up(object={"temperature": 0}).readings[0].temperature_c == 0.0


def test_without_a_time_the_arrival_stands_in() -> None:
    reading = up(time=None, object={"temperature": 20}).readings[0]
    assert (reading.time, reading.quality) == (NOW, Quality.CLOCK_GUESSED)


@pytest.mark.parametrize("fields", [{"object": 5}, {"object": {"history": 7}}, {"objectJSON": "{"}])
def test_another_shape_is_malformed(fields: dict[str, Any]) -> None:
    assert [r.reason for r in up(**fields).rejections] == [RejectReason.MALFORMED]


@pytest.mark.parametrize(
    ("fields", "battery_pct"),
    [
        ({"batteryLevel": 75.3, "margin": 7}, 75.3),
        ({"margin": 7}, None),
        ({"batteryLevel": 0, "externalPowerSource": True}, None),
        ({"batteryLevel": 0, "batteryLevelUnavailable": True}, None),
        ({"batteryLevel": 255}, None),
    ],
)
def test_a_status_tells_the_battery(fields: dict[str, Any], battery_pct: float | None) -> None:
    assert event("status", **fields).signs == (
        Sign(UID, TIME, battery_pct=battery_pct, label="Test device"),
    )


def test_a_join_says_that_a_device_lives() -> None:
    assert event("join").signs == (Sign(UID, TIME, online=True, label="Test device"),)


def test_a_battery_alone_is_a_sign() -> None:
    decoded = up(object={"battery": 80})
    assert decoded.signs == (Sign(UID, TIME, battery_pct=80.0, label="Test device"),)
    assert not decoded.rejections


@pytest.mark.parametrize("name", ["ack", "txack", "log", "location", "integration"])
def test_other_events_are_no_measurement(name: str) -> None:
    assert event(name, object={"temperature": 20}) == Decoded()


@pytest.mark.parametrize("name", ["up", "status", "join"])
def test_damaged_events_are_malformed(name: str) -> None:
    decoded = decode(TOPIC.replace("/up", f"/{name}"), b'{"time"', NOW)
    assert [(r.reason, r.device_uid) for r in decoded.rejections] == [(RejectReason.MALFORMED, UID)]


def test_what_a_simulated_device_says_comes_out_as_it_was_measured() -> None:
    chirpstack = wire.FORMATS[wire.NUMBER["chirpstack"]]
    device = chirpstack.identify("town", "T-S1-B01-E1-0101", 5, "gw")
    at_s = int(TIME.timestamp())
    measured = wire.RoomReading(at_s, at_s, 0, 21.37, 45.2, 88.0, fraction_ns=775_023_242)
    (message,) = chirpstack.say(device, measured, UTC)
    decoded = decode(message.topic, message.payload, NOW)
    assert decoded.readings == (RoomReading(device.uid, TIME, 21.37, 45.2, 88.0, seq=0),)
