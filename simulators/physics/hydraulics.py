"""Flows in a secondary circuit: resistances on a tree with direct return, solved without iteration.

A pipe drops Δp = R m² (kPa, kg/s). With conductance g = 1/√R, parallel branches add their g and
a pipe in series with a group G makes G/√(1 + R G²). So one sweep from the radiators to the pump
and one back give every flow exactly: closing one valve raises the others, and with direct return
the building at the end of the main gets least unless valves were set for balance.

Levels are arrays sorted by parent: unit → riser → entrance → building → main → circuit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled, inlined

Array = NDArray[np.floating[Any]]
Single = NDArray[np.float32]
Index = NDArray[np.intp]

STOREY_KPA = 29.4
"""Head of the water in one storey of 3 m."""
LIFT_MARGIN_KPA = 40.0
"""Pressure that a circuit keeps above its highest radiator; below it the top loses its flow."""


@dataclass(frozen=True)
class Tree:
    """Who hangs on whom: the first child of every parent and, last, the number of children."""

    riser_units: Index
    entrance_risers: Index
    building_entrances: Index
    circuit_buildings: Index

    @cached_property
    def sizes(self) -> tuple[int, int, int, int, int]:
        """Numbers of units, risers, entrances, buildings, circuits."""
        return (
            int(self.riser_units[-1]),
            len(self.riser_units) - 1,
            len(self.entrance_risers) - 1,
            len(self.building_entrances) - 1,
            len(self.circuit_buildings) - 1,
        )

    @cached_property
    def unit_riser(self) -> Index:
        """Riser of each dwelling."""
        return _parents(self.riser_units)

    @cached_property
    def riser_entrance(self) -> Index:
        """Entrance of each riser."""
        return _parents(self.entrance_risers)

    @cached_property
    def entrance_building(self) -> Index:
        """Building of each entrance."""
        return _parents(self.building_entrances)

    @cached_property
    def building_circuit(self) -> Index:
        """Circuit of each building."""
        return _parents(self.circuit_buildings)

    @cached_property
    def circuit_units(self) -> Index:
        """First dwelling of every circuit, and the number of all: [circuits + 1]."""
        entrances = self.building_entrances[self.circuit_buildings]
        return self.riser_units[self.entrance_risers[entrances]]

    def units_of(self, level: str, index: int) -> tuple[int, int]:
        """First dwelling of a ``riser``, ``entrance``, ``building`` or ``circuit``, and the end."""
        chain = {
            "circuit": self.circuit_buildings,
            "building": self.building_entrances,
            "entrance": self.entrance_risers,
            "riser": self.riser_units,
        }
        first, end = index, index + 1
        for starts in list(chain.values())[list(chain).index(level) :]:
            first, end = int(starts[first]), int(starts[end])
        return first, end

    def total(self, unit: Array | Single) -> tuple[Array, Array, Array, Array]:
        """Sums of a quantity of dwellings per riser, entrance, building and circuit."""
        riser = np.add.reduceat(unit.astype(np.float64), self.riser_units[:-1])
        entrance = np.add.reduceat(riser, self.entrance_risers[:-1])
        building = np.add.reduceat(entrance, self.building_entrances[:-1])
        return riser, entrance, building, np.add.reduceat(building, self.circuit_buildings[:-1])


def _parents(starts: Index) -> Index:
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts))


@dataclass(frozen=True, slots=True)
class Resistances:
    """kPa/(kg/s)²: units, risers, entrances, buildings, the main's segment to each building, plant.

    A building's own resistance is its strainer and open valve (``building``) and what its
    balancing valve throttles beyond that (``throttle``); ``plant`` is exchanger, strainer and
    fittings in series with the pump.
    """

    unit: Array
    riser: Array
    entrance: Array
    building: Array
    throttle: Array
    main: Array
    plant: Array

    @property
    def unit_conductance(self) -> Single:
        """1/√R of every dwelling with its valve open, kg/s per √kPa."""
        return (1.0 / np.sqrt(self.unit)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Pumps:
    """Head curve ``head = speed² · shut_off_kpa − droop · m²`` of each pump; speed 1 is nominal."""

    shut_off_kpa: Array
    droop: Array


@dataclass(frozen=True, slots=True)
class Operation:
    """How the network is run; valves and speeds 0…1, others factors on whole branches' resistance.

    ``valve`` [units], ``entrance``, ``building``, ``plant`` and ``speed`` [circuits], ``open``
    [buildings]: share of the balancing valve's throttling that is gone, ``setting`` [buildings]:
    factor on the resistance of the balancing valve and its strainer, ``spare_kpa`` [circuits]:
    static pressure above the ground floor's radiators (infinite: enough for any height).
    """

    valve: Single
    entrance: Array
    building: Array
    setting: Array
    open: Array
    plant: Array
    speed: Array
    spare_kpa: Array

    @classmethod
    def normal(cls, tree: Tree) -> Operation:
        """Everything open and running."""
        units, _, entrances, buildings, circuits = tree.sizes
        return cls(
            valve=np.ones(units, dtype=np.float32),
            entrance=np.ones(entrances),
            building=np.ones(buildings),
            setting=np.ones(buildings),
            open=np.zeros(buildings),
            plant=np.ones(circuits),
            speed=np.ones(circuits),
            spare_kpa=np.full(circuits, np.inf),
        )


@dataclass(frozen=True, slots=True)
class Flows:
    """kg/s on every level, ``pump`` [circuits]; ``lift_kpa`` is between each pump's flanges."""

    unit: Single
    riser: Array
    entrance: Array
    building: Array
    pump: Array
    lift_kpa: Array

    @classmethod
    def empty(cls, tree: Tree) -> Flows:
        """Room for a solution."""
        units, risers, entrances, buildings, circuits = tree.sizes
        return cls(
            np.empty(units, dtype=np.float32),
            np.empty(risers),
            np.empty(entrances),
            np.empty(buildings),
            np.empty(circuits),
            np.empty(circuits),
        )


def solve(tree: Tree, pipes: Resistances, pumps: Pumps, run: Operation) -> Flows:
    """All flows of circuits run in a given way."""
    flows = Flows.empty(tree)
    solve_part(tree, pipes, pipes.unit_conductance, pumps, run, flows, (0, tree.sizes[4]))
    return flows


def solve_part(
    tree: Tree,
    pipes: Resistances,
    unit_conductance: Single,
    pumps: Pumps,
    run: Operation,
    flows: Flows,
    part: tuple[int, int],
) -> None:
    """Fill in the flows of the circuits ``part[0]`` to ``part[1]`` (exclusive)."""
    throttle = pipes.throttle * (1.0 - run.open)
    _gather(
        *part,
        (tree.circuit_buildings, tree.building_entrances, tree.entrance_risers, tree.riser_units),
        unit_conductance,
        run.valve,
        run.spare_kpa,
        (pipes.riser, pipes.entrance, (pipes.building + throttle) * run.setting),
        (run.entrance, run.building),
        (flows.unit, flows.riser, flows.entrance, flows.building),
    )
    _spread(
        *part,
        (tree.circuit_buildings, tree.building_entrances, tree.entrance_risers, tree.riser_units),
        pipes.main,
        pipes.plant * run.plant,
        run.speed,
        (pumps.shut_off_kpa, pumps.droop),
        (flows.unit, flows.riser, flows.entrance, flows.building, flows.pump, flows.lift_kpa),
    )


@inlined
def _in_series(group, resistance):
    """Conductance of a pipe of ``resistance`` followed by a parallel ``group``."""
    return group / np.sqrt(1.0 + resistance * group * group)


@compiled
def _gather(first, last, tree, own, valve, spare_kpa, pipes, factors, out):
    """Conductances from the dwellings up to the buildings, written where flows will stand."""
    circuit_buildings, building_entrances, entrance_risers, riser_units = tree
    riser_pipe, entrance_pipe, building_pipe = pipes
    entrance_factor, building_factor = factors
    unit, riser, entrance, building = out
    for c in range(first, last):
        spare = spare_kpa[c]
        for b in range(circuit_buildings[c], circuit_buildings[c + 1]):
            in_building = 0.0
            for e in range(building_entrances[b], building_entrances[b + 1]):
                in_entrance = 0.0
                for r in range(entrance_risers[e], entrance_risers[e + 1]):
                    in_riser = 0.0
                    start, end = riser_units[r], riser_units[r + 1]
                    starved = spare < (end - start) * STOREY_KPA + LIFT_MARGIN_KPA
                    for u in range(start, end):
                        g = own[u] * valve[u]
                        if starved:
                            left = (spare - (u - start + 1) * STOREY_KPA) / LIFT_MARGIN_KPA
                            g *= min(max(left, 0.0), 1.0)
                        unit[u] = g
                        in_riser += unit[u]
                    riser[r] = _in_series(in_riser, riser_pipe[r])
                    in_entrance += riser[r]
                series = _in_series(in_entrance, entrance_pipe[e])
                entrance[e] = series / np.sqrt(entrance_factor[e])
                in_building += entrance[e]
            series = _in_series(in_building, building_pipe[b])
            building[b] = series / np.sqrt(building_factor[b])


@compiled
def _spread(first, last, tree, main, plant, speed, pumps, out):
    """Flows from the pumps down to the dwellings; conductances are replaced by flows."""
    circuit_buildings, building_entrances, entrance_risers, riser_units = tree
    shut_off_kpa, droop = pumps
    unit, riser, entrance, building, pump, lift_kpa = out
    for c in range(first, last):
        near, far = circuit_buildings[c], circuit_buildings[c + 1]
        beyond = np.zeros(far - near + 1)  # conductance from the segment to each building on
        for b in range(far - 1, near - 1, -1):
            beyond[b - near] = _in_series(building[b] + beyond[b - near + 1], main[b])
        flow = 0.0
        if beyond[0] > 0.0:
            outside = 1.0 / (beyond[0] * beyond[0]) + plant[c]
            flow = speed[c] * np.sqrt(shut_off_kpa[c] / (outside + droop[c]))
        pump[c] = flow
        lift_kpa[c] = speed[c] * speed[c] * shut_off_kpa[c] - droop[c] * flow * flow
        for b in range(near, far):
            here = flow * building[b] / max(building[b] + beyond[b - near + 1], 1e-12)
            flow -= here
            building[b] = here
            _share(here, entrance, building_entrances[b], building_entrances[b + 1])
            for e in range(building_entrances[b], building_entrances[b + 1]):
                _share(entrance[e], riser, entrance_risers[e], entrance_risers[e + 1])
                for r in range(entrance_risers[e], entrance_risers[e + 1]):
                    _share(riser[r], unit, riser_units[r], riser_units[r + 1])


@inlined
def _share(parent, children, start, end):
    """A parent's flow among parallel children, in proportion to their conductance."""
    total = 0.0
    for child in range(start, end):
        total += children[child]
    factor = parent / max(total, 1e-12)
    for child in range(start, end):
        children[child] = children[child] * factor


@dataclass(frozen=True, slots=True)
class DesignDrops:
    """Where a designer spends the pump's head, kPa, at design flow.

    ``main`` is spent along the whole main up to its last building: so long a main leaves the far
    building 0.7 to 0.8 of its flow once the near ones throttle no more, and pump and plant are
    stiff enough that a clogged building sends the others a few percent.
    """

    unit: float = 15.0
    riser: float = 3.0
    entrance: float = 5.0
    spare: float = 7.0  # valve and strainer of the last building; nearer ones throttle more
    main: float = 70.0
    plant: float = 40.0
    droop: float = 65.0


def balance(tree: Tree, unit_kgs: Array, drops: DesignDrops) -> tuple[Resistances, Pumps]:
    """Resistances and pumps for which every dwelling gets its design flow ``unit_kgs``."""
    riser, entrance, building, total = tree.total(unit_kgs)
    first = tree.circuit_buildings[:-1]
    circuit = tree.building_circuit
    before = np.cumsum(building) - building
    through = total[circuit] - (before - before[first][circuit])  # the segment to each building
    count = np.diff(tree.circuit_buildings)[circuit]
    place = np.arange(len(building)) - first[circuit] + 1
    return Resistances(
        unit=drops.unit / unit_kgs**2,
        riser=drops.riser / riser**2,
        entrance=drops.entrance / entrance**2,
        building=drops.spare / building**2,
        throttle=drops.main * (1.0 - place / count) / building**2,
        main=drops.main / count / np.maximum(through, 1e-9) ** 2,
        plant=drops.plant / total**2,
    ), Pumps(
        np.full(len(total), _head(drops) + drops.droop),
        drops.droop / total**2,
    )


def _head(drops: DesignDrops) -> float:
    return drops.unit + drops.riser + drops.entrance + drops.spare + drops.main + drops.plant
