"""Homie: one bare value a topic; the device describes itself in retained messages."""

from __future__ import annotations

import json
from datetime import UTC

from simulators.wire import RoomReading, homie

IDENTITY = homie.identify("My_Town", "H-S1-B01-E1-0302", 1, "GW")
BASE = "homie/5/my-town-h-s1-b01-e1-0302"


def test_a_device_has_an_id_of_lower_case_and_hyphens() -> None:
    assert IDENTITY.uid == "homie:my-town-h-s1-b01-e1-0302/room"


def test_the_temperature_carries_the_reading_and_the_others_none() -> None:
    said = homie.say(IDENTITY, RoomReading(0, 0, 6, 21.5, 40.0, 80.0), UTC)
    assert [(one.topic, one.payload, one.readings, one.retain) for one in said] == [
        (f"{BASE}/room/temperature", b"21.5", 1, False),
        (f"{BASE}/room/humidity", b"40.0", 0, False),
        (f"{BASE}/room/battery", b"80", 0, False),
    ]


def test_the_battery_comes_now_and_then() -> None:
    assert len(homie.say(IDENTITY, RoomReading(0, 0, 7, 21.5, 40.0, 80.0), UTC)) == 2


def test_a_greeting_ends_with_ready() -> None:
    said = homie.hello([IDENTITY], 0, 0)
    assert [one.topic for one in said] == [
        f"{BASE}/$state",
        f"{BASE}/$description",
        f"{BASE}/$state",
    ]
    assert (said[0].payload, said[2].payload) == (b"init", b"ready")
    described = json.loads(said[1].payload)
    assert described["homie"] == "5.0"
    properties = described["nodes"]["room"]["properties"]
    assert properties["temperature"]["datatype"] == "float"
    assert properties["temperature"]["unit"] == "°C"
    assert all(one.retain and one.readings == 0 for one in said)


def test_the_last_will_is_lost() -> None:
    (said,) = homie.bye([IDENTITY], 0, 0)
    assert (said.topic, said.payload, said.retain) == (f"{BASE}/$state", b"lost", True)
