"""Level shifts in memory: a knock that is still there over the whole next day is a sensor moved.

The window of hours sees a jump for two days only, so what it shows goes into the daily memory: at
the end of its day as a knock (its step, and the place among the peers it started from), at the end
of the day after as a shift, if the level stayed, or as nothing, if it came back or went on as heat
does. Steps too small to prove anything stay knocks, and a doubt, for as long as the level stays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analytics.trust.jump import BACK, CLEAR_K, LEAST_K, NEAR_H, SMALL_K, gone_on
from analytics.trust.model import COLUMN, DAY_HOURS, Flags, Floats, Jump

LATE_H = NEAR_H + 1
"""Hours after a jump from which on it can be told from a passing thing."""
HOME_DAYS = 3.0
"""Days whose mean tells that a level has come home without a jump: then it was no sensor moved."""

SHIFT, SHIFTED, SHIFT_FROM = (COLUMN[n] for n in ("moved_k", "moved_day", "moved_from_k"))
KNOCK, FROM, SINCE, PAIR = (COLUMN[n] for n in ("knock_k", "knock_from_k", "knock_day", "pair"))
_KNOCK, _SHIFT = np.array([KNOCK, FROM, SINCE]), np.array([SHIFT, SHIFTED, SHIFT_FROM, PAIR])
TOLD, W, E = (COLUMN[name] for name in ("told", "w", "e"))


def settle(row: Floats, found: Sequence[Jump], hours: slice, mean_k: Floats, enough: Flags) -> None:
    """What became of the knocks of earlier days, in place.

    Args:
        row: (sensors, fields), the memory at the end of the day before.
        found: the jumps of the window.
        hours: the window's hours that are the day.
        mean_k: this day's mean distance from the peers, K (sensors,).
        enough: which of them rest on enough hours.
    """
    knock = row[:, KNOCK]
    size, gone = np.abs(knock), np.sign(knock) * (mean_k - row[:, FROM])
    passing = np.zeros(len(row), bool)
    for jump in found:
        if jump.hour < hours.start and jump.ended < hours.stop:
            passing[jump.sensor] = True
    here = (knock != 0.0) & (enough | passing)
    stayed = here & ~passing & (gone >= BACK * size) & ~gone_on(gone, size)
    row[np.ix_(here & ~stayed, _KNOCK)] = 0.0
    proven = stayed & ((size >= SMALL_K) | (row[:, PAIR] > 0.0))
    for at in np.flatnonzero(proven):
        _shift(row[at], float(mean_k[at]))
    _come_home(row)


def _shift(at: Floats, mean_k: float) -> None:
    """One knock becomes a shift: what is known of the sensor begins anew."""
    shift, pair = at[SHIFT] + at[KNOCK], at[PAIR]
    since = at[SHIFTED] or at[SINCE]
    began = at[SHIFT_FROM] if at[SHIFT] else at[FROM]
    home = at[TOLD] > 0.0 and abs(mean_k) < LEAST_K  # taken from where it should not hang
    at[:] = 0.0
    if abs(shift) >= CLEAR_K and not home:
        at[SHIFT], at[SHIFTED], at[SHIFT_FROM], at[PAIR] = shift, since, began, pair


def _come_home(row: Floats) -> None:
    """Forget shifts whose level is back where it was before them, in place."""
    with np.errstate(invalid="ignore", divide="ignore"):
        since = np.abs(row[:, E] / row[:, W] - row[:, SHIFT_FROM])
        home = (row[:, W] >= HOME_DAYS) & (since < BACK * np.abs(row[:, SHIFT]))
    row[np.ix_(home, _SHIFT)] = 0.0


def note(row: Floats, found: Sequence[Jump], hours: slice, day: int) -> None:
    """The knocks of a day, as far as they lasted to its end, in place.

    A jump shows a few hours after it happened, so a day's knocks are those of 24 h that end as
    many hours before it does.
    """
    for jump in found:
        in_time = hours.start - LATE_H <= jump.hour < hours.stop - LATE_H
        if in_time and jump.ended >= hours.stop:
            at = row[jump.sensor]
            if abs(jump.step_k) >= abs(at[KNOCK]):
                at[KNOCK], at[FROM], at[PAIR] = jump.step_k, jump.from_k, float(jump.exchanged)
                at[SINCE] = day + (jump.hour - hours.start) / DAY_HOURS
