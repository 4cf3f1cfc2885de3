"""The Things Stack v3: ``v3/{app}@{tenant}/devices/{device id}/up``.

``uplink_message.decoded_payload`` is a Dragino LHT65's: ``TempC_SHT`` and ``Hum_SHT`` are the
room, ``TempC_DS`` is a second probe on a lead (here on the radiator's pipe, or 327.67 where none
is plugged in), ``BatV`` is volts. Only a device's profile can say which of the two temperatures
is the room. The network dates uplinks, in nanoseconds with ``Z``; ``f_cnt`` is left out at 0.

Source: thethingsindustries.com/docs, "Data formats"; dragino.com, LHT65 manual.
"""

from __future__ import annotations

from datetime import tzinfo
from functools import lru_cache
from zlib import crc32

import msgspec

from simulators.wire.instants import nanoseconds
from simulators.wire.model import Format, Identity, RoomReading, Said, fingerprint

_encode = msgspec.json.Encoder().encode

TENANT = "ttn"
NO_PROBE_C = 327.67
_DRAGINO = "a84041"


def application(site: str) -> str:
    """The application of a town; The Things Stack allows lower case, digits and hyphens."""
    return f"{site.lower().replace('_', '-').strip('-')}-rooms"


def identify(site: str, place: str, serial: int, _gateway: str) -> Identity:
    """A LoRaWAN sensor, known by the id that the console makes of its EUI."""
    device = f"eui-{_DRAGINO}{fingerprint(site, place, serial, 10)}"
    topic = f"v3/{application(site)}@{TENANT}/devices/{device}/up"
    return Identity(f"tts:{device}", device, topic, place)


def say(identity: Identity, reading: RoomReading, _zone: tzinfo) -> tuple[Said, ...]:
    """One uplink."""
    heard = nanoseconds(reading.at_s, reading.fraction_ns, "Z")
    uplink: dict[str, object] = {"f_port": 2}
    if reading.frame:
        uplink["f_cnt"] = reading.frame
    uplink["decoded_payload"] = _decoded(reading, crc32(identity.name.encode()))
    uplink["received_at"] = heard
    event = {
        "end_device_ids": _ids(identity.name, identity.topic),
        "received_at": heard,
        "uplink_message": uplink,
    }
    return (Said(identity.topic, _encode(event)),)


@lru_cache(maxsize=1 << 16)
def _ids(device: str, topic: str) -> dict[str, object]:
    """What is the same in all of a device's uplinks."""
    return {
        "device_id": device,
        "application_ids": {"application_id": topic[3 : topic.index("@")]},
        "dev_eui": device[4:].upper(),
        "dev_addr": f"260B{crc32(device.encode()) % (1 << 16):04X}",
    }


def _decoded(reading: RoomReading, mark: int) -> dict[str, object]:
    """What Dragino's codec makes of a frame."""
    probe_c = reading.temperature_c + 12.0 + mark % 9 if mark & 1 else NO_PROBE_C
    decoded: dict[str, object] = {
        "TempC_DS": round(probe_c, 2),
        "TempC_SHT": reading.temperature_c,
    }
    if reading.humidity_pct is not None:
        decoded["Hum_SHT"] = reading.humidity_pct
    if reading.battery_pct is not None:
        decoded["BatV"] = round(2.5 + reading.battery_pct * 0.006, 3)
    return decoded


FORMAT = Format("tts", identify, say)
