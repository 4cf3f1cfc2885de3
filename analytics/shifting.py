"""Flow that went over from some branches of a circuit to others: somebody turned valves.

A branch that clogs gives the others less than it lost, and its circuit takes less. Valves that were
opened take what the rest lack, and the circuit takes more. Flows are held against their usual, and
where that says nothing, because a branch was clogged before, against those of the day before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analytics.robust import median
from analytics.runs import above, below, runs
from analytics.usual import DAY, latched, sustained

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

RISE, FALL = 0.10, 0.04
OPENED = 0.02  # more flow through a whole circuit at the same speed: somebody opened valves
AFTER_H = 4
"""Hours for which it shows before it is told."""
_AGO_H = AFTER_H + 2  # before the step, however late in an hour it came


def shifted(ratio: Floats, own: Floats, blank: Bools) -> tuple[Bools, Floats]:
    """Hours in which some branches take what others lack, (hours,), and what tells so.

    The second is each branch's level that its flow is held against, (branches, hours): 1, or what
    it was before a step.

    Args:
        ratio: (branches, hours) flow over its usual.
        own: (hours,) the same of their circuit.
        blank: (hours,) in which flows tell nothing.
    """
    level = np.ones(ratio.shape)
    if len(ratio) < 2:
        return np.zeros(len(blank), bool), level
    known = ~np.isnan(ratio).all(axis=0) & ~blank
    filled = np.where(np.isnan(ratio), 1.0, ratio)
    rise, fall = filled.max(axis=0) - 1.0, 1.0 - filled.min(axis=0)
    opened = above(own - 1.0, OPENED)
    stay = (rise >= 0.6 * RISE) & ((rise > fall) | opened)
    enter = sustained(_took(rise, fall, opened)[None], known[None], AFTER_H)
    held: Bools = latched(enter, (stay | ~known)[None])[0]
    for first, until, before in _steps(ratio, own, known):
        mine = slice(first, until)
        level[:, mine] = np.where(held[mine], level[:, mine], before[:, None])
        held[mine] = True
    return held, level


def _took(rise: Floats, fall: Floats, opened: Bools) -> Bools:
    """Whether branches that rose took it from those that fell, (hours,)."""
    took: Bools = (rise >= RISE) & (fall >= FALL) & ((rise > 1.2 * fall) | opened)
    return took


def _steps(ratio: Floats, own: Floats, known: Bools) -> list[tuple[int, int, Floats]]:
    """First and past-the-last hours of steps, with the branches' levels before, (branches,).

    Only a branch that takes more than ever tells: what a cleaned strainer gives back is its own.
    A step lasts until the branch that rose most has lost half of it.
    """
    most = above(ratio - 1.0, RISE)
    if not (most.any(axis=0) & known).any():
        return []
    before = _lately(np.where(known, np.vstack([ratio, own]), np.nan))
    change = np.nan_to_num(np.vstack([ratio, own]) / before - 1.0)
    up = np.where(most, change[:-1], 0.0)
    took = _took(up.max(axis=0), -change[:-1].min(axis=0), above(change[-1], OPENED))
    found: list[tuple[int, int, Floats]] = []
    for first, _ in runs(sustained(took[None], known[None], AFTER_H)[0]):
        if found and first < found[-1][1]:
            continue
        branch = int(np.argmax(up[:, first]))
        left = ratio[branch] / before[branch, first] - 1.0
        gone = np.flatnonzero(known[first:] & below(left[first:], 0.5 * up[branch, first]))
        until = first + int(gone[0]) if len(gone) else len(known)
        found.append((first, until, before[:-1, first]))
    return found


def _lately(value: Floats) -> Floats:
    """Of every hour the median of a day that ended some hours ago, (rows, hours)."""
    hours = value.shape[1]
    padded = np.concatenate([np.full((len(value), DAY + _AGO_H), np.nan), value], axis=1)
    days = np.lib.stride_tricks.sliding_window_view(padded, DAY, axis=1)[:, :hours]
    return median(days, axis=2)
