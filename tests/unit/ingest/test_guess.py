"""Guesses about messages that nobody expected: format, device, kind, role, and the reasons."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline.domain.places import DeviceKind, DeviceRole, FlowPipe
from ingest.formats import OURS, Format, Registry
from ingest.formats.guess import BY_CONTENT, BY_SHAPE, BY_TOPIC, Guess, guess
from ingest.formats.model import Decoded
from ingest.formats.profiles import builtin
from simulators import wire

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
AT_S = 1_768_040_000
FORMATS = Registry()
UPLINK = "application/a/device/0102030405060708/event/up"


def about(topic: str, said: Any, uid: str | None = None) -> Guess:
    payload = said if isinstance(said, bytes) else json.dumps(said).encode()
    return guess(topic, payload, NOW, FORMATS, uid)


def meter(**quantities: float) -> Guess:
    return about("hearthline/v1/s/d/meter", {"ts": AT_S, **quantities})


@pytest.mark.parametrize(
    ("quantities", "role"),
    [
        ({"supply_c": 95.0, "return_c": 50.0, "flow_m3h": 1.0}, DeviceRole.PRIMARY),
        ({"supply_c": 60.0, "supply_kpa": 1200.0}, DeviceRole.PRIMARY),
        ({"supply_c": 60.0, "makeup_m3": 12.0}, DeviceRole.SECONDARY),
        ({"supply_c": 60.0, "flow_m3h": 40.0}, DeviceRole.SECONDARY),
        ({"supply_c": 60.0, "power_kw": 400.0}, DeviceRole.SECONDARY),
        ({"supply_c": 45.0, "return_c": 38.0, "flow_m3h": 0.3, "power_kw": 4.0}, DeviceRole.BRANCH),
    ],
)
def test_a_meters_values_tell_its_role(quantities: dict[str, float], role: DeviceRole) -> None:
    found = meter(**quantities)
    assert (found.kind, found.role) == (DeviceKind.METER, role)
    assert found.sample == quantities
    assert 0.5 < found.confidence < BY_TOPIC


@pytest.mark.parametrize(
    ("said_c", "kind", "profile"),
    [
        (21.5, DeviceKind.ROOM, None),
        (-12.0, DeviceKind.WEATHER, "outdoor"),
        (70.0, DeviceKind.ROOM, "room-fahrenheit"),
        (215.0, DeviceKind.ROOM, "room-tenths"),
        (4000.0, DeviceKind.ROOM, None),
    ],
)
def test_a_rooms_temperature_may_be_doubted(
    said_c: float, kind: DeviceKind, profile: str | None
) -> None:
    found = about(UPLINK, {"object": {"temperature": said_c}})
    assert (found.kind, found.role, found.profile) == (kind, DeviceRole(kind.value), profile)
    assert profile is None or builtin()[profile].kind is kind


def test_a_guess_says_why_in_both_languages() -> None:
    found = about(UPLINK, {"object": {"temperature": 21}, "deviceInfo": {"deviceName": "301"}})
    assert (found.format, found.uid, found.label) == (
        "chirpstack",
        "chirpstack:0102030405060708",
        "301",
    )
    assert [one.en for one in found.reasons] == [
        "It is chirpstack: its topic is of that format.",
        "Its temperature is that of a room.",
    ]
    assert all(one.zh and one.zh != one.en for one in found.reasons)


@pytest.mark.parametrize("name", [one.name for one in wire.FORMATS if one.name != "wmbusmeters"])
def test_what_any_simulated_room_sensor_says_is_a_room(name: str) -> None:
    one = wire.FORMATS[wire.NUMBER[name]]
    device = one.identify("town", "T-S1-B01-E1-0101", 4, "gw")
    message = one.say(device, wire.RoomReading(AT_S, AT_S, 0, 21.37, 45.2, 88.0), UTC)[0]
    found = guess(message.topic, message.payload, NOW, FORMATS)
    assert found.format == name
    if name in {"sparkplug", "ctwing"}:
        return  # needs an earlier message, or for every second device a profile
    assert (found.uid, found.kind) == (device.uid, DeviceKind.ROOM)
    assert abs(found.sample["temperature_c"] - 21.37) <= 0.05  # Tasmota says tenths


@pytest.mark.parametrize(
    "name",
    ["chirpstack", "tts", "wmbusmeters", "alink", "onenet", "iotda", "tasmota", "zigbee2mqtt"],
)
def test_the_shape_tells_a_format_on_a_strange_topic(name: str) -> None:
    one = wire.FORMATS[wire.NUMBER[name]]
    device = one.identify("town", "T-S1-B01-E1-0101", 4, "gw")
    if name == "wmbusmeters":
        assert one.say_meter is not None
        quantities = {"supply_c": 50.0, "return_c": 40.0, "flow_m3h": 0.5, "power_kw": 5.0}
        said = one.say_meter(device, wire.MeterReading(AT_S, AT_S, 1, quantities), UTC)[0]
    else:
        said = one.say(device, wire.RoomReading(AT_S, AT_S, 1, 21.37, 45.2, 88.0), UTC)[0]
    found = about("factory/7/d1", said.payload)
    assert found.format == name
    assert found.kind is (DeviceKind.METER if name == "wmbusmeters" else DeviceKind.ROOM)
    assert 0.0 < found.confidence <= BY_SHAPE
    if name in {"chirpstack", "tts", "wmbusmeters"}:
        assert found.uid == device.uid


@pytest.mark.parametrize("name", ["alink", "onenet", "iotda", "chirpstack", "tts"])
def test_the_end_of_a_topic_tells_behind_a_bridges_prefix(name: str) -> None:
    one = wire.FORMATS[wire.NUMBER[name]]
    device = one.identify("town", "T-S1-B01-E1-0101", 4, "gw")
    said = one.say(device, wire.RoomReading(AT_S, AT_S, 1, 21.37, 45.2, 88.0), UTC)[0]
    for prefix in ("north/", "north"):
        found = about(f"{prefix}/{said.topic.lstrip('/$')}", said.payload)
        assert (found.format, found.uid) == (name, device.uid)


def test_content_that_names_its_device_is_known_anywhere() -> None:
    found = about("x", [{"bn": "urn:dev:ow:1", "u": "Cel", "v": 20}])
    assert (found.format, found.uid) == ("senml", "senml:urn:dev:ow:1")
    assert found.confidence <= BY_CONTENT


def test_our_own_shape_on_a_strange_topic() -> None:
    found = about("x/dev7", {"ts": AT_S, "temperature_c": 20.0})
    assert (found.format, found.uid, found.kind) == ("own", "own:x/dev7", DeviceKind.ROOM)


def test_of_several_devices_the_one_that_is_asked_for() -> None:
    pack = [
        {"bn": "a", "bt": AT_S, "u": "Cel", "v": 20},
        {"bn": "b", "u": "Cel", "v": -20},
    ]
    assert about("senml/x", pack, "senml:b").kind is DeviceKind.WEATHER
    assert about("senml/x", pack).uid == "senml:a"


def test_what_cannot_be_read_is_said() -> None:
    found = about(UPLINK, {"object": {"temperature": "warm"}})
    assert found.uid == "chirpstack:0102030405060708"
    assert found.kind is None
    assert found.confidence < BY_TOPIC / 2
    assert "warm" in found.reasons[-1].en


@pytest.mark.parametrize("payload", [b"", b"hello", b"\xff\x00", b"[]", b"5", b'{"lamp":"on"}'])
def test_nothing_known_is_no_guess_but_a_reason(payload: bytes) -> None:
    found = about("elsewhere", payload)
    assert (found.format, found.uid, found.confidence) == (None, None, 0.0)
    assert found.reasons


def test_a_company_decoder_that_fails_does_not_stop_a_guess() -> None:
    broken = Format("broken", ("x",), lambda *_: 1 / 0)  # type: ignore[arg-type, return-value]
    found = guess("x", b"1", NOW, Registry((broken,)))
    assert (found.format, found.kind) == ("broken", None)
    silent = Format("silent", ("x",), lambda *_: Decoded())
    assert guess("x", b"1", NOW, Registry((silent,))).uid is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["params", "services", "deviceInfo", "devEui", "Time", "ts", "id", "_"])
            | st.text(max_size=6),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)
ENDS = [topic.replace("+", "x").replace("#", "y") for one in OURS for topic in one.topics]


@given(st.sampled_from(["", "a/", "a"]), st.sampled_from([*ENDS, "x", ""]), JSON)
def test_any_message_is_guessed_at(prefix: str, end: str, said: Any) -> None:
    found = about(prefix + end, said)
    assert 0.0 <= found.confidence <= 1.0
    assert found.reasons
    assert (found.kind is None) == (found.role is None)


def test_a_heat_meter_that_says_where_it_measures_the_flow_is_believed() -> None:
    telegram = {
        "media": "heat volume at inlet",
        "id": "66666666",
        "t1_temperature_c": 52.29,
        "t2_temperature_c": 23.01,
        "timestamp": "2023-01-14T07:20:22Z",
    }
    body = json.dumps(telegram).encode()
    found = guess("wmbusmeters/66666666", body, NOW, Registry())
    assert (found.kind, found.flow_pipe) == (DeviceKind.METER, FlowPipe.SUPPLY)
