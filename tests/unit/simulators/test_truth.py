"""Which fault made which dwelling cold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from hearthline.domain.findings import Cause
from simulators import City, trace

FAULTS = """
faults:
  - {cause: pump_trip, place: H-S2, onset: 2h}
  - {cause: pipes_swapped, place: H-S1-B01-E2, onset: -60d}
  - {cause: sensor_stuck, place: H-S1-B02-E1-0101, onset: 1h, severity: 15}
  - {cause: pump_trip, place: H-S1, onset: 40h}
"""


def test_each_fault_is_labelled_with_cause_places_and_times(
    hamlet: Callable[..., City],
) -> None:
    trip, swapped, stuck, _ = hamlet(FAULTS).truth
    assert (trip.cause, trip.places) == (Cause.PUMP_TRIP, ("H-S2",))
    assert (trip.onset, trip.end) == (timedelta(hours=2), None)
    assert swapped.onset == timedelta(days=-60)
    assert len(stuck.devices) == 1
    assert stuck.reach == frozenset()
    assert len(trip.reach) == 20


def test_dwellings_are_cold_because_of_the_fault_that_reaches_them(
    hamlet: Callable[..., City], anchor: datetime
) -> None:
    city = hamlet(FAULTS)
    truth = trace(city, anchor)
    trip, swapped, stuck, later = (truth.cold_units(fault) for fault in range(4))
    assert trip == {code for code in city.unit_codes if code.startswith("H-S2")}
    assert {code for code in swapped if code.startswith("H-S1-B01-E2")} == {
        code for code in city.unit_codes if code.startswith("H-S1-B01-E2")
    }
    assert stuck == frozenset()
    assert later == frozenset()


def test_nothing_is_cold_before_the_fault_acts(
    hamlet: Callable[..., City], anchor: datetime
) -> None:
    cold = trace(hamlet(FAULTS), anchor).cold(0)
    assert not cold[:2].any()
    assert cold[-1].sum() == 20


def test_what_another_fault_had_made_cold_before_is_not_blamed_on_this_one(
    hamlet: Callable[..., City], anchor: datetime
) -> None:
    city = hamlet(
        "faults:\n"
        "  - {cause: pipes_swapped, place: H-S1-B01-E2, onset: -60d}\n"
        "  - {cause: pump_trip, place: H-S1, onset: 4h}\n"
    )
    truth = trace(city, anchor)
    swapped, tripped = truth.cold_units(0), truth.cold_units(1)
    assert len(swapped) >= 12
    assert tripped
    assert not tripped & {code for code in swapped if "-E2-" in code}


def test_a_lower_threshold_makes_fewer_cold(hamlet: Callable[..., City], anchor: datetime) -> None:
    truth = trace(hamlet(FAULTS), anchor)
    assert truth.cold(0, 18.0).sum() < truth.cold(0, 20.0).sum()


def test_an_anchor_needs_a_time_zone(hamlet: Callable[..., City]) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        trace(hamlet(), datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
