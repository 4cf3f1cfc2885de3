"""Messages that wait until a run has passed the instant at which they are due.

Ties are broken by content, so the order is the same in every run and for every block size.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import NamedTuple

from simulators.report import Kind, Report
from simulators.wire import Said

BYE, HELLO = -2_000_000, -1_000_000
"""Where announcements stand among the messages of one instant: before all readings (0 and up)."""


class Message(NamedTuple):
    """One MQTT message: ``readings`` in it (bad ones included), and when it is ``due`` (Unix s).

    ``retain``: the broker shall keep it for those who subscribe later.
    """

    topic: str
    payload: bytes
    readings: int
    due: int
    retain: bool = False


class _Waiting(NamedTuple):
    due: int
    order: int
    topic: str
    payload: bytes
    readings: int
    retain: bool
    kind: Kind


@dataclass(slots=True)
class Outbox:
    """A heap of messages; seconds are from the anchor, which is ``anchor_s`` in Unix seconds.

    What is due at or before ``after_s`` was published by an earlier run and is skipped.
    """

    anchor_s: int
    after_s: float
    report: Report
    _heap: list[_Waiting] = field(default_factory=list)

    def put(self, due: int, said: Said, order: int = 0, kind: Kind = Kind.GOOD) -> None:
        """Let a message wait; ``order`` decides among those of one instant."""
        topic, payload, readings, retain = said
        heapq.heappush(self._heap, _Waiting(due, order, topic, payload, readings, retain, kind))

    def take(self, until_s: float) -> list[Message]:
        """All messages due by then, in order, counted."""
        taken, heap, after_s, anchor_s = [], self._heap, self.after_s, self.anchor_s
        while heap and heap[0].due <= until_s:
            due, _, topic, payload, readings, retain, kind = heapq.heappop(heap)
            if due > after_s:
                self.report.count(kind, readings)
                taken.append(Message(topic, payload, readings, anchor_s + due, retain))
        return taken

    @property
    def held(self) -> int:
        """Readings that are not due yet."""
        return sum(waiting.readings for waiting in self._heap)
