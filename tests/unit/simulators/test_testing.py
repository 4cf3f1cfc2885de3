"""Towns in tests: ten lines make one, break it, and ask what was true; and the pytest plugin."""

from __future__ import annotations

import doctest
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulators import ScenarioError, testing
from simulators.testing import ANCHOR, as_jsonl, digest, small_city, town_of

FIRST = "T-S1-B01-E1-0101"


def test_the_example_in_the_documentation_works() -> None:
    result = doctest.testmod(testing)
    assert (result.attempted, result.failed) == (6, 0)


def test_a_fault_makes_rooms_cold_after_its_onset() -> None:
    town = small_city(["1x4"]).with_fault("pump_trip", "T-S1", onset="12h")
    days = town.simulate(days=2)
    room = days.room(FIRST)
    assert room.at("11h") > 20 > room.at("47h")
    assert days.made_cold() == set(town.dwellings)
    assert days.twin(FIRST).lowest_c > 20
    assert room.hours_below(20.0) > 0
    assert days.below(20.0) == days.made_cold()


def test_a_town_never_changes() -> None:
    town = small_city(["1x4"])
    other = town.with_fault("window_open", FIRST).with_coverage(0.5).with_seed(4)
    assert not town.scenario.faults
    assert (len(other.scenario.faults), other.scenario.seed) == (1, 4)
    assert len(other.ledger.devices) < len(town.ledger.devices)


def test_hours_can_be_asked_for_by_text_number_and_instant() -> None:
    room = small_city(["1x4"]).simulate(hours=6).room(FIRST)
    assert room.at("2h") == room.at(2) == room.at(timedelta(hours=2)) == room.hourly_c[2]
    assert room.at(ANCHOR + timedelta(hours=2, minutes=59)) == room.hourly_c[2]
    assert room.at("6h") == room.hourly_c[-1]
    assert room.between("2h", "4h").hourly_c == room.hourly_c[2:4]
    assert room.between("2h", "4h").at(ANCHOR + timedelta(hours=3)) == room.hourly_c[3]
    assert room.lowest_c <= room.mean_c <= room.highest_c


def test_an_instant_beyond_the_run_is_an_error_that_says_so() -> None:
    room = small_city(["1x4"]).simulate(hours=6).room(FIRST)
    with pytest.raises(IndexError, match="holds 6 h from the anchor; simulate longer"):
        room.at("7h")


def test_weather_instruments_people_and_behaviour_can_be_changed() -> None:
    town = (
        small_city(["1x4"])
        .with_weather(outdoor_c=[("0h", -5), ("2d", -20)], wind_ms=6)
        .with_instruments(room_every="1h")
        .with_people(airing=0.0)
        .with_dwellings(room_c=21.0)
        .with_behaviour(lost=1.0)
    )
    assert town.scenario.weather.level[1] == (timedelta(days=2), -20.0)
    assert town.scenario.instruments.room_every == timedelta(hours=1)
    rooms = [m for m in town.messages(hours=3) if m.topic.endswith("/room")]
    assert not rooms


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda town: town.with_fault("pump_tripp", "T-S1"), "did you mean 'pump_trip'"),
        (lambda town: town.with_fault("pump_trip"), r"where\? e\.g\. with_fault\('pump_trip'"),
        (lambda town: town.with_fault("pump_trip", "T-S9").city, "T-S9"),
        (lambda town: town.with_behaviour(losst=1.0), "did you mean 'lost'"),
        (lambda town: town.with_coverage(2.0), r"<= 1\.0.*coverage"),
    ],
)
def test_mistakes_are_answered_with_a_remedy(wrong: object, says: str) -> None:
    with pytest.raises(ScenarioError, match=says):
        wrong(small_city(["1x4"]))  # type: ignore[operator]


def test_an_unknown_dwelling_names_the_nearest() -> None:
    with pytest.raises(KeyError, match=f"did you mean .*{FIRST}"):
        small_city(["1x4"]).simulate(hours=1).room("T-S1-B1-E1-0101")


def test_messages_in_memory_and_as_json_lines_are_the_same(tmp_path: Path) -> None:
    town = small_city(["1x4"])
    messages = town.messages(hours=2)
    assert town.jsonl(tmp_path / "run.jsonl", hours=2) == len(messages)
    text = (tmp_path / "run.jsonl").read_text(encoding="utf-8")
    assert text == as_jsonl(messages)
    assert json.loads(text.splitlines()[0])["topic"] == messages[0].topic


def test_a_digest_tells_two_runs_apart_and_knows_the_same_again() -> None:
    town = small_city(["1x4"])
    same, again = digest(town.messages(hours=1)), digest(town.messages(hours=1))
    assert same == again
    assert same != digest(town.with_seed(2).messages(hours=1))
    assert same != digest(town.messages(hours=1)[::-1])


def test_the_history_may_begin_at_any_instant_that_has_a_time_zone() -> None:
    town = small_city(["1x4"]).starting(datetime(2027, 2, 1, tzinfo=UTC))
    assert town.messages(hours=1)[0].due >= datetime(2027, 2, 1, tzinfo=UTC).timestamp()
    with pytest.raises(ValueError, match="tzinfo=UTC"):
        town.starting(datetime(2027, 2, 1))  # noqa: DTZ001 - that is the point


def test_a_town_can_be_taken_from_a_scenario() -> None:
    assert town_of("town").scenario.name == "town"
    with pytest.raises(ScenarioError, match="there is no such file or scenario"):
        town_of("atlantis")


PLUGIN_TEST = """
def test_towns(heating_city, heating_seed):
    town = heating_city(["1x4"], outdoor_c=-5)
    assert town.scenario.seed == heating_seed
    assert len(town.dwellings) == 8
    assert heating_seed == 1, "drawn anew"

def test_scenario(heating_scenario, pytestconfig):
    asked = pytestconfig.getoption("--heating-seed")
    seed = heating_scenario("town").scenario.seed
    assert seed == (7 if asked is None else asked)
"""


def plugged(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with only our plugin, on a test file of somebody else's."""
    (folder / "test_theirs.py").write_text(PLUGIN_TEST, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "simulators.pytest_plugin", *options]
    root = str(Path(__file__).resolve().parents[3])
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": root}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_plugin_gives_other_projects_towns(tmp_path: Path) -> None:
    done = plugged(tmp_path)
    assert "2 passed" in done.stdout
    assert "heating seed" not in done.stdout


def test_a_failure_says_how_to_have_the_same_town_again(tmp_path: Path) -> None:
    done = plugged(tmp_path, "--heating-seed", "42")
    assert "heating seed: 42" in done.stdout
    assert "1 failed, 1 passed" in done.stdout
    assert "the same town again with --heating-seed 42" in done.stdout


def test_the_plugin_imports_nothing_heavy() -> None:
    code = (
        "import sys, simulators.pytest_plugin\n"
        "print([name for name in ('numpy', 'numba', 'msgspec') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
