"""China Mobile OneNET: ``$sys/{product}/{device}/thing/property/post`` and its relatives.

``params.{Name}.value``, with an optional ``time`` in ms; where it is missing or null the arrival
dates the value. Read as well: ``thing/pack/post`` (a gateway for its sub-devices: ``params`` is a
list of ``identity`` and ``properties``), ``thing/history/post`` (the same with arrays of values),
``thing/sub/login`` and ``logout``, and the older ``dp/post/json`` (``dp.{name}[].v/t``, seconds).
Events, replies (``…/reply``) and commands say nothing of measurements and give nothing.

Traps: the topic begins with ``$sys``, which a subscription to ``#`` does not cover; numbers come
as text ("95%"); the product of a sub-device is not that of its gateway; identifiers are the
company's own, hence profiles.

Source: iot.10086.cn, "OneJSON" and "subDeviceHistoryNotify"; open.iot.10086.cn, data points.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hearthline.domain.readings import RejectReason, Sign
from ingest.formats.model import NO_CONTEXT, Context, Decoded, Format, Harvest
from ingest.formats.telling import Told, name_of
from ingest.formats.things import take_properties
from ingest.formats.values import Refused, document, mapping

NAME = "onenet"
_POSTS = {"thing/property/post", "thing/pack/post", "thing/history/post", "dp/post/json"}
_PRESENCE = {"thing/sub/login": True, "thing/sub/logout": False}


def decode(
    topic: str, payload: bytes, received_at: datetime, context: Context = NO_CONTEXT
) -> Decoded:
    """Readings of a device's or a gateway's report."""
    levels = topic.split("/")
    what = "/".join(levels[3:])
    if what not in _POSTS and what not in _PRESENCE:
        return Decoded()
    device = f"{levels[1]}/{levels[2]}"
    harvest = Harvest(topic, payload)
    try:
        report = mapping(document(payload))
        params = report.get("dp" if what == "dp/post/json" else "params")
        if what in _PRESENCE:
            harvest.signs += _presence(device, params, received_at, _PRESENCE[what])
            return harvest.decoded()
        if not isinstance(params, dict | list):
            raise Refused(RejectReason.MALFORMED, "the report has no params")
    except Refused as refused:
        harvest.refuse(refused, device_uid=f"{NAME}:{device}")
        return harvest.decoded()
    history = what == "thing/history/post"
    told = Told(f"{NAME}:{device}", received_at, {})
    if isinstance(params, dict):
        take_properties(harvest, NAME, context, told, params, history=history)
        return harvest.decoded()
    for entry in params:
        one = _named(told, device, entry)
        said = entry.get("properties") if isinstance(entry, dict) else None
        if said or not isinstance(entry, dict) or "events" not in entry:
            take_properties(harvest, NAME, context, one, said, history=history)
    return harvest.decoded()


def _named(told: Told, gateway: str, entry: Any) -> Told:
    """Who an entry of a pack speaks for: the device that it names, else who sent it."""
    device = _identity(entry.get("identity") if isinstance(entry, dict) else None)
    if device is None or device == gateway:
        return told._replace(item=entry)
    return told._replace(uid=f"{NAME}:{device}", item=entry, gateway=gateway)


def _identity(identity: Any) -> str | None:
    """``{product}/{device}`` of an identity; firmwares disagree on the case of its keys."""
    if not isinstance(identity, dict):
        return None
    product = name_of(identity.get("productID", identity.get("productId")))
    device = name_of(identity.get("deviceName"))
    return None if product is None or device is None else f"{product}/{device}"


def _presence(gateway: str, params: Any, at: datetime, online: bool) -> list[Sign]:
    device = _identity(params)
    if device is None:
        return []
    return [Sign(f"{NAME}:{device}", at, online=online, gateway=gateway)]


FORMAT = Format(NAME, ("$sys/+/+/thing/#", "$sys/+/+/dp/post/json"), decode)
