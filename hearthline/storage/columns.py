"""Readings of one kind by column: the form in which they are judged, compared and copied.

A reading object costs microseconds wherever it is touched; a column costs nanoseconds a row.
Values are float64 with NaN for "not said", instants int64 microseconds since 1970 (UTC).
"""

from __future__ import annotations

import struct
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from operator import attrgetter
from typing import Any, overload

import numpy as np
from msgspec.structs import astuple
from numpy.typing import NDArray

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import (
    PRINCIPAL,
    UNUSABLE,
    MeterReading,
    Quality,
    Reading,
    RoomReading,
    WeatherReading,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

KINDS: dict[DeviceKind, type[Reading]] = {
    DeviceKind.ROOM: RoomReading,
    DeviceKind.METER: MeterReading,
    DeviceKind.WEATHER: WeatherReading,
}
_APART = ("device_uid", "time", "quality", "seq")
QUANTITIES: dict[DeviceKind, tuple[str, ...]] = {
    kind: tuple(name for name in of.__struct_fields__ if name not in _APART)
    for kind, of in KINDS.items()
}
"""The quantities of each kind, in the order of its table's columns."""

HOLD_FACTOR = 1.5
HOLD_AT_MOST = timedelta(hours=36)
"""A reading stands until the next, at most 1.5 expected intervals, and never longer than this."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EXACT_BELOW_S = 2.0**32
"""Up to here (the year 2106) seconds since 1970 in a float are exact to the microsecond."""


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """What storing a reading needs of its device.

    ``hold_s`` is for how many seconds a reading stands unless another follows.
    """

    id: int
    kind: DeviceKind
    expected_interval_s: int
    profile: str | None = None
    hold_s: float = field(init=False)

    def __post_init__(self) -> None:
        hold = min(self.expected_interval_s * HOLD_FACTOR, HOLD_AT_MOST.total_seconds())
        object.__setattr__(self, "hold_s", hold)


Placed = tuple[KnownDevice, Reading]


class Table(Sequence[Reading]):
    """Readings of one kind, kept as a sequence per field; one is made whenever it is asked for.

    A decoder that knows all fields of many readings at once spares making them: the way to the
    database goes by columns anyhow. ``columns`` stand in the order of the reading's own fields; the
    times among them are as ``seconds`` makes them. A column of numbers is best ``packed``.
    """

    __slots__ = ("columns", "kind")

    def __init__(self, kind: DeviceKind, *columns: Sequence[Any]) -> None:
        self.kind = kind
        self.columns = columns

    @classmethod
    def of(cls, kind: DeviceKind, readings: Iterable[Reading] = ()) -> Table:
        """Readings of one kind that came one by one.

        Raises:
            ValueError: one is of another kind, or a time has no zone.
        """
        rows = list(map(astuple, readings))
        if not rows:
            return cls(kind, *([] for _ in KINDS[kind].__struct_fields__))
        uids, times, *others = zip(*rows, strict=True)
        return cls(kind, uids, seconds(times), *others)

    @classmethod
    def joined(cls, kind: DeviceKind, parts: Iterable[Table]) -> Table:
        """Tables of one kind as one, in their order."""
        columns = list(zip(*(part.columns for part in parts), strict=True))
        if not columns:
            return cls.of(kind)
        return cls(kind, *map(_end_to_end, columns))

    @property
    def uids(self) -> Sequence[str]:
        """Whose readings they are."""
        return self.columns[0]

    def chosen(self, numbers: Iterable[int]) -> Table:
        """Some of the readings."""
        rows = list(numbers)
        return Table(self.kind, *([column[n] for n in rows] for column in self.columns))

    def __len__(self) -> int:
        return len(self.columns[0])

    @overload
    def __getitem__(self, number: int) -> Reading: ...

    @overload
    def __getitem__(self, number: slice) -> Table: ...

    def __getitem__(self, number: int | slice) -> Reading | Table:
        found: Any = [column[number] for column in self.columns]
        if isinstance(number, slice):
            return Table(self.kind, *found)
        uid, time, *others = found
        return KINDS[self.kind](uid, _at(time), *others)

    def __iter__(self) -> Iterator[Reading]:
        uids, times, *others = self.columns
        return map(KINDS[self.kind], uids, map(_at, times), *others)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # it is equal to lists, which have none

    def __repr__(self) -> str:
        return repr(tuple(self))


def packed(column: Sequence[float | None]) -> Sequence[float | None]:
    """A column of numbers as an array of doubles; as it is where some of them are not said.

    An array takes a quarter of the memory, and joining arrays is copying.
    """
    try:
        return array("d", struct.pack(f"{len(column)}d", *column))
    except struct.error:
        return column


def _end_to_end(pieces: Sequence[Any]) -> Sequence[Any]:
    """Pieces of one column as one."""
    if all(isinstance(piece, array) for piece in pieces):
        return array("d", b"".join(pieces))
    return list(chain.from_iterable(pieces))


@dataclass(slots=True)
class Columns:
    """``n`` readings of one kind, each array of shape ``(n,)``.

    ``received`` is when each arrived; ``skew_s`` how far its device's clock seemed to be ahead
    then (NaN where the message does not show it); ``seq`` its device's counter or NaN.
    """

    kind: DeviceKind
    devices: Ints
    hold_s: Floats
    times: Ints
    received: Ints
    quality: Ints
    skew_s: Floats
    seq: Floats
    values: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.devices)

    def __getitem__(self, rows: Any) -> Columns:
        """Those rows: a mask or indices."""
        return Columns(
            self.kind,
            self.devices[rows],
            self.hold_s[rows],
            self.times[rows],
            self.received[rows],
            self.quality[rows],
            self.skew_s[rows],
            self.seq[rows],
            {name: column[rows] for name, column in self.values.items()},
        )

    @property
    def usable(self) -> Bools:
        """Which readings may enter means, verdicts and balances."""
        mask: Bools = (self.quality & int(UNUSABLE)) == 0
        return mask

    def said(self) -> Ints:
        """A hash of what each reading is about; equal for equal values, so that it shows change."""
        mixed = np.zeros(len(self), np.uint64)
        for name in PRINCIPAL[self.kind]:
            bits = self.values[name].astype(np.float32).astype(np.float64).view(np.uint64)
            mixed = (mixed ^ bits) * np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(29)
        return mixed.view(np.int64)

    def principal_changes(self) -> Bools:
        """Whether each reading says something else than the row before; battery does not count."""
        changed = np.ones(len(self), bool)
        changed[1:] = self.devices[1:] != self.devices[:-1]
        for name in PRINCIPAL[self.kind]:
            column = self.values[name]
            same = (column[1:] == column[:-1]) | (np.isnan(column[1:]) & np.isnan(column[:-1]))
            changed[1:] |= ~same
        return changed


def columns_of(
    kind: DeviceKind,
    devices: Sequence[KnownDevice],
    readings: Sequence[Reading],
    received: Ints | datetime,
) -> Columns:
    """Readings of one kind by column; ``received`` is one instant for all, or µs for each.

    Raises:
        TypeError, ValueError, OverflowError: something in them is not what a reading holds.
    """
    table = readings if isinstance(readings, Table) else Table.of(kind, readings)
    ids = np.array([device.id for device in devices], np.int64)
    hold_s = np.array([device.hold_s for device in devices], np.float64)
    if isinstance(received, datetime):
        received = np.full(len(table), micros([received])[0])
    return laid(table, ids, hold_s, received)


def laid(table: Table, devices: Ints, hold_s: Floats, received: Ints) -> Columns:
    """A table by column; with each reading's device, its hold and when it arrived, shape ``(n,)``.

    Raises:
        TypeError, ValueError, OverflowError: something in them is not what a reading holds.
    """
    said = dict(zip(KINDS[table.kind].__struct_fields__, table.columns, strict=True))
    times = _rounded(said["time"])
    quality = _flags(said["quality"])
    live = (quality & int(Quality.HISTORY | Quality.CLOCK_GUESSED)) == 0
    return Columns(
        kind=table.kind,
        devices=devices,
        hold_s=hold_s,
        times=times,
        received=received,
        quality=quality,
        skew_s=np.where(live, (times - received) / 1e6, np.nan),
        seq=_floats(said["seq"]),
        values={name: _floats(said[name]) for name in QUANTITIES[table.kind]},
    )


def _flags(said: Sequence[Quality]) -> Ints:
    """A column of flags; where none is set, which is usual, they need not be looked at."""
    if said.count(Quality.GOOD) == len(said):
        return np.zeros(len(said), np.int64)
    return np.fromiter(said, np.int64, len(said))


def _floats(said: Sequence[float | None]) -> Floats:
    """A column; a quantity that nobody says costs next to nothing."""
    if isinstance(said, array):
        return np.array(said, np.float64)
    if said and said[0] is None and said.count(None) == len(said):
        return np.full(len(said), np.nan)
    return np.array(said, np.float64)


def by_kind(placed: Iterable[Placed], received: datetime) -> Iterator[Columns]:
    """Placed readings by kind and column."""
    gathered: dict[DeviceKind, list[Placed]] = defaultdict(list)
    for one in placed:
        gathered[one[0].kind].append(one)
    for kind, rows in gathered.items():
        devices, readings = zip(*rows, strict=True)
        yield columns_of(kind, devices, readings, received)


def micros(instants: Sequence[datetime]) -> Ints:
    """Microseconds since 1970 of aware instants.

    Raises:
        ValueError: one has no zone.
    """
    return _rounded(seconds(instants))


def seconds(instants: Iterable[datetime]) -> list[float]:
    """Seconds since 1970 of aware instants, exact to the microsecond below ``EXACT_BELOW_S``.

    Raises:
        ValueError: one has no zone.
    """
    instants = list(instants)
    if None in set(map(_ZONE, instants)):
        raise ValueError("an instant without a zone")
    return [instant.timestamp() for instant in instants]


_ZONE = attrgetter("tzinfo")


def _rounded(seconds_: Sequence[float]) -> Ints:
    return np.rint(np.array(seconds_, np.float64) * 1e6).astype(np.int64)


def _at(seconds_: float) -> datetime:
    return instant(round(seconds_ * 1e6))


def instant(micros_: int) -> datetime:
    """The instant of microseconds since 1970."""
    return EPOCH + int(micros_) * MICROSECOND


def instants(micros_: Ints) -> list[datetime]:
    """The instants of microseconds since 1970."""
    return [EPOCH + one * MICROSECOND for one in micros_.tolist()]
