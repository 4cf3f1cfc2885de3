"""Huawei IoTDA reports: services, gateways, what the platform pushes, and its own times."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from hearthline.domain.readings import MeterReading, Quality, RejectReason, RoomReading, Sign
from ingest.formats import Registry
from ingest.formats.iotda import decode
from ingest.formats.model import Decoded
from simulators import wire

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
AT = datetime(2015, 12, 12, 12, 12, 12, tzinfo=UTC)
ROOT = "$oc/devices/5e_dev1/sys"
UID = "iotda:5e_dev1"


def said(body: Any, what: str = "properties/report") -> Decoded:
    return decode(f"{ROOT}/{what}", json.dumps(body).encode(), NOW)


def service(name: str, time: Any = "20151212T121212Z", **properties: Any) -> dict[str, Any]:
    return {"service_id": name, "properties": properties, "event_time": time}


def test_services_of_one_instant_are_one_reading() -> None:
    decoded = said(
        {"services": [service("Climate", temperature=21.5), service("Battery", level=80)]}
    )
    assert decoded.readings == (RoomReading(UID, AT, 21.5, None, 80.0),)


def test_a_property_called_value_is_known_by_its_service() -> None:
    body = {"services": [service("Temperature", value=57, value2=60), service("Battery", level=8)]}
    (reading,) = said(body).readings
    assert (reading.temperature_c, reading.battery_pct) == (57.0, 8.0)


@pytest.mark.parametrize(
    "time", ["20151212T121212Z", "20151212T121212.000Z", "2015-12-12T12:12:12.000Z", 1449922332000]
)
def test_the_ways_to_write_an_instant(time: Any) -> None:
    (reading,) = said({"services": [service("a", time, temperature=20)]}).readings
    assert (reading.time, reading.quality) == (AT, Quality.GOOD)


@pytest.mark.parametrize("time", [None, ""])
def test_without_a_time_the_arrival_stands_in(time: Any) -> None:
    (reading,) = said({"services": [service("a", time, temperature=20)]}).readings
    assert (reading.time, reading.quality) == (NOW, Quality.CLOCK_GUESSED)


def test_an_unreadable_time_is_replaced_as_the_platform_does_and_flagged() -> None:
    (reading,) = said({"services": [service("a", "12 December", temperature=20)]}).readings
    assert reading.time == NOW
    assert reading.quality == Quality.CLOCK_GUESSED | Quality.CLOCK_WRONG


def test_several_instants_are_several_readings() -> None:
    decoded = said(
        {"services": [service("a", f"20151212T12{minute}12Z", temperature=minute)
                      for minute in (12, 32, 52)]}
    )  # fmt: skip
    assert [one.temperature_c for one in decoded.readings] == [12.0, 32.0, 52.0]
    assert [Quality.HISTORY in one.quality for one in decoded.readings] == [True, True, False]


def test_the_first_service_owns_a_name_that_two_use() -> None:
    body = {"services": [service("room1", temperature=20), service("room2", temperature=25)]}
    assert [one.temperature_c for one in said(body).readings] == [20.0]


def test_a_gateway_reports_for_its_sub_devices() -> None:
    entries = [
        {"device_id": "child1", "services": [service("a", temperature=20)]},
        {"device_id": "child2", "services": [service("a", "x", temperature="cold")]},
        {"services": []},
        7,
    ]
    decoded = said({"devices": entries}, "gateway/sub_devices/properties/report")
    assert [one.device_uid for one in decoded.readings] == ["iotda:child1"]
    assert decoded.items == (entries[0],)
    assert decoded.signs[0] == Sign("iotda:child1", AT, gateway="5e_dev1")
    assert [(one.reason, one.device_uid) for one in decoded.rejections] == [
        (RejectReason.NOT_A_NUMBER, "iotda:child2"),
        (RejectReason.MALFORMED, None),
        (RejectReason.MALFORMED, None),
    ]


@pytest.mark.parametrize(
    "what",
    ["properties/report?request_id=1", "properties/get/response/request_id=2"],
)
def test_request_ids_do_not_matter(what: str) -> None:
    assert said({"services": [service("a", temperature=20)]}, what).readings


@pytest.mark.parametrize("what", ["messages/up", "events/up", "commands/response/request_id=1"])
def test_other_messages_are_no_measurement(what: str) -> None:
    assert said({"services": [service("a", temperature=20)]}, what) == Decoded()


def test_older_devices_spell_it_otherwise() -> None:
    old = {
        "serviceId": "a",
        "serviceData": {"temperature": "20.5"},
        "eventTime": "20151212T121212Z",
    }
    assert said({"msgType": "deviceReq", "data": [old]}).readings == (RoomReading(UID, AT, 20.5),)


def test_what_the_platform_pushes_is_known_on_any_topic() -> None:
    event = {
        "resource": "device.property",
        "event": "report",
        "event_time": "20151212T121213Z",
        "notify_data": {
            "header": {"device_id": "5e_dev1", "product_id": "5e", "gateway_id": "gw"},
            "body": {"services": [service("a", temperature=20)]},
        },
    }
    decoded = Registry().decode("our/own/topic", json.dumps(event).encode(), NOW)
    assert decoded.readings == (RoomReading(UID, AT, 20.0),)
    assert decoded.signs == (Sign(UID, AT, gateway="gw"),)
    event["notify_data"]["body"] = {"status": "OFFLINE"}  # type: ignore[index]
    decoded = Registry().decode("our/own/topic", json.dumps(event).encode(), NOW)
    assert [one.online for one in decoded.signs] == [False]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ([], RejectReason.MALFORMED),
        ({}, RejectReason.MALFORMED),
        ({"services": 5}, RejectReason.MALFORMED),
        ({"services": [5]}, RejectReason.MALFORMED),
        ({"services": [service("a", lamp="on")]}, RejectReason.NO_QUANTITY),
        ({"services": [service("a")]}, RejectReason.NO_QUANTITY),
    ],
)
def test_what_cannot_be_read_says_why(body: Any, reason: RejectReason) -> None:
    assert [one.reason for one in said(body).rejections] == [reason]


def test_what_simulated_devices_say_comes_out_as_it_was_measured() -> None:
    iotda = wire.FORMATS[wire.NUMBER["iotda"]]
    at_s = int(AT.timestamp())
    room = iotda.identify("town", "T-S1-B01-E1-0101", 5, "gw")
    (message,) = iotda.say(room, wire.RoomReading(at_s, at_s, 6, 21.37, 45.2, 88.0), UTC)
    assert decode(message.topic, message.payload, NOW).readings == (
        RoomReading(room.uid, AT, 21.37, 45.2, 88.0),
    )
    assert iotda.identify_meter is not None
    assert iotda.say_meter is not None
    meter = iotda.identify_meter("town", "T-S1-M1", 5)
    measured = {
        "supply_c": 52.31, "return_c": 41.0, "flow_m3h": 7.5, "power_kw": 98.5,
        "energy_kwh": 7173.0, "volume_m3": 268.7, "supply_kpa": 500.0, "return_kpa": 320.0,
        "valve_pct": 55.0, "pump_hz": 41.5, "makeup_m3": 3.25,
    }  # fmt: skip
    (message,) = iotda.say_meter(meter, wire.MeterReading(at_s, at_s, 1, measured), UTC)
    assert decode(message.topic, message.payload, NOW).readings == (
        MeterReading(meter.uid, AT, **measured),
    )
