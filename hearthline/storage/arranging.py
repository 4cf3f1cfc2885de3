"""Readings of one kind made ready for the database without asking it: sorted, summed up, packed.

Pure, and the larger part of what storing a batch costs us. So it can be done while the database is
still busy with the batch before; what the database alone knows (rows that are there already, the
last counters) is settled in ``storage.readings``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np

from hearthline.domain.readings import UNUSABLE, Quality
from hearthline.storage import binary
from hearthline.storage.columns import QUANTITIES, Bools, Columns, Floats, Ints

DOUBLES = frozenset({"energy_kwh", "volume_m3", "makeup_m3"})
"""Counters, which need more digits than a float4 has."""

_HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Arranged:
    """A lot as it is stored.

    ``lot`` has all its readings, sorted by device and time, and ``first`` marks the first to arrive
    of each (device, time); ``unique`` are those, and ``rows`` is what COPY sends of them.
    ``latest`` and ``marks`` are the parameters of ``advance_latest`` and ``mark_dirty``.
    """

    lot: Columns
    first: Bools
    unique: Columns
    rows: bytes
    latest: Mapping[str, Any]
    marks: Mapping[str, Any]


def arrange(lot: Columns) -> Arranged:
    """Make a lot ready, one reading at least."""
    lot = lot[np.lexsort((lot.times, lot.devices))]  # stable: the first to arrive comes first
    first = _first_of_each(lot)
    unique = lot if first.all() else lot[first]
    return Arranged(lot, first, unique, copied(unique), _latest(lot), marks_of(unique))


def _first_of_each(lot: Columns) -> Bools:
    """In sorted readings, the first of each (device, time)."""
    first = np.ones(len(lot), bool)
    first[1:] = (lot.devices[1:] != lot.devices[:-1]) | (lot.times[1:] != lot.times[:-1])
    return first


def copied(lot: Columns) -> bytes:
    """Readings as ``COPY … FROM STDIN (FORMAT BINARY)`` takes them."""
    fields = [
        binary.Field(">i8", lot.times - binary.POSTGRES_EPOCH_US),
        binary.Field(">i4", lot.devices),
    ]
    for name in QUANTITIES[lot.kind]:
        column = lot.values[name]
        wire = ">f8" if name in DOUBLES else ">f4"
        fields.append(binary.Field(wire, column, np.isnan(column)))
    fields.append(binary.Field(">i2", lot.quality))
    return binary.rows(fields)


# ── counters ────────────────────────────────────────────────────────────────────────────


def counting(lot: Columns) -> Ints:
    """The devices of a lot that number their readings."""
    return np.unique(lot.devices[~np.isnan(lot.seq)])


def flag_repeats(lot: Columns, last: Mapping[int, tuple[float, int]]) -> Columns:
    """The lot, with readings flagged that have the number of the one before at another time.

    ``lot`` is sorted by device and time; ``last`` has counter and time (µs) of each device's last
    reading before it. Where nothing is flagged it is the same lot.
    """
    numbered = np.flatnonzero(~np.isnan(lot.seq))
    if not len(numbered):
        return lot
    devices, seqs, times = lot.devices[numbered], lot.seq[numbered], lot.times[numbered]
    repeats = np.zeros(len(numbered), bool)
    begins = np.ones(len(numbered), bool)
    begins[1:] = devices[1:] != devices[:-1]
    repeats[1:] = ~begins[1:] & (seqs[1:] == seqs[:-1]) & (times[1:] != times[:-1])
    for row in np.flatnonzero(begins):
        seq, time = last.get(int(devices[row]), (np.nan, 0))
        repeats[row] = seqs[row] == seq and times[row] > time
    if not repeats.any():
        return lot
    quality = lot.quality.copy()
    quality[numbered[repeats]] |= int(Quality.REPEATED)
    return replace(lot, quality=quality)


# ── the latest of each device ─────────────────────────────────────────────────────────────


def _latest(lot: Columns) -> dict[str, Any]:
    """What moves the latest values on, from a lot sorted by device and time."""
    found = newest(lot)
    last = lot[found.rows]
    battery = _percent(last.values.get("battery_pct", np.full(len(last), np.nan)))
    return {
        "device_ids": binary.array(">i4", last.devices),
        "times": binary.instants(last.times),
        "since": binary.instants(found.since),
        "before": binary.instants(found.before, ~found.changed),
        "readings": binary.document(_ENCODER.encode(_said(last))),
        "said": binary.array(">i8", last.said()),
        "qualities": binary.array(">i2", last.quality),
        "seqs": _floats(last.seq),
        "skews": _floats(found.skew_s),
        "batteries": _floats(battery),
        "unusable": int(UNUSABLE),
    }


def _percent(values: Floats) -> Floats:
    """Battery levels; what is none (255) becomes NaN."""
    return np.where((values >= 0) & (values <= 100), values, np.nan)


def _floats(values: Floats) -> binary.Packed:
    return binary.array(">f8", values, np.isnan(values))


def _optional(values: Floats) -> list[float | None]:
    said: list[float | None] = values.tolist()
    for row in np.flatnonzero(np.isnan(values)).tolist():
        said[row] = None
    return said


@dataclass(slots=True)
class Newest:
    """Per device of a lot: the row of its newest reading, and for how long the lot says so.

    ``since`` is the first instant (µs) up to the newest from which all readings have its value,
    ``before`` the instant of the reading before those where ``changed`` says that there is one,
    ``skew_s`` the greatest skew (NaN: unknown).
    """

    rows: Ints
    since: Ints
    before: Ints
    changed: Bools
    skew_s: Floats


def newest(lot: Columns) -> Newest:
    """The newest usable reading of each device in a lot sorted by device and time.

    A device of which nothing is usable is there with its newest reading of all.
    """
    ends = np.append(np.flatnonzero(lot.devices[1:] != lot.devices[:-1]), len(lot) - 1)
    starts = np.append(0, ends[:-1] + 1)
    skew = np.fmax.reduceat(lot.skew_s, starts)
    here = np.arange(len(lot))
    usable = lot.usable
    last_usable = np.maximum.accumulate(np.where(usable, here, -1))[ends]
    rows = np.where(last_usable >= starts, last_usable, ends)
    chosen = usable.copy()
    chosen[rows] = True  # devices without a usable reading stand with their last
    kept = np.flatnonzero(chosen)
    of_kept = lot if len(kept) == len(lot) else lot[kept]
    position = np.searchsorted(kept, rows)
    run = np.maximum.accumulate(np.where(of_kept.principal_changes(), np.arange(len(kept)), 0))
    begun = run[position]
    previous = begun - 1
    changed = (begun > 0) & (of_kept.devices[previous] == of_kept.devices[begun])
    return Newest(rows, of_kept.times[begun], of_kept.times[previous], changed, skew)


def _said(lot: Columns) -> list[msgspec.Struct]:
    """The quantities of each reading, to be encoded as JSON; what was not said is left out."""
    return list(map(_SAID[lot.kind], *map(_optional, lot.values.values())))


_SAID = {
    kind: msgspec.defstruct(
        "_Said", [(name, float | None, None) for name in names], omit_defaults=True, gc=False
    )
    for kind, names in QUANTITIES.items()
}
_ENCODER = msgspec.json.Encoder()


def json_of(lot: Columns) -> list[str]:
    """What each reading says as JSON."""
    return [_ENCODER.encode(one).decode() for one in _said(lot)]


# ── marks ───────────────────────────────────────────────────────────────────────────────


def touched_hours(times: Ints, hold_s: Floats) -> tuple[Ints, Ints]:
    """First and last hour, counted from 1970, in which each reading may stand."""
    ended = times + (hold_s * 1e6).astype(np.int64)
    return times // _HOUR_US, np.maximum(times, ended - 1) // _HOUR_US


def marks_of(new: Columns) -> dict[str, Any]:
    """The hours to be rolled up again because of new readings."""
    first, last = touched_hours(new.times, new.hold_s)
    keys = []
    for more in range(int((last - first).max()) + 1):
        reaches = first + more <= last
        key = (new.devices[reaches] << 24) | (first[reaches] + more)
        keys.append(key[np.flatnonzero(np.diff(key, prepend=-1))])  # sorted: most are as before
    touched = np.unique(np.concatenate(keys))
    return {
        "kind": new.kind.value,
        "device_ids": binary.array(">i4", touched >> 24),
        "hours": binary.array(">i8", touched & 0xFFFFFF),
    }
