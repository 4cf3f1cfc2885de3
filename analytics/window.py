"""Rows of a window laid out as matrices: sensors by hours, dwellings by hours, meters by slots.

Pure: takes columns, returns arrays. A cell without rows is NaN, never zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.robust import summed
from analytics.signs import SLOT, MeterSlots, expected_flow
from analytics.trust import SensorHours, Trust
from hearthline.domain.network import Instrument, Network
from hearthline.domain.places import DeviceKind, DeviceRole, PlaceKind
from hearthline.storage.analysis import Columns

Floats = NDArray[np.float64]
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class RoomWindow:
    """Room sensors over hours; ``sensors`` are the rows, ``unit`` their dwelling's number."""

    start: datetime
    sensors: tuple[Instrument, ...]
    unit: NDArray[np.int64]
    hours: SensorHours
    covered_min: Floats

    @property
    def until(self) -> datetime:
        """The end of the last hour."""
        return self.start + int(self.covered_min.shape[1]) * HOUR


def room_window(rows: Columns, network: Network, start: datetime, until: datetime) -> RoomWindow:
    """Lay hourly rows of room sensors out as (sensors, hours)."""
    sensors = tuple(
        i for i in network.instruments if i.kind is DeviceKind.ROOM and i.place in network.index
    )
    hours = int((until - start) / HOUR)
    grid = Grid(rows, [s.id for s in sensors], start, HOUR, hours)
    unit = [network.index[sensor.place] for sensor in sensors]
    building = network.ancestors(PlaceKind.BUILDING)
    group = [network.nodes[building[u] or s.place].id for u, s in zip(unit, sensors, strict=True)]
    samples = np.nan_to_num(grid.matrix("n")).astype(np.int64)
    return RoomWindow(
        start,
        sensors,
        np.array(unit, np.int64),
        SensorHours(
            start,
            grid.matrix("mean_c"),
            grid.matrix("min_c"),
            grid.matrix("max_c"),
            samples,
            np.array(group, np.int64),
        ),
        np.nan_to_num(grid.matrix("covered_min")),
    )


def unit_levels(
    window: RoomWindow, trust: Trust, dwellings: int, wrong_by_k: Floats | float = 0.0
) -> Floats:
    """Mean of each dwelling's believed sensors, (dwellings, hours); NaN where none speaks.

    Hours that may not stand for the room are left out back to where a lie began; ``wrong_by_k``,
    (sensors, hours), is what certified readings say is to be taken off.
    """
    level = np.where(trust.usable, window.hours.mean_c - wrong_by_k, np.nan)
    known = ~np.isnan(level)
    total = summed(np.where(known, level, 0.0), window.unit, dwellings)
    count = summed(known, window.unit, dwellings)
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, total / count, np.nan)


def station_slots(
    rows: Columns, network: Network, start: datetime, until: datetime
) -> list[MeterSlots]:
    """Meters of each station's secondary side on the slot grid; see ``MeterSlots``."""
    count = int((until - start) / SLOT)
    stations = _by_station(network)
    order = [meter for meters in stations.values() for meter in meters]
    grid = Grid(rows, [m.id for m in order], start, SLOT, count)
    hold = [max(0, round(1.5 * timedelta(seconds=m.interval_s) / SLOT) - 1) for m in order]
    flow, supply, back = (
        _held(grid.matrix(name), hold) for name in ("flow_m3h", "supply_c", "return_c")
    )
    result, first = [], 0
    for meters in stations.values():
        part = slice(first, first + len(meters))
        first += len(meters)
        expected = [_expected(network, meter.place) for meter in meters]
        result.append(
            MeterSlots(
                start,
                tuple(m.place for m in meters),
                np.array(expected),
                flow[part],
                supply[part],
                back[part],
            )
        )
    return result


def _held(matrix: Floats, slots: Sequence[int]) -> Floats:
    """Let a reading stand until the next one is due: fill ``slots[row]`` gaps after it at most."""
    if not matrix.size:
        return matrix
    at = np.arange(matrix.shape[1])
    last = np.maximum.accumulate(np.where(np.isnan(matrix), -1, at), axis=1)
    fill = (last >= 0) & (at - last <= np.array(slots, np.int64)[:, None])
    stood = np.take_along_axis(matrix, np.maximum(last, 0), axis=1)
    return np.where(fill, stood, np.nan)


def secondary_meters(network: Network) -> list[Instrument]:
    """All meters that ``station_slots`` reads."""
    return [meter for meters in _by_station(network).values() for meter in meters]


def _by_station(network: Network) -> Mapping[str, Sequence[Instrument]]:
    """Station → its secondary meter, then its branch meters; none where it has no such meter."""
    branches: dict[str, list[Instrument]] = defaultdict(list)
    for meter in network.meters(DeviceRole.BRANCH):
        station = network.ancestor(meter.place, PlaceKind.SUBSTATION)
        if station is not None:
            branches[station].append(meter)
    stations = {}
    for meter in network.meters(DeviceRole.SECONDARY):
        station = network.ancestor(meter.place, PlaceKind.SUBSTATION)
        if station is not None and station not in stations:
            stations[station] = [meter, *branches[station]]
    return stations


def _expected(network: Network, place: str) -> float:
    area = sum(d.area_m2 for d in network.dwellings[network.below(place)])
    return expected_flow(area) if area else float("nan")


class Grid:
    """Where each row falls: (device's place in the order, whole steps since the start)."""

    def __init__(
        self, rows: Columns, devices: Sequence[int], start: datetime, step: timedelta, count: int
    ) -> None:
        row = _rows_of(rows.device, np.array(devices, np.int64))
        column = np.floor((rows.at - start.timestamp()) / step.total_seconds()).astype(np.int64)
        self._keep = (row >= 0) & (column >= 0) & (column < count)
        self._cell = (row[self._keep], column[self._keep])
        self._shape = (len(devices), count)
        self._values = rows.values

    def matrix(self, name: str) -> Floats:
        """One quantity as a matrix, NaN where there is no row."""
        matrix = np.full(self._shape, np.nan)
        matrix[self._cell] = self._values[name][self._keep]
        return matrix


def _rows_of(device: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each device stands in an order of devices; -1 where it does not."""
    if not len(order):
        return np.full(len(device), -1, np.int64)
    sorter = np.argsort(order)
    at = sorter[np.minimum(np.searchsorted(order, device, sorter=sorter), len(order) - 1)]
    found: NDArray[np.int64] = np.where(order[at] == device, at, -1)
    return found
