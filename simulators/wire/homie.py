"""Homie 5: ``homie/5/{device}/{node}/{property}``, one bare value a topic, no time anywhere.

A device describes itself in ``$description`` and lives in ``$state``; both are retained, ``lost``
is its last will. A room's temperature carries the reading; humidity and battery come as messages
of their own. Values are not retained: an old one could not be told from a new one.

Source: homieiot.github.io, convention 5.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from zlib import crc32

import msgspec

from simulators.wire.model import Clock, Format, Identity, Presence, RoomReading, Said

_encode = msgspec.json.Encoder().encode

NODE = "room"
_BATTERY_EVERY = 6
_NODES = {
    NODE: {
        "name": "Living room",
        "properties": {
            "battery": {"name": "Battery", "datatype": "integer", "unit": "%", "retained": False},
            "humidity": {"name": "Humidity", "datatype": "float", "unit": "%", "retained": False},
            "temperature": {
                "name": "Temperature",
                "datatype": "float",
                "unit": "°C",
                "retained": False,
            },
        },
    }
}


def identify(site: str, place: str, _serial: int, _gateway: str) -> Identity:
    """A device per dwelling; ids are lower case letters, digits and hyphens."""
    device = f"{site}-{place}".lower().replace("_", "-")
    return Identity(f"homie:{device}/{NODE}", device, f"homie/5/{device}/{NODE}", place)


def say(identity: Identity, reading: RoomReading, _zone: tzinfo) -> tuple[Said, ...]:
    """The temperature, and what else was measured."""
    topic = identity.topic
    said = [Said(f"{topic}/temperature", str(reading.temperature_c).encode())]
    if reading.humidity_pct is not None:
        said.append(Said(f"{topic}/humidity", str(reading.humidity_pct).encode(), 0))
    if reading.battery_pct is not None and reading.frame % _BATTERY_EVERY == 0:
        said.append(Said(f"{topic}/battery", str(round(reading.battery_pct)).encode(), 0))
    return tuple(said)


def hello(devices: Sequence[Identity], _at_s: int, _session: int) -> tuple[Said, ...]:
    """Each device's description, then that it is ready."""
    said = []
    for device in devices:
        base = device.topic.rpartition("/")[0]
        described = {
            "homie": "5.0",
            "version": crc32(device.name.encode()),
            "name": device.place,
            "nodes": _NODES,
        }
        said.append(Said(f"{base}/$state", b"init", 0, True))
        said.append(Said(f"{base}/$description", _encode(described), 0, True))
        said.append(Said(f"{base}/$state", b"ready", 0, True))
    return tuple(said)


def bye(devices: Sequence[Identity], _at_s: int, _session: int) -> tuple[Said, ...]:
    """The last wills."""
    return tuple(
        Said(f"{device.topic.rpartition('/')[0]}/$state", b"lost", 0, True) for device in devices
    )


FORMAT = Format("homie", identify, say, clock=Clock.NONE, presence=Presence(hello, bye))
