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
from dataclasses import dataclass, replace

import numpy as np

from analytics.trust.model import (
    DAY_HOURS,
    GRADE_B,
    GRADE_C,
    Case,
    Claim,
    Flags,
    Floats,
    Ints,
    SensorHours,
    TrustReason,
    day_number,
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
MOST = 0.6
"""Share of the step that the hour of a jump must hold, inside or at its edge; a sensor's case may
take the rest into the next hour."""
OFTEN = 2
"""Readings an hour that it takes to tell a jump from a quick change; of an hourly sensor nothing is
said."""
STEADY_K, STEADY_SHARE = 0.2, 0.25
"""By how much the level may wander in two hours before, and after."""
BEFORE_H, NEAR_H, BLOCK_H = 12, 3, 6
LARGE_AFTER_H, SMALL_AFTER_H, DOUBT_AFTER_H = 18, 30, 2
BACK = 0.4
"""A level that has come back to within this share of the step ends the claim."""
GOES_ON = 0.4
"""A level that goes on by this share of the step, the room's own and the distance from its peers,
is a room that cools or warms."""
CLEAR_K = 0.5
"""Level shifts of less are no longer worth a ticket (the instrument's tolerance)."""
EXCHANGE_K = 0.35
"""After an exchange each sensor shows the other's room: to within three times the noise of
means."""

AIRING_K, AIRING_H = 0.5, 3


@dataclass(frozen=True, slots=True)
class Jump:
    """One sharp step of a sensor; hours are of the window, ``ended`` its width while it lasts.

    ``confirmed`` is the hour from which the sensor is C (the window's width where never).
    """

    sensor: int
    hour: int
    step_k: float
    before_c: float
    after_c: float
    confirmed: int
    ended: int
    exchanged: bool = False


def moved(case: Case) -> Claim:
    """Sensors whose level jumped: doubted at first, C once the new level has stayed."""
    claim = Claim.nothing(case.shape)
    found = jumps(case.sensors, case.offset_k)
    _carry_over(case, claim, found)
    hours = np.arange(case.shape[1])
    settled = _settled(case)
    for jump in found:
        if settled[jump.sensor] > jump.hour:
            continue
        last = min(jump.confirmed, jump.ended, jump.hour + SMALL_AFTER_H)
        doubted = (hours >= jump.hour + DOUBT_AFTER_H) & (hours < last)
        proven = (hours >= jump.confirmed) & (hours < jump.ended)
        mine = claim.part(jump.sensor)
        reason = TrustReason.SWAPPED if jump.exchanged else TrustReason.MOVED
        mine.say(doubted & (mine.grade < GRADE_B), GRADE_B, reason, jump.hour, jump.step_k)
        mine.say(proven, GRADE_C, reason, jump.hour, jump.step_k)
        if proven.any():
            mine.lied[jump.hour : jump.ended] = True
    return claim


def _settled(case: Case) -> Floats:
    """The hour from which each sensor's level is certified; before all hours where none is."""
    certified = case.around.certified_hour
    if certified is None:
        return np.full(case.shape[0], -np.inf)
    return np.where(np.isnan(certified), -np.inf, certified)


def _carry_over(case: Case, claim: Claim, found: Sequence[Jump]) -> None:
    """Level shifts that memory knows from before the window, until a jump takes them back."""
    if case.past.days == 0:
        return
    day = day_number(case.sensors.start) - 1 - case.past.first_day
    if not 0 <= day < case.past.days:
        return
    shift = np.nan_to_num(case.past["moved_k"][:, day])
    began = np.nan_to_num(case.past["moved_day"][:, day])
    rows = np.abs(shift) >= CLEAR_K
    rows &= _settled(case) < 0.0
    if not rows.any():
        return
    total = np.repeat(shift[:, None], case.shape[1], axis=1)
    for jump in found:
        if rows[jump.sensor]:
            total[jump.sensor, jump.confirmed : jump.ended] += jump.step_k
    since = ((began * DAY_HOURS) - case.sensors.start.timestamp() // 3600).astype(np.int32)[:, None]
    still = rows[:, None] & (np.abs(total) >= CLEAR_K)
    claim.say(still, GRADE_C, TrustReason.MOVED, since, total)
    claim.lied[still] = True


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
    return _exchanged(found, sensors)


def _takes_back(jump: Jump, last: Jump) -> bool:
    opposite = jump.step_k * last.step_k < 0.0
    return opposite and 0 <= last.ended - jump.hour <= BLOCK_H + NEAR_H


def _sharp(sensors: SensorHours, offset_k: Floats) -> Flags:
    """Hours that hold a whole step between two calm hours, (sensors, hours)."""
    sharp = np.zeros(offset_k.shape, bool)
    with np.errstate(invalid="ignore"):
        row, hour = np.nonzero(np.abs(offset_k[:, 2:] - offset_k[:, :-2]) >= LEAST_K)
    hour = hour + 1
    spread = sensors.max_c - sensors.min_c
    before, at, after = (offset_k[row, hour + beside] for beside in (-1, 0, 1))
    wide_before, wide, wide_after = (spread[row, hour + beside] for beside in (-1, 0, 1))
    step = np.abs(after - before)
    calm = CALM_K + CALM_SHARE * step
    often = np.min([sensors.samples[row, hour + beside] for beside in (-1, 0, 1)], axis=0)
    inside = (wide >= MOST * step) & (wide <= 1.3 * step + CALM_K)
    edge = (np.abs(at - before) >= MOST * step) & (wide <= MOST * step)
    sharp[row, hour] = (
        (wide_before <= calm)
        & (wide_after <= calm)
        & (often >= OFTEN)
        & ((_between(sensors, row, hour) <= calm + CALM_SHARE * step) | (step >= PLAIN_K))
        & _steady(offset_k, row, hour, step)
        & (inside | edge)
    )
    return sharp


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


def _between(sensors: SensorHours, row: Ints, hour: Ints) -> Floats:
    """How far the middle one of an hour's three readings lies from the nearer end, K.

    Two levels leave no reading between them; of three readings mean and range tell the third. Of
    more readings half the range is the best that is known, of fewer nothing is between.
    """
    low, high = sensors.min_c[row, hour], sensors.max_c[row, hour]
    middle = 3.0 * sensors.mean_c[row, hour] - low - high
    nearer = np.minimum(np.abs(middle - low), np.abs(high - middle))
    samples = sensors.samples[row, hour]
    return np.where(samples == 3, nearer, np.where(samples > 3, (high - low) / 4.0, 0.0))


def _follow(sensors: SensorHours, offset: Floats, sensor: int, hour: int) -> Jump:
    """What became of a step: from when on it is certain, and when its level came back."""
    width = len(offset)
    past = offset[max(0, hour - BEFORE_H) : hour]
    never = Jump(sensor, hour, 0.0, 0.0, 0.0, width, hour)
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
    for at in range(hour + NEAR_H, width):
        block = slice(max(hour + 1, at - BLOCK_H + 1), at + 1)
        if np.isnan(shift[block]).all():
            continue
        now = sign * float(np.nanmedian(shift[block]))
        on = sign * float(np.nanmedian(beyond[block]))
        early = at <= hour + SMALL_AFTER_H
        if now < BACK * size or (early and on > further and now > size + further):
            return at
    return width


def _exchanged(found: Sequence[Jump], sensors: SensorHours) -> list[Jump]:
    """Mark pairs that took each other's level in the same hour: two sensors changed dwellings."""
    marked = list(found)
    by_time: dict[int, list[int]] = {}
    for number, jump in enumerate(found):
        by_time.setdefault(int(sensors.peer_group[jump.sensor]), []).append(number)
    for numbers in by_time.values():
        for one in numbers:
            for other in numbers:
                if one < other and _exchange(found[one], found[other]):
                    for number in (one, other):
                        jump = found[number]
                        sure = min(jump.confirmed, jump.hour + LARGE_AFTER_H)
                        width = sensors.shape[1]
                        sure = (
                            sure if sure < max(jump.ended, jump.hour + LARGE_AFTER_H + 1) else width
                        )
                        marked[number] = replace(jump, confirmed=sure, ended=width, exchanged=True)
    return marked


def _exchange(one: Jump, other: Jump) -> bool:
    return (
        abs(one.hour - other.hour) <= 1
        and one.step_k * other.step_k < 0.0
        and abs(one.after_c - other.before_c) <= EXCHANGE_K
        and abs(other.after_c - one.before_c) <= EXCHANGE_K
    )


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
