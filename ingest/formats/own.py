"""Our own wire format: ``hearthline/v1/{site}/{device}/{kind}``, a JSON object or an array.

Each item carries ``ts`` (required: a device without a clock has its gateway add it), quantities
named as the fields of the domain's readings, optionally ``seq``, and optionally ``device`` where
a gateway speaks for many; the device of the topic is then the gateway. ``status`` messages
(retained, last will) say whether a device lives, in ``online``, as a word or as JSON.

A message that is written as documented is read in one typed pass and kept by column, which costs
a tenth of looking at every value; whatever that pass takes offence at is read again by the patient
way, which knows numbers as text, clocks in other units, and whom to blame. Both give the same
readings.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache, partial
from typing import Annotated, Any

import msgspec

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import Quality, Reading, RejectReason, Sign
from hearthline.storage.columns import EXACT_BELOW_S, Table, seconds
from ingest.formats.model import NO_CONTEXT, Context, Decoded, Format, Harvest, refused_whole
from ingest.formats.quantities import reading
from ingest.formats.values import Refused, counter, document, instant, mapping, online

PREFIX = "hearthline/v1/"
STATUS = "status"
GOOD = Quality.GOOD
_KINDS = {kind.value: kind for kind in DeviceKind}

_Instant = Annotated[datetime, msgspec.Meta(tz=True)]
_Counter = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]


class _Room(msgspec.Struct, gc=False):
    ts: _Instant
    temperature_c: float
    humidity_pct: float | None = None
    battery_pct: float | None = None
    device: str | None = None
    seq: _Counter | None = None


class _Meter(msgspec.Struct, gc=False):
    ts: _Instant
    supply_c: float | None = None
    return_c: float | None = None
    flow_m3h: float | None = None
    power_kw: float | None = None
    energy_kwh: float | None = None
    volume_m3: float | None = None
    supply_kpa: float | None = None
    return_kpa: float | None = None
    valve_pct: float | None = None
    pump_hz: float | None = None
    makeup_m3: float | None = None
    device: str | None = None
    seq: _Counter | None = None


class _Weather(msgspec.Struct, gc=False):
    ts: _Instant
    outdoor_c: float
    wind_ms: float | None = None
    solar_wm2: float | None = None
    humidity_pct: float | None = None
    device: str | None = None
    seq: _Counter | None = None


_Item = _Room | _Meter | _Weather


class _Unusual(Exception):
    """An item that the patient way has to look at."""


def _rooms(items: list[Any]) -> tuple[list[Any], ...]:
    return (
        [i.temperature_c for i in items],
        [i.humidity_pct for i in items],
        [i.battery_pct for i in items],
    )


def _meters(items: list[Any]) -> tuple[list[Any], ...]:
    quantities = (
        [i.supply_c for i in items],
        [i.return_c for i in items],
        [i.flow_m3h for i in items],
        [i.power_kw for i in items],
        [i.energy_kwh for i in items],
        [i.volume_m3 for i in items],
        [i.supply_kpa for i in items],
        [i.return_kpa for i in items],
        [i.valve_pct for i in items],
        [i.pump_hz for i in items],
        [i.makeup_m3 for i in items],
    )
    if (None,) * len(quantities) in zip(*quantities, strict=True):
        raise _Unusual
    return quantities


def _weathers(items: list[Any]) -> tuple[list[Any], ...]:
    return (
        [i.outdoor_c for i in items],
        [i.wind_ms for i in items],
        [i.solar_wm2 for i in items],
        [i.humidity_pct for i in items],
    )


_SHAPES: dict[DeviceKind, tuple[type[_Item], Any]] = {
    DeviceKind.ROOM: (_Room, _rooms),
    DeviceKind.METER: (_Meter, _meters),
    DeviceKind.WEATHER: (_Weather, _weathers),
}
_ONE: dict[DeviceKind, Any] = {
    kind: msgspec.json.Decoder(shape) for kind, (shape, _) in _SHAPES.items()
}
_MANY: dict[DeviceKind, Any] = {
    kind: msgspec.json.Decoder(list[shape])  # type: ignore[valid-type]
    for kind, (shape, _) in _SHAPES.items()
}


def decode(
    topic: str, payload: bytes, received_at: datetime, _context: Context = NO_CONTEXT
) -> Decoded:
    """Readings of a message; every item of an array stands or falls alone."""
    try:
        site, device, kind = _address(topic)
    except Refused as refused:
        return refused_whole(topic, payload, refused.reason, refused.detail)
    if kind is None:
        return _status(f"own:{site}/{device}", payload, received_at)
    try:
        return _at_once(site, device, kind, payload)
    except (msgspec.MsgspecError, _Unusual, ValueError, OverflowError, RecursionError):
        return _patiently(topic, payload, site, device, kind)


def _at_once(site: str, device: str, kind: DeviceKind, payload: bytes) -> Decoded:
    """A message that is exactly as documented.

    Raises:
        msgspec.MsgspecError, _Unusual, ValueError, OverflowError: it is not.
    """
    quantities = _SHAPES[kind][1]
    array = payload.startswith(b"[")
    items = _MANY[kind].decode(payload) if array else [_ONE[kind].decode(payload)]
    names = [item.device for item in items]
    if not items or "" in names or not "".join(filter(None, names)).isprintable():
        raise _Unusual
    if not payload.isascii():
        payload.decode()  # fields that are skipped are not looked at, but the rest must be text
    speaker = f"own:{site}/{device}"
    gateway = speaker if names[0] not in (None, device) else None
    prefix = f"own:{site}/"
    uids = [speaker if name is None else prefix + name for name in names]
    times = seconds(item.ts for item in items)
    if min(times) < 0 or max(times) >= EXACT_BELOW_S:
        raise _Unusual
    quality, seqs = [GOOD] * len(items), [item.seq for item in items]
    said = Table(kind, uids, times, *quantities(items), quality, seqs)
    return Decoded(said, array=array, gateway=gateway)


def _patiently(topic: str, payload: bytes, site: str, device: str, kind: DeviceKind) -> Decoded:
    """A message as real devices may write it, item by item."""
    harvest = Harvest(topic, payload)
    try:
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


def _status(uid: str, payload: bytes, received_at: datetime) -> Decoded:
    """What a status message says: JSON with ``online``, or a word."""
    lives = online(payload)
    return Decoded() if lives is None else Decoded(signs=(Sign(uid, received_at, online=lives),))


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
    if isinstance(named, str):
        return named != "" and named.isprintable()
    return isinstance(named, int) and not isinstance(named, bool)


def _read(uid: str, kind: DeviceKind, item: Any) -> Reading:
    said = mapping(item)
    named = said.get("device")
    if named is not None and not _is_name(named):
        raise Refused(RejectReason.MALFORMED, "device is not a name")
    if said.get("ts") is None:
        raise Refused(RejectReason.BAD_TIME, "no ts")
    return reading(kind, uid, instant("ts", said["ts"]), said, seq=counter(said.get("seq")))


FORMAT = Format("own", ("hearthline/v1/#",), decode)
