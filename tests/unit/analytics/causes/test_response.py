"""How promptly a depression follows what drives it, on courses drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics.causes.response import response

HOURS = 48
HOUR = np.arange(HOURS)
OUTDOOR = -10.0 + 4.0 * np.sin(2.0 * np.pi * (HOUR - 9) / 24.0)
Floats = NDArray[np.float64]


def course(depth_k: float, at_once: float, after_h: int = 0, noise_k: float = 0.1) -> Floats:
    """A depression whose one part follows the outdoors at once, the other with 11 h."""
    since = np.maximum(HOUR - after_h, 0)
    begun = (after_h < HOUR) if after_h else np.ones(HOURS, bool)
    slow = 1.0 - np.exp(-since / 11.0) if after_h else np.ones(HOURS)
    fast = at_once * (20.0 - OUTDOOR) / 30.0
    scatter = noise_k * np.sin(HOUR * 2.3)
    return np.asarray(-depth_k * begun * (fast + (1.0 - at_once) * slow) + scatter)


def test_a_draught_follows_the_outdoors_of_the_hour_and_a_lack_of_heat_does_not() -> None:
    """Two days long settled: half of the leak's depth swings with the day."""
    assert response(course(3.0, 0.5), OUTDOOR).swing == pytest.approx(0.5, abs=0.1)
    assert response(course(3.0, 0.5), OUTDOOR).lost() > 3.0
    assert response(course(3.0, 0.0), OUTDOOR).swing == pytest.approx(0.0, abs=0.1)
    assert response(course(3.0, 0.0), OUTDOOR).lost() < 1 / 3


def test_the_first_hours_tell_the_air_from_the_walls() -> None:
    """Half of it within two hours, or sinking for a day."""
    draught, lack = response(course(3.0, 0.5, 20), OUTDOOR), response(course(3.0, 0.0, 20), OUTDOOR)
    assert draught.share > 0.55
    assert lack.share < 0.45
    assert draught.lost() > 1.5
    assert lack.lost() < 0.6
    assert draught.age_h == pytest.approx(27, abs=2)


def test_what_sinks_still_will_settle_deeper() -> None:
    """After eight hours about half is there; nothing is guessed beyond twice the depth."""
    young = response(course(4.0, 0.0, 38), OUTDOOR)
    assert 1.3 <= young.settled(2.0) / 2.0 <= 2.0
    assert response(course(4.0, 0.0), OUTDOOR).settled(4.0) == 4.0


def test_a_course_that_does_not_tell_says_nothing() -> None:
    """Too short, unknown, on its fellows' level, or the day's swing outdoors is missing."""
    unknown = np.full(HOURS, np.nan)
    even = np.full(HOURS, -10.0)
    for hourly, outdoor in (
        (unknown, OUTDOOR),
        (np.zeros(HOURS), OUTDOOR),
        (course(3.0, 0.5), even),
        (np.where(HOUR < 36, np.nan, -3.0), OUTDOOR),
    ):
        assert response(hourly, outdoor).lost() == 1.0


def test_what_swings_more_than_the_outdoors_can_do_is_no_draught() -> None:
    """A tenant's setback at night: the day tells of people, not of walls."""
    night = (HOUR % 24 < 9) | (HOUR % 24 > 20)
    setback = response(np.where(night, -3.5, -1.0), OUTDOOR)
    assert setback.swing > 1.5
    assert setback.lost() == 1.0


def test_a_cold_spell_that_deepens_an_old_depression_is_no_onset() -> None:
    """It was there before: what deepened it is the weather."""
    deeper = course(2.0, 0.0) - 1.5 * (HOUR > 24)
    assert np.isnan(response(deeper, OUTDOOR).age_h)
