"""ChirpStack v4 uplinks: ``application/{app}/device/{devEui}/event/up``.

JSON of a protobuf: fields at their default (0, false) are left out, the network's time has nine
decimals. The codec's result is ``object``. A Milesight sensor that could not be heard delivers
its memory later as ``object.history``, each entry with its own ``timestamp`` (Unix s).

Source: chirpstack.io/docs, "Integrations: events"; Milesight SensorDecoders, em300-th.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from zlib import crc32

import msgspec

from simulators.wire.instants import nanoseconds
from simulators.wire.model import Format, Identity, RoomReading, Said

_encode = msgspec.json.Encoder().encode

CHIRPSTACK_APPLICATION = "6c0d1f5e-7a53-4d5b-9f6a-0b7e2f1c9a44"
HISTORY_ENTRIES = 10
"""Remembered readings in one uplink: what a LoRaWAN payload holds."""
_MILESIGHT = "24e124"
_BATTERY_EVERY = 6


def dev_eui(serial: int) -> str:
    """A plausible EUI-64 for a serial number, 16 hexadecimal digits."""
    return f"{_MILESIGHT}{serial % (1 << 40):010x}"


def chirpstack_topic(eui: str) -> str:
    """Topic of a ChirpStack v4 uplink."""
    return f"application/{CHIRPSTACK_APPLICATION}/device/{eui}/event/up"


def chirpstack_up(
    eui: str,
    name: str,
    at_s: int,
    *,
    frame: int,
    temperature_c: float,
    humidity_pct: float | None = None,
    battery_pct: float | None = None,
    fraction_ns: int = 0,
) -> bytes:
    """A ChirpStack v4 uplink with one present measurement."""
    codec: dict[str, object] = {"temperature": temperature_c}
    if humidity_pct is not None:
        codec["humidity"] = humidity_pct
    if battery_pct is not None:
        codec["battery"] = battery_pct
    return _uplink(eui, name, at_s, codec, frame=frame, fraction_ns=fraction_ns)


def _uplink(
    eui: str, name: str, at_s: int, codec: dict[str, object], *, frame: int, fraction_ns: int
) -> bytes:
    """The event around a codec's result; protobuf defaults left out."""
    mark = crc32(f"{eui}/{at_s}".encode())
    event: dict[str, object] = {
        "deduplicationId": f"{mark:08x}-0000-4000-8000-{eui[-12:]}",
        "time": nanoseconds(at_s, fraction_ns, "+00:00"),
        "deviceInfo": {
            "applicationId": CHIRPSTACK_APPLICATION,
            "deviceName": name,
            "devEui": eui,
        },
        "devAddr": f"{mark % (1 << 25):08x}",
        "fPort": 85,
        "object": codec,
    }
    if frame:
        event["fCnt"] = frame
    if mark % 6:
        event["dr"] = mark % 6
    return _encode(event)


def identify(_site: str, place: str, serial: int, _gateway: str) -> Identity:
    """A LoRaWAN sensor, known by its EUI."""
    eui = dev_eui(serial)
    return Identity(f"chirpstack:{eui}", eui, chirpstack_topic(eui), place)


def say(identity: Identity, reading: RoomReading, _zone: tzinfo) -> tuple[Said, ...]:
    """The uplink of a present measurement; the battery only now and then."""
    frame = reading.frame
    payload = chirpstack_up(
        identity.name,
        identity.place,
        reading.at_s,
        frame=frame,
        temperature_c=reading.temperature_c,
        humidity_pct=reading.humidity_pct,
        battery_pct=reading.battery_pct if frame % _BATTERY_EVERY == 0 else None,
        fraction_ns=reading.fraction_ns,
    )
    return (Said(identity.topic, payload),)


def recall(
    identity: Identity, readings: Sequence[RoomReading], due_s: int, _zone: tzinfo
) -> tuple[Said, ...]:
    """The uplinks of a device's memory, heard at ``due_s``; none holds a present measurement."""
    said = []
    for first in range(0, len(readings), HISTORY_ENTRIES):
        held = readings[first : first + HISTORY_ENTRIES]
        codec: dict[str, object] = {"history": [_remembered(reading) for reading in held]}
        payload = _uplink(
            identity.name,
            identity.place,
            due_s,
            codec,
            frame=held[-1].frame,
            fraction_ns=held[-1].fraction_ns,
        )
        said.append(Said(identity.topic, payload, len(held)))
    return tuple(said)


def _remembered(reading: RoomReading) -> dict[str, object]:
    entry: dict[str, object] = (
        {} if reading.humidity_pct is None else {"humidity": reading.humidity_pct}
    )
    return entry | {"temperature": reading.temperature_c, "timestamp": reading.stamp_s}


FORMAT = Format("chirpstack", identify, say, recall=recall)
