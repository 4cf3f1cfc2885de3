"""Flows in a secondary circuit: resistances on a tree with direct return, solved without iteration.

A pipe drops Δp = R m² (kPa, kg/s). With conductance g = 1/√R, parallel branches add their g and
a pipe in series with a group G makes G/√(1 + R G²). So one sweep from the radiators to the pump
and one back give every flow exactly: closing one valve raises the others, and with direct return
the building at the end of the main gets least unless valves were set for balance.

Levels are arrays sorted by parent: unit → riser → entrance → building → main segment → pump.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Tree:
    """Who hangs on whom.

    ``*_start`` are first-child indices for ``np.add.reduceat`` (children sorted by parent, none
    empty). ``main`` of shape [pumps, positions] names the building at each position along a
    pump's main, nearest first, −1 where the main is shorter.
    """

    unit_riser: Index
    riser_entrance: Index
    entrance_building: Index
    riser_start: Index
    entrance_start: Index
    building_start: Index
    main: Index

    @property
    def sizes(self) -> tuple[int, int, int, int, int]:
        """Numbers of units, risers, entrances, buildings, pumps."""
        return (
            len(self.unit_riser),
            len(self.riser_entrance),
            len(self.entrance_building),
            len(self.building_start),
            len(self.main),
        )


@dataclass(frozen=True, slots=True)
class Resistances:
    """kPa/(kg/s)²: units, risers, entrances, buildings (valve and strainer), main segments, plant.

    ``main`` has the shape of ``Tree.main`` (segment that leads to each position); ``plant`` is
    exchanger and fittings in series with the pump.
    """

    unit: Array
    riser: Array
    entrance: Array
    building: Array
    main: Array
    plant: Array


@dataclass(frozen=True, slots=True)
class Pumps:
    """Head curve ``head = speed² · shut_off_kpa − droop · m²`` of each pump; speed 1 is nominal."""

    shut_off_kpa: Array
    droop: Array


@dataclass(frozen=True, slots=True)
class Operation:
    """How the network is run: valves and speeds 0…1, and factors on whole branches' resistance.

    ``valve`` [units], ``entrance`` [entrances], ``building`` [buildings], ``speed`` [pumps].
    """

    valve: Array
    entrance: Array
    building: Array
    speed: Array

    @classmethod
    def normal(cls, tree: Tree) -> Operation:
        """Everything open and running."""
        units, _, entrances, buildings, pumps = tree.sizes
        return cls(np.ones(units), np.ones(entrances), np.ones(buildings), np.ones(pumps))


@dataclass(frozen=True, slots=True)
class Flows:
    """kg/s on every level; ``lift_kpa`` is what each pump delivers between its flanges."""

    unit: Array
    riser: Array
    entrance: Array
    building: Array
    pump: Array
    lift_kpa: Array


def in_series(group: Array, resistance: Array) -> Array:
    """Conductance of a pipe of ``resistance`` followed by a parallel ``group``."""
    return group / np.sqrt(1.0 + resistance * group * group)


def solve(tree: Tree, pipes: Resistances, pumps: Pumps, run: Operation) -> Flows:
    """All flows of circuits run in a given way."""
    g_unit = run.valve / np.sqrt(pipes.unit)
    g_riser = in_series(np.add.reduceat(g_unit, tree.riser_start), pipes.riser)
    g_entrance = in_series(np.add.reduceat(g_riser, tree.entrance_start), pipes.entrance)
    g_entrance = g_entrance / np.sqrt(run.entrance)
    g_building = in_series(np.add.reduceat(g_entrance, tree.building_start), pipes.building)
    g_building = g_building / np.sqrt(run.building)
    building, pump, lift = _main_flows(tree, pipes, pumps, g_building, run.speed)
    entrance = _share(building, g_entrance, tree.building_start, tree.entrance_building)
    riser = _share(entrance, g_riser, tree.entrance_start, tree.riser_entrance)
    unit = _share(riser, g_unit, tree.riser_start, tree.unit_riser)
    return Flows(unit, riser, entrance, building, pump, lift)


def _share(parent: Array, conductance: Array, starts: Index, parent_of: Index) -> Array:
    """A parent's flow among parallel children, in proportion to their conductance."""
    total = np.maximum(np.add.reduceat(conductance, starts), 1e-12)
    return np.asarray((parent / total)[parent_of] * conductance)


def _main_flows(
    tree: Tree, pipes: Resistances, pumps: Pumps, g_building: Array, speed: Array
) -> tuple[Array, Array, Array]:
    """Flows into buildings [buildings], through pumps [pumps], and lift in kPa [pumps]."""
    present = tree.main >= 0
    branch = np.where(present, g_building[tree.main], 0.0)
    pump_count, positions = tree.main.shape
    beyond = np.zeros((pump_count, positions + 1))  # conductance from the segment of a position on
    for position in range(positions - 1, -1, -1):
        group = branch[:, position] + beyond[:, position + 1]
        beyond[:, position] = in_series(group, pipes.main[:, position])
    blocked = beyond[:, 0] <= 0.0
    outside = 1.0 / np.maximum(beyond[:, 0], 1e-12) ** 2 + pipes.plant
    pump = np.where(blocked, 0.0, speed * np.sqrt(pumps.shut_off_kpa / (outside + pumps.droop)))
    lift = speed**2 * pumps.shut_off_kpa - pumps.droop * pump**2
    flow = np.zeros(len(g_building))
    along = pump
    for position in range(positions):
        group = np.maximum(branch[:, position] + beyond[:, position + 1], 1e-12)
        here = along * branch[:, position] / group
        flow[tree.main[present[:, position], position]] = here[present[:, position]]
        along = along - here
    return flow, pump, lift


@dataclass(frozen=True, slots=True)
class DesignDrops:
    """Where a designer spends the pump's head, kPa, at design flow.

    ``main`` is spent along the whole main up to its last building.
    """

    unit: float = 15.0
    riser: float = 3.0
    entrance: float = 5.0
    spare: float = 12.0  # valve and strainer of the last building; nearer ones throttle more
    main: float = 35.0
    plant: float = 30.0
    droop: float = 40.0


def balance(tree: Tree, unit_kgs: Array, drops: DesignDrops) -> tuple[Resistances, Pumps]:
    """Resistances and pumps for which every dwelling gets its design flow ``unit_kgs``."""
    riser = np.add.reduceat(unit_kgs, tree.riser_start)
    entrance = np.add.reduceat(riser, tree.entrance_start)
    building = np.add.reduceat(entrance, tree.building_start)
    present = tree.main >= 0
    branch = np.where(present, building[tree.main], 0.0)
    through = np.cumsum(branch[:, ::-1], axis=1)[:, ::-1]  # flow of the segment to each position
    lengths = np.maximum(present.sum(axis=1, keepdims=True), 1)
    segment_kpa = np.where(present, drops.main / lengths, 0.0)
    segment = np.where(present, segment_kpa / np.maximum(through, 1e-9) ** 2, 1.0)
    spent = np.cumsum(segment_kpa, axis=1)
    throttle = np.where(present, drops.spare + drops.main - spent, 0.0)
    own = np.zeros(len(building))
    own[tree.main[present]] = throttle[present]
    total = through[:, 0]
    head = drops.unit + drops.riser + drops.entrance + drops.spare + drops.main + drops.plant
    pipes = Resistances(
        unit=drops.unit / unit_kgs**2,
        riser=drops.riser / riser**2,
        entrance=drops.entrance / entrance**2,
        building=own / building**2,
        main=segment,
        plant=drops.plant / total**2,
    )
    pumps = Pumps(np.full(len(total), head + drops.droop), drops.droop / total**2)
    return pipes, pumps
