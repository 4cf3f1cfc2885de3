"""The heat meters of a town: where they sit, how large they are, what they speak.

The source, the primary side of every substation and the secondary side of every circuit are
always metered; a share of the buildings and the entrances that a scenario names are as well.
Metered or not, every such place has its *row* in the vector of nodes, by which choices are drawn,
so that a meter stays the same when others come or go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import msgspec
import numpy as np
from numpy.typing import NDArray

from hearthline.domain.places import Device, DeviceKind, DeviceRole, FlowPipe, PlaceKind
from simulators import rand
from simulators.layout import Layout
from simulators.physics import plant, water
from simulators.scenario import MeterMix, Scenario
from simulators.wire import FORMATS, NUMBER, Identity

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

METER_GAIN = 0.004
METER_BIAS_K = 0.02
IN_RETURN = 0.6
"""Share of meters whose flow sensor sits in the return."""
DESIGN_WM2 = 45.0
_PRIMARY_DROP_K = 58.0


class Node(IntEnum):
    """Where a meter sits; the order of the blocks in the vector of nodes."""

    SOURCE = 0
    PRIMARY = 1
    SECONDARY = 2
    BUILDING = 3
    ENTRANCE = 4


_ROLES = {
    Node.SOURCE: DeviceRole.PRIMARY,
    Node.PRIMARY: DeviceRole.PRIMARY,
    Node.SECONDARY: DeviceRole.SECONDARY,
    Node.BUILDING: DeviceRole.BRANCH,
    Node.ENTRANCE: DeviceRole.BRANCH,
}
_LEVELS = {
    Node.SOURCE: PlaceKind.SOURCE,
    Node.PRIMARY: PlaceKind.SUBSTATION,
    Node.SECONDARY: PlaceKind.CIRCUIT,
    Node.BUILDING: PlaceKind.BUILDING,
    Node.ENTRANCE: PlaceKind.ENTRANCE,
}
_SUFFIX = {
    Node.SOURCE: "P1",
    Node.PRIMARY: "P1",
    Node.SECONDARY: "S1",
    Node.BUILDING: "M1",
    Node.ENTRANCE: "M1",
}


@dataclass(frozen=True)
class MeterFleet:
    """Heat meters; arrays are [meters].

    ``row`` is a meter's place in the vector of nodes, ``index`` that on its own level, ``speech``
    its format's in ``wire.FORMATS``. ``gain`` and the biases are its own errors, ``in_return``
    says which pipe holds the flow sensor, ``design_m3h`` the flow it was chosen for.
    """

    site: str
    every_s: int
    layout: Layout
    row: Index
    node: NDArray[np.int_]
    index: Index
    speech: NDArray[np.int8]
    phase_s: NDArray[np.int32]
    gain: Array
    supply_bias_k: Array
    return_bias_k: Array
    in_return: Flags
    design_m3h: Array

    def __len__(self) -> int:
        return len(self.row)

    def place(self, meter: int) -> str:
        """Code of the place a meter is filed under: a substation's only circuit is its own."""
        node, index = Node(int(self.node[meter])), int(self.index[meter])
        if node is Node.SECONDARY:
            substation = int(self.layout.circuit_substation[index])
            if np.count_nonzero(self.layout.circuit_substation == substation) == 1:
                return self.layout.codes[PlaceKind.SUBSTATION][substation]
        return self.layout.codes[_LEVELS[node]][index]

    def identity(self, meter: int) -> Identity:
        """How a meter calls itself on the wire.

        Raises:
            ValueError: its format has no heat meters.
        """
        speaks = FORMATS[int(self.speech[meter])]
        if speaks.identify_meter is None:
            raise ValueError(f"no heat meter speaks {speaks.name}")
        return speaks.identify_meter(self.site, self.names[meter], int(self.row[meter]))

    def device(self, meter: int) -> Device:
        """A meter as the ledger lists it."""
        return Device(
            uid=self.identity(meter).uid,
            kind=DeviceKind.METER,
            role=_ROLES[Node(int(self.node[meter]))],
            place=self.place(meter),
            flow_pipe=FlowPipe.RETURN if self.in_return[meter] else FlowPipe.SUPPLY,
            expected_interval_s=self.every_s,
        )

    @property
    def devices(self) -> Iterator[Device]:
        """All meters as the ledger lists them, made one by one."""
        return (self.device(meter) for meter in range(len(self)))

    @cached_property
    def names(self) -> list[str]:
        """The company's own names of the meters: place and what it measures there."""
        suffixes = [_SUFFIX[Node(node)] for node in self.node.tolist()]
        return [f"{self.place(meter)}-{suffix}" for meter, suffix in enumerate(suffixes)]


def meter_fleet(scenario: Scenario, layout: Layout, seed: int) -> MeterFleet:
    """The heat meters of a scenario's town."""
    metered = _metered(scenario, layout, seed)
    sizes = [len(flags) for flags in metered]
    node = np.repeat(np.arange(len(Node)), sizes)
    index = np.concatenate([np.arange(size) for size in sizes])
    row = np.flatnonzero(np.concatenate(metered))
    node, index = node[row], index[row]
    every = int(scenario.instruments.meter_every.total_seconds())
    leakiness = scenario.dwellings.leakiness
    return MeterFleet(
        site=scenario.site,
        every_s=every,
        layout=layout,
        row=row,
        node=node,
        index=index,
        speech=_speech(scenario.instruments.meter_mix, node, row, seed),
        phase_s=(rand.uniform(seed, "fleet/meter-phase", row) * every).astype(np.int32),
        gain=1.0 + METER_GAIN * rand.normal(seed, "fleet/gain", row),
        supply_bias_k=METER_BIAS_K * rand.normal(seed, "fleet/supply", row),
        return_bias_k=METER_BIAS_K * rand.normal(seed, "fleet/return", row),
        in_return=rand.uniform(seed, "fleet/pipe", row) < IN_RETURN,
        design_m3h=leakiness * np.concatenate(_design_m3h(layout))[row],
    )


def _metered(scenario: Scenario, layout: Layout, seed: int) -> list[Flags]:
    """Whether each node has a meter, block by block; shares of buildings nest."""
    _, _, entrances, buildings, circuits = layout.tree.sizes
    always = [np.ones(n, dtype=bool) for n in (1, len(layout.substations), circuits)]
    lot = rand.uniform(seed, "fleet/building-meter", np.arange(buildings))
    count = round(scenario.instruments.building_meters * buildings)
    building = np.zeros(buildings, dtype=bool)
    building[np.argsort(lot, kind="stable")[:count]] = True
    entrance = np.zeros(entrances, dtype=bool)
    if scenario.instruments.entrance_meters:
        wanted = set(scenario.instruments.entrance_meters)
        named = [code in wanted for code in layout.codes[PlaceKind.BUILDING]]
        entrance = np.array(named)[layout.tree.entrance_building]
    return [*always, building, entrance]


def _speech(mix: MeterMix, node: NDArray[np.int_], row: Index, seed: int) -> NDArray[np.int8]:
    """Formats of meters: building and entrance meters by their shares, plant meters our own."""
    given = {name: share for name, share in msgspec.structs.asdict(mix).items() if share > 0.0}
    branch = node >= Node.BUILDING
    speech = np.full(len(row), NUMBER["own"], dtype=np.int8)
    if given:
        numbers = np.array([NUMBER[name] for name in given], dtype=np.int8)
        edges = np.cumsum(list(given.values()))
        drawn = rand.uniform(seed, "fleet/meter-speech", row[branch]) * edges[-1]
        speaking = np.searchsorted(edges, drawn, side="right")
        speech[branch] = numbers[np.minimum(speaking, len(numbers) - 1)]
    return speech


def _design_m3h(layout: Layout) -> list[Array]:
    """Design flow of every node in m³/h: its floor area at the usual index and its drop."""
    tree = layout.tree
    riser = layout.riser_area_m2 * np.diff(tree.riser_units)
    entrance = np.add.reduceat(riser, tree.entrance_risers[:-1])
    building = np.add.reduceat(entrance, tree.building_entrances[:-1])
    circuit = np.add.reduceat(building, tree.circuit_buildings[:-1])
    substation = np.bincount(layout.circuit_substation, circuit, len(layout.substations))
    drop = np.where(layout.floor_heated, plant.FLOOR.drop_k, plant.RADIATORS.drop_k)
    per_m2 = 3.6 * DESIGN_WM2 / water.CP
    at_building = drop[layout.building_circuit]
    return [
        np.array([per_m2 * circuit.sum() / _PRIMARY_DROP_K]),
        per_m2 * substation / _PRIMARY_DROP_K,
        per_m2 * circuit / drop,
        per_m2 * building / at_building,
        per_m2 * entrance / at_building[tree.entrance_building],
    ]
