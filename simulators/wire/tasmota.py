"""Tasmota: ``tele/{topic}/SENSOR``, nested by sensor, dated in local time without a zone.

The room is the DS18B20, known by its ``Id``: the name of its section is not stable. A module that
once found two probes numbers them, and which number this one gets changes with the next start
(the probe that fell off is left out). Some modules also tell their chip's own temperature
(``ESP32``, no ``Id``: never a room) and an analogue input. ``TempUnit`` is C or F.

Source: tasmota.github.io/docs/MQTT, /docs/DS18x20.
"""

from __future__ import annotations

from datetime import tzinfo
from zlib import crc32

import msgspec

from simulators.wire.instants import without_zone
from simulators.wire.model import (
    Clock,
    Format,
    Identity,
    RoomReading,
    Said,
    fingerprint,
    one_by_one,
)

_encode = msgspec.json.Encoder().encode
_DAY_S = 86400


def identify(site: str, place: str, serial: int, _gateway: str) -> Identity:
    """A module with one DS18B20, known by that probe's ROM code."""
    mark = fingerprint(site, place, serial, 18).upper()
    probe, module = mark[:12], mark[12:]
    return Identity(f"tasmota:{probe}", probe, f"tele/{site}_tasmota_{module}/SENSOR", place)


def section(probe: str, stamp_s: int) -> str:
    """The name under which a module tells its probe on a day."""
    mark = crc32(probe.encode())
    if mark % 3 == 0:
        return "DS18B20"
    return f"DS18B20-{1 + crc32(probe.encode(), stamp_s // _DAY_S) % 2}"


def in_fahrenheit(probe: str) -> bool:
    """Whether a module was left at its factory's unit."""
    return crc32(probe.encode()) % 4 == 1


def say(identity: Identity, reading: RoomReading, zone: tzinfo) -> tuple[Said, ...]:
    """The periodic telemetry of a module."""
    probe = identity.name
    mark, fahrenheit = crc32(probe.encode()), in_fahrenheit(identity.name)
    shown = reading.temperature_c
    chip = 41.7 + mark % 7
    if fahrenheit:
        shown, chip = shown * 1.8 + 32.0, chip * 1.8 + 32.0
    told: dict[str, object] = {
        "Time": without_zone(reading.stamp_s, zone),
        section(probe, reading.stamp_s): {"Id": probe, "Temperature": round(shown, 1)},
    }
    if mark % 5 == 0:
        told["ANALOG"] = {"A0": 200 + mark % 800}
    if mark % 2 == 0:
        told["ESP32"] = {"Temperature": round(chip, 1)}
    told["TempUnit"] = "F" if fahrenheit else "C"
    return (Said(identity.topic, _encode(told)),)


FORMAT = Format("tasmota", identify, say, clock=Clock.DEVICE, recall=one_by_one(say))
