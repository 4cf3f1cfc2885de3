"""Encoders: what comes out is JSON that says what went in, the way each format says it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hearthline.domain.places import DeviceKind
from simulators import wire

AT_S = 1_768_197_626
HARBIN = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Asia/Kathmandu", "Europe/Berlin", "UTC"])
@pytest.mark.parametrize("at_s", [AT_S, 0, 1_774_745_999, 1_774_746_001, 1_792_889_999])
def test_instants_are_written_as_the_library_would(zone: str, at_s: int) -> None:
    text = datetime.fromtimestamp(at_s, ZoneInfo(zone)).isoformat()
    assert wire.iso(at_s, ZoneInfo(zone)) == text.replace("+00:00", "Z")


@pytest.mark.parametrize("style", list(wire.TimeStyle))
def test_every_style_of_instant_means_the_same(style: wire.TimeStyle) -> None:
    written = wire.instant(AT_S, style, HARBIN)
    if isinstance(written, str):
        assert datetime.fromisoformat(written).timestamp() == AT_S
    else:
        assert written in (AT_S, AT_S * 1000)


def test_our_own_item_leaves_out_what_was_not_measured() -> None:
    item = json.loads(
        wire.own_item({"supply_c": 61.2, "valve_pct": None}, AT_S, seq=0, device="D1")
    )
    assert item == {"device": "D1", "ts": AT_S, "seq": 0, "supply_c": 61.2}


def test_a_gateway_batches_items_in_an_array() -> None:
    items = [wire.own_item({"temperature_c": 20.5 + at}, AT_S + at) for at in range(3)]
    assert [item["temperature_c"] for item in json.loads(wire.own_array(items))] == [
        20.5,
        21.5,
        22.5,
    ]


def test_our_own_topic() -> None:
    topic = wire.own_topic("hx", "GW1", DeviceKind.ROOM)
    assert topic == "hearthline/v1/hx/GW1/room"


def test_chirpstack_events_have_nanoseconds_and_leave_out_defaults() -> None:
    eui = wire.dev_eui(77)
    event = json.loads(
        wire.chirpstack_up(eui, "R1", AT_S, frame=0, temperature_c=21.5, fraction_ns=775023242)
    )
    assert event["time"] == "2026-01-12T06:00:26.775023242+00:00"
    assert "fCnt" not in event
    assert event["deviceInfo"]["devEui"] == eui
    assert event["object"] == {"temperature": 21.5}
    later = json.loads(
        wire.chirpstack_up(eui, "R1", AT_S, frame=9, temperature_c=1.0, battery_pct=80.0)
    )
    assert later["fCnt"] == 9
    assert later["object"]["battery"] == 80.0


def test_an_eui_has_sixteen_hexadecimal_digits() -> None:
    assert all(len(wire.dev_eui(serial)) == 16 for serial in (0, 1, 2**40 - 1, 2**63))
    assert int(wire.dev_eui(2**63), 16) >= 0


def test_zigbee_states_are_flat_with_nulls_and_a_zone() -> None:
    state = json.loads(wire.zigbee_state(AT_S, HARBIN, 21.5, None, 80.0))
    assert state["temperature"] == 21.5
    assert state["humidity"] is None
    assert state["last_seen"] == "2026-01-12T14:00:26+08:00"
    assert wire.zigbee_topic("B07/E1 602 living room") == "zigbee2mqtt/B07/E1 602 living room"


def test_zigbee_in_utc_writes_z() -> None:
    state = json.loads(wire.zigbee_state(AT_S, UTC, 21.5))
    assert state["last_seen"] == "2026-01-12T06:00:26Z"
