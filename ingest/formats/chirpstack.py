"""ChirpStack v4 uplinks: ``application/{app}/device/{devEui}/event/up``, JSON encoding.

The codec's result is ``object``; protobuf's JSON leaves fields at their default out, so a missing
key is unknown, never 0. ``object.history`` (Milesight and others) holds measurements from the
device's own memory under their own ``timestamp``. Events other than ``up`` carry no measurement.

Source: chirpstack.io/docs, "Integrations: events"; Milesight SensorDecoders, em300-th.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import Quality, Reading, RejectReason
from ingest.formats.aliases import room_quantities
from ingest.formats.model import NO_CONTEXT, Context, Decoded, Format, Harvest
from ingest.formats.quantities import reading
from ingest.formats.values import Refused, document, instant, mapping


def decode(
    topic: str, payload: bytes, received_at: datetime, _context: Context = NO_CONTEXT
) -> Decoded:
    """The present measurement of an uplink and those it remembers."""
    levels = topic.split("/")
    if levels[-1] != "up":
        return Decoded()
    uid = f"chirpstack:{levels[3].lower()}"
    harvest = Harvest(topic, payload)
    try:
        event = mapping(document(payload))
        said = mapping(event.get("object") or {})
        history = _history(said)
    except Refused as refused:
        harvest.refuse(refused, device_uid=uid)
        return harvest.decoded()
    now = room_quantities(said)
    if "temperature_c" in now or not history:
        whole = said if history else None
        harvest.take(whole, partial(_present, uid, event, now, received_at), uid)
    for item in history:
        harvest.take(item, partial(_remembered, uid, item), uid)
    return harvest.decoded()


def _history(said: dict[str, Any]) -> list[Any]:
    history = said.get("history")
    if history is None:
        return []
    if not isinstance(history, list):
        raise Refused(RejectReason.MALFORMED, "object.history is not an array")
    return history


def _present(
    uid: str, event: dict[str, Any], now: dict[str, Any], received_at: datetime
) -> Reading:
    if event.get("time") is None:
        return reading(DeviceKind.ROOM, uid, received_at, now, Quality.CLOCK_GUESSED)
    return reading(DeviceKind.ROOM, uid, instant("time", event["time"]), now)


def _remembered(uid: str, item: Any) -> Reading:
    said = mapping(item)
    at = said.get("timestamp", said.get("time"))
    if at is None:
        raise Refused(RejectReason.BAD_TIME, "a history entry without a timestamp")
    time = instant("timestamp", at)
    return reading(DeviceKind.ROOM, uid, time, room_quantities(said), Quality.HISTORY)


FORMAT = Format("chirpstack", ("application/+/device/+/event/+",), decode)
