"""The truth hour by hour: the same as the trace in memory, and who is to blame."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pytest

from simulators import City, trace
from simulators.truth.survey import Blame, Hour, survey, whole_hours

FAULTS = """
faults:
  - {cause: pump_trip, place: H-S2, onset: 2h, end: 9h}
  - {cause: pipes_swapped, place: H-S1-B01-E2, onset: -60d}
  - {cause: pump_trip, place: H-S1, onset: 6h}
  - {cause: sensor_stuck, place: H-S1-B02-E1-0101, onset: 1h, severity: 15}
"""
LENGTH = timedelta(hours=14)


@pytest.fixture
def city(hamlet: Callable[..., City]) -> City:
    return hamlet(FAULTS)


@pytest.fixture
def hours(city: City, anchor: datetime) -> list[Hour]:
    return list(survey(city, anchor, LENGTH))


def test_hours_are_those_of_the_trace(city: City, anchor: datetime, hours: list[Hour]) -> None:
    truth = trace(city, anchor, LENGTH)
    assert [hour.starts_at for hour in hours] == truth.hour_starts
    assert np.abs(np.stack([hour.room_c for hour in hours]) - truth.room_c).max() < 0.002
    assert np.abs(np.stack([hour.twin_c for hour in hours]) - truth.twin_c).max() < 0.002


def test_what_an_hour_says_fits_together(hours: list[Hour]) -> None:
    for hour in hours:
        assert (hour.lowest_c <= hour.room_c + 0.001).all()
        assert ((hour.below_min >= 0) & (hour.below_min <= 60)).all()
        assert (hour.below_min[hour.lowest_c >= 20.0] == 0).all()
        assert hour.plant.source_kw > 0
        assert len(hour.plant.supply_c) == len(hour.plant.return_c)
    assert {len(hour.plant.supply_c) for hour in hours} == {2}


def test_blame_follows_the_rule_of_the_trace(
    city: City, anchor: datetime, hours: list[Hour]
) -> None:
    truth, blame = trace(city, anchor, LENGTH), Blame(city)
    expected = [truth.cold(fault) for fault in range(4)]
    assert [found.any() for found in expected[:3]] == [True, True, True]
    for hour in hours:
        found = {fault: set(units.tolist()) for fault, units in blame.of(hour)}
        for fault, cold in enumerate(expected):
            assert found.get(fault, set()) == set(np.flatnonzero(cold[hour.index]).tolist())
    for fault, units in blame.cold_units().items():
        assert frozenset(city.unit_codes[unit] for unit in units) == truth.cold_units(fault)


def test_progress_is_told_every_hour(city: City, anchor: datetime) -> None:
    told: list[tuple[float, float | None]] = []
    for _ in survey(city, anchor, timedelta(hours=2), lambda *said: told.append(said[:2])):
        pass
    assert told == [(1, 2), (2, 2)]


def test_a_length_is_whole_hours_and_an_anchor_has_a_zone(city: City) -> None:
    assert whole_hours(city, timedelta(minutes=150)) == 2
    assert whole_hours(city, None) == 12
    with pytest.raises(ValueError, match="take 1 h or more"):
        whole_hours(city, timedelta(minutes=30))
    with pytest.raises(ValueError, match="no time zone"):
        next(survey(city, datetime(2026, 1, 1)))  # noqa: DTZ001 - that is the point
