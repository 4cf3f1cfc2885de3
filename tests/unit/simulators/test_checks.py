"""Problems that only the town itself shows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simulators import City, ScenarioError, build
from simulators.city import check
from simulators.scenario_file import parse


def problems(text: str) -> list[str]:
    scenario, lines = parse(text, "hamlet")
    with pytest.raises(ScenarioError) as caught:
        check(scenario, lines)
    return [str(problem) for problem in caught.value.problems]


FAULTS = """
faults:
  - {cause: pump_trip, place: H-S9, onset: 1h}
  - {cause: pump_trip, place: H-S1-B01, onset: 1h}
  - {cause: strainer_clogged, place: H-S1-B01, onset: 4h, end: 2h, ramp: -1h, severity: 0.5}
  - {cause: source_shortage, place: H, onset: 1h}
  - {cause: pump_trip, place: H-S1, onset: 1h}
  - {cause: pump_trip, place: H-S1, onset: 5h}
  - {cause: neighbour_unheated, place: [], onset: 1h}
"""


def test_faults_must_fit_the_town(hamlet_text: str) -> None:
    found = problems(hamlet_text + FAULTS)
    assert len(found) == 8
    text = "\n".join(found)
    assert "line 17: faults[0].place: there is no place 'H-S9'" in text
    assert "'H-S1-B01' is a building, a substation is needed" in text
    assert "faults[2].end: must lie after the onset" in text
    assert "faults[2].ramp: cannot be negative" in text
    assert "faults[2].severity: must lie between 1 and 1000" in text
    assert "source_shortage cannot be simulated; what can:" in text
    assert "pump_trip at H-S1 overlaps faults[4]" in text
    assert "names no place" in text


def test_faults_one_after_the_other_do_not_contradict(hamlet: Callable[..., City]) -> None:
    city = hamlet(
        "faults:\n"
        "  - {cause: pump_trip, place: H-S1, onset: 1h, end: 2h}\n"
        "  - {cause: pump_trip, place: H-S1, onset: 2h}\n"
    )
    assert len(city.faults) == 2


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("buildings: [2x5]", "buildings: [5]", r"Expected `str`, got `int`|expected entrances"),
        ("buildings: [2x5]", "buildings: [99x5]", "impossible"),
        ("buildings: [2x5]", "buildings: []", "needs buildings"),
        ("buildings: [2x5]", "grown: {count: 2, floors: [9, 3]}", "1 ≤ low ≤ high"),
        ("[[0h, -10], [12h, -16]]", "[[12h, -10], [0h, -16]]", "ascending"),
        ("[[0h, -10], [12h, -16]]", "[]", "ascending"),
        ("seed: 3", "timezone: Mars/Olympus", "no time zone"),
        ("step: 20min", "step: 7min", "must divide an hour"),
        ("seed: 3", "dwellings: {area_m2: [90, 60]}", "exceeds"),
        ("history: 12h", "history: 0h", "positive multiple"),
        ("entrance_meters: [H-S1-B01]", "entrance_meters: [H-S1]", "a building is needed"),
        ("meter_every: 20min", "meter_every: 7min", "multiple of the step"),
        ("seed: 3", "behaviour: {outage: 0h}", "longer than nothing"),
    ],
)
def test_impossible_values_are_refused(hamlet_text: str, old: str, new: str, says: str) -> None:
    with pytest.raises(ScenarioError, match=says):
        check(*parse(hamlet_text.replace(old, new), "hamlet"))


def test_no_substation_is_a_problem(hamlet_text: str) -> None:
    start, end = hamlet_text.index("substations:"), hamlet_text.index("weather:")
    assert problems(hamlet_text[:start] + "substations: []\n" + hamlet_text[end:])


def test_a_coverage_beyond_one_is_refused(hamlet: Callable[..., City]) -> None:
    with pytest.raises(ScenarioError, match="coverage"):
        build(hamlet().scenario, coverage=1.5)
