"""Alink reports, by the examples of the platform's documentation."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import Quality, RejectReason, RoomReading, Sign
from ingest.formats.alink import decode
from ingest.formats.model import NO_CONTEXT, Context, Decoded
from ingest.formats.profiles import Profile, Source, builtin
from simulators import wire
from simulators.wire.ctwing import frame

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
AT_MS = 1_524_448_722_000
AT = datetime.fromtimestamp(AT_MS / 1000, UTC)
UID = "alink:pk/dn"
POST = "event/property/post"


def said(params: Any, what: str = POST, context: Context = NO_CONTEXT) -> Decoded:
    report = {"id": "123", "version": "1.0", "sys": {"ack": 0}, "params": params}
    return decode(f"/sys/pk/dn/thing/{what}", json.dumps(report).encode(), NOW, context)


def timed(value: Any, after_s: int = 0) -> dict[str, Any]:
    return {"value": value, "time": AT_MS + 1000 * after_s}


def test_each_property_has_its_own_time() -> None:
    decoded = said({"CurrentTemperature": timed(21.5), "CurrentHumidity": timed(40, 2)})
    assert decoded.readings == (RoomReading(UID, AT, 21.5, 40.0),)


def test_bare_values_are_dated_by_their_arrival() -> None:
    assert said({"Temp": 23, "Hum": "41%"}).readings == (
        RoomReading(UID, NOW, 23.0, 41.0, None, Quality.CLOCK_GUESSED),
    )


def test_names_of_the_documentation_need_a_profile() -> None:
    params = {"Power": timed("on"), "WF": timed(23.6)}
    assert [one.reason for one in said(params).rejections] == [RejectReason.NO_QUANTITY]
    wf = Profile("wf", DeviceKind.ROOM, {"temperature_c": (Source("WF"),)})
    (reading,) = said(params, context=Context(profiles={UID: wf})).readings
    assert (reading.temperature_c, reading.time) == (23.6, AT)


def test_modules_and_structures_are_looked_into() -> None:
    assert said({"climate:Temp": timed(20)}).readings[0].temperature_c == 20.0
    inside = said({"Climate": timed({"temperature": 20.5, "humidity": 44})}).readings
    assert inside == (RoomReading(UID, AT, 20.5, 44.0),)


def test_a_batch_has_arrays_of_values() -> None:
    decoded = said(
        {
            "properties": {
                "temperature": [timed(20), timed(21, 600), timed(22, 1200)],
                "humidity": [timed(40), timed(41, 609)],
            },
            "events": {"alarm": [timed({"Power": "on"})]},
        },
        "event/property/batch/post",
    )
    assert [(one.temperature_c, one.humidity_pct) for one in decoded.readings] == [
        (20.0, 40.0),
        (21.0, 41.0),
        (22.0, None),
    ]
    assert [one.quality for one in decoded.readings] == [
        Quality.HISTORY,
        Quality.HISTORY,
        Quality.GOOD,
    ]


def test_a_gateway_posts_a_pack_with_its_sub_devices() -> None:
    sub = {
        "identity": {"productKey": "pk2", "deviceName": "dn2"},
        "properties": {"temperature": timed(19.5)},
        "events": {},
    }
    decoded = said(
        {"properties": {"temperature": timed(30)}, "events": {}, "subDevices": [sub, 5]},
        "event/property/pack/post",
    )
    assert [(one.device_uid, one.temperature_c) for one in decoded.readings] == [
        (UID, 30.0),
        ("alink:pk2/dn2", 19.5),
    ]
    assert decoded.signs == (Sign("alink:pk2/dn2", AT, gateway="pk/dn"),)
    assert [one.reason for one in decoded.rejections] == [RejectReason.NO_QUANTITY]


def test_a_history_is_a_list_of_devices() -> None:
    decoded = said(
        [
            {
                "identity": {"productKey": "pk2", "deviceName": "dn2"},
                "properties": [
                    {"temperature": timed(19), "humidity": timed(50)},
                    {"temperature": timed(18, 3600)},
                ],
            }
        ],
        "event/property/history/post",
    )
    assert [(one.temperature_c, one.humidity_pct) for one in decoded.readings] == [
        (19.0, 50.0),
        (18.0, None),
    ]
    assert all(Quality.HISTORY in one.quality for one in decoded.readings)


def test_a_raw_frame_needs_a_profile() -> None:
    raw = frame(wire.RoomReading(0, 0, 7, 20.5, 41.0, 90.0))
    topic = "/sys/pk/dn/thing/model/up_raw"
    assert [one.reason for one in decode(topic, raw, NOW).rejections] == [
        RejectReason.NEEDS_PROFILE
    ]
    context = Context(profiles={UID: builtin()["hl-nb-room"]})
    (reading,) = decode(topic, raw, NOW, context).readings
    assert (reading.temperature_c, reading.humidity_pct, reading.battery_pct) == (20.5, 41.0, 90.0)
    (broken,) = decode(topic, raw[:-1] + b"?", NOW, context).rejections
    assert broken.reason is RejectReason.MALFORMED


@pytest.mark.parametrize(
    "what", ["event/property/post_reply", "event/alarm/post", "service/property/set"]
)
def test_replies_events_and_commands_are_no_measurement(what: str) -> None:
    assert said({"Temp": 23}, what) == Decoded()


@pytest.mark.parametrize("params", [None, "x", 5])
def test_a_report_without_params_is_malformed(params: Any) -> None:
    assert [one.reason for one in said(params).rejections] == [RejectReason.MALFORMED]


def test_what_a_simulated_device_says_comes_out_as_it_was_measured() -> None:
    alink = wire.FORMATS[wire.NUMBER["alink"]]
    device = alink.identify("town", "T-S1-B01-E1-0101", 5, "gw")
    measured = wire.RoomReading(AT_MS // 1000, AT_MS // 1000, 6, 21.37, 45.2, 88.0)
    (message,) = alink.say(device, measured, UTC)
    decoded = decode(message.topic, message.payload, NOW)
    assert decoded.readings == (RoomReading(device.uid, AT, 21.37, 45.2, 88.0),)
