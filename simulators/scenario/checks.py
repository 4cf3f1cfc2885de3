"""Checks of a scenario against itself and its town: values, tree, places, faults that fit.

Returns problems instead of raising, so that the caller reports all of them at once; ``sound``
puts the stages together. Nothing here is about YAML, except that a problem knows its line.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from hearthline.domain.places import PlaceKind
from simulators import handwork
from simulators.faults import REGISTRY, FaultKind, place_faults
from simulators.faults.conflicts import Occupied, Stay
from simulators.layout import Layout, lay_out
from simulators.scenario import FaultSpec, Problem, Scenario, ScenarioError, SettingSpec, values
from simulators.scenario.file import Lines, Reading
from simulators.scenario.notes import Notes
from simulators.scenario.reading import Path_, nearest

__all__ = ["Lines", "check_places", "check_shape", "place_faults", "sound"]

_HARMLESS = {"latitude", "longitude", "name", "name_zh", "distance_m"}
"""Keys of a substation on which no place depends."""
_MOST_COMPARED = 5000
_NO_SUCH_FAULT = f"{{}} cannot be simulated; what can: {', '.join(sorted(REGISTRY))}"


def sound(reading: Reading, lay: Callable[[Scenario, int], Layout] = lay_out) -> Scenario:
    """The scenario of a file that was read, if nothing at all is wrong with it.

    Raises:
        ScenarioError: every problem of every stage, by line.
    """
    scenario = reading.scenario
    notes = Notes(reading.lines, reading.is_wrong)
    values.check_values(scenario, notes)
    _check_drawn(scenario, notes)
    if _tree_is_read(reading) and values.check_tree(scenario, notes) and _names_places(scenario):
        _places(scenario, lay(scenario, scenario.seed), notes)
    reading.problems.extend(notes.found)
    return reading.usable()


def check_shape(scenario: Scenario, lines: Lines) -> list[Problem]:
    """Problems that can be seen without laying out the town; none must be left to lay it out."""
    notes = Notes(lines)
    values.check_tree(scenario, notes)
    values.check_values(scenario, notes)
    _check_drawn(scenario, notes)
    return notes.found


def check_places(scenario: Scenario, layout: Layout, lines: Lines) -> list[Problem]:
    """Problems of faults and meters against the town."""
    notes = Notes(lines)
    _places(scenario, layout, notes)
    return notes.found


def _tree_is_read(reading: Reading) -> bool:
    """Whether everything on which the codes of places depend could be read."""
    for bad in reading.wrong:
        if not bad or bad in {("source",), ("source", "code")}:
            return False
        if bad[0] in {"substations", "grown"} and bad[-1] not in _HARMLESS:
            return False
    return True


def _names_places(scenario: Scenario) -> bool:
    return bool(scenario.faults or scenario.instruments.entrance_meters or scenario.settings)


def _check_drawn(scenario: Scenario, notes: Notes) -> None:
    causes = () if scenario.drawn_faults is None else scenario.drawn_faults.causes
    for at, cause in enumerate(causes):
        if cause not in REGISTRY:
            notes.add(("drawn_faults", "causes", at), _NO_SUCH_FAULT.format(cause))


def _places(scenario: Scenario, layout: Layout, notes: Notes) -> None:
    meters = scenario.instruments.entrance_meters
    for at, code in enumerate(meters):
        path: Path_ = ("instruments", "entrance_meters", at)
        _expect(notes, path, code, (PlaceKind.BUILDING,), layout)
        if code in meters[:at]:
            notes.add(path, f"{code!r} is named twice")
    for at, setting in enumerate(scenario.settings):
        _check_setting(notes, ("settings", at), setting, layout)
    occupied = Occupied(layout)
    for at, spec in enumerate(scenario.faults):
        _check_fault(notes, ("faults", at), spec, layout)
        if not any(notes.has(("faults", at, key)) for key in ("cause", "place", "onset", "end")):
            _check_overlaps(notes, at, spec, occupied)


def _expect(
    notes: Notes, path: Path_, code: str, kinds: tuple[PlaceKind, ...], layout: Layout
) -> None:
    wanted = " or ".join(f"{_an(kind)} {kind}" for kind in kinds)
    known = layout.lookup.get(code)
    if known is None:
        example = layout.codes[kinds[0]][0]
        hint = nearest(code, _namesakes(code, layout)) or f"; {wanted} looks like {example!r}"
        notes.add(path, f"there is no place {code!r} in this town{hint}")
    elif known[0] not in kinds:
        notes.add(path, f"{code!r} is {_an(known[0])} {known[0]}, {wanted} is needed")


def _check_setting(notes: Notes, path: Path_, setting: SettingSpec, layout: Layout) -> None:
    kinds = handwork.VALVES if setting.pump == 1.0 else handwork.PUMPS
    _expect(notes, (*path, "place"), setting.place, kinds, layout)
    if setting.pump != 1.0 and setting.valve != 1.0:
        notes.add((*path, "valve"), "no place has a valve and a pump: write a setting for each")


def _an(word: str) -> str:
    return "an" if word[0] in "aeio" else "a"


def _namesakes(code: str, layout: Layout) -> list[str]:
    """Codes that share as much as possible of a code's beginning."""
    stem = code
    while "-" in stem:
        stem = stem.rpartition("-")[0]
        if stem in layout.lookup:
            near = [other for other in layout.lookup if other.startswith(f"{stem}-")]
            return near[:_MOST_COMPARED]
    return list(layout.codes[PlaceKind.SUBSTATION])[:_MOST_COMPARED]


def _check_fault(notes: Notes, path: Path_, spec: FaultSpec, layout: Layout) -> None:
    kind = REGISTRY.get(spec.cause)
    if kind is None:
        notes.add((*path, "cause"), _NO_SUCH_FAULT.format(spec.cause))
        return
    if not notes.has((*path, "cause")):
        _check_where(notes, (*path, "place"), spec, kind, layout)
        _check_much(notes, path, spec, kind)
    if spec.end is not None and not notes.has((*path, "onset")) and spec.end <= spec.onset:
        notes.add((*path, "end"), f"must lie after the onset ({spec.onset})")
    if spec.ramp < timedelta(0):
        notes.add((*path, "ramp"), "cannot be negative")


def _check_where(
    notes: Notes, path: Path_, spec: FaultSpec, kind: FaultKind, layout: Layout
) -> None:
    if not spec.places:
        notes.add(path, "names no place")
    for code in spec.places:
        _expect(notes, path, code, kind.scopes, layout)
    if len(set(spec.places)) < len(spec.places):
        notes.add(path, "names a place twice")
    found = {layout.lookup[code][0] for code in spec.places if code in layout.lookup}
    if len(found) > 1 and found <= set(kind.scopes):
        names = " and ".join(sorted(found))
        notes.add(path, f"mixes places of different levels ({names}); write a fault for each")
    low, high = kind.count
    if spec.places and not low <= len(spec.places) <= high:
        wanted = f"exactly {low}" if low == high else f"{low} to {high}"
        notes.add(path, f"{spec.cause} needs {wanted} places, got {len(spec.places)}")


def _check_much(notes: Notes, path: Path_, spec: FaultSpec, kind: FaultKind) -> None:
    low, high = kind.bounds
    if spec.severity is not None and not low <= spec.severity <= high:
        limits = "" if low == high else f"must lie between {low:g} and {high:g}: "
        says = f"{limits}{kind.meaning}; got {spec.severity:g}"
        notes.add((*path, "severity"), says)
    if spec.variant is not None and spec.variant not in kind.variants:
        known = ", ".join(kind.variants) or f"none, {spec.cause} is of one kind only"
        near = nearest(spec.variant, kind.variants)
        notes.add((*path, "variant"), f"there is no {spec.variant!r}{near}; known: {known}")


def _check_overlaps(notes: Notes, at: int, spec: FaultSpec, occupied: Occupied) -> None:
    """Faults listed before this one that it contradicts, one problem for each."""
    stay = Stay.of(at, spec)
    clashes: dict[int, str] = {}
    for code in dict.fromkeys(spec.places):
        for other, why in occupied.contradicts(occupied.layout.lookup[code], stay):
            says = f"{spec.cause} at {code} overlaps faults[{other.number}] ({other.cause}): {why}"
            clashes.setdefault(other.number, says)
    for says in clashes.values():
        notes.add(("faults", at), says)
    occupied.note(at, spec)


def no_share(name: str, scenario: str, share: float) -> ScenarioError:
    """The error for a share from the command line that is none."""
    hint = f"; for {share:g} % write {share / 100.0:g}" if 1.0 < share <= 100.0 else ""
    problem = Problem(name, f"must lie between 0 and 1, got {share:g}{hint}")
    return ScenarioError(scenario, [problem])
