"""When a batch is full enough to be written: by size, by age, or because no more can arrive.

A large batch is cheap per row, but the broker sends only so many unacknowledged messages: ours
(ReceiveMaximum) or its own smaller and unknown limit. So a batch also closes when a third of our
window is in hand (one third arrives while another is made ready and another written), and when
nothing has come for a moment: either nobody is talking, or the broker waits for acknowledgements.

Pure: instants are monotonic seconds, passed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Closed(StrEnum):
    """Why a batch was closed."""

    FULL = "full"
    WINDOW = "window"
    AGE = "age"
    QUIET = "quiet"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class Limits:
    """``rows`` and ``messages`` per batch; the oldest may wait ``age_s``, silence ``quiet_s``."""

    rows: int
    messages: int
    age_s: float
    quiet_s: float = 0.005


class Batcher(Generic[Item]):
    """The batch being filled."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._items: list[Item] = []
        self._rows = 0
        self._began = 0.0
        self._last = 0.0

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: Item, rows: int, now: float) -> None:
        """Put a message with its number of rows into the batch."""
        if not self._items:
            self._began = now
        self._items.append(item)
        self._rows += rows
        self._last = now

    def closed(self, now: float) -> Closed | None:
        """Why the batch is to be written now, or None to wait for more."""
        if not self._items:
            return None
        if self._rows >= self.limits.rows:
            return Closed.FULL
        if len(self._items) >= self.limits.messages:
            return Closed.WINDOW
        if now - self._began >= self.limits.age_s:
            return Closed.AGE
        if now - self._last >= self.limits.quiet_s:
            return Closed.QUIET
        return None

    def patience(self, now: float) -> float:
        """Seconds until the batch would close by itself; infinite where it is empty."""
        if not self._items:
            return float("inf")
        age = self._began + self.limits.age_s - now
        quiet = self._last + self.limits.quiet_s - now
        return max(0.0, min(age, quiet))

    def take(self) -> list[Item]:
        """The messages of the batch; a new one begins."""
        items, self._items = self._items, []
        self._rows = 0
        return items
