"""Tasmota: local time without zone, unstable section names, two units, other sensors beside."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from simulators.wire import RoomReading, tasmota

AT_S = 1_768_197_626
HARBIN = ZoneInfo("Asia/Shanghai")


def told(serial: int, at_s: int = AT_S) -> tuple[str, dict[str, Any]]:
    identity = tasmota.identify("hm", "H-S1-B01-E1-0302", serial, "GW")
    (said,) = tasmota.say(identity, RoomReading(at_s, at_s, 3, 21.5, 40.0, 80.0), HARBIN)
    assert said.topic.startswith("tele/hm_tasmota_")
    assert said.topic.endswith("/SENSOR")
    return identity.uid, json.loads(said.payload)


def probe(message: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The one section that has an Id."""
    found = [(name, part) for name, part in message.items() if "Id" in part]
    assert len(found) == 1
    return found[0]


def test_time_is_local_and_has_no_zone() -> None:
    assert told(1)[1]["Time"] == "2026-01-12T14:00:26"


@pytest.mark.parametrize("serial", range(12))
def test_the_room_is_the_section_with_the_id(serial: int) -> None:
    uid, message = told(serial)
    _, section = probe(message)
    assert uid == f"tasmota:{section['Id']}"
    shown = section["Temperature"]
    celsius = shown if message["TempUnit"] == "C" else (shown - 32.0) / 1.8
    assert celsius == pytest.approx(21.5, abs=0.03)


def test_the_name_of_the_section_changes_from_day_to_day() -> None:
    names = {
        serial: {probe(told(serial, AT_S + day * 86400)[1])[0] for day in range(20)}
        for serial in range(12)
    }
    assert {"DS18B20-1", "DS18B20-2"} in names.values()
    assert {"DS18B20"} in names.values()


def test_some_modules_use_fahrenheit_and_some_tell_their_own_warmth() -> None:
    messages = [told(serial)[1] for serial in range(40)]
    assert {message["TempUnit"] for message in messages} == {"C", "F"}
    assert 0 < sum("ESP32" in message for message in messages) < 40
    assert 0 < sum("ANALOG" in message for message in messages) < 40
