"""The command ``simulate``: what it publishes, keeps, says, and refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hearthline.cli import app
from hearthline.cli.city import not_installed
from hearthline.cli.towns import OutsideMeasured
from hearthline.errors import Invalid

HAMLET = """
name: hamlet
title: Two substations, three houses
site: hm
seed: 3
history: 3h
source: {code: H, name: Plant, latitude: 45.7, longitude: 126.6}
substations:
  - {name: East, latitude: 45.7, longitude: 126.6, buildings: [2x6, 1x4]}
  - {name: West, latitude: 45.71, longitude: 126.62, buildings: [2x5]}
weather: {level: [[0h, -10], [12h, -16]]}
step: 20min
instruments: {meter_every: 20min, weather_every: 20min, gateway_every: 20min}
faults:
  - {cause: pump_trip, place: H-S2, onset: 1h}
"""
START = ("--start", "2026-01-12T00:00:00+00:00")


@pytest.fixture
def hamlet(tmp_path: Path) -> str:
    path = tmp_path / "hamlet.yaml"
    path.write_text(HAMLET, encoding="utf-8")
    return str(path)


def simulate(*arguments: str) -> None:
    app(
        ["simulate", *arguments],
        exit_on_error=False,
        print_error=False,
        result_action="return_none",
    )


def published(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_without_a_length_it_publishes_the_scenarios_history(
    hamlet: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    simulate(hamlet, "--to", f"jsonl:{tmp_path / 'run.jsonl'}", *START)
    lines = published(tmp_path / "run.jsonl")
    dues = [line["due"] for line in lines]
    assert dues == sorted(dues)
    assert dues[0] >= 1768176000
    assert 1768176000 + 3 * 3600 - 1200 <= dues[-1] <= 1768176000 + 3 * 3600
    said = capsys.readouterr().out
    assert f"in {len(lines):,} messages: 3 h from 2026-01-12 00:00" in said
    assert "duplicates" in said


def test_length_seed_and_coverage_can_be_changed(
    hamlet: str, capsys: pytest.CaptureFixture[str]
) -> None:
    simulate(hamlet, "--to", "none", "--json", *START)
    usual = json.loads(capsys.readouterr().out)
    simulate(
        hamlet, "--to", "none", "--json", "--hours", "1", "--seed", "9", "--coverage", "0.5", *START
    )
    other = json.loads(capsys.readouterr().out)
    assert (usual["hours"], other["hours"]) == (3.0, 1.0)
    assert (usual["seed"], other["seed"]) == (3, 9)
    assert other["readings"] < usual["readings"] / 2
    assert usual["messages_per_s"] > 0
    assert usual["dwellings"] == 52


def test_standard_output_can_be_the_lines(hamlet: str, capsys: pytest.CaptureFixture[str]) -> None:
    simulate(hamlet, "--to", "jsonl:-", "--hours", "1", *START)
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.out.splitlines()]
    assert {"due", "topic", "payload"} <= lines[0].keys()
    assert "Published" in captured.err


def test_truth_and_picture_are_kept(
    hamlet: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, plot = tmp_path / "truth.npz", tmp_path / "plot.png"
    simulate(hamlet, "--to", "none", "--truth", str(truth), "--plot", str(plot), *START)
    with np.load(truth, allow_pickle=False) as file:
        assert file["room_c"].shape == (3, 52)
        assert file["fault_cause"].tolist() == ["pump_trip"]
    assert plot.read_bytes().startswith(b"\x89PNG")
    said = capsys.readouterr().out
    assert f"Truth: {truth} (3 hours, 1 days, 52 dwellings, 1 faults" in said
    assert f"Picture: {plot}." in said


def test_a_live_run_is_paced(hamlet: str, capsys: pytest.CaptureFixture[str]) -> None:
    simulate(hamlet, "--to", "none", "--hours", "1", "--speed", "100000", "--json", *START)
    assert json.loads(capsys.readouterr().out)["messages"] > 0


def test_a_right_scenario_is_described(hamlet: str, capsys: pytest.CaptureFixture[str]) -> None:
    simulate("--check", hamlet)
    said = capsys.readouterr().out
    assert "is right: Two substations, three houses." in said
    assert "2 substations, 3 buildings, 52 dwellings" in said
    assert "3 h of history; 1 faults" in said
    assert "pump_trip" in said
    simulate("--check", hamlet, "--json")
    plain = json.loads(capsys.readouterr().out)
    assert plain["faults"][0]["places"] == ["H-S2"]


def test_a_wrong_scenario_is_told_every_problem(hamlet: str) -> None:
    text = HAMLET.replace("H-S2", "H-S9").replace("onset: 1h", "onset: 1h, severity: 400")
    Path(hamlet).write_text(text, encoding="utf-8")
    with pytest.raises(Invalid) as told:
        simulate("--check", hamlet)
    assert "H-S9" in str(told.value)
    assert "line 15" in str(told.value)
    assert told.value.exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--to", "ftp://there"), "mqtt://…, mqtts://…, jsonl:FILE, jsonl:- or none"),
        (("--to", "jsonl:/nowhere/at/all"), "Cannot write /nowhere/at/all"),
        (("--to", "none", "--hours", "1", "--days", "1"), "Give one of them"),
        (("--to", "none", "--hours", "-1"), "must be positive"),
        (("--to", "none", "--speed", "0", "--hours", "1"), "Take 1 for real time"),
        (("--to", "none", "--coverage", "3"), "between 0 and 1"),
        (("--to", "none", "--truth", "truth.csv"), r".npz or .parquet"),
        (("--to", "none", "--plot", "plot.gif"), ".png, .svg, .pdf"),
        (("--to", "jsonl:-", "--json"), "both need standard output"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_remedy(
    hamlet: str, arguments: tuple[str, ...], says: str
) -> None:
    with pytest.raises(Invalid) as told:
        simulate(hamlet, *arguments)
    assert says in str(told.value)


def test_an_unknown_scenario_names_those_that_come_with_it() -> None:
    with pytest.raises(Invalid, match="town"):
        simulate("atlantis", "--to", "none")


def test_the_list_is_quick_and_bilingual(capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    simulate("--list")
    assert time.monotonic() - began < 5.0
    lines = capsys.readouterr().out.splitlines()
    town = next(line for line in lines if line.startswith("town"))
    assert "978 dwellings" in town
    assert "小镇" in town
    simulate("--list", "--json")
    listed = json.loads(capsys.readouterr().out)["scenarios"]
    assert len(listed) == len(lines)
    assert {"name", "title", "title_zh", "units", "faults", "history"} <= listed[0].keys()


def test_calibration_says_what_lies_outside(
    hamlet: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hamlet in a steady frost cannot move as much as dwellings did in two winters."""
    text = HAMLET.partition("faults:")[0].replace("step: 20min", "step: 10min")
    Path(hamlet).write_text(text, encoding="utf-8")
    with pytest.raises(OutsideMeasured, match=r"Outside the measured range: .*room sd") as told:
        simulate(hamlet, "--calibrate", "--days", "7", "--json")
    assert told.value.exit_code == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["ok"]
    assert found["quantities"][0]["quantity"] == "room mean"


def test_a_missing_package_is_named_with_the_remedy() -> None:
    said = not_installed("The simulator", ModuleNotFoundError("gone", name="numba.core"))
    assert isinstance(said, Invalid)
    assert str(said) == (
        "The simulator needs numba, which is not installed. "
        "Run `pip install 'hearthline[simulator]'`."
    )
    ours = ModuleNotFoundError("gone", name="simulators.city")
    assert not_installed("The simulator", ours) is ours


def test_ctrl_c_ends_a_wait_for_a_broker_that_is_away(hamlet: str) -> None:
    command = [sys.executable, "-m", "hearthline", "simulate", hamlet]
    command += ["--to", "mqtt://127.0.0.1:9", "--hours", "1"]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[3],
        env={**os.environ, "TERM": "dumb"},
    )
    assert process.stderr is not None
    said = ""
    while "Waiting for the broker" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "No broker answered at mqtt://127.0.0.1:9." in said + rest
    assert "Traceback" not in said + rest
