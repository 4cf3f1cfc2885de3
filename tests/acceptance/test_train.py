"""``hearthline train`` as somebody runs it: a tiny recipe, end to end, twice the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCENARIO = """\
name: classroom
title: A few houses in which valves are closed and tenants turn down
title_zh: 数栋楼，阀门关闭与夜间调低
site: cr
seed: 10001
history: 3d
timezone: Asia/Shanghai
threshold_c: 20
source: {code: CR, name: Plant, latitude: 45.75, longitude: 126.6}
grown: {dwellings: 120, per_substation: 60}
dwellings: {room_c: 20.7}
weather: {preset: harbin, day_of_year: 12}
step: 20m
instruments: {room_every: 20m, meter_every: 20m, weather_every: 20m, gateway_every: 20m}
people: {turned_down: 0.12}
drawn_faults: {count: 16, causes: [valve_closed, envelope], onset: [20h, 44h]}
"""
RECIPE = """\
seasons:
  - scenario: {scenario}
    days: 3
    teaching: [10001, 10002]
    calibrating: [10003]
    held_out: [10004]
coverages: [1.0]
regularisation: 0.1
"""


def hearthline(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hearthline", "train", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )


pytestmark = pytest.mark.timeout(900)  # twelve days of a hamlet, twice; seconds where it is quiet


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A model made by a tiny recipe, and what was printed of it."""
    folder = tmp_path_factory.mktemp("train")
    (folder / "classroom.yaml").write_text(SCENARIO)
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE.format(scenario=folder / "classroom.yaml"))
    made = hearthline("--recipe", str(recipe), "--out", str(folder / "model.json"), "--json")
    assert made.returncode == 0, made.stderr
    return folder / "model.json", json.loads(made.stdout)


def test_the_model_beats_chance_on_a_season_held_out(
    trained: tuple[Path, dict[str, Any]],
) -> None:
    """Of causes met alike often, more than one in two is told at once."""
    _, said = trained
    gain = said["gain"]["dwelling"]
    chance = 1.0 / len(said["causes"]["dwelling"])
    assert gain["model"]["top1"] > max(chance, gain["rules"]["top1"] - 0.1)
    assert gain["model"]["log_loss"] < gain["rules"]["log_loss"]
    assert set(gain["model"]) >= {"top2", "brier", "calibration_error", "reliability"}


def test_training_again_gives_the_same_model(trained: tuple[Path, dict[str, Any]]) -> None:
    """From the recipe that the model holds, without being told it."""
    model, said = trained
    again = hearthline("--check", "--out", str(model), "--json")
    assert again.returncode == 0, again.stderr
    found = json.loads(again.stdout)
    assert found["differences"] == []
    assert found["examples_sha256"] == said["examples_sha256"]


def test_a_model_that_was_meddled_with_is_found_out(
    trained: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """A coefficient changed by hand: the check refuses it before or after training."""
    whole = json.loads(trained[0].read_text())
    whole["tables"]["dwelling"]["features"][0] = "mood"
    other = tmp_path / "model.json"
    other.write_text(json.dumps(whole))
    refused = hearthline("--check", "--out", str(other))
    assert refused.returncode == 2
    assert "other features" in refused.stderr
