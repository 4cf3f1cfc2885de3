"""Zigbee2MQTT: flat, nulls, names with spaces and slashes."""

from __future__ import annotations

import json
from datetime import UTC
from zoneinfo import ZoneInfo

from simulators.wire import RoomReading, zigbee2mqtt

AT_S = 1_768_197_626
HARBIN = ZoneInfo("Asia/Shanghai")


def test_states_are_flat_with_nulls_and_a_zone() -> None:
    state = json.loads(zigbee2mqtt.zigbee_state(AT_S, HARBIN, 21.5, None, 80.0))
    assert state["temperature"] == 21.5
    assert state["humidity"] is None
    assert state["last_seen"] == "2026-01-12T14:00:26+08:00"


def test_a_host_in_utc_writes_z() -> None:
    state = json.loads(zigbee2mqtt.zigbee_state(AT_S, UTC, 21.5))
    assert state["last_seen"] == "2026-01-12T06:00:26Z"


def test_a_friendly_name_is_what_an_installer_would_write() -> None:
    identity = zigbee2mqtt.identify("hm", "H-S1-B07-E1-0602", 1, "GW")
    assert identity.uid == "zigbee2mqtt:H-S1-B07/E1 602 living room"
    assert identity.topic == "zigbee2mqtt/H-S1-B07/E1 602 living room"


def test_every_fourth_state_lacks_the_humidity() -> None:
    identity = zigbee2mqtt.identify("hm", "H-S1-B07-E1-0602", 1, "GW")
    said = [
        json.loads(
            zigbee2mqtt.say(identity, RoomReading(AT_S, AT_S, n, 21.0, 40.0, 80.0), UTC)[0].payload
        )
        for n in range(8)
    ]
    assert [state["humidity"] for state in said] == [None, 40.0, 40.0, 40.0] * 2
