"""Which room sensors can be believed."""

from datetime import UTC, datetime

import numpy as np

from analytics.trust import REASONS, SensorHours, Trust, TrustReason, judge

START = datetime(2026, 1, 12, tzinfo=UTC)


def graded(levels: np.ndarray, samples: int = 3, spread: float = 0.1) -> Trust:
    """Judge sensors of one building with these hourly means."""
    flat = np.zeros_like(levels, bool)
    flat[:, 1:] = np.diff(levels, axis=1) == 0
    width = np.where(flat | np.roll(flat, -1, axis=1), 0.0, spread)
    counts = np.full(levels.shape, samples)
    group = np.zeros(len(levels), np.int64)
    hours = SensorHours(START, levels, levels - width / 2, levels + width / 2, counts, group)
    return judge(hours)


def daily(sensors: int, hours: int) -> np.ndarray:
    """Rooms that breathe with the day, a little apart from each other."""
    swing = 0.6 * np.sin(2 * np.pi * np.arange(hours) / 24)
    return 21 + swing + 0.13 * np.arange(sensors)[:, None]


def test_rooms_that_breathe_are_believed() -> None:
    """Grade A throughout."""
    trust = graded(daily(6, 48))
    assert not trust.suspect.any()
    assert not trust.stuck.any()


def test_a_sensor_that_repeats_one_value_is_suspect_then_stuck() -> None:
    """B after three hours, C after a day while the neighbours moved."""
    levels = daily(6, 60)
    levels[2, 20:] = levels[2, 20]
    trust = graded(levels)
    assert not trust.suspect[2, :22].any()
    assert trust.suspect[2, 23:].all()
    assert trust.stuck[2, 43:59].all()
    assert not trust.stuck[2, :43].any()
    assert not trust.stuck[[0, 1, 3, 4, 5]].any()


def test_a_calm_building_accuses_nobody_early() -> None:
    """Where all rooms stand still, a day of one value proves nothing."""
    levels = np.full((5, 30), 21.0) + 0.2 * np.arange(5)[:, None]
    assert not graded(levels).stuck.any()


def test_a_lone_sensor_needs_longer() -> None:
    """Without peers to compare with, a day and a half."""
    levels = np.full((1, 48), 21.0)
    trust = graded(levels)
    assert not trust.stuck[0, :34].any()
    assert trust.stuck[0, 40]


def test_few_samples_prove_little() -> None:
    """An hourly sensor with three equal hours is not suspect."""
    levels = daily(4, 30)
    levels[1, 10:16] = levels[1, 10]
    reasons = graded(levels, samples=1).reason[1]
    assert not (reasons == REASONS.index(TrustReason.SUSPECT_FLAT)).any()


def test_a_long_calm_night_is_not_a_fault() -> None:
    """Twenty-one hours of one value were measured on a healthy sensor."""
    levels = daily(6, 60)
    levels[2, 20:41] = levels[2, 20]
    assert not graded(levels).stuck.any()
