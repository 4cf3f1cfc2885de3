"""When a batch closes; time is passed in."""

import math

import pytest

from ingest.batcher import Batcher, Closed, Limits

LIMITS = Limits(rows=100, messages=10, age_s=0.2, quiet_s=0.005)


@pytest.fixture
def batcher() -> Batcher[str]:
    return Batcher(LIMITS)


def test_an_empty_batch_never_closes(batcher: Batcher[str]) -> None:
    assert batcher.closed(1e9) is None
    assert math.isinf(batcher.patience(1e9))


def test_it_closes_when_it_holds_enough_rows(batcher: Batcher[str]) -> None:
    batcher.add("a", 99, 0.0)
    assert batcher.closed(0.0) is None
    batcher.add("b", 1, 0.0)
    assert batcher.closed(0.0) is Closed.FULL


def test_one_message_may_be_more_than_a_batch(batcher: Batcher[str]) -> None:
    batcher.add("a", 5_000, 0.0)
    assert batcher.closed(0.0) is Closed.FULL


def test_it_closes_when_half_the_window_is_in_hand(batcher: Batcher[str]) -> None:
    for number in range(10):
        assert batcher.closed(0.0) is None
        batcher.add(str(number), 0, 0.0)
    assert batcher.closed(0.0) is Closed.WINDOW


def test_it_closes_when_nothing_comes_any_more(batcher: Batcher[str]) -> None:
    batcher.add("a", 1, 1.0)
    assert batcher.closed(1.004) is None
    assert batcher.patience(1.004) == pytest.approx(0.001)
    assert batcher.closed(1.0051) is Closed.QUIET


def test_a_steady_trickle_cannot_keep_it_open(batcher: Batcher[str]) -> None:
    limits = Limits(rows=10_000, messages=10_000, age_s=0.2, quiet_s=0.005)
    steady: Batcher[int] = Batcher(limits)
    now = 0.0
    while steady.closed(now) is None:
        steady.add(1, 1, now)
        now += 0.004
    assert steady.closed(now) is Closed.AGE
    assert now == pytest.approx(0.2)


def test_taking_begins_a_new_batch(batcher: Batcher[str]) -> None:
    batcher.add("a", 100, 0.0)
    assert batcher.take() == ["a"]
    assert len(batcher) == 0
    batcher.add("b", 1, 5.0)
    assert batcher.closed(5.001) is None
