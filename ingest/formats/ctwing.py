"""China Telecom AEP / CTWing, bridged to ``ctwing/…`` or any topic: a message names its device.

``dataReport``: products whose model the platform knows have their properties in ``payload``, or
in ``payload.serviceData`` (an object, or its JSON as text). Products that pass frames through
have ``payload.APPdata``, base64 of a vendor's frame: only a device profile with a ``frame``, or a
company's own decoder that one names, can read it; without, the message is refused with
NEEDS_PROFILE. A frame that is JSON itself needs none. ``deviceOnlineOfflineReport`` and
``eventReport`` say that a device lives, ``commandResponse`` nothing.

Traps: the platform dates the message (``timestamp``, ms), not the device; ``upPacketSN`` is -1 or
"" where there is none; numbers come as text with a unit ("45.2%"); ``dataReportTupUnion`` repeats
in one message what single reports said at the same instant; bridges send arrays.

Source: ctwing.cn, "Subscription pushing: messages"; public integrations of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from hearthline.domain.readings import Quality, RejectReason, Sign
from ingest.formats.frames import unwrapped
from ingest.formats.model import NO_CONTEXT, Context, Decoded, Format, Harvest
from ingest.formats.telling import Told, name_of, take
from ingest.formats.values import Refused, counter, document, instant, mapping

NAME = "ctwing"
_DATA = {"dataReport", "dataReportTupUnion"}
_PRESENCE = "deviceOnlineOfflineReport"
_EVENT = "eventReport"
_ANSWER = "commandResponse"
_FRAMES = ("APPdata", "appData", "APPDATA")
_ONLINE = {0: False, 1: True, "0": False, "1": True}


def decode(
    topic: str, payload: bytes, received_at: datetime, context: Context = NO_CONTEXT
) -> Decoded:
    """The reading or the sign of each report."""
    harvest = Harvest(topic, payload)
    try:
        said = document(payload)
    except Refused as refused:
        harvest.refuse(refused)
        return harvest.decoded()
    if not isinstance(said, list):
        _report(harvest, context, said, None, received_at)
        return harvest.decoded()
    for item in said:
        _report(harvest, context, item, item, received_at)
    return harvest.decoded()


def speaks(payload: bytes) -> bool:
    """Whether a message on anybody's topic is the platform's: it names its device itself."""
    return all(key in payload for key in (b'"messageType"', b'"deviceId"', b'"productId"'))


def _report(
    harvest: Harvest, context: Context, said: Any, item: Any, received_at: datetime
) -> None:
    uid = None
    try:
        report = mapping(said)
        name = name_of(report.get("deviceId"))
        if name is None:
            raise Refused(RejectReason.MALFORMED, "the message has no deviceId")
        uid = f"{NAME}:{name}"
        told = _dated(Told(uid, received_at, {}, item=item), report)
        kind = str(report.get("messageType", "dataReport"))
        if kind in _DATA:
            _data(harvest, context, told, report)
        elif kind == _PRESENCE:
            harvest.signs += _presence(told, report)
        elif kind == _EVENT:
            _event(harvest, context, told, report)
        elif kind != _ANSWER:
            raise Refused(RejectReason.MALFORMED, f"messages of type {kind[:40]!r} are not known")
    except Refused as refused:
        harvest.refuse(refused, item, uid)


def _dated(told: Told, report: dict[str, Any]) -> Told:
    at = report.get("timestamp")
    if at is None or at == "":
        return told._replace(quality=Quality.CLOCK_GUESSED)
    return told._replace(at=instant("timestamp", at))


def _data(harvest: Harvest, context: Context, told: Told, report: dict[str, Any]) -> None:
    """One data report.

    Raises:
        Refused: why its content cannot be read.
    """
    content = report.get("payload")
    if isinstance(content, str):
        content = document(content.encode("utf-8", "surrogatepass"))
    content = mapping(content)
    frame = next((content[key] for key in _FRAMES if content.get(key)), None)
    if frame is not None:
        fields = _framed(context, told.uid, frame)
    else:
        fields = dict(_flat(_modelled(content)))
    packet = counter(report.get("upPacketSN"))
    seq = counter(fields.get("seq")) if frame is not None else packet
    take(harvest, NAME, context, told._replace(fields=fields, seq=seq))


def _modelled(content: dict[str, Any]) -> dict[str, Any]:
    """The properties of a product whose model the platform knows."""
    inner = content.get("serviceData")
    if isinstance(inner, str):
        inner = document(inner.encode("utf-8", "surrogatepass"))
    return mapping(inner) if inner is not None else content


def _flat(properties: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Properties, and those of services in a merged report."""
    for name, value in properties.items():
        if isinstance(value, dict) and "value" not in value:
            yield from value.items()
        else:
            yield name, value


def _framed(context: Context, uid: str, frame: Any) -> dict[str, Any]:
    """The fields of a vendor's frame.

    Raises:
        Refused: NEEDS_PROFILE where no profile says how to read it, MALFORMED where it is broken.
    """
    profile = context.profiles.get(uid)
    if profile is not None and profile.frame is not None:
        return profile.frame.fields(unwrapped(frame, profile.frame.encoding))
    try:
        return mapping(document(unwrapped(frame)))
    except Refused:
        detail = "payload.APPdata is a vendor's frame that only a device profile can read"
        raise Refused(RejectReason.NEEDS_PROFILE, detail) from None


def _presence(told: Told, report: dict[str, Any]) -> list[Sign]:
    kind = report.get("eventType")
    online = _ONLINE.get(kind) if isinstance(kind, int | str) else None
    return [] if online is None else [Sign(told.uid, told.at, online=online)]


def _event(harvest: Harvest, context: Context, told: Told, report: dict[str, Any]) -> None:
    """An event may carry measurements; where it has none the device at least lives."""
    content = report.get("eventContent")
    fields = dict(_flat(content)) if isinstance(content, dict) else {}
    attempt = Harvest(harvest.topic, harvest.payload)
    take(attempt, NAME, context, told._replace(fields=fields))
    harvest.readings += attempt.readings
    harvest.items += attempt.items
    harvest.signs += attempt.signs
    if not attempt.readings and not attempt.signs:
        harvest.signs.append(Sign(told.uid, told.at))


FORMAT = Format(NAME, ("ctwing/#",), decode)
