"""SenML packs (RFC 8428): base fields, relative times, several devices, and what is no number."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import MeterReading, Quality, RejectReason, RoomReading, Sign
from ingest.formats.model import Context, Decoded
from ingest.formats.profiles import Profile, Source
from ingest.formats.senml import RELATIVE_S, decode, speaks
from simulators import wire

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
BASE = "urn:dev:ow:10e2073a01080063"
UID = f"senml:{BASE}"
AT_S = 1_768_040_000
AT = datetime.fromtimestamp(AT_S, UTC)


def said(pack: Any, **context: Any) -> Decoded:
    payload = pack if isinstance(pack, bytes) else json.dumps(pack).encode()
    return decode("senml/x", payload, NOW, Context(**context))


def test_two_instants_of_one_sensor() -> None:
    decoded = said(
        [{"bn": BASE, "bt": 1276020076.0, "u": "Cel", "v": 23.5}, {"u": "Cel", "t": 60, "v": 23.6}]
    )
    first = datetime.fromtimestamp(1276020076, UTC)
    assert decoded.readings == (
        RoomReading(UID, first, 23.5, quality=Quality.HISTORY),
        RoomReading(UID, first + timedelta(seconds=60), 23.6),
    )


def test_quantities_of_one_instant_are_one_reading() -> None:
    decoded = said(
        [
            {"bn": f"{BASE}:", "bt": AT_S, "n": "temperature", "u": "Cel", "v": 21.5},
            {"n": "humidity", "u": "%RH", "v": 40},
            {"n": "battery", "u": "%EL", "v": 80},
            {"n": "voltage", "u": "V", "v": 3.1},
        ]
    )
    assert decoded.readings == (RoomReading(UID, AT, 21.5, 40.0, 80.0),)
    assert decoded.items == (None,)


@pytest.mark.parametrize("end", ["", ":", "/", "_", ";"])
def test_separators_after_the_base_name_make_no_other_device(end: str) -> None:
    (reading,) = said([{"bn": BASE + end, "bt": AT_S, "u": "Cel", "v": 20}]).readings
    assert reading.device_uid == UID


def test_base_value_and_base_unit_are_added_until_set_anew() -> None:
    decoded = said(
        [
            {"bn": BASE, "bt": AT_S, "bu": "Cel", "bv": 20, "v": 1.5},
            {"t": 600, "v": -1},
            {"t": 1200, "bv": 0, "v": 19},
        ]
    )
    assert [reading.temperature_c for reading in decoded.readings] == [21.5, 19.0, 19.0]


def test_a_base_value_alone_is_a_value() -> None:
    (reading,) = said([{"bn": BASE, "bt": AT_S, "u": "Cel", "bv": 20.5}]).readings
    assert reading.temperature_c == 20.5


def test_kelvin_and_a_ratio_are_converted_by_their_unit() -> None:
    (reading,) = said(
        [
            {"bn": BASE, "bt": AT_S, "u": "K", "v": 294.15},
            {"n": "humidity", "u": "/", "v": 0.41},
        ]
    ).readings
    assert (reading.temperature_c, reading.humidity_pct) == (21.0, 41.0)


@pytest.mark.parametrize("relative_s", [0, -600, 120.5])
def test_small_times_are_relative_to_the_arrival(relative_s: float) -> None:
    (reading,) = said([{"bn": BASE, "u": "Cel", "v": 20, "t": relative_s}]).readings
    assert reading.time == NOW + timedelta(seconds=relative_s)
    assert reading.quality & Quality.CLOCK_GUESSED


def test_the_limit_between_relative_and_absolute_time() -> None:
    (absolute,) = said([{"bn": BASE, "u": "Cel", "v": 20, "t": RELATIVE_S}]).readings
    assert absolute.time == datetime.fromtimestamp(RELATIVE_S, UTC)
    (relative,) = said([{"bn": BASE, "u": "Cel", "v": 20, "t": RELATIVE_S - 1}]).readings
    assert relative.time > NOW


def test_without_any_time_the_arrival_stands_in() -> None:
    assert said([{"n": BASE, "u": "Cel", "v": 20}]).readings == (
        RoomReading(UID, NOW, 20.0, quality=Quality.CLOCK_GUESSED),
    )


def test_a_gateway_speaks_for_several_devices() -> None:
    decoded = said(
        [
            {"bn": "urn:dev:mac:0024befffe804ff1/", "bt": AT_S, "n": "r1/temp", "u": "Cel", "v": 1},
            {"n": "r2/temp", "u": "Cel", "v": 2},
            {"n": "r2/hum", "u": "%RH", "v": 50},
            {"bn": "urn:dev:mac:0024befffe804ff2", "n": "", "u": "Cel", "v": 3},
        ]
    )
    assert {one.device_uid[-6:]: one.temperature_c for one in decoded.readings} == {
        "4ff1/r1"[-6:]: 1.0,
        "4ff1/r2"[-6:]: 2.0,
        "804ff2": 3.0,
    }
    assert decoded.readings[1].humidity_pct == 50.0


def test_temperatures_without_a_telling_name_are_devices_of_their_own() -> None:
    decoded = said(
        [
            {"bn": "gw:", "bt": AT_S, "n": "a17", "u": "Cel", "v": 20},
            {"n": "b3", "u": "Cel", "v": 21},
        ]
    )
    assert [one.device_uid for one in decoded.readings] == ["senml:gw/a17", "senml:gw/b3"]


def test_names_without_a_base_name() -> None:
    decoded = said(
        [
            {"n": f"{BASE}:temperature", "t": AT_S, "u": "Cel", "v": 20},
            {"n": f"{BASE}:humidity", "t": AT_S, "u": "%RH", "v": 44},
        ]
    )
    assert decoded.readings == (RoomReading(UID, AT, 20.0, 44.0),)


def test_a_heat_meter_is_told_by_its_names_and_units() -> None:
    decoded = said(
        [
            {"bn": "urn:dev:mbus:1/", "bt": AT_S, "n": "supply_temperature", "u": "Cel", "v": 60},
            {"n": "return_temperature", "u": "Cel", "v": 45},
            {"n": "flow", "u": "l/s", "v": 0.5},
            {"n": "energy", "u": "MJ", "v": 36},
        ]
    )
    expected = MeterReading(
        "senml:urn:dev:mbus:1", AT, supply_c=60.0, return_c=45.0, flow_m3h=1.8, energy_kwh=10.0
    )
    assert decoded.readings == (expected,)


def test_the_ledgers_profile_says_which_probe_is_the_room() -> None:
    probe = Profile("p", DeviceKind.ROOM, {"temperature_c": (Source("t2"),)})
    pack = [
        {"bn": BASE, "bt": AT_S, "n": "temperature", "u": "Cel", "v": 20},
        {"n": "t2", "u": "V", "v": 3},
    ]
    (reading,) = said(pack, profiles={UID: probe}).readings
    assert reading.temperature_c == 3.0


def test_humidity_alone_is_a_sign() -> None:
    decoded = said([{"bn": BASE, "bt": AT_S, "n": "humidity", "u": "%RH", "v": 40}])
    assert not decoded.readings
    assert decoded.signs == (Sign(UID, AT, humidity_pct=40.0),)


@pytest.mark.parametrize(
    "record", [{"vs": "on"}, {"vb": True}, {"vd": "AA=="}, {"s": 3.5}, {"v": None}]
)
def test_what_is_no_number_is_no_measurement(record: dict[str, Any]) -> None:
    decoded = said([{"bn": BASE, "bt": AT_S, "u": "Cel", **record}])
    assert not decoded.readings
    assert [one.reason for one in decoded.rejections] == [RejectReason.NO_QUANTITY]


def test_one_bad_record_leaves_the_others_alone() -> None:
    decoded = said(
        [
            {"bn": BASE, "bt": AT_S, "u": "Cel", "v": 20},
            {"u": "Cel", "t": 60, "v": "warm"},
            5,
            {"u": "Cel", "t": 120, "v": 21},
        ]
    )
    assert [one.temperature_c for one in decoded.readings] == [20.0, 21.0]
    assert [one.reason for one in decoded.rejections] == [
        RejectReason.NOT_A_NUMBER,
        RejectReason.MALFORMED,
    ]
    assert all(one.message is not None for one in decoded.rejections)


@pytest.mark.parametrize(
    ("pack", "reason"),
    [
        (b"", RejectReason.MALFORMED),
        (5, RejectReason.MALFORMED),
        ([], RejectReason.NO_QUANTITY),
        ([{"u": "Cel", "v": 20}], RejectReason.MALFORMED),
        ([{"bn": BASE, "u": "Cel", "v": 20, "unknown_": 1}], RejectReason.MALFORMED),
        ([{"bn": BASE, "bver": 11, "u": "Cel", "v": 20}], RejectReason.MALFORMED),
        ([{"bn": BASE, "u": "Cel", "v": 20, "t": 1e300}], RejectReason.BAD_TIME),
        ([{"bn": BASE, "u": "Cel", "v": 20, "t": "soon"}], RejectReason.NOT_A_NUMBER),
        ([{"bn": 7, "u": "Cel", "v": 20}], RejectReason.MALFORMED),
    ],
)
def test_packs_that_cannot_be_used(pack: Any, reason: RejectReason) -> None:
    decoded = said(pack)
    assert not decoded.readings
    assert [one.reason for one in decoded.rejections] == [reason]


def test_a_pack_is_known_by_its_content() -> None:
    assert speaks(b' [{"bn":"x","v":1}]')
    assert speaks(b'[{"n":"x","v":1}]')
    assert not speaks(b'{"bn":"x","v":1}')
    assert not speaks(b'[{"ts":1,"temperature_c":20}]')


def test_what_a_simulated_device_says_comes_out_as_it_was_measured() -> None:
    readings = [
        wire.RoomReading(AT_S - late, AT_S - late, 6, 21.37 - late / 1e4, 45.2, 88.0)
        for late in (3600, 2400, 1200)
    ]
    senml = wire.FORMATS[wire.NUMBER["senml"]]
    device = senml.identify("town", "T-S1-B01-E1-0101", 5, "gw")
    assert senml.recall is not None
    (backlog,) = senml.recall(device, readings, AT_S, UTC)
    (now,) = senml.say(device, readings[-1], UTC)
    for message, expected in ((backlog, readings), (now, readings[-1:])):
        decoded = decode(message.topic, message.payload, NOW)
        assert not decoded.rejections
        assert [
            (one.device_uid, int(one.time.timestamp()), one.temperature_c)
            for one in decoded.readings
        ] == [(device.uid, one.stamp_s, one.temperature_c) for one in expected]


@given(
    st.floats(-1e9, 1e9),
    st.floats(-1e9, 1e9),
    st.integers(1 << 29, 1 << 32),
    st.integers(-(10**6), 10**6),
)
def test_values_and_times_are_sums(base: float, value: float, start: int, after: int) -> None:
    pack = [{"bn": BASE, "bt": start, "bv": base, "u": "Cel", "v": value, "t": after}]
    (reading,) = said(pack).readings
    assert reading.temperature_c == base + value
    assert reading.time == datetime.fromtimestamp(start + after, UTC)
