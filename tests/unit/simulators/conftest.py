"""A hamlet: two substations and three small houses, quick enough to build in every test."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulators import City, build
from simulators.scenario import Scenario
from simulators.scenario.checks import sound
from simulators.scenario.file import look_over

HAMLET = """
name: hamlet
title: Two substations, three houses
site: hm
seed: 3
history: 12h
source: {code: H, name: Plant, name_zh: 热源厂, latitude: 45.7, longitude: 126.6}
substations:
  - {name: East, name_zh: 东, latitude: 45.7, longitude: 126.6, buildings: [2x6, 1x4]}
  - {name: West, name_zh: 西, latitude: 45.71, longitude: 126.62, buildings: [2x5]}
weather: {level: [[0h, -10], [12h, -16]]}
step: 20min
instruments:
  {entrance_meters: [H-S1-B01], meter_every: 20min, weather_every: 20min, gateway_every: 20min}
"""

ROUGH = """
behaviour:
  lost: 0.01
  duplicated: 0.02
  outages_per_gateway_day: 1.0
  malformed_per_day: 60
  clock_1970_per_day: 60
  clock_ahead_per_day: 60
  nan_per_day: 60
  unknown_per_day: 60
"""

ANCHOR = datetime(2026, 1, 12, 2, 30, tzinfo=UTC)


def scenario_of(text: str = "", base: str = HAMLET) -> Scenario:
    """The hamlet with more YAML appended."""
    return sound(look_over(base + text, "hamlet"))


@pytest.fixture
def anchor() -> datetime:
    """When the hamlet's history begins."""
    return ANCHOR


@pytest.fixture
def hamlet() -> Callable[..., City]:
    """Build the hamlet; ``text`` is more YAML."""

    def make(text: str = "", *, seed: int | None = None, coverage: float | None = None) -> City:
        return build(scenario_of(text), seed=seed, coverage=coverage)

    return make


@pytest.fixture
def rough() -> str:
    """YAML of a field that behaves badly."""
    return ROUGH


@pytest.fixture
def hamlet_text() -> str:
    """The hamlet's YAML."""
    return HAMLET


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """The folder of real measurements, or a small one of the same shape where it is absent."""
    named = os.environ.get("HEARTHLINE_SHARED_DATA")
    beside = Path(__file__).resolve().parents[4] / "shared" / "data"
    for folder in (Path(named) if named else beside, beside):
        if (folder / "dwellings").is_dir() and (folder / "flat").is_dir():
            return folder
    return _imitation(tmp_path / "data")


def _imitation(folder: Path) -> Path:
    """Files of the shape of the real ones: four dwellings, their weather, a flat."""
    dwellings, flat = folder / "dwellings", folder / "flat"
    dwellings.mkdir(parents=True)
    flat.mkdir()
    local = datetime(2010, 11, 23)  # noqa: DTZ001 - local text as in the files
    hours = [f"{local + timedelta(hours=hour)}" for hour in range(300)]
    for dwelling in ("R2", "R3", "R4", "R5"):
        for sensor in ("indoor1", "indoor2"):
            rows = [f"{at},{21 + hour % 24 / 20:.2f},38.10" for hour, at in enumerate(hours)]
            text = "\n".join(["t_UTC+2,T,RH", *rows])
            (dwellings / f"{dwelling}_{sensor}.csv").write_text(text + "\n")
    header = "t_UTC+2,Te,RHe,Rdif,Rglob,ws,wd,precip"
    rows = [f"{at},{-hour % 17},90.00,0.00,12.00,2.60,170.00,0.60" for hour, at in enumerate(hours)]
    (dwellings / "R4_fmi.csv").write_text("\n".join([header, *rows]) + "\n")
    names = ("Kitchen_Temperature", "Room1_Temperature", "Room1_ThermostatTemperature")
    for name in (*names, "Room2_OutdoorTemperature"):
        rows = [f"{1489021955 + 603 * at}\t{17 + at % 9 / 3:.2f}" for at in range(400)]
        (flat / f"{name}.csv").write_text("\n".join(rows) + "\n")
    return folder
