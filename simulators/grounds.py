"""Staking out: substations, circuits and the shapes of their buildings, listed or grown by seed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators import rand
from simulators.scenario import (
    CircuitSpec,
    GrownSpec,
    GrownTownSpec,
    Heating,
    Scenario,
    SourceSpec,
    SubstationSpec,
)

Index = NDArray[np.intp]

SHAPE = re.compile(r"^(\d+)x(\d+)(?:x(\d+))?$")
MOST_DOORS = 6
_DEGREE_M = 111_320.0
_GOLDEN_ANGLE = math.pi * (3.0 - math.sqrt(5.0))
_SPACING_M = 420.0  # about the reach of a substation's secondary pipes


class Shape(NamedTuple):
    """A building: entrances side by side, floors, and doors on each landing."""

    entrances: int
    floors: int
    doors: int

    @property
    def dwellings(self) -> int:
        """Dwellings in the building."""
        return self.entrances * self.floors * self.doors


@dataclass(slots=True)
class Grounds:
    """A town's plan: who stands where, before anything is known of single dwellings."""

    substations: tuple[SubstationSpec, ...] = ()
    circuits: tuple[CircuitSpec, ...] = ()
    circuit_substation: Index = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    building_circuit: Index = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    shapes: list[Shape] = field(default_factory=list)


def shape_of(text: str) -> Shape:
    """Entrances, floors and doors from text like ``3x7`` (two doors) or ``3x7x4``.

    Raises:
        ValueError: it is not such a text, or one of the numbers is impossible.
    """
    match = SHAPE.match(text)
    if not match:
        raise ValueError(f"expected entrances x floors (x doors) like '3x7', got {text!r}")
    shape = Shape(int(match[1]), int(match[2]), int(match[3] or 2))
    if not (1 <= shape.entrances <= 20 and 1 <= shape.floors <= 60):
        raise ValueError(
            f"a building of {shape.entrances} entrances and {shape.floors} floors is impossible"
        )
    if not 1 <= shape.doors <= MOST_DOORS:
        raise ValueError(f"a landing with {shape.doors} doors is impossible; 1 to {MOST_DOORS} are")
    return shape


def circuits_of(spec: SubstationSpec) -> tuple[CircuitSpec, ...]:
    """The circuits of a substation; buildings listed directly make one."""
    if spec.circuits:
        return spec.circuits
    return (
        CircuitSpec(
            name="circuit 1",
            name_zh="一号环路",
            heating=spec.heating,
            buildings=spec.buildings,
            grown=spec.grown,
        ),
    )


def stake_out(scenario: Scenario, seed: int) -> Grounds:
    """The plan of a scenario's town."""
    stations = scenario.substations
    if scenario.grown is not None:
        stations = (*stations, *_grown_town(scenario.grown, scenario.source, seed, len(stations)))
    circuits: list[CircuitSpec] = []
    substation_of: list[int] = []
    circuit_of: list[int] = []
    shapes: list[Shape] = []
    for number, station in enumerate(stations):
        for spec in circuits_of(station):
            own = [shape_of(text) for text in spec.buildings]
            own += _grown(spec.grown, seed, len(circuits))
            circuit_of += [len(circuits)] * len(own)
            shapes += own
            substation_of.append(number)
            circuits.append(spec)
    return Grounds(
        tuple(stations),
        tuple(circuits),
        np.array(substation_of, dtype=np.intp),
        np.array(circuit_of, dtype=np.intp),
        shapes,
    )


def _drawn(spec: GrownSpec | GrownTownSpec, seed: int, keys: Index, lead: int) -> list[Shape]:
    """Shapes of buildings, one per key."""
    columns = []
    for stream in ("entrances", "floors", "doors"):
        low, high = getattr(spec, stream)
        number = rand.uniform(seed, f"layout/{stream}", lead, keys)
        columns.append((low + np.floor(number * (high - low + 1)).astype(int)).tolist())
    return [Shape(*three) for three in zip(*columns, strict=True)]


def _grown(spec: GrownSpec | None, seed: int, circuit: int) -> list[Shape]:
    return [] if spec is None else _drawn(spec, seed, np.arange(spec.count), circuit)


def _grown_town(
    spec: GrownTownSpec, source: SourceSpec, seed: int, before: int
) -> Iterator[SubstationSpec]:
    """Substations on a spiral around the source, each filled until it has its dwellings."""
    most = spec.dwellings // (spec.entrances[0] * spec.floors[0] * spec.doors[0]) + 1
    drawn = _drawn(spec, seed, np.arange(most), 1_000_003)
    own: list[Shape] = []
    room, left, number = spec.per_substation, spec.dwellings, before
    for shape in drawn:
        own.append(shape)
        room, left = room - shape.dwellings, left - shape.dwellings
        if room <= 0 or left <= 0:
            yield _grown_station(spec, source, seed, number, own)
            own, room, number = [], spec.per_substation, number + 1
        if left <= 0:
            return


def _grown_station(
    spec: GrownTownSpec, source: SourceSpec, seed: int, number: int, shapes: list[Shape]
) -> SubstationSpec:
    away_m, angle = _SPACING_M * math.sqrt(number + 2.0), number * _GOLDEN_ANGLE
    north, east = away_m * math.cos(angle), away_m * math.sin(angle)
    narrow = math.cos(math.radians(source.latitude))
    on_floor = rand.chance(seed, "layout/floor-heating", number) < spec.floor_share
    return SubstationSpec(
        name=f"Station {number + 1}",
        name_zh=f"{number + 1}号",
        latitude=round(source.latitude + north / _DEGREE_M, 6),
        longitude=round(source.longitude + east / (narrow * _DEGREE_M), 6),
        heating=Heating.FLOOR if on_floor else Heating.RADIATORS,
        buildings=tuple(f"{s.entrances}x{s.floors}x{s.doors}" for s in shapes),
    )


def distance_m(source: SourceSpec, station: SubstationSpec) -> float:
    """Length of a substation's primary pipe: as given, or 1.3 times the way on the map."""
    if station.distance_m is not None:
        return station.distance_m
    north = (station.latitude - source.latitude) * _DEGREE_M
    east = (station.longitude - source.longitude) * _DEGREE_M
    east *= math.cos(math.radians(source.latitude))
    return round(max(1.3 * math.hypot(north, east), 100.0), 0)
