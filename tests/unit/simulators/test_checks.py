"""Every rule about bad input, with its line, and every problem at once."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.layout import lay_out
from simulators.scenario import Problem, ScenarioError
from simulators.scenario.checks import check_places, check_shape, no_share, sound
from simulators.scenario.file import look_over, parse

BASE = """name: checked
title: Two substations, one of two circuits
site: ck
history: 12h
source: {code: H, name: Plant, latitude: 45.7, longitude: 126.6}
substations:
  - {name: East, latitude: 45.7, longitude: 126.6, buildings: [2x6, 1x4]}
  - name: West
    latitude: 45.71
    longitude: 126.62
    circuits: [{name: Old, buildings: [2x5]}, {name: New, buildings: [1x5x3]}]
weather: {level: [[0h, -10], [12h, -16]]}
step: 20min
instruments:
  {entrance_meters: [H-S1-B01], meter_every: 20min, weather_every: 20min, gateway_every: 20min}
"""
FIRST_FREE_LINE = 16


def problems(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        sound(look_over(text, "checked"))
    return [str(problem) for problem in caught.value.problems]


def test_what_is_sound_passes() -> None:
    assert sound(look_over(BASE, "checked")).name == "checked"


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        # the tree
        ("buildings: [2x6, 1x4]", "buildings: [2]", 7, "substations[0].buildings[0]: Expected"),
        ("buildings: [2x6, 1x4]", "buildings: [99x5]", 7, "impossible"),
        ("buildings: [2x6, 1x4]", "buildings: [3x0]", 7, "impossible"),
        ("buildings: [2x6, 1x4]", "buildings: [2x61]", 7, "impossible"),
        ("buildings: [2x6, 1x4]", "buildings: [2x6x7]", 7, "7 doors is impossible"),
        ("buildings: [2x6, 1x4]", "buildings: [big]", 7, "expected entrances x floors"),
        ("buildings: [2x6, 1x4]", "buildings: []", 7, "needs buildings"),
        ("buildings: [2x6, 1x4]", "grown: {count: 2, floors: [9, 3]}", 7, "1 ≤ low ≤ high ≤ 60"),
        ("buildings: [2x6, 1x4]", "grown: {count: 2, doors: [2, 9]}", 7, "1 ≤ low ≤ high ≤ 6,"),
        ("buildings: [2x6, 1x4]", "grown: {count: 99999}", 6, "at most 2,000,000"),
        ("buildings: [2x6, 1x4]", "distance_m: -5, buildings: [2x6]", 7, "must be above 0"),
        ("{name: Old, buildings: [2x5]}", "{name: Old}", 11, "circuits[0]: needs buildings"),
        ("    circuits:", "    buildings: [2x5]\n    circuits:", 8, "put all buildings into"),
        ("{code: H, ", "{code: H/1, ", 5, "source.code: must be letters"),
        ("{code: H, ", "{code: H, capacity: 99, ", 5, "between 0.05 and 20 (a multiple"),
        ("{code: H, ", "{code: H, starts: 13h, ", 5, "when the history is over"),
        ("{code: H, ", "{code: H, supply: [], ", 5, "needs points"),
        ("{code: H, ", "{code: H, supply: [[-9, 90], [-20, 110]], ", 5, "-20 follows -9 °C"),
        ("{code: H, ", "{code: H, supply: [[-20, 90], [-9, 110]], ", 5, "of colder weather"),
        # time and weather
        ("[[0h, -10], [12h, -16]]", "[[12h, -10], [0h, -16]]", 12, "ascending"),
        ("{level: [[0h, -10], [12h, -16]]}", "{}", 12, "needs one of level, preset or file"),
        ("{level: [[0h, -10], [12h, -16]]}", "{preset: atlantis}", 12, "no climate 'atlantis'"),
        ("step: 20min", "step: 7min", 13, "must divide an hour"),
        ("step: 20min", "step: 0min", 13, "must divide an hour"),
        ("history: 12h", "history: 0h", 4, "positive multiple"),
        ("history: 12h", "history: -3d", 4, "positive multiple"),
        ("history: 12h", "history: 12h 7min", 4, "positive multiple"),
        ("site: ck", "site: ck\ntimezone: Asia/Shangai", 4, "did you mean 'Asia/Shanghai'?"),
        ("site: ck", "site: ck\ntimezone: ../etc", 4, "no time zone"),
        # instruments
        ("meter_every: 20min", "meter_every: 30min", 15, "multiple of the step"),
        ("meter_every: 20min", "meter_every: 5min", 15, "multiple of the step"),
        ("meter_every: 20min", "meter_every: 2d", 15, "at most a day"),
        ("[H-S1-B01]", "[H-S1]", 15, "'H-S1' is a substation, a building is needed"),
        ("[H-S1-B01]", "[H-S1-B09]", 15, "there is no place 'H-S1-B09'"),
        ("[H-S1-B01]", "[H-S1-B01, H-S1-B01]", 15, "is named twice"),
        ("[H-S1-B01]", "[H-S1-B01], mix: {own: 0, chirpstack: 0, zigbee2mqtt: 0}", 15, "no format"),
    ],
)
def test_an_impossible_town_is_refused(old: str, new: str, line: int, says: str) -> None:
    assert old in BASE
    (found,) = problems(BASE.replace(old, new))
    assert found.startswith(f"line {line}: ")
    assert says in found


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("dwellings: {area_m2: [90, 60]}", "the smallest area 90 exceeds the largest 60"),
        ("dwellings: {area_m2: [2, 60]}", "must lie between 8 and 1000 m²"),
        ("dwellings: {area_m2: [-5, 60]}", "must be above 0"),
        ("dwellings: {gains_wm2: 900}", "between 0 and 50 (W/m²)"),
        ("dwellings: {room_c: 45}", "between 12 and 30 (°C)"),
        ("dwellings: {leakiness: 40}", "between 0.2 and 6"),
        ("dwellings: {emission_spread: 0.9}", "a relative standard deviation"),
        ("people: {stopped: 0.7, vacant: 0.7}", "add up to 1.4, more than all"),
        ("people: {airing: 100}", "between 0 and 20 (times as often as usual)"),
        ("threshold_c: 55", "between 5 and 30"),
        ("behaviour: {outage: 0h}", "longer than nothing"),
        ("behaviour: {late_by: -1h}", "longer than nothing"),
        ("behaviour: {lost: 3}", "must be at most 1"),
        ("behaviour: {outages_per_gateway_day: 500}", "a day and gateway"),
        ("drawn_faults: {onset: [5d, 2d]}", "must begin before it ends"),
        ("drawn_faults: {per_1000: 2000}", "a fault for every dwelling"),
        ("drawn_faults: {causes: [gremlins]}", "there is no 'gremlins'"),
        ("drawn_faults: {causes: [leak, undetermined]}", "undetermined cannot be simulated"),
        ("grown: {dwellings: 50}", "list them or let the town grow, not both"),
        ("grown: {dwellings: 50, doors: [0, 9]}", "1 ≤ low ≤ high ≤ 6"),
    ],
)
def test_absurd_values_are_refused(more: str, says: str) -> None:
    found = [problem for problem in problems(BASE + more) if says in problem]
    assert len(found) == 1
    assert found[0].startswith(f"line {FIRST_FREE_LINE}: ")


def test_a_town_without_any_substation_is_refused() -> None:
    start, end = BASE.index("substations:"), BASE.index("weather:")
    (found,) = problems(BASE[:start] + BASE[end:].replace("[H-S1-B01]", "[]"))
    assert "substations: at least one is needed, or grown" in found


def fault(text: str) -> str:
    return f"{BASE}faults:\n  - {{{text}, onset: 1h}}\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cause: pump_trip, place: H-S9", "no place 'H-S9' in this town (did you mean 'H-S"),
        ("cause: pump_trip, place: Q", "a substation or a circuit looks like 'H-S1'"),
        ("cause: pump_trip, place: H-S1-B01", "is a building, a substation or a circuit is needed"),
        ("cause: source_shortage, place: H-S1", "is a substation, a source is needed"),
        ("cause: gateway_outage, place: H-S1-B01-E1", "is an entrance, a building is needed"),
        ("cause: valve_closed, place: H-S1-B01-E1-0901", "(did you mean 'H-S1-B01-E1-0"),
        ("cause: undetermined, place: H", "undetermined cannot be simulated; what can: air_lock"),
        ("cause: pump_trip, place: []", "names no place"),
        ("cause: pump_trip, place: [H-S1, H-S1]", "names a place twice"),
        ("cause: pump_trip, place: [H-S1, H-S2-C1]", "mixes places of different levels"),
        ("cause: strainer_clogged, place: H-S1-B01, severity: 0.5", "between 1 and 1000: times"),
        ("cause: pump_trip, place: H-S1, severity: -0.1", "must lie between 0 and 1"),
        ("cause: sensor_battery, place: H-S1-B01-E1-0101, severity: 9", "nothing to set"),
        ("cause: pump_trip, place: H-S1, variant: x", "pump_trip is of one kind only"),
        (
            "cause: sensor_misplaced, place: H-S1-B01-E1-0101, variant: radiater",
            "no 'radiater' (did you mean 'radiator'?); known: radiator, sun, balcony",
        ),
        ("cause: sensor_swapped, place: H-S1-B01-E1-0101", "needs exactly 2 places, got 1"),
        ("cause: pump_trip, place: H-S1, end: 1h", "faults[0].end: must lie after the onset"),
        ("cause: pump_trip, place: H-S1, end: -2h", "faults[0].end: must lie after the onset"),
        ("cause: pump_trip, place: H-S1, ramp: -1h", "faults[0].ramp: cannot be negative"),
    ],
)
def test_a_fault_must_fit_the_town(text: str, says: str) -> None:
    (found,) = problems(fault(text))
    assert found.startswith(f"line {FIRST_FREE_LINE + 1}: faults[0]")
    assert says in found


UNIT, OTHER = "H-S1-B01-E1-0101", "H-S1-B01-E1-0201"


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        ("pump_trip, place: H-S1", "pump_trip, place: H-S1", "the same fault twice"),
        ("pump_trip, place: H-S2", "pump_trip, place: H-S2-C2", "the same fault above and below"),
        ("pump_trip, place: H-S2-C2", "pump_trip, place: H-S2", "the same fault above and below"),
        (
            "pipes_swapped, place: H-S1-B01",
            "pipes_swapped, place: H-S1-B01-E2",
            "the same fault above and below",
        ),
        (
            f"valve_closed, place: {UNIT}",
            f"neighbour_unheated, place: [{OTHER}, {UNIT}]",
            "one valve cannot be in two positions",
        ),
        (
            f"turned_down, place: {UNIT}",
            f"neighbour_unheated, variant: vacant, place: {UNIT}",
            "one valve cannot be in two positions",
        ),
        (
            f"sensor_stuck, place: {UNIT}",
            f"sensor_drift, place: {UNIT}",
            "a stuck sensor shows nothing else",
        ),
        (
            f"sensor_battery, place: {UNIT}",
            f"sensor_stuck, place: {UNIT}",
            "a sensor without battery says nothing",
        ),
        (
            f"sensor_swapped, place: [{UNIT}, {OTHER}]",
            f"sensor_moved, place: {OTHER}",
            "in which of the two dwellings",
        ),
    ],
)
def test_faults_that_contradict_each_other_are_refused(one: str, other: str, says: str) -> None:
    text = f"{BASE}faults:\n  - {{cause: {one}, onset: 1h}}\n  - {{cause: {other}, onset: 2h}}\n"
    (found,) = problems(text)
    assert found.startswith(f"line {FIRST_FREE_LINE + 2}: faults[1]: ")
    assert "overlaps faults[0]" in found
    assert says in found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pump_trip, place: H-S1, end: 2h", "pump_trip, place: H-S1"),
        ("pump_trip, place: H-S2-C1", "pump_trip, place: H-S2-C2"),
        ("strainer_clogged, place: H-S1-B01", "strainer_clogged, place: H-S1-B01-E1"),
        (f"valve_closed, place: {UNIT}", "pipes_swapped, place: H-S1-B01-E1"),
        (f"sensor_drift, place: {UNIT}", f"sensor_moved, place: {UNIT}"),
        (f"envelope, place: {UNIT}", f"window_open, place: {UNIT}"),
    ],
)
def test_faults_that_can_be_true_together_pass(one: str, other: str) -> None:
    text = f"{BASE}faults:\n  - {{cause: {one}, onset: 1h}}\n  - {{cause: {other}, onset: 2h}}\n"
    assert len(sound(look_over(text, "checked")).faults) == 2


EVERYTHING = """name: everything
title: One mistake of every kind
site: "has space"
history: three days
source: {code: H, name: Plant, latitude: 95, longitude: 126.6, supply: [[0, 80], [-9, 95]]}
substations:
  - {name: East, latitude: 45.7, longitude: 126.6, buildings: [2x6], pump: big}
weather: {level: [[5h, -10], [1h, -16]]}
timezone: Mars/Olympus
people: {stopped: 40}
dwellings: {area_m2: [90, 60]}
instruments: {entrance_meters: [H-S7-B01], room_every: 7min}
faults:
  - {cause: gremlins, place: H-S1, onset: 1h}
  - {cause: pump_trip, place: H-S9, onset: 4h, end: 2h}
  - {cause: pump_trip, place: H-S1, onset: 4h, severity: much}
  - {cause: pump_trip, place: H-S1, onset: 5h, variant: big}
  - {cause: valve_closed, place: H-S1, onset: soon, severity: 7}
"""


def test_mistakes_of_every_stage_are_listed_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        sound(look_over(EVERYTHING, "everything"))
    found = [(problem.line, problem.where) for problem in caught.value.problems]
    assert found == [
        (3, "site"),
        (4, "history"),
        (5, "source.latitude"),
        (5, "source.supply[1]"),
        (7, "substations[0].pump"),
        (8, "weather.level[1]"),
        (9, "timezone"),
        (10, "people.stopped"),
        (11, "dwellings.area_m2"),
        (12, "instruments.room_every"),
        (12, "instruments.entrance_meters[0]"),
        (14, "faults[0].cause"),
        (15, "faults[1].place"),
        (15, "faults[1].end"),
        (16, "faults[2].severity"),
        (17, "faults[3].variant"),
        (17, "faults[3]"),
        (18, "faults[4].onset"),
        (18, "faults[4].place"),
        (18, "faults[4].severity"),
    ]
    assert str(caught.value).startswith("scenario everything has 20 problems:")


def test_an_unreadable_tree_does_not_make_every_place_a_mistake() -> None:
    text = fault("cause: pump_trip, place: H-S2").replace("[2x6, 1x4]", "7")
    (found,) = problems(text)
    assert "substations[0].buildings" in found


def test_the_two_stages_can_be_asked_one_by_one() -> None:
    scenario, lines = parse(fault("cause: pump_trip, place: H-S9"), "checked")
    assert check_shape(scenario, lines) == []
    (found,) = check_places(scenario, lay_out(scenario, 1), lines)
    assert found.line == FIRST_FREE_LINE + 1
    (unplaced,) = check_places(scenario, lay_out(scenario, 1), {})
    assert unplaced.line is None


def test_a_thousand_faults_are_checked_in_no_time() -> None:
    """Overlaps are looked up by place, not fault against fault."""
    codes = [f"H-S1-B01-E1-0{floor}0{door}" for floor in range(1, 7) for door in (1, 2)]
    rows = [
        f"  - {{cause: window_open, place: {code}, onset: {hour}h, end: {hour + 1}h}}\n"
        for hour in range(100)
        for code in codes
    ]
    text = BASE + "faults:\n" + "".join(rows)
    assert len(sound(look_over(text, "checked")).faults) == 1200


def test_no_share_hints_at_percent() -> None:
    assert "for 20 % write 0.2" in str(no_share("coverage", "town", 20.0))
    assert "write" not in str(no_share("coverage", "town", -1.0))


def test_a_history_longer_than_its_steps_is_fine() -> None:
    assert sound(look_over(BASE.replace("12h\n", "400d\n"), "long")).history == timedelta(days=400)


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(10**12), max_value=10**12),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["-60d", "1h", "H-S1", "3x7", "0x0", "soon", "2026-01-01", "{}"]),
    st.lists(st.integers(min_value=-5, max_value=400), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
FULL = yaml.safe_load(
    BASE
    + """
timezone: Asia/Shanghai
threshold_c: 20
people: {stopped: 0.01, airing: 1}
dwellings: {area_m2: [45, 120], leakiness: 1}
behaviour: {lost: 0.01, outage: 3h, malformed_per_day: 4}
drawn_faults: {per_1000: 4, onset: [1h, 5h], causes: [leak]}
faults:
  - {cause: pump_trip, place: H-S1, onset: 1h, end: 4h, ramp: 1h, severity: 0.1}
  - {cause: sensor_swapped, place: [H-S1-B01-E1-0101, H-S1-B01-E1-0201], onset: 1h}
"""
)


def paths(node: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        yield (*here, key)
        if isinstance(value, dict | list):
            yield from paths(value, (*here, key))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(paths(FULL))), JUNK), min_size=1, max_size=4))
def test_junk_anywhere_is_refused_or_understood_but_never_breaks_the_reader(
    junk: list[tuple[tuple[Any, ...], Any]],
) -> None:
    sections = copy.deepcopy(FULL)
    for path, value in junk:
        node = sections
        try:
            for key in path[:-1]:
                node = node[key]
            node[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # what held it is junk already
    text = yaml.safe_dump(sections, allow_unicode=True)
    refused: tuple[Problem, ...] = ()
    try:
        sound(look_over(text, "junk"))
    except ScenarioError as error:
        refused = error.problems
    assert all(problem.says for problem in refused)
