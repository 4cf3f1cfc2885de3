"""The dwellings as arrays: who lives in which riser, at which outer wall, beside whom.

Pure. What the estimates need of the tree is computed once; every array is in the order of
``Network.dwellings``. Outer walls follow from the grid of floors and columns, so they need no
extra word of the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from hearthline.domain.network import Network
from hearthline.domain.places import HeatingStatus, PlaceKind

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
Flags = NDArray[np.bool_]

STOREY_M = 3.0
DEPTH_M = 9.0  # of a house from front to back: the length of the wall between two columns
_LEVELS = (PlaceKind.SUBSTATION, PlaceKind.BUILDING, PlaceKind.ENTRANCE)


@dataclass(frozen=True)
class Town:
    """Dwellings as arrays, (dwellings,) each, in the order of ``Network.dwellings``.

    ``station``, ``building`` and ``entrance`` number the places in ``stations`` and ``buildings``
    (entrances have numbers only). ``chilled`` is the share of a dwelling's party area behind which
    nobody heats, 0 to 1. ``owed`` are dwellings whose heating is on.
    """

    stations: tuple[str, ...]
    buildings: tuple[str, ...]
    station: Index
    building: Index
    entrance: Index
    floor: Index
    column: Index
    area_m2: Floats
    top: Flags
    ground: Flags
    gable: Flags
    owed: Flags
    chilled: Floats

    @property
    def size(self) -> int:
        """How many dwellings."""
        return len(self.floor)

    @property
    def height(self) -> Floats:
        """Where a dwelling sits between its building's lowest (-0.5) and highest floor (0.5)."""
        low = _extreme(np.minimum, self.floor, self.building, len(self.buildings))
        high = _extreme(np.maximum, self.floor, self.building, len(self.buildings))
        span = np.maximum(high - low, 1)[self.building]
        tall = (high > low)[self.building]
        return np.where(tall, (self.floor - low[self.building]) / span - 0.5, 0.0)

    def units_of(self) -> list[Index]:
        """The dwellings of each building."""
        order = np.argsort(self.building, kind="stable")
        counts = np.bincount(self.building, minlength=len(self.buildings))
        return list(np.split(order, np.cumsum(counts)[:-1]))


def lay_out(network: Network, at: datetime) -> Town:
    """The dwellings of a network as they are heated at an instant."""
    codes = [_ancestors(network, d.code) for d in network.dwellings]
    stations, station = _numbered(code[0] for code in codes)
    buildings, building = _numbered(code[1] for code in codes)
    _, entrance = _numbered(code[2] for code in codes)
    floor = np.array([d.floor for d in network.dwellings], np.int64)
    column = np.array([d.column for d in network.dwellings], np.int64)
    area = np.array([d.area_m2 for d in network.dwellings], np.float64)
    owed = np.ones(len(floor), bool)
    for code in network.statuses:
        if code in network.index:
            owed[network.index[code]] = network.status(code, at) is HeatingStatus.ON
    beside = _beside(building, floor, column)
    return Town(
        stations=stations,
        buildings=buildings,
        station=station,
        building=building,
        entrance=entrance,
        floor=floor,
        column=column,
        area_m2=area,
        top=beside[0] < 0,
        ground=beside[1] < 0,
        gable=(beside[2] < 0) | (beside[3] < 0),
        owed=owed,
        chilled=_chilled(beside, area, owed),
    )


def _ancestors(network: Network, code: str) -> tuple[str, str, str]:
    """Station, building and entrance above a dwelling; the nearest place above where one lacks."""
    found = [code, code, code]
    for part in network.nodes[code].path.rstrip("/").split("/"):
        kind = network.nodes[part].kind
        if kind in _LEVELS:
            first = _LEVELS.index(kind)
            found[first:] = [part] * (len(_LEVELS) - first)
    return found[0], found[1], found[2]


def _numbered(codes: Iterable[str]) -> tuple[tuple[str, ...], Index]:
    number: dict[str, int] = {}
    rows = [number.setdefault(code, len(number)) for code in codes]
    return tuple(number), np.array(rows, np.int64)


def _beside(building: Index, floor: Index, column: Index) -> Index:
    """Dwellings above, below, left and right, (4, dwellings); -1 where there is none."""
    sides: Sequence[tuple[int, int]] = ((1, 0), (-1, 0), (0, -1), (0, 1))
    return np.stack([find(building, floor, column, up, right) for up, right in sides])


def find(building: Index, floor: Index, column: Index, up: int, right: int) -> Index:
    """The dwelling ``up`` floors higher and ``right`` columns further, (dwellings,); -1 for none.

    Args:
        building: number of each dwelling's building, (dwellings,).
        floor: storey, (dwellings,).
        column: column, (dwellings,).
        up: floors upwards.
        right: columns to the right.
    """
    if len(building) == 0:
        return np.empty(0, np.int64)
    low_floor, low_column = int(floor.min()) - abs(up), int(column.min()) - abs(right)
    floors = int(floor.max()) - low_floor + abs(up) + 1
    columns = int(column.max()) - low_column + abs(right) + 1
    key = (building * floors + (floor - low_floor)) * columns + (column - low_column)
    order = np.argsort(key, kind="stable")
    wanted = key + up * columns + right
    at = np.minimum(np.searchsorted(key[order], wanted), len(key) - 1)
    return np.where(key[order][at] == wanted, order[at], -1)


def _chilled(beside: Index, area_m2: Floats, owed: Flags) -> Floats:
    """Share of the party area behind which nobody heats."""
    wall = STOREY_M * DEPTH_M
    size = np.stack([area_m2, area_m2, np.full_like(area_m2, wall), np.full_like(area_m2, wall)])
    shared = np.where(beside >= 0, size, 0.0)
    cold = np.where((beside >= 0) & ~owed[beside], size, 0.0)
    return np.asarray(cold.sum(axis=0) / np.maximum(shared.sum(axis=0), 1.0), np.float64)


def _extreme(ufunc: np.ufunc, values: Index, group: Index, groups: int) -> Index:
    start = np.iinfo(np.int64).max if ufunc is np.minimum else np.iinfo(np.int64).min
    found = np.full(groups, start, np.int64)
    ufunc.at(found, group, values)
    return found
