"""Alibaba Alink: ``/sys/{productKey}/{deviceName}/thing/event/property/post``.

``params.{Name}`` holds ``value`` and ``time`` in milliseconds, each property its own. The topic
begins with a slash, so its first level is empty. The town is the product key.

Source: help.aliyun.com 89301.
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
    topic = f"/sys/{site}/{device}/thing/event/property/post"
    return Identity(f"alink:{site}/{device}", device, topic, place)


def say(identity: Identity, reading: RoomReading, _zone: tzinfo) -> tuple[Said, ...]:
    """One report of properties."""
    at_ms = reading.stamp_s * 1000
    params = {"CurrentTemperature": {"value": reading.temperature_c, "time": at_ms}}
    if reading.humidity_pct is not None:
        params["CurrentHumidity"] = {"value": reading.humidity_pct, "time": at_ms}
    if reading.battery_pct is not None and reading.frame % _BATTERY_EVERY == 0:
        params["BatteryPercentage"] = {"value": reading.battery_pct, "time": at_ms}
    report = {
        "id": str(reading.frame),
        "version": "1.0",
        "sys": {"ack": 0},
        "params": params,
        "method": "thing.event.property.post",
    }
    return (Said(identity.topic, _encode(report)),)


FORMAT = Format("alink", identify, say, clock=Clock.DEVICE, recall=one_by_one(say))
