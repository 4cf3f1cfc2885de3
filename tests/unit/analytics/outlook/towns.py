"""Rows of houses as arrays, without a ledger: what the tests of the outlook live in."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from analytics.outlook.town import Town, lay_out
from hearthline.domain.network import Dwelling as Home
from hearthline.domain.network import Network, Node, Period
from hearthline.domain.places import HeatingStatus, PlaceKind

AT = datetime(2026, 1, 14, tzinfo=UTC)
FLOORS, COLUMNS = 6, 4


def network(
    buildings: int = 4, *, stations: int = 1, stopped: tuple[tuple[int, int, int], ...] = ()
) -> Network:
    """Stations with houses of six floors and four columns; ``stopped``: (house, floor, column)."""
    nodes: dict[str, Node] = {}

    def add(code: str, kind: PlaceKind, parent: str) -> str:
        path = (nodes[parent].path if parent else "") + code + "/"
        nodes[code] = Node(len(nodes) + 1, code, kind, path, code, code)
        return code

    add("T", PlaceKind.SOURCE, "")
    homes, statuses = [], {}
    for house in range(buildings):
        station = f"T-S{house % stations + 1}"
        if station not in nodes:
            add(station, PlaceKind.SUBSTATION, "T")
        building = add(f"{station}-B{house:03d}", PlaceKind.BUILDING, station)
        entrance = add(f"{building}-E1", PlaceKind.ENTRANCE, building)
        for column in range(1, COLUMNS + 1):
            for floor in range(1, FLOORS + 1):
                code = add(f"{entrance}-{floor:02d}{column:02d}", PlaceKind.UNIT, entrance)
                homes.append(Home(code, 80.0, floor, column))
                if (house, floor, column) in stopped:
                    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
                    statuses[code] = [Period(HeatingStatus.STOPPED, long_ago, None)]
    return Network(nodes, homes, (), statuses)


def town(buildings: int = 4, *, stations: int = 1) -> Town:
    """The same as arrays."""
    return lay_out(network(buildings, stations=stations), AT)


def field(
    of: Town, seed: int, *, house_sd: float = 0.3, own_sd: float = 0.35
) -> NDArray[np.float64]:
    """Temperatures around 21.5 °C: houses differ, dwellings differ."""
    chance = np.random.default_rng(seed)
    houses = chance.normal(0.0, house_sd, len(of.buildings))
    return 21.5 + houses[of.building] + chance.normal(0.0, own_sd, of.size)


def seen_by(level_c: NDArray[np.float64], share: float, seed: int) -> NDArray[np.float64]:
    """The same with NaN where there is no sensor."""
    chance = np.random.default_rng(seed + 1000)
    return np.where(chance.random(len(level_c)) < share, level_c, np.nan)
