"""OneNET reports: properties, packs, histories, data points, and who speaks for whom."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from hearthline.domain.readings import MeterReading, Quality, RejectReason, RoomReading, Sign
from ingest.formats.model import Decoded
from ingest.formats.onenet import decode
from simulators import wire

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
AT_MS = 1_768_040_000_000
AT = datetime.fromtimestamp(AT_MS / 1000, UTC)
ROOT = "$sys/Yc4Qwil73t/dev1"
UID = "onenet:Yc4Qwil73t/dev1"


def said(params: Any, what: str = "thing/property/post", **more: Any) -> Decoded:
    report = {"id": "123", "version": "1.0", "params": params, **more}
    return decode(f"{ROOT}/{what}", json.dumps(report).encode(), NOW)


def test_without_a_time_the_arrival_stands_in() -> None:
    assert said({"Temp": {"value": 23}, "Hum": {"value": 45}}).readings == (
        RoomReading(UID, NOW, 23.0, 45.0, None, Quality.CLOCK_GUESSED),
    )


def test_a_time_in_milliseconds_dates_the_value() -> None:
    decoded = said(
        {
            "Temp": {"value": 23.5, "time": AT_MS},
            "Hum": {"value": "45.2%", "time": AT_MS + 7},
            "Battery": {"value": "95%", "time": None},
        }
    )
    assert decoded.readings == (RoomReading(UID, AT, 23.5, 45.2, 95.0),)
    assert decoded.items == (None,)


def test_a_heat_meter_is_told_by_its_properties() -> None:
    decoded = said(
        {
            "supplyTemp": {"value": 52.3, "time": AT_MS},
            "returnTemp": {"value": 41, "time": AT_MS},
            "instantFlow": {"value": "1.25", "time": AT_MS},
            "totalHeat": {"value": 7173, "time": AT_MS},
        }
    )
    expected = MeterReading(UID, AT, supply_c=52.3, return_c=41.0, flow_m3h=1.25, energy_kwh=7173.0)
    assert decoded.readings == (expected,)


def test_a_gateway_posts_a_pack_for_its_devices() -> None:
    entries = [
        {
            "identity": {"productID": "k5NIV817Ww", "deviceName": name},
            "properties": {"Temp": {"value": value, "time": AT_MS}},
            "events": {},
        }
        for name, value in (("child1", 20.5), ("child2", 21.5))
    ]
    decoded = said([*entries, {"properties": {"Temp": {"value": 5, "time": AT_MS}}}],
                   "thing/pack/post")  # fmt: skip
    assert [(one.device_uid, one.temperature_c) for one in decoded.readings] == [
        ("onenet:k5NIV817Ww/child1", 20.5),
        ("onenet:k5NIV817Ww/child2", 21.5),
        (UID, 5.0),
    ]
    assert {one.gateway for one in decoded.signs} == {"Yc4Qwil73t/dev1"}
    assert decoded.items[:2] == tuple(entries)


def test_a_history_keeps_its_own_times() -> None:
    entry = {
        "identity": {"productID": "p", "deviceName": "d"},
        "properties": {
            "Temp": [{"value": 20, "time": AT_MS}, {"value": 21, "time": AT_MS + 600_000}],
            "Hum": [{"value": 40, "time": AT_MS}, {"value": 41, "time": AT_MS + 600_000}],
        },
    }
    decoded = said([entry], "thing/history/post")
    assert [(one.temperature_c, one.humidity_pct) for one in decoded.readings] == [
        (20.0, 40.0),
        (21.0, 41.0),
    ]
    assert all(one.quality is Quality.HISTORY for one in decoded.readings)


def test_data_points_of_older_devices_are_in_seconds() -> None:
    report = {"id": 1, "dp": {"temperatrue": [{"v": 23.5, "t": AT_MS // 1000}]}}
    decoded = decode(f"{ROOT}/dp/post/json", json.dumps(report).encode(), NOW)
    assert decoded.readings == (RoomReading(UID, AT, 23.5),)


@pytest.mark.parametrize(("what", "online"), [("login", True), ("logout", False)])
def test_a_sub_device_comes_and_goes(what: str, online: bool) -> None:
    decoded = said({"productID": "p", "deviceName": "d"}, f"thing/sub/{what}")
    assert decoded.signs == (Sign("onenet:p/d", NOW, online=online, gateway="Yc4Qwil73t/dev1"),)


@pytest.mark.parametrize(
    "what", ["thing/property/post/reply", "thing/property/set", "thing/event/post", "thing/sub/x"]
)
def test_replies_commands_and_events_are_no_measurement(what: str) -> None:
    assert said({"Temp": {"value": 23}}, what) == Decoded()


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        (None, RejectReason.MALFORMED),
        (5, RejectReason.MALFORMED),
        ({}, RejectReason.NO_QUANTITY),
        ({"Power": {"value": "on"}}, RejectReason.NO_QUANTITY),
        ({"Temp": {"value": None}}, RejectReason.NO_QUANTITY),
        ({"Temp": {"value": "warm"}}, RejectReason.NOT_A_NUMBER),
        ({"Temp": {"value": True}}, RejectReason.NOT_A_NUMBER),
        ({"Temp": {"value": 20, "time": "yesterday"}}, RejectReason.BAD_TIME),
        ([7], RejectReason.NO_QUANTITY),
    ],
)
def test_what_cannot_be_read_says_why(params: Any, reason: RejectReason) -> None:
    decoded = said(params)
    assert not decoded.readings
    assert [one.reason for one in decoded.rejections] == [reason]
    assert decoded.rejections[0].device_uid == UID


def test_what_is_beside_the_temperature_does_not_cost_it() -> None:
    (reading,) = said({"Temp": {"value": 20}, "Battery": {"value": "low"}}).readings
    assert (reading.temperature_c, reading.battery_pct) == (20.0, None)
    assert Quality.BESIDE_OUT_OF_RANGE in reading.quality


def test_a_battery_alone_is_a_sign() -> None:
    decoded = said({"Battery": {"value": 80, "time": AT_MS}})
    assert decoded.signs == (Sign(UID, AT, battery_pct=80.0),)
    assert not decoded.readings
    assert not decoded.rejections


def test_what_a_simulated_device_says_comes_out_as_it_was_measured() -> None:
    onenet = wire.FORMATS[wire.NUMBER["onenet"]]
    device = onenet.identify("town", "T-S1-B01-E1-0101", 5, "gw")
    measured = wire.RoomReading(AT_MS // 1000, AT_MS // 1000, 6, 21.37, 45.2, 88.0)
    (message,) = onenet.say(device, measured, UTC)
    decoded = decode(message.topic, message.payload, NOW)
    assert decoded.readings == (RoomReading(device.uid, AT, 21.37, 45.2, 88.0),)
