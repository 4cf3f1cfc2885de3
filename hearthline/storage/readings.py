"""Readings into their hypertables: each once, with the latest value and the marks for rollups.

Duplicates are rare, so a batch is first copied straight in; where one reading is already there
the savepoint is rolled back and the batch goes through a temporary table and ON CONFLICT DO
NOTHING. The first value stored for (device, time) stays; one that says something else is recorded
as a conflict. Everything happens in the caller's transaction, so rows, latest values and marks
appear together or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import numpy as np
from psycopg.errors import DataError, IntegrityError, UniqueViolation

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import PRINCIPAL, UNUSABLE, Quality
from hearthline.storage import binary
from hearthline.storage.columns import (
    HOLD_AT_MOST,
    HOLD_FACTOR,
    QUANTITIES,
    Bools,
    Columns,
    Floats,
    Ints,
    KnownDevice,
    Placed,
    by_kind,
    instants,
)
from hearthline.storage.database import Connection
from hearthline.storage.queries import family

__all__ = [
    "HOLD_AT_MOST",
    "HOLD_FACTOR",
    "KnownDevice",
    "Placed",
    "RefusedByDatabase",
    "Stored",
    "copy",
    "known_devices",
    "listen_for_ledger",
    "look",
    "store",
    "store_columns",
]

RefusedByDatabase = (DataError, IntegrityError)
"""The rows are at fault, not the server: trying again does not help."""

DOUBLES = frozenset({"energy_kwh", "volume_m3", "makeup_m3"})
"""Counters, which need more digits than a float4 has."""

_HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch's readings; a conflict is a duplicate that says something else."""

    rows: int
    duplicates: int
    conflicts: int = 0

    def __add__(self, other: Stored) -> Stored:
        return Stored(
            self.rows + other.rows,
            self.duplicates + other.duplicates,
            self.conflicts + other.conflicts,
        )


def known_devices(
    connection: Connection, uids: Collection[str] | None = None
) -> dict[str, KnownDevice]:
    """Devices of the ledger by uid: these, or all."""
    sql = family("readings")
    if uids is None:
        rows = connection.execute(sql["all_devices"]).fetchall()
    else:
        wanted = [uid for uid in uids if _is_text(uid)]
        rows = connection.execute(sql["devices_by_uid"], {"uids": wanted}).fetchall()
    return {
        row["uid"]: KnownDevice(
            row["id"], DeviceKind(row["kind"]), row["expected_interval_s"], row["profile"]
        )
        for row in rows
    }


def _is_text(uid: str) -> bool:
    """Whether PostgreSQL takes it as text; what it does not take is no device's name either."""
    try:
        return "\0" not in uid and bool(uid.encode())
    except UnicodeEncodeError:
        return False


def listen_for_ledger(connection: Connection) -> None:
    """Have this connection told when the ledger changes (``Connection.add_notify_handler``)."""
    connection.execute(family("readings")["listen"])


def look(connection: Connection) -> None:
    """See that the server answers, and take notices in."""
    connection.execute(family("readings")["look"])


def store(
    connection: Connection,
    placed: Sequence[Placed],
    seen_at: datetime,
    *,
    expect_duplicates: bool = False,
) -> Stored:
    """Store readings with their devices, as ``store_columns`` does."""
    lots = by_kind(placed, seen_at)
    return store_columns(connection, lots, seen_at, expect_duplicates=expect_duplicates)


def store_columns(
    connection: Connection,
    lots: Iterable[Columns],
    seen_at: datetime,
    *,
    expect_duplicates: bool = False,
) -> Stored:
    """Store a batch in the connection's open transaction; idempotent.

    ``seen_at`` is when the batch arrived. ``expect_duplicates`` takes the careful way at once,
    sparing a copy that would be rolled back.
    """
    stored = Stored(0, 0)
    for lot in lots:
        if len(lot):
            stored += _store_kind(connection, lot, seen_at, expect_duplicates=expect_duplicates)
    return stored


def _store_kind(
    connection: Connection, lot: Columns, seen_at: datetime, *, expect_duplicates: bool
) -> Stored:
    lot = lot[np.lexsort((lot.times, lot.devices))]  # stable: the first to arrive comes first
    flag_repeats(lot, _last_counters(connection, lot))
    first = _first_of_each(lot)
    unique = lot if first.all() else lot[first]
    new, conflicts = _insert(connection, unique, seen_at, expect_duplicates)
    if not first.all():
        conflicts += _conflicts_within(connection, lot, first, seen_at)
    _advance_latest(connection, lot, seen_at)
    rows = len(unique) if new is None else int(new.sum())
    if rows:
        _mark_dirty(connection, unique if new is None else unique[new])
    return Stored(rows, len(lot) - rows, conflicts)


def _first_of_each(lot: Columns) -> Bools:
    """In sorted readings, the first of each (device, time)."""
    first = np.ones(len(lot), bool)
    first[1:] = (lot.devices[1:] != lot.devices[:-1]) | (lot.times[1:] != lot.times[:-1])
    return first


# ── counters ────────────────────────────────────────────────────────────────────────────


def _last_counters(connection: Connection, lot: Columns) -> dict[int, tuple[float, int]]:
    """The counter and time (µs) of the last reading of each device of the lot that counts."""
    counting = np.unique(lot.devices[~np.isnan(lot.seq)])
    if not len(counting):
        return {}
    rows = connection.execute(
        family("readings")["last_counters"], {"device_ids": counting.tolist()}
    ).fetchall()
    return {row["device_id"]: (row["seq"], row["time_us"]) for row in rows}


def flag_repeats(lot: Columns, last: dict[int, tuple[float, int]]) -> None:
    """Flag readings under the number of the one before, at another time (lot sorted by time)."""
    counting = np.flatnonzero(~np.isnan(lot.seq))
    if not len(counting):
        return
    devices, seqs, times = lot.devices[counting], lot.seq[counting], lot.times[counting]
    repeats = np.zeros(len(counting), bool)
    begins = np.ones(len(counting), bool)
    begins[1:] = devices[1:] != devices[:-1]
    repeats[1:] = ~begins[1:] & (seqs[1:] == seqs[:-1]) & (times[1:] != times[:-1])
    for row in np.flatnonzero(begins):
        seq, time = last.get(int(devices[row]), (np.nan, 0))
        repeats[row] = seqs[row] == seq and times[row] > time
    lot.quality[counting[repeats]] |= int(Quality.REPEATED)


# ── rows ────────────────────────────────────────────────────────────────────────────────


def _insert(
    connection: Connection, lot: Columns, seen_at: datetime, expect_duplicates: bool
) -> tuple[Bools | None, int]:
    """Insert readings: which of them were new (None: all), and how many contradict their row."""
    if not expect_duplicates:
        try:
            with connection.transaction():
                copy(connection, lot)
            return None, 0
        except UniqueViolation:
            pass
    sql = family("readings")
    kind = lot.kind.value
    connection.execute(sql[f"stage_{kind}"])
    copy(connection, lot, staged=True)
    merged = connection.execute(sql[f"merge_{kind}"]).fetchall()
    if len(merged) == len(lot):
        return None, 0
    span = {"since": instants(lot.times.min(keepdims=True))[0], "at": seen_at}
    span["until"] = instants(lot.times.max(keepdims=True))[0]
    conflicts = connection.execute(sql[f"contradict_{kind}"], span, prepare=False).rowcount
    arrived = {(row["device_id"], row["time_us"]) for row in merged}
    keys = zip(lot.devices.tolist(), lot.times.tolist(), strict=True)
    return np.array([key in arrived for key in keys], bool), conflicts


def copy(connection: Connection, lot: Columns, *, staged: bool = False) -> None:
    """Copy readings in, to their table or to its staging table, and do nothing else."""
    statement = family("readings")[f"copy_{'staged_' if staged else ''}{lot.kind.value}"]
    fields = [
        binary.Field(">i8", lot.times - binary.POSTGRES_EPOCH_US),
        binary.Field(">i4", lot.devices),
    ]
    for name in QUANTITIES[lot.kind]:
        column = lot.values[name]
        wire = ">f8" if name in DOUBLES else ">f4"
        fields.append(binary.Field(wire, column, np.isnan(column)))
    fields.append(binary.Field(">i2", lot.quality))
    with connection.cursor() as cursor, cursor.copy(statement) as stream:
        stream.write(binary.rows(fields))


def _conflicts_within(connection: Connection, lot: Columns, first: Bools, at: datetime) -> int:
    """Record readings of one batch that contradict the first of their (device, time)."""
    first_of = np.maximum.accumulate(np.where(first, np.arange(len(lot)), 0))
    differs = np.zeros(len(lot), bool)
    for name in PRINCIPAL[lot.kind]:
        column, kept = lot.values[name], lot.values[name][first_of]
        differs |= ~((column == kept) | (np.isnan(column) & np.isnan(kept)))
    later = np.flatnonzero(differs)
    if not len(later):
        return 0
    connection.execute(
        family("readings")["add_conflicts"],
        {
            "device_ids": lot.devices[later].tolist(),
            "times": instants(lot.times[later]),
            "kept": _json(lot[first_of[later]]),
            "came": _json(lot[later]),
            "at": at,
        },
    )
    return len(later)


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


def _json(lot: Columns) -> list[str]:
    """What each reading says as JSON."""
    return [_ENCODER.encode(one).decode() for one in _said(lot)]


# ── the latest of each device ─────────────────────────────────────────────────────────────


def _advance_latest(connection: Connection, lot: Columns, seen_at: datetime) -> None:
    """Move the latest values on, from a lot sorted by device and time."""
    found = newest(lot)
    last = lot[found.rows]
    battery = _percent(last.values.get("battery_pct", np.full(len(last), np.nan)))
    connection.execute(
        family("readings")["advance_latest"],
        {
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
            "seen_at": seen_at,
            "unusable": int(UNUSABLE),
        },
    )


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


# ── marks ───────────────────────────────────────────────────────────────────────────────


def touched_hours(times: Ints, hold_s: Floats) -> tuple[Ints, Ints]:
    """First and last hour, counted from 1970, in which each reading may stand."""
    ended = times + (hold_s * 1e6).astype(np.int64)
    return times // _HOUR_US, np.maximum(times, ended - 1) // _HOUR_US


def _mark_dirty(connection: Connection, new: Columns) -> None:
    first, last = touched_hours(new.times, new.hold_s)
    keys = []
    for more in range(int((last - first).max()) + 1):
        reaches = first + more <= last
        key = (new.devices[reaches] << 24) | (first[reaches] + more)
        keys.append(key[np.flatnonzero(np.diff(key, prepend=-1))])  # sorted: most are as before
    marks = np.unique(np.concatenate(keys))
    connection.execute(
        family("readings")["mark_dirty"],
        {
            "kind": new.kind.value,
            "device_ids": binary.array(">i4", marks >> 24),
            "hours": binary.array(">i8", marks & 0xFFFFFF),
        },
    )
