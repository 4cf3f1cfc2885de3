"""Zigbee2MQTT: ``zigbee2mqtt/{friendly name}``, flat JSON; the name may hold spaces and slashes.

Devices have no clock. With ``last_seen`` switched on in Zigbee2MQTT (ISO 8601 or epoch ms; do
so) its host's clock dates the message. Without it the time of arrival stands in, marked
``CLOCK_GUESSED``. Such a message has no identity of its own, therefore a redelivery is known by
its MQTT packet identifier (see ``ingest.delivery``), and a retained copy, said at an unknown
time, is refused by ``ingest.intake``.

``{name}/availability`` says whether a device lives, as a word or as ``{"state": "online"}``;
``bridge/state`` the same of the bridge. Traps: a radiator thermostat calls the room
``local_temperature`` (one with a sensor in the room needs a profile: its own reading is that of
the radiator); ``device_temperature`` is the chip's and never the room's; ``last_seen`` in local
time without a zone cannot be used; values are ``null`` until a device has spoken; a Zigbee2MQTT
set to °F does not say so, which is a profile as well.

Source: zigbee2mqtt.io, "MQTT topics and messages", "Device availability".
"""

from __future__ import annotations

from datetime import datetime

from hearthline.domain.readings import Quality, Sign
from ingest.formats.model import NO_CONTEXT, Context, Decoded, Format, Harvest
from ingest.formats.telling import Told, take
from ingest.formats.values import Refused, document, instant, mapping, online

NAME = "zigbee2mqtt"
PREFIX = "zigbee2mqtt/"
BRIDGE = "bridge"
_AVAILABILITY = "availability"
_COMMANDS = ("set", "get")


def decode(
    topic: str, payload: bytes, received_at: datetime, context: Context = NO_CONTEXT
) -> Decoded:
    """The reading of a device's state; whether a device or the bridge lives."""
    name = topic.removeprefix(PREFIX)
    first, *below = name.split("/")
    if first == BRIDGE:
        return _lives(BRIDGE, payload, received_at) if below == ["state"] else Decoded()
    if below and below[-1] == _AVAILABILITY:
        return _lives(name.removesuffix(f"/{_AVAILABILITY}"), payload, received_at)
    if not name or (below and any(part in _COMMANDS for part in below[-2:])):
        return Decoded()
    uid = f"{NAME}:{name}"
    harvest = Harvest(topic, payload)
    try:
        said = mapping(document(payload))
        told = Told(uid, received_at, said, Quality.CLOCK_GUESSED)
        if (seen := said.get("last_seen")) is not None:
            told = Told(uid, instant("last_seen", seen), said)
        take(harvest, NAME, context, told)
    except Refused as refused:
        harvest.refuse(refused, device_uid=uid)
    return harvest.decoded()


def _lives(name: str, payload: bytes, at: datetime) -> Decoded:
    """The sign that an availability message is; nothing where it says nothing."""
    said = online(payload)
    return Decoded() if said is None else Decoded(signs=(Sign(f"{NAME}:{name}", at, online=said),))


FORMAT = Format(NAME, ("zigbee2mqtt/#",), decode)
