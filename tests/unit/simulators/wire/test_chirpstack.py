"""ChirpStack: nanoseconds, defaults left out, memory delivered as history."""

from __future__ import annotations

import json
from datetime import UTC

from simulators.wire import RoomReading, chirpstack

AT_S = 1_768_197_626
IDENTITY = chirpstack.identify("hm", "H-S1-B01-E1-0302", 77, "GW")


def reading(frame: int, at_s: int = AT_S) -> RoomReading:
    return RoomReading(at_s, at_s, frame, 21.5, 40.0, 80.0, fraction_ns=775_023_242)


def test_events_have_nanoseconds_and_leave_out_defaults() -> None:
    eui = chirpstack.dev_eui(77)
    event = json.loads(
        chirpstack.chirpstack_up(
            eui, "R1", AT_S, frame=0, temperature_c=21.5, fraction_ns=775_023_242
        )
    )
    assert event["time"] == "2026-01-12T06:00:26.775023242+00:00"
    assert "fCnt" not in event
    assert event["deviceInfo"]["devEui"] == eui
    assert event["object"] == {"temperature": 21.5}


def test_the_battery_comes_now_and_then() -> None:
    said = [json.loads(chirpstack.say(IDENTITY, reading(n), UTC)[0].payload) for n in range(12)]
    assert [event["object"].get("battery") for event in said] == [80.0, *[None] * 5] * 2
    assert [event.get("fCnt") for event in said] == [None, *range(1, 12)]


def test_an_eui_has_sixteen_hexadecimal_digits() -> None:
    assert all(len(chirpstack.dev_eui(serial)) == 16 for serial in (0, 1, 2**40 - 1, 2**63))
    assert int(chirpstack.dev_eui(2**63), 16) >= 0


def test_a_memory_is_delivered_in_uplinks_of_bounded_length() -> None:
    readings = [reading(n, AT_S + 1200 * n) for n in range(23)]
    said = chirpstack.recall(IDENTITY, readings, AT_S + 99_000, UTC)
    assert [one.readings for one in said] == [10, 10, 3]
    events = [json.loads(one.payload) for one in said]
    history = [entry for event in events for entry in event["object"]["history"]]
    assert [entry["timestamp"] for entry in history] == [one.at_s for one in readings]
    assert history[0] == {"humidity": 40.0, "temperature": 21.5, "timestamp": AT_S}
    assert all(list(event["object"]) == ["history"] for event in events)
    assert all(event["time"].startswith("2026-01-13T09:30:26") for event in events)
