"""Checks of a scenario's values and of its tree, before any town is laid out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise
from operator import attrgetter
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import msgspec

from simulators import weather
from simulators.layout import shape_of
from simulators.scenario import CircuitSpec, GrownSpec, GrownTownSpec, Scenario, SubstationSpec
from simulators.scenario.notes import Notes
from simulators.scenario.reading import Path_, nearest

_MOST_DWELLINGS = 2_000_000
_LIMITS = {"entrances": 20, "floors": 60, "doors": 6}
_CODE = re.compile(r"^[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*$")

_BELIEVABLE = (
    ("threshold_c", 5.0, 30.0, "°C, the standard's minimum"),
    ("source.capacity", 0.05, 20.0, "a multiple of the town's design heat"),
    ("dwellings.room_c", 12.0, 30.0, "°C"),
    ("dwellings.gains_wm2", 0.0, 50.0, "W/m²"),
    ("dwellings.party_wm2k", 0.1, 20.0, "W/(m²·K)"),
    ("dwellings.leakiness", 0.2, 6.0, "times the loss of an insulated house"),
    ("dwellings.emission_spread", 0.0, 0.5, "a relative standard deviation"),
    ("dwellings.flow_spread", 0.0, 0.5, "a relative standard deviation"),
    ("people.airing", 0.0, 20.0, "times as often as usual"),
    ("people.cooking", 0.0, 20.0, "times as often as usual"),
    ("behaviour.outages_per_gateway_day", 0.0, 48.0, "a day and gateway"),
)
"""What a value may be: its path, least, most, and what it is."""

_SMALLEST_M2, _LARGEST_M2 = 8.0, 1000.0


def check_tree(scenario: Scenario, notes: Notes) -> bool:
    """Whether a town can be laid out; what stands in the way is noted."""
    before = len(notes.found)
    if not _CODE.match(scenario.source.code):
        says = "must be letters, digits, _ and single -, since all place codes grow from it"
        notes.add(("source", "code"), f"{says}; got {scenario.source.code!r}")
    if scenario.substations and scenario.grown is not None:
        notes.add(("grown",), "there are substations too: list them or let the town grow, not both")
    if not scenario.substations and scenario.grown is None:
        notes.add(("substations",), "at least one is needed, or grown: {dwellings: …}")
    if scenario.grown is not None:
        _check_grown(notes, ("grown",), scenario.grown)
    for at, substation in enumerate(scenario.substations):
        _check_substation(notes, ("substations", at), substation)
    if len(notes.found) == before and (count := _dwellings(scenario)) > _MOST_DWELLINGS:
        notes.add(("substations",), f"make about {count:,.0f} dwellings; at most 2,000,000 can be")
    return len(notes.found) == before


def _check_substation(notes: Notes, path: Path_, spec: SubstationSpec) -> None:
    direct = bool(spec.buildings) or spec.grown is not None
    if spec.circuits and direct:
        notes.add(path, "has circuits and buildings of its own: put all buildings into circuits")
    if not spec.circuits and not direct:
        notes.add(path, "needs buildings: [3x7, …], grown: {count: …} or circuits: [...]")
    _check_buildings(notes, path, spec)
    for number, circuit in enumerate(spec.circuits):
        here = (*path, "circuits", number)
        if not circuit.buildings and circuit.grown is None:
            notes.add(here, "needs buildings: [3x7, …] or grown: {count: …}")
        _check_buildings(notes, here, circuit)


def _check_buildings(notes: Notes, path: Path_, spec: SubstationSpec | CircuitSpec) -> None:
    for number, text in enumerate(spec.buildings):
        try:
            shape_of(text)
        except ValueError as error:
            notes.add((*path, "buildings", number), str(error))
    if spec.grown is not None:
        _check_grown(notes, (*path, "grown"), spec.grown)


def _check_grown(notes: Notes, path: Path_, spec: GrownSpec | GrownTownSpec) -> None:
    for key, most in _LIMITS.items():
        low, high = getattr(spec, key)
        if not 1 <= low <= high <= most:
            notes.add((*path, key), f"expected 1 ≤ low ≤ high ≤ {most}, got {low}, {high}")


def _dwellings(scenario: Scenario) -> float:
    """About how many dwellings a listed town has."""
    specs: list[SubstationSpec | CircuitSpec] = list(scenario.substations)
    specs += [circuit for substation in scenario.substations for circuit in substation.circuits]
    total = 0.0
    for spec in specs:
        total += sum(shape_of(text).dwellings for text in spec.buildings)
        if spec.grown is not None:
            means = (sum(getattr(spec.grown, key)) / 2.0 for key in _LIMITS)
            total += spec.grown.count * next(means) * next(means) * next(means)
    return total


def check_values(scenario: Scenario, notes: Notes) -> None:
    """Note every value that is impossible or absurd by itself."""
    for name, low, high, what in _BELIEVABLE:
        value = attrgetter(name)(scenario)
        if not low <= value <= high:
            says = f"must lie between {low:g} and {high:g} ({what}), got {value:g}"
            notes.add(tuple(name.split(".")), says)
    _check_areas(scenario, notes)
    _check_supply(scenario, notes)
    _check_people(scenario, notes)
    _check_times(scenario, notes)
    _check_instruments(scenario, notes)
    _check_zone(scenario, notes)
    drawn = scenario.drawn_faults
    if drawn is not None and drawn.onset[0] > drawn.onset[1]:
        notes.add(("drawn_faults", "onset"), "must begin before it ends")
    if drawn is not None and drawn.per_1000 > 1000.0:
        notes.add(("drawn_faults", "per_1000"), "must be at most 1000: a fault for every dwelling")
    for path, says in weather.problems(scenario.weather, max(scenario.history, timedelta(0))):
        notes.add(("weather", *path), says)


def _check_areas(scenario: Scenario, notes: Notes) -> None:
    path: Path_ = ("dwellings", "area_m2")
    low, high = scenario.dwellings.area_m2
    if low > high:
        notes.add(path, f"the smallest area {low:g} exceeds the largest {high:g}")
    if low < _SMALLEST_M2 or high > _LARGEST_M2:
        says = f"must lie between {_SMALLEST_M2:g} and {_LARGEST_M2:g} m², got {low:g}, {high:g}"
        notes.add(path, says)


def _check_supply(scenario: Scenario, notes: Notes) -> None:
    path: Path_ = ("source", "supply")
    points = scenario.source.supply
    if not points:
        notes.add(path, "needs points [outdoor °C, supply °C], coldest first")
    for at, (colder, warmer) in enumerate(pairwise(points), start=1):
        if warmer[0] <= colder[0]:
            says = f"must ascend in outdoor temperature, but {warmer[0]:g} follows {colder[0]:g} °C"
            notes.add((*path, at), says)
        elif warmer[1] > colder[1]:
            says = f"supplies {warmer[1]:g} °C, more than the {colder[1]:g} °C of colder weather"
            notes.add((*path, at), says)


def _check_people(scenario: Scenario, notes: Notes) -> None:
    people = scenario.people
    total = people.stopped + people.restricted + people.vacant + people.turned_down
    if total > 1.0:
        says = f"stopped, restricted, vacant and turned_down add up to {total:g}, more than all"
        notes.add(("people",), says)


def _check_times(scenario: Scenario, notes: Notes) -> None:
    step, nothing = scenario.step, timedelta(0)
    if not _is_step(step):
        notes.add(("step",), "must divide an hour and lie between 1 and 20 minutes")
    elif scenario.history <= nothing or scenario.history % step:
        notes.add(("history",), f"must be a positive multiple of the step ({step})")
    starts = scenario.source.starts
    if starts is not None and nothing < scenario.history <= starts:
        says = f"heating begins {starts} after the anchor, when the history is over"
        notes.add(("source", "starts"), says)
    for key in ("outage", "late_by", "clock_off"):
        if getattr(scenario.behaviour, key) <= nothing:
            notes.add(("behaviour", key), "must be longer than nothing")


def _is_step(step: timedelta) -> bool:
    lasts = timedelta(minutes=1) <= step <= timedelta(minutes=20)
    return lasts and not timedelta(hours=1) % step


def _check_instruments(scenario: Scenario, notes: Notes) -> None:
    spec, step = scenario.instruments, scenario.step
    periods = ("room_every", "meter_every", "weather_every", "gateway_every")
    for key in periods if _is_step(step) else ():
        every = getattr(spec, key)
        if every < step or every % step:
            notes.add(("instruments", key), f"must be a multiple of the step ({step})")
        elif every > timedelta(days=1):
            notes.add(("instruments", key), "must be at most a day")
    for key in ("mix", "meter_mix"):
        if not any(_shares(getattr(spec, key))):
            notes.add(("instruments", key), "names no format with a share above 0")


def _shares(mix: msgspec.Struct) -> Iterable[float]:
    return (getattr(mix, name) for name in mix.__struct_fields__)


def _check_zone(scenario: Scenario, notes: Notes) -> None:
    name = scenario.timezone
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = nearest(name, available_timezones())
        notes.add(("timezone",), f"there is no time zone {name!r}{near}")
