"""Messages as devices send them: our own format, ChirpStack v4 and Zigbee2MQTT.

Pure encoders: plain numbers in, topic and bytes out. They know what each format leaves out,
rounds or writes its own way, and nothing of the town. Instants are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from enum import IntEnum
from functools import lru_cache
from zlib import crc32

import msgspec

from hearthline.domain.places import DeviceKind

_encode = msgspec.json.Encoder().encode

CHIRPSTACK_APPLICATION = "6c0d1f5e-7a53-4d5b-9f6a-0b7e2f1c9a44"
_MILESIGHT = "24e124"


class TimeStyle(IntEnum):
    """How a device of our own format writes an instant; all are legal."""

    LOCAL = 0
    UTC = 1
    SECONDS = 2
    MILLISECONDS = 3


def own_topic(site: str, device: str, kind: DeviceKind) -> str:
    """Topic of our own format; ``device`` may be a gateway."""
    return f"hearthline/v1/{site}/{device}/{kind}"


def iso(at_s: int, zone: tzinfo) -> str:
    """RFC 3339 text of a Unix second in a time zone; ``Z`` for UTC."""
    quarter, rest = divmod(at_s, 900)
    before, minute, after = _quarter(quarter, zone)
    return f"{before}{minute + rest // 60:02d}:{rest % 60:02d}{after}"


@lru_cache(maxsize=256)
def _quarter(quarter: int, zone: tzinfo) -> tuple[str, int, str]:
    """What all instants of a quarter of an hour share: text before the minute, minute, zone."""
    at = datetime.fromtimestamp(quarter * 900, zone)
    text = at.isoformat()
    return text[:14], at.minute, text[19:].replace("+00:00", "Z")


def instant(at_s: int, style: TimeStyle, zone: tzinfo) -> str | int:
    """An instant as our own format may write it."""
    if style is TimeStyle.SECONDS:
        return at_s
    if style is TimeStyle.MILLISECONDS:
        return at_s * 1000
    return iso(at_s, zone if style is TimeStyle.LOCAL else _UTC)


_UTC = timezone(timedelta(0))


def own_item(
    quantities: Mapping[str, float | None],
    ts: str | int,
    *,
    seq: int | None = None,
    device: str | None = None,
) -> bytes:
    """One reading of our own format; quantities that are None were not measured and not sent."""
    item: dict[str, object] = {} if device is None else {"device": device}
    item["ts"] = ts
    if seq is not None:
        item["seq"] = seq
    if None in quantities.values():
        quantities = {name: value for name, value in quantities.items() if value is not None}
    item.update(quantities)
    return _encode(item)


def own_array(items: Sequence[bytes]) -> bytes:
    """Encoded readings batched by a gateway."""
    return b"[" + b",".join(items) + b"]"


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
    """A ChirpStack v4 uplink: nanoseconds in the time, protobuf defaults (0, false) left out."""
    codec: dict[str, float] = {"temperature": temperature_c}
    if humidity_pct is not None:
        codec["humidity"] = humidity_pct
    if battery_pct is not None:
        codec["battery"] = battery_pct
    mark = crc32(f"{eui}/{at_s}".encode())
    event: dict[str, object] = {
        "deduplicationId": f"{mark:08x}-0000-4000-8000-{eui[-12:]}",
        "time": f"{iso(at_s, _UTC)[:-1]}.{fraction_ns:09d}+00:00",
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
