"""Run a city and yield what it publishes, block by block, in the order in which it is due.

Steps lie on a grid fixed to the anchor and messages depend only on their content, so the bytes
are the same whatever the block size, and a resumed run goes on exactly where another left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hearthline.domain.complaints import Complaint
from simulators.calls import Households, Telephone
from simulators.city import City
from simulators.engine import Engine
from simulators.instruments import Bench
from simulators.post import Message, Post
from simulators.report import Report
from simulators.states import State

DEFAULT_BLOCK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Block:
    """Everything due after the previous block's ``until`` and by this one's (aware UTC).

    ``calls`` are what households phoned in the hours that ended in between.
    """

    until: datetime
    messages: list[Message]
    calls: list[Complaint]


class Run(Iterator[Block]):
    """An iterator of blocks that also keeps the books (``report``)."""

    def __init__(
        self,
        city: City,
        start: datetime,
        stop: datetime | None,
        step: timedelta,
        publish_from: datetime | None,
    ) -> None:
        _aware(start, stop, publish_from)
        if step < timedelta(seconds=1):
            raise ValueError(f"a block lasts at least a second, got {step}")
        self._anchor = start.astimezone(UTC).replace(microsecond=0)
        self._city = city
        self._engine: Engine = city.engine(self._anchor)
        self._block = step
        self._stop = stop
        self._until = publish_from.astimezone(UTC) if publish_from else self._anchor
        after_s = self._seconds(publish_from) if publish_from else -1.0
        self._post = Post(city.scenario, city.fleet, city.seed, self._anchor, after_s)
        instruments = city.scenario.instruments
        self._bench = Bench.of(
            city.fleet,
            city.layout,
            city.seed,
            int(instruments.room_every.total_seconds()),
            int(instruments.meter_every.total_seconds()),
        )
        self._state: State | None = None
        self._index = 0
        self._telephone = Telephone(Households.of(city), self._anchor)

    @property
    def report(self) -> Report:
        """What was published so far."""
        self._post.report.held = self._post.held
        return self._post.report

    @property
    def anchor(self) -> datetime:
        """The instant from which the scenario's hours count."""
        return self._anchor

    def __next__(self) -> Block:
        if self._stop is not None and self._until >= self._stop:
            raise StopIteration
        until = self._until + self._block
        if self._stop is not None:
            until = min(until, self._stop)
        until_s = self._seconds(until)
        while self._index * self._engine.seconds <= until_s:
            self._advance()
        calls = self._telephone.take(self._until, until)
        self._until = until
        return Block(until, self._post.take(until_s), calls)

    def _advance(self) -> None:
        """One physical step, read by all instruments."""
        if self._state is None:
            self._engine, self._state = self._city.start(self._anchor)
        step = self._engine.advance(self._state, self._index)
        self._index += 1
        self._telephone.feel(step)
        if self._post.is_over(step.offset_s + step.seconds):
            self._bench.rooms.skip(step)
            self._bench.meters.skip(step)
            return
        down = step.knobs.gateway_down
        self._post.links(step.offset_s, step.seconds, down)
        self._post.rooms(self._bench.rooms.read(step), down)
        self._post.meters(self._bench.meters.read(step))
        self._post.weather(step.offset_s, step.weather)
        self._post.mischief(step.offset_s, step.seconds)

    def _seconds(self, at: datetime) -> float:
        return (at - self._anchor) / timedelta(seconds=1)


def run(
    city: City,
    start: datetime,
    stop: datetime | None = None,
    step: timedelta = DEFAULT_BLOCK,
    *,
    publish_from: datetime | None = None,
) -> Run:
    """Run a city from its anchor ``start``.

    Args:
        city: what ``build`` made.
        start: the anchor, aware; faults and weather count from it.
        stop: the last block's end, aware; None runs for ever.
        step: length of a block of messages.
        publish_from: what is due by then was published before: simulate it, yield what follows.

    Returns:
        An iterator of blocks, with ``report``.

    Raises:
        ValueError: an instant has no time zone, or the block is shorter than a second.
    """
    return Run(city, start, stop, step, publish_from)


def _aware(*instants: datetime | None) -> None:
    for instant in instants:
        if instant is not None and instant.tzinfo is None:
            raise ValueError(f"{instant} has no time zone")
