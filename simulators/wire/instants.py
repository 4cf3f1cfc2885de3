"""Instants as devices write them: with a zone, without one, compact, as numbers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from enum import IntEnum
from functools import lru_cache

UTC = timezone(timedelta(0))


class TimeStyle(IntEnum):
    """How a device of our own format writes an instant; all are legal."""

    LOCAL = 0
    UTC = 1
    SECONDS = 2
    MILLISECONDS = 3


def iso(at_s: int, zone: tzinfo) -> str:
    """RFC 3339 text of a Unix second in a time zone; ``Z`` for UTC."""
    quarter, rest = divmod(at_s, 900)
    before, minute, after = _quarter(quarter, zone)
    return f"{before}{minute + rest // 60:02d}:{rest % 60:02d}{after}"


@lru_cache(maxsize=256)
def _quarter(quarter: int, zone: tzinfo) -> tuple[str, int, str]:
    """What all instants of a quarter of an hour share: text before the minute, minute, zone."""
    at = datetime.fromtimestamp(quarter * 900, zone)
    text = at.isoformat()
    return text[:14], at.minute, text[19:].replace("+00:00", "Z")


def instant(at_s: int, style: TimeStyle, zone: tzinfo) -> str | int:
    """An instant as our own format may write it."""
    if style is TimeStyle.SECONDS:
        return at_s
    if style is TimeStyle.MILLISECONDS:
        return at_s * 1000
    return iso(at_s, zone if style is TimeStyle.LOCAL else UTC)


def without_zone(at_s: int, zone: tzinfo) -> str:
    """Local time without a word about the zone, e.g. ``2026-01-12T14:00:26``."""
    return iso(at_s, zone)[:19]


def compact(at_s: int) -> str:
    """UTC in the basic format of ISO 8601, e.g. ``20151212T121212Z``."""
    return iso(at_s, UTC).replace("-", "").replace(":", "")


def nanoseconds(at_s: int, fraction_ns: int, zone: str) -> str:
    """UTC with nine decimals, as Go prints it; ``zone`` is ``Z`` or ``+00:00``."""
    return f"{iso(at_s, UTC)[:-1]}.{fraction_ns:09d}{zone}"
