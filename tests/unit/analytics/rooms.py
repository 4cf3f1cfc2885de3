"""Rooms that breathe, and sensors that show them, as hourly statistics."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from analytics.trust import SensorHours, Surroundings
from analytics.trust.model import Floats

START = datetime(2026, 1, 12, tzinfo=UTC)


def breathing(sensors: int, hours: int, *, seed: int = 1) -> Floats:
    """Rooms of one building: a daily course, their own place and moods, K of noise."""
    rng = np.random.default_rng(seed)
    swing = 0.5 * np.sin(2.0 * np.pi * np.arange(hours) / 24.0)
    mood = np.repeat(rng.normal(0.0, 0.25, (sensors, hours // 24 + 1)), 24, axis=1)[:, :hours]
    soft = np.apply_along_axis(lambda row: np.convolve(row, np.full(9, 1 / 9), "same"), 1, mood)
    place = 0.13 * (np.arange(sensors) - sensors // 2)[:, None]
    return 21.0 + swing + soft + place + rng.normal(0.0, 0.04, (sensors, hours))


def shown(level: Floats, *, spread: float = 0.1, group: int = 0) -> SensorHours:
    """What sensors with three readings an hour say of these levels; NaN where they are silent."""
    silent = np.isnan(level)
    samples = np.where(silent, 0, 3).astype(np.int64)
    half = np.where(silent, np.nan, spread / 2.0)
    groups = np.full(len(level), group, np.int64)
    return SensorHours(START, level, level - half, level + half, samples, groups)


def knocked(sensors: SensorHours, row: int, hour: int, step_k: float) -> SensorHours:
    """One sensor shows another level from the middle reading of an hour on."""
    mean, low, high = (values.copy() for values in (sensors.mean_c, sensors.min_c, sensors.max_c))
    mean[row, hour + 1 :] += step_k
    low[row, hour + 1 :] += step_k
    high[row, hour + 1 :] += step_k
    mean[row, hour] += step_k * 2.0 / 3.0
    (low if step_k < 0.0 else high)[row, hour] += step_k
    return replace(sensors, mean_c=mean, min_c=low, max_c=high)


def winter(hours: int, *, seed: int = 2) -> tuple[Floats, Floats]:
    """Outdoor temperature and sun: days that differ, nights without sun, (hours,) each."""
    rng = np.random.default_rng(seed)
    hour = np.arange(hours)
    days = np.repeat(rng.normal(0.0, 3.0, hours // 24 + 2), 24)[:hours]
    weather = np.convolve(days, np.full(12, 1 / 12), "same") + np.cumsum(rng.normal(0, 0.3, hours))
    outdoor = -12.0 + 3.5 * np.sin(2.0 * np.pi * (hour - 9) / 24.0) + weather - weather.mean()
    height = np.maximum(np.sin(2.0 * np.pi * (hour - 6) / 24.0), 0.0)
    clear = np.repeat(rng.uniform(0.3, 1.0, hours // 24 + 2), 24)[:hours]
    return outdoor, 260.0 * height * clear


def around(hours: int, sensors: int) -> Surroundings:
    """That winter around sensors of one station, whose supply answers the outdoor air."""
    outdoor, sun = winter(hours)
    rng = np.random.default_rng(5)
    supply = 48.0 - 1.1 * (outdoor + 12.0) + rng.normal(0.0, 0.3, hours)
    return Surroundings(outdoor_c=outdoor, solar_wm2=sun, supply_c=np.tile(supply, (sensors, 1)))
