"""The town as places and as arrays: which dwelling hangs on which riser and touches which others.

Everything is ordered by circuit, building, entrance, riser and floor, so that what lies below a
place is one contiguous run and "above" is the next index. A riser serves one column of dwellings;
what a column touches is said once per riser, since all columns of a building are equally high.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hearthline.domain.places import PlaceKind, UnitPosition
from simulators import grounds, rand
from simulators.grounds import Shape, shape_of
from simulators.physics.hydraulics import Tree
from simulators.scenario import CircuitSpec, Heating, Scenario, SubstationSpec

__all__ = ["Layout", "Shape", "lay_out", "shape_of"]

Index = NDArray[np.intp]
Array = NDArray[np.float64]

STOREY_M = 3.0
GABLE_DEPTH_M = 9.0
SIDES = ("left", "right", "behind", "behind too")


@dataclass(frozen=True)
class Layout:
    """Sizes and neighbourhoods; every array is ordered as the codes of its level.

    ``touching`` is [4, risers]: the column on each of the ``SIDES``, its own index where there is
    none; ``wall_m2`` of the same shape is the wall a storey shares with it, 0 where none.
    ``substations`` and ``circuits`` are what the scenario lists or what was grown.
    """

    root: str
    substations: tuple[SubstationSpec, ...]
    circuits: tuple[CircuitSpec, ...]
    circuit_substation: Index
    shapes: list[Shape]
    tree: Tree
    riser_area_m2: Array
    touching: Index
    wall_m2: Array
    column_of_riser: Index

    @property
    def units(self) -> int:
        """Number of dwellings."""
        return int(self.tree.riser_units[-1])

    @cached_property
    def codes(self) -> Mapping[PlaceKind, list[str]]:
        """Codes of every level, made on first use."""
        return _Codes(self)

    @cached_property
    def building_circuit(self) -> Index:
        """Circuit of each building."""
        return self.tree.building_circuit

    @cached_property
    def unit_building(self) -> Index:
        """Building of each dwelling."""
        return self.tree.entrance_building[self.unit_entrance]

    @cached_property
    def unit_entrance(self) -> Index:
        """Entrance of each dwelling."""
        return self.tree.riser_entrance[self.tree.unit_riser]

    @cached_property
    def unit_circuit(self) -> Index:
        """Circuit of each dwelling."""
        return self.building_circuit[self.unit_building]

    @cached_property
    def unit_substation(self) -> Index:
        """Substation of each dwelling."""
        return self.circuit_substation[self.unit_circuit]

    @cached_property
    def floor_heated(self) -> NDArray[np.bool_]:
        """Circuits that heat floors, [circuits]."""
        return np.array([spec.heating is Heating.FLOOR for spec in self.circuits])

    @cached_property
    def area_m2(self) -> Array:
        """Floor area of each dwelling."""
        return self.riser_area_m2[self.tree.unit_riser]

    @cached_property
    def floor(self) -> Index:
        """Storey of each dwelling, 1 at the ground."""
        return np.arange(self.units) - self.tree.riser_units[self.tree.unit_riser] + 1

    @cached_property
    def storeys(self) -> Index:
        """Storeys of each dwelling's building."""
        return np.diff(self.tree.riser_units)[self.tree.unit_riser]

    @cached_property
    def column(self) -> Index:
        """Columns from the left of the front, then those at the back, 1 first."""
        return self.column_of_riser[self.tree.unit_riser]

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
        free = (self.wall_m2[:2] == 0.0).sum(axis=0)
        return np.asarray(free[self.tree.unit_riser])

    @cached_property
    def neighbours(self) -> Index:
        """Dwellings each one touches, [6, units]: above, below, ``SIDES``; itself where none."""
        own = np.arange(self.units)
        above, below = np.where(self.top, own, own + 1), np.where(self.ground, own, own - 1)
        riser = self.tree.unit_riser
        shift = self.tree.riser_units[self.touching] - self.tree.riser_units[:-1]
        return np.stack([above, below, *(own + shift[side][riser] for side in range(len(SIDES)))])

    def touched_by(self, units: Index) -> Index:
        """What some dwellings touch, [6, units given], without ``neighbours`` of the whole town."""
        tree = self.tree
        riser = tree.unit_riser[units]
        start, end = tree.riser_units[riser], tree.riser_units[riser + 1]
        above, below = np.minimum(units + 1, end - 1), np.maximum(units - 1, start)
        beside = tree.riser_units[self.touching[:, riser]] + (units - start)
        return np.concatenate([np.stack([above, below]), beside])

    @cached_property
    def party_m2(self) -> Array:
        """Area shared with each of ``neighbours``, m², [6, units]; 0 where there is none."""
        slab = self.area_m2
        vertical = [np.where(self.top, 0.0, slab), np.where(self.ground, 0.0, slab)]
        return np.stack([*vertical, *(wall[self.tree.unit_riser] for wall in self.wall_m2)])

    @cached_property
    def lookup(self) -> dict[str, tuple[PlaceKind, int]]:
        """Level and index of every code."""
        found = {}
        for kind, codes in self.codes.items():
            found.update({code: (kind, index) for index, code in enumerate(codes)})
        return found

    def units_below(self, kind: PlaceKind, index: int) -> Index:
        """Indices of the dwellings at or below a place."""
        if kind is PlaceKind.SOURCE:
            return np.arange(self.units)
        if kind is PlaceKind.UNIT:
            return np.array([index], dtype=np.intp)
        if kind is PlaceKind.SUBSTATION:
            return np.flatnonzero(self.unit_substation == index)
        return np.arange(*self.tree.units_of(kind.value, index))

    def position(self, index: int) -> UnitPosition:
        """The ledger's single word for where a dwelling sits: the roof counts before the gable."""
        if self.top[index]:
            return UnitPosition.TOP
        if self.ground[index]:
            return UnitPosition.GROUND
        return UnitPosition.GABLE if self.gables[index] else UnitPosition.MIDDLE


def lay_out(scenario: Scenario, seed: int) -> Layout:
    """The town of a scenario; only what the scenario leaves open depends on ``seed``."""
    town = grounds.stake_out(scenario, seed)
    shape = np.array(town.shapes, dtype=np.intp).reshape(-1, 3)
    entrances, floors, doors = shape[:, 0], shape[:, 1], shape[:, 2]
    tree = Tree(
        riser_units=_starts(np.repeat(floors, entrances * doors)),
        entrance_risers=_starts(np.repeat(doors, entrances)),
        building_entrances=_starts(entrances),
        circuit_buildings=_starts(np.bincount(town.building_circuit, minlength=len(town.circuits))),
    )
    area = _areas(scenario, seed, tree.sizes[1])
    touching, wall, column = _floor_plans(shape, tree, area)
    return Layout(
        root=scenario.source.code,
        substations=town.substations,
        circuits=town.circuits,
        circuit_substation=town.circuit_substation,
        shapes=town.shapes,
        tree=tree,
        riser_area_m2=area,
        touching=touching,
        wall_m2=wall,
        column_of_riser=column,
    )


def _starts(counts: Index) -> Index:
    """First child of every parent, and the end of all: shape [parents + 1]."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)


def _areas(scenario: Scenario, seed: int, risers: int) -> Array:
    """Floor area of each column of dwellings, m², to the half square metre."""
    low, high = scenario.dwellings.area_m2
    drawn = rand.normal(seed, "layout/area", np.arange(risers))
    area = low + (high - low) * (0.45 + 0.2 * drawn)
    return np.clip(np.round(area * 2.0) / 2.0, low, high)


def _floor_plans(shape: Index, tree: Tree, area: Array) -> tuple[Index, Array, Index]:
    """What each column touches [4, risers], the walls in m² [4, risers], and its number."""
    risers = tree.sizes[1]
    touching = np.tile(np.arange(risers), (len(SIDES), 1))
    wall = np.zeros((len(SIDES), risers))
    column = np.zeros(risers, dtype=np.intp)
    first = tree.entrance_risers[tree.building_entrances]
    plans: dict[tuple[int, int], tuple[Index, Array, Index]] = {}
    for building, (entrances, _, doors) in enumerate(shape.tolist()):
        if (entrances, doors) not in plans:
            plans[entrances, doors] = _floor_plan(entrances, doors)
        beside, share, number = plans[entrances, doors]
        run = slice(int(first[building]), int(first[building + 1]))
        touching[:, run] = beside + run.start
        wall[:, run] = share
        column[run] = number
    width = area / GABLE_DEPTH_M
    behind = np.minimum(width, width[touching[2:]]) * STOREY_M
    return (
        touching,
        np.concatenate([wall[:2] * STOREY_M * GABLE_DEPTH_M, wall[2:] * behind]),
        column,
    )


def _floor_plan(entrances: int, doors: int) -> tuple[Index, Array, Index]:
    """A storey's columns: neighbours [4, columns], shared share of the wall, and their numbers.

    Up to two doors a landing stand in one row. With more, a second row stands behind the first;
    an odd number staggers the rows, so that one behind touches two in front.
    """
    front = doors if doors <= 2 else (doors + 1) // 2
    row = [[e * doors + d for e in range(entrances) for d in range(front)]]
    row += [[e * doors + d for e in range(entrances) for d in range(front, doors)]]
    columns = entrances * doors
    beside = np.tile(np.arange(columns), (len(SIDES), 1))
    share = np.zeros((len(SIDES), columns))
    number = np.zeros(columns, dtype=np.intp)
    number[row[0] + row[1]] = np.arange(1, columns + 1)
    for cells in row:
        for left, right in pairwise(cells):
            beside[1, left], beside[0, right] = right, left
            share[1, left] = share[0, right] = 1.0
    for one, other, part in _back_to_back(entrances, doors, front):
        for here, there in ((one, other), (other, one)):
            side = 2 if beside[2, here] == here else 3
            beside[side, here], share[side, here] = there, part
    return beside, share, number


def _back_to_back(entrances: int, doors: int, front: int) -> Iterator[tuple[int, int, float]]:
    """Pairs of a column in front and one behind, with the share of the smaller's wall."""
    back = doors - front
    for entrance in range(entrances if back else 0):
        base = entrance * doors
        for cell in range(back):
            yield base + cell, base + front + cell, 1.0 if front == back else 0.5
            if front > back:
                yield base + cell + 1, base + front + cell, 0.5


class _Codes(Mapping[PlaceKind, list[str]]):
    """Codes by level; a level is spelt out when somebody asks for it."""

    def __init__(self, town: Layout) -> None:
        self._town = town
        self._made: dict[PlaceKind, list[str]] = {}

    def __len__(self) -> int:
        return len(PlaceKind)

    def __iter__(self) -> Iterator[PlaceKind]:
        return iter(PlaceKind)

    def __getitem__(self, kind: PlaceKind) -> list[str]:
        if kind not in self._made:
            self._made[kind] = self._spell(kind)
        return self._made[kind]

    def _spell(self, kind: PlaceKind) -> list[str]:
        town, tree = self._town, self._town.tree
        if kind is PlaceKind.SOURCE:
            return [town.root]
        if kind is PlaceKind.SUBSTATION:
            return [f"{town.root}-S{n}" for n in range(1, len(town.substations) + 1)]
        if kind is PlaceKind.UNIT:
            return list(self._doors())
        above, parent, pattern = {
            PlaceKind.CIRCUIT: (PlaceKind.SUBSTATION, town.circuit_substation, "-C{}"),
            PlaceKind.BUILDING: (
                PlaceKind.SUBSTATION,
                town.circuit_substation[tree.building_circuit],
                "-B{:02d}",
            ),
            PlaceKind.ENTRANCE: (PlaceKind.BUILDING, tree.entrance_building, "-E{}"),
            PlaceKind.RISER: (PlaceKind.ENTRANCE, tree.riser_entrance, "-R{}"),
        }[kind]
        return _numbered(self[above], parent, pattern)

    def _doors(self) -> Iterator[str]:
        tree = self._town.tree
        entrances, starts = self[PlaceKind.ENTRANCE], tree.riser_units.tolist()
        for riser, entrance in enumerate(tree.riser_entrance.tolist()):
            door = riser - int(tree.entrance_risers[entrance]) + 1
            for floor in range(1, starts[riser + 1] - starts[riser] + 1):
                yield f"{entrances[entrance]}-{floor:02d}{door:02d}"


def _numbered(parents: list[str], parent: Index, pattern: str) -> list[str]:
    """Codes of children sorted by parent, numbered from 1 within it."""
    codes, last, number = [], -1, 0
    for of in parent.tolist():
        number = number + 1 if of == last else 1
        last = of
        codes.append(parents[of] + pattern.format(number))
    return codes
