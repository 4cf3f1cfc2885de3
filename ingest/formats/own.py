"""Our own wire format: ``hearthline/v1/{site}/{device}/{kind}``, a JSON object or an array.

Each item carries ``ts`` (required: a device without a clock has its gateway add it), quantities
named as the fields of the domain's readings, optionally ``seq``, and optionally ``device`` where
a gateway speaks for many. ``status`` messages (retained, last will) say that a device lives;
they are no measurement and give nothing here.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import Reading, RejectReason
from ingest.formats.model import NO_CONTEXT, Context, Decoded, Format, Harvest, refused_whole
from ingest.formats.quantities import reading
from ingest.formats.values import Refused, document, instant, mapping

PREFIX = "hearthline/v1/"
STATUS = "status"
_KINDS = {kind.value: kind for kind in DeviceKind}


def decode(
    topic: str, payload: bytes, _received_at: datetime, _context: Context = NO_CONTEXT
) -> Decoded:
    """Readings of a message; every item of an array stands or falls alone."""
    harvest = Harvest(topic, payload)
    try:
        site, device, kind = _address(topic)
        if kind is None:
            return Decoded()
        said = document(payload)
    except Refused as refused:
        harvest.refuse(refused)
        return harvest.decoded()
    if not isinstance(said, list):
        uid = _uid(site, device, said)
        harvest.take(None, partial(_read, uid, kind, said), uid)
        return harvest.decoded()
    if not said:
        return refused_whole(topic, payload, RejectReason.NO_QUANTITY, "an empty array")
    for item in said:
        uid = _uid(site, device, item)
        harvest.take(item, partial(_read, uid, kind, item), uid)
    return harvest.decoded()


@lru_cache(maxsize=50_000)
def _address(topic: str) -> tuple[str, str, DeviceKind | None]:
    """Site, device and kind of a topic; the kind is None for a status message."""
    levels = topic.removeprefix(PREFIX).split("/")
    if len(levels) != 3 or not all(levels):
        raise Refused(
            RejectReason.MALFORMED, f"the topic is not {PREFIX}{{site}}/{{device}}/{{kind}}"
        )
    site, device, kind = levels
    if kind == STATUS:
        return site, device, None
    if kind not in _KINDS:
        detail = f"the topic ends in {kind!r}, not one of {', '.join(_KINDS)}, {STATUS}"
        raise Refused(RejectReason.MALFORMED, detail)
    return site, device, _KINDS[kind]


def _uid(site: str, device: str, item: Any) -> str:
    """Who speaks: the device that the item names, else that of the topic."""
    named = item.get("device") if isinstance(item, dict) else None
    return f"own:{site}/{named if _is_name(named) else device}"


def _is_name(named: Any) -> bool:
    return isinstance(named, str | int) and not isinstance(named, bool) and named != ""


def _read(uid: str, kind: DeviceKind, item: Any) -> Reading:
    said = mapping(item)
    named = said.get("device")
    if named is not None and not _is_name(named):
        raise Refused(RejectReason.MALFORMED, "device is not a name")
    if said.get("ts") is None:
        raise Refused(RejectReason.BAD_TIME, "no ts")
    return reading(kind, uid, instant("ts", said["ts"]), said)


FORMAT = Format("own", ("hearthline/v1/#",), decode)
