"""Readings into their hypertables: each once, with the latest value and the marks for rollups.

Duplicates are rare, so a batch is first copied straight in; where one reading is already there
the savepoint is rolled back and the batch goes through a temporary table and ON CONFLICT DO
NOTHING. The first value stored for (device, time) stays. Everything happens in the caller's
transaction, so rows, latest values and marks appear together or not at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import msgspec
from psycopg.errors import DataError, IntegrityError, UniqueViolation

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import MeterReading, Reading, RoomReading, WeatherReading
from hearthline.storage.database import Connection
from hearthline.storage.queries import family

RefusedByDatabase = (DataError, IntegrityError)
"""The rows are at fault, not the server: trying again does not help."""

HOLD_FACTOR = 1.5
HOLD_AT_MOST = timedelta(hours=36)
"""A reading stands until the next, at most 1.5 expected intervals, and never longer than this."""

PRINCIPAL = ("temperature_c", "outdoor_c", "supply_c", "return_c", "flow_m3h", "power_kw")
"""What has to differ for a value to have changed; a battery or a counter does not count."""


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """What storing a reading needs of its device."""

    id: int
    kind: DeviceKind
    expected_interval_s: int

    @property
    def hold_s(self) -> float:
        """For how many seconds a reading of this device stands unless another follows."""
        return min(self.expected_interval_s * HOLD_FACTOR, HOLD_AT_MOST.total_seconds())


Placed = tuple[KnownDevice, Reading]


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of the readings of a batch."""

    rows: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class _Table:
    """One hypertable: its name in the queries, columns after time and device, binary types."""

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]


def _table(name: str, of: type[Reading], doubles: Collection[str] = ()) -> _Table:
    apart = ("device_uid", "time", "quality", "seq")
    columns = tuple(name for name in of.__struct_fields__ if name not in apart)
    types = ("float8" if column in doubles else "float4" for column in columns)
    return _Table(name, (*columns, "quality"), ("timestamptz", "int4", *types, "int2"))


_TABLES = {
    DeviceKind.ROOM: _table("room", RoomReading),
    DeviceKind.METER: _table("meter", MeterReading, ("energy_kwh", "volume_m3", "makeup_m3")),
    DeviceKind.WEATHER: _table("weather", WeatherReading),
}


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
        row["uid"]: KnownDevice(row["id"], DeviceKind(row["kind"]), row["expected_interval_s"])
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


def store(
    connection: Connection,
    placed: Sequence[Placed],
    seen_at: datetime,
    *,
    expect_duplicates: bool = False,
) -> Stored:
    """Store a batch in the connection's open transaction; idempotent.

    ``seen_at`` is when the batch arrived. ``expect_duplicates`` takes the careful way at once,
    sparing a copy that would be rolled back.
    """
    by_kind: dict[DeviceKind, dict[tuple[int, datetime], Placed]] = defaultdict(dict)
    for device, reading in placed:
        by_kind[device.kind].setdefault((device.id, reading.time), (device, reading))
    new: list[Placed] = []
    for kind, unique in by_kind.items():
        new += _insert(connection, _TABLES[kind], unique, expect_duplicates)
    if placed:
        _advance_latest(connection, placed, seen_at)
    if new:
        _mark_dirty(connection, new)
    return Stored(len(new), len(placed) - len(new))


def _insert(
    connection: Connection,
    table: _Table,
    unique: dict[tuple[int, datetime], Placed],
    expect_duplicates: bool,
) -> list[Placed]:
    """Insert readings of one kind; those that were not there before."""
    sql = family("readings")
    rows = _rows(table, unique.values())
    if not expect_duplicates:
        try:
            with connection.transaction():
                _copy(connection, sql[f"copy_{table.name}"], table, rows)
            return list(unique.values())
        except UniqueViolation:
            pass
    connection.execute(sql[f"stage_{table.name}"])
    _copy(connection, sql[f"copy_staged_{table.name}"], table, rows)
    merged = connection.execute(sql[f"merge_{table.name}"]).fetchall()
    return [unique[row["device_id"], row["time"]] for row in merged]


def copy_rooms(connection: Connection, placed: Sequence[Placed]) -> None:
    """Copy room readings in and do nothing else: the ceiling that benchmarks measure against."""
    table = _TABLES[DeviceKind.ROOM]
    _copy(connection, family("readings")["copy_room"], table, _rows(table, placed))


def _rows(table: _Table, placed: Iterable[Placed]) -> list[tuple[Any, ...]]:
    return [
        (reading.time, device.id, *[getattr(reading, column) for column in table.columns])
        for device, reading in placed
    ]


def _copy(
    connection: Connection, statement: Any, table: _Table, rows: list[tuple[Any, ...]]
) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(table.types)
        for row in rows:
            copy.write_row(row)


@dataclass(slots=True)
class Newest:
    """The newest reading of a device in a batch, and for how long the batch says so."""

    reading: Reading
    since: datetime  # the first of the readings, up to the newest, that all have its value
    before: datetime | None  # the reading before those, which had another value


def newest(readings: Iterable[Reading]) -> Newest:
    """The newest of a device's readings, in whatever order they come (at least one)."""
    ordered = sorted(readings, key=attrgetter("time"))
    last = ordered.pop()
    if not ordered:
        return Newest(last, last.time, None)
    value, since = _principal(last), last.time
    while ordered and _principal(ordered[-1]) == value:
        since = ordered.pop().time
    return Newest(last, since, ordered[-1].time if ordered else None)


def _principal(reading: Reading) -> tuple[float | None, ...]:
    return tuple(getattr(reading, name, None) for name in PRINCIPAL)


def _quantities(reading: Reading) -> str:
    """The reading's quantities as JSON; what was not said is left out."""
    columns = _TABLES[reading.kind].columns
    said = {name: getattr(reading, name) for name in columns}
    present = {name: value for name, value in said.items() if value is not None}
    return msgspec.json.encode(present).decode()


def _advance_latest(connection: Connection, placed: Sequence[Placed], seen_at: datetime) -> None:
    by_device: dict[int, list[Reading]] = defaultdict(list)
    for device, reading in placed:
        by_device[device.id].append(reading)
    found = {device_id: newest(readings) for device_id, readings in by_device.items()}
    connection.execute(
        family("readings")["advance_latest"],
        {
            "device_ids": list(found),
            "times": [one.reading.time for one in found.values()],
            "since": [one.since for one in found.values()],
            "before": [one.before for one in found.values()],
            "readings": [_quantities(one.reading) for one in found.values()],
            "seen_at": seen_at,
        },
    )


def touched_hours(time: datetime, hold_s: float) -> range:
    """The hours, counted from the epoch, in which a reading stands unless another follows."""
    began = time.timestamp()
    first, (last, into) = int(began // 3600), divmod(began + hold_s, 3600)
    return range(first, int(last) + (1 if into else 0))


def _mark_dirty(connection: Connection, new: Iterable[Placed]) -> None:
    marks = {
        (device.kind.value, device.id, hour)
        for device, reading in new
        for hour in touched_hours(reading.time, device.hold_s)
    }
    kinds, device_ids, hours = zip(*marks, strict=True)
    connection.execute(
        family("readings")["mark_dirty"],
        {"kinds": list(kinds), "device_ids": list(device_ids), "hours": list(hours)},
    )
