"""SenML in JSON (RFC 8428): a pack of records, base name, base time and base value carried on.

``bn`` and ``n`` together name what was measured. The device is what they have in common: the base
name without trailing separators (``urn:dev:ow:10e2073a01080063:`` and without the colon are one),
longer by the first parts of ``n`` where that is a path (``room3/temp``), or by the whole of it
where a pack has several temperatures and no name tells which is the room. The measurement is the
last part of the name; where that says nothing, the unit does: ``Cel``, ``%RH``, ``%EL``.

Traps: base fields hold until they are set anew; times below 2^28 s are relative to now, here to
the arrival, and may be negative; ``t`` counts from ``bt``; a record of ``s`` alone (an integral),
of text, a boolean or data is no measurement; a label that ends in ``_`` and is not understood
forbids the use of the whole pack (section 4.4). Of several instants all but the last, and those
before the base time, were kept back: HISTORY.

Source: RFC 8428; RFC 9039 section 6 for ``_humidity`` behind a device's URN.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from hearthline.domain.readings import Quality, RejectReason
from ingest.formats.model import NO_CONTEXT, Context, Decoded, Format, Harvest
from ingest.formats.profiles import defaults, plan
from ingest.formats.telling import Point, Told, moments, name_of, take_all
from ingest.formats.values import Refused, document, mapping, number

NAME = "senml"
VERSION = 10
RELATIVE_S = float(1 << 28)
BY_UNIT = {
    "Cel": "temperature",
    "K": "temperature",
    "%RH": "humidity",
    "%EL": "battery",
}
"""The quantity that a unit tells where the name does not."""

_SEPARATORS = ":/_.-;#, "
_PARTS = re.compile(r"(?:(.*)[:/;#])?([^:/;#]*)", re.DOTALL)
_TEMPERATURES = {"Cel", "K"}


class Record(NamedTuple):
    """One resolved measurement; ``at_s`` is None for now, ``ago`` where it lies before the base."""

    base: str
    name: str
    unit: str
    value: float
    at_s: float | None
    ago: bool


def decode(
    topic: str, payload: bytes, received_at: datetime, context: Context = NO_CONTEXT
) -> Decoded:
    """Readings of all devices of a pack."""
    harvest = Harvest(topic, payload)
    try:
        pack = document(payload)
        if isinstance(pack, dict):
            pack = [pack]
        if not isinstance(pack, list):
            raise Refused(RejectReason.MALFORMED, "a pack is an array of records")
        _understood(pack)
    except Refused as refused:
        harvest.refuse(refused)
        return harvest.decoded()
    records = _resolved(harvest, pack)
    devices = _by_device(records)
    for uid, of in devices.items():
        alone = len(devices) == 1 and not harvest.rejections
        _take(harvest, context, uid, of, received_at, alone=alone)
    if not devices and not harvest.rejections:
        harvest.refuse(Refused(RejectReason.NO_QUANTITY, "no record has a value and a name"))
    return harvest.decoded()


def speaks(payload: bytes) -> bool:
    """Whether a message on anybody's topic is a SenML pack: it names its device itself."""
    head = payload.lstrip()[:2]
    if not head.startswith(b"[") or (b'"bn"' not in payload and b'"n"' not in payload):
        return False
    return b'"v"' in payload or b'"bv"' in payload


def _understood(pack: list[Any]) -> None:
    """Refuses what a reader must not use in part."""
    for record in pack:
        if not isinstance(record, dict):
            continue
        for label in record:
            if label.endswith("_"):
                detail = f"the pack may not be used without understanding {label[:40]!r}"
                raise Refused(RejectReason.MALFORMED, detail)
        version = record.get("bver")
        if isinstance(version, int | float) and version > VERSION:
            raise Refused(RejectReason.MALFORMED, f"SenML version {version}, known is {VERSION}")


def _resolved(harvest: Harvest, pack: list[Any]) -> list[Record]:
    """Records with their base fields applied; each fails for itself."""
    base: dict[str, Any] = {}
    found = []
    for item in pack:
        try:
            record = mapping(item)
            base |= {label: record[label] for label in ("bn", "bt", "bu", "bv") if label in record}
            resolved = _resolve(base, record)
        except Refused as refused:
            harvest.refuse(refused, item, _uid(base.get("bn")))
        else:
            found += [] if resolved is None else [resolved]
    return found


def _resolve(base: Mapping[str, Any], record: Mapping[str, Any]) -> Record | None:
    """One record; None where it measures nothing that has a number."""
    if record.get("v") is None and ("v" in record or "bv" not in record):
        return None
    value = number("v", record.get("v")) or 0.0
    value += number("bv", base.get("bv")) or 0.0
    name, start = _text("n", record.get("n")), _text("bn", base.get("bn"))
    if name_of(start + name) is None:
        raise Refused(RejectReason.MALFORMED, "a record without a name, or with an unprintable one")
    at_s = time = None
    if base.get("bt") is not None or record.get("t") is not None:
        time = number("t", record.get("t")) or 0.0
        at_s = (number("bt", base.get("bt")) or 0.0) + time
    unit = _text("u", record.get("u")) or _text("bu", base.get("bu"))
    ago = at_s is not None and time is not None and time < 0.0
    return Record(start, name, unit, value, at_s, ago)


def _text(label: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused(RejectReason.MALFORMED, f"{label} is no text")
    return value


def _uid(base: Any) -> str | None:
    name = name_of(base)
    return None if name is None else f"{NAME}:{name.rstrip(_SEPARATORS) or name}"


def _by_device(records: Iterable[Record]) -> dict[str, list[tuple[str, Record]]]:
    """What each device measured: the name of the field, and the record."""
    split = [(*_split(record), record) for record in records]
    probes: dict[str, set[str]] = {}
    for device, measure, record in split:
        if record.unit in _TEMPERATURES:
            probes.setdefault(device, set()).add(measure)
    found: dict[str, list[tuple[str, Record]]] = {}
    for device, measure, record in split:
        several = probes.get(device, set())
        if len(several) > 1 and measure and not any(map(_is_known, several)):
            found.setdefault(f"{NAME}:{device}/{measure}", []).append(("", record))
        else:
            found.setdefault(f"{NAME}:{device}", []).append((measure, record))
    return found


def _split(record: Record) -> tuple[str, str]:
    """Device and measurement of a record's name."""
    device = record.base.strip().rstrip(_SEPARATORS)
    match = _PARTS.fullmatch(record.name.strip(_SEPARATORS))
    head, measure = (match[1] or "", match[2]) if match else ("", record.name)
    if not device and (not head or not _is_known(measure)):
        # Without a base name the name alone is the device, unless it ends in a measurement.
        return record.name.strip().rstrip(_SEPARATORS) or record.name.strip(), ""
    joined = "/".join(part for part in (device, head.strip(_SEPARATORS)) if part)
    return (joined if device else head.rstrip(_SEPARATORS)), measure


def _is_known(measure: str) -> bool:
    """Whether a name is that of a quantity."""
    return measure == "" or any(plan(one, {measure: 0.0}) for one in defaults(NAME))


def _take(
    harvest: Harvest,
    context: Context,
    uid: str,
    measured: list[tuple[str, Record]],
    received_at: datetime,
    *,
    alone: bool,
) -> None:
    """Readings of one device, one for each instant."""
    points, early = [], set()
    for measure, record in measured:
        try:
            at = _instant(record, received_at)
        except Refused as refused:
            harvest.refuse(refused, _shown(record), uid)
            continue
        if record.ago and at is not None:
            early.add(at)
        points.append(Point(_field(measure, record), _value(record), at))
    found = moments(points)
    relative = any(record.at_s is not None and record.at_s < RELATIVE_S for _, record in measured)
    every = []
    for number_, (at, fields) in enumerate(found):
        quality = Quality.CLOCK_GUESSED if at is None or relative else Quality.GOOD
        if at in early or number_ < len(found) - 1:
            quality |= Quality.HISTORY
        item = None if alone and len(found) == 1 else fields
        every.append(Told(uid, at or received_at, fields, quality, item=item))
    take_all(harvest, NAME, context, every)


def _shown(record: Record) -> dict[str, Any]:
    return {"bn": record.base, "n": record.name, "v": record.value, "t": record.at_s}


def _field(measure: str, record: Record) -> str:
    """The field's name: its own where it says something, else what its unit tells."""
    if measure and _is_known(measure):
        return measure
    return BY_UNIT.get(record.unit, "") or measure or record.unit or "value"


def _value(record: Record) -> Any:
    return {"value": record.value, "unit": record.unit} if record.unit else record.value


def _instant(record: Record, received_at: datetime) -> datetime | None:
    """When a record was measured; None for now."""
    if record.at_s is None:
        return None
    try:
        if record.at_s < RELATIVE_S:
            return received_at + timedelta(seconds=record.at_s)
        return datetime.fromtimestamp(record.at_s, UTC)
    except (ValueError, OverflowError, OSError):
        raise Refused(RejectReason.BAD_TIME, f"the time is {record.at_s:g}") from None


FORMAT = Format(NAME, ("senml/#",), decode)
