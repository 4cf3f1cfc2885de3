"""Healthy dwellings of the town without its faults lie within what was measured in real ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

import simulators
from simulators import Trace

Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def quiet() -> Trace:
    """Three days of the town with nothing wrong."""
    healthy = msgspec.structs.replace(simulators.load("town"), faults=())
    city = simulators.build(healthy)
    return simulators.trace(city, datetime(2026, 1, 12, 6, tzinfo=UTC))


def test_the_trace_has_an_hour_a_row_and_a_dwelling_a_column(quiet: Trace) -> None:
    assert quiet.room_c.shape == (72, len(quiet.city.unit_codes))
    assert quiet.hour_starts[1] - quiet.hour_starts[0] == timedelta(hours=1)


def test_means_lie_between_21_and_233(quiet: Trace) -> None:
    means = quiet.room_c.mean(axis=0)
    low, high = np.percentile(means, [1, 99])
    assert low > 21.0
    assert high < 23.4


def test_no_healthy_dwelling_crosses_the_standard_in_the_cold_snap(quiet: Trace) -> None:
    assert quiet.room_c.min() > 20.3


def test_temperatures_vary_as_measured(quiet: Trace) -> None:
    """sd over time about half a kelvin; daily swing 1.0 to 1.5 K, at most 2.9 K at p90."""
    spread = np.median(quiet.room_c.std(axis=0))
    days = quiet.room_c.reshape(3, 24, -1)
    swing = days.max(axis=1) - days.min(axis=1)
    assert 0.4 < spread < 1.0
    assert 1.0 < np.median(swing) < 1.6
    assert np.percentile(swing, 90) < 2.9


def test_hour_to_hour_steps_have_the_measured_size(quiet: Trace) -> None:
    assert 0.15 < np.diff(quiet.room_c, axis=0).std() < 0.30


def test_rooms_follow_the_weather_only_a_little(quiet: Trace) -> None:
    """Slope of room against outdoor temperature, measured 0.02 to 0.09 K/K."""
    climate = quiet.city.engine(quiet.anchor).climate
    outdoor = np.array([climate.at(hour * 3600.0 + 1800.0).outdoor_c for hour in range(72)])
    slope = np.polyfit(outdoor, quiet.room_c.mean(axis=1), 1)[0]
    assert 0.01 < slope < 0.09


def test_without_faults_the_twin_is_the_town_itself(quiet: Trace) -> None:
    assert quiet.twin_c is quiet.room_c
