"""Readings of one kind by column: the form in which they are judged, compared and copied.

A reading object costs microseconds wherever it is touched; a column costs nanoseconds a row.
Values are float64 with NaN for "not said", instants int64 microseconds since 1970 (UTC).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

import numpy as np
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
    times = micros([reading.time for reading in readings])
    if isinstance(received, datetime):
        arrived = np.full(len(readings), micros([received])[0])
    else:
        arrived = received
    quality = np.fromiter(map(attrgetter("quality"), readings), np.int64, len(readings))
    live = (quality & int(Quality.HISTORY | Quality.CLOCK_GUESSED)) == 0
    return Columns(
        kind=kind,
        devices=np.array([device.id for device in devices], np.int64),
        hold_s=np.array([device.hold_s for device in devices], np.float64),
        times=times,
        received=arrived,
        quality=quality,
        skew_s=np.where(live, (times - arrived) / 1e6, np.nan),
        seq=np.array([reading.seq for reading in readings], np.float64),
        values={
            name: np.array([getattr(reading, name) for reading in readings], np.float64)
            for name in QUANTITIES[kind]
        },
    )


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
    if any(instant.tzinfo is None for instant in instants):
        raise ValueError("an instant without a zone")
    seconds = np.array([instant.timestamp() for instant in instants], np.float64)
    return np.rint(seconds * 1e6).astype(np.int64)


def instant(micros_: int) -> datetime:
    """The instant of microseconds since 1970."""
    return EPOCH + int(micros_) * MICROSECOND


def instants(micros_: Ints) -> list[datetime]:
    """The instants of microseconds since 1970."""
    return [EPOCH + one * MICROSECOND for one in micros_.tolist()]
