"""ChirpStack v4 uplinks, by the vectors of the format's documentation."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from hearthline.domain.readings import Quality, RejectReason, RoomReading
from ingest.formats.chirpstack import decode

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
TOPIC = "application/17c82e96-be03-4f38-aef3-f83d48582d97/device/0101010101010AFF/event/up"
UID = "chirpstack:0101010101010aff"
ENVELOPE = {
    "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
    "time": "2022-07-18T09:34:15.775023242+00:00",
    "deviceInfo": {"devEui": "0101010101010aff", "tags": {"key": "value"}},
    "devAddr": "00189440",
    "dr": 1,
    "fPort": 85,
    "data": "qg==",
}
TIME = datetime(2022, 7, 18, 9, 34, 15, 775023, UTC)


def up(**fields: Any):
    return decode(TOPIC, json.dumps({**ENVELOPE, **fields}).encode(), NOW)


def test_the_codecs_object_is_read() -> None:
    decoded = up(object={"battery": 92, "temperature": 30.8, "humidity": 50.5})
    assert decoded.readings == (RoomReading(UID, TIME, 30.8, 50.5, 92.0),)


def test_without_a_codec_there_is_no_quantity() -> None:
    decoded = up()
    assert [r.reason for r in decoded.rejections] == [RejectReason.NO_QUANTITY]
    assert decoded.rejections[0].device_uid == UID


def test_remembered_values_keep_their_own_time() -> None:
    decoded = up(
        object={"history": [{"humidity": 46.5, "temperature": 27.2, "timestamp": 1665561758}]}
    )
    at = datetime(2022, 10, 12, 8, 2, 38, tzinfo=UTC)
    assert decoded.readings == (RoomReading(UID, at, 27.2, 46.5, None, Quality.HISTORY),)
    assert not decoded.rejections


def test_present_and_remembered_values_in_one_uplink() -> None:
    decoded = up(
        object={
            "temperature": 21.0,
            "history": [
                {"temperature": 20.5, "timestamp": 1665561758},
                {"timestamp": 1665561758},
                {"temperature": 1},
            ],
        }
    )
    assert [r.temperature_c for r in decoded.readings] == [21.0, 20.5]
    assert [r.reason for r in decoded.rejections] == [
        RejectReason.NO_QUANTITY,
        RejectReason.BAD_TIME,
    ]


@pytest.mark.parametrize("name", ["temp", "TempC_SHT", "Temperature", "air_temperature"])
def test_codecs_name_the_temperature_as_they_like(name: str) -> None:
    assert up(object={name: "20.25"}).readings[0].temperature_c == 20.25


def test_zero_is_a_temperature() -> None:
    assert up(object={"temperature": 0}).readings[0].temperature_c == 0.0


def test_without_a_time_the_arrival_stands_in() -> None:
    reading = up(time=None, object={"temperature": 20}).readings[0]
    assert (reading.time, reading.quality) == (NOW, Quality.CLOCK_GUESSED)


@pytest.mark.parametrize("fields", [{"object": 5}, {"object": {"history": 7}}])
def test_another_shape_is_malformed(fields: dict[str, Any]) -> None:
    assert [r.reason for r in up(**fields).rejections] == [RejectReason.MALFORMED]


def test_other_events_are_no_measurement() -> None:
    decoded = decode(TOPIC.replace("/up", "/join"), b"{}", NOW)
    assert decoded.readings == decoded.rejections == ()
