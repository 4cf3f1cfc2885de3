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

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Annotated, Any

import msgspec
from msgspec.structs import astuple

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import Quality, Reading, RejectReason, Sign
from hearthline.storage.columns import EXACT_BELOW_S, KINDS, QUANTITIES, Table, packed
from ingest.formats.model import NO_CONTEXT, Context, Decoded, Format, Harvest, refused_whole
from ingest.formats.quantities import ESSENTIAL, reading
from ingest.formats.values import Refused, counter, document, instant, mapping, online

PREFIX = "hearthline/v1/"
STATUS = "status"
GOOD = Quality.GOOD
NAMES_KEPT = 20_000
SITES_KEPT = 16
"""So many names are remembered of a site, and so many sites: it is for speed alone."""

_KINDS = {kind.value: kind for kind in DeviceKind}

_Counter = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]


def _item(kind: DeviceKind) -> type[msgspec.Struct]:
    """An item of a message as documented: its time, the quantities of its kind, who, which."""
    said = msgspec.structs.fields(KINDS[kind])
    quantities = [
        (one.name, one.type, *([] if one.required else [None]))
        for one in said
        if one.name in QUANTITIES[kind]
    ]
    beside = [("device", str | None, None), ("seq", _Counter | None, None)]
    return msgspec.defstruct("_Item", [("ts", str), *quantities, *beside], gc=False)


class _Shape:
    """How items of one kind are read."""

    def __init__(self, kind: DeviceKind) -> None:
        self.kind = kind
        self.reading: Callable[..., Reading] = KINDS[kind]
        self.may_be_bare = ESSENTIAL[kind] is None
        item = _item(kind)
        self.one = msgspec.json.Decoder(item)
        self.many = msgspec.json.Decoder(list[item])  # type: ignore[valid-type]


_SHAPES = {kind: _Shape(kind) for kind in DeviceKind}


@dataclass(frozen=True, slots=True)
class _Address:
    """Who speaks by a topic: the uid of its device, and what the site's others begin with.

    ``shape`` is None for a status message.
    """

    site: str
    device: str
    shape: _Shape | None
    speaker: str
    prefix: str


class _Unusual(Exception):
    """An item that the patient way has to look at."""


class _Uids(dict[str, str]):
    """The uids of a site by name, so that a device which speaks again and again has one text.

    A text that was met before needs no memory, and need not be looked at again: only names that may
    be one are here.
    """

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self.prefix = prefix

    def __missing__(self, name: str) -> str:
        if not name or not name.isprintable():
            raise _Unusual
        if len(self) >= NAMES_KEPT:
            self.clear()
        self[name] = uid = self.prefix + name
        return uid


_uids = lru_cache(maxsize=SITES_KEPT)(_Uids)


def decode(
    topic: str, payload: bytes, received_at: datetime, _context: Context = NO_CONTEXT
) -> Decoded:
    """Readings of a message; every item of an array stands or falls alone."""
    try:
        address = _address(topic)
    except Refused as refused:
        return refused_whole(topic, payload, refused.reason, refused.detail)
    shape = address.shape
    if shape is None:
        return _status(address.speaker, payload, received_at)
    try:
        if payload.startswith(b"["):
            return _many(address, shape, payload)
        return _one(address, shape, payload)
    except (msgspec.MsgspecError, _Unusual, ValueError, OverflowError, RecursionError):
        return _patiently(topic, payload, address.site, address.device, shape.kind)


def _one(address: _Address, shape: _Shape, payload: bytes) -> Decoded:
    """A message of one item that is exactly as documented.

    Raises:
        msgspec.MsgspecError, _Unusual, ValueError, OverflowError: it is not.
    """
    ts, *quantities, name, seq = astuple(shape.one.decode(payload))
    _check_text(payload)
    if quantities[0] is None and not any(one is not None for one in quantities):
        raise _Unusual
    uid, gateway = address.speaker, None
    if name is not None:
        if not name or not name.isprintable():
            raise _Unusual
        uid = address.prefix + name
        gateway = address.speaker if name != address.device else None
    return Decoded((shape.reading(uid, _instant(ts), *quantities, GOOD, seq),), gateway=gateway)


def _many(address: _Address, shape: _Shape, payload: bytes) -> Decoded:
    """A message of many items that are all exactly as documented.

    Raises:
        msgspec.MsgspecError, _Unusual, ValueError, OverflowError: one is not.
    """
    items = shape.many.decode(payload)
    if not items:
        raise _Unusual
    _check_text(payload)
    texts, *quantities, names, seqs = zip(*map(astuple, items), strict=True)
    if shape.may_be_bare and (None,) * len(quantities) in zip(*quantities, strict=True):
        raise _Unusual
    speaker, known = address.speaker, _uids(address.prefix)
    if None in names:
        uids = tuple([speaker if name is None else known[name] for name in names])
    else:
        uids = tuple(map(known.__getitem__, names))
    gateway = speaker if names[0] not in (None, address.device) else None
    columns = map(packed, quantities)
    said = Table(shape.kind, uids, _seconds(texts), *columns, (GOOD,) * len(items), seqs)
    return Decoded(said, array=True, gateway=gateway)


def _check_text(payload: bytes) -> None:
    """Fields that are skipped are not looked at; but the rest must be text, too.

    Raises:
        UnicodeDecodeError: it is not.
    """
    if not payload.isascii():
        payload.decode()


def _instant(text: str) -> datetime:
    """The instant that a text names, as UTC.

    Raises:
        _Unusual, ValueError, OverflowError: it names none, or none without a zone.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is UTC:
        return at
    if at.tzinfo is None:
        raise _Unusual
    return at.astimezone(UTC)


def _seconds(texts: Sequence[str]) -> Sequence[float | None]:
    """Seconds since 1970 of each text; a gateway dates many answers alike.

    Raises:
        _Unusual, ValueError, OverflowError: one names no instant, or one that a float cannot hold.
    """
    said = {text: _instant(text).timestamp() for text in set(texts)}
    if min(said.values()) < 0 or max(said.values()) >= EXACT_BELOW_S:
        raise _Unusual
    if len(said) == 1:
        return array("d", [*said.values()]) * len(texts)
    return packed(tuple(map(said.__getitem__, texts)))


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
def _address(topic: str) -> _Address:
    """Who speaks by a topic, and of what.

    Raises:
        Refused: MALFORMED where the topic has another shape.
    """
    levels = topic.removeprefix(PREFIX).split("/")
    if len(levels) != 3 or not all(levels):
        raise Refused(
            RejectReason.MALFORMED, f"the topic is not {PREFIX}{{site}}/{{device}}/{{kind}}"
        )
    site, device, kind = levels
    if kind != STATUS and kind not in _KINDS:
        detail = f"the topic ends in {kind!r}, not one of {', '.join(_KINDS)}, {STATUS}"
        raise Refused(RejectReason.MALFORMED, detail)
    shape = None if kind == STATUS else _SHAPES[_KINDS[kind]]
    return _Address(site, device, shape, f"own:{site}/{device}", f"own:{site}/")


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
