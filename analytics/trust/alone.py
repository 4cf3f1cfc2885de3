"""Doubts about a sensor that is cold alone: is it the room, or what the sensor hangs on?

Both doubts are B: such a sensor needs a cold neighbour or a call, and is believed as soon as either
comes or the doubt ends.

**Untried.** A sensor that has lain far below its peers ever since it was first heard may hang on a
balcony or an outer wall. How it answers to the outdoor air tells, a day or some days later; until
that speaks for the room, it is doubted. A room that was well and got cold is not concerned.

**Unfelt.** A truly cold dwelling pulls its neighbours down (``analytics.trust.walls``). What they
say for the room and against it is a ratio of likelihoods; a trend as of a drifting sensor adds to
it, where the neighbours do not speak against.
"""

from __future__ import annotations

import numpy as np

from analytics.trust.hung import (
    WANDERS_K,
    felt_outdoors,
    mean_offset,
    scatter,
    weather_slopes,
)
from analytics.trust.model import (
    DAY_HOURS,
    GRADE_B,
    Case,
    Claim,
    Flags,
    Floats,
    Ints,
    TrustReason,
)
from analytics.trust.walls import UNFELT, against_the_room
from analytics.trust.witness import falling

FAR_K = 1.0
"""Below its peers: more than three times what healthy dwellings are."""
NEAR_H = 6
"""Hours whose mean says where a new sensor lies."""
ROOM_KK = 0.012
"""How truly cold rooms answer to the outdoor air within two hours, K/K."""
FOR_THE_ROOM = 1.0
"""Log likelihood by which the response must speak for the room before it is believed: e to one."""
UNFELT_K = 1.2
"""Nearer than that neighbours feel too little to tell."""
BLOCK_H, LEAST_H = 48, 24


def untried(case: Case) -> Claim:
    """Far below its peers from the first, and its responses do not yet speak for the room."""
    claim = Claim.nothing(case.shape)
    day, known = _days(case)
    tried = case.past["days"][:, day] >= 1.0 if case.past.days else np.zeros(case.shape, bool)
    level = _trailing(case.offset_k, NEAR_H, 1)
    with np.errstate(invalid="ignore"):
        far_always = np.maximum.accumulate(np.nan_to_num(level, nan=-np.inf), axis=1) <= -FAR_K
        new = far_always & (level <= -FAR_K) & ~(np.nan_to_num(tried) & known).astype(bool)
    claim.say(new, GRADE_B, TrustReason.UNTRIED, 0, level)
    if case.past.days:
        open_ = _open(case)[:, day] & known
        claim.say(open_, GRADE_B, TrustReason.UNTRIED, 0, mean_offset(case.past)[:, day])
    return claim


def _open(case: Case) -> Flags:
    """Days after which the outdoor air may still explain all its cold, (sensors, days)."""
    past = case.past
    outdoor, _ = weather_slopes(past)
    level = mean_offset(past)
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = level / felt_outdoors(case.around)
        speaks = (outdoor.slope - whole) ** 2 - (outdoor.slope - ROOM_KK) ** 2
        speaks = np.where(outdoor.slope > whole, -np.inf, speaks / (2.0 * outdoor.error**2))
        far = (level <= -FAR_K) & (scatter(past) <= WANDERS_K)
        return np.asarray(far & (whole > 2.0 * ROOM_KK) & (speaks < FOR_THE_ROOM))


def unfelt(case: Case) -> Claim:
    """Cold, and the dwellings beside it do not feel it."""
    claim = Claim.nothing(case.shape)
    if case.around.walls is None:
        return claim
    level = _trailing(case.offset_k, BLOCK_H, LEAST_H)
    against = against_the_room(level, case.around.walls)
    with np.errstate(invalid="ignore"):
        against += np.where(against >= 0.0, _trend(case), 0.0)
        doubt = (level <= -UNFELT_K) & (against >= UNFELT)
    first = np.maximum(np.arange(case.shape[1]) + 1 - BLOCK_H, 0)
    claim.say(doubt, GRADE_B, TrustReason.UNFELT, first, level)
    return claim


def _trend(case: Case) -> Floats:
    """What a slow fall in memory says for a lie, (sensors, hours)."""
    if not case.past.days:
        return np.zeros(case.shape)
    day, known = _days(case)
    return np.where(known, falling(case.past)[:, day], 0.0)


def _trailing(values: Floats, width: int, least: int) -> Floats:
    """Mean over the trailing hours, (sensors, hours); NaN where fewer than ``least`` are known."""
    known = np.cumsum(~np.isnan(values), axis=1, dtype=np.float64)
    total = np.cumsum(np.nan_to_num(values), axis=1)
    for sums in (known, total):
        sums[:, width:] -= sums[:, :-width].copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known >= least, total / known, np.nan)


def _days(case: Case) -> tuple[Ints, Flags]:
    """The last day of memory before each hour of the window, and whether there is one, (hours,)."""
    first_hour = int(case.sensors.start.timestamp() // 3600)
    day = (first_hour + np.arange(case.shape[1])) // DAY_HOURS - 1 - case.past.first_day
    return np.clip(day, 0, max(case.past.days - 1, 0)), (day >= 0) & (case.past.days > 0)
