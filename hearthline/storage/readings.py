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

import numpy as np
from psycopg.errors import DataError, IntegrityError, UniqueViolation

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import PRINCIPAL
from hearthline.storage.arranging import (
    Arranged,
    arrange,
    copied,
    counting,
    flag_repeats,
    json_of,
    marks_of,
)
from hearthline.storage.columns import (
    HOLD_AT_MOST,
    HOLD_FACTOR,
    Bools,
    Columns,
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
    "store_arranged",
    "store_columns",
]

RefusedByDatabase = (DataError, IntegrityError)
"""The rows are at fault, not the server: trying again does not help."""


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
    arranged = (arrange(lot) for lot in lots if len(lot))
    return store_arranged(connection, arranged, seen_at, expect_duplicates=expect_duplicates)


def store_arranged(
    connection: Connection,
    lots: Iterable[Arranged],
    seen_at: datetime,
    *,
    expect_duplicates: bool = False,
) -> Stored:
    """As ``store_columns``, of lots that were made ready before."""
    stored = Stored(0, 0)
    for lot in lots:
        stored += _store_kind(connection, lot, seen_at, expect_duplicates=expect_duplicates)
    return stored


def _store_kind(
    connection: Connection, ready: Arranged, seen_at: datetime, *, expect_duplicates: bool
) -> Stored:
    ready = _with_repeats_flagged(connection, ready)
    new, conflicts = _insert(connection, ready, seen_at, expect_duplicates)
    if len(ready.unique) < len(ready.lot):
        conflicts += _conflicts_within(connection, ready, seen_at)
    rows = len(ready.unique) if new is None else int(new.sum())
    sql = family("readings")
    with connection.pipeline():  # neither waits for the other's answer
        connection.execute(sql["advance_latest"], {**ready.latest, "seen_at": seen_at})
        if rows:
            marks = ready.marks if new is None else marks_of(ready.unique[new])
            connection.execute(sql["mark_dirty"], marks)
    return Stored(rows, len(ready.lot) - rows, conflicts)


# ── counters ────────────────────────────────────────────────────────────────────────────


def _with_repeats_flagged(connection: Connection, ready: Arranged) -> Arranged:
    """The lot; arranged again in the rare case that a device repeats a number."""
    devices = counting(ready.lot)
    if not len(devices):
        return ready
    flagged = flag_repeats(ready.lot, _last_counters(connection, devices))
    return ready if flagged is ready.lot else arrange(flagged)


def _last_counters(connection: Connection, devices: Ints) -> dict[int, tuple[float, int]]:
    """The counter and time (µs) of the last reading of each of these devices that counts."""
    rows = connection.execute(
        family("readings")["last_counters"], {"device_ids": devices.tolist()}
    ).fetchall()
    return {row["device_id"]: (row["seq"], row["time_us"]) for row in rows}


# ── rows ────────────────────────────────────────────────────────────────────────────────


def _insert(
    connection: Connection, ready: Arranged, seen_at: datetime, expect_duplicates: bool
) -> tuple[Bools | None, int]:
    """Insert readings: which of them were new (None: all), and how many contradict their row."""
    lot = ready.unique
    if not expect_duplicates:
        try:
            with connection.transaction():
                _send(connection, f"copy_{lot.kind.value}", ready.rows)
            return None, 0
        except UniqueViolation:
            pass
    sql = family("readings")
    kind = lot.kind.value
    connection.execute(sql[f"stage_{kind}"])
    _send(connection, f"copy_staged_{kind}", ready.rows)
    merged = connection.execute(sql[f"merge_{kind}"]).fetchall()
    if len(merged) == len(lot):
        return None, 0
    span = {"since": instants(lot.times.min(keepdims=True))[0], "at": seen_at}
    span["until"] = instants(lot.times.max(keepdims=True))[0]
    conflicts = connection.execute(sql[f"contradict_{kind}"], span, prepare=False).rowcount
    arrived = {(row["device_id"], row["time_us"]) for row in merged}
    keys = zip(lot.devices.tolist(), lot.times.tolist(), strict=True)
    return np.array([key in arrived for key in keys], bool), conflicts


def copy(connection: Connection, lot: Columns) -> None:
    """Pack readings, copy them into their table and do nothing else."""
    _send(connection, f"copy_{lot.kind.value}", copied(lot))


def _send(connection: Connection, statement: str, rows: bytes) -> None:
    with connection.cursor() as cursor, cursor.copy(family("readings")[statement]) as stream:
        stream.write(rows)


def _conflicts_within(connection: Connection, ready: Arranged, at: datetime) -> int:
    """Record readings of one batch that contradict the first of their (device, time)."""
    lot, first = ready.lot, ready.first
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
            "kept": json_of(lot[first_of[later]]),
            "came": json_of(lot[later]),
            "at": at,
        },
    )
    return len(later)
