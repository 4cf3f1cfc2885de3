"""How far a room sensor can be believed: grades A, B, C with the reason.

A may open a ticket alone; B needs a neighbour or a call; C opens a *sensor* ticket instead.
This module knows one lie so far, the stuck sensor: a chip or radio that repeats one value. Many
hours of one value happen to healthy sensors in calm rooms: on fourteen measured ones of 0.05 to
0.15 K resolution the longest run in a season was 23 h. A whole day while the neighbours move does
not, and meanwhile a sensor that stands still is believed only together with a neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HOUR = timedelta(hours=1)

SUSPECT_HOURS = 3
SUSPECT_SAMPLES = 9
STUCK_HOURS = 24
STUCK_SAMPLES = 24
STUCK_ALONE_HOURS = 36  # without peers to compare with
PEERS_MOVED_K = 0.5
ONE_VALUE_K = 0.011  # readings of one value differ by storage rounding at most


class Grade(StrEnum):
    """How far a sensor is believed."""

    A = "A"
    B = "B"
    C = "C"


class TrustReason(StrEnum):
    """Why a sensor has its grade."""

    GOOD = "good"
    SUSPECT_FLAT = "suspect_flat"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class SensorHours:
    """Hourly statistics of sensors: arrays (sensors, hours), NaN or 0 where nothing arrived.

    ``peer_group`` numbers, per sensor, those that should move together (one building).
    """

    start: datetime
    mean_c: Floats
    min_c: Floats
    max_c: Floats
    samples: NDArray[np.int64]
    peer_group: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Trust:
    """Judgement per sensor and hour, shapes (sensors, hours).

    ``suspect`` is B or worse, ``stuck`` is C; ``flat_hours`` how long one value has been repeated;
    ``peers_moved_k`` by how much the peers' median moved in the trailing ``STUCK_HOURS``.
    """

    suspect: NDArray[np.bool_]
    stuck: NDArray[np.bool_]
    flat_hours: NDArray[np.int64]
    peers_moved_k: Floats


def judge(sensors: SensorHours) -> Trust:
    """Grade every sensor at every hour of the window, from what was known at its end."""
    flat_hours, flat_samples = _flat_runs(sensors)
    moved = _peers_moved(sensors)
    has_peers = ~np.isnan(moved)
    suspect = (flat_hours >= SUSPECT_HOURS) & (flat_samples >= SUSPECT_SAMPLES)
    long_enough = (flat_hours >= STUCK_HOURS) & (flat_samples >= STUCK_SAMPLES)
    moving = np.where(has_peers, moved >= PEERS_MOVED_K, flat_hours >= STUCK_ALONE_HOURS)
    return Trust(suspect, _sticky(long_enough & moving, flat_hours), flat_hours, moved)


def _sticky(stuck: NDArray[np.bool_], flat_hours: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Once stuck, stuck for the rest of the run: calm peers do not clear a sensor, moving does."""
    result = stuck.copy()
    for hour in range(1, stuck.shape[1]):
        same_run = flat_hours[:, hour] >= flat_hours[:, hour - 1]
        result[:, hour] |= result[:, hour - 1] & same_run & (flat_hours[:, hour] > 0)
    return result


def _flat_runs(sensors: SensorHours) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Hours and samples for which each sensor has repeated one value, at every hour."""
    count, hours = sensors.mean_c.shape
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


def _peers_moved(sensors: SensorHours) -> Floats:
    """Range of the peers' median over the trailing STUCK_HOURS, (sensors, hours); NaN if alone."""
    moved = np.full(sensors.mean_c.shape, np.nan)
    for group in np.unique(sensors.peer_group):
        rows = np.flatnonzero(sensors.peer_group == group)
        if len(rows) < 3:
            continue
        level = sensors.mean_c[rows]
        known = ~np.isnan(level).all(axis=0)
        median = np.full(level.shape[1], np.nan)
        median[known] = np.nanmedian(level[:, known], axis=0)
        moved[rows] = _trailing_range(median, STUCK_HOURS)
    return moved


def _trailing_range(series: Floats, width: int) -> Floats:
    padded = np.concatenate([np.full(width - 1, np.nan), series])
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)
    known = ~np.isnan(windows).all(axis=1)
    spread = np.full(len(series), np.nan)
    spread[known] = np.nanmax(windows[known], axis=1) - np.nanmin(windows[known], axis=1)
    return spread
