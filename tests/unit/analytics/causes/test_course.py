"""What two days of a dwelling's offsets tell, on courses drawn by hand."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics.causes import course

HOURS = 48
HOUR = (np.arange(HOURS) + 8) % 24
OUTDOOR = -10.0 + 4.0 * np.sin(2.0 * np.pi * (HOUR - 9) / 24.0)
Floats = NDArray[np.float64]


def features(hourly_k: Floats, outdoor_c: Floats = OUTDOOR) -> dict[str, float]:
    return course.features(hourly_k, HOUR.astype(np.int64), outdoor_c)


def sinking(after_h: int, depth_k: float, tau: timedelta) -> Floats:
    """On its fellows' level, then sinking to a depth."""
    since = np.maximum(np.arange(HOURS) - after_h, 0)
    return -depth_k * (1.0 - np.exp(-since / (tau / timedelta(hours=1))))


def test_every_feature_is_named() -> None:
    """The names are the columns of a stored model."""
    assert tuple(features(np.zeros(HOURS))) == course.NAMES
    assert tuple(features(np.full(HOURS, np.nan))) == course.NAMES


def test_a_sinking_dwelling_shows_its_onset_its_pace_and_its_depth() -> None:
    """From 15 % to half of 4 K takes half a time constant of 10 h, and an hour of smoothing."""
    seen = features(sinking(12, 4.0, timedelta(hours=10)))
    assert seen["onset_seen"] == 1.0
    assert seen["depth_k"] == pytest.approx(3.9, abs=0.1)
    assert 5.0 <= seen["half_h"] <= 7.0
    assert seen["relative_k"] == pytest.approx(seen["depth_k"], abs=0.2)


def test_a_slower_place_takes_longer_to_half_its_depth() -> None:
    """A building's time constant beside a dwelling's."""
    one = features(sinking(4, 4.0, timedelta(hours=8)))
    whole = features(sinking(4, 8.0, timedelta(hours=60)))
    assert whole["half_h"] > one["half_h"] + 5.0
    assert whole["sinking_k"] > 0.3 > one["sinking_k"]


def test_a_lasting_depression_has_no_onset() -> None:
    """It was there before anybody looked."""
    seen = features(np.full(HOURS, -2.0))
    assert seen["onset_seen"] == 0.0
    assert np.isnan(seen["half_h"])


def test_a_setback_is_a_dip_in_every_night() -> None:
    """One night may be anything; two are a habit."""
    night = (HOUR >= 23) | (HOUR < 7)
    both = features(np.where(night, -1.2, 0.0))
    once = features(np.where(night & (np.arange(HOURS) > 30), -1.2, 0.0))
    assert both["night_k"] == pytest.approx(1.2)
    assert both["nights_k"] == pytest.approx(1.2)
    assert once["night_k"] == pytest.approx(1.2)
    assert once["nights_k"] == pytest.approx(0.0)


def test_a_window_falls_fast_and_comes_back() -> None:
    """Two kelvin within an hour, gone three hours later."""
    hourly = np.zeros(HOURS)
    hourly[40:42] = -2.5
    seen = features(hourly)
    assert seen["fell_k"] == pytest.approx(2.5)
    assert seen["rose_k"] == pytest.approx(2.5)
    assert seen["fell_h"] <= 8.0


def test_a_leaky_envelope_follows_the_cold_outdoors() -> None:
    """A tenth of a kelvin for each kelvin outdoors."""
    seen = features(0.1 * (OUTDOOR - 20.0))
    assert seen["slope"] == pytest.approx(0.1)


def test_the_same_depth_in_milder_weather_means_more() -> None:
    """Depths are told for a day of 30 K between rooms and outdoors."""
    cold = features(np.full(HOURS, -2.0), OUTDOOR - 10.0)
    mild = features(np.full(HOURS, -2.0), OUTDOOR + 10.0)
    assert mild["relative_k"] == pytest.approx(2.0 * cold["relative_k"])


def test_too_few_hours_tell_a_depth_alone() -> None:
    """Half a day is the least."""
    hourly = np.full(HOURS, np.nan)
    hourly[-6:] = -2.0
    seen = features(hourly)
    assert seen["depth_k"] == pytest.approx(2.0)
    assert np.isnan(seen["deepest_k"])
    assert np.isnan(seen["nights_k"])


def test_gaps_are_not_warmth() -> None:
    """Hours without a reading change nothing of what the others tell."""
    whole = sinking(12, 4.0, timedelta(hours=10))
    holed = whole.copy()
    holed[[5, 20, 21, 33]] = np.nan
    a, b = features(whole), features(holed)
    assert b["depth_k"] == pytest.approx(a["depth_k"])
    assert b["warm_share"] == pytest.approx(a["warm_share"], abs=0.05)
