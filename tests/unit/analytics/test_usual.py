"""What is usual of a meter, and for how long something has been otherwise."""

import numpy as np

from analytics.usual import echo, latched, ratios, regressors, residuals, sustained

HOURS = 24 * 8
NOISE = np.random.default_rng(1)
OUTDOOR = -12 + 6 * np.sin(np.arange(HOURS) / 24 * 2 * np.pi) + np.linspace(0, -8, HOURS)


def never(off: np.ndarray) -> np.ndarray:
    return np.zeros(off.shape, bool)


def test_a_supply_that_follows_the_weather_is_usual() -> None:
    """Residuals are as small as the noise, from the second day on."""
    supply = (40 - 1.2 * OUTDOOR + NOISE.normal(0, 0.2, HOURS))[None]
    off = residuals(supply, regressors(OUTDOOR), never)
    assert np.isnan(off[:, :24]).all()
    assert np.abs(off[:, 48:]).max() < 1.0


def test_what_lasts_does_not_become_the_standard() -> None:
    """A curve four kelvin low for five days is four kelvin low on the last of them."""
    supply = (40 - 1.2 * OUTDOOR)[None].copy()
    supply[:, 72:] -= 4.0
    off = residuals(supply, regressors(OUTDOOR), lambda left: left < -1.2)
    assert np.allclose(off[:, 96:], -4.0, atol=0.5)


def test_nothing_is_known_of_the_future() -> None:
    """Hours judged so far do not change when more come."""
    supply = (40 - 1.2 * OUTDOOR + NOISE.normal(0, 0.5, HOURS))[None]
    supply[:, 100:] -= 5
    weather = regressors(OUTDOOR)
    whole = residuals(supply, weather, lambda left: left < -1.2)
    part = residuals(supply[:, :120], weather[:120], lambda left: left < -1.2)
    np.testing.assert_array_equal(whole[:, :120], part)


def test_flow_that_creeps_away_is_measured_against_what_it_was() -> None:
    """A strainer that clogs over five days ends at the share that is left."""
    flow = np.full((1, HOURS), 20.0)
    flow[0, 48:168] *= np.linspace(1.0, 0.4, 120)
    flow[0, 168:] *= 0.4
    assert abs(ratios(flow)[0, -1] - 0.4) < 0.02


def test_a_gap_neither_adds_to_a_run_nor_ends_it() -> None:
    """Three known hours in a row, with an unknown one between."""
    condition = np.array([[False, True, True, False, True, True, False]])
    known = np.array([[True, True, True, False, True, True, True]])
    held = sustained(condition & known, known, 3)
    assert held[0].tolist() == [False, False, False, False, True, True, False]


def test_a_latch_holds_until_it_is_left() -> None:
    """Entered by one limit, left by a milder one."""
    enter = np.array([[False, True, False, False, False]])
    stay = np.array([[False, True, True, False, True]])
    assert latched(enter, stay)[0].tolist() == [False, True, True, False, False]


def test_an_echo_lasts_as_long_as_said() -> None:
    """Two hours after each."""
    assert echo(np.array([[True, False, False, False]]), 2)[0].tolist() == [True, True, True, False]
