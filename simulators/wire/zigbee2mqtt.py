"""Zigbee2MQTT: ``zigbee2mqtt/{friendly name}``, flat JSON with nulls; names hold spaces, slashes.

Devices have no clock; ``last_seen`` is the host's, which hears at once or never.
"""

from __future__ import annotations

from datetime import tzinfo

import msgspec

from simulators.wire.instants import iso
from simulators.wire.model import Format, Identity, RoomReading, Said

_encode = msgspec.json.Encoder().encode


def zigbee_topic(friendly_name: str) -> str:
    """Topic of a Zigbee2MQTT device; friendly names hold spaces and slashes."""
    return f"zigbee2mqtt/{friendly_name}"


def zigbee_state(
    at_s: int,
    zone: tzinfo,
    temperature_c: float,
    humidity_pct: float | None = None,
    battery_pct: float | None = None,
) -> bytes:
    """A Zigbee2MQTT state: flat, null for what the device did not say lately."""
    return _encode(
        {
            "battery": battery_pct,
            "humidity": humidity_pct,
            "last_seen": iso(at_s, zone),
            "linkquality": 40 + at_s % 160,
            "pressure": None,
            "temperature": temperature_c,
            "voltage": None,
        }
    )


def identify(_site: str, place: str, _serial: int, _gateway: str) -> Identity:
    """A sensor with the friendly name that an installer would give it."""
    building, entrance, door = place.rsplit("-", 2)
    friendly = f"{building}/{entrance} {door.lstrip('0')} living room"
    return Identity(f"zigbee2mqtt:{friendly}", friendly, zigbee_topic(friendly), place)


def say(identity: Identity, reading: RoomReading, zone: tzinfo) -> tuple[Said, ...]:
    """The state after a report; every fourth lacks the humidity."""
    damp = reading.humidity_pct if reading.frame % 4 else None
    payload = zigbee_state(reading.at_s, zone, reading.temperature_c, damp, reading.battery_pct)
    return (Said(identity.topic, payload),)


FORMAT = Format("zigbee2mqtt", identify, say)
