"""Our own format: JSON that says what went in and nothing that was not measured."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

from hearthline.domain.places import DeviceKind
from simulators.wire import MeterReading, RoomReading, TimeStyle, own

AT_S = 1_768_197_626
HARBIN = ZoneInfo("Asia/Shanghai")


def test_an_item_leaves_out_what_was_not_measured() -> None:
    item = json.loads(own.own_item({"supply_c": 61.2, "valve_pct": None}, AT_S, seq=0, device="D1"))
    assert item == {"device": "D1", "ts": AT_S, "seq": 0, "supply_c": 61.2}


def test_a_gateway_batches_items_in_an_array() -> None:
    items = [own.own_item({"temperature_c": 20.5 + at}, AT_S + at) for at in range(3)]
    said = json.loads(own.own_array(items))
    assert [item["temperature_c"] for item in said] == [20.5, 21.5, 22.5]


def test_the_topic() -> None:
    assert own.own_topic("hx", "GW1", DeviceKind.ROOM) == "hearthline/v1/hx/GW1/room"


def test_a_room_sensor_publishes_where_its_gateway_does() -> None:
    identity = own.identify("hx", "H-S1-B01-E1-0302", 7, "H-S1-B01-GW1")
    assert identity == (
        "own:hx/H-S1-B01-E1-0302-T1",
        "H-S1-B01-E1-0302-T1",
        "hearthline/v1/hx/H-S1-B01-GW1/room",
        "H-S1-B01-E1-0302",
    )


def test_a_room_reading_carries_its_devices_own_time() -> None:
    identity = own.identify("hx", "U", 7, "GW")
    reading = RoomReading(AT_S, AT_S + 9, 4, 20.5, 41.0, 88.0, TimeStyle.SECONDS)
    (said,) = own.say(identity, reading, HARBIN)
    assert json.loads(said.payload) == [
        {
            "device": "U-T1",
            "ts": AT_S + 9,
            "seq": 4,
            "temperature_c": 20.5,
            "humidity_pct": 41.0,
            "battery_pct": 88.0,
        }
    ]


def test_a_meter_speaks_for_itself() -> None:
    identity = own.identify_meter("hx", "H-S1-B01-M1", 3)
    reading = MeterReading(AT_S, AT_S, 4, {"supply_c": 61.2}, TimeStyle.LOCAL)
    (said,) = own.say_meter(identity, reading, HARBIN)
    assert said.topic == "hearthline/v1/hx/H-S1-B01-M1/meter"
    assert json.loads(said.payload) == {
        "ts": "2026-01-12T14:00:26+08:00",
        "seq": 4,
        "supply_c": 61.2,
    }
