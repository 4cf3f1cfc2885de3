"""The weekly spot check of the ledger (抽查): which dwellings are looked at this week.

Dwellings are shuffled once by a seed and walked through week by week, so that a share of 10 %
sees every one in ten weeks, and anyone can draw the same sample again.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable
from datetime import date

from hearthline.errors import Invalid

_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*(%?)")
_WEEK = re.compile(r"(\d{4})-?W(\d{1,2})")


def draw(codes: Iterable[str], share: float, week: int, seed: int = 0) -> list[str]:
    """The dwellings of a week, sorted; ``share`` of them between 0 and 1."""
    shuffled = sorted(codes, key=lambda code: _mixed(code, seed))
    if not shuffled:
        return []
    size = min(len(shuffled), max(1, math.ceil(share * len(shuffled))))
    start = week * size % len(shuffled)
    return sorted((shuffled + shuffled)[start : start + size])


def _mixed(code: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}/{code}".encode()).digest()


def week_of(day: date) -> int:
    """The week of a day, counted without a break at new year; weeks begin on Monday."""
    return (day.toordinal() - 1) // 7


def parse_share(text: str) -> float:
    """``10%`` or ``0.1`` as a share.

    Raises:
        Invalid: it is neither, or not above 0 and at most 1.
    """
    found = _SHARE.fullmatch(text.strip())
    share = float(found[1]) / (100 if found[2] else 1) if found else 0.0
    if not 0 < share <= 1:
        raise Invalid(f"{text!r} is no share.", "Write 10% or 0.1.")
    return share


def parse_week(text: str) -> int:
    """``2026-W47`` as a week.

    Raises:
        Invalid: there is no such week.
    """
    found = _WEEK.fullmatch(text.strip())
    try:
        if found:
            return week_of(date.fromisocalendar(int(found[1]), int(found[2]), 1))
    except ValueError:
        pass
    raise Invalid(f"{text!r} is no week.", "Write it as 2026-W47.")


def week_name(week: int) -> str:
    """A week as people write it: ``2026-W47``."""
    year, number, _ = date.fromordinal(week * 7 + 1).isocalendar()
    return f"{year}-W{number:02d}"
