"""Energy signatures: what was built in is found again, and little is said where little is known."""

from __future__ import annotations

import numpy as np
import pytest

from analytics import signature
from analytics.signature import Call, NoFit

DAYS = 60


def weather(seed: int, days: int = DAYS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outdoors today and the day before, °C, and sun, W/m², that drift from day to day."""
    rng = np.random.default_rng(seed)
    drift = np.zeros(days + 1)
    for day in range(1, days + 1):
        drift[day] = 0.8 * drift[day - 1] + 3.0 * rng.standard_normal()
    outdoor = -8.0 + drift
    return outdoor[1:], outdoor[:-1], rng.uniform(20.0, 160.0, days)


def heat(today: np.ndarray, before: np.ndarray, sun: np.ndarray) -> np.ndarray:
    return 500.0 - 25.0 * (0.7 * today + 0.3 * before) - 0.4 * sun


@pytest.mark.parametrize("seed", range(5))
def test_a_signature_finds_slope_sun_and_the_weight_of_yesterday(seed: int) -> None:
    today, before, sun = weather(seed)
    noise = 1.0 + 0.02 * np.random.default_rng(seed + 50).standard_normal(DAYS)
    found = signature.fit((heat(today, before, sun) * noise)[None, :], today, before, sun)
    assert found.reason == (NoFit.NONE,)
    assert found.per_k[0] == pytest.approx(25.0, rel=0.08)
    assert found.per_wm2[0] == pytest.approx(0.4, abs=0.25)
    assert found.yesterday[0] == pytest.approx(0.3, abs=0.16)
    assert found.scatter[0] / found.mean[0] == pytest.approx(0.02, abs=0.012)


@pytest.mark.parametrize("seed", range(5))
def test_broken_days_do_not_bend_it(seed: int) -> None:
    today, before, sun = weather(seed)
    clean = heat(today, before, sun)
    broken = clean.copy()
    broken[np.random.default_rng(seed).choice(DAYS, 9, replace=False)] *= 0.4
    found = signature.fit(np.stack([clean, broken]), today, before, sun)
    expected = found.expected(-15.0, -12.0, 80.0)
    assert expected[1] == pytest.approx(expected[0], rel=0.04)


def test_the_sun_never_raises_the_need() -> None:
    today, before, sun = weather(3)
    found = signature.fit((500.0 - 25.0 * today + 1.0 * sun)[None, :], today, before, sun)
    assert found.per_wm2[0] == 0.0


def test_a_place_of_ten_days_has_one_and_a_place_of_nine_has_none() -> None:
    _, _, sun = weather(1)
    today = -8.0 + 5.0 * np.sin(np.arange(DAYS))
    before = np.roll(today, 1)
    value = np.tile(heat(today, before, sun), (2, 1))
    value[0, 10:] = np.nan
    value[1, 9:] = np.nan
    found = signature.fit(value, today, before, sun)
    assert found.reason == (NoFit.NONE, NoFit.TOO_FEW_DAYS)
    assert np.isnan(found.base[1])


def test_even_weather_teaches_nothing() -> None:
    even = np.full(30, -8.0) + 0.3 * np.sin(np.arange(30))
    found = signature.fit((500.0 - 25.0 * even)[None, :], even, even)
    assert found.reason == (NoFit.EVEN_WEATHER,)


def test_heat_that_does_not_follow_the_weather_has_no_signature() -> None:
    today, before, sun = weather(2)
    found = signature.fit((300.0 + 5.0 * today)[None, :], today, before, sun)
    assert found.reason == (NoFit.NO_SLOPE,)


def test_no_days_at_all_is_too_few() -> None:
    empty = np.zeros(0)
    found = signature.fit(np.zeros((2, 0)), empty, empty)
    assert found.reason == (NoFit.TOO_FEW_DAYS, NoFit.TOO_FEW_DAYS)


def test_a_healthy_place_with_eight_percent_scatter_is_hardly_ever_called() -> None:
    """Eight percent a day is what a real station shows; a quarter is three of these."""
    called = 0
    for seed in range(25):
        rng = np.random.default_rng(seed)
        today, before, sun = weather(seed, DAYS + 1)
        value = heat(today, before, sun) * (1.0 + 0.08 * rng.standard_normal((80, DAYS + 1)))
        found = signature.fit(value[:, :-1], today[:-1], before[:-1], sun[:-1])
        expected = found.expected(today[-1], before[-1], float(sun[-1]))
        share = found.scatter / found.mean
        calls = [signature.call(*row) for row in zip(value[:, -1], expected, share, strict=True)]
        called += sum(bool(call) for call in calls)
    assert called < 0.01 * 25 * 80


@pytest.mark.parametrize(
    ("measured", "expected", "scatter", "call"),
    [
        (124.0, 100.0, 0.05, Call.NONE),
        (126.0, 100.0, 0.05, Call.HIGH),
        (74.0, 100.0, 0.05, Call.LOW),
        (126.0, 100.0, 0.10, Call.NONE),  # within three of its own scatter
        (None, 100.0, 0.05, Call.NONE),
        (126.0, None, 0.05, Call.NONE),
    ],
)
def test_nothing_under_a_quarter_of_a_day_is_called(
    measured: float | None, expected: float | None, scatter: float, call: Call
) -> None:
    assert signature.call(measured, expected, scatter) is call
