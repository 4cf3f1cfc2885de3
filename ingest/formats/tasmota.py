"""Tasmota: ``tele/{topic}/SENSOR``, nested by sensor, dated in local time without a zone.

One message holds all the sensors of a module. Traps:

- A 1-wire probe is known by its ``Id`` (``Address`` in old firmware): ``DS18B20-2`` may be
  ``DS18B20-1`` after the next start. Other sensors have only their section's name, so that theirs
  is ``{topic}/{section}``.
- ``Time`` is local (the zone of the settings), unless SetOption52 adds the offset. 1970 means a
  module that has not found its time server; ``ingest.acceptance`` judges it.
- ``TempUnit`` is C or F (SetOption8) and stands once, for all sections.
- A module's chip tells its own temperature (``ESP32``): never a room.
- A probe that does not answer is null, or left out.
- A Zigbee bridge (``ZbReceived``) tells temperature and humidity in messages of their own.
- ``LWT`` (retained, last will) is ``Online`` or ``Offline`` for the module, which is the gateway
  of its sensors.
- The full topic may be turned round (``{topic}/tele/SENSOR``); ``STATUS8`` and ``STATUS10`` answer
  a question with the same object.

Source: tasmota.github.io/docs/MQTT, /docs/DS18x20, /docs/Zigbee, /docs/Commands (SetOption8, 52,
83, FullTopic).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any

import msgspec

from hearthline.domain.readings import Quality, RejectReason, Sign
from ingest.formats.model import NO_CONTEXT, Context, Decoded, Format, Harvest
from ingest.formats.profiles import defaults, plan
from ingest.formats.telling import Told, name_of, take
from ingest.formats.values import Refused, document, instant, mapping

NAME = "tasmota"
_PREFIXES = frozenset({"tele", "stat"})
_TELLING = frozenset({"SENSOR", "STATUS8", "STATUS10"})
_ONLINE = {b"online": True, b"offline": False}
_NOT_SENSORS = frozenset({"ESP32", "ENERGY"})
_NESTING = frozenset({"ZbReceived", "DS18x20"})
"""Sections that hold a section for each of their sensors."""


def decode(
    topic: str, payload: bytes, received_at: datetime, context: Context = NO_CONTEXT
) -> Decoded:
    """A reading for each sensor of a module; its last will says whether it lives."""
    module, what = _address(topic)
    if what == "LWT":
        online = _ONLINE.get(payload.strip().lower())
        return Decoded() if online is None else Decoded(signs=(Sign(module, received_at, online),))
    if what not in _TELLING:
        return Decoded()
    harvest = Harvest(topic, payload)
    try:
        said = mapping(document(payload))
        if isinstance(said.get("StatusSNS"), dict):
            said = said["StatusSNS"]
        time, quality = _when(said, received_at, context.zone)
    except Refused as refused:
        harvest.refuse(refused, device_uid=module)
        return harvest.decoded()
    sensors = tuple(_sensors(module, said, context))
    for uid, name, section in sensors:
        fields = _in_fahrenheit(section) if said.get("TempUnit") == "F" else section
        item = {name: section} if len(sensors) > 1 else None
        take(harvest, NAME, context, Told(uid, time, fields, quality, item=item))
    if not sensors:
        nothing = Refused(RejectReason.NO_QUANTITY, "no sensor in it that we store")
        harvest.refuse(nothing, device_uid=module)
    decoded = harvest.decoded()
    return msgspec.structs.replace(decoded, gateway=module) if decoded.readings else decoded


@lru_cache(maxsize=50_000)
def _address(topic: str) -> tuple[str, str]:
    """The uid of a module and what its message is about; prefix and topic stand in any order."""
    *before, what = topic.split("/")
    prefix = next((level for level in before if level in _PREFIXES), None)
    if prefix is not None:
        before.remove(prefix)
    return f"{NAME}:{'/'.join(before)}", what


def _when(said: dict[str, Any], received_at: datetime, zone: tzinfo) -> tuple[datetime, Quality]:
    """The module's time, read in the zone of the settings where it names none."""
    value = said.get("Time")
    if value is None:
        return received_at, Quality.CLOCK_GUESSED
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value.strip())
            if at.tzinfo is None:
                return at.replace(tzinfo=zone).astimezone(UTC), Quality.GOOD
        except (ValueError, OverflowError):
            raise Refused(RejectReason.BAD_TIME, f"Time is {value[:60]!r}") from None
    return instant("Time", value), Quality.GOOD


def _sensors(
    module: str, said: dict[str, Any], context: Context
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Uid, name and content of the sections that a profile can read something from."""
    for name, section in _sections(said):
        probe = name_of(section.get("Id")) or name_of(section.get("Address"))
        uid = f"{NAME}:{probe}" if probe else f"{module}/{name}"
        if name_of(name) is not None and (
            uid in context.profiles
            or "Temperature" in section
            or any(plan(profile, section) for profile in defaults(NAME))
        ):
            yield uid, name, section


def _sections(said: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The sections of a message by name, those that stand within another drawn out."""
    for name, section in said.items():
        if not isinstance(section, dict) or name in _NOT_SENSORS:
            continue
        if name not in _NESTING:
            yield name, section
            continue
        for below, one in section.items():
            if isinstance(one, dict):
                yield name_of(one.get("Name")) or below, one


def _in_fahrenheit(section: dict[str, Any]) -> dict[str, Any]:
    """A section whose temperatures say their unit."""
    return {
        name: {"value": value, "unit": "°F"}
        if "temperature" in name.lower() and not isinstance(value, dict | list)
        else value
        for name, value in section.items()
    }


FORMAT = Format(
    NAME,
    ("tele/#", "stat/+/STATUS8", "stat/+/STATUS10", "+/tele/SENSOR", "+/tele/STATE", "+/tele/LWT"),
    decode,
)
