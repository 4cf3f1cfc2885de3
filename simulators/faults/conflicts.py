"""Which faults contradict each other, and who strikes where and when.

Two faults *meet* when they overlap in time and one's place is the other's or lies below it. Most
may: a leaky dwelling in a building whose strainer clogs is simply colder. Those in the table may
not, since a file that says both says nothing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from hearthline.domain.findings import Cause
from hearthline.domain.places import PlaceKind
from simulators.faults.registry import REGISTRY
from simulators.layout import Layout
from simulators.scenario import FaultSpec

Spot = tuple[PlaceKind, int]

_VALVE = frozenset({Cause.VALVE_CLOSED, Cause.NEIGHBOUR_UNHEATED, Cause.TURNED_DOWN})
_LEVEL_LIES = frozenset({Cause.SENSOR_DRIFT, Cause.SENSOR_MOVED, Cause.SENSOR_MISPLACED})
_LIES = _LEVEL_LIES | {Cause.SENSOR_STUCK, Cause.SENSOR_SWAPPED, Cause.SENSOR_BATTERY}

CONTRADICTIONS: tuple[tuple[frozenset[Cause], frozenset[Cause], str], ...] = (
    (_VALVE, _VALVE, "one valve cannot be in two positions"),
    (frozenset({Cause.SENSOR_BATTERY}), _LIES, "a sensor without battery says nothing"),
    (frozenset({Cause.SENSOR_STUCK}), _LIES, "a stuck sensor shows nothing else"),
    (
        frozenset({Cause.SENSOR_SWAPPED}),
        _LIES,
        "nobody could say in which of the two dwellings the other lie is told",
    ),
)
"""Pairs of groups whose members may not meet, and why."""

_SEPARATE = frozenset({Cause.STRAINER_CLOGGED})
"""Causes of which there may be one above another: each place has a strainer of its own."""


def contradiction(one: Cause, other: Cause, *, same_place: bool) -> str | None:
    """Why two causes may not meet, or None if they may."""
    if one is other:
        if one in _SEPARATE and not same_place:
            return None
        return "the same fault twice" if same_place else "the same fault above and below"
    for left, right, why in CONTRADICTIONS:
        if (one in left and other in right) or (one in right and other in left):
            return why
    return None


class Stay(NamedTuple):
    """A fault at a spot: its number, its cause, and from when to when, s from the anchor.

    ``habit``: it belongs to everyday life and keeps no fault of a whole branch away.
    """

    number: int
    cause: Cause
    start_s: float
    end_s: float
    habit: bool = False

    @classmethod
    def of(cls, number: int, spec: FaultSpec) -> Stay:
        """How long a fault of a scenario stays."""
        end = math.inf if spec.end is None else spec.end.total_seconds()
        return cls(number, spec.cause, spec.onset.total_seconds(), end)

    def overlaps(self, other: Stay) -> bool:
        """Whether both are there at some instant."""
        return self.start_s < other.end_s and other.start_s < self.end_s


@dataclass(slots=True)
class Occupied:
    """Who strikes where: asked from any place for the faults at, above and below it."""

    layout: Layout
    _at: dict[Spot, list[Stay]] = field(default_factory=lambda: defaultdict(list))
    _below: dict[Spot, list[Stay]] = field(default_factory=lambda: defaultdict(list))

    def add(self, spot: Spot, stay: Stay) -> None:
        """Note a fault."""
        self._at[spot].append(stay)
        for above in upwards(self.layout, spot)[1:]:
            self._below[above].append(stay)

    def note(self, number: int, spec: FaultSpec, *, habit: bool = False) -> None:
        """Note a fault of a scenario at all its places."""
        for code in spec.places:
            self.add(self.layout.lookup[code], Stay.of(number, spec)._replace(habit=habit))

    def at(self, spot: Spot, stay: Stay) -> Iterator[Stay]:
        """Faults at this very place while ``stay`` lasts."""
        return (other for other in self._at.get(spot, ()) if other.overlaps(stay))

    def above(self, spot: Spot, stay: Stay) -> Iterator[tuple[PlaceKind, Stay]]:
        """Faults above it, with the level at which they strike."""
        for higher in upwards(self.layout, spot)[1:]:
            for other in self.at(higher, stay):
                yield higher[0], other

    def below(self, spot: Spot, stay: Stay) -> Iterator[Stay]:
        """Faults below it."""
        return (other for other in self._below.get(spot, ()) if other.overlaps(stay))

    def contradicts(self, spot: Spot, stay: Stay) -> Iterator[tuple[Stay, str]]:
        """Faults that may not meet this one, each with the reason."""
        for other in self.at(spot, stay):
            if why := contradiction(stay.cause, other.cause, same_place=True):
                yield other, why
        nested = [other for _, other in self.above(spot, stay)]
        for other in (*nested, *self.below(spot, stay)):
            if why := contradiction(stay.cause, other.cause, same_place=False):
                yield other, why


def upwards(layout: Layout, spot: Spot) -> list[Spot]:
    """A place and everything above it, up to the source."""
    tree = layout.tree
    parents = {
        PlaceKind.UNIT: (PlaceKind.RISER, tree.unit_riser),
        PlaceKind.RISER: (PlaceKind.ENTRANCE, tree.riser_entrance),
        PlaceKind.ENTRANCE: (PlaceKind.BUILDING, tree.entrance_building),
        PlaceKind.BUILDING: (PlaceKind.CIRCUIT, tree.building_circuit),
        PlaceKind.CIRCUIT: (PlaceKind.SUBSTATION, layout.circuit_substation),
    }
    chain = [spot]
    while (step := parents.get(chain[-1][0])) is not None:
        chain.append((step[0], int(step[1][chain[-1][1]])))
    if chain[-1][0] is PlaceKind.SUBSTATION:
        chain.append((PlaceKind.SOURCE, 0))
    return chain


def is_hidden(occupied: Occupied, spot: Spot, stay: Stay) -> bool:
    """Whether a fault could not be told from another one that is there already.

    Stricter than a contradiction, for random draws: nothing is struck twice, and nothing of the
    same realm (heat, or sensors) lies above or below a fault that hides it.
    """
    kind = REGISTRY[stay.cause]
    if any(occupied.at(spot, stay)) or any(occupied.contradicts(spot, stay)):
        return True
    station = {PlaceKind.SUBSTATION, PlaceKind.CIRCUIT}
    for level, other in occupied.above(spot, stay):
        above = REGISTRY[other.cause]
        same_realm = above.of_sensor == kind.of_sensor
        if same_realm and (above.hides or {level, spot[0]} <= station):
            return True
    if not kind.hides:
        return False
    return any(
        REGISTRY[other.cause].of_sensor == kind.of_sensor and not other.habit
        for other in occupied.below(spot, stay)
    )
