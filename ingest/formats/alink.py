"""Alibaba Alink: ``/sys/{productKey}/{deviceName}/thing/event/property/post`` and its relatives.

``params.{Name}`` holds ``value`` and ``time`` in ms, or the bare value. Read as well:
``…/property/batch/post`` (arrays of values), ``…/property/pack/post`` (a gateway's own
``properties`` and those of its ``subDevices``), ``…/property/history/post`` (a list of
``identity`` and ``properties``), and ``thing/model/up_raw``: a vendor's frame that only a device
profile can read. Events, replies (``…_reply``) and commands give nothing.

Traps: the topic begins with a slash, so its first level is empty; each property has its own time;
``id`` need only be unique within a day; properties of a module are called ``module:Name``.

Source: help.aliyun.com 89301 (properties), "gateway reports data in batches", "history".
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hearthline.domain.readings import Quality, RejectReason
from ingest.formats.model import NO_CONTEXT, Context, Decoded, Format, Harvest
from ingest.formats.telling import Told, name_of, take
from ingest.formats.things import take_properties
from ingest.formats.values import Refused, document, mapping

NAME = "alink"
_POST = "thing/event/property/post"
_BATCH = "thing/event/property/batch/post"
_PACK = "thing/event/property/pack/post"
_HISTORY = "thing/event/property/history/post"
_RAW = "thing/model/up_raw"


def decode(
    topic: str, payload: bytes, received_at: datetime, context: Context = NO_CONTEXT
) -> Decoded:
    """Readings of a device's or a gateway's report."""
    levels = topic.split("/")
    what = "/".join(levels[4:])
    if what not in {_POST, _BATCH, _PACK, _HISTORY, _RAW}:
        return Decoded()
    device = f"{levels[2]}/{levels[3]}"
    told = Told(f"{NAME}:{device}", received_at, {})
    harvest = Harvest(topic, payload)
    try:
        if what == _RAW:
            take(harvest, NAME, context, _framed(told, payload, context))
            return harvest.decoded()
        params = mapping(document(payload)).get("params")
        if not isinstance(params, dict | list):
            raise Refused(RejectReason.MALFORMED, "the report has no params")
    except Refused as refused:
        harvest.refuse(refused, device_uid=told.uid)
        return harvest.decoded()
    for one, properties in _reports(what, device, told, params):
        take_properties(harvest, NAME, context, one, properties, history=what == _HISTORY)
    return harvest.decoded()


def _framed(told: Told, payload: bytes, context: Context) -> Told:
    """The fields of a vendor's frame, by the device's profile."""
    profile = context.profiles.get(told.uid)
    if profile is None or profile.frame is None:
        raise Refused(RejectReason.NEEDS_PROFILE, "a raw frame that only a profile can read")
    fields = profile.frame.fields(payload)
    return told._replace(fields=fields, quality=Quality.CLOCK_GUESSED)


def _reports(what: str, device: str, told: Told, params: Any) -> list[tuple[Told, Any]]:
    """Who says which properties in a report."""
    if isinstance(params, list):
        return [(_named(told, device, entry), _of(entry)) for entry in params if _says(entry)]
    if what == _BATCH:
        return [(told, params.get("properties"))]
    if what != _PACK:
        return [(told, params)]
    own = [(told, params["properties"])] if params.get("properties") else []
    below = params.get("subDevices")
    entries = below if isinstance(below, list) else []
    subs = [(_named(told, device, entry), _of(entry)) for entry in entries if _says(entry)]
    if own and subs:
        own = [(told._replace(item={"properties": params["properties"]}), params["properties"])]
    return own + subs


def _of(entry: Any) -> Any:
    return entry.get("properties") if isinstance(entry, dict) else None


def _says(entry: Any) -> bool:
    """Whether an entry is about properties: one of events alone is not."""
    return not isinstance(entry, dict) or bool(entry.get("properties")) or "events" not in entry


def _named(told: Told, gateway: str, entry: Any) -> Told:
    """Who an entry speaks for: the device that it names, else who sent it."""
    identity = entry.get("identity") if isinstance(entry, dict) else None
    said = identity if isinstance(identity, dict) else {}
    product = name_of(said.get("productKey"))
    device = name_of(said.get("deviceName", said.get("deviceKey")))
    if product is None or device is None or f"{product}/{device}" == gateway:
        return told._replace(item=entry)
    return told._replace(uid=f"{NAME}:{product}/{device}", item=entry, gateway=gateway)


FORMAT = Format(NAME, ("/sys/+/+/thing/event/#", "/sys/+/+/thing/model/up_raw"), decode)
