"""Slow lies as the daily memory shows them, and when what was told is no longer believed.

A lie that needs days to show lies near its limit for days: once told it stays told until it shows
clearly less than it would have to, or until the sensor is moved or certified. So a sensor on a
balcony does not turn believable because a calm day has widened an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from analytics.trust.drift import shown_drift
from analytics.trust.hung import shown_outdoors, shown_radiator, shown_sun
from analytics.trust.model import (
    COLUMN,
    DAY_HOURS,
    GRADE_B,
    GRADE_C,
    NUMBER,
    Case,
    Claim,
    Facts,
    Floats,
    Shown,
    Surroundings,
    TrustReason,
)
from analytics.trust.witness import shown_unfelt

SHOWS: Sequence[Callable[[Facts, Surroundings], Shown]] = (
    shown_sun,
    shown_radiator,
    shown_outdoors,
    shown_drift,
    shown_unfelt,
)
"""What betrays slow lies, the plainest first."""
TOLD = COLUMN["told"]
BESIDES_K = 1.5
"""Colder than a constant lie by four times what a healthy dwelling's hours scatter (0.35 K)."""
VAGUE = float(NUMBER[TrustReason.UNFELT])
"""Says that it lies and not how; whatever says how takes its place."""


def keep_told(row: Floats, around: Surroundings) -> None:
    """Note which slow lie each sensor is told of at the end of a day, in place."""
    past = Facts(0, row[:, None, :].astype(np.float32))
    told = row[:, TOLD]
    for show in SHOWS:
        shown = show(past, around)
        number = float(NUMBER[shown.reason])
        told[(told == number) & ~shown.stays[:, 0]] = 0.0
        told[((told == 0.0) | (told == VAGUE)) & shown.sure[:, 0]] = number
    row[:, TOLD] = told


def slow_lies(case: Case) -> Claim:
    """What the days before each hour told of it: C from the day it was sure, B while in doubt."""
    claim = Claim.nothing(case.shape)
    if case.past.days == 0:
        return claim
    first_hour = int(case.sensors.start.timestamp() // 3600)
    hours = np.arange(case.shape[1])
    day = (first_hour + hours) // DAY_HOURS - 1 - case.past.first_day
    known, day = day >= 0, np.clip(day, 0, case.past.days - 1)
    began = (case.past.first_day + 1.0 + np.arange(case.past.days)) - case.past["days"]
    since = (np.nan_to_num(began) * DAY_HOURS - first_hour).astype(np.int64)[:, day]
    told = case.past["told"]
    for show in SHOWS:
        shown = show(case.past, case.around)
        free = known & (case.uncertified() if shown.certifiable else True)
        measure = shown.measure[:, day]
        if shown.constant:
            with np.errstate(invalid="ignore"):
                free = free & ~(case.offset_k < measure - BESIDES_K)
        sure = (told == NUMBER[shown.reason])[:, day] & free
        doubt = shown.doubted[:, day] & free & (claim.grade < GRADE_B) & ~sure
        claim.say(doubt, GRADE_B, shown.reason, since, measure)
        claim.say(sure & (claim.grade < GRADE_C), GRADE_C, shown.reason, since, measure)
    _lied(case, claim)
    return claim


def _lied(case: Case, claim: Claim) -> None:
    """A lie that was told lasted from its beginning to the last hour it is told of, in place."""
    hours = np.arange(case.shape[1])
    sure = claim.grade == GRADE_C
    earliest = np.where(sure, claim.since, case.shape[1]).min(axis=1, initial=case.shape[1])
    latest = np.where(sure, hours, -1).max(axis=1, initial=-1)
    claim.lied[:] = (hours >= earliest[:, None]) & (hours <= latest[:, None])
    drifts = sure & (claim.reason == NUMBER[TrustReason.DRIFT])
    only = drifts.any(axis=1) & ~(sure & ~drifts).any(axis=1)
    claim.lied[only] = drifts[only]  # small at first: only from when it is told
