"""Draws depend on what they are for, never on when they are made."""

from __future__ import annotations

import numpy as np
import pytest

from simulators import rand


def test_a_draw_does_not_depend_on_its_neighbours() -> None:
    many = rand.uniform(5, "noise", np.arange(100), 7)
    one = rand.uniform(5, "noise", 42, 7)
    assert many[42] == one[0]


def test_scalar_and_array_draws_agree_also_for_negative_keys() -> None:
    assert rand.chance(3, "a", 5, -7) == rand.uniform(3, "a", 5, -7)[0]


def test_known_bits_stay_the_same_on_every_machine_and_release() -> None:
    assert rand.bits(7, "golden", 1, 2)[0] == GOLDEN


def test_seed_stream_and_key_all_matter() -> None:
    draws = {
        rand.chance(1, "a", 1),
        rand.chance(2, "a", 1),
        rand.chance(1, "b", 1),
        rand.chance(1, "a", 2),
    }
    assert len(draws) == 4


def test_normal_numbers_have_mean_0_and_sd_1_and_bounded_tails() -> None:
    drawn = rand.normal(1, "z", np.arange(200_000))
    assert drawn.mean() == pytest.approx(0.0, abs=0.01)
    assert drawn.std() == pytest.approx(1.0, abs=0.01)
    assert np.abs(drawn).max() < 3.47


def test_uniform_numbers_fill_the_unit_interval_evenly() -> None:
    drawn = rand.uniform(1, "u", np.arange(100_000))
    counts, _ = np.histogram(drawn, bins=10, range=(0, 1))
    assert counts.min() > 9_700
    assert counts.max() < 10_300


def test_successive_keys_are_not_correlated() -> None:
    drawn = rand.normal(1, "c", np.arange(50_000))
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 0.02


def test_events_happen_as_often_as_they_should() -> None:
    assert rand.happens(0.03, 1, "rare", np.arange(100_000)).mean() == pytest.approx(0.03, abs=2e-3)


def test_pick_takes_one_of_the_options() -> None:
    picked = {rand.pick(["a", "b", "c"], 1, "p", key) for key in range(50)}
    assert picked == {"a", "b", "c"}


GOLDEN = 16652594628291458323
