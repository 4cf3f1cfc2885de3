"""Our messages beside real ones: same levels of topic, same keys, same types of values.

The vectors are public messages collected for the project; without them these tests are skipped.
"""

from __future__ import annotations

import json
import os
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from simulators import wire
from simulators.wire import MeterReading, RoomReading, sparkplug

AT_S = 1_768_197_626
MEASURED = {
    "supply_c": 61.25,
    "return_c": 44.05,
    "flow_m3h": 3.125,
    "power_kw": 62.04,
    "energy_kwh": 7173.6,
    "volume_m3": 268.71,
}
READING = RoomReading(AT_S, AT_S, 6, 21.5, 40.2, 80.0, fraction_ns=7, turn=1)
OPTIONAL: dict[str, set[str]] = {
    "chirpstack_v4+milesight": {
        "deviceInfo.tenantId",
        "deviceInfo.tenantName",
        "deviceInfo.applicationName",
        "deviceInfo.deviceProfileId",
        "deviceInfo.deviceProfileName",
        "deviceInfo.tags",
        "data",
        "dr",
    },
    "zigbee2mqtt": set(),
    "tasmota": set(),
    "senml": set(),
    "onenet_thing": set(),
    "alink": {"params.Power", "params.WF"},  # whatever a product's model names
    "ctwing_transparent": set(),
    "wmbusmeters_kamheat": set(),
    "wmbusmeters_sharky": set(),
}
OPTIONAL["chirpstack_v4+milesight_history"] = OPTIONAL["chirpstack_v4+milesight"]


def _file() -> Path:
    named = os.environ.get("HEARTHLINE_SHARED_DATA")
    folder = Path(named).parent if named else Path(__file__).resolve().parents[5] / "shared"
    return folder / "payloads.jsonl"


@pytest.fixture(scope="module")
def vectors() -> dict[str, dict[str, Any]]:
    if not _file().is_file():
        pytest.skip("the collection of real messages is not on this machine")
    lines = map(json.loads, _file().read_text(encoding="utf-8").splitlines())
    return {vector["format"]: vector for vector in lines}


def identity(name: str, serial: int = 1) -> wire.Identity:
    one = wire.FORMATS[wire.NUMBER[name]]
    return one.identify("hm", "H-S1-B01-E1-0302", serial, "H-S1-B01-GW1")


def room(name: str, serial: int = 1, reading: RoomReading = READING) -> wire.Said:
    say = wire.FORMATS[wire.NUMBER[name]].say
    assert say is not None
    return say(identity(name, serial), reading, UTC)[0]


def history() -> wire.Said:
    recall = wire.FORMATS[wire.NUMBER["chirpstack"]].recall
    assert recall is not None
    return recall(identity("chirpstack"), [READING], AT_S + 60, UTC)[0]


def tasmota() -> wire.Said:
    """A module whose section has the vector's name and nothing beside."""
    said = (room("tasmota", serial) for serial in range(200))
    return next(
        one for one in said if set(json.loads(one.payload)) == {"Time", "DS18B20", "TempUnit"}
    )


def transparent() -> wire.Said:
    said = (room("ctwing", serial) for serial in range(50))
    return next(one for one in said if b"APPdata" in one.payload)


def telegram(driver: str) -> wire.Said:
    one = wire.FORMATS[wire.NUMBER["wmbusmeters"]]
    assert one.say_meter is not None
    reading = MeterReading(AT_S, AT_S, 12, MEASURED)
    said = (one.say_meter(identity("wmbusmeters", n), reading, UTC)[0] for n in range(60))
    return next(one for one in said if f'"meter":"{driver}"'.encode() in one.payload)


MESSAGES = {
    "chirpstack_v4+milesight": lambda: room("chirpstack"),
    "chirpstack_v4+milesight_history": history,
    "zigbee2mqtt": lambda: room("zigbee2mqtt"),
    "tasmota": tasmota,
    "senml": lambda: room("senml"),
    "onenet_thing": lambda: room("onenet"),
    "alink": lambda: room("alink"),
    "ctwing_transparent": transparent,
    "wmbusmeters_kamheat": lambda: telegram("kamheat"),
    "wmbusmeters_sharky": lambda: telegram("sharky"),
}


def missing(real: Any, ours: Any, path: str = "") -> set[str]:
    """Paths of the real message that ours lacks or gives another type; null fits anything."""
    if real is None or ours is None:
        return set()
    if isinstance(real, dict) and isinstance(ours, dict):
        found = set()
        for key, value in real.items():
            below = f"{path}.{key}" if path else key
            found |= {below} if key not in ours else missing(value, ours[key], below)
        return found
    if isinstance(real, list) and isinstance(ours, list):
        return missing(real[0], ours[0], path) if real and ours else set()
    numbers = isinstance(real, int | float) and isinstance(ours, int | float)
    return set() if numbers or type(real) is type(ours) else {path}


@pytest.mark.parametrize("name", MESSAGES)
def test_our_message_has_what_the_real_one_has(
    vectors: dict[str, dict[str, Any]], name: str
) -> None:
    vector, said = vectors[name], MESSAGES[name]()
    assert missing(vector["payload"], json.loads(said.payload)) <= OPTIONAL[name]


@pytest.mark.parametrize(
    "name", [name for name in MESSAGES if name not in ("senml", "zigbee2mqtt")]
)
def test_our_topic_has_the_levels_of_the_real_one(
    vectors: dict[str, dict[str, Any]], name: str
) -> None:
    real, ours = vectors[name]["topic"].split("/"), MESSAGES[name]().topic.split("/")
    if real == [""]:
        return  # pushed: the topic is the bridge's
    assert len(ours) == len(real)
    fixed = {"application", "device", "event", "up", "tele", "SENSOR", "wmbusmeters", "$sys"}
    fixed |= {"thing", "property", "post", "sys"}
    assert [one for one in ours if one in fixed] == [one for one in real if one in fixed]


def test_a_bare_value_is_a_bare_value(vectors: dict[str, dict[str, Any]]) -> None:
    vector, said = vectors["homie5"], room("homie")
    assert said.topic.split("/")[:2] == vector["topic"].split("/")[:2]
    assert said.topic.split("/")[4] == vector["topic"].split("/")[4]
    assert float(said.payload) == 21.5
    assert isinstance(vector["payload"], str)


def tags(raw: bytes) -> list[int]:
    """Tag and wire type of every field of a message, in order."""
    at, found = 0, []

    def varint() -> int:
        nonlocal at
        number = shift = 0
        while True:
            number |= (raw[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if raw[at - 1] < 0x80:
                return number

    while at < len(raw):
        key = varint()
        found.append(key)
        if key & 7 == 0:
            varint()
        elif key & 7 == 2:
            size = varint()
            found += tags(raw[at : at + size]) if key == 0x12 else []
            at += size
        else:
            at += 4 if key & 7 == 5 else 8
    return found


def test_sparkplug_data_has_the_fields_of_the_real_one(
    vectors: dict[str, dict[str, Any]],
) -> None:
    real = vectors["sparkplug_ddata_hex"]
    said = room("sparkplug", reading=RoomReading(AT_S, AT_S, 1, 17.9, turn=1))
    assert tags(said.payload) == tags(bytes.fromhex(real["payload"]))
    assert len(said.topic.split("/")) == len(real["topic"].split("/"))


def test_a_sparkplug_birth_declares_as_the_real_one_does(
    vectors: dict[str, dict[str, Any]],
) -> None:
    real = vectors["sparkplug_dbirth_hex"]
    birth = sparkplug.hello(sparkplug.ROOM_METRICS, [identity("sparkplug")], AT_S, 0)[1]
    declared, real_tags = tags(birth.payload), tags(bytes.fromhex(real["payload"]))
    metric = [0x0A, 0x10, 0x18, 0x20]  # name, alias, timestamp, datatype
    assert declared[:6] == [0x08, 0x12, *metric]
    assert metric[0] in real_tags
    assert metric == real_tags[7:11]
    assert declared[-1] == real_tags[-1] == 0x18
    assert birth.topic.split("/")[2] == real["topic"].split("/")[2]
