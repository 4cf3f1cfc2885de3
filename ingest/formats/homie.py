"""Homie 4 and 5: ``homie/[5/]{device}/{node}/{property}``, one bare value a topic, no time.

The node is our device: its temperature carries the reading, its humidity and battery come alone.
Traps:

- There is no time anywhere: the arrival stands in. Values are retained by default, and a retained
  copy, said at an unknown time, is refused by ``ingest.intake``.
- The unit stands elsewhere: in the device's ``$description`` (5), or under the property's ``$unit``
  (4). It is learnt; until then °C is assumed.
- A property's name is free. One that the profile does not know is read as the room's temperature
  if its description says °C, °F or K, that it cannot be set, and if it is the only such one of its
  node: a set point is no measurement.
- ``$state`` (retained, last will) speaks for all nodes of a device. ``sleeping`` and ``alert`` are
  alive, ``lost`` and ``disconnected`` are not, ``init`` says nothing yet.
- ``…/set`` and ``$target`` are commands and wishes.
- An empty payload is a broker's topic being cleared.

Source: homieiot.github.io, conventions 4.0 and 5.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from hearthline.domain.readings import Quality, Sign
from ingest.formats.model import NO_CONTEXT, Context, Decoded, Format, Harvest, Learnt
from ingest.formats.profiles import plan
from ingest.formats.telling import Told, name_of, profile_of, take
from ingest.formats.values import Refused, document, mapping

NAME = "homie"
_VERSION_5 = "5"
_ALIVE = {
    "ready": True,
    "sleeping": True,
    "alert": True,
    "lost": False,
    "disconnected": False,
    "true": True,  # $online of version 2
    "false": False,
}
_DEGREES = frozenset({"°C", "°F", "K"})
_NUMBERS = frozenset({"float", "integer"})
_MOST = 200
"""Nodes of a device, and properties of a node, of which a description is believed."""


class _Address(NamedTuple):
    """The levels of a topic below ``homie``: device uid, node uid, property, and what of it."""

    device: str
    node: str | None
    prop: str | None
    attribute: str | None


def decode(
    topic: str, payload: bytes, received_at: datetime, context: Context = NO_CONTEXT
) -> Decoded:
    """The reading of a temperature, or what else a property or an attribute says."""
    where = _address(topic)
    if where is None or not payload or payload == b"\0":
        return Decoded()
    text = payload[:100_000].decode("utf-8", "replace")
    if where.attribute is not None:
        if where.attribute == "$description":
            return _described(topic, payload, received_at, where.device)
        return _attribute(where, text, received_at, context)
    if where.node is None or where.prop is None:
        return Decoded()
    return _value(Harvest(topic, payload), received_at, where, text.strip(), context)


@lru_cache(maxsize=100_000)
def _address(topic: str) -> _Address | None:
    """Where a topic lies; None for broadcasts, commands, and what is no Homie topic."""
    levels = topic.split("/")[1:]
    if levels and levels[0] == _VERSION_5:
        levels = levels[1:]
    if not 2 <= len(levels) <= 4 or not all(levels) or levels[0].startswith("$"):
        return None
    device = f"{NAME}:{levels[0]}"
    attribute = next((level for level in levels if level.startswith("$")), None)
    if attribute is not None and levels[-1] != attribute:
        return None
    names = levels[1:-1] if attribute is not None else levels[1:]
    if len(names) > 2:
        return None  # {device}/{node}/{property}/set
    node = f"{device}/{names[0]}" if names else None
    return _Address(device, node, names[1] if len(names) == 2 else None, attribute)


def _value(
    harvest: Harvest, received_at: datetime, where: _Address, text: str, context: Context
) -> Decoded:
    """What a property's value is: a reading, a sign, or nothing that we store."""
    uid, prop = where.node or "", where.prop or ""
    known = _known(where.device, uid, context)
    unit = _unit(known, where, context)
    value: Any = {"value": text, "unit": unit} if unit in _DEGREES else text
    told = Told(uid, received_at, {prop: value}, Quality.CLOCK_GUESSED)
    profile = profile_of(NAME, context, told)
    if profile is None or not plan(profile, told.fields):
        if known.get("room") != prop or uid in context.profiles:
            return Decoded()
        told = told._replace(fields={"temperature": value})
    take(harvest, NAME, context, told)
    return harvest.decoded()


def _known(device: str, node: str, context: Context) -> Mapping[str, Any]:
    """What the device's description says of a node."""
    nodes = context.memory.get(device, {}).get("nodes")
    said = nodes.get(node.rpartition("/")[2]) if isinstance(nodes, dict) else None
    return said if isinstance(said, dict) else {}


def _unit(known: Mapping[str, Any], where: _Address, context: Context) -> str | None:
    """The unit of a property, from its description (5) or its own attribute (4)."""
    units = known.get("units")
    unit = units.get(where.prop) if isinstance(units, dict) else None
    if unit is None:
        unit = context.memory.get(f"{where.node}/{where.prop}", {}).get("unit")
    return unit if isinstance(unit, str) else None


def _attribute(where: _Address, text: str, at: datetime, context: Context) -> Decoded:
    """State, names and nodes of a device, and the unit of a property."""
    match where:
        case _Address(device, None, None, "$state" | "$online"):
            online = _ALIVE.get(text.strip())
            if online is None:
                return Decoded()
            uids = (device, *_nodes(device, context))
            return Decoded(signs=tuple(Sign(uid, at, online=online) for uid in uids))
        case _Address(device, None, None, "$nodes"):
            names = [name_of(name.partition("[")[0]) for name in text.split(",")][:_MOST]
            return Decoded(
                signs=tuple(Sign(f"{device}/{name}", at, gateway=device) for name in names if name),
                learnt={f"{device}/$nodes": {"nodes": [name for name in names if name]}},
            )
        case _Address(device, node, None, "$name"):
            return Decoded(signs=(Sign(node or device, at, label=name_of(text)),))
        case _Address(_, node, prop, "$unit") if prop is not None:
            return Decoded(learnt={f"{node}/{prop}": {"unit": name_of(text)}})
    return Decoded()


def _nodes(device: str, context: Context) -> list[str]:
    """The uids of a device's nodes, as far as it has told them."""
    described = context.memory.get(device, {}).get("nodes")
    if not isinstance(described, dict | list):
        described = context.memory.get(f"{device}/$nodes", {}).get("nodes")
    names = described if isinstance(described, dict | list) else ()
    return [f"{device}/{name}" for name in names]


def _described(topic: str, payload: bytes, at: datetime, device: str) -> Decoded:
    """Names and units out of a device's description (5)."""
    harvest = Harvest(topic, payload)
    try:
        said = mapping(document(payload))
        nodes = mapping(said.get("nodes") or {})
    except Refused as refused:
        harvest.refuse(refused, device_uid=device)
        return harvest.decoded()
    label = name_of(said.get("name"))
    known: dict[str, Any] = {}
    signs = [Sign(device, at, label=label)] if label else []
    for name, node in list(nodes.items())[:_MOST]:
        if not isinstance(node, dict) or name_of(name) != name:
            continue
        known[name] = _node(node)
        names = " / ".join(filter(None, (label, name_of(node.get("name"))))) or None
        signs.append(Sign(f"{device}/{name}", at, gateway=device, label=names))
    learnt: dict[str, Learnt] = {device: {"nodes": known}}
    return Decoded(signs=tuple(signs), learnt=learnt)


def _node(node: Mapping[str, Any]) -> dict[str, Any]:
    """The units of a node's properties, and which of them alone can be the room's temperature."""
    properties = node.get("properties")
    units: dict[str, str] = {}
    rooms: list[str] = []
    for name, prop in list((properties if isinstance(properties, dict) else {}).items())[:_MOST]:
        if not isinstance(prop, dict) or name_of(name) != name:
            continue
        unit = name_of(prop.get("unit"))
        if unit is None:
            continue
        units[name] = unit
        if unit in _DEGREES and str(prop.get("datatype")) in _NUMBERS and not prop.get("settable"):
            rooms.append(name)
    return {"units": units} | ({"room": rooms[0]} if len(rooms) == 1 else {})


FORMAT = Format(NAME, ("homie/#",), decode)
