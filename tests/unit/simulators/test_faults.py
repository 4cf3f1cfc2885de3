"""Faults as levels over time and knobs on arrays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hearthline.domain.findings import Cause
from hearthline.domain.places import PlaceKind
from simulators import City
from simulators.faults import REGISTRY, FaultBoard, Knobs

WANTED = {
    Cause.PIPES_SWAPPED,
    Cause.PUMP_TRIP,
    Cause.STRAINER_CLOGGED,
    Cause.NEIGHBOUR_UNHEATED,
    Cause.SENSOR_STUCK,
    Cause.VALVE_CLOSED,
    Cause.WINDOW_OPEN,
}

RAMPED = """
faults:
  - {cause: strainer_clogged, place: H-S1-B01, onset: 2h, ramp: 4h, end: 10h, severity: 9}
"""


def test_the_registry_holds_the_faults_of_the_first_town() -> None:
    assert set(REGISTRY) >= WANTED
    assert all(kind.cause is cause and kind.meaning for cause, kind in REGISTRY.items())


@pytest.mark.parametrize(
    ("hour", "level"),
    [(1.9, 0.0), (2.0, 0.0), (3.0, 0.25), (5.0, 0.75), (6.0, 1.0), (9.9, 1.0), (10.0, 0.0)],
)
def test_a_fault_rises_over_its_ramp_and_ends(
    hamlet: Callable[..., City], hour: float, level: float
) -> None:
    assert hamlet(RAMPED).faults[0].level(hour * 3600.0) == pytest.approx(level)


def test_a_fault_turns_only_its_own_place(hamlet: Callable[..., City]) -> None:
    city = hamlet(RAMPED)
    knobs = FaultBoard(city.layout, city.faults).knobs(8 * 3600.0)
    assert knobs.building_resistance.tolist() == [9.0, 1.0, 1.0]
    assert (knobs.pump_speed == 1.0).all()


def test_knobs_stay_the_same_object_while_nothing_changes(hamlet: Callable[..., City]) -> None:
    city = hamlet(RAMPED)
    board = FaultBoard(city.layout, city.faults)
    assert board.knobs(0.0) is board.knobs(3600.0)
    assert board.knobs(3 * 3600.0) is not board.knobs(4 * 3600.0)


def test_several_faults_add_up(hamlet: Callable[..., City]) -> None:
    city = hamlet(
        "faults:\n"
        "  - {cause: pump_trip, place: H-S1, onset: 0h}\n"
        "  - {cause: pipes_swapped, place: H-S1-B01-E2, onset: 0h, severity: 0.5}\n"
        "  - {cause: valve_closed, place: H-S1-B01-E1-0102, onset: 0h, severity: 0.6}\n"
        "  - {cause: window_open, place: H-S1-B01-E1-0102, onset: 0h, severity: 1}\n"
        "  - {cause: sensor_stuck, place: H-S1-B01-E1-0102, onset: 0h, severity: 17.3}\n"
    )
    knobs = FaultBoard(city.layout, city.faults).knobs(1.0)
    unit = city.unit_codes.index("H-S1-B01-E1-0102")
    assert knobs.pump_speed == pytest.approx([0.03, 1.0])
    assert knobs.entrance_resistance == pytest.approx([1.0, 4.0, 1.0, 1.0, 1.0])
    assert knobs.entrance_swapped.tolist() == [False, True, False, False, False]
    assert knobs.unit_valve[unit] == pytest.approx(0.4)
    assert knobs.unit_extra_loss[unit] == 1.0
    assert knobs.sensor_stuck[unit]
    assert knobs.sensor_value[unit] == 17.3
    assert np.delete(knobs.unit_valve, unit) == pytest.approx(1.0)


def test_a_fault_of_several_places_is_one_fault(hamlet: Callable[..., City]) -> None:
    city = hamlet(
        "faults:\n  - {cause: neighbour_unheated, "
        "place: [H-S1-B01-E1-0602, H-S1-B01-E1-0501], onset: -60d}\n"
    )
    (truth,) = city.truth
    assert truth.places == ("H-S1-B01-E1-0602", "H-S1-B01-E1-0501")
    assert not set(truth.places) & truth.reach
    assert "H-S1-B01-E1-0601" in truth.reach


def test_neutral_knobs_change_nothing(hamlet: Callable[..., City]) -> None:
    town = hamlet().layout
    knobs = Knobs.neutral(town)
    assert len(knobs.unit_valve) == town.units
    assert len(knobs.building_resistance) == len(town.codes[PlaceKind.BUILDING])
    assert not knobs.sensor_stuck.any()
