"""Medians of many rows, against numpy's own."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from analytics.robust import median, summed


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("shape", [(4, 5, 6), (3, 1, 7), (2, 8, 2)])
def test_it_is_numpys_nanmedian(axis: int, shape: tuple[int, int, int]) -> None:
    """With gaps, with even and odd counts, and with stretches of which nothing is known."""
    values = np.random.default_rng(1).normal(size=shape)
    values[values < -0.3] = np.nan
    values[0] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of stretches without a value
        expected = np.nanmedian(values, axis=axis)
    np.testing.assert_array_equal(median(values, axis), expected)


def test_of_nothing_nothing_is_known() -> None:
    """No rows at all."""
    assert np.isnan(median(np.empty((0, 3)), 0)).all()
    assert median(np.empty((0, 3)), 1).shape == (0,)


def test_rows_are_summed_by_their_group() -> None:
    """In any order of groups; what has no rows sums to nought, flags count."""
    rows = np.array([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]])
    assert summed(rows, np.array([3, 0, 3]), 4).tolist() == [[10, 20], [0, 0], [0, 0], [101, 202]]
    assert summed(rows > 1.5, np.array([1, 1, 1]), 2).tolist() == [[0, 0], [2, 3]]
    assert summed(np.zeros((0, 2)), np.zeros(0, np.int64), 1).tolist() == [[0, 0]]
