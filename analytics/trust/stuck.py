"""The stuck sensor: a chip or radio that repeats one value.

Many hours of one value happen to healthy sensors in calm rooms: on fourteen measured ones of 0.05
to 0.15 K resolution the longest run in a season was 23 h. A whole day while the neighbours move
does not, and meanwhile a sensor that stands still is believed only together with a neighbour.
"""

from __future__ import annotations

import numpy as np

from analytics.trust.model import (
    GRADE_B,
    GRADE_C,
    Case,
    Claim,
    Flags,
    Floats,
    Ints,
    SensorHours,
    TrustReason,
)
from analytics.trust.peers import groups, median

SUSPECT_HOURS = 3
SUSPECT_SAMPLES = 9
STUCK_HOURS = 24
STUCK_SAMPLES = 24
STUCK_ALONE_HOURS = 36  # without peers to compare with
PEERS_MOVED_K = 0.5
ONE_VALUE_K = 0.011  # readings of one value differ by storage rounding at most


def stuck(case: Case) -> Claim:
    """B after hours of one value, C after a day of it while the peers moved."""
    flat, moved = case.flat_hours, case.peers_moved_k
    suspect = (flat >= SUSPECT_HOURS) & (case.flat_samples >= SUSPECT_SAMPLES)
    long_enough = (flat >= STUCK_HOURS) & (case.flat_samples >= STUCK_SAMPLES)
    moving = np.where(np.isnan(moved), flat >= STUCK_ALONE_HOURS, moved >= PEERS_MOVED_K)
    proven = _sticky(long_enough & moving, flat)
    claim = Claim.nothing(case.shape)
    since = np.arange(case.shape[1]) + 1 - flat
    value = _last_known(case.sensors.mean_c)
    claim.say(suspect, GRADE_B, TrustReason.SUSPECT_FLAT, since, value)
    claim.say(proven, GRADE_C, TrustReason.STUCK, since, value)
    claim.lied[:] = _back_to_the_start(proven, flat)
    return claim


def _last_known(level: Floats) -> Floats:
    """The value each sensor showed last, at every hour."""
    hours = np.arange(level.shape[1])
    at = np.maximum.accumulate(np.where(np.isnan(level), 0, hours), axis=1)
    return np.take_along_axis(level, at, axis=1)


def _sticky(proven: Flags, flat_hours: Ints) -> Flags:
    """Once stuck, stuck for the rest of the run: calm peers do not clear a sensor, moving does."""
    result = proven.copy()
    for hour in range(1, proven.shape[1]):
        same_run = flat_hours[:, hour] >= flat_hours[:, hour - 1]
        result[:, hour] |= result[:, hour - 1] & same_run & (flat_hours[:, hour] > 0)
    return result


def _back_to_the_start(proven: Flags, flat_hours: Ints) -> Flags:
    """Hours of a flat run that ended up stuck, including those before it was known."""
    lied = proven.copy()
    for hour in range(lied.shape[1] - 1, 0, -1):
        lied[:, hour - 1] |= lied[:, hour] & (flat_hours[:, hour] > 1)
    return lied


def flat_runs(sensors: SensorHours) -> tuple[Ints, Ints]:
    """Hours and samples for which each sensor has repeated one value, at every hour."""
    count, hours = sensors.shape
    run_hours = np.zeros((count, hours), np.int64)
    run_samples = np.zeros((count, hours), np.int64)
    value = np.full(count, np.nan)
    length = np.zeros(count, np.int64)
    samples = np.zeros(count, np.int64)
    for hour in range(hours):
        known = sensors.samples[:, hour] > 0
        level = sensors.mean_c[:, hour]
        still = known & (sensors.max_c[:, hour] - sensors.min_c[:, hour] < ONE_VALUE_K)
        same = still & (np.abs(level - value) < ONE_VALUE_K)
        length = np.where(same, length + 1, np.where(still, 1, np.where(known, 0, length)))
        fresh = np.where(still, sensors.samples[:, hour], 0)
        samples = np.where(same, samples + fresh, np.where(known, fresh, samples))
        value = np.where(known, level, value)
        run_hours[:, hour], run_samples[:, hour] = length, samples
    return run_hours, run_samples


def peers_moved(sensors: SensorHours) -> Floats:
    """Range of the peers' median over the trailing STUCK_HOURS, (sensors, hours); NaN if alone."""
    moved = np.full(sensors.shape, np.nan)
    for rows in groups(sensors.peer_group):
        if len(rows) < 3:
            continue
        moved[rows] = _trailing_range(median(sensors.mean_c[rows], 1), STUCK_HOURS)
    return moved


def _trailing_range(series: Floats, width: int) -> Floats:
    padded = np.concatenate([np.full(width - 1, np.nan), series])
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)
    known = ~np.isnan(windows).all(axis=1)
    spread = np.full(len(series), np.nan)
    spread[known] = np.nanmax(windows[known], axis=1) - np.nanmin(windows[known], axis=1)
    return spread
