"""Maintenance windows: a place that is being worked on, from when to when, why, and who said so.

A window holds back the whole tree below its place. It always has an end: one that nobody ends
would silence a place for good.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Window:
    """Work at a place from ``since`` (inclusive) to ``until`` (exclusive).

    Empty (``until`` at or before ``since``) where it was called off before it began.
    """

    place: str
    since: datetime
    until: datetime
    reason: str = ""
    by: str = ""

    def holds(self, at: datetime) -> bool:
        """Whether it is under way at an instant."""
        return self.since <= at < self.until
