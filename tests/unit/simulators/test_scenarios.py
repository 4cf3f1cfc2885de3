"""The scenarios that come with the package: every one can be read, laid out and drawn."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import pytest

from hearthline.domain.findings import Cause
from simulators.faults import REGISTRY, FaultBoard, draw, place_faults
from simulators.layout import lay_out
from simulators.scenario import BehaviourSpec, FaultSpec, FormatMix, MeterMix, Scenario
from simulators.scenario.checks import sound
from simulators.scenario.file import look_at, resize, shipped

WANTED = {
    "babel",
    "cold-snap",
    "imbalance",
    "metropolis",
    "mixed-faults",
    "neighbours-stopped",
    "quiet-winter",
    "sensors-lie",
    "source-shortage",
    "sparse",
    "start-up",
    "storm",
    "swapped-pipes",
    "town",
}
NAMES = shipped()


@cache
def load(name: str) -> Scenario:
    """A shipped scenario, the large ones made small."""
    scenario = sound(look_at(name))
    return resize(scenario, units=2500) if name == "metropolis" else scenario


@cache
def drawn(name: str) -> tuple[FaultSpec, ...]:
    scenario = load(name)
    return draw(scenario, lay_out(scenario, scenario.seed), scenario.seed)


def causes(name: str) -> set[Cause]:
    return {spec.cause for spec in (*load(name).faults, *drawn(name))}


def test_all_scenarios_are_there() -> None:
    assert set(NAMES) >= WANTED


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_names_itself_and_has_titles_in_two_languages(name: str) -> None:
    scenario = load(name)
    assert scenario.name == name
    assert scenario.title
    assert any("一" <= letter <= "鿿" for letter in scenario.title_zh)


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_can_be_laid_out_and_its_faults_placed_and_turned(name: str) -> None:
    scenario = load(name)
    layout = lay_out(scenario, scenario.seed)
    faults = place_faults(scenario, layout, (*scenario.faults, *drawn(name)))
    board = FaultBoard(layout, faults)
    half = scenario.history / 2.0
    for offset in (-half, timedelta(0), half, scenario.history):
        knobs = board.knobs(offset.total_seconds())
        assert len(knobs.unit_valve) == layout.units
        assert knobs.unit_valve.min() >= 0.0
    assert all(fault.struck.units.size for fault in faults)


@pytest.mark.parametrize("name", NAMES)
def test_listed_faults_strike_within_the_history(name: str) -> None:
    scenario = load(name)
    assert all(spec.onset < scenario.history for spec in scenario.faults)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"quiet-winter", "healthy"}))
def test_the_field_misbehaves_a_little_except_where_all_is_well(name: str) -> None:
    behaviour = load(name).behaviour
    assert 0.0 < behaviour.lost < 0.02
    assert behaviour.malformed_per_day > 0.0


def test_nothing_is_wrong_in_the_quiet_winter() -> None:
    quiet = load("quiet-winter")
    assert quiet.faults == ()
    assert drawn("quiet-winter") == ()
    assert quiet.behaviour == BehaviourSpec()
    assert quiet.history == timedelta(days=60)
    assert quiet.weather.preset == "harbin"
    assert lay_out(quiet, quiet.seed).units == pytest.approx(2000, rel=0.05)


def test_the_cold_snap_is_the_healthy_town_at_30_below() -> None:
    snap, town = load("cold-snap"), load("town")
    assert snap.faults == ()
    assert snap.substations == town.substations
    spec = snap.weather
    coldest = min(level for _, level in spec.level) - (spec.daily_swing_k or 0.0) / 2.0
    assert coldest == pytest.approx(-30.0, abs=1.0)


def test_mixed_faults_hold_every_kind() -> None:
    assert causes("mixed-faults") == set(REGISTRY)
    assert load("mixed-faults").history == timedelta(days=21)


def test_sparse_is_the_same_winter_with_fewer_eyes() -> None:
    sparse, mixed = load("sparse"), load("mixed-faults")
    assert sparse.instruments.coverage == 0.04
    assert sparse.drawn_faults == mixed.drawn_faults
    assert sparse.seed == mixed.seed


def test_sensors_lie_in_every_way_and_nothing_else_is_wrong() -> None:
    of_sensor = {cause for cause, kind in REGISTRY.items() if kind.of_sensor}
    assert causes("sensors-lie") == of_sensor
    variants = {spec.variant for spec in load("sensors-lie").faults}
    assert {"radiator", "sun", "balcony"} <= variants


def test_four_entrances_and_a_building_have_their_pipes_swapped() -> None:
    places = [spec.place for spec in load("swapped-pipes").faults]
    assert causes("swapped-pipes") == {Cause.PIPES_SWAPPED}
    assert sum("-E" in place for place in places) == 4
    assert len(places) == 5


def test_imbalance_is_hydraulic_and_vertical() -> None:
    assert causes("imbalance") == {Cause.HYDRAULIC_IMBALANCE, Cause.VERTICAL_IMBALANCE}


def test_heating_begins_during_the_start_up() -> None:
    scenario = load("start-up")
    assert scenario.source.starts is not None
    assert timedelta(0) < scenario.source.starts < scenario.history
    assert causes("start-up") == {Cause.AIR_LOCK, Cause.VALVE_CLOSED}
    vented = [spec for spec in scenario.faults if spec.end is not None]
    assert all(scenario.source.starts < spec.end < scenario.history for spec in vented if spec.end)


def test_the_storm_brings_many_faults_at_once() -> None:
    faults = [spec for spec in drawn("storm") if spec.onset > timedelta(0)]
    assert len(faults) >= 80
    onsets = [spec.onset for spec in faults]
    assert max(onsets) - min(onsets) <= timedelta(hours=30)


def test_neighbours_are_unheated_for_every_reason() -> None:
    assert causes("neighbours-stopped") == {Cause.NEIGHBOUR_UNHEATED}
    variants = {spec.variant or "stopped" for spec in drawn("neighbours-stopped")}
    assert variants == {"stopped", "restricted", "vacant"}


def test_babel_speaks_every_format() -> None:
    spec = load("babel").instruments
    assert all(getattr(spec.mix, name) > 0.0 for name in FormatMix.__struct_fields__)
    assert all(getattr(spec.meter_mix, name) > 0.0 for name in MeterMix.__struct_fields__)


def test_the_metropolis_has_a_hundred_thousand_dwellings_as_written() -> None:
    scenario = sound(look_at("metropolis"))
    assert scenario.grown is not None
    assert scenario.grown.dwellings == 100_000
    assert scenario.step == scenario.instruments.meter_every == timedelta(minutes=10)
    many = resize(scenario, units=1_000_000).grown
    assert many is not None
    assert many.dwellings == 1_000_000
