"""Jumps: a sensor knocked, moved or exchanged with another one, and a window that was opened.

A sensor that is moved shows another level from one reading to the next and keeps it. Heat cannot
do that: the air of a room follows in 20 to 60 min, its walls in hours, so a real change is still
under way in the hour after the one in which it began, and goes on the same way for a day. An
opened window comes nearest (0.5 to 1 K in 3 to 10 min), and goes back in 1 to 3 h. What is asked
of a jump is therefore that the hour before and the hour after are calm, that the hour between
holds most of it, and that the level then stays: neither comes back nor goes on.

How small a jump can be told comes from 2,000 simulated healthy dwellings over 30 days: the largest
step that looked sharp and stayed was 1.1 K (people going away, coming home).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from analytics.trust.exchange import exchanges
from analytics.trust.model import (
    DAY_HOURS,
    GRADE_B,
    GRADE_C,
    Case,
    Claim,
    Flags,
    Floats,
    Ints,
    Jump,
    SensorHours,
    TrustReason,
)

LEAST_K = 0.8
"""Below this a step is everyday life."""
SMALL_K, LARGE_K = 1.2, 1.5
"""From ``LARGE_K`` on eighteen hours prove it; between, it must stay for more than a day, since
what people do changes from one day to the next. Smaller steps prove nothing, unless two sensors
exchange them."""
PLAIN_K = 1.8
"""No room changes by so much within an hour and is calm in the next; so one reading in between,
from the sensor's own case on its way, is allowed."""
CALM_K, CALM_SHARE = 0.35, 0.07
"""How far readings of a calm hour may lie apart: four times the noise, and a share of the step,
since the case of a sensor follows with minutes of delay."""
RAMP = 0.5
"""What moves by so much of a step in the two hours beside it is a ramp of three hours."""
MOST = 0.6
"""Share of the step that the hour of a jump must hold, inside or at its edge; a sensor's case may
take the rest into the next hour."""
OFTEN = 2
"""Readings an hour that it takes to tell a jump from a quick change; of an hourly sensor nothing is
said. Beside a plain step one of them may have been lost: the hour's range holds the reading before
it, so even a single one shows whether the hour was calm."""
STEADY_K, STEADY_SHARE = 0.2, 0.25
"""By how much the level may wander in two hours before, and after."""
BEFORE_H, NEAR_H, BLOCK_H = 12, 3, 6
LARGE_AFTER_H, SMALL_AFTER_H, DOUBT_AFTER_H = 18, 30, 2
BACK = 0.4
"""A level that has come back to within this share of the step ends the claim."""
GOES_ON, GOES_ON_H = 0.4, 8
"""A level that goes on by this share of the step, the room's own and the distance from its peers,
is a room that cools or warms. After a large step up it must do so within these hours, in which
walls with a time constant of 7 to 16 h have gone half their way; later it is a day like another. A
window left open cools for longer, since nothing heats against it."""
CLEAR_K = 0.5
"""Level shifts of less are no longer worth a ticket (the instrument's tolerance)."""
AIRING_K, AIRING_H = 0.5, 3


def moved(case: Case) -> Claim:
    """Sensors whose level jumped: doubted at first, C once the new level has stayed."""
    claim = Claim.nothing(case.shape)
    carried = _carried(case)
    hours = np.arange(case.shape[1])
    settled = case.uncertified() & ~case.uncertified()[:, -1:]
    for jump in case.jumps:
        if settled[jump.sensor, jump.hour]:
            continue  # a reading beside it has settled since what it shows
        before = float(carried[jump.sensor, jump.hour])
        if abs(before) >= CLEAR_K > abs(before + jump.step_k):
            carried[jump.sensor, jump.confirmed : jump.ended] = 0.0  # put right
            continue
        last = min(jump.confirmed, jump.ended)
        doubted = (hours >= jump.hour + DOUBT_AFTER_H) & (hours < last)
        proven = (hours >= jump.confirmed) & (hours < jump.ended)
        mine = claim.part(jump.sensor)
        reason = TrustReason.SWAPPED if jump.exchanged else TrustReason.MOVED
        mine.say(doubted & (mine.grade < GRADE_B), GRADE_B, reason, jump.hour, jump.step_k)
        mine.say(proven, GRADE_C, reason, jump.hour, jump.step_k)
        if proven.any():
            mine.lied[jump.hour : jump.ended] = True
    _say_remembered(case, claim, carried)
    return claim


def _carried(case: Case) -> Floats:
    """The level shifts that memory knew of by each hour, K (sensors, hours)."""
    shift = _remembered(case, "moved_k")
    return np.where(case.uncertified(), shift, 0.0)


def _remembered(case: Case, name: str) -> Floats:
    """What memory held of a field at the end of the day before each hour; 0 where nothing."""
    if case.past.days == 0:
        return np.zeros(case.shape)
    first_hour = int(case.sensors.start.timestamp() // 3600)
    day = (first_hour + np.arange(case.shape[1])) // DAY_HOURS - 1 - case.past.first_day
    held = np.nan_to_num(case.past[name])[:, np.clip(day, 0, case.past.days - 1)]
    return np.where(day >= 0, held, 0.0)


def _say_remembered(case: Case, claim: Claim, carried: Floats) -> None:
    """Shifts from before the window are C; knocks too small to prove anything are doubts."""
    knock = np.where(carried == 0.0, _remembered(case, "knock_k"), 0.0)
    first_hour = int(case.sensors.start.timestamp() // 3600)
    pair = _remembered(case, "pair") > 0.0
    free = case.uncertified()
    for shift, since, grade in (
        (carried, "moved_day", GRADE_C),
        (knock, "knock_day", GRADE_B),
    ):
        began = np.rint(_remembered(case, since) * DAY_HOURS).astype(np.int64) - first_hour
        here = free & (np.abs(shift) >= CLEAR_K) & (claim.grade < grade)
        claim.say(here & pair, grade, TrustReason.SWAPPED, began, shift)
        claim.say(here & ~pair, grade, TrustReason.MOVED, began, shift)
    claim.lied[:] |= free & (np.abs(carried) >= CLEAR_K)


def jumps(sensors: SensorHours, offset_k: Floats) -> list[Jump]:
    """All sharp steps of a window that stayed for a while, by sensor and hour.

    A step back that ends an earlier jump is not a jump of its own.
    """
    found: list[Jump] = []
    for sensor, hour in zip(*np.nonzero(_sharp(sensors, offset_k)), strict=True):
        jump = _follow(sensors, offset_k[sensor], int(sensor), int(hour))
        last = found[-1] if found and found[-1].sensor == jump.sensor else None
        if last is not None and hour - last.hour <= 1:
            continue  # the same step, seen from two hours
        if last is not None and _takes_back(jump, last):
            continue
        if jump.ended > jump.hour + DOUBT_AFTER_H:
            found.append(jump)
    return _with_exchanges(found, sensors, offset_k)


def _takes_back(jump: Jump, last: Jump) -> bool:
    opposite = jump.step_k * last.step_k < 0.0
    return opposite and 0 <= last.ended - jump.hour <= BLOCK_H + NEAR_H


def _sharp(sensors: SensorHours, offset_k: Floats) -> Flags:
    """Hours that hold a whole step between two calm hours, (sensors, hours)."""
    sharp = np.zeros(offset_k.shape, bool)
    with np.errstate(invalid="ignore"):
        row, hour = np.nonzero(np.abs(offset_k[:, 2:] - offset_k[:, :-2]) >= LEAST_K)
    hour = hour + 1
    before, at, after = (offset_k[row, hour + beside] for beside in (-1, 0, 1))
    step = np.abs(after - before)
    wide = sensors.max_c[row, hour] - sensors.min_c[row, hour]
    inside = (wide >= MOST * step) & (wide <= 1.3 * step + CALM_K)
    edge = (np.abs(at - before) >= MOST * step) & (wide <= MOST * step)
    sharp[row, hour] = (
        _often(sensors, row, hour, step)
        & _calm(sensors, offset_k, row, hour, step)
        & _steady(offset_k, row, hour, step)
        & (inside | edge)
    )
    return sharp


def _often(sensors: SensorHours, row: Ints, hour: Ints, step: Floats) -> Flags:
    """Whether enough was read in the hours of steps and beside them."""
    within = sensors.samples[row, hour]
    beside = np.minimum(sensors.samples[row, hour - 1], sensors.samples[row, hour + 1])
    return np.asarray((within >= OFTEN) & (beside >= np.where(step >= PLAIN_K, 1, OFTEN)))


def _calm(sensors: SensorHours, offset_k: Floats, row: Ints, hour: Ints, step: Floats) -> Flags:
    """Whether the hours before and after steps are calm, but for what the peers did as well."""
    before = _wide(sensors, offset_k, row, hour - 1)
    after = _wide(sensors, offset_k, row, hour + 1)
    after -= _under_way(sensors, offset_k, row, hour, step)
    calm = CALM_K + CALM_SHARE * step
    return np.asarray((before <= calm) & (after <= calm) & (before + after <= RAMP * step))


def _wide(sensors: SensorHours, offset_k: Floats, row: Ints, hour: Ints) -> Floats:
    """How far readings of some hours lie apart, beyond what the peers' level moves in them, K."""
    first, last = np.maximum(hour - 1, 0), np.minimum(hour + 1, offset_k.shape[1] - 1)
    own = offset_k[row, last] - offset_k[row, first]
    moved = sensors.mean_c[row, last] - sensors.mean_c[row, first] - own
    spread = sensors.max_c[row, hour] - sensors.min_c[row, hour]
    return np.asarray(spread - np.nan_to_num(np.abs(moved)) / 2.0)


def _under_way(
    sensors: SensorHours, offset_k: Floats, row: Ints, hour: Ints, step: Floats
) -> Floats:
    """What the hour of a plain step leaves for the next, K: its last reading was taken on the way.

    The sensor has arrived by the hour after; a room goes on.
    """
    last = offset_k.shape[1] - 1
    then, later = np.minimum(hour + 2, last), np.minimum(hour + 3, last)
    rest = np.maximum(step - (sensors.max_c[row, hour] - sensors.min_c[row, hour]), 0.0)
    with np.errstate(invalid="ignore"):
        arrived = np.abs(offset_k[row, then] - offset_k[row, later]) <= STEADY_K
        return np.where((step >= PLAIN_K) & arrived & (hour + 3 <= last), rest, 0.0)


def _steady(offset_k: Floats, row: Ints, hour: Ints, step: Floats) -> Flags:
    """Whether the hours before and after steps are level, and not ramps that they are part of."""
    slack = STEADY_K + STEADY_SHARE * step
    steady = np.ones(step.shape, bool)
    for near, far in ((-1, -3), (1, 3)):
        there = (hour + far >= 0) & (hour + far < offset_k.shape[1])
        wander = offset_k[row, hour + near] - offset_k[row, np.where(there, hour + far, 0)]
        with np.errstate(invalid="ignore"):
            steady &= ~(there & (np.abs(wander) > slack))
    return steady


def _follow(sensors: SensorHours, offset: Floats, sensor: int, hour: int) -> Jump:
    """What became of a step: from when on it is certain, and when its level came back."""
    width = len(offset)
    past = offset[max(0, hour - BEFORE_H) : hour]
    never = Jump(sensor, hour, 0.0, 0.0, 0.0, 0.0, width, hour)
    near, then = past[-NEAR_H:], offset[hour + 1 : hour + 1 + NEAR_H]
    if np.isnan(past).sum() > len(past) // 2 or len(past) < BEFORE_H // 2 or np.isnan(then).all():
        return never
    reference, edge = float(np.nanmedian(past)), float(np.nanmedian(near[~np.isnan(near)]))
    step = float(np.nanmedian(then)) - edge
    calm = CALM_K + CALM_SHARE * abs(step)
    if not (abs(past[-1] - edge) <= calm and abs(then[0] - (edge + step)) <= calm):
        return never
    sign = 1.0 if step > 0.0 else -1.0
    size = min(abs(step), max(sign * (edge + step - reference), 0.0))
    level = sensors.mean_c[sensor]
    before_c, after_c = float(level[hour - 1]), float(level[hour + 1])
    if size < LEAST_K or sign * (after_c - before_c) < MOST * size:
        return never  # it is the peers that moved
    if size < PLAIN_K and sign * (edge - reference) > STEADY_K + STEADY_SHARE * size / 2.0:
        return never  # it was under way already
    settled_c = float(np.nanmedian(level[hour + 1 : hour + 1 + NEAR_H]))
    ended = _end(offset - reference, level - settled_c, hour, sign * size)
    wait = LARGE_AFTER_H if size >= LARGE_K else SMALL_AFTER_H
    confirmed = hour + wait if size >= SMALL_K else width
    return Jump(
        sensor,
        hour,
        sign * size,
        before_c,
        after_c,
        reference,
        confirmed if confirmed < ended else width,
        ended,
    )


def _end(shift: Floats, beyond: Floats, hour: int, step: float) -> int:
    """When a level came back, or went on as a room's does while heat is the matter.

    ``shift`` is the distance from the peers since before the step, ``beyond`` the room's level
    since after it, K (hours,).
    """
    width, sign, size = len(shift), np.sign(step), abs(step)
    further = GOES_ON * max(size, 1.0)
    while_h = GOES_ON_H if step >= LARGE_K else SMALL_AFTER_H
    for at in range(hour + NEAR_H, width):
        block = slice(max(hour + 1, at - BLOCK_H + 1), at + 1)
        if np.isnan(shift[block]).all():
            continue
        now = sign * float(np.nanmedian(shift[block]))
        on = sign * float(np.nanmedian(beyond[block]))
        early = at <= hour + while_h
        if now < BACK * size or (early and on > further and gone_on(now, size)):
            return at
    return width


def gone_on(now: Any, size: Any) -> Any:
    """Whether a level has gone on beyond its step, K, as a room's does."""
    return now > size + GOES_ON * np.maximum(size, 1.0)


def _with_exchanges(found: Sequence[Jump], sensors: SensorHours, offset_k: Floats) -> list[Jump]:
    """The jumps with those replaced that are half of an exchange with another sensor."""
    pairs = exchanges(sensors, offset_k)
    hours: dict[int, list[int]] = {}
    for jump in pairs:
        hours.setdefault(jump.sensor, []).append(jump.hour)
    alone = [
        jump
        for jump in found
        if all(abs(jump.hour - hour) > 1 for hour in hours.get(jump.sensor, ()))
    ]
    return sorted([*alone, *pairs], key=lambda jump: (jump.sensor, jump.hour))


def airing(case: Case) -> Claim:
    """The hours after a sudden fall: a window, most likely, and no evidence that a room is cold."""
    claim = Claim.nothing(case.shape)
    offset, level, hours = case.offset_k, case.sensors.mean_c, case.shape[1]
    for hour in range(2, hours):
        before = np.fmax(offset[:, hour - 1], offset[:, hour - 2])
        fall = before - offset[:, hour]
        with np.errstate(invalid="ignore"):
            calm = np.abs(offset[:, hour - 1] - offset[:, hour - 2]) < AIRING_K / 2
            fell = calm & (fall >= AIRING_K) & (level[:, hour - 1] - level[:, hour] >= AIRING_K)
        for later in range(hour, min(hour + AIRING_H, hours)):
            with np.errstate(invalid="ignore"):
                open_still = fell & (before - offset[:, later] >= AIRING_K / 2)
            cells = claim.part((slice(None), later))
            cells.say(open_still, GRADE_B, TrustReason.WINDOW, hour, fall)
    return claim
