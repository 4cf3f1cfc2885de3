"""Our own wire format, by example."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import (
    MeterReading,
    RejectReason,
    RoomReading,
    Sign,
    WeatherReading,
)
from ingest.formats import own
from ingest.formats.own import decode

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
AT = datetime(2026, 1, 10, 11, 40, tzinfo=UTC)
ROOM = "hearthline/v1/s1/d1/room"


def said(topic: str, payload: object):
    return decode(
        topic, payload if isinstance(payload, bytes) else json.dumps(payload).encode(), NOW
    )


def test_a_room_reading() -> None:
    decoded = said(ROOM, {"ts": AT.isoformat(), "temperature_c": 21.4, "humidity_pct": "40%"})
    assert decoded.readings == (RoomReading("own:s1/d1", AT, 21.4, 40.0),)
    assert decoded.items == (None,)
    assert not decoded.rejections


def test_a_meter_reading_needs_just_one_quantity() -> None:
    decoded = said("hearthline/v1/s1/m1/meter", {"ts": AT.isoformat(), "energy_kwh": 7173})
    assert decoded.readings == (MeterReading("own:s1/m1", AT, energy_kwh=7173.0),)


def test_a_weather_reading() -> None:
    decoded = said(
        "hearthline/v1/s1/w/weather", {"ts": AT.isoformat(), "outdoor_c": -24.2, "seq": 7}
    )
    assert decoded.readings == (WeatherReading("own:s1/w", AT, -24.2, seq=7),)


def test_a_gateway_speaks_for_many() -> None:
    items = [
        {"device": "d7", "ts": AT.isoformat(), "temperature_c": 20},
        {"device": 8, "ts": AT.isoformat(), "temperature_c": 21},
        {"ts": AT.isoformat(), "temperature_c": 22},
    ]
    decoded = said(ROOM, items)
    assert [r.device_uid for r in decoded.readings] == ["own:s1/d7", "own:s1/8", "own:s1/d1"]
    assert list(decoded.items) == items


def test_one_bad_item_leaves_its_siblings_alone() -> None:
    good = b'{"ts":"2026-01-10T11:40:00Z","temperature_c":20}'
    bad = b'{"ts":"2026-01-10T11:40:00Z","temperature_c":NaN}'
    decoded = said(
        ROOM, b"[" + good + b"," + bad + b',"x",' + good.replace(b":40:", b":50:") + b"]"
    )
    assert [r.time.minute for r in decoded.readings] == [40, 50]
    assert [(r.reason, r.payload) for r in decoded.rejections] == [
        (RejectReason.NOT_A_NUMBER, bad),
        (RejectReason.MALFORMED, b'"x"'),
    ]
    assert {r.device_uid for r in decoded.rejections} == {"own:s1/d1"}


def test_a_refused_item_says_which_device_it_was() -> None:
    decoded = said(
        ROOM, [{"device": "d7", "temperature_c": 20}, {"device": [], "temperature_c": 20}]
    )
    assert [r.device_uid for r in decoded.rejections] == ["own:s1/d7", "own:s1/d1"]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"temperature_c": 20}, RejectReason.BAD_TIME),
        ({"ts": None, "temperature_c": 20}, RejectReason.BAD_TIME),
        ({"ts": "2026-01-10 11:40", "temperature_c": 20}, RejectReason.BAD_TIME),
        ({"ts": AT.isoformat()}, RejectReason.NO_QUANTITY),
        ({"ts": AT.isoformat(), "temperature_c": None}, RejectReason.NO_QUANTITY),
        ({"ts": AT.isoformat(), "temperature_c": "warm"}, RejectReason.NOT_A_NUMBER),
        ({"ts": AT.isoformat(), "temperature_c": [20]}, RejectReason.NOT_A_NUMBER),
        ({"ts": AT.isoformat(), "device": [], "temperature_c": 20}, RejectReason.MALFORMED),
        ({"ts": AT.isoformat(), "device": "", "temperature_c": 20}, RejectReason.MALFORMED),
        (7, RejectReason.MALFORMED),
        (None, RejectReason.MALFORMED),
        ([], RejectReason.NO_QUANTITY),
    ],
)
def test_why_an_item_is_refused(item: object, reason: RejectReason) -> None:
    decoded = said(ROOM, item)
    assert not decoded.readings
    assert [r.reason for r in decoded.rejections] == [reason]


@pytest.mark.parametrize(
    "topic",
    [
        "hearthline/v1/s1/room",
        "hearthline/v1/s1//room",
        "hearthline/v1/s1/d1/x/room",
        "hearthline/v1/s1/d1/sauna",
    ],
)
def test_a_topic_of_another_shape_is_malformed(topic: str) -> None:
    decoded = said(topic, {"ts": AT.isoformat(), "temperature_c": 20})
    assert [r.reason for r in decoded.rejections] == [RejectReason.MALFORMED]


@pytest.mark.parametrize(
    ("payload", "online"),
    [
        (b"online", True),
        (b"offline", False),
        (b'{"online":true}', True),
        (b'{"state":"offline"}', False),
        (b"", None),
        (b'"well"', None),
        (b"[1]", None),
    ],
)
def test_a_status_message_is_a_sign_and_no_measurement(payload: bytes, online: bool | None) -> None:
    decoded = said("hearthline/v1/s1/d1/status", payload)
    assert decoded.readings == decoded.rejections == ()
    expected = () if online is None else (Sign("own:s1/d1", NOW, online=online),)
    assert decoded.signs == expected


def test_the_device_of_the_topic_is_the_gateway_of_those_named_in_the_message() -> None:
    item = {"device": "d7", "ts": AT.isoformat(), "temperature_c": 20}
    assert said(ROOM, [item]).gateway == said(ROOM, item).gateway == "own:s1/d1"
    del item["device"]
    assert said(ROOM, [item]).gateway is None
    assert said(ROOM, item | {"device": "d1"}).gateway is None


_VALUE = st.floats(-50, 150) | st.integers(-50, 150) | st.none()
_OTHER = st.text(max_size=6) | st.booleans() | st.lists(st.none(), max_size=2) | st.just("21.5")
_NAMES = ("temperature_c", "humidity_pct", "supply_c", "energy_kwh", "outdoor_c")
_TIMES = (
    "2026-01-10T11:40:00Z",
    "2026-01-10T19:40:00.123457+08:00",
    "2106-02-07T06:28:15.999999Z",
    "2106-02-07T06:28:16Z",
    "9999-12-31T23:59:59.999999Z",
    "1969-12-31T23:59:59.999999Z",
    "0001-01-01T00:00:00+08:00",
    1768045200,
)
_ITEM = st.fixed_dictionaries(
    {"ts": st.sampled_from(_TIMES)},
    optional={
        "device": st.sampled_from(["d7", "", 8, None]),
        "seq": st.integers(-1, 2**60) | st.just("12"),
        **dict.fromkeys(
            ("temperature_c", "humidity_pct", "supply_c", "energy_kwh", "outdoor_c"),
            _VALUE | _OTHER,
        ),
    },
)


@given(st.sampled_from(["room", "meter", "weather"]), _ITEM | st.lists(_ITEM, max_size=3))
def test_the_quick_way_reads_what_the_patient_way_reads(kind: str, payload: object) -> None:
    body = json.dumps(payload).encode()
    topic = f"hearthline/v1/s1/d1/{kind}"
    decoded = decode(topic, body, NOW)
    patient = own._patiently(topic, body, "s1", "d1", DeviceKind(kind))
    assert decoded.readings == patient.readings
    assert decoded.rejections == patient.rejections
