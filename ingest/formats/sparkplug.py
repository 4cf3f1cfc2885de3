"""Sparkplug B: ``spBv1.0/{group}/{type}/{edge node}[/{device}]``, protobuf payloads.

Births (NBIRTH, DBIRTH) name the metrics and give each an alias; data messages may have aliases
alone. What a birth teaches is remembered under the uid of its edge node or device and shared by
all processes. Traps:

- Data whose aliases nobody can resolve is kept (``needs``), and the edge node is asked for its
  births (``Node Control/Rebirth``), unless one was heard just now. Names in data need no birth.
- Aliases hold for one session of the edge node. An NBIRTH begins one: a device's birth that is
  older than its edge node's no longer counts. The births' own times decide, not their order of
  arrival, which the processes of a shared subscription do not see. A birth that is decoded again
  after a later one was heard (kept messages are) teaches nothing.
- ``seq`` numbers the messages of the edge node with all its devices, 0 to 255: two messages of one
  device may well have the same. It is no counter of readings and is not taken for one.
- Metrics carry their own times, in ms; nodes that say s or µs are understood (``values.instant``
  reads any 64-bit number). ``is_historical`` were kept back; ``is_null`` is no value.
- A birth tells the last values known, which may be old: they count at their own times.
- An NDEATH is the edge node's last will. Its time is that of the connection which it ends, so the
  arrival counts; one whose ``bdSeq`` is not that of the present session is late and says nothing.
  Its devices, which have the edge node as their gateway, are dead with it.
- Report by exception: a message may have any few of a device's metrics, a battery alone.

Source: Sparkplug 3.0, chapters 4 to 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from hearthline.domain.readings import Quality, RejectReason, Sign
from ingest.formats.model import NO_CONTEXT, Context, Decoded, Format, Harvest, Request
from ingest.formats.profiles import plan
from ingest.formats.sparkplug_payload import Metric, Payload, read, rebirth, signed
from ingest.formats.telling import Point, Told, moments, name_of, profile_of, take
from ingest.formats.values import Refused, instant

NAME = "sparkplug"
ROOT = "spBv1.0"
SPREAD_MS = 10_000
"""How much older than its edge node's birth a device's may be and still be of one session."""
PATIENCE, LONG_PATIENCE = timedelta(minutes=1), timedelta(hours=1)
"""How long after a birth another is not asked for; long where the last one left an alias out.

Births are sent at QoS 0 and may get lost; but a node that never names some alias must not be made
to tell all of its devices anew with every message.
"""
_MOST = 10_000
"""Metrics of a birth that are remembered."""
_BIRTHS = frozenset({"NBIRTH", "DBIRTH"})
_DEATHS = frozenset({"NDEATH", "DDEATH"})
_DATA = frozenset({"NDATA", "DDATA"})
_LEVELS = {"N": 4, "D": 5}
_SESSION = "bdSeq"


class _Where(NamedTuple):
    """What a topic says: the kind of message, whose it is, and the edge node it came through."""

    kind: str
    uid: str
    edge: str
    command: str

    @property
    def gateway(self) -> str | None:
        return self.edge if self.uid != self.edge else None


def decode(
    topic: str, payload: bytes, received_at: datetime, context: Context = NO_CONTEXT
) -> Decoded:
    """Readings, life signs and aliases of a message; commands and host states give nothing."""
    where = _address(topic)
    if where is None:
        return Decoded()
    harvest = Harvest(topic, payload)
    try:
        told = read(payload)
    except Refused as refused:
        harvest.refuse(refused, device_uid=where.uid)
        return harvest.decoded()
    if where.kind in _DEATHS:
        return _death(where, told, received_at, context)
    if where.kind in _BIRTHS:
        return _birth(harvest, where, told, received_at, context)
    return _data(harvest, where, told, received_at, context)


@lru_cache(maxsize=50_000)
def _address(topic: str) -> _Where | None:
    levels = topic.split("/")
    kind = levels[2] if len(levels) > 3 else ""
    if kind not in _BIRTHS | _DEATHS | _DATA or len(levels) != _LEVELS[kind[0]]:
        return None
    if not all(levels):
        return None
    group, edge = levels[1], f"{NAME}:{levels[1]}/{levels[3]}"
    uid = f"{edge}/{levels[4]}" if kind[0] == "D" else edge
    return _Where(kind, uid, edge, f"{ROOT}/{group}/NCMD/{levels[3]}")


def _death(where: _Where, told: Payload, received_at: datetime, context: Context) -> Decoded:
    """A device, or an edge node with all its devices, is gone."""
    if where.kind == "NDEATH":
        ended, present = _session(told), context.memory.get(where.edge, {}).get(_SESSION)
        if ended is not None and present is not None and ended != present:
            return Decoded()
    return Decoded(signs=(Sign(where.uid, received_at, online=False, gateway=where.gateway),))


def _birth(
    harvest: Harvest, where: _Where, told: Payload, received_at: datetime, context: Context
) -> Decoded:
    """An edge node or a device is there, and says what its aliases stand for."""
    heard_ms = int(received_at.timestamp() * 1000)
    lesson: dict[str, Any] = {
        "heard_ms": heard_ms,
        "born_ms": told.at_ms or heard_ms,
        "metrics": {
            str(metric.alias): [name_of(metric.name), metric.datatype]
            for metric in told.metrics[:_MOST]
            if metric.alias is not None
        },
    }
    if where.kind == "NBIRTH":
        lesson[_SESSION] = _session(told)
    time = instant("timestamp", told.at_ms) if told.at_ms else received_at
    names = {metric.name: 0.0 for metric in told.metrics if metric.name is not None}
    if where.kind == "DBIRTH" and not _is_ours(Told(where.uid, time, names), context):
        listed = ", ".join(name[:40] for name in list(names)[:8])
        detail = f"no profile knows any of its metrics: {listed}"
        harvest.refuse(Refused(RejectReason.NO_QUANTITY, detail), device_uid=where.uid)
    _gather(harvest, where, told, received_at, context, {})
    harvest.signs.append(Sign(where.uid, time, online=True, gateway=where.gateway))
    decoded = _with_gateway(harvest, where)
    if heard_ms < context.memory.get(where.uid, {}).get("heard_ms", 0):
        return decoded
    return msgspec.structs.replace(decoded, learnt={where.uid: lesson})


def _data(
    harvest: Harvest, where: _Where, told: Payload, received_at: datetime, context: Context
) -> Decoded:
    """What was measured; or that nobody knows the aliases, and the request for them."""
    known = _aliases(where, context)
    unknown = sorted({one.alias or 0 for one in told.metrics if _is_unknown(one, known)})
    if unknown and not any(one.name or str(one.alias) in known for one in told.metrics):
        listed = ", ".join(map(str, unknown[:8]))
        detail = f"no birth of {where.uid} tells what its alias {listed} is"
        harvest.refuse(Refused(RejectReason.UNKNOWN_ALIAS, detail), device_uid=where.uid)
        keys = tuple(dict.fromkeys((where.uid, where.edge)))
        asked = _asked(where, received_at, context, PATIENCE)
        return msgspec.structs.replace(harvest.decoded(), needs=keys, requests=asked)
    _gather(harvest, where, told, received_at, context, known)
    decoded = _with_gateway(harvest, where)
    if not unknown:
        return decoded
    asked = _asked(where, received_at, context, LONG_PATIENCE)
    return msgspec.structs.replace(decoded, requests=asked)


def _is_unknown(metric: Metric, known: Mapping[str, Any]) -> bool:
    return metric.name is None and metric.alias is not None and str(metric.alias) not in known


def _aliases(where: _Where, context: Context) -> Mapping[str, Any]:
    """What the present session's birth says of the aliases; empty where it is not known."""
    birth = context.memory.get(where.uid, {})
    session = context.memory.get(where.edge, {})
    if birth.get("born_ms", 0) + SPREAD_MS < session.get("born_ms", 0):
        return {}
    metrics = birth.get("metrics")
    return metrics if isinstance(metrics, dict) else {}


def _gather(  # noqa: PLR0917 - what one message needs
    harvest: Harvest,
    where: _Where,
    told: Payload,
    received_at: datetime,
    context: Context,
    known: Mapping[str, Any],
) -> None:
    """Add the readings and signs of metrics: those kept back, then those of the present."""
    points: dict[Quality, list[Point]] = {}
    times: dict[int | None, datetime | None] = {None: None}
    for metric in told.metrics:
        name, value = metric.name, metric.value
        if name is None:
            name, datatype = known.get(str(metric.alias), (None, None))
            if metric.datatype is None and type(value) is int:
                value = signed(value, datatype)
        if name is None or value is None:
            continue
        at_ms = metric.at_ms or told.at_ms
        if at_ms not in times:
            times[at_ms] = instant("timestamp", at_ms)
        quality = Quality.HISTORY if metric.historical else Quality.GOOD
        points.setdefault(quality, []).append(Point(name, value, times[at_ms]))
    for quality, those in sorted(points.items(), reverse=True):
        for at, fields in moments(those):
            one = Told(where.uid, at or received_at, fields, quality)
            if at is None:
                one = one._replace(quality=quality | Quality.CLOCK_GUESSED)
            if _is_ours(one, context):
                take(harvest, NAME, context, one)


def _is_ours(told: Told, context: Context) -> bool:
    """Whether a profile knows any of these metrics.

    Few of a device's metrics say anything of heat, and a message has any few of them. So the rest
    is passed over; a device of which no metric at all is known is refused at its birth.
    """
    profile = profile_of(NAME, context, told)
    return profile is not None and bool(plan(profile, told.fields))


def _with_gateway(harvest: Harvest, where: _Where) -> Decoded:
    decoded = harvest.decoded()
    if not decoded.readings:
        return decoded
    return msgspec.structs.replace(decoded, gateway=where.gateway)


def _session(told: Payload) -> int | None:
    """The number of the edge node's session that a birth begins or a death ends."""
    for metric in told.metrics:
        if metric.name == _SESSION and type(metric.value) is int:
            return metric.value
    return None


def _asked(
    where: _Where, at: datetime, context: Context, patience: timedelta
) -> tuple[Request, ...]:
    """The request for an edge node's births; those of one minute are equal, and go out once."""
    births = (context.memory.get(uid, {}) for uid in (where.uid, where.edge))
    heard_ms = max(birth.get("heard_ms", 0) for birth in births)
    if at.timestamp() * 1000 - heard_ms < patience.total_seconds() * 1000:
        return ()
    minute_ms = int(at.timestamp()) // 60 * 60_000
    return (Request(where.command, rebirth(minute_ms)),)


FORMAT = Format(NAME, (f"{ROOT}/#",), decode)
