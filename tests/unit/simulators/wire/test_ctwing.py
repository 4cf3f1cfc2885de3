"""CTWing: a model's properties, sometimes as text, or a vendor's frame in base64."""

from __future__ import annotations

import json
import struct
from base64 import b64decode
from binascii import crc_hqx
from datetime import UTC
from typing import Any

from simulators.wire import RoomReading, ctwing

AT_S = 1_768_197_626


def report(serial: int, reading: RoomReading | None = None) -> dict[str, Any]:
    identity = ctwing.identify("hm", "H-S1-B01-E1-0302", serial, "GW")
    reading = reading or RoomReading(AT_S, AT_S, 70_000, 21.5, 40.3, 80.0, fraction_ns=842_000_000)
    (said,) = ctwing.say(identity, reading, UTC)
    message: dict[str, Any] = json.loads(said.payload)
    assert identity.uid == f"ctwing:{message['deviceId']}"
    assert said.topic == f"ctwing/hm/{message['deviceId']}"
    return message


def test_half_of_the_devices_pass_their_frames_through() -> None:
    through = sum("APPdata" in report(serial)["payload"] for serial in range(200))
    assert 70 < through < 130


def test_a_frame_is_what_the_module_documents() -> None:
    message = next(m for m in map(report, range(50)) if "APPdata" in m["payload"])
    raw = b64decode(message["payload"]["APPdata"])
    assert len(raw) == 12
    magic, version, tenths, damp, battery, frame, check = struct.unpack(">2sBhHBHH", raw)
    assert (magic, version) == (b"HL", 1)
    assert (tenths, damp, battery, frame) == (215, 403, 80, 70_000 - 65_536)
    assert check == crc_hqx(raw[:-2], 0xFFFF)


def test_a_frame_holds_frost_and_what_is_unknown() -> None:
    raw = ctwing.frame(RoomReading(AT_S, AT_S, 1, -12.3))
    assert struct.unpack(">hHB", raw[3:8]) == (-123, 0xFFFF, 0xFF)


def test_some_firmware_writes_numbers_as_text() -> None:
    told = [report(serial)["payload"].get("serviceData") for serial in range(60)]
    seen = [one for one in told if one]
    assert {"temperature": 21.5, "humidity": 40.3, "battery_level": 80.0} in seen
    assert {"temperature": "21.5", "humidity": "40.3%", "battery_level": "80.0%"} in seen


def test_the_platform_dates_in_milliseconds() -> None:
    assert report(1)["timestamp"] == AT_S * 1000 + 842
