"""The town as places and as arrays: which dwelling hangs on which riser and touches which others.

Dwellings are ordered by building, entrance, riser and floor, so that everything below a place is
one contiguous run and "above" is the next index. A riser serves one column of dwellings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hearthline.domain.places import PlaceKind, UnitPosition
from simulators import rand
from simulators.physics.hydraulics import Tree
from simulators.scenario import Scenario, SubstationSpec

Index = NDArray[np.intp]
Array = NDArray[np.float64]

SHAPE = re.compile(r"^(\d+)x(\d+)$")
DOORS = 2
"""Dwellings per floor and entrance, one riser each."""

STOREY_M = 3.0
GABLE_DEPTH_M = 9.0


@dataclass(frozen=True)
class Layout:
    """Sizes and neighbourhoods; every array is ordered as the codes of its level.

    ``neighbours`` is [4, units]: above, below, left, right; a dwelling's own index where it has
    none. ``party_m2`` of the same shape is the shared area, 0 where there is none.
    """

    codes: dict[PlaceKind, list[str]]
    shapes: list[tuple[int, int]]
    building_pump: Index
    tree: Tree
    floor: Index
    column: Index
    storeys: Index
    area_m2: Array
    neighbours: Index
    party_m2: Array

    @property
    def units(self) -> int:
        """Number of dwellings."""
        return len(self.floor)

    @cached_property
    def unit_building(self) -> Index:
        """Building of each dwelling."""
        return self.tree.entrance_building[self.unit_entrance]

    @cached_property
    def unit_entrance(self) -> Index:
        """Entrance of each dwelling."""
        return self.tree.riser_entrance[self.tree.unit_riser]

    @cached_property
    def unit_pump(self) -> Index:
        """Substation of each dwelling."""
        return self.building_pump[self.unit_building]

    @cached_property
    def top(self) -> NDArray[np.bool_]:
        """Dwellings under the roof."""
        return np.asarray(self.floor == self.storeys)

    @cached_property
    def ground(self) -> NDArray[np.bool_]:
        """Dwellings on the ground floor."""
        return np.asarray(self.floor == 1)

    @cached_property
    def gables(self) -> NDArray[np.int_]:
        """Number of free end walls of each dwelling (0, 1, or 2 in a one-column house)."""
        own = np.arange(self.units)
        return np.asarray(np.sum(self.neighbours[2:] == own, axis=0))

    @cached_property
    def lookup(self) -> dict[str, tuple[PlaceKind, int]]:
        """Level and index of every code."""
        found = {}
        for kind, codes in self.codes.items():
            found.update({code: (kind, index) for index, code in enumerate(codes)})
        return found

    def units_below(self, kind: PlaceKind, index: int) -> Index:
        """Indices of the dwellings at or below a place."""
        level: dict[PlaceKind, Index] = {
            PlaceKind.SOURCE: np.zeros(self.units, dtype=np.intp),
            PlaceKind.SUBSTATION: self.unit_pump,
            PlaceKind.CIRCUIT: self.unit_pump,
            PlaceKind.BUILDING: self.unit_building,
            PlaceKind.ENTRANCE: self.unit_entrance,
            PlaceKind.RISER: self.tree.unit_riser,
            PlaceKind.UNIT: np.arange(self.units, dtype=np.intp),
        }
        return np.flatnonzero(level[kind] == index)

    def position(self, index: int) -> UnitPosition:
        """The ledger's single word for where a dwelling sits: the roof counts before the gable."""
        if self.top[index]:
            return UnitPosition.TOP
        if self.ground[index]:
            return UnitPosition.GROUND
        return UnitPosition.GABLE if self.gables[index] else UnitPosition.MIDDLE


def lay_out(scenario: Scenario, seed: int) -> Layout:
    """The town of a scenario; only what the scenario leaves open depends on ``seed``."""
    shapes, building_pump = _buildings(scenario, seed)
    entrances = np.array([shape[0] for shape in shapes], dtype=np.intp)
    storeys_of = np.array([shape[1] for shape in shapes], dtype=np.intp)
    entrance_building = np.repeat(np.arange(len(shapes)), entrances)
    riser_entrance = np.repeat(np.arange(len(entrance_building)), DOORS)
    riser_building = entrance_building[riser_entrance]
    riser_storeys = storeys_of[riser_building]
    unit_riser = np.repeat(np.arange(len(riser_entrance)), riser_storeys)
    riser_start = _starts(riser_storeys)
    floor = np.arange(len(unit_riser)) - riser_start[unit_riser] + 1
    first_riser = _starts(entrances * DOORS)
    column_of_riser = np.arange(len(riser_entrance)) - first_riser[riser_building] + 1
    area = _areas(scenario, seed, len(riser_entrance))[unit_riser]
    storeys = riser_storeys[unit_riser]
    column = column_of_riser[unit_riser]
    last_column = (entrances * DOORS)[riser_building][unit_riser]
    neighbours, party = _touching(floor, storeys, column, last_column, area)
    main = _mains(building_pump, len(scenario.substations))
    tree = Tree(
        unit_riser=unit_riser,
        riser_entrance=riser_entrance,
        entrance_building=entrance_building,
        riser_start=riser_start,
        entrance_start=_starts(np.full(len(entrance_building), DOORS)),
        building_start=_starts(entrances),
        main=main,
    )
    codes = _codes(scenario, shapes, building_pump)
    return Layout(
        codes, shapes, building_pump, tree, floor, column, storeys, area, neighbours, party
    )


def shape_of(text: str) -> tuple[int, int]:
    """Entrances and floors from text like ``3x7``.

    Raises:
        ValueError: it is not such a text, or one of the numbers is impossible.
    """
    match = SHAPE.match(text)
    if not match:
        raise ValueError(f"expected entrances x floors like '3x7', got {text!r}")
    entrances, floors = int(match[1]), int(match[2])
    if not (1 <= entrances <= 20 and 1 <= floors <= 60):
        raise ValueError(f"a building of {entrances} entrances and {floors} floors is impossible")
    return entrances, floors


def _starts(counts: Index) -> Index:
    return (np.cumsum(counts) - counts).astype(np.intp)


def _buildings(scenario: Scenario, seed: int) -> tuple[list[tuple[int, int]], Index]:
    shapes: list[tuple[int, int]] = []
    pumps: list[int] = []
    for pump, substation in enumerate(scenario.substations):
        own = [shape_of(text) for text in substation.buildings] + _grown(substation, seed, pump)
        shapes += own
        pumps += [pump] * len(own)
    return shapes, np.array(pumps, dtype=np.intp)


def _grown(substation: SubstationSpec, seed: int, pump: int) -> list[tuple[int, int]]:
    grown = substation.grown
    if grown is None:
        return []
    keys = np.arange(grown.count)
    pairs = []
    for stream, (low, high) in (("entrances", grown.entrances), ("floors", grown.floors)):
        drawn = rand.uniform(seed, f"layout/{stream}", pump, keys)
        pairs.append(low + np.floor(drawn * (high - low + 1)).astype(int))
    return [(int(entrances), int(floors)) for entrances, floors in zip(*pairs, strict=True)]


def _areas(scenario: Scenario, seed: int, risers: int) -> Array:
    """Floor area of each column of dwellings, m², to the half square metre."""
    low, high = scenario.dwellings.area_m2
    drawn = rand.normal(seed, "layout/area", np.arange(risers))
    area = low + (high - low) * (0.45 + 0.2 * drawn)
    return np.clip(np.round(area * 2.0) / 2.0, low, high)


def _touching(
    floor: Index, storeys: Index, column: Index, last_column: Index, area: Array
) -> tuple[Index, Array]:
    """Neighbours and shared areas in m², [4, units]: the smaller of two floors, end walls."""
    own = np.arange(len(floor))
    above = np.where(floor < storeys, own + 1, own)
    below = np.where(floor > 1, own - 1, own)
    left = np.where(column > 1, own - storeys, own)
    right = np.where(column < last_column, own + storeys, own)
    neighbours = np.stack([above, below, left, right])
    wall = np.full(len(floor), STOREY_M * GABLE_DEPTH_M)
    party = np.stack([np.minimum(area, area[above]), np.minimum(area, area[below]), wall, wall])
    return neighbours, np.where(neighbours == own, 0.0, party)


def _mains(building_pump: Index, pumps: int) -> Index:
    """Buildings along each pump's main, shape [pumps, longest], −1 where there is none."""
    counts = np.bincount(building_pump, minlength=pumps)
    main = np.full((pumps, int(counts.max())), -1, dtype=np.intp)
    position = np.arange(len(building_pump)) - _starts(counts)[building_pump]
    main[building_pump, position] = np.arange(len(building_pump))
    return main


def _codes(
    scenario: Scenario, shapes: list[tuple[int, int]], building_pump: Index
) -> dict[PlaceKind, list[str]]:
    root = scenario.source.code
    pumps = [f"{root}-S{n}" for n in range(1, len(scenario.substations) + 1)]
    buildings, entrances, risers, units = [], [], [], []
    numbers = [0] * len(pumps)
    for (entrance_count, floors), pump in zip(shapes, building_pump, strict=True):
        numbers[pump] += 1
        building = f"{pumps[pump]}-B{numbers[pump]:02d}"
        buildings.append(building)
        for entrance_number in range(1, entrance_count + 1):
            entrance = f"{building}-E{entrance_number}"
            entrances.append(entrance)
            for door in range(1, DOORS + 1):
                risers.append(f"{entrance}-R{door}")
                units += [f"{entrance}-{floor:02d}{door:02d}" for floor in range(1, floors + 1)]
    return {
        PlaceKind.SOURCE: [root],
        PlaceKind.SUBSTATION: pumps,
        PlaceKind.CIRCUIT: [f"{pump}-C1" for pump in pumps],
        PlaceKind.BUILDING: buildings,
        PlaceKind.ENTRANCE: entrances,
        PlaceKind.RISER: risers,
        PlaceKind.UNIT: units,
    }
