"""Reading scenarios: every problem at once, each with its line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

import simulators
from simulators.scenario import ScenarioError, duration
from simulators.scenario_file import parse, shipped


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (8, timedelta(hours=8)),
        (1.5, timedelta(minutes=90)),
        ("3d", timedelta(days=3)),
        ("72h 4min", timedelta(hours=72, minutes=4)),
        ("72h4m", timedelta(hours=72, minutes=4)),
        ("-60d", timedelta(days=-60)),
        ("-1d 12h", timedelta(days=-1.5)),
        ("90s", timedelta(seconds=90)),
    ],
)
def test_durations_are_read_as_people_write_them(text: object, expected: timedelta) -> None:
    assert duration(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "3 weeks", "h", True, None, [1]])
def test_other_durations_are_refused(text: object) -> None:
    with pytest.raises(ValueError, match="expected hours or a duration"):
        duration(text)


def test_the_shipped_scenarios_load() -> None:
    assert {"town", "quiet"} <= set(shipped())
    summaries = {summary.name: summary for summary in simulators.scenarios()}
    assert summaries["quiet"].faults == 0
    assert summaries["town"].faults >= 6
    assert all(summary.title and summary.title_zh for summary in summaries.values())


def test_quiet_is_the_town_without_its_faults() -> None:
    town, quiet = simulators.load("town"), simulators.load("quiet")
    assert quiet.weather == town.weather
    assert quiet.substations == town.substations
    assert quiet.faults == ()


def test_a_path_can_be_loaded(tmp_path: Path, hamlet_text: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(hamlet_text, encoding="utf-8")
    assert simulators.load(file).name == "hamlet"


def test_an_unknown_scenario_names_those_there_are() -> None:
    with pytest.raises(ScenarioError, match="quiet, town"):
        simulators.load("twon")


def test_a_missing_file_says_so() -> None:
    with pytest.raises(ScenarioError, match="no such file or scenario"):
        simulators.load("/nowhere/mine.yaml")


BROKEN = """name: broken
title: Much is wrong
site: "has space"
source: {code: B, name: Plant, latitude: 95, longitude: 126.6}
substations:
  - {name: One, latitude: 45, longitude: 126, buildings: [2x6], pump: yes}
weather: {level: [[0h, -10]], cloud: 2, level: [[0h, -10]]}
history: three days
faults:
  - {cause: gremlins, place: B-S1, onset: 1h}
  - {cause: pump_trip, onset: 1h}
"""


def test_every_problem_of_a_file_is_listed_with_its_line() -> None:
    with pytest.raises(ScenarioError) as caught:
        parse(BROKEN, "broken")
    found = {(problem.line, problem.where) for problem in caught.value.problems}
    assert found == {
        (3, "site"),
        (4, "source.latitude"),
        (6, "substations[0].pump"),
        (7, "weather.cloud"),
        (7, "weather.level"),
        (8, "history"),
        (10, "faults[0].cause"),
        (11, "faults[1].place"),
    }
    text = str(caught.value)
    assert text.startswith("scenario broken has 8 problems:")
    assert "line 6: substations[0].pump: unknown key" in text


@pytest.mark.parametrize(
    ("text", "says"),
    [("a: [1, 2", "not YAML"), ("- 1\n- 2\n", "expected a mapping"), ("", "expected a mapping")],
)
def test_what_is_no_mapping_is_one_problem(text: str, says: str) -> None:
    with pytest.raises(ScenarioError, match=says):
        parse(text)
