"""How well a form and a depth explain what is seen."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.causes.shapes import Seen, explained

DEPTH = np.array([[3.0, 1.0]])
NOBODY = np.zeros(4, bool)


def seen(*off_k: float, called: int = 0, silent: int = 0) -> Seen:
    off = np.array(off_k)
    number = np.arange(len(off))
    return Seen(off, np.full(len(off), 0.4), number < silent, number >= len(off) - called)


def of(what: Seen, *form: float, own: int | None = None) -> float:
    return float(explained(what, np.array([form]), DEPTH, own)[0])


def test_the_form_that_fits_explains_best() -> None:
    """Two are off: the form that holds both beats one alone, and all."""
    two = seen(-3.0, -3.0, 0.0, 0.0)
    both = of(two, 1, 1, 0, 0)
    assert both > max(of(two, 1, 0, 0, 0), of(two, 1, 1, 1, 1), of(two, 0, 0, 0, 0))


def test_a_depth_that_the_cause_never_has_explains_less() -> None:
    """Three kelvin are expected, not nine."""
    assert of(seen(-3.0), 1) > of(seen(-9.0), 1)


def test_one_stray_dwelling_does_not_decide() -> None:
    """It may be off for a reason of its own, but the one in question may not."""
    two = seen(-3.0, -3.0)
    assert of(two, 1, 0) - of(two, 1, 1) > -8.0
    assert of(two, 0, 1, own=0) < of(two, 0, 1) - 5.0


def test_calls_speak_for_forms_that_reach_the_callers_and_silence_against() -> None:
    """Of who is not measured, over who is not reached at all."""
    nan = float("nan")
    calls, quiet = seen(-3.0, nan, nan, called=2), seen(nan, nan, -3.0, silent=2)
    assert of(calls, 1, 1, 1) > of(calls, 1, 0, 0) + 2.0
    assert of(quiet, 1, 1, 1) < of(quiet, 0, 0, 1)


def test_nothing_measured_says_nothing() -> None:
    """All forms alike."""
    blank = Seen(np.full(4, np.nan), np.full(4, 0.4), NOBODY, NOBODY)
    assert of(blank, 1, 1, 1, 1) == pytest.approx(of(blank, 0, 0, 0, 0))
