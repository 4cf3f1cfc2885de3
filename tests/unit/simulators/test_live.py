"""Pacing by an injected clock: nothing here sleeps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from simulators import City, Message, run
from simulators.live import backfill, live, paced

NOON = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)


class FakeClock:
    """A clock that jumps ahead when it is waited on; stops after ``limit`` waits if given."""

    def __init__(self, now: datetime, limit: int | None = None) -> None:
        self.at = now
        self.waits: list[float] = []
        self.limit = limit

    def now(self) -> datetime:
        return self.at

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        self.waits.append(seconds)
        self.at += timedelta(seconds=seconds)
        if self.limit is not None and len(self.waits) >= self.limit:
            stop.set()
        return stop.is_set()


def message(after_s: int) -> Message:
    return Message("t", b"x", 1, int(NOON.timestamp()) + after_s)


def test_paced_messages_keep_their_distances_divided_by_the_speed() -> None:
    clock = FakeClock(datetime(2030, 1, 1, tzinfo=UTC))
    taken = list(paced([message(0), message(100), message(600)], 10.0, clock=clock))
    assert [m.due - taken[0].due for m in taken] == [0, 100, 600]
    assert clock.waits == pytest.approx([10.0, 50.0])


def test_a_stop_ends_pacing_before_the_next_message() -> None:
    stop = threading.Event()
    stop.set()
    assert list(paced([message(0)], 1.0, clock=FakeClock(NOON), stop=stop)) == []


def test_a_speed_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        list(paced([message(0)], 0.0, clock=FakeClock(NOON)))


def test_live_goes_on_where_the_history_ended_and_keeps_to_the_clock(
    hamlet: Callable[..., City], anchor: datetime
) -> None:
    city, begin = hamlet(), anchor + timedelta(hours=2)
    clock = FakeClock(begin)
    heard: list[tuple[datetime, Message]] = []
    report = live(
        city,
        anchor,
        lambda m: heard.append((clock.now(), m)),
        publish_from=begin,
        stop=threading.Event(),
        until=begin + timedelta(hours=1),
        clock=clock,
    )
    whole = run(city, anchor, begin + timedelta(hours=1), publish_from=begin)
    assert [m for _, m in heard] == [m for block in whole for m in block.messages]
    assert all(at.timestamp() == m.due for at, m in heard)
    assert report.messages == len(heard)
    assert clock.now() == begin + timedelta(hours=1)


def test_live_catches_up_what_became_due_while_nobody_published(
    hamlet: Callable[..., City], anchor: datetime
) -> None:
    begin = anchor + timedelta(hours=2)
    clock = FakeClock(begin + timedelta(minutes=40))
    heard: list[datetime] = []
    live(
        hamlet(),
        anchor,
        lambda _: heard.append(clock.now()),
        publish_from=begin,
        stop=threading.Event(),
        until=begin + timedelta(hours=1),
        clock=clock,
    )
    at_once = [at for at in heard if at == begin + timedelta(minutes=40)]
    assert 0 < len(at_once) < len(heard)


def test_live_at_sixty_times_the_speed_takes_a_minute_an_hour(
    hamlet: Callable[..., City], anchor: datetime
) -> None:
    start = datetime(2030, 5, 1, tzinfo=UTC)
    clock, said = FakeClock(start), list[tuple[int, int | None, str]]()
    live(
        hamlet(),
        anchor,
        lambda _: None,
        publish_from=anchor + timedelta(hours=1),
        stop=threading.Event(),
        speed=60.0,
        until=anchor + timedelta(hours=2),
        clock=clock,
        progress=lambda done, total, text: said.append((done, total, text)),
    )
    assert clock.now() - start == timedelta(minutes=1)
    assert said[-1][1] is None
    assert said[-1][2] == "2026-01-12T04:30:00+00:00"


def test_live_stops_between_two_messages(hamlet: Callable[..., City], anchor: datetime) -> None:
    heard: list[Message] = []
    stop = threading.Event()
    clock = FakeClock(anchor, limit=5)
    report = live(
        hamlet(), anchor, heard.append, publish_from=anchor, stop=stop, speed=1.0, clock=clock
    )
    assert stop.is_set()
    assert report.messages >= len(heard) > 0


def test_backfill_publishes_everything_and_says_how_far_it_is(
    hamlet: Callable[..., City], anchor: datetime
) -> None:
    heard: list[Message] = []
    said: list[tuple[int, int | None, str]] = []
    end = anchor + timedelta(hours=2)
    report = backfill(hamlet(), anchor, end, heard.append, progress=lambda *step: said.append(step))
    assert report.messages == len(heard) > 0
    assert said[-1] == (2, 2, "2026-01-12T04:30+00:00")


def test_backfill_can_be_stopped_and_resumed(hamlet: Callable[..., City], anchor: datetime) -> None:
    city, end, stop = hamlet(), anchor + timedelta(hours=2), threading.Event()
    first: list[Message] = []
    reached: list[str] = []

    def progress(done: int, total: int | None, text: str) -> None:
        reached.append(text)
        if len(reached) == 5:
            stop.set()

    backfill(city, anchor, end, first.append, stop=stop, progress=progress)
    second: list[Message] = []
    at = datetime.fromisoformat(reached[-1])
    backfill(city, anchor, end, second.append, publish_from=at)
    whole = [m for block in run(city, anchor, end) for m in block.messages]
    assert first + second == whole
    assert first
    assert second
