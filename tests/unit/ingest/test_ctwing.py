"""CTWing pushes: modelled products, vendors' frames, comings and goings."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline.domain.readings import Quality, RejectReason, RoomReading, Sign
from ingest.formats import Registry, frames
from ingest.formats.ctwing import decode
from ingest.formats.frames import Frame
from ingest.formats.model import NO_CONTEXT, Context, Decoded
from ingest.formats.profiles import Profile, Source, builtin
from simulators import wire
from simulators.wire.ctwing import is_transparent

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
AT_MS = 1_650_554_828_842
AT = datetime.fromtimestamp(AT_MS / 1000, UTC)
DEVICE = "40edca19b0124480864366de4621de99"
UID = f"ctwing:{DEVICE}"
REPORT = {
    "upPacketSN": -1,
    "upDataSN": -1,
    "topic": "v1/up/ad",
    "timestamp": AT_MS,
    "tenantId": "2000033629",
    "serviceId": "",
    "protocol": "lwm2m",
    "productId": "15114816",
    "messageType": "dataReport",
    "deviceType": "",
    "deviceId": DEVICE,
    "assocAssetId": "",
    "IMSI": "undefined",
    "IMEI": "862592051651472",
}
VENDORS = "AQFWMS4wAAAAACMAAAAH/wAlODYyNTkyMDUxNjUxNDcyAAEAMjUAODAAAAAAAAABAQAAAAEAAASD"
FRAMED = Context(profiles={UID: builtin()["hl-nb-room"]})


def said(payload: Any = None, context: Context = NO_CONTEXT, **fields: Any) -> Decoded:
    report = {**REPORT, **({} if payload is None else {"payload": payload}), **fields}
    return decode(f"ctwing/s/{DEVICE}", json.dumps(report).encode(), NOW, context)


@pytest.mark.parametrize(
    "payload",
    [
        {"serviceData": {"temperature": 21.5, "humidity": "45.2%", "battery_level": 80}},
        {"serviceData": '{"temperature":"21.5","humidity":45.2,"battery_level":"80%"}'},
        {"temperature": 21.5, "humidity": 45.2, "battery_level": 80},
        '{"serviceData":{"temperature":21.5,"humidity":45.2,"battery_level":80}}',
        {"1": {"temperature": 21.5, "humidity": 45.2}, "2": {"battery_level": 80}},
    ],
)
def test_a_product_whose_model_the_platform_knows(payload: Any) -> None:
    assert said(payload).readings == (RoomReading(UID, AT, 21.5, 45.2, 80.0),)


def test_a_vendors_frame_needs_a_profile() -> None:
    (rejection,) = said({"APPdata": VENDORS}).rejections
    assert (rejection.reason, rejection.device_uid) == (RejectReason.NEEDS_PROFILE, UID)
    (rejection,) = said({"APPdata": VENDORS}, FRAMED).rejections
    assert rejection.reason is RejectReason.MALFORMED


def test_a_frame_that_is_json_needs_none() -> None:
    frame = b64encode(b'{"temp":20.5}').decode()
    assert said({"APPdata": frame}).readings == (RoomReading(UID, AT, 20.5),)


def test_a_company_may_read_a_frame_by_its_own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Profile(
        "own",
        builtin()["room"].kind,
        {"temperature_c": (Source("t"),)},
        frame=Frame(decoder="acme"),
    )
    context = Context(profiles={UID: own})
    assert [one.reason for one in said({"APPdata": VENDORS}, context).rejections] == [
        RejectReason.NEEDS_PROFILE
    ]
    read = {"acme": lambda body: {"t": float(body[0])}}
    monkeypatch.setattr(frames, "decoder", read.get)
    assert said({"APPdata": VENDORS}, context).readings == (RoomReading(UID, AT, 1.0),)
    monkeypatch.setitem(read, "acme", lambda body: {"t": body[999]})
    (rejection,) = said({"APPdata": VENDORS}, context).rejections
    assert rejection.reason is RejectReason.MALFORMED
    assert "IndexError" in rejection.detail


@pytest.mark.parametrize(("kind", "online"), [(1, True), (0, False), ("1", True), ("0", False)])
def test_a_device_comes_and_goes(kind: Any, online: bool) -> None:
    decoded = said(messageType="deviceOnlineOfflineReport", eventType=kind)
    assert decoded.signs == (Sign(UID, AT, online=online),)


def test_an_event_says_that_a_device_lives() -> None:
    alarm = said(messageType="eventReport", eventType=1, eventContent={"alarm": 1})
    assert alarm.signs == (Sign(UID, AT),)
    battery = said(messageType="eventReport", eventContent={"battery_level": 7})
    assert battery.signs == (Sign(UID, AT, battery_pct=7.0),)


def test_an_answer_to_a_command_says_nothing() -> None:
    answer = {"resultDetail": "", "resultCode": "DELIVERED"}
    assert said(messageType="commandResponse", result=answer) == Decoded()


def test_a_bridge_may_send_several_at_once_on_any_topic() -> None:
    items = [{**REPORT, "payload": {"temperature": 20}}, 7, {**REPORT, "deviceId": None}]
    decoded = Registry().decode("elsewhere", json.dumps(items).encode(), NOW)
    assert decoded.readings == (RoomReading(UID, AT, 20.0),)
    assert decoded.items == (items[0],)
    assert [one.reason for one in decoded.rejections] == [RejectReason.MALFORMED] * 2


def test_the_packet_number_is_a_sequence_where_there_is_one() -> None:
    assert said({"temperature": 20}, upPacketSN=77).readings[0].seq == 77
    assert said({"temperature": 20}, upPacketSN="").readings[0].seq is None


def test_without_a_timestamp_the_arrival_stands_in() -> None:
    (reading,) = said({"temperature": 20}, timestamp=None).readings
    assert (reading.time, reading.quality) == (NOW, Quality.CLOCK_GUESSED)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (None, RejectReason.MALFORMED),
        ("not json", RejectReason.MALFORMED),
        ([], RejectReason.MALFORMED),
        ({}, RejectReason.NO_QUANTITY),
        ({"serviceData": "x"}, RejectReason.MALFORMED),
        ({"serviceData": {"temperature": "warm"}}, RejectReason.NOT_A_NUMBER),
        ({"APPdata": "%%%"}, RejectReason.NEEDS_PROFILE),
    ],
)
def test_what_cannot_be_read_says_why(payload: Any, reason: RejectReason) -> None:
    decoded = said(payload)
    assert [(one.reason, one.device_uid) for one in decoded.rejections] == [(reason, UID)]


@given(
    st.floats(-40.0, 60.0),
    st.none() | st.floats(0.0, 100.0),
    st.none() | st.integers(0, 100),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
)
def test_what_a_simulated_device_says_comes_out_as_it_was_measured(
    temperature_c: float, humidity_pct: float | None, battery: int | None, serial: int, frame: int
) -> None:
    ctwing = wire.FORMATS[wire.NUMBER["ctwing"]]
    device = ctwing.identify("town", "T-S1-B01-E1-0101", serial, "gw")
    at_s = AT_MS // 1000
    measured = wire.RoomReading(
        at_s, at_s, frame, temperature_c, humidity_pct, battery, fraction_ns=842_000_000
    )
    (message,) = ctwing.say(device, measured, UTC)
    context = Context(profiles={device.uid: builtin()["hl-nb-room"]})
    decoded = decode(message.topic, message.payload, NOW, context)
    (reading,) = decoded.readings
    rounding = 0.0501 if is_transparent(device.name) else 0.0
    assert reading.device_uid == device.uid
    assert reading.time == AT
    assert abs(reading.temperature_c - temperature_c) <= rounding
    for said_pct, true_pct in (
        (reading.humidity_pct, humidity_pct),
        (reading.battery_pct, battery),
    ):
        assert (said_pct is None) == (true_pct is None)
        assert said_pct is None or true_pct is None or abs(said_pct - true_pct) <= rounding
    assert reading.seq == (frame % 65536 if rounding else None)
