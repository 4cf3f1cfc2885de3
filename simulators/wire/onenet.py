"""China Mobile OneNET (thing model): ``$sys/{product}/{device}/thing/property/post``.

``params.{Name}.value``, with the optional ``time`` in milliseconds. The town is the product.
"""

from __future__ import annotations

from datetime import tzinfo

import msgspec

from simulators.wire.model import Clock, Format, Identity, RoomReading, Said, one_by_one

_encode = msgspec.json.Encoder().encode

_BATTERY_EVERY = 6


def identify(site: str, place: str, _serial: int, _gateway: str) -> Identity:
    """A device of the town's product."""
    device = f"{place}-T1"
    topic = f"$sys/{site}/{device}/thing/property/post"
    return Identity(f"onenet:{site}/{device}", device, topic, place)


def say(identity: Identity, reading: RoomReading, _zone: tzinfo) -> tuple[Said, ...]:
    """One report of properties; the battery, a text, only now and then."""
    at_ms = reading.stamp_s * 1000
    params: dict[str, object] = {"Temp": {"value": reading.temperature_c, "time": at_ms}}
    if reading.humidity_pct is not None:
        params["Hum"] = {"value": reading.humidity_pct, "time": at_ms}
    if reading.battery_pct is not None and reading.frame % _BATTERY_EVERY == 0:
        params["Battery"] = {"value": f"{reading.battery_pct:.0f}%", "time": at_ms}
    report = {"id": str(reading.frame), "version": "1.0", "params": params}
    return (Said(identity.topic, _encode(report)),)


FORMAT = Format("onenet", identify, say, clock=Clock.DEVICE, recall=one_by_one(say))
