"""Publish at the pace of a clock: real time, or any number of times faster.

Pacing knows only instants and a clock that can be asked and waited on, so tests run it without
sleeping. After a pause (a laptop that slept) it catches up at once instead of falling behind.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from hearthline.domain.complaints import Complaint
from simulators.city import City
from simulators.post import Message
from simulators.report import Report
from simulators.runner import run

Progress = Callable[[int, int | None, str], None]
"""``progress(done, total, text)``; the total is None where there is no end."""
Hear = Callable[[Sequence[Complaint]], None]
"""Takes what households phone."""

LIVE_BLOCK = timedelta(seconds=30)


class Clock(Protocol):
    """A clock that can be waited on."""

    def now(self) -> datetime:
        """The present instant, aware."""
        ...

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait, or less if ``stop`` is set; whether it is."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, UTC."""
        return datetime.now(UTC)

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Sleep until ``stop`` is set or the time is over."""
        return stop.wait(seconds)


@dataclass(slots=True)
class Pace:
    """When an event is due on the clock: ``speed`` event seconds pass in one real second."""

    origin: datetime
    speed: float
    clock: Clock
    stop: threading.Event
    _began: datetime = field(init=False)

    def __post_init__(self) -> None:
        if not self.speed > 0:
            raise ValueError(f"speed must be positive, got {self.speed:g}")
        self._began = self.clock.now()

    def reach(self, event: datetime) -> bool:
        """Wait until an event is due; False if stopped before that."""
        due = self._began + (event - self.origin) / self.speed
        while not self.stop.is_set():
            left = (due - self.clock.now()) / timedelta(seconds=1)
            if left <= 0:
                return True
            self.clock.wait(self.stop, left)
        return False


def paced(
    messages: Iterable[Message],
    speed: float,
    *,
    clock: Clock | None = None,
    stop: threading.Event | None = None,
) -> Iterator[Message]:
    """The same messages, each held until it is due; the first one comes at once."""
    halt = stop or threading.Event()
    pace: Pace | None = None
    for message in messages:
        event = datetime.fromtimestamp(message.due, UTC)
        pace = pace or Pace(event, speed, clock or SystemClock(), halt)
        if not pace.reach(event):
            return
        yield message


def live(
    city: City,
    anchor: datetime,
    publish: Callable[[Message], None],
    *,
    publish_from: datetime,
    stop: threading.Event,
    speed: float = 1.0,
    until: datetime | None = None,
    clock: Clock | None = None,
    progress: Progress | None = None,
    hear: Hear | None = None,
) -> Report:
    """Go on publishing after the history until ``stop`` is set (or ``until``, in event time).

    Args:
        city: the city whose history was published up to ``publish_from``.
        anchor: the same anchor as the history's.
        publish: takes one message, e.g. ``Publisher.publish``.
        publish_from: event time at which the history ended.
        stop: ends the run between two messages.
        speed: at 1, event time is the clock's time, so what became due in between (a machine that
            slept, a start that took long) comes at once; at other speeds event time starts at
            ``publish_from`` and runs that much faster.
        until: event time at which to end.
        clock: tests pass their own.
        progress: called after each block with (messages, None, event time).
        hear: takes what households phone, after each hour.
    """
    watch = clock or SystemClock()
    pace = Pace(watch.now() if speed == 1.0 else publish_from, speed, watch, stop)
    blocks = run(city, anchor, until, LIVE_BLOCK, publish_from=publish_from)
    for block in blocks:
        for message in block.messages:
            if not pace.reach(datetime.fromtimestamp(message.due, UTC)):
                return blocks.report
            publish(message)
        if not pace.reach(block.until):
            return blocks.report
        if hear is not None and block.calls:
            hear(block.calls)
        if progress is not None:
            progress(blocks.report.messages, None, block.until.isoformat(timespec="seconds"))
    return blocks.report


def backfill(
    city: City,
    anchor: datetime,
    stop_at: datetime,
    publish: Callable[[Message], None],
    *,
    publish_from: datetime | None = None,
    stop: threading.Event | None = None,
    progress: Progress | None = None,
    hear: Hear | None = None,
) -> Report:
    """Publish the history from ``anchor`` to ``stop_at`` as fast as ``publish`` takes it.

    ``progress`` is called after each block with (hours done, hours in all, event time), ``hear``
    with what households phoned in it.
    """
    blocks = run(city, anchor, stop_at, publish_from=publish_from)
    hour = timedelta(hours=1)
    total = int((stop_at - anchor) / hour)
    for block in blocks:
        for message in block.messages:
            publish(message)
        if hear is not None and block.calls:
            hear(block.calls)
        if progress is not None:
            text = block.until.isoformat(timespec="minutes")
            progress(int((block.until - anchor) / hour), total, text)
        if stop is not None and stop.is_set():
            break
    return blocks.report
