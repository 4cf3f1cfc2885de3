"""``hearthline score`` as somebody runs it: a small winter, kept, and analysed again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from analytics.scoring.winter import load
from hearthline.errors import Invalid

SCENARIO = """\
name: tiny
title: A few houses with a pump that trips and a sensor that sticks
title_zh: 数栋楼，循环泵停运，一个测点卡死
site: ty
seed: 4
history: 3d
timezone: Asia/Shanghai
threshold_c: 20
source: {code: TY, name: Plant, latitude: 45.75, longitude: 126.6}
substations:
  - {name: One, latitude: 45.75, longitude: 126.6, buildings: [2x4, 1x3]}
  - {name: Two, latitude: 45.76, longitude: 126.6, buildings: [2x4]}
weather: {level: [[0h, -14]], daily_swing_k: 4, wind_ms: 3, day_of_year: 12}
step: 20m
instruments: {room_every: 20m, meter_every: 20m, weather_every: 20m, gateway_every: 20m}
faults:
  - {cause: pump_trip, place: TY-S1, onset: 24h, end: 44h}
  - {cause: sensor_stuck, place: TY-S2-B01-E1-0201, onset: 6h, severity: 17.0}
"""
KEYS = {
    "incident": {
        "precision",
        "recall",
        "per_fault",
        "false_per_1000_unit_days",
        "place_exact",
        "place_within_one",
        "cause_top1",
        "cause_top2",
        "delay_h_median",
        "early_share",
    },
    "unit_day": {"precision", "recall"},
    "sensor": {"precision", "recall"},
}


def hearthline(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hearthline", "score", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def scored(*words: str) -> dict[str, Any]:
    done = hearthline(*words, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_small_winter_is_scored_kept_and_scored_again(tmp_path: Path) -> None:
    """The pump is found before anybody is cold, the sensor too; the alarm rings in every home."""
    scenario, kept = tmp_path / "tiny.yaml", tmp_path / "tiny.npz"
    scenario.write_text(SCENARIO, encoding="utf-8")
    report = scored(str(scenario), "--keep", str(kept))
    assert (report["scenario"], report["seed"], report["coverage"]) == ("tiny", 4, 1.0)
    assert (report["units"], report["unit_days"], report["faults"]) == (38, 114, 1)
    for side in ("ours", "baseline"):
        assert all(keys <= report[side][part].keys() for part, keys in KEYS.items())
    ours, theirs = report["ours"], report["baseline"]
    assert (ours["incident"]["recall"], ours["incident"]["precision"]) == (1.0, 1.0)
    assert (ours["incident"]["per_fault"], ours["incident"]["place_exact"]) == (1.0, 1.0)
    assert ours["incident"]["early_share"] == 1.0
    assert ours["sensor"] == ours["sensor"] | {"precision": 1.0, "recall": 1.0}
    assert theirs["tickets_per_fault"] > 10
    assert theirs["unit_day"]["precision"] < ours["unit_day"]["precision"] == 1.0
    assert report["confusion"]["pump_trip"] == {"pump_trip": 1}

    again = scored("--from", str(kept), "--incidents")
    listed, faults = again.pop("incidents"), again.pop("fault_list")
    report.pop("analysed_s")
    again.pop("analysed_s")
    assert again == report
    (pump,) = (one for one in listed if one["verdict"] == "right")
    assert (pump["causes"][0], pump["true_cause"], pump["near"]) == ("pump_trip",) * 2 + ("exact",)
    (tripped,) = (one for one in faults if not one["of_sensor"])
    assert (tripped["number"], tripped["found"]) == (pump["fault"], True)
    assert len([one for one in listed if one["verdict"] == "sensor"]) == 1


def test_the_table_for_people_says_the_same(tmp_path: Path) -> None:
    """Ours beside the baseline, and on demand every incident."""
    scenario = tmp_path / "tiny.yaml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    done = hearthline(str(scenario), "--days", "2", "--coverage", "0.5", "--incidents")
    assert done.returncode == 0, done.stderr
    assert "50% of 38 dwellings sensed, 76 unit-days" in done.stdout
    assert "false per 1000 unit days" in done.stdout
    assert "pump_trip" in done.stdout
    assert "found" in done.stdout


def test_what_is_no_winter_is_refused_with_a_remedy(tmp_path: Path) -> None:
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"PK no")
    with pytest.raises(Invalid, match="cannot be read as a kept winter"):
        load(broken)
    done = hearthline()
    assert done.returncode == 2
    assert "Name a scenario" in done.stderr
