"""The Things Stack: the room is one of two temperatures, counters start unseen."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

from simulators.wire import RoomReading, tts

AT_S = 1_768_197_626


def uplink(serial: int, frame: int = 3) -> tuple[str, dict[str, Any]]:
    identity = tts.identify("My_Town", "H-S1-B01-E1-0302", serial, "GW")
    reading = RoomReading(AT_S, AT_S, frame, 21.5, 40.0, 80.0, fraction_ns=775_023_242)
    (said,) = tts.say(identity, reading, UTC)
    assert identity.uid == f"tts:{identity.name}"
    return said.topic, json.loads(said.payload)


def test_the_topic_names_application_tenant_and_device() -> None:
    topic, event = uplink(1)
    device = event["end_device_ids"]["device_id"]
    assert topic == f"v3/my-town-rooms@ttn/devices/{device}/up"
    assert event["end_device_ids"]["application_ids"] == {"application_id": "my-town-rooms"}
    assert device == "eui-" + event["end_device_ids"]["dev_eui"].lower()


def test_the_network_dates_in_nanoseconds() -> None:
    _, event = uplink(1)
    assert event["uplink_message"]["received_at"] == "2026-01-12T06:00:26.775023242Z"


def test_a_counter_of_zero_is_left_out() -> None:
    assert "f_cnt" not in uplink(1, frame=0)[1]["uplink_message"]
    assert uplink(1, frame=9)[1]["uplink_message"]["f_cnt"] == 9


def test_the_second_probe_is_on_a_pipe_or_absent() -> None:
    said = [uplink(serial)[1]["uplink_message"]["decoded_payload"] for serial in range(40)]
    assert {one["TempC_SHT"] for one in said} == {21.5}
    second = {one["TempC_DS"] for one in said}
    assert tts.NO_PROBE_C in second
    assert all(value > 30.0 for value in second)
    assert len(second) > 2


def test_the_battery_is_in_volts() -> None:
    assert uplink(1)[1]["uplink_message"]["decoded_payload"]["BatV"] == 2.98
