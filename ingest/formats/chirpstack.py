"""ChirpStack v4: ``application/{app}/device/{devEui}/event/{event}``, JSON encoding.

An ``up`` event has the codec's result in ``object``, its frame counter in ``fCnt`` and the
gateways that heard it in ``rxInfo``; ``status`` has the battery, ``join`` says that a device
lives. Other events carry no measurement. Read as well: version 3's ``objectJSON`` and the topic
``…/rx`` of gateways with a network server of their own.

Traps: protobuf's JSON leaves fields at their default out, so a missing ``fCnt`` is 0, but a
missing quantity is unknown, never 0; ``object.history`` (Milesight and others) holds measurements
from the device's own memory under their own ``timestamp``; codecs nest (``{"value", "unit"}`` at
Decentlab, a channel's number in Cayenne LPP, TTN's ``{"data": …}``); a battery level of 0 from a
device on mains means nothing; an uplink of MAC commands alone has neither data nor object, and
nothing was measured. Downlink and log events of a device are no sign of it.

Source: chirpstack.io/docs, "Integrations: events"; Milesight SensorDecoders (em300-th), Dragino,
Elsys and Decentlab codecs.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hearthline.domain.readings import Quality, RejectReason, Sign
from ingest.formats.model import NO_CONTEXT, Context, Decoded, Format, Harvest
from ingest.formats.telling import Told, name_of, take
from ingest.formats.values import Refused, counter, document, instant, mapping, number

NAME = "chirpstack"
_WRAPPING = {"data", "errors", "warnings"}


def decode(
    topic: str, payload: bytes, received_at: datetime, context: Context = NO_CONTEXT
) -> Decoded:
    """The present measurement of an uplink and those it remembers; signs of other events."""
    levels = topic.split("/")
    read = _EVENTS.get(levels[-1])
    if read is None:
        return Decoded()
    uid = f"{NAME}:{levels[3].lower()}"
    harvest = Harvest(topic, payload)
    try:
        read(harvest, context, mapping(document(payload)), Told(uid, received_at, {}))
    except Refused as refused:
        harvest.refuse(refused, device_uid=uid)
    return harvest.decoded()


def _up(harvest: Harvest, context: Context, event: dict[str, Any], told: Told) -> None:
    """An uplink.

    Raises:
        Refused: why nothing of it can be read.
    """
    said = _object(event)
    history = said.pop("history", None)
    if history is None:
        history = []
    elif not isinstance(history, list):
        raise Refused(RejectReason.MALFORMED, "object.history is not an array")
    at, quality = _dated(told.at, event)
    seq = counter(event.get("fCnt", event.get("FCnt", 0)))
    gateway, label = _gateway(event.get("rxInfo")), _label(event)
    if said or (event.get("data") and not history):
        item = said if history else None
        now = Told(told.uid, at, said, quality, seq, item, gateway, label)
        take(harvest, NAME, context, now)
    else:
        harvest.signs.append(Sign(told.uid, at, gateway=gateway, label=label))
    for entry in history:
        _remembered(harvest, context, told, entry)


def _remembered(harvest: Harvest, context: Context, told: Told, entry: Any) -> None:
    """One measurement from the device's memory, at its own time."""
    try:
        said = mapping(entry)
        at = said.get("timestamp", said.get("time"))
        if at is None:
            raise Refused(RejectReason.BAD_TIME, "a history entry without a timestamp")
        one = told._replace(
            at=instant("timestamp", at), fields=said, quality=Quality.HISTORY, item=entry
        )
        take(harvest, NAME, context, one)
    except Refused as refused:
        harvest.refuse(refused, entry, told.uid)


def _status(harvest: Harvest, _context: Context, event: dict[str, Any], told: Told) -> None:
    """Battery as the network asked for it (LoRaWAN DevStatusAns).

    Raises:
        Refused: the battery level is no number.
    """
    powered = event.get("externalPowerSource") is True
    unknown = event.get("batteryLevelUnavailable") is True
    level = None if powered or unknown else number("batteryLevel", event.get("batteryLevel"))
    sound = level if level is not None and 0.0 <= level <= 100.0 else None
    at, _ = _dated(told.at, event)
    harvest.signs.append(Sign(told.uid, at, battery_pct=sound, label=_label(event)))


def _join(harvest: Harvest, _context: Context, event: dict[str, Any], told: Told) -> None:
    at, _ = _dated(told.at, event)
    gateway = _gateway(event.get("rxInfo"))
    harvest.signs.append(Sign(told.uid, at, True, gateway, label=_label(event)))


_EVENTS = {"up": _up, "rx": _up, "status": _status, "join": _join}


def _object(event: dict[str, Any]) -> dict[str, Any]:
    """What the codec made of the frame.

    Raises:
        Refused: MALFORMED where it is no object.
    """
    said = event.get("object")
    if said is None and isinstance(text := event.get("objectJSON"), str):
        said = document(text.encode("utf-8", "surrogatepass")) if text else None
    said = mapping(said or {})
    inner = said.get("data")
    if isinstance(inner, dict) and said.keys() <= _WRAPPING:
        said = inner
    return dict(said)


def _dated(received_at: datetime, event: dict[str, Any]) -> tuple[datetime, Quality]:
    """The network's time; without one the arrival stands in."""
    if event.get("time") is None:
        return received_at, Quality.CLOCK_GUESSED
    return instant("time", event["time"]), Quality.GOOD


def _gateway(heard: Any) -> str | None:
    """The gateway that heard the uplink best."""
    found = []
    for one in heard if isinstance(heard, list) else ():
        if not isinstance(one, dict):
            continue
        name = name_of(one.get("gatewayId", one.get("gatewayID", one.get("mac"))))
        strength = one.get("rssi", 0)
        if name is not None:
            known = isinstance(strength, int | float) and not isinstance(strength, bool)
            found.append((strength if known else 0, name.lower()))
    return max(found)[1] if found else None


def _label(event: dict[str, Any]) -> str | None:
    """How people named the device."""
    said = event.get("deviceInfo")
    return name_of((said if isinstance(said, dict) else event).get("deviceName"))


FORMAT = Format(NAME, ("application/+/device/+/event/+", "application/+/device/+/rx"), decode)
