"""Huawei IoTDA: ``$oc/devices/{device id}/sys/properties/report`` and its relatives.

``services[]`` each with ``properties`` and an ``event_time`` like ``20151212T121212Z`` or
``2020-08-12T12:12:12.333Z``, UTC. Services of one instant are one reading. Read as well: a
gateway's ``…/sys/gateway/sub_devices/properties/report`` (``devices[]`` of ``device_id`` and
``services``), answers to queries (``…/properties/get/response/…``), what the platform pushes to
applications (``notify_data``, also of ``device.status``), and the spelling of older devices
(``serviceId``, ``data``, ``eventTime``).

Traps: where ``event_time`` is missing or unreadable the platform takes its own time, and so does
this decoder (CLOCK_GUESSED, CLOCK_WRONG); a topic may carry ``?request_id=…``; services of a
product may use the same property name, so ``Service.property`` is a field as well, and a property
called ``value`` is also known by its service's name.

Source: support.huaweicloud.com, iot_06_v5_3010 (report), 3006 (sub-devices), "data forwarding".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from hearthline.domain.readings import Quality, RejectReason, Sign
from ingest.formats.model import NO_CONTEXT, Context, Decoded, Format, Harvest
from ingest.formats.telling import Point, Told, moments, name_of, take_all
from ingest.formats.values import Refused, document, instant, mapping

NAME = "iotda"
_REPORT = "properties/report"
_BELOW = "gateway/sub_devices/properties/report"
_ANSWER = "properties/get/response"
_STATES = {"ONLINE": True, "OFFLINE": False}


def decode(
    topic: str, payload: bytes, received_at: datetime, context: Context = NO_CONTEXT
) -> Decoded:
    """Readings of a device's or a gateway's report."""
    if topic.startswith("$oc/devices/"):
        return _on_topic(topic, payload, received_at, context)
    harvest = Harvest(topic, payload)
    try:
        _pushed(harvest, context, mapping(document(payload)), received_at)
    except Refused as refused:
        harvest.refuse(refused)
    return harvest.decoded()


def speaks(payload: bytes) -> bool:
    """Whether a message on anybody's topic was pushed by the platform: it names its device."""
    return b'"notify_data"' in payload and b'"device_id"' in payload


def _on_topic(topic: str, payload: bytes, received_at: datetime, context: Context) -> Decoded:
    levels = topic.split("/")
    device, what = levels[2], "/".join(levels[4:]).partition("?")[0]
    answer = what.startswith(_ANSWER)
    if what not in {_REPORT, _BELOW} and not answer:
        return Decoded()
    harvest = Harvest(topic, payload)
    told = Told(f"{NAME}:{device}", received_at, {})
    try:
        report = mapping(document(payload))
        if what != _BELOW:
            _services(harvest, context, told, report)
            return harvest.decoded()
        devices = report.get("devices")
        if not isinstance(devices, list):
            raise Refused(RejectReason.MALFORMED, "the gateway's report has no devices")
    except Refused as refused:
        harvest.refuse(refused, device_uid=told.uid)
        return harvest.decoded()
    for entry in devices:
        _below(harvest, context, told, device, entry)
    return harvest.decoded()


def _below(harvest: Harvest, context: Context, told: Told, gateway: str, entry: Any) -> None:
    """What a gateway says for one of its devices."""
    uid = None
    try:
        said = mapping(entry)
        name = name_of(said.get("device_id", said.get("deviceId")))
        if name is None:
            raise Refused(RejectReason.MALFORMED, "a sub-device without device_id")
        uid = f"{NAME}:{name}"
        one = told._replace(uid=uid, item=entry, gateway=gateway if name != gateway else None)
        _services(harvest, context, one, said)
    except Refused as refused:
        harvest.refuse(refused, entry, uid)


def _pushed(
    harvest: Harvest, context: Context, event: dict[str, Any], received_at: datetime
) -> None:
    """What the platform forwards to applications."""
    notice = mapping(event.get("notify_data"))
    header, body = mapping(notice.get("header")), mapping(notice.get("body"))
    name = name_of(header.get("device_id"))
    if name is None:
        raise Refused(RejectReason.MALFORMED, "the header names no device_id")
    gateway = name_of(header.get("gateway_id"))
    told = Told(f"{NAME}:{name}", received_at, {}, gateway=gateway if gateway != name else None)
    if "services" in body:
        _services(harvest, context, told, body)
    elif (state := _STATES.get(str(body.get("status")).upper())) is not None:
        at, _ = _dated(body.get("status_update_time", event.get("event_time")))
        harvest.signs.append(Sign(told.uid, at or received_at, online=state, gateway=told.gateway))


def _services(harvest: Harvest, context: Context, told: Told, report: dict[str, Any]) -> None:
    """One reading for each instant that a report speaks of.

    Raises:
        Refused: MALFORMED where it has no services.
    """
    services = report.get("services", report.get("data"))
    if not isinstance(services, list):
        raise Refused(RejectReason.MALFORMED, "the report has no services")
    points: list[Point] = []
    wrong, refusals = False, len(harvest.rejections)
    owners: dict[str, str] = {}
    for service in services:
        if not isinstance(service, dict):
            not_object = Refused(RejectReason.MALFORMED, "a service that is no object")
            harvest.refuse(not_object, service, told.uid)
            continue
        at, unreadable = _dated(service.get("event_time", service.get("eventTime")))
        wrong |= unreadable
        points += [Point(name, value, at) for name, value in _fields(service, owners)]
    found = moments(points)
    if services and not found and len(harvest.rejections) == refusals:
        harvest.refuse(Refused(RejectReason.NO_QUANTITY, "no properties"), told.item, told.uid)
    every = []
    for number, (at, fields) in enumerate(found):
        quality = Quality.GOOD if number == len(found) - 1 else Quality.HISTORY
        if at is None:
            quality |= Quality.CLOCK_GUESSED | (Quality.CLOCK_WRONG if wrong else Quality.GOOD)
        item = told.item if len(found) == 1 else fields
        every.append(told._replace(at=at or told.at, fields=fields, quality=quality, item=item))
    take_all(harvest, NAME, context, every)


def _dated(time: Any) -> tuple[datetime | None, bool]:
    """The instant that is said, and whether something else than an instant is."""
    if time is None or time == "":
        return None, False
    try:
        return instant("event_time", time), False
    except Refused:
        return None, True


def _fields(service: dict[str, Any], owners: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """The fields of one service: bare for the service that used a name first, and qualified."""
    name = name_of(service.get("service_id", service.get("serviceId"))) or ""
    properties = service.get("properties", service.get("data", service.get("serviceData")))
    for field, value in properties.items() if isinstance(properties, dict) else ():
        if owners.setdefault(field, name) == name:
            yield field, value
        if name:
            yield f"{name}.{field}", value
            if field == "value" and owners.setdefault(name, name) == name:
                yield name, value


FORMAT = Format(NAME, ("$oc/devices/+/sys/#",), decode)
