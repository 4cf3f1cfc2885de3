"""Reading scenarios: every problem at once, each with its line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from simulators.scenario import ScenarioError, duration
from simulators.scenario.file import SHIPPED, locate, look_over, parse, read, resize, shipped

SMALL = """name: small
title: Small
site: sm
source: {code: S, name: Plant, latitude: 45, longitude: 126}
substations: [{name: One, latitude: 45, longitude: 126, buildings: [2x6]}]
weather: {level: [[0h, -10]]}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        parse(text, "small")
    return [str(problem) for problem in caught.value.problems]


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


def test_a_path_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(SMALL, encoding="utf-8")
    assert read(file)[0].name == "small"


def test_a_shipped_name_comes_before_a_file_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "town").write_text("name: not this one", encoding="utf-8")
    assert locate("town") == SHIPPED / "town.yaml"


def test_an_unknown_scenario_names_the_nearest_and_all_there_are() -> None:
    with pytest.raises(ScenarioError, match=r"did you mean 'town'\?.*babel, cold-snap") as caught:
        read("twon")
    assert all(name in str(caught.value) for name in shipped())


def test_a_missing_file_says_so() -> None:
    with pytest.raises(ScenarioError, match="no such file or scenario"):
        read("/nowhere/mine.yaml")


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
    ("more", "says"),
    [
        ("wether: {}", "line 7: wether: unknown key (did you mean 'weather'?)"),
        ("seed: many", "line 7: seed: Expected `int`, got `str` ('many')"),
        ("instruments: {coverage: 20}", "must be at most 1, got 20 (for 20 % write 0.2)"),
        ("instruments: {coverage: 20%}", "for 20 % write 0.2"),
        ("instruments: {coverage: -0.1}", "instruments.coverage: must be at least 0, got -0.1"),
        ("instruments: {coverage: .nan}", "must be a finite number, got nan"),
        ("dwellings: {party_wm2k: 0}", "dwellings.party_wm2k: must be above 0, got 0"),
        ("dwellings: {leakiness: .inf}", "must be a finite number, got inf"),
        ("history: 99999999999d", "history: '99999999999d' is too long a time"),
        ("history: [1]", "expected hours or a duration like"),
        ("dwellings: {area_m2: [1, 2, 3]}", "expected 2 items, got 3"),
        ("behaviour: 7", "line 7: behaviour: expected a mapping, got 7"),
        ("people: [vacant]", "people: expected a mapping, got ['vacant']"),
        ("title: Again", "line 7: title: is written twice"),
        (
            "faults: [{cause: pump_tripped, place: S-S1, onset: 0h}]",
            "there is no 'pump_tripped' (did you mean 'pump_trip'?); known: source_shortage",
        ),
        (
            "faults: [{cause: pump_trip, place: S-S1, onset: 0h, ramp: soon}]",
            "faults[0].ramp: expected hours or a duration",
        ),
        ("faults: [{cause: pump_trip, place: 7, onset: 0h}]", "faults[0].place: Expected `str`"),
    ],
)
def test_a_wrong_value_is_named_with_its_line_and_a_remedy(more: str, says: str) -> None:
    (found,) = problems(SMALL + more)
    assert says in found
    assert found.startswith("line 7: ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [1, 2", "not YAML"),
        ("- 1\n- 2\n", "expected a mapping"),
        ("", "expected a mapping"),
        ("# nothing but a comment\n", "expected a mapping"),
        ("a: &a [*a]", "not YAML"),
        ("a: !!python/object:os.system {}", "not YAML"),
        ("a: 2026-99-99", "not YAML"),
        ("? [1, 2]\n: 3", "not YAML"),
    ],
)
def test_what_is_no_mapping_is_one_problem(text: str, says: str) -> None:
    (found,) = problems(text)
    assert says in found


def test_a_file_that_is_no_text_is_one_problem(tmp_path: Path) -> None:
    file = tmp_path / "photo.yaml"
    file.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ScenarioError, match="cannot be read as UTF-8"):
        read(file)


def test_what_is_missing_altogether_is_listed() -> None:
    found = "\n".join(problems("title: Nothing else"))
    assert all(f"{key}: is missing" in found for key in ("name", "site", "source", "weather"))


def test_a_file_may_extend_another_and_replace_its_sections(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(
        "extends: base.yaml\nname: mine\nhistory: 9d\n", encoding="utf-8"
    )
    scenario, _ = read(tmp_path / "mine.yaml")
    assert (scenario.name, scenario.title, scenario.history) == ("mine", "Small", timedelta(days=9))


def test_a_line_belongs_to_the_file_in_which_its_key_stands(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(SMALL + "history: soon\nseed: x\n", encoding="utf-8")
    (tmp_path / "mine.yaml").write_text("extends: base.yaml\n\nseed: y\n", encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        read(tmp_path / "mine.yaml")
    found = {(problem.line, problem.where) for problem in caught.value.problems}
    assert found == {(3, "seed"), (7, "history (in base.yaml)")}


def test_chains_of_files_work_up_to_a_depth(tmp_path: Path) -> None:
    (tmp_path / "0.yaml").write_text(SMALL, encoding="utf-8")
    for number in range(1, 8):
        text = f"extends: {number - 1}.yaml\nseed: {number}\n"
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
    assert read(tmp_path / "5.yaml")[0].seed == 5
    with pytest.raises(ScenarioError, match=r"in a circle or too deeply: .*→ 2\.yaml → 1\.yaml"):
        read(tmp_path / "7.yaml")


def test_files_that_extend_each_other_are_reported(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("extends: two.yaml\n", encoding="utf-8")
    (tmp_path / "two.yaml").write_text("extends: one.yaml\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match="in a circle"):
        read(tmp_path / "one.yaml")


def test_extending_what_is_not_there_points_to_the_line() -> None:
    (found,) = problems("name: small\nextends: twon\n")
    assert found.startswith("line 2: extends: there is no such file or scenario (did you mean")


def test_a_weather_file_is_looked_for_beside_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    text = SMALL.replace("{level: [[0h, -10]]}", "{file: harbin.epw}")
    (tmp_path / "inner" / "base.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "mine.yaml").write_text("extends: inner/base.yaml\n", encoding="utf-8")
    scenario, _ = read(tmp_path / "mine.yaml")
    assert scenario.weather.file == str(tmp_path / "inner" / "harbin.epw")


def test_reading_goes_on_behind_a_problem() -> None:
    reading = look_over(SMALL + "seed: x\nhistory: 5d\n", "small")
    assert reading.scenario.history == timedelta(days=5)
    assert reading.is_wrong(("seed",))
    assert not reading.is_wrong(("history",))
    with pytest.raises(ScenarioError):
        reading.usable()


GROWN = SMALL.replace(
    "substations: [{name: One, latitude: 45, longitude: 126, buildings: [2x6]}]",
    "grown: {dwellings: 500}",
)


def test_a_grown_town_takes_any_size_and_any_length() -> None:
    scenario, _ = parse(GROWN, "grown")
    other = resize(scenario, units=800, days=2.5)
    assert other.grown is not None
    assert other.grown.dwellings == 800
    assert other.history == timedelta(hours=60)
    assert resize(scenario) == scenario


def test_a_length_is_rounded_to_whole_steps() -> None:
    scenario, _ = parse(GROWN, "grown")
    assert resize(scenario, days=0.1).history % scenario.step == timedelta(0)
    assert resize(scenario, days=1e-6).history == scenario.step


def test_a_listed_town_keeps_its_size_and_says_what_to_do() -> None:
    scenario, _ = parse(SMALL, "small")
    with pytest.raises(ScenarioError, match="such as metropolis"):
        resize(scenario, units=800)
    assert resize(scenario, days=1).history == timedelta(days=1)


@pytest.mark.parametrize(
    ("units", "days"), [(0, None), (3_000_000, None), (None, 0.0), (None, -2.0), (None, 4000.0)]
)
def test_impossible_sizes_are_refused(units: int | None, days: float | None) -> None:
    scenario, _ = parse(GROWN, "grown")
    with pytest.raises(ScenarioError, match="must lie"):
        resize(scenario, units=units, days=days)
