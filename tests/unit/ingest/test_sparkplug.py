"""Sparkplug B: births, data, deaths, and what happens when the births were missed."""

import math
import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline.domain.readings import (
    MeterReading,
    Quality,
    RejectReason,
    RoomReading,
    Sign,
    WeatherReading,
)
from ingest.formats import Context
from ingest.formats.profiles import builtin
from ingest.formats.sparkplug import FORMAT, decode
from ingest.formats.sparkplug_payload import read, rebirth, shortest, signed
from simulators.wire import Identity, sparkplug
from simulators.wire import MeterReading as MeterSample
from simulators.wire import RoomReading as Sample
from simulators.wire.protobuf import double, nested, single, text, unsigned
from tests.unit.ingest.decoding import NOW, learning, sound

UID, EDGE = "sparkplug:G/E/D", "sparkplug:G/E"
BORN_MS = 1768040000000
AT_MS = 1768045200000
AT = datetime.fromtimestamp(AT_MS / 1000, UTC)
INT8, INT16, INT32, INT64, UINT32, FLOAT, DOUBLE, BOOLEAN, STRING = 1, 2, 3, 4, 7, 9, 10, 11, 12


def topic(kind: str) -> str:
    return f"spBv1.0/G/{kind}/E" + ("/D" if kind[0] == "D" else "")


def metric(
    name: str | None = None,
    alias: int | None = None,
    value: bytes = b"",
    *,
    at_ms: int | None = None,
    datatype: int | None = None,
    historical: bool = False,
    null: bool = False,
) -> bytes:
    """A metric of a payload; ``value`` is its encoded field."""
    parts = [b"" if name is None else text(1, name), b"" if alias is None else unsigned(2, alias)]
    parts += [b"" if at_ms is None else unsigned(3, at_ms)]
    parts += [b"" if datatype is None else unsigned(4, datatype)]
    parts += [unsigned(5, 1) if historical else b"", unsigned(7, 1) if null else b""]
    return nested(2, b"".join(parts) + value)


def payload(*metrics: bytes, at_ms: int | None = AT_MS, seq: int = 5) -> bytes:
    before = b"" if at_ms is None else unsigned(1, at_ms)
    return before + b"".join(metrics) + unsigned(3, seq)


def temperature(celsius: float, **more: Any) -> bytes:
    return metric("room/temperature", None, single(12, celsius), **more)


BIRTH = payload(
    metric("room/temperature", 1, datatype=FLOAT, null=True),
    metric("room/humidity", 2, datatype=FLOAT, null=True),
    metric("room/trend", 3, datatype=INT8, null=True),
    at_ms=BORN_MS,
)
BORN = learning(FORMAT, [(topic("DBIRTH"), BIRTH)])


def greeted(presence: Any, devices: list[Identity], at_s: int) -> Context:
    assert presence is not None
    return learning(FORMAT, [(one.topic, one.payload) for one in presence.hello(devices, at_s, 7)])


def test_what_the_simulator_says_of_rooms_is_read_back() -> None:
    devices = [sparkplug.identify("hm", f"H-B1-0{n}02", n, "H-B1-GW1") for n in range(3)]
    context = greeted(sparkplug.FORMAT.presence, devices, 1768040000)
    for slot, device in enumerate(devices):
        for late in (False, True):
            sample = Sample(
                1768045200, 1768045200, 6, 21.43, 40.2, 80.0, turn=300, slot=slot, late=late
            )
            (message,) = sparkplug.say(device, sample, UTC)
            decoded = sound(FORMAT, message.topic, message.payload, context)
            quality = Quality.HISTORY if late else Quality.GOOD
            assert decoded.readings == (RoomReading(device.uid, AT, 21.43, 40.2, 80.0, quality),)
            assert decoded.gateway == "sparkplug:hm/H-B1-GW1"
            assert decoded.rejections == decoded.needs == ()


def test_what_the_simulator_says_of_meters_is_read_back() -> None:
    device = sparkplug.identify_meter("hm", "H-S1-M1", 3)
    context = greeted(sparkplug.FORMAT.meter_presence, [device], 1768040000)
    names = [one.quantity for one in sparkplug.METER_METRICS]
    truth = {name: 10.25 + number for number, name in enumerate(names)}
    (message,) = sparkplug.say_meter(device, MeterSample(1768045200, 1768045200, 6, truth), UTC)
    (reading,) = sound(FORMAT, message.topic, message.payload, context).readings
    assert reading == MeterReading(device.uid, AT, **truth)


def test_the_vectors_of_the_format_are_read() -> None:
    birth = bytes.fromhex(
        "0880d095ffbc3112120a0562645365711880d095ffbc312008580012220a10726f6f6d2f74656d7065726174"
        "75726510011880d095ffbc31200965000094411800"
    )
    data = bytes.fromhex("08c09fbaffbc311210100118c09fbaffbc3120096533338f411801")
    born = sound(FORMAT, topic("DBIRTH"), birth)
    assert [one.temperature_c for one in born.readings] == [18.5]
    assert born.learnt[UID]["metrics"]["1"] == ["room/temperature", FLOAT]
    context = learning(FORMAT, [(topic("DBIRTH"), birth)])
    (reading,) = sound(FORMAT, topic("DDATA"), data, context).readings
    assert (reading.temperature_c, reading.seq) == (17.9, None)


@pytest.mark.parametrize("context", [Context(), Context(memory={UID: {"metrics": {}}})])
def test_aliases_that_nobody_knows_are_kept_and_asked_for(context: Context) -> None:
    data = payload(metric(None, 1, single(12, 21.5)), metric(None, 2, single(12, 40)))
    decoded = sound(FORMAT, topic("DDATA"), data, context)
    assert decoded.readings == ()
    assert decoded.needs == (UID, EDGE)
    (rejection,) = decoded.rejections
    assert (rejection.reason, rejection.device_uid) == (RejectReason.UNKNOWN_ALIAS, UID)
    assert rejection.payload == data
    (request,) = decoded.requests
    assert request.topic == "spBv1.0/G/NCMD/E"
    (command,) = read(request.payload).metrics
    assert (command.name, command.value) == ("Node Control/Rebirth", True)


def test_an_edge_nodes_own_data_needs_its_own_birth() -> None:
    decoded = decode(topic("NDATA"), payload(metric(None, 9, single(12, 1))), NOW)
    assert decoded.needs == (EDGE,)
    birth = payload(metric("outdoor/temperature", 9, datatype=FLOAT, null=True), at_ms=BORN_MS)
    context = learning(FORMAT, [(topic("NBIRTH"), birth)])
    decoded = decode(topic("NDATA"), payload(metric(None, 9, single(12, -7.5))), NOW, context)
    assert decoded.readings == (WeatherReading(EDGE, AT, -7.5),)


def test_the_requests_of_one_minute_are_equal() -> None:
    data = payload(metric(None, 1, single(12, 21.5)))
    asked = [
        decode(topic("DDATA"), data, NOW + timedelta(seconds=late), Context()).requests
        for late in (1, 59, 61)
    ]
    assert asked[0] == asked[1] != asked[2]


def test_after_the_birth_aliases_are_read() -> None:
    data = payload(metric(None, 1, single(12, 21.5)), metric(None, 2, single(12, 40.25)))
    decoded = sound(FORMAT, topic("DDATA"), data, BORN)
    assert decoded.readings == (RoomReading(UID, AT, 21.5, 40.25),)
    assert decoded.requests == decoded.needs == ()


def test_a_new_alias_among_known_ones_is_asked_for_and_costs_nothing() -> None:
    data = payload(metric(None, 1, single(12, 21.5)), metric(None, 99, single(12, 1)))
    for after, asks in ((0, False), (59, False), (61, True)):
        at = NOW + timedelta(minutes=after)
        decoded = decode(topic("DDATA"), data, at, BORN)
        assert [one.device_uid for one in decoded.readings] == [UID]
        assert bool(decoded.requests) is asks
        assert decoded.needs == decoded.rejections == ()


@pytest.mark.parametrize(("after_s", "asks"), [(5, False), (61, True)])
def test_births_are_given_a_minute_to_come(after_s: int, asks: bool) -> None:
    node = payload(metric("bdSeq", None, unsigned(11, 4)), at_ms=BORN_MS, seq=0)
    context = learning(FORMAT, [(topic("NBIRTH"), node)])
    data = payload(metric(None, 1, single(12, 21.5)))
    decoded = decode(topic("DDATA"), data, NOW + timedelta(seconds=after_s), context)
    assert bool(decoded.requests) is asks
    assert decoded.needs


def test_a_metric_whose_name_cannot_be_kept_is_known_nevertheless() -> None:
    birth = payload(metric("x" * 999, 1, null=True), metric("temperature", 2, null=True))
    context = learning(FORMAT, [(topic("DBIRTH"), birth)])
    decoded = sound(FORMAT, topic("DDATA"), payload(metric(None, 1, single(12, 1))), context)
    assert decoded.needs == decoded.readings == decoded.rejections == ()


def test_alias_0_is_an_alias() -> None:
    context = learning(
        FORMAT, [(topic("DBIRTH"), payload(metric("temperature", 0, null=True), at_ms=BORN_MS))]
    )
    data = payload(metric(None, 0, single(12, 21.5)))
    assert decode(topic("DDATA"), data, NOW).needs
    assert decode(topic("DDATA"), data, NOW, context).readings == (RoomReading(UID, AT, 21.5),)


@pytest.mark.parametrize(
    ("node_ms", "fresh"),
    [
        (BORN_MS - 3_600_000, True),
        (BORN_MS, True),
        (BORN_MS + 1500, True),
        (BORN_MS + 60_000, False),
    ],
)
def test_a_new_session_of_the_edge_node_ends_the_aliases_of_the_last(
    node_ms: int, fresh: bool
) -> None:
    node = payload(metric("bdSeq", None, unsigned(11, 4), datatype=8), at_ms=node_ms, seq=0)
    data = payload(metric(None, 1, single(12, 21.5)))
    for births in (
        [(topic("NBIRTH"), node), (topic("DBIRTH"), BIRTH)],
        [(topic("DBIRTH"), BIRTH), (topic("NBIRTH"), node)],
    ):
        decoded = sound(FORMAT, topic("DDATA"), data, learning(FORMAT, births))
        assert bool(decoded.readings) is fresh
        assert bool(decoded.needs) is not fresh


def test_a_birth_that_is_read_again_later_does_not_displace_the_present_one() -> None:
    kept = payload(metric("old/name", 1, null=True), at_ms=BORN_MS)
    decoded = decode(topic("DBIRTH"), kept, NOW - timedelta(hours=1), BORN)
    assert decoded.learnt == {}
    assert decode(topic("DBIRTH"), kept, NOW + timedelta(hours=1), BORN).learnt


def test_names_in_data_need_no_birth() -> None:
    decoded = sound(FORMAT, topic("DDATA"), payload(temperature(21.5)))
    assert decoded.readings == (RoomReading(UID, AT, 21.5),)
    assert decoded.needs == decoded.requests == ()


@pytest.mark.parametrize(
    "name",
    [
        "Temperature",
        "Room/Temperature",
        "Inputs/Temperature",
        "Ambient Temperature",
        "temperature_c",
    ],
)
def test_a_temperature_has_many_names(name: str) -> None:
    data = payload(metric(name, None, double(13, 21.5)))
    assert sound(FORMAT, topic("DDATA"), data).readings == (RoomReading(UID, AT, 21.5),)


def test_supply_and_return_make_a_meter() -> None:
    data = payload(
        metric("Supply/Temperature", None, single(12, 61.2)),
        metric("Return/Temperature", None, single(12, 40.1)),
    )
    assert sound(FORMAT, topic("DDATA"), data).readings == (MeterReading(UID, AT, 61.2, 40.1),)


def test_a_profile_of_the_ledger_counts_first() -> None:
    context = Context(profiles={UID: builtin()["room-fahrenheit"]})
    data = payload(metric("temperature", None, double(13, 69.8)))
    (reading,) = sound(FORMAT, topic("DDATA"), data, context).readings
    assert reading.temperature_c == pytest.approx(21.0)


@pytest.mark.parametrize(
    ("value", "datatype", "expected"),
    [
        (single(12, 17.9), FLOAT, 17.9),
        (double(13, 17.9), DOUBLE, 17.9),
        (unsigned(10, 21), UINT32, 21.0),
        (unsigned(10, 0xFFFFFFFB), INT32, -5.0),
        (unsigned(10, 0xFFFB), INT16, -5.0),
        (unsigned(10, 0xFFFFFFFB), INT8, -5.0),
        (unsigned(11, 2**64 - 5), INT64, -5.0),
        (text(15, "21.5"), STRING, 21.5),
    ],
)
def test_values_of_every_data_type_are_read(value: bytes, datatype: int, expected: float) -> None:
    data = payload(metric("temperature", None, value, datatype=datatype))
    (reading,) = sound(FORMAT, topic("DDATA"), data).readings
    assert reading.temperature_c == expected


def test_data_without_a_data_type_has_that_of_its_birth() -> None:
    birth = payload(metric("temperature", 1, datatype=INT16, null=True), at_ms=BORN_MS)
    context = learning(FORMAT, [(topic("DBIRTH"), birth)])
    data = payload(metric(None, 1, unsigned(10, 0xFFFB)))
    assert decode(topic("DDATA"), data, NOW, context).readings == (RoomReading(UID, AT, -5.0),)


@pytest.mark.parametrize(
    "value", [unsigned(14, 1), single(12, math.nan), double(13, math.inf), text(15, "warm")]
)
def test_what_is_no_number_is_refused(value: bytes) -> None:
    (rejection,) = sound(
        FORMAT, topic("DDATA"), payload(metric("temperature", None, value))
    ).rejections
    assert (rejection.reason, rejection.device_uid) == (RejectReason.NOT_A_NUMBER, UID)


def test_a_battery_alone_is_a_sign_of_life() -> None:
    decoded = sound(FORMAT, topic("DDATA"), payload(metric("Battery", None, unsigned(10, 88))))
    assert decoded.readings == decoded.rejections == ()
    assert decoded.signs == (Sign(UID, AT, battery_pct=88.0),)


def test_what_was_kept_back_comes_at_its_own_times() -> None:
    quarter = 900_000
    data = payload(
        temperature(20.0, at_ms=AT_MS - 2 * quarter, historical=True),
        temperature(20.5, at_ms=AT_MS - quarter, historical=True),
        temperature(21.0, at_ms=AT_MS),
        metric("room/humidity", None, single(12, 40), at_ms=AT_MS + 30),
    )
    assert sound(FORMAT, topic("DDATA"), data).readings == (
        RoomReading(UID, AT - timedelta(minutes=30), 20.0, quality=Quality.HISTORY),
        RoomReading(UID, AT - timedelta(minutes=15), 20.5, quality=Quality.HISTORY),
        RoomReading(UID, AT, 21.0, 40.0),
    )


def test_without_any_time_the_arrival_stands_in() -> None:
    (reading,) = sound(FORMAT, topic("DDATA"), payload(temperature(21), at_ms=None)).readings
    assert (reading.time, reading.quality) == (NOW, Quality.CLOCK_GUESSED)


@pytest.mark.parametrize("at", [AT_MS // 1000, AT_MS * 1000, AT_MS * 10**6])
def test_a_time_in_another_unit_is_understood(at: int) -> None:
    (reading,) = sound(FORMAT, topic("DDATA"), payload(temperature(20.0, at_ms=at))).readings
    assert reading.time == AT


def test_nulls_and_what_we_do_not_read_are_passed_over() -> None:
    quality = nested(9, text(1, "Quality") + nested(2, unsigned(1, 3) + unsigned(3, 192)))
    data = payload(
        temperature(21.5),
        metric("room/humidity", None, null=True),
        metric("a template", None, nested(18, text(1, "x"))),
        metric("a data set", None, nested(17, unsigned(1, 3))),
        metric("a file", None, nested(16, b"\0\1")),
        metric("valve open", None, unsigned(14, 1) + quality),
    )
    decoded = sound(FORMAT, topic("DDATA"), data)
    assert decoded.readings == (RoomReading(UID, AT, 21.5),)
    assert decoded.rejections == ()
    alone = sound(FORMAT, topic("DDATA"), payload(metric("valve open", None, unsigned(14, 1))))
    assert alone.readings == alone.rejections == ()


def test_a_birth_says_that_the_device_lives_and_who_carries_it() -> None:
    born = datetime.fromtimestamp(BORN_MS / 1000, UTC)
    assert decode(topic("DBIRTH"), BIRTH, NOW).signs == (
        Sign(UID, born, online=True, gateway=EDGE),
    )
    node = payload(metric("bdSeq", None, unsigned(11, 4)), at_ms=BORN_MS)
    decoded = decode(topic("NBIRTH"), node, NOW)
    assert decoded.signs == (Sign(EDGE, born, online=True),)
    assert decoded.learnt[EDGE]["bdSeq"] == 4
    assert decoded.rejections == ()


def test_a_device_of_which_no_metric_is_known_is_refused_at_its_birth() -> None:
    birth = payload(metric("Motor/Speed", 1, double(13, 3)), metric("Motor/Amps", 2, null=True))
    (rejection,) = sound(FORMAT, topic("DBIRTH"), birth).rejections
    assert (rejection.reason, rejection.device_uid) == (RejectReason.NO_QUANTITY, UID)
    assert "Motor/Speed" in rejection.detail


def test_a_death_is_that_of_the_device_or_of_the_edge_node() -> None:
    assert decode(topic("DDEATH"), payload(), NOW).signs == (
        Sign(UID, NOW, online=False, gateway=EDGE),
    )
    assert decode(topic("NDEATH"), b"", NOW).signs == (Sign(EDGE, NOW, online=False),)


@pytest.mark.parametrize(("session", "gone"), [(4, True), (3, False)])
def test_the_will_of_an_earlier_session_says_nothing(session: int, gone: bool) -> None:
    node = payload(metric("bdSeq", None, unsigned(11, 4)), at_ms=BORN_MS)
    context = learning(FORMAT, [(topic("NBIRTH"), node)])
    will = payload(metric("bdSeq", None, unsigned(11, session)), at_ms=BORN_MS - 5000)
    assert bool(decode(topic("NDEATH"), will, NOW, context).signs) is gone


@pytest.mark.parametrize(
    "other",
    [
        "spBv1.0/STATE/host",
        "spBv1.0/G/NCMD/E",
        "spBv1.0/G/DCMD/E/D",
        "spBv1.0/G/DDATA/E",
        "spBv1.0/G/NDATA/E/D",
        "spBv1.0/G/DDATA/E/D/x",
        "spBv1.0/G//E",
        "spBv1.0/G/DDATA//D",
        "spBv1.0",
    ],
)
def test_commands_and_host_states_are_no_measurement(other: str) -> None:
    decoded = sound(FORMAT, other, payload(temperature(21)))
    assert decoded.readings == decoded.rejections == decoded.signs == ()


@pytest.mark.parametrize("garbage", [b"21.5", b'{"temperature": 21.5}', b"\xff" * 40, BIRTH[:-9]])
def test_what_is_no_payload_is_refused_for_its_device(garbage: bytes) -> None:
    (rejection,) = sound(FORMAT, topic("DDATA"), garbage).rejections
    assert (rejection.reason, rejection.device_uid) == (RejectReason.MALFORMED, UID)


def test_a_broken_character_costs_its_metric_only() -> None:
    broken = nested(2, nested(1, b"r\xc3\x28m") + single(12, 3))
    decoded = sound(FORMAT, topic("DDATA"), payload(broken, temperature(21.5)))
    assert decoded.readings == (RoomReading(UID, AT, 21.5),)


def test_depth_does_no_harm() -> None:
    body = b""
    for _ in range(2000):
        body = nested(18, nested(2, nested(2, body)))
    sound(FORMAT, topic("DDATA"), payload(nested(2, text(1, "x") + body)))


def test_the_request_is_what_an_edge_node_expects() -> None:
    command = nested(
        2,
        text(1, "Node Control/Rebirth")
        + unsigned(3, AT_MS)
        + unsigned(4, BOOLEAN)
        + unsigned(14, 1),
    )
    assert rebirth(AT_MS) == unsigned(1, AT_MS) + command


@given(st.floats(width=32))
def test_the_shortest_decimal_is_the_same_number_on_the_wire(value: float) -> None:
    short = shortest(value)
    assert struct.pack("<f", short) == struct.pack("<f", value)


@given(st.integers(-99_999, 99_999))
def test_decimals_of_five_digits_come_back_as_they_were_meant(hundredths: int) -> None:
    (on_the_wire,) = struct.unpack("<f", struct.pack("<f", hundredths / 100))
    assert shortest(on_the_wire) == hundredths / 100


@given(st.sampled_from([(1, 8), (2, 16), (3, 32), (4, 64)]), st.data())
def test_signs_are_found_again(kind: tuple[int, int], data: Any) -> None:
    datatype, bits = kind
    number = data.draw(st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))
    for width in {bits, max(bits, 32)}:
        assert signed(number % 2**width, datatype) == number


KINDS = st.sampled_from(["NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH", "NCMD"])
VALUES = st.one_of(
    st.floats().map(lambda value: double(13, value)),
    st.floats(width=32).map(lambda value: single(12, value)),
    st.integers(0, 2**32 - 1).map(lambda value: unsigned(10, value)),
    st.integers(0, 2**64 - 1).map(lambda value: unsigned(11, value)),
    st.text(max_size=8).map(lambda value: text(15, value)),
    st.binary(max_size=20).map(lambda value: nested(18, value)),
    st.just(b""),
)
METRICS = st.builds(
    metric,
    st.none() | st.sampled_from(["room/temperature", "battery", "flow rate", "bdSeq"]) | st.text(),
    st.none() | st.integers(0, 2**64 - 1),
    VALUES,
    at_ms=st.none() | st.integers(0, 2**64 - 1) | st.integers(AT_MS, AT_MS + 10**6),
    datatype=st.none() | st.integers(0, 2**32 - 1),
    historical=st.booleans(),
    null=st.booleans(),
)


@given(KINDS, st.binary(max_size=200))
def test_any_bytes_do_no_harm(kind: str, garbage: bytes) -> None:
    sound(FORMAT, topic(kind), garbage)
    sound(FORMAT, topic(kind), garbage, BORN)


@given(KINDS, st.lists(METRICS, max_size=6), st.none() | st.integers(0, 2**64 - 1))
def test_any_metrics_do_no_harm(kind: str, metrics: list[bytes], at_ms: int | None) -> None:
    message = payload(*metrics, at_ms=at_ms)
    sound(FORMAT, topic(kind), message)
    sound(FORMAT, topic(kind), message, BORN)
