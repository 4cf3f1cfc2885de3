"""Homie 4 and 5: values, descriptions and states, topic by topic."""

import json
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline.domain.readings import MeterReading, Quality, RejectReason, RoomReading, Sign
from ingest.formats import Context
from ingest.formats.homie import FORMAT, decode
from ingest.formats.profiles import builtin
from simulators.wire import RoomReading as Sample
from simulators.wire import homie
from tests.unit.ingest.decoding import NOW, deep, json_of, learning, said, sound

UID = "homie:flat-302/room"
TOPIC = "homie/5/flat-302/room/temperature"


def described(**properties: Any) -> tuple[str, bytes]:
    """A device's description with one node."""
    node = {"name": "Living room", "properties": properties}
    body = {"homie": "5.0", "version": 7, "name": "Flat 302", "nodes": {"room": node}}
    return "homie/5/flat-302/$description", said(body)


def test_what_the_simulator_says_is_read_back() -> None:
    identity = homie.identify("Heping", "B1-101", 7, "GW")
    hello = [(one.topic, one.payload) for one in homie.hello((identity,), 0, 1)]
    context = learning(FORMAT, hello)
    sample = Sample(1768045200, 1768045200, 6, 21.4, 40.5, 90.0)
    decoded = [
        sound(FORMAT, one.topic, one.payload, context) for one in homie.say(identity, sample, UTC)
    ]
    readings = [reading for one in decoded for reading in one.readings]
    assert readings == [RoomReading(identity.uid, NOW, 21.4, quality=Quality.CLOCK_GUESSED)]
    signs = [sign for one in decoded for sign in one.signs]
    assert signs == [
        Sign(identity.uid, NOW, humidity_pct=40.5),
        Sign(identity.uid, NOW, battery_pct=90.0),
    ]
    assert not any(one.rejections for one in decoded)
    device = identity.uid.rpartition("/")[0]
    (goodbye,) = homie.bye((identity,), 0, 1)
    gone = decode(goodbye.topic, goodbye.payload, NOW, context).signs
    assert gone == (Sign(device, NOW, online=False), Sign(identity.uid, NOW, online=False))


@pytest.mark.parametrize("topic", ["homie/flat-302/room/temperature", TOPIC])
def test_versions_4_and_5_name_the_same_device(topic: str) -> None:
    decoded = sound(FORMAT, topic, b"21.5")
    assert decoded.readings == (RoomReading(UID, NOW, 21.5, quality=Quality.CLOCK_GUESSED),)


@pytest.mark.parametrize(
    "prop",
    ["temperature", "room-temperature", "current-temperature", "temp", "measured-temperature"],
)
def test_a_temperature_has_many_names(prop: str) -> None:
    assert sound(FORMAT, f"homie/5/flat-302/room/{prop}", b"21.5").readings


def test_a_description_tells_the_unit() -> None:
    fahrenheit = {"datatype": "float", "unit": "°F"}
    context = learning(FORMAT, [described(temperature=fahrenheit)])
    (reading,) = sound(FORMAT, TOPIC, b"69.8", context).readings
    assert reading.temperature_c == pytest.approx(21.0)


def test_version_4_tells_the_unit_in_a_topic_of_its_own() -> None:
    context = learning(FORMAT, [("homie/flat-302/room/temperature/$unit", "°F".encode())])
    (reading,) = sound(FORMAT, "homie/flat-302/room/temperature", b"69.8", context).readings
    assert reading.temperature_c == pytest.approx(21.0)


def test_a_description_names_the_device_and_its_nodes() -> None:
    topic, payload = described(temperature={"datatype": "float", "unit": "°C"})
    assert sound(FORMAT, topic, payload).signs == (
        Sign("homie:flat-302", NOW, label="Flat 302"),
        Sign(UID, NOW, gateway="homie:flat-302", label="Flat 302 / Living room"),
    )


def test_the_only_temperature_of_a_node_is_the_rooms_whatever_its_name() -> None:
    degrees = {"datatype": "float", "unit": "°C"}
    context = learning(FORMAT, [described(t1=degrees, target=degrees | {"settable": True})])
    (reading,) = sound(FORMAT, "homie/5/flat-302/room/t1", b"21.5", context).readings
    assert reading == RoomReading(UID, NOW, 21.5, quality=Quality.CLOCK_GUESSED)
    assert not sound(FORMAT, "homie/5/flat-302/room/target", b"23", context).readings


def test_of_two_unknown_temperatures_neither_is_taken_for_the_room() -> None:
    degrees = {"datatype": "float", "unit": "°C"}
    context = learning(FORMAT, [described(t1=degrees, t2=degrees)])
    assert not sound(FORMAT, "homie/5/flat-302/room/t1", b"21.5", context).readings


@pytest.mark.parametrize(
    ("state", "online"),
    [
        (b"ready", True),
        (b"sleeping", True),
        (b"alert", True),
        (b"lost", False),
        (b"disconnected", False),
    ],
)
def test_the_state_speaks_for_all_nodes(state: bytes, online: bool) -> None:
    for node in (
        described(temperature={"unit": "°C"}),
        ("homie/flat-302/$nodes", b"room"),
    ):
        context = learning(FORMAT, [node])
        decoded = decode("homie/5/flat-302/$state", state, NOW, context)
        assert decoded.signs == (
            Sign("homie:flat-302", NOW, online=online),
            Sign(UID, NOW, online=online),
        )


def test_version_2_says_whether_it_is_online() -> None:
    decoded = decode("homie/flat-302/$online", b"false", NOW)
    assert decoded.signs == (Sign("homie:flat-302", NOW, online=False),)


def test_a_device_that_starts_says_nothing_yet() -> None:
    assert decode("homie/5/flat-302/$state", b"init", NOW).signs == ()


def test_a_heat_meter_is_read_property_by_property_by_its_profile() -> None:
    context = Context(profiles={UID: builtin()["homie-heat-meter"]})
    decoded = sound(FORMAT, "homie/5/flat-302/room/supply-temperature", b"61.2", context)
    assert decoded.readings == (MeterReading(UID, NOW, 61.2, quality=Quality.CLOCK_GUESSED),)


@pytest.mark.parametrize(
    "topic",
    [
        "homie/5/flat-302/room/temperature/set",
        "homie/5/flat-302/room/temperature/$target",
        "homie/flat-302/room/temperature/$name",
        "homie/flat-302/room/temperature/$datatype",
        "homie/flat-302/$homie",
        "homie/flat-302/$stats/uptime",
        "homie/5/$broadcast/alert",
        "homie/5/flat-302/$log/info",
        "homie/5/flat-302/room/light",
        "homie/5/flat-302",
        "homie/5",
        "homie",
        "homie/5/flat-302/room/a/b/c",
        "homie//room/temperature",
    ],
)
def test_what_is_no_measurement_of_ours_gives_nothing(topic: str) -> None:
    decoded = sound(FORMAT, topic, b"21.5")
    assert decoded.readings == decoded.rejections == ()


@pytest.mark.parametrize("payload", [b"", b"\0"])
def test_a_cleared_topic_gives_nothing(payload: bytes) -> None:
    decoded = decode(TOPIC, payload, NOW)
    assert decoded.readings == decoded.rejections == ()


@pytest.mark.parametrize("payload", [b"nan", b"warm", b"\xff\xfe", b"true", b"1e999", b"[21]"])
def test_a_temperature_that_is_no_number_is_refused_for_its_node(payload: bytes) -> None:
    (rejection,) = sound(FORMAT, TOPIC, payload).rejections
    assert (rejection.reason, rejection.device_uid) == (RejectReason.NOT_A_NUMBER, UID)


@pytest.mark.parametrize("payload", [b"{", b"[]", b'{"nodes": 3}', deep(100_000)])
def test_a_description_that_cannot_be_read_is_refused(payload: bytes) -> None:
    (rejection,) = sound(FORMAT, "homie/5/flat-302/$description", payload).rejections
    assert rejection.reason is RejectReason.MALFORMED


LEVELS = st.lists(
    st.sampled_from(["5", "$state", "$description", "$nodes", "$unit", "room", "temperature", ""])
    | st.text(
        st.characters(codec="ascii", exclude_categories=["Cc"], exclude_characters="/"), max_size=4
    ),
    max_size=6,
)


@given(LEVELS, st.binary(max_size=60))
def test_any_topic_and_any_bytes_do_no_harm(levels: list[str], payload: bytes) -> None:
    sound(FORMAT, "/".join(["homie", *levels]), payload)


@given(
    st.dictionaries(
        st.sampled_from(["room", "temperature"]) | st.text(max_size=4),
        json_of("properties", "temperature", "unit", "datatype", "settable", "name"),
        max_size=3,
    )
)
def test_any_description_does_no_harm(nodes: Any) -> None:
    topic = "homie/5/flat-302/$description"
    body = json.dumps({"name": "x", "nodes": nodes}).encode()
    sound(FORMAT, topic, body)
    sound(FORMAT, TOPIC, b"21.5", learning(FORMAT, [(topic, body)]))
