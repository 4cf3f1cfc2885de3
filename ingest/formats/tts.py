"""The Things Stack v3: ``v3/{application}@{tenant}/devices/{device id}/up``.

What the codec made of a frame is ``uplink_message.decoded_payload``; its field names are the
codec's own, hence profiles. Where it has no temperature, ``normalized_payload`` is read, whose
names The Things Stack fixes. Traps:

- Fields at 0, "" or false are left out: no ``f_cnt`` means 0, no temperature means unknown.
- Servers date uplinks (``received_at``, nanoseconds); the gateways' own clocks
  (``settings.time``, ``rx_metadata[].time``) are often wrong, and stand in only where no server
  did.
- Several probes in one frame (Dragino: ``TempC_SHT`` in the case, ``TempC_DS`` on a lead, 327.67
  where none is plugged in): the device's profile says which hangs in the room.
- ``BatV`` and the normalised ``battery`` are volts; per cent are in ``last_battery_percentage``,
  which the device tells its network once a day and which therefore counts before the codec's.
- Frames of MAC commands alone have no payload: the device lives, and nothing was measured.
- SenseCAP's codec lists measurements by number (``messages``).
- ``history`` (Milesight) and normalised entries with a ``time`` come from the device's memory.

Source: thethingsindustries.com/docs, "Data formats", "MQTT server", "Payload formatters";
lorawan-devices, ``lib/payload.json``; the codecs of Dragino LHT65N, Milesight EM300-TH and Seeed
SenseCAP S2101.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from hearthline.domain.readings import Quality, RejectReason, Sign
from ingest.formats.model import NO_CONTEXT, Context, Decoded, Format, Harvest
from ingest.formats.telling import Told, name_of, profile_of, take
from ingest.formats.values import Refused, document, instant, mapping, number

NAME = "tts"
_FOREIGN = "packetbroker"
"""The gateway that stands for all those of other networks."""
_SENSECAP = {"4097": "air_temperature", "4098": "air_humidity"}


def decode(
    topic: str, payload: bytes, received_at: datetime, context: Context = NO_CONTEXT
) -> Decoded:
    """Readings of an uplink and which gateway heard it; a join says that the device lives."""
    levels = topic.split("/")
    uid, event_kind = f"{NAME}:{levels[3]}", "/".join(levels[4:])
    if event_kind not in {"up", "join"}:
        return Decoded()
    harvest = Harvest(topic, payload)
    try:
        event = mapping(document(payload))
        inner = event.get("data")
        if isinstance(inner, dict) and "end_device_ids" in inner:
            event = inner  # the same message as the console's event log tells it
        if event_kind == "join":
            time, _ = _heard((event,), received_at)
            harvest.signs.append(Sign(uid, time, online=True))
        else:
            _uplink(harvest, uid, event, received_at, context)
    except Refused as refused:
        harvest.refuse(refused, device_uid=uid)
    return harvest.decoded()


def _uplink(
    harvest: Harvest, uid: str, event: dict[str, Any], received_at: datetime, context: Context
) -> None:
    uplink = mapping(event.get("uplink_message"))
    time, quality = _heard((uplink, event), received_at)
    gateway = _gateway(uplink.get("rx_metadata"))
    if gateway is not None:
        harvest.signs.append(Sign(uid, time, gateway=gateway))
    raw = _spread(mapping(uplink.get("decoded_payload") or {}))
    entries = _objects(uplink.get("normalized_payload"))
    if not raw and not entries:
        if uplink.get("frm_payload") and uplink.get("f_port"):
            detail = "no decoded_payload: the device has no payload formatter"
            raise Refused(RejectReason.NO_QUANTITY, detail)
        return
    history = _objects(raw.get("history"))
    memories = [entry for entry in entries if entry.get("time") is not None]
    told = Told(uid, time, raw, quality, _counter(uplink))
    told = _completed(told, context, uplink, [one for one in entries if one.get("time") is None])
    if _says_anything(told, context) or not (history or memories):
        several = bool(history or memories)
        take(harvest, NAME, context, told._replace(item=raw if several else None))
    remembered = [(item, item) for item in history]
    remembered += [(item, _normalized((item,))) for item in memories]
    for item, fields in remembered:
        _remember(harvest, context, Told(uid, time, fields, Quality.HISTORY, item=item))


def _spread(raw: dict[str, Any]) -> dict[str, Any]:
    """A codec's object, SenseCAP's list of numbered measurements spread out to fields."""
    messages = raw.get("messages")
    if not isinstance(messages, list):
        return raw
    fields = {name: value for name, value in raw.items() if name != "messages"}
    for message in messages:
        for one in _objects(message if isinstance(message, list) else [message]):
            name = _SENSECAP.get(str(one.get("measurementId")))
            fields |= one if name is None else {name: one.get("measurementValue")}
    return fields


def _heard(told: Iterable[Mapping[str, Any]], received_at: datetime) -> tuple[datetime, Quality]:
    """When a server heard the device; the gateway's clock, then the arrival, stand in."""
    told = tuple(told)
    for one in told:
        if one.get("received_at") is not None:
            return instant("received_at", one["received_at"]), Quality.GOOD
    for one in told:
        settings = one.get("settings")
        if isinstance(settings, dict) and settings.get("time") is not None:
            return instant("settings.time", settings["time"]), Quality.GOOD
    return received_at, Quality.CLOCK_GUESSED


def _completed(
    told: Told, context: Context, uplink: Mapping[str, Any], entries: Iterable[dict[str, Any]]
) -> Told:
    """The codec's fields with what the network knows beside them: normalised values, battery."""
    fields = dict(told.fields)
    if normal := _normalized(entries):
        profile = profile_of(NAME, context, told)
        if profile is None or not _finds(profile.read(told.fields)):
            fields = {**normal, **fields}
    battery = uplink.get("last_battery_percentage")
    if isinstance(battery, dict) and _is_number(battery.get("value")):
        fields["battery"] = battery["value"]
    return told._replace(fields=fields)


def _finds(found: Mapping[str, Any]) -> bool:
    """Whether there is more in it than what stands beside a measurement."""
    return bool(found.keys() - {"humidity_pct", "battery_pct"})


def _normalized(entries: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Temperature and humidity of normalised entries, under the names of a room."""
    found: dict[str, Any] = {}
    for entry in entries:
        air = entry.get("air")
        if isinstance(air, dict):
            for name, ours in (("temperature", "temperature"), ("relativeHumidity", "humidity")):
                if air.get(name) is not None:
                    found.setdefault(ours, air[name])
    return found


def _says_anything(told: Told, context: Context) -> bool:
    profile = profile_of(NAME, context, told)
    return profile is not None and _finds(profile.read(told.fields))


def _remember(harvest: Harvest, context: Context, told: Told) -> None:
    """A measurement out of the device's memory, under its own time."""
    at = told.item.get("timestamp", told.item.get("time"))
    try:
        if at is None:
            raise Refused(RejectReason.BAD_TIME, "a history entry without a timestamp")
        take(harvest, NAME, context, told._replace(at=instant("timestamp", at)))
    except Refused as refused:
        harvest.refuse(refused, told.item, told.uid)


def _counter(uplink: Mapping[str, Any]) -> int | None:
    count = uplink.get("f_cnt", 0)
    return count if type(count) is int and 0 <= count < 1 << 32 else None


def _gateway(heard_by: Any) -> str | None:
    """The gateway that heard the uplink best."""
    best: tuple[float, str] | None = None
    for one in _objects(heard_by):
        ids = one.get("gateway_ids")
        name = name_of(ids.get("gateway_id")) if isinstance(ids, dict) else None
        if name is None or name == _FOREIGN:
            continue
        strength = one.get("rssi")
        loud = strength if isinstance(strength, int | float) else -math.inf
        if best is None or loud > best[0]:
            best = loud, name
    return None if best is None else f"{NAME}:gateway/{best[1]}"


def _objects(said: Any) -> list[dict[str, Any]]:
    return [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []


def _is_number(value: Any) -> bool:
    try:
        return number("value", value) is not None
    except Refused:
        return False


FORMAT = Format(NAME, ("v3/+/devices/+/#",), decode)
