"""China Telecom AEP/CTWing, bridged to ``ctwing/{site}/{deviceId}``.

Half of the devices are of a product whose model AEP knows: ``payload.serviceData``, in which some
firmware writes numbers as text ("45.2%"). The others pass their frame through: ``payload.APPdata``
is base64 of a vendor's frame of 12 bytes, big-endian:

    0   48 4C   magic "HL"
    2   01      version
    3   i16     temperature, 0.1 °C
    5   u16     relative humidity, 0.1 %, FFFF unknown
    7   u8      battery, %, FF unknown
    8   u16     frame counter, modulo 65536
    10  u16     CRC-16/CCITT-FALSE of bytes 0 to 9

The platform dates the message (``timestamp``, ms); a device that it cannot reach is not heard.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from binascii import crc_hqx
from datetime import tzinfo
from zlib import crc32

import msgspec

from simulators.wire.model import Format, Identity, RoomReading, Said, fingerprint

_encode = msgspec.json.Encoder().encode

MAGIC, VERSION = b"HL", 1
UNKNOWN_HUMIDITY, UNKNOWN_BATTERY = 0xFFFF, 0xFF
TRANSPARENT_PRODUCT, MODELLED_PRODUCT = "15114816", "15114817"
_FRAME = struct.Struct(">2sBhHBH")


def identify(site: str, place: str, serial: int, _gateway: str) -> Identity:
    """An NB-IoT device, known by the 32 digits that AEP gives it."""
    device = fingerprint(site, place, serial, 32)
    return Identity(f"ctwing:{device}", device, f"ctwing/{site}/{device}", place)


def is_transparent(device_id: str) -> bool:
    """Whether AEP passes a device's frames through undecoded."""
    return int(device_id[-1], 16) % 2 == 1


def frame(reading: RoomReading) -> bytes:
    """The vendor's frame of one reading."""
    humidity, battery = reading.humidity_pct, reading.battery_pct
    body = _FRAME.pack(
        MAGIC,
        VERSION,
        round(reading.temperature_c * 10.0),
        UNKNOWN_HUMIDITY if humidity is None else round(humidity * 10.0),
        UNKNOWN_BATTERY if battery is None else round(battery),
        reading.frame % 65536,
    )
    return body + struct.pack(">H", crc_hqx(body, 0xFFFF))


def say(identity: Identity, reading: RoomReading, _zone: tzinfo) -> tuple[Said, ...]:
    """One data report."""
    device = identity.name
    transparent = is_transparent(device)
    if transparent:
        content: dict[str, object] = {"APPdata": b64encode(frame(reading)).decode()}
    else:
        content = {"serviceData": _modelled(reading, as_text=int(device[-2], 16) % 2 == 1)}
    report = {
        "upPacketSN": -1,
        "upDataSN": -1,
        "topic": "v1/up/ad",
        "timestamp": reading.at_s * 1000 + reading.fraction_ns // 1_000_000,
        "tenantId": "2000033629",
        "serviceId": "" if transparent else "1",
        "protocol": "lwm2m",
        "productId": TRANSPARENT_PRODUCT if transparent else MODELLED_PRODUCT,
        "payload": content,
        "messageType": "dataReport",
        "deviceType": "",
        "deviceId": device,
        "assocAssetId": "",
        "IMSI": "undefined",
        "IMEI": f"86{crc32(device.encode()):013d}",
    }
    return (Said(identity.topic, _encode(report)),)


def _modelled(reading: RoomReading, *, as_text: bool) -> dict[str, object]:
    """Properties as AEP's model names them; as text from some firmware."""
    told: dict[str, object] = {"temperature": reading.temperature_c}
    if reading.humidity_pct is not None:
        told["humidity"] = reading.humidity_pct
    if reading.battery_pct is not None:
        told["battery_level"] = reading.battery_pct
    if not as_text:
        return told
    return {
        name: str(value) if name == "temperature" else f"{value}%" for name, value in told.items()
    }


def profile(identity: Identity) -> str | None:
    """The device profile that reads the vendor's frame, where AEP does not."""
    return "hl-nb-room" if is_transparent(identity.name) else None


FORMAT = Format("ctwing", identify, say, profile=profile)
