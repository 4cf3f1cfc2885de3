"""SenML (RFC 8428): a pack of records, base name and base time in the first, times relative.

The base name alone is the temperature's name; humidity and battery add ``_humidity`` and
``_battery`` (RFC 9039, section 6). A backlog is one pack: base time is the instant of sending,
every record's ``t`` counts back from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

import msgspec

from simulators.wire.model import Clock, Format, Identity, RoomReading, Said, fingerprint

_encode = msgspec.json.Encoder().encode

PACK_READINGS = 20
"""Readings in one pack of a backlog."""


def identify(site: str, place: str, serial: int, _gateway: str) -> Identity:
    """A device known by its base name, a 1-Wire URN."""
    mark = f"10{fingerprint(site, place, serial, 14)}"
    base = f"urn:dev:ow:{mark}"
    return Identity(f"senml:{base}", base, f"senml/{site}/{mark}", place)


def say(identity: Identity, reading: RoomReading, _zone: tzinfo) -> tuple[Said, ...]:
    """A pack of one reading."""
    return (_pack(identity, [reading], reading.stamp_s),)


def recall(
    identity: Identity, readings: Sequence[RoomReading], due_s: int, _zone: tzinfo
) -> tuple[Said, ...]:
    """Packs of what a device kept; sent at ``due_s``, by a clock as wrong as the readings'."""
    sent_s = due_s + readings[0].stamp_s - readings[0].at_s
    return tuple(
        _pack(identity, readings[first : first + PACK_READINGS], sent_s)
        for first in range(0, len(readings), PACK_READINGS)
    )


def _pack(identity: Identity, readings: Sequence[RoomReading], base_s: int) -> Said:
    """Records of some readings; a relative time of 0 is left out."""
    records: list[dict[str, object]] = []
    for reading in readings:
        ago = {"t": reading.stamp_s - base_s} if reading.stamp_s != base_s else {}
        records.append({"u": "Cel", **ago, "v": reading.temperature_c})
        if reading.humidity_pct is not None:
            records.append({"n": "_humidity", "u": "%RH", **ago, "v": reading.humidity_pct})
        if reading.battery_pct is not None:
            records.append({"n": "_battery", "u": "%EL", **ago, "v": reading.battery_pct})
    records[0] = {"bn": identity.name, "bt": float(base_s), **records[0]}
    return Said(identity.topic, _encode(records), len(readings))


FORMAT = Format("senml", identify, say, clock=Clock.DEVICE, recall=recall)
