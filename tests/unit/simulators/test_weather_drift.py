"""Irregular courses: their spread and memory, and that any instant can be asked in any order."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.weather.drift import Drift

COURSE = Drift(5, "test", 6.0, 0.7)
KNOTS = np.array([COURSE.at(6.0 * knot) for knot in range(-4000, 4000)])


def test_a_course_has_mean_nothing_and_standard_deviation_one() -> None:
    assert KNOTS.mean() == pytest.approx(0.0, abs=0.06)
    assert KNOTS.std() == pytest.approx(1.0, abs=0.03)


def test_it_spreads_as_much_between_knots() -> None:
    between = np.array([COURSE.at(6.0 * knot + 3.0) for knot in range(-4000, 4000)])
    assert between.std() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("knots", [1, 2, 4])
def test_it_forgets_by_the_same_share_from_knot_to_knot(knots: int) -> None:
    kept = np.corrcoef(KNOTS[:-knots], KNOTS[knots:])[0, 1]
    assert kept == pytest.approx(0.7**knots, abs=0.04)


def test_it_has_no_steps_even_where_blocks_of_knots_meet() -> None:
    fine = np.array([COURSE.at(0.05 * step) for step in range(-8000, 8000)])
    assert np.abs(np.diff(fine)).max() < 0.05


def test_the_order_of_asking_does_not_matter() -> None:
    again = Drift(5, "test", 6.0, 0.7)
    assert [again.at(6.0 * knot) for knot in range(3999, -4001, -1)] == KNOTS[::-1].tolist()


def test_streams_and_seeds_are_courses_of_their_own() -> None:
    others = (Drift(6, "test", 6.0, 0.7), Drift(5, "other", 6.0, 0.7))
    for other in others:
        course = np.array([other.at(6.0 * knot) for knot in range(-4000, 4000)])
        assert abs(np.corrcoef(course, KNOTS)[0, 1]) < 0.06
