"""Checks of a scenario that need its town: places exist, faults fit where they strike.

Returns problems instead of raising, so that the caller reports all of them at once.
"""

from __future__ import annotations

import math
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from hearthline.domain.places import PlaceKind
from simulators.faults import REGISTRY, FaultKind, PlacedFault, Struck
from simulators.layout import Layout, shape_of
from simulators.scenario import FaultSpec, Problem, Scenario
from simulators.scenario_file import Path_, line_of, spell

Lines = dict[Path_, int]


class _Notes:
    """Problems found so far, each with its line."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.found: list[Problem] = []

    def add(self, path: Path_, says: str) -> None:
        self.found.append(Problem(spell(path), says, line_of(self.lines, path)))


def check_shape(scenario: Scenario, lines: Lines) -> list[Problem]:
    """Problems that can be seen without laying out the town; none must be left to lay it out."""
    notes = _Notes(lines)
    if not scenario.substations:
        notes.add(("substations",), "at least one is needed")
    for at, substation in enumerate(scenario.substations):
        path: Path_ = ("substations", at)
        if not substation.buildings and substation.grown is None:
            notes.add(path, "needs buildings: [3x7, …] or grown: {count: …}")
        for number, text in enumerate(substation.buildings):
            try:
                shape_of(text)
            except ValueError as error:
                notes.add((*path, "buildings", number), str(error))
        if substation.grown is not None:
            for key in ("entrances", "floors"):
                low, high = getattr(substation.grown, key)
                if not 1 <= low <= high <= 60:
                    notes.add(
                        (*path, "grown", key), f"expected 1 ≤ low ≤ high ≤ 60, got {low}, {high}"
                    )
    _check_values(scenario, notes)
    return notes.found


def _check_values(scenario: Scenario, notes: _Notes) -> None:
    low, high = scenario.dwellings.area_m2
    if low > high:
        notes.add(
            ("dwellings", "area_m2"), f"the smallest area {low:g} exceeds the largest {high:g}"
        )
    level = scenario.weather.level
    times = [when for when, _ in level]
    if not times or any(b <= a for a, b in pairwise(times)):
        notes.add(("weather", "level"), "needs points in ascending time")
    try:
        ZoneInfo(scenario.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        notes.add(("timezone",), f"there is no time zone {scenario.timezone!r}")
    step = scenario.step
    if not timedelta(minutes=1) <= step <= timedelta(minutes=20) or timedelta(hours=1) % step:
        notes.add(("step",), "must divide an hour and lie between 1 and 20 minutes")
    for key in ("room_every", "meter_every", "weather_every", "gateway_every"):
        every = getattr(scenario.instruments, key)
        if every < step or every % step:
            notes.add(("instruments", key), f"must be a multiple of the step ({step})")
    if scenario.history <= timedelta(0) or scenario.history % step:
        notes.add(("history",), f"must be a positive multiple of the step ({step})")
    if scenario.behaviour.outage <= timedelta(0):
        notes.add(("behaviour", "outage"), "must be longer than nothing")


def check_places(scenario: Scenario, layout: Layout, lines: Lines) -> list[Problem]:
    """Problems of faults and meters against the town."""
    notes = _Notes(lines)
    for at, code in enumerate(scenario.instruments.entrance_meters):
        _expect(notes, ("instruments", "entrance_meters", at), code, PlaceKind.BUILDING, layout)
    for at, spec in enumerate(scenario.faults):
        _check_fault(notes, ("faults", at), spec, layout)
    _check_overlaps(notes, scenario.faults)
    return notes.found


def _expect(notes: _Notes, path: Path_, code: str, kind: PlaceKind, layout: Layout) -> None:
    known = layout.lookup.get(code)
    if known is None:
        example = layout.codes[kind][0]
        notes.add(path, f"there is no place {code!r} in this town; a {kind} looks like {example!r}")
    elif known[0] is not kind:
        notes.add(path, f"{code!r} is a {known[0]}, a {kind} is needed")


def _check_fault(notes: _Notes, path: Path_, spec: FaultSpec, layout: Layout) -> None:
    kind = REGISTRY.get(spec.cause)
    if kind is None:
        known = ", ".join(sorted(REGISTRY))
        notes.add((*path, "cause"), f"{spec.cause} cannot be simulated; what can: {known}")
        return
    if not spec.places:
        notes.add((*path, "place"), "names no place")
    for code in spec.places:
        _expect(notes, (*path, "place"), code, kind.scope, layout)
    if len(set(spec.places)) < len(spec.places):
        notes.add((*path, "place"), "names a place twice")
    if spec.end is not None and spec.end <= spec.onset:
        notes.add((*path, "end"), "must lie after the onset")
    if spec.ramp < timedelta(0):
        notes.add((*path, "ramp"), "cannot be negative")
    low, high = kind.bounds
    if spec.severity is not None and not low <= spec.severity <= high:
        says = f"must lie between {low:g} and {high:g} ({kind.meaning}), got {spec.severity:g}"
        notes.add((*path, "severity"), says)


def _check_overlaps(notes: _Notes, faults: tuple[FaultSpec, ...]) -> None:
    """The same fault twice at one place at one time contradicts itself."""
    for later, spec in enumerate(faults):
        for earlier in range(later):
            other = faults[earlier]
            shared = set(spec.places) & set(other.places)
            if spec.cause is other.cause and shared and _overlap(spec, other):
                says = f"{spec.cause} at {', '.join(sorted(shared))} overlaps faults[{earlier}]"
                notes.add(("faults", later), says)


def _overlap(one: FaultSpec, other: FaultSpec) -> bool:
    before = one.end is not None and one.end <= other.onset
    after = other.end is not None and other.end <= one.onset
    return not (before or after)


def place_faults(scenario: Scenario, layout: Layout) -> tuple[PlacedFault, ...]:
    """Resolve the faults of a checked scenario against its town."""
    return tuple(_place(spec, REGISTRY[spec.cause], layout) for spec in scenario.faults)


def _place(spec: FaultSpec, kind: FaultKind, layout: Layout) -> PlacedFault:
    places = np.array([layout.lookup[code][1] for code in spec.places], dtype=np.intp)
    units = np.concatenate([layout.units_below(kind.scope, int(place)) for place in places])
    severity = kind.severity if spec.severity is None else spec.severity
    end_s = math.inf if spec.end is None else spec.end.total_seconds()
    return PlacedFault(
        kind=kind,
        codes=spec.places,
        struck=Struck(places, units),
        onset_s=spec.onset.total_seconds(),
        end_s=end_s,
        ramp_s=spec.ramp.total_seconds(),
        severity=severity,
    )
