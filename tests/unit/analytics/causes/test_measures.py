"""Measures of chances, on cases that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.causes.measures import measures, reliability

CHANCES = np.array([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.4, 0.35, 0.25]])
TRUE = np.array([0, 1, 2, 2], np.int64)
EVEN = np.ones(4)


def test_the_first_and_the_first_two_causes_are_counted() -> None:
    """Two of four at once, three among two."""
    found = measures(CHANCES, TRUE, EVEN)
    assert (found["top1"], found["top2"]) == (0.5, 0.75)


def test_losses_are_those_of_the_textbook() -> None:
    """Log loss and Brier score of the four chances."""
    found = measures(CHANCES, TRUE, EVEN)
    assert found["log_loss"] == pytest.approx(-np.log([0.8, 0.3, 0.5, 0.25]).mean(), abs=1e-4)
    first = (0.8 - 1) ** 2 + 0.1**2 + 0.1**2
    assert measures(CHANCES[:1], TRUE[:1], EVEN[:1])["brier"] == pytest.approx(first)


def test_a_cause_without_a_chance_costs_much_and_not_all() -> None:
    """A single surprise does not make a loss infinite."""
    found = measures(np.array([[1.0, 0.0]]), np.array([1], np.int64), np.ones(1))
    assert 5.0 < found["log_loss"] < 10.0


def test_weights_count_faults_and_not_hours() -> None:
    """A fault that is asked about all day is still one fault."""
    weight = np.array([1.0, 1.0, 0.0, 2.0])
    assert measures(CHANCES, TRUE, weight)["top1"] == pytest.approx(0.25)


def test_chances_that_come_true_as_often_as_they_say_have_no_error() -> None:
    """Seven of ten at 0.7."""
    chances = np.tile([0.7, 0.3], (10, 1))
    true = np.array([0] * 7 + [1] * 3, np.int64)
    found = measures(chances, true, np.ones(10))
    assert found["calibration_error"] == pytest.approx(0.0, abs=1e-9)
    assert found["reliability"] == [{"from": 0.7, "weight": 10.0, "said": 0.7, "right": 0.7}]


def test_boasting_is_an_error() -> None:
    """Always sure, half the time right."""
    bins = reliability(np.ones(4), np.array([True, False, True, False]), EVEN)
    assert bins == [{"from": 0.9, "weight": 4.0, "said": 1.0, "right": 0.5}]


def test_nothing_asked_measures_nothing() -> None:
    """No examples, no figures."""
    nothing = measures(np.zeros((0, 3)), np.zeros(0, np.int64), np.zeros(0))
    assert nothing["examples"] == 0
