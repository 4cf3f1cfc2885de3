"""Ingest without a broker and a database: messages in, the rows that analysis reads out.

For offline analyses (``hearthline score``). The same decoders, the same rules at the door and the
same rollups as production, but nothing is written. What a device says that the ledger does not
have is passed over, as quarantine would; a reading that comes twice counts once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics import rolling
from analytics.signs import SLOT
from hearthline.domain.network import Dwelling, Instrument, Network, Node, Period
from hearthline.domain.places import DeviceKind, HeatingStatus, Ledger, paths
from hearthline.domain.readings import Reading
from hearthline.storage import analysis
from hearthline.storage.columns import QUANTITIES, Columns, KnownDevice, columns_of
from ingest.acceptance import Origin, Rules, judge
from ingest.formats import Context, registry
from ingest.formats.model import CHINA
from ingest.formats.profiles import load as profiles

OLDEST = datetime(2015, 1, 1, tzinfo=UTC)
CLOCK_TOLERANCE = timedelta(minutes=5)
SLOT_QUANTITIES = ("flow_m3h", "supply_c", "return_c")

_ALWAYS = datetime(1, 1, 1, tzinfo=UTC)


class Said(NamedTuple):
    """One message: its topic and payload, and when it arrived (seconds since 1970)."""

    topic: str
    payload: bytes
    at_s: float


def network_of(ledger: Ledger, at: datetime) -> Network:
    """The tree of a ledger with the devices bound at an instant; numbers count from one."""
    path = paths(ledger.places)
    nodes = {
        place.code: Node(n, place.code, place.kind, path[place.code], place.name, place.name_zh)
        for n, place in enumerate(ledger.places, 1)
    }
    dwellings = [Dwelling(u.code, u.area_m2, u.floor, u.column, u.warranty_until)
                 for u in ledger.units]  # fmt: skip
    statuses: dict[str, list[Period]] = {}
    for status in ledger.statuses:
        if status.status is not HeatingStatus.ON:
            period = Period(status.status, status.valid_from or _ALWAYS, status.valid_to)
            statuses.setdefault(status.code, []).append(period)
    instruments = [
        Instrument(n, d.uid, d.kind, d.role, d.place, d.flow_pipe, d.expected_interval_s)
        for n, d in enumerate(ledger.devices, 1)
        if (d.valid_from is None or d.valid_from <= at) and (d.valid_to is None or at < d.valid_to)
    ]
    return Network(nodes, dwellings, instruments, statuses)


class Intake:
    """Decodes and judges messages in the order of arrival, as ingest does."""

    def __init__(
        self, ledger: Ledger, zone: tzinfo = CHINA, clock_tolerance: timedelta = CLOCK_TOLERANCE
    ) -> None:
        self._formats = registry()
        self._rules = Rules(OLDEST, clock_tolerance)
        self._known = {
            d.uid: KnownDevice(n, d.kind, d.expected_interval_s, d.profile)
            for n, d in enumerate(ledger.devices, 1)
        }
        shapes = profiles(None)
        told = {
            uid: shapes[device.profile]
            for uid, device in self._known.items()
            if device.profile is not None and device.profile in shapes
        }
        self._context = Context(zone, told)

    def take(self, messages: Iterable[Said]) -> dict[DeviceKind, Columns]:
        """What some messages say, by kind: the readings of known devices, flagged and dated."""
        gathered: dict[DeviceKind, list[tuple[KnownDevice, Reading, int]]] = {}
        arrived = []
        for number, said in enumerate(messages):
            arrived.append(round(said.at_s * 1e6))
            at = datetime.fromtimestamp(said.at_s, UTC)
            decoded = self._formats.decode(said.topic, said.payload, at, self._context)
            if decoded.learnt:
                lessons = {**self._context.memory, **decoded.learnt}
                self._context = replace(self._context, memory=lessons)
            for reading in decoded.readings:
                device = self._known.get(reading.device_uid)
                if device is not None and device.kind is reading.kind:
                    gathered.setdefault(reading.kind, []).append((device, reading, number))
        received = np.array(arrived, np.int64)
        return {kind: self._accepted(kind, rows, received) for kind, rows in gathered.items()}

    def _accepted(
        self,
        kind: DeviceKind,
        rows: Sequence[tuple[KnownDevice, Reading, int]],
        received: NDArray[np.int64],
    ) -> Columns:
        devices, readings, numbers = zip(*rows, strict=True)
        message = np.array(numbers, np.int64)
        lot = columns_of(kind, devices, readings, received[message])
        refused = judge(lot, Origin(message, np.zeros(len(lot), bool)), self._rules)
        return lot[np.setdiff1d(np.arange(len(lot)), list(refused))] if refused else lot


def joined(lots: Sequence[Columns]) -> Columns:
    """Lots of one kind as one, in their order."""
    kind = lots[0].kind
    arrays = {name: np.concatenate([getattr(lot, name) for lot in lots]) for name in _ARRAYS}
    values = {name: np.concatenate([lot.values[name] for lot in lots]) for name in QUANTITIES[kind]}
    return Columns(kind=kind, values=values, **arrays)


_ARRAYS = ("devices", "hold_s", "times", "received", "quality", "skew_s", "seq")


@dataclass(frozen=True)
class Rows:
    """Everything that was measured, as the queries of ``hearthline.storage.windows`` give it.

    Each in the order of time; ``between`` cuts a window out.
    """

    room_hours: analysis.Columns
    meter_hours: analysis.Columns
    meter_slots: analysis.Columns
    weather_hours: analysis.Columns

    @cached_property
    def first_at(self) -> float:
        """The first hour, seconds since 1970; infinite without rows."""
        return min((float(one.at[0]) for one in self.parts if len(one.at)), default=float("inf"))

    @property
    def parts(self) -> tuple[analysis.Columns, ...]:
        """The four tables."""
        return (self.room_hours, self.meter_hours, self.meter_slots, self.weather_hours)


def rows_of(lots: Mapping[DeviceKind, Sequence[Columns]]) -> Rows:
    """Roll readings up into hours and slots."""
    rolled = {kind: _in_time(rolling.roll(joined(lot))) for kind, lot in lots.items() if lot}
    meters = lots.get(DeviceKind.METER)
    slots = (
        _in_time(rolling.slots(joined(meters), int(SLOT.total_seconds()), SLOT_QUANTITIES))
        if meters
        else _empty(SLOT_QUANTITIES)
    )
    return Rows(
        rolled.get(DeviceKind.ROOM) or _empty(("mean_c", "min_c", "max_c", "n", "covered_min")),
        rolled.get(DeviceKind.METER) or _empty((*QUANTITIES[DeviceKind.METER], "n", "covered_min")),
        slots,
        rolled.get(DeviceKind.WEATHER)
        or _empty(("outdoor_c", "wind_ms", "solar_wm2", "n", "covered_min")),
    )


def of_devices(rows: Rows, devices: Sequence[int]) -> Rows:
    """The rows of some devices."""
    wanted = np.array(sorted(devices), np.int64)

    def of(table: analysis.Columns) -> analysis.Columns:
        mine = np.isin(table.device, wanted)
        values = {name: column[mine] for name, column in table.values.items()}
        return analysis.Columns(table.device[mine], table.at[mine], values)

    return Rows(*(of(table) for table in rows.parts))


def between(rows: analysis.Columns, since: datetime, until: datetime) -> analysis.Columns:
    """The rows of a table that begin in a window; the table is in the order of time."""
    first, last = np.searchsorted(rows.at, [since.timestamp(), until.timestamp()])
    return analysis.Columns(
        rows.device[first:last],
        rows.at[first:last],
        {name: column[first:last] for name, column in rows.values.items()},
    )


def _in_time(rows: analysis.Columns) -> analysis.Columns:
    order = np.argsort(rows.at, kind="stable")
    return analysis.Columns(
        rows.device[order], rows.at[order], {n: c[order] for n, c in rows.values.items()}
    )


def _empty(names: Sequence[str]) -> analysis.Columns:
    nothing = np.empty(0)
    return analysis.Columns(np.empty(0, np.int64), nothing, dict.fromkeys(names, nothing))
