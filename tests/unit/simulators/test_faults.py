"""Every fault turns its own knobs at its own places, and nothing else anywhere."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import combinations

import numpy as np
import pytest

from hearthline.domain.findings import CAUSES, Cause, TicketKind
from hearthline.domain.places import PlaceKind
from simulators.faults import REGISTRY, FaultBoard, FaultKind, Knobs, place_faults
from simulators.layout import Layout, lay_out
from simulators.scenario import Scenario
from simulators.scenario.file import parse

VILLAGE = """
name: village
title: Three substations, one with two circuits
site: vl
seed: 3
source: {code: V, name: Plant, latitude: 45.7, longitude: 126.6, capacity: 1.25}
substations:
  - {name: East, latitude: 45.7, longitude: 126.6, buildings: [2x6, 1x4]}
  - name: West
    latitude: 45.71
    longitude: 126.62
    circuits: [{name: Old, buildings: [2x5, 1x3]}, {name: New, heating: floor, buildings: [1x5x3]}]
weather: {level: [[0h, -10]]}
"""


@dataclass(frozen=True)
class Village:
    """A small town with faults, and its knobs at any hour."""

    scenario: Scenario
    layout: Layout
    board: FaultBoard

    def at(self, hour: float) -> Knobs:
        return self.board.knobs(hour * 3600.0)

    def touched(self, hour: float = 1.0) -> dict[str, set[str]]:
        """Codes of the places at which each knob is not what it is in a healthy town."""
        healthy, knobs = Knobs.neutral(self.layout), self.at(hour)
        found = {}
        for field in fields(Knobs):
            before, now = getattr(healthy, field.name), getattr(knobs, field.name)
            if isinstance(now, float):
                places = {"V"} if now != before else set()
            else:
                same = (now == before) | (np.isnan(now) & np.isnan(before))
                places = {self._code(field.name, at) for at in np.flatnonzero(~same)}
            if places:
                found[field.name] = places
        return found

    def _code(self, knob: str, at: int) -> str:
        circuits = {"curve", "pump", "circuit", "exchanger", "leak", "balance"}
        levels = dict.fromkeys(circuits, PlaceKind.CIRCUIT) | {
            "building": PlaceKind.BUILDING,
            "gateway": PlaceKind.BUILDING,
            "entrance": PlaceKind.ENTRANCE,
        }
        return self.layout.codes[levels.get(knob.partition("_")[0], PlaceKind.UNIT)][at]

    def value(self, knob: str, code: str, hour: float = 1.0) -> float:
        return float(getattr(self.at(hour), knob)[self.layout.lookup[code][1]])


def village(*faults: str) -> Village:
    text = VILLAGE + "faults:\n" + "".join(f"  - {{{fault}}}\n" for fault in faults)
    scenario, _ = parse(text if faults else VILLAGE, "village")
    layout = lay_out(scenario, scenario.seed)
    return Village(scenario, layout, FaultBoard(layout, place_faults(scenario, layout)))


Expected = dict[str, set[str]]


def unit(knob: str) -> Expected:
    return {knob: {"V-S1-B01-E1-0301"}}


def doors(entrance: str, floors: int) -> set[str]:
    return {f"{entrance}-0{floor}0{door}" for floor in range(1, floors + 1) for door in (1, 2)}


CASES: list[tuple[str, Expected]] = [
    ("cause: source_shortage, place: V", {"source_capacity": {"V"}}),
    ("cause: control_curve, place: V-S1", {"curve_offset_k": {"V-S1-C1"}}),
    ("cause: control_curve, place: V-S2-C2", {"curve_offset_k": {"V-S2-C2"}}),
    ("cause: pump_trip, place: V-S2", {"pump_speed": {"V-S2-C1", "V-S2-C2"}}),
    ("cause: pump_trip, place: V-S2-C1", {"pump_speed": {"V-S2-C1"}}),
    ("cause: exchanger_fouled, place: V-S1", {"exchanger_fouling_k": {"V-S1-C1"}}),
    ("cause: strainer_clogged, place: V-S1", {"circuit_resistance": {"V-S1-C1"}}),
    ("cause: strainer_clogged, place: V-S2-B02", {"building_resistance": {"V-S2-B02"}}),
    (
        "cause: strainer_clogged, place: V-S1-B01-E2",
        {"entrance_resistance": {"V-S1-B01-E2"}},
    ),
    ("cause: leak, place: V-S2", {"leak_m3h": {"V-S2-C1", "V-S2-C2"}}),
    (
        "cause: pipes_swapped, place: V-S2-B01-E1",
        {
            "entrance_resistance": {"V-S2-B01-E1"},
            "entrance_swapped": {"V-S2-B01-E1"},
            "unit_emission": doors("V-S2-B01-E1", 5),
        },
    ),
    (
        "cause: pipes_swapped, place: V-S2-B01",
        {
            "building_resistance": {"V-S2-B01"},
            "building_swapped": {"V-S2-B01"},
            "unit_emission": doors("V-S2-B01-E1", 5) | doors("V-S2-B01-E2", 5),
        },
    ),
    (
        "cause: air_lock, place: V-S1-B02-E1-R2",
        {"unit_valve": {f"V-S1-B02-E1-0{floor}02" for floor in range(1, 5)}},
    ),
    ("cause: hydraulic_imbalance, place: V-S2-C1", {"balance_lost": {"V-S2-C1"}}),
    (
        "cause: vertical_imbalance, place: V-S1-B02",
        {"unit_valve": doors("V-S1-B02-E1", 3)},
    ),
    (
        "cause: vertical_imbalance, variant: top_cold, place: V-S1-B02-E1-R1",
        {"unit_valve": {f"V-S1-B02-E1-0{floor}01" for floor in range(2, 5)}},
    ),
    ("cause: valve_closed, place: V-S1-B01-E1-0301", unit("unit_valve")),
    ("cause: envelope, place: V-S1-B01-E1-0301", unit("unit_extra_loss")),
    ("cause: neighbour_unheated, place: V-S1-B01-E1-0301", unit("unit_valve")),
    (
        "cause: neighbour_unheated, variant: restricted, place: V-S1-B01-E1-0301",
        unit("unit_valve"),
    ),
    (
        "cause: neighbour_unheated, variant: vacant, place: V-S1-B01-E1-0301",
        unit("unit_valve") | unit("unit_gains"),
    ),
    ("cause: turned_down, place: V-S1-B01-E1-0301", unit("unit_night_valve")),
    ("cause: window_open, place: V-S1-B01-E1-0301", unit("unit_extra_loss")),
    ("cause: radiator_covered, place: V-S1-B01-E1-0301", unit("unit_emission")),
    ("cause: sensor_misplaced, place: V-S1-B01-E1-0301", unit("sensor_radiator")),
    (
        "cause: sensor_misplaced, variant: sun, place: V-S1-B01-E1-0301",
        unit("sensor_sun"),
    ),
    (
        "cause: sensor_misplaced, variant: balcony, place: V-S1-B01-E1-0301",
        unit("sensor_outdoors"),
    ),
    ("cause: sensor_stuck, place: V-S1-B01-E1-0301", unit("sensor_stuck")),
    (
        "cause: sensor_stuck, severity: 17.3, place: V-S1-B01-E1-0301",
        unit("sensor_stuck") | unit("sensor_value"),
    ),
    ("cause: sensor_drift, place: V-S1-B01-E1-0301", unit("sensor_offset_k")),
    ("cause: sensor_moved, place: V-S1-B01-E1-0301", unit("sensor_offset_k")),
    ("cause: sensor_battery, place: V-S1-B01-E1-0301", unit("sensor_dead")),
    (
        "cause: sensor_swapped, place: [V-S1-B01-E1-0301, V-S2-B03-E1-0503]",
        {"sensor_unit": {"V-S1-B01-E1-0301", "V-S2-B03-E1-0503"}},
    ),
    ("cause: gateway_outage, place: V-S2-B03", {"gateway_down": {"V-S2-B03"}}),
]


def cause_of(fault: str) -> Cause:
    return Cause(fault.partition(",")[0].removeprefix("cause: "))


@pytest.mark.parametrize(("fault", "expected"), CASES, ids=[fault for fault, _ in CASES])
def test_a_fault_turns_exactly_its_knobs_at_its_places(fault: str, expected: Expected) -> None:
    town = village(f"{fault}, onset: 0h")
    assert town.touched() == expected


@pytest.mark.parametrize("fault", [fault for fault, _ in CASES])
def test_a_fault_turns_only_what_its_kind_declares(fault: str) -> None:
    assert set(village(f"{fault}, onset: 0h").touched()) <= set(REGISTRY[cause_of(fault)].turns)


@pytest.mark.parametrize("fault", [fault for fault, _ in CASES])
def test_no_fault_is_felt_before_its_onset_or_after_its_end(fault: str) -> None:
    town = village(f"{fault}, onset: 2h, end: 4h")
    assert town.touched(1.9) == {}
    assert town.touched(3.5) != {}
    assert town.touched(4.0) == {}


@pytest.mark.parametrize("fault", [fault for fault, _ in CASES])
def test_a_fault_from_long_ago_is_felt_all_the_time(fault: str) -> None:
    town = village(f"{fault}, onset: -60d")
    assert town.touched(-72.0) == town.touched(500.0) != {}


def test_every_cause_that_can_be_named_can_be_simulated() -> None:
    assert set(REGISTRY) == set(Cause) - {Cause.UNDETERMINED}
    assert {cause_of(fault) for fault, _ in CASES} == set(REGISTRY)


@pytest.mark.parametrize("kind", REGISTRY.values(), ids=list(REGISTRY))
def test_a_kind_says_what_its_severity_means_and_draws_within_its_bounds(kind: FaultKind) -> None:
    low, high = kind.bounds
    assert kind.meaning
    assert kind.scopes
    assert np.isnan(kind.severity) or low <= kind.severity <= high
    if kind.usual is not None:
        assert low <= kind.usual[0] <= kind.usual[1] <= high
    assert kind.count[0] <= kind.together[0] <= kind.together[1] <= kind.count[1]


def test_sensor_faults_are_those_that_call_an_instrument_technician() -> None:
    technician = {cause for cause in REGISTRY if CAUSES[cause].ticket is TicketKind.SENSOR}
    assert {cause for cause, kind in REGISTRY.items() if kind.of_sensor} == technician


RAMPED = "cause: strainer_clogged, place: V-S1-B01, onset: 2h, ramp: 4h, end: 10h, severity: 9"


@pytest.mark.parametrize(
    ("hour", "level"),
    [(1.9, 0.0), (2.0, 0.0), (3.0, 0.25), (5.0, 0.75), (6.0, 1.0), (9.9, 1.0), (10.0, 0.0)],
)
def test_a_fault_rises_over_its_ramp_and_ends(hour: float, level: float) -> None:
    town = village(RAMPED)
    assert town.board.faults[0].level(hour * 3600.0) == pytest.approx(level)
    assert town.value("building_resistance", "V-S1-B01", hour) == pytest.approx(9.0**level)


def test_knobs_stay_the_same_object_while_nothing_changes() -> None:
    town = village(RAMPED)
    assert town.at(0.0) is town.at(1.0)
    assert town.at(3.0) is not town.at(4.0)
    assert town.at(7.0) is town.at(9.0)


def test_a_long_ramp_moves_by_the_half_hour() -> None:
    town = village(RAMPED)
    assert town.at(4.0) is town.at(4.49)
    assert town.at(4.0) is not town.at(4.5)


def test_arrays_that_no_fault_moves_are_kept() -> None:
    town = village(RAMPED, "cause: valve_closed, place: V-S1-B01-E1-0301, onset: 0h")
    before, after = town.at(3.0), town.at(4.0)
    assert after.building_resistance is not before.building_resistance
    assert after.unit_valve is before.unit_valve
    assert after.sensor_unit is before.sensor_unit


def test_instants_may_be_asked_in_any_order() -> None:
    forward, backward = village(RAMPED), village(RAMPED)
    hours = [0.0, 3.0, 5.0, 9.0, 11.0]
    there = [forward.value("building_resistance", "V-S1-B01", hour) for hour in hours]
    back = [backward.value("building_resistance", "V-S1-B01", hour) for hour in reversed(hours)]
    assert there == list(reversed(back))


def test_several_faults_at_one_place_add_up() -> None:
    town = village(
        "cause: valve_closed, place: V-S1-B01-E1-0301, onset: 0h, severity: 0.6",
        "cause: air_lock, place: V-S1-B01-E1-R1, onset: 0h, severity: 0.5",
        "cause: window_open, place: V-S1-B01-E1-0301, onset: 0h, severity: 1",
        "cause: envelope, place: V-S1-B01-E1-0301, onset: 0h, severity: 0.3",
    )
    assert town.value("unit_extra_loss", "V-S1-B01-E1-0301") == pytest.approx(1.3)
    locked = 1.0 - 0.5 * (0.5 + 0.5 * 2.0 / 5.0)
    assert town.value("unit_valve", "V-S1-B01-E1-0301") == pytest.approx(0.4 * locked)


def test_a_source_shortage_is_a_share_of_the_design_heat_not_of_the_boilers() -> None:
    town = village("cause: source_shortage, place: V, onset: 0h, severity: 0.5")
    assert town.at(1.0).source_capacity * 1.25 == pytest.approx(0.5)
    ample = village("cause: source_shortage, place: V, onset: 0h, severity: 1.5")
    assert ample.at(1.0).source_capacity == 1.0


def test_a_leak_is_shared_among_the_circuits_of_a_substation() -> None:
    town = village("cause: leak, place: V-S2, onset: 0h, severity: 3")
    assert town.at(1.0).leak_m3h.tolist() == [0.0, 1.5, 1.5]


def test_swapped_pipes_turn_the_pattern_upside_down() -> None:
    town = village("cause: pipes_swapped, place: V-S1-B01-E1, onset: 0h, severity: 0.5")
    riser = [town.value("unit_emission", f"V-S1-B01-E1-0{floor}01") for floor in range(1, 7)]
    assert riser == sorted(riser, reverse=True)
    assert riser[0] == pytest.approx(0.8)
    assert riser[-1] == pytest.approx(0.5)
    assert town.value("entrance_resistance", "V-S1-B01-E1") == pytest.approx(4.0)


def test_air_holds_back_most_on_top() -> None:
    town = village("cause: air_lock, place: V-S1-B01-E1-R1, onset: 0h, severity: 1")
    riser = [town.value("unit_valve", f"V-S1-B01-E1-0{floor}01") for floor in range(1, 7)]
    assert riser == sorted(riser, reverse=True)
    assert riser[0] == pytest.approx(0.5)
    assert riser[-1] == pytest.approx(0.0)


def test_flow_is_graded_from_floor_to_floor() -> None:
    town = village("cause: vertical_imbalance, place: V-S1-B01, onset: 0h, severity: 3")
    riser = [town.value("unit_valve", f"V-S1-B01-E2-0{floor}02") for floor in range(1, 7)]
    assert riser == sorted(riser)
    assert riser[-1] == pytest.approx(1.0)
    assert riser[0] == pytest.approx(1.0 / (1.0 + 3.0 * 0.31))


def test_a_drift_grows_hour_by_hour() -> None:
    town = village(
        "cause: sensor_drift, place: V-S1-B01-E1-0301, onset: 0h, severity: -0.21",
        "cause: sensor_drift, place: V-S1-B01-E1-0401, onset: -14d, severity: 0.1",
    )
    week = 7.0 * 24.0
    assert town.value("sensor_offset_k", "V-S1-B01-E1-0301", week) == pytest.approx(-0.21)
    assert town.value("sensor_offset_k", "V-S1-B01-E1-0301", 2 * week) == pytest.approx(-0.42)
    assert town.value("sensor_offset_k", "V-S1-B01-E1-0401", 0.0) == pytest.approx(0.2)
    assert town.at(5.0) is town.at(5.9)
    assert town.at(5.0) is not town.at(6.0)


@pytest.mark.parametrize(
    ("variant", "knob", "felt_k"),
    [
        ("radiator", "sensor_radiator", 26.0),
        ("sun", "sensor_sun", 5.0),
        ("balcony", "sensor_outdoors", 32.0),
    ],
)
def test_a_misplaced_sensor_errs_by_its_severity_on_a_usual_day(
    variant: str, knob: str, felt_k: float
) -> None:
    town = village(
        f"cause: sensor_misplaced, variant: {variant}, place: V-S1-B01-E1-0301, "
        "onset: 0h, severity: 2"
    )
    assert town.value(knob, "V-S1-B01-E1-0301") * felt_k == pytest.approx(2.0)


def test_swapped_sensors_hang_in_each_others_dwelling() -> None:
    town = village("cause: sensor_swapped, place: [V-S1-B01-E1-0301, V-S1-B02-E1-0102], onset: 0h")
    here = town.layout.lookup["V-S1-B01-E1-0301"][1]
    there = town.layout.lookup["V-S1-B02-E1-0102"][1]
    assert town.at(1.0).sensor_unit[[here, there]].tolist() == [there, here]


def test_a_stuck_sensor_without_a_value_keeps_the_one_it_read_last() -> None:
    town = village("cause: sensor_stuck, place: V-S1-B01-E1-0301, onset: 0h")
    assert np.isnan(town.value("sensor_value", "V-S1-B01-E1-0301"))


def test_a_fault_of_several_places_is_one_fault() -> None:
    town = village(
        "cause: neighbour_unheated, place: [V-S1-B01-E1-0301, V-S1-B01-E1-0302], onset: -60d"
    )
    (fault,) = town.board.faults
    assert fault.codes == ("V-S1-B01-E1-0301", "V-S1-B01-E1-0302")
    assert fault.variant == "stopped"
    assert fault.end is None
    assert town.touched() == {"unit_valve": set(fault.codes)}


def test_neutral_knobs_are_given_out_where_there_are_no_faults() -> None:
    town = village()
    assert town.touched() == {}
    assert town.at(-70.0) is town.at(1000.0)


def test_kinds_that_share_a_knob_are_turned_together() -> None:
    """The families of a board partition the knobs."""
    town = village(*(f"{fault}, onset: {at}h" for at, (fault, _) in enumerate(CASES)))
    families = town.board._families
    assert sum(len(family.members) for family in families) == len(CASES)
    for one, other in combinations(families, 2):
        assert not set(one.turns) & set(other.turns)
