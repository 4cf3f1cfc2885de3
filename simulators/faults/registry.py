"""What a fault is: the registry, what a fault strikes, and the moment at which it is asked.

To add a fault, write one function that turns knobs and register it with ``@fault``; scenarios,
truth, random draws and documentation follow. Faults know knobs and places, never physics.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hearthline.domain.findings import Cause
from hearthline.domain.places import PlaceKind
from simulators.knobs import Knobs
from simulators.layout import Layout
from simulators.scenario import duration

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Range = tuple[float, float]
Spans = tuple[timedelta, timedelta]

AT_ONCE: Spans = (timedelta(0), timedelta(0))
NOTHING_TO_SET = "nothing to set: leave it out"


@dataclass(frozen=True, eq=False)
class Struck:
    """What a fault hits: ``places`` index one level; everything at or below them on demand.

    ``source_capacity`` is the source's nominal capacity, a multiple of the town's design heat.
    """

    kind: PlaceKind
    places: Index
    layout: Layout
    source_capacity: float = 1.0

    @cached_property
    def circuits(self) -> Index:
        """Circuits at or below the places."""
        if self.kind is PlaceKind.CIRCUIT:
            return self.places
        if self.kind is PlaceKind.SUBSTATION:
            return np.flatnonzero(np.isin(self.layout.circuit_substation, self.places))
        if self.kind is PlaceKind.SOURCE:
            return np.arange(len(self.layout.circuit_substation))
        return np.zeros(0, dtype=np.intp)

    @cached_property
    def buildings(self) -> Index:
        """Buildings at or below the places."""
        if self.kind is PlaceKind.BUILDING:
            return self.places
        return np.flatnonzero(np.isin(self.layout.tree.building_circuit, self.circuits))

    @cached_property
    def entrances(self) -> Index:
        """Entrances at or below the places."""
        if self.kind is PlaceKind.ENTRANCE:
            return self.places
        return np.flatnonzero(np.isin(self.layout.tree.entrance_building, self.buildings))

    @cached_property
    def units(self) -> Index:
        """Dwellings at or below the places."""
        if self.kind is PlaceKind.UNIT:
            return self.places
        below = [self.layout.units_below(self.kind, int(place)) for place in self.places]
        return np.concatenate([np.zeros(0, dtype=np.intp), *below])

    @cached_property
    def height(self) -> Array:
        """How high up its riser each of ``units`` is, 0 at the ground and 1 under the roof."""
        tree = self.layout.tree
        riser = tree.unit_riser[self.units]
        start, end = tree.riser_units[riser], tree.riser_units[riser + 1]
        return np.asarray((self.units - start) / np.maximum(end - start - 1, 1))


@dataclass(frozen=True, slots=True)
class Moment:
    """How much of a fault there is: ``level`` 0 to 1, its severity, and seconds since its onset."""

    level: float
    severity: float
    since_s: float = 0.0
    variant: str = ""

    @property
    def much(self) -> float:
        """Severity as far as the ramp has come."""
        return self.level * self.severity


Turn = Callable[[Knobs, Struck, Moment], None]


def _nothing(_knobs: Knobs, _struck: Struck, _moment: Moment) -> None:
    """What a kind does before a function is registered for it."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A registered fault: where it can strike, what its severity means, how it is usually met.

    ``turns`` names the knobs that ``turn`` may touch. ``bounds`` are the allowed severities; a
    scenario that gives none takes ``severity``. ``usual`` (severity; None: the default),
    ``ramp``, ``lasts`` (None: for good) and ``together`` (how many places) are the ranges from
    which random faults are drawn, ``signed`` ones in both directions, ``by_size`` ones per 1000
    dwellings struck. ``count`` is how many places a scenario may name. ``hides``: nothing else
    can be told apart below it. ``grows``: it depends on the time since its onset, by the hour.
    """

    cause: Cause
    scopes: tuple[PlaceKind, ...]
    turns: tuple[str, ...]
    meaning: str
    severity: float = 1.0
    bounds: Range = (1.0, 1.0)
    usual: Range | None = None
    variants: tuple[str, ...] = ()
    ramp: Spans = AT_ONCE
    lasts: Spans | None = None
    count: tuple[int, int] = (1, 100_000)
    together: tuple[int, int] = (1, 1)
    signed: bool = False
    by_size: bool = False
    of_sensor: bool = False
    stops_heating: bool = False
    hides: bool = False
    grows: bool = False
    turn: Turn = field(default=_nothing, repr=False)

    def severity_of(self, given: float | None) -> float:
        """The severity a scenario gives, or the usual one."""
        return self.severity if given is None else given

    def variant_of(self, given: str | None) -> str:
        """The variant a scenario gives, or the first one; empty where there are none."""
        return given or (self.variants[0] if self.variants else "")


REGISTRY: dict[Cause, FaultKind] = {}


def fault(kind: FaultKind) -> Callable[[Turn], Turn]:
    """Register a function as what a kind of fault does."""

    def register(turn: Turn) -> Turn:
        REGISTRY[kind.cause] = replace(kind, turn=turn)
        return turn

    return register


def span(low: str, high: str) -> Spans:
    """Two durations as people write them, e.g. ``span("2h", "3d")``."""
    return duration(low), duration(high)
