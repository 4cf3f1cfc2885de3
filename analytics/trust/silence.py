"""Sensors that say nothing, or at the wrong time: gateway out, battery, silent, skewed clock.

Missing is never cold. Silence is told from its neighbours' silence: sensors that fall silent
together lost their gateway, one finding for the building; one that falls silent alone lost its
battery, or left. A low battery alone is no reason to doubt a reading.

**A backlog is no silence.** The window reaches as far as nearly all sensors do. A gateway that was
cut off and now hands over what it stored is behind that, but alive: messages of it arrive, of hours
long past. What it has not told yet is awaited, and judged when it has.
"""

from __future__ import annotations

import numpy as np

from analytics.trust.model import GRADE_B, GRADE_C, Case, Claim, Flags, Floats, Ints, TrustReason
from analytics.trust.peers import groups

GATEWAY_SENSORS = 3
"""Sensors of a gateway that must have spoken before their silence says anything about it; of two,
which is all that many buildings have, both must fall silent in the same hour."""
PAIR = 2
GATEWAY_SHARE = 0.1
"""Of them may still be heard (by another gateway) while theirs is out."""
GATEWAY_HOURS, PAIR_HOURS = 2, 4
"""Whole hours without a word: a restart or a lost hour of the uplink is shorter. Two sensors that
speak hourly lose the same two hours by chance once in a while."""
MEMORY_HOURS = 24
"""Sensors that spoke within so many hours count as speaking."""

SILENT_HOURS, SILENT_INTERVALS = 12, 8
"""Silent: so many hours, and intervals. Radios that save their battery speak every eighth time."""
LOW_BATTERY_PCT = 15.0
"""Below this a silence is put down to the battery after half the time: cells of a sensor keep
their voltage and then drop, so the last charge told is rarely zero."""

ARRIVING_S = 300.0
"""More than a few of a gateway's sensors were heard so shortly before the last arrival of all: it
is handing over."""

SKEW_S = 1800.0
"""A clock off by half an hour dates readings into the wrong hour of a verdict. The value is right,
so this is B and never C."""


def gateway_out(case: Case) -> Claim:
    """All sensors of a gateway silent together; the claim stands at each of them."""
    claim = Claim.nothing(case.shape)
    spoke = case.sensors.samples > 0
    gateway = _gateway(case)
    out, since = outages(spoke, gateway)
    out &= ~_awaited(spoke, gateway, case.around.heard_s, (out, since))
    claim.say(out, GRADE_C, TrustReason.GATEWAY_OUT, since, np.arange(case.shape[1]) + 1.0 - since)
    return claim


def silent(case: Case) -> Claim:
    """A sensor silent on its own for longer than it ever is; one never heard has not begun yet."""
    claim = Claim.nothing(case.shape)
    spoke = case.sensors.samples > 0
    gateway = _gateway(case)
    out, since = outages(spoke, gateway)
    out |= _awaited(spoke, gateway, case.around.heard_s, (out, since))
    quiet, since = _quiet(spoke, out)
    ever = np.maximum.accumulate(spoke, axis=1)
    interval = case.around.interval_s
    hours = np.full(len(quiet), float(SILENT_HOURS))
    if interval is not None:
        learnt = SILENT_INTERVALS * np.nan_to_num(interval) / 3600.0
        hours = np.maximum(hours, learnt)
    low = np.zeros(len(quiet), bool)
    if case.around.battery_pct is not None:
        low = case.around.battery_pct < LOW_BATTERY_PCT
    limit = np.where(low, hours / 2.0, hours)[:, None]
    remembered = np.nan_to_num(case.past["w"]) > 0
    known_before = ever | remembered.any(axis=1, keepdims=True)
    told = known_before & (quiet >= limit) & ~out
    measure = quiet.astype(np.float64)
    claim.say(told & ~low[:, None], GRADE_C, TrustReason.SILENT, since, measure)
    claim.say(told & low[:, None], GRADE_C, TrustReason.BATTERY, since, measure)
    return claim


def clock_skewed(case: Case) -> Claim:
    """A clock that dates its readings into another hour."""
    claim = Claim.nothing(case.shape)
    if case.around.skew_s is None:
        return claim
    skew = np.nan_to_num(case.around.skew_s)[:, None]
    wrong = (case.sensors.samples > 0) & (np.abs(skew) >= SKEW_S)
    claim.say(wrong, GRADE_B, TrustReason.CLOCK_SKEWED, np.zeros(case.shape, np.int32), skew)
    return claim


def outages(spoke: Flags, gateway: Ints) -> tuple[Flags, Ints]:
    """Hours in which a sensor's gateway passes nothing on, and since which hour, per sensor."""
    shape = spoke.shape
    out, since = np.zeros(shape, bool), np.zeros(shape, np.int64)
    for rows in groups(gateway):
        if len(rows) < PAIR:
            continue
        heard = spoke[rows]
        recent = _spoke_within(heard, MEMORY_HOURS)
        speaking, heard_now = recent.sum(axis=0), heard.sum(axis=0)
        length, begun, active = 0, 0, 0
        for hour in range(shape[1]):
            if length == 0:
                active = int(speaking[hour])
            at_once = length > 0 or (hour > 0 and heard_now[hour - 1] == active)
            enough = active >= GATEWAY_SENSORS or (active == PAIR and at_once)
            quiet = enough and heard_now[hour] <= GATEWAY_SHARE * active
            begun = hour if quiet and length == 0 else begun
            length = length + 1 if quiet else 0
            if length >= (PAIR_HOURS if active == PAIR else GATEWAY_HOURS):
                out[rows, hour] = ~heard[:, hour]
                since[rows, hour] = begun
    return out, since


def _awaited(
    spoke: Flags, gateway: Ints, heard_s: Floats | None, outage: tuple[Flags, Ints]
) -> Flags:
    """Hours that a gateway which is handing over its backlog has not reached, (sensors, hours).

    The first that speak again, of the last hour, do not say that it has told all before it.
    """
    awaited = np.zeros(spoke.shape, bool)
    if heard_s is None:
        return awaited
    out, since = outage
    for rows in groups(gateway):
        if (heard_s[rows] <= ARRIVING_S).mean() > GATEWAY_SHARE:
            reached = np.flatnonzero(spoke[rows].any(axis=0))
            first = int(reached[-1]) + 1 if len(reached) else 0
            lasting = since[rows, -1][out[rows, -1]]
            awaited[rows, min([first, *lasting.tolist()]) :] = True
    return awaited


def _gateway(case: Case) -> Ints:
    """The gateway of each sensor, or its building where none is known."""
    known = case.around.gateway
    building = case.sensors.peer_group
    if known is None:
        return building
    return np.where(known >= 0, known, -1 - building)


def _spoke_within(spoke: Flags, hours: int) -> Flags:
    """Whether a sensor spoke in the trailing hours."""
    last = np.where(spoke, np.arange(spoke.shape[1]), -hours - 1)
    last = np.maximum.accumulate(last, axis=1)
    return np.asarray(np.arange(spoke.shape[1]) - last < hours)


def _quiet(spoke: Flags, excused: Flags) -> tuple[Ints, Ints]:
    """Hours a sensor has been silent that its gateway does not excuse, and since which hour."""
    count, hours = spoke.shape
    quiet, since = np.zeros((count, hours), np.int64), np.zeros((count, hours), np.int64)
    length, begun = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for hour in range(hours):
        fresh = spoke[:, hour]
        length = np.where(fresh, 0, length + ~excused[:, hour])
        begun = np.where(fresh, hour + 1, begun)
        quiet[:, hour], since[:, hour] = length, begun
    return quiet, since
