"""Cutting a town into parts: everything once, about equally much each."""

from __future__ import annotations

import numpy as np
import pytest

from simulators import parallel


@pytest.mark.parametrize("parts", [1, 2, 3, 7])
def test_parts_follow_each_other_and_are_of_about_equal_size(parts: int) -> None:
    members = 250 + (np.arange(200) * 37) % 90
    starts = np.concatenate([[0], np.cumsum(members)])
    cut = parallel.cut(starts, parts)
    assert len(cut) == parts
    assert cut[0][0] == 0
    assert cut[-1][1] == 200
    assert [end for _, end in cut[:-1]] == [first for first, _ in cut[1:]]
    sizes = [starts[end] - starts[first] for first, end in cut]
    assert max(sizes) - min(sizes) < 2 * members.max()


def test_a_small_town_stays_in_one_part() -> None:
    assert parallel.cut(np.array([0, 500, 1000]), 2) == [(0, 2)]


def test_there_are_never_more_parts_than_groups() -> None:
    assert parallel.cut(np.array([0, 90_000]), 8) == [(0, 1)]
    assert parallel.cut(np.array([0, 100, 90_000]), 8) == [(0, 1), (1, 2)]


def test_work_is_done_once_on_every_part_and_errors_come_back() -> None:
    seen = np.zeros(10, dtype=int)

    def work(part: tuple[int, int]) -> None:
        seen[slice(*part)] += 1

    parallel.each([(0, 3), (3, 4), (4, 10)], work)
    assert (seen == 1).all()

    def fail(part: tuple[int, int]) -> None:
        raise ValueError(part)

    with pytest.raises(ValueError, match="4"):
        parallel.each([(0, 4), (4, 10)], fail)
