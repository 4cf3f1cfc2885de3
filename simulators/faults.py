"""Faults: what can go wrong, as knobs turned on the arrays of the town.

Each step starts from a town without faults (``Knobs.neutral``); every active fault turns its
knobs by its level (0 before the onset, rising over the ramp to 1). To add a fault, write one
function and register it with ``@fault``; scenarios, truth and documentation follow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from hearthline.domain.findings import Cause
from hearthline.domain.places import PlaceKind
from simulators.layout import Layout

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(slots=True)
class Knobs:
    """Everything a fault may turn; factors are 1 and extras 0 in a healthy town.

    Shapes: ``[pumps]``, ``[buildings]``, ``[entrances]`` or ``[units]`` by the first word.
    """

    pump_speed: Array
    building_resistance: Array
    entrance_resistance: Array
    entrance_swapped: NDArray[np.bool_]
    unit_valve: Array
    unit_emission: Array
    unit_extra_loss: Array  # share of its own conductance to outdoors
    sensor_stuck: NDArray[np.bool_]
    sensor_value: Array  # °C shown by a stuck sensor; NaN: the last value it read

    @classmethod
    def neutral(cls, layout: Layout) -> Knobs:
        """A town in which nothing is wrong."""
        units, _, entrances, buildings, pumps = layout.tree.sizes
        return cls(
            pump_speed=np.ones(pumps),
            building_resistance=np.ones(buildings),
            entrance_resistance=np.ones(entrances),
            entrance_swapped=np.zeros(entrances, dtype=bool),
            unit_valve=np.ones(units),
            unit_emission=np.ones(units),
            unit_extra_loss=np.zeros(units),
            sensor_stuck=np.zeros(units, dtype=bool),
            sensor_value=np.full(units, np.nan),
        )


@dataclass(frozen=True, slots=True)
class Struck:
    """What a fault hits: indices on its own level, and the dwellings at or below them."""

    places: Index
    units: Index


Turn = Callable[[Knobs, Struck, float, float], None]


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A registered fault: where it can strike and what its severity means.

    ``bounds`` are the allowed severities; a None severity takes ``severity``.
    """

    cause: Cause
    scope: PlaceKind
    severity: float
    bounds: tuple[float, float]
    meaning: str
    turn: Turn
    stops_heating: bool = False
    of_sensor: bool = False


REGISTRY: dict[Cause, FaultKind] = {}


def fault(
    cause: Cause,
    scope: PlaceKind,
    *,
    severity: float,
    bounds: tuple[float, float],
    meaning: str,
    stops_heating: bool = False,
    of_sensor: bool = False,
) -> Callable[[Turn], Turn]:
    """Register a function as the effect of a fault."""

    def register(turn: Turn) -> Turn:
        REGISTRY[cause] = FaultKind(
            cause, scope, severity, bounds, meaning, turn, stops_heating, of_sensor
        )
        return turn

    return register


@fault(
    Cause.PUMP_TRIP,
    PlaceKind.SUBSTATION,
    severity=0.03,
    bounds=(0.0, 1.0),
    meaning="share of the flow that still moves by itself",
)
def pump_trip(knobs: Knobs, struck: Struck, level: float, severity: float) -> None:
    """The circulation pump runs out; a little water still circulates by its own weight."""
    knobs.pump_speed[struck.places] *= 1.0 - (1.0 - severity) * level


@fault(
    Cause.STRAINER_CLOGGED,
    PlaceKind.BUILDING,
    severity=9.0,
    bounds=(1.0, 1000.0),
    meaning="times the building's resistance when fully clogged",
)
def strainer_clogged(knobs: Knobs, struck: Struck, level: float, severity: float) -> None:
    """Dirt in the strainer multiplies the resistance of the building's whole branch."""
    knobs.building_resistance[struck.places] *= severity**level


@fault(
    Cause.PIPES_SWAPPED,
    PlaceKind.ENTRANCE,
    severity=0.35,
    bounds=(0.0, 1.0),
    meaning="share of the flow that still gets through the wrong way round",
)
def pipes_swapped(knobs: Knobs, struck: Struck, level: float, severity: float) -> None:
    """Supply and return joined the wrong way: poor circulation, top-fed radiators barely fill."""
    if level <= 0.0:
        return
    knobs.entrance_resistance[struck.places] /= max(severity, 1e-3) ** 2
    knobs.entrance_swapped[struck.places] = True
    knobs.unit_emission[struck.units] *= 0.65


@fault(
    Cause.NEIGHBOUR_UNHEATED,
    PlaceKind.UNIT,
    severity=1.0,
    bounds=(0.0, 1.0),
    meaning="share of the dwelling's own heat that is shut off",
    stops_heating=True,
)
def neighbour_unheated(knobs: Knobs, struck: Struck, level: float, severity: float) -> None:
    """Heating stopped on request: valve shut; the neighbours pay with their own heat."""
    knobs.unit_valve[struck.units] *= 1.0 - severity * level


@fault(
    Cause.VALVE_CLOSED,
    PlaceKind.UNIT,
    severity=1.0,
    bounds=(0.0, 1.0),
    meaning="share of the valve that is closed",
)
def valve_closed(knobs: Knobs, struck: Struck, level: float, severity: float) -> None:
    """A dwelling's valve is shut or stuck though its heating is paid for."""
    knobs.unit_valve[struck.units] *= 1.0 - severity * level


@fault(
    Cause.WINDOW_OPEN,
    PlaceKind.UNIT,
    severity=1.0,
    bounds=(0.0, 10.0),
    meaning="extra loss as a share of the dwelling's own (1: loss ×2, a window ajar)",
)
def window_open(knobs: Knobs, struck: Struck, level: float, severity: float) -> None:
    """A window stands ajar."""
    knobs.unit_extra_loss[struck.units] += severity * level


@fault(
    Cause.SENSOR_STUCK,
    PlaceKind.UNIT,
    severity=float("nan"),
    bounds=(-40.0, 60.0),
    meaning="°C it shows for ever; without it, the value it read last",
    of_sensor=True,
)
def sensor_stuck(knobs: Knobs, struck: Struck, level: float, severity: float) -> None:
    """A room sensor repeats one value; the room itself is fine."""
    if level > 0.0:
        knobs.sensor_stuck[struck.units] = True
        knobs.sensor_value[struck.units] = severity


@dataclass(frozen=True, slots=True)
class PlacedFault:
    """A fault of a scenario with everything resolved.

    Offsets are seconds from the anchor; ``end_s`` may be infinite.
    """

    kind: FaultKind
    codes: tuple[str, ...]
    struck: Struck
    onset_s: float
    end_s: float
    ramp_s: float
    severity: float

    @property
    def cause(self) -> Cause:
        """What the fault is called."""
        return self.kind.cause

    @property
    def onset(self) -> timedelta:
        """When it strikes, from the anchor."""
        return timedelta(seconds=self.onset_s)

    @property
    def end(self) -> timedelta | None:
        """When it is over, from the anchor; None if it stays."""
        return timedelta(seconds=self.end_s) if np.isfinite(self.end_s) else None

    def level(self, offset_s: float) -> float:
        """How much of it there is, 0 to 1."""
        if not self.onset_s <= offset_s < self.end_s:
            return 0.0
        return min((offset_s - self.onset_s) / self.ramp_s, 1.0) if self.ramp_s > 0 else 1.0


@dataclass(slots=True)
class FaultBoard:
    """The faults of a town and the knobs they turn; knobs are rebuilt only when a level moves."""

    layout: Layout
    faults: tuple[PlacedFault, ...]
    _levels: tuple[float, ...] | None = None
    _knobs: Knobs | None = field(default=None)

    def knobs(self, offset_s: float) -> Knobs:
        """The knobs at an instant, the very same object while nothing changes."""
        levels = tuple(round(fault.level(offset_s), 4) for fault in self.faults)
        if self._knobs is None or levels != self._levels:
            knobs = Knobs.neutral(self.layout)
            for placed, level in zip(self.faults, levels, strict=True):
                if level > 0.0:
                    placed.kind.turn(knobs, placed.struck, level, placed.severity)
            self._levels, self._knobs = levels, knobs
        return self._knobs
