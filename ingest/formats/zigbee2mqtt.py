"""Zigbee2MQTT: ``zigbee2mqtt/{friendly name}``, flat JSON; the name may hold spaces and slashes.

Devices have no clock. With ``last_seen`` switched on in Zigbee2MQTT (ISO 8601 or epoch ms; do
so) its host's clock dates the message. Without it the time of arrival stands in, marked
``CLOCK_GUESSED``. Such a message has no identity of its own, therefore a redelivery is known by
its MQTT packet identifier (see ``ingest.delivery``), and a retained copy, said at an unknown
time, is refused by ``ingest.intake``.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import Quality, Reading
from ingest.formats.aliases import room_quantities
from ingest.formats.model import NO_CONTEXT, Context, Decoded, Format, Harvest
from ingest.formats.quantities import reading
from ingest.formats.values import document, instant, mapping

PREFIX = "zigbee2mqtt/"
_NOT_DEVICES = ("bridge",)
_NOT_STATE = ("availability", "set", "get")


def decode(
    topic: str, payload: bytes, received_at: datetime, _context: Context = NO_CONTEXT
) -> Decoded:
    """The reading of a device's state message; bridge, availability and commands give nothing."""
    name = topic.removeprefix(PREFIX)
    first, *below = name.split("/")
    if first in _NOT_DEVICES or (below and below[-1] in _NOT_STATE):
        return Decoded()
    uid = f"zigbee2mqtt:{name}"
    harvest = Harvest(topic, payload)
    harvest.take(None, partial(_read, uid, payload, received_at), uid)
    return harvest.decoded()


def _read(uid: str, payload: bytes, received_at: datetime) -> Reading:
    said = mapping(document(payload))
    quantities = room_quantities(said)
    seen = said.get("last_seen")
    if seen is None:
        return reading(DeviceKind.ROOM, uid, received_at, quantities, Quality.CLOCK_GUESSED)
    return reading(DeviceKind.ROOM, uid, instant("last_seen", seen), quantities)


FORMAT = Format("zigbee2mqtt", ("zigbee2mqtt/#",), decode)
