"""Spells: drawn by key and day, looked up in any order, chained where they overlap."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.post.windows import DAY_S, NEVER_S, Calendar, Spells

KEYS = np.arange(50)


def spells(share: float = 0.5, length_s: int = 3 * 3600, **more: bool) -> Spells:
    return Spells(3, "test/spell", share, length_s, **more)


def test_a_spell_begins_within_its_day_and_lasts_its_length() -> None:
    start, end = spells().of_day(KEYS, 4)
    some = start < NEVER_S
    assert 10 < some.sum() < 40
    assert ((start[some] >= 4 * DAY_S) & (start[some] <= 5 * DAY_S)).all()
    assert set((end - start)[some].tolist()) <= {3 * 3600, 3 * 3600 + 1, 3 * 3600 - 1}
    assert (end[~some] == NEVER_S).all()


def test_a_varying_spell_lasts_its_length_at_most() -> None:
    start, end = spells(varies=True).of_day(KEYS, 4)
    lengths = (end - start)[start < NEVER_S]
    assert lengths.max() <= 3 * 3600 + 1
    assert lengths.min() < 3600


def test_what_falls_into_a_spell_is_put_off_to_its_end() -> None:
    calendar = Calendar(spells(), KEYS)
    start, end = calendar.spells.of_day(KEYS, 0)
    for key in np.flatnonzero(start < NEVER_S)[:8]:
        at = np.array([start[key] - 1, start[key], end[key] - 1, end[key]])
        put_off = calendar.end_of(np.full(4, key), at)
        assert put_off[1:].tolist() == [put_off[3]] * 3
        assert put_off[0] in (at[0], put_off[3])


def test_spells_that_overlap_are_one() -> None:
    calendar = Calendar(spells(1.0, 3 * DAY_S), KEYS[:1])
    at = np.array([10 * DAY_S])
    first = calendar.end_of(np.zeros(1, dtype=int), at)
    assert first[0] > at[0] + DAY_S


@pytest.mark.parametrize("days", [(0, 1, 2, 3), (3, 0, 9, 2), (30, 0, 30, 1)])
def test_days_may_be_asked_for_in_any_order(days: tuple[int, ...]) -> None:
    calendar = Calendar(spells(), KEYS)
    for day in days:
        start, end = calendar.of_day(KEYS, np.full(50, day))
        expected = spells().of_day(KEYS, day)
        assert start.tolist() == expected[0].tolist()
        assert end.tolist() == expected[1].tolist()


def test_where_nothing_ever_happens_nothing_is_drawn() -> None:
    never = Calendar(spells(0.0), np.zeros(0, dtype=int))
    at = np.array([5, 6])
    assert never.end_of(np.array([7, 8]), at).tolist() == [5, 6]
    assert never.spells.reach_s == 0
