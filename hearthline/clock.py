"""The only door to the time of day, so that tests and replays bring their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The present instant, aware UTC."""
    return datetime.now(UTC)


def floor(at: datetime, step: timedelta) -> datetime:
    """The last multiple of ``step`` since the epoch at or before ``at`` (aware UTC)."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return at.astimezone(UTC) - (at - epoch) % step
