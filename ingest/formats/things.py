"""Thing models of Chinese platforms: properties with values and times, of a device or many.

OneNET and Alink differ in topics and in how they spell a key; how properties come is the same:

- ``{"Temp": 23}``, ``{"Temp": {"value": 23}}``, ``{"Temp": {"value": 23, "time": ms}}``
- ``{"Temp": [{"value": 23, "time": ms}, …]}`` in batches and histories
- a list of such objects, in Alink's history
- structures ``{"Climate": {"value": {"temp": 23, "hum": 45}, "time": ms}}``
- ``module:Temp``, a property of a module

A property without a time is dated by its arrival. Of several instants in one message all but the
last were kept back by the device: HISTORY.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hearthline.domain.readings import Quality, RejectReason
from ingest.formats.model import Context, Harvest
from ingest.formats.telling import Point, Told, moments, take_all
from ingest.formats.values import Refused, instant


def take_properties(
    harvest: Harvest,
    format_name: str,
    context: Context,
    told: Told,
    properties: Any,
    *,
    history: bool = False,
) -> None:
    """Add what a device's properties say; ``told`` has who it is and the time of arrival.

    With ``history`` they come from the device's memory, whenever they were measured.
    """
    points, refusals = [], len(harvest.rejections)
    for name, value, time in _properties(properties):
        try:
            at = None if time is None else instant(f"the time of {name[:60]}", time)
        except Refused as refused:
            harvest.refuse(refused, {name: {"value": value, "time": time}}, told.uid)
            continue
        points += [Point(field, plain, at) for field, plain in _fields(name, value)]
    found = moments(points)
    if not found and len(harvest.rejections) == refusals:
        nothing = Refused(RejectReason.NO_QUANTITY, "no properties")
        harvest.refuse(nothing, told.item, told.uid)
    every = []
    for number, (at, fields) in enumerate(found):
        quality = told.quality
        if history or number < len(found) - 1:
            quality |= Quality.HISTORY
        if at is None:
            quality |= Quality.CLOCK_GUESSED
        item = told.item if len(found) == 1 else fields
        every.append(told._replace(at=at or told.at, fields=fields, quality=quality, item=item))
    take_all(harvest, format_name, context, every)


def _properties(properties: Any) -> Iterator[tuple[str, Any, Any]]:
    """Name, value and time of every property; what has another shape says nothing."""
    for group in properties if isinstance(properties, list) else [properties]:
        if not isinstance(group, dict):
            continue
        for name, said in group.items():
            for one in said if isinstance(said, list) else [said]:
                if isinstance(one, dict) and ("value" in one or "v" in one):
                    yield name, one.get("value", one.get("v")), one.get("time", one.get("t"))
                else:
                    yield name, one, None


def _fields(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The fields that a property makes: itself, or the members of a structure."""
    bare = name.rpartition(":")[2] or name
    if isinstance(value, dict):
        for member, inner in value.items():
            yield f"{bare}.{member}", inner
            yield member, inner
        return
    yield bare, value
    if bare != name:
        yield name, value
