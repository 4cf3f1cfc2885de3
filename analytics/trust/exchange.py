"""Exchanges: two sensors of a building that change dwellings, and show each other's room since.

Each steps by the difference of the two rooms within the same hour, in opposite directions, and
arrives where the other one was. One such step alone may be people; two that fit each other prove
each other, so the steps may be smaller, and the cases of the sensors slower to follow, than those
of a single jump (``analytics.trust.jump``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analytics.trust.model import Flags, Floats, Ints, Jump, SensorHours
from analytics.trust.peers import MANY, groups, median

LEAST_K, LEAST_OF_FEW_K = 0.5, 0.8
"""Two rooms nearer to each other than instruments may differ are not told apart; where a building
has few sensors, their own steps move the median that they are held against."""
MATCH_K = 0.35
"""How near each comes to the other's place among the peers: three times the noise of means, and
what two instruments of 0.2 K differ by, rarely add up to more."""
BLOCK_H = 3
"""Hours before, and after, that say where a sensor lies."""
CALM_K, CALM_SHARE, CALM_AT_MOST = 0.35, 0.25, 0.6
"""How far readings of the hour before and of the hour after may lie apart: four times the noise,
and what a slow case leaves of the step for the next reading; never more than a share of the step.
"""
STEADY_K, STEADY_SHARE, STEADY_AT_MOST = 0.3, 0.1, 0.3
"""The same for the means of the three hours before, and after. Households of a building change by
half a kelvin in opposite ways in the same hour every other week, but none of them is so level
around it (2,000 simulated dwellings over three weeks)."""
WITHIN = 0.5
"""Share of the step that the hour of it must hold, inside or at its edge: it happens between two
readings, and the case of a sensor follows with a lag of six minutes. A room takes hours."""
QUIET_K, QUIET = 0.6, 0.05
"""Where more of a building than this share step as far in the same hours, it is the water that has
come or gone, and pairs that fit each other are chance."""
STANDS_OUT = 4.0
"""Times the building's median step of the same hours that a step must reach."""
STAYS_H, STAYS = 18, 0.5
"""The new places must hold for so many hours, to this share of the step on their mean."""
LAST_H, LAST = 6, 0.25
"""And so much of the step in the last hours of them: a night's setback is over by then."""


def exchanges(sensors: SensorHours, offset_k: Floats) -> list[Jump]:
    """Both jumps of every exchange in a window, by sensor."""
    if offset_k.shape[1] < 2 * BLOCK_H + 1:
        return []
    steps = _steps(sensors, offset_k)
    found = []
    for rows in groups(sensors.peer_group):
        taken: set[int] = set()
        for _, pair in sorted(_pairs(rows, steps)):
            if taken.isdisjoint(row for row, _ in pair):
                taken |= {row for row, _ in pair}
                halves = [_half(sensors, offset_k, steps, *one) for one in pair]
                found += halves if all(half.confirmed for half in halves) else []
    return sorted(found, key=lambda jump: (jump.sensor, jump.hour))


@dataclass(frozen=True, slots=True)
class _Steps:
    """Places before and after each hour, K, and where the step between is a sharp one."""

    before: Floats
    after: Floats
    sharp: Flags


def _steps(sensors: SensorHours, offset_k: Floats) -> _Steps:
    count, hours = offset_k.shape
    blocks = np.lib.stride_tricks.sliding_window_view(offset_k, BLOCK_H, axis=1)
    middle, wide = np.median(blocks, axis=2), blocks.max(axis=2) - blocks.min(axis=2)
    before, after = np.full((count, hours), np.nan), np.full((count, hours), np.nan)
    ramps = np.full((count, hours), np.inf)
    inside = slice(BLOCK_H, hours - BLOCK_H)
    before[:, inside], after[:, inside] = middle[:, : -BLOCK_H - 1], middle[:, BLOCK_H + 1 :]
    ramps[:, inside] = np.fmax(wide[:, : -BLOCK_H - 1], wide[:, BLOCK_H + 1 :])
    spread = np.full((count, hours), np.inf)
    range_c = sensors.max_c - sensors.min_c
    spread[:, 1:-1] = np.fmax(range_c[:, :-2], range_c[:, 2:])
    with np.errstate(invalid="ignore"):
        step = np.abs(after - before)
        calm = np.minimum(CALM_K + CALM_SHARE * step, CALM_AT_MOST * step)
        steady = np.minimum(STEADY_K + STEADY_SHARE * step, STEADY_AT_MOST * step)
        sharp = (step >= LEAST_K) & (spread <= calm) & (ramps <= steady)
        sharp &= np.fmax(range_c, _apart(sensors)) >= WITHIN * step
    return _Steps(before, after, sharp)


def _apart(sensors: SensorHours) -> Floats:
    """How far an hour's readings lie from all those of the hour before, or of the next, K."""
    low, high = sensors.min_c, sensors.max_c
    apart = np.full(low.shape, -np.inf)
    between = np.fmax(low[:, 1:] - high[:, :-1], low[:, :-1] - high[:, 1:])
    apart[:, 1:] = between
    apart[:, :-1] = np.fmax(apart[:, :-1], between)
    return apart


def _pairs(rows: Ints, steps: _Steps) -> Iterator[tuple[float, tuple[tuple[int, int], ...]]]:
    """Pairs of a building that took each other's place, as misfit, K, and (row, hour) of both."""
    before, after = steps.before[rows], steps.after[rows]
    with np.errstate(invalid="ignore"):
        step = np.abs(after - before)
        quiet = (step >= QUIET_K).sum(axis=0) - 2 <= QUIET * len(rows)
        least = LEAST_K if len(rows) >= MANY else LEAST_OF_FEW_K
        stands_out = (step >= STANDS_OUT * median(step, 1)) & (step >= least)
    at, hour = np.nonzero(steps.sharp[rows] & quiet & stands_out)
    order = np.argsort(hour, kind="stable")
    at, hour = at[order], hour[order]
    for first in range(len(at)):
        for second in range(first + 1, len(at)):
            if hour[second] - hour[first] > 1:
                break
            one, other = (at[first], hour[first]), (at[second], hour[second])
            misfit = max(abs(after[one] - before[other]), abs(after[other] - before[one]))
            if at[first] != at[second] and misfit <= MATCH_K:
                yield (
                    float(misfit),
                    tuple((int(rows[row]), int(when)) for row, when in (one, other)),
                )


def _half(sensors: SensorHours, offset_k: Floats, steps: _Steps, row: int, hour: int) -> Jump:
    """One sensor's half of an exchange; confirmed at 0 where its new place did not hold."""
    offset, level = offset_k[row], sensors.mean_c[row]
    before, width = float(steps.before[row, hour]), len(offset)
    step = float(steps.after[row, hour]) - before
    since = offset[hour + 1 : hour + 1 + STAYS_H]
    gone = (since - before) * np.sign(step) / abs(step)
    held = float(np.nanmean(gone)) >= STAYS and float(np.nanmean(gone[-LAST_H:])) >= LAST
    confirmed = min(hour + STAYS_H, width) if held else 0
    return Jump(
        row,
        hour,
        step,
        float(level[hour - 1]),
        float(level[hour + 1]),
        before,
        confirmed,
        width,
        exchanged=True,
    )
