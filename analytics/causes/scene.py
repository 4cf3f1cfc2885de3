"""A building as it is seen at an instant: how far its dwellings lie off, where they are, who calls.

Where a place has been recovering for some hours, it is looked at as it was while it was deep: the
tail of a fault shows neither its depth nor its shape, only how fast walls warm up.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analytics.causes.shapes import DESIGN_DRIVE_K, LEAST_DRIVE_K, Seen
from analytics.snapshot import Snapshot
from hearthline.domain.places import PlaceKind

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
Bools = NDArray[np.bool_]

ROOM_C = 20.0
TRAILING_H, LEAST_H = 6, 3  # as ``localise.offsets`` takes the present
DEEP_K, RECOVERED, STILL_DEEP, OVER_H = 1.2, 0.7, 0.85, 12
"""A depression of twice what healthy rooms stray is over once less than 0.7 of it is left and half
a day has passed since it had 0.85 of it: what comes back sooner is a night's or a day's swing."""
PEERS = 4  # measured dwellings elsewhere in the building that tell where it lies as a whole
WARMER = 0.75  # three in four of those that a fault is felt by are colder than without it


@dataclass(frozen=True, slots=True)
class Scene:
    """A building's dwellings, arrays (dwellings of it,); ``first`` is the row of the first one.

    ``riser`` and ``entrance`` number the parts they belong to, −1 where there is none. ``drive_k``
    is what lies between rooms and outdoors.
    """

    first: int
    seen: Seen
    height: Floats
    riser: Index
    entrance: Index
    drive_k: float

    @property
    def scale(self) -> float:
        """How much deeper faults bite than on a day of 30 K between rooms and outdoors."""
        drive = self.drive_k if np.isfinite(self.drive_k) else DESIGN_DRIVE_K
        return max(drive, LEAST_DRIVE_K) / DESIGN_DRIVE_K

    def against_rest(self, here: Bools) -> Scene:
        """The same with offsets against what all of the building share, where others tell of it.

        That is the least cold of: those elsewhere in the building, those elsewhere in the entrance,
        and the warmer ones here. A fault in another part of the building is not shared.
        """
        known = ~np.isnan(self.seen.off_k)
        within = np.isin(self.entrance, self.entrance[here])
        rest, near, mine = known & ~here, known & ~here & within, known & here
        if np.count_nonzero(rest) < PEERS:
            return self
        shared = [float(np.median(self.seen.off_k[rest]))]
        if np.count_nonzero(near) >= PEERS:
            shared.append(float(np.median(self.seen.off_k[near])))
        if np.count_nonzero(mine) >= PEERS:
            shared.append(float(np.quantile(self.seen.off_k[mine], WARMER)))
        off = self.seen.off_k - max(shared)
        return replace(self, seen=replace(self.seen, off_k=off))


def of(snapshot: Snapshot, place: str, back_h: int = 0, lasts_h: float = 48.0) -> Scene:
    """The building of a place, as it was some hours back."""
    network = snapshot.network
    building = network.ancestor(place, PlaceKind.BUILDING) or place
    rows = network.below(building)
    codes = network.codes(rows)
    unheated, calls = snapshot.unheated, snapshot.unexplained
    called = np.array([code in calls for code in codes], bool)
    if place in snapshot.reported:  # it is asked about because it called
        called[network.index[place] - rows.start] = True
    dumb = np.array([code not in snapshot.level_c and code not in unheated for code in codes])
    off = _offsets(snapshot, rows, back_h)
    off[[code in unheated for code in codes]] = np.nan
    quiet = np.array([code not in snapshot.reported for code in codes], bool)
    silent = dumb & quiet & bool(snapshot.complaints)
    spread = snapshot.offsets[1][rows]
    riser, entrance = _parts(snapshot, building, rows)
    return Scene(
        rows.start,
        Seen(off, spread, silent, called, lasts_h),
        snapshot.places.height[rows],
        riser,
        entrance,
        _drive(snapshot, back_h),
    )


def back_to_depth(hourly_k: Floats) -> int:
    """How many hours back a course that recovers was last deep; 0 where it does not recover."""
    if len(hourly_k) <= OVER_H:
        return 0
    padded = np.concatenate([np.full(TRAILING_H - 1, np.nan), hourly_k])
    stack = np.lib.stride_tricks.sliding_window_view(padded, TRAILING_H)
    smooth = np.where((~np.isnan(stack)).sum(axis=1) >= LEAST_H, _mean(stack, axis=1), np.nan)
    if np.isnan(smooth).all():
        return 0
    deepest, now = float(np.nanmin(smooth)), float(smooth[-1])
    if deepest > -DEEP_K or not now > RECOVERED * deepest:
        return 0
    last = int(np.flatnonzero(smooth <= STILL_DEEP * deepest)[-1])
    back = len(hourly_k) - 1 - last
    return back if back >= OVER_H else 0


def _offsets(snapshot: Snapshot, rows: slice, back_h: int) -> Floats:
    """Offsets of some dwellings, as they were some hours back, (dwellings,)."""
    told = snapshot.courses
    if back_h == 0 or told is None:
        return snapshot.offsets[0][rows].copy()
    stop = told.hourly_k.shape[1] - back_h
    recent = told.hourly_k[rows, max(0, stop - TRAILING_H) : stop]
    enough = (~np.isnan(recent)).sum(axis=1) >= LEAST_H
    return np.where(enough, _mean(recent, axis=1), np.nan)


def _drive(snapshot: Snapshot, back_h: int) -> float:
    """Between rooms and outdoors on the day before, K; NaN where it is not known."""
    if snapshot.courses is None:
        return float("nan")
    outdoor = snapshot.courses.outdoor_c
    return ROOM_C - float(_mean(outdoor[: len(outdoor) - back_h][-24:], axis=0))


def _parts(snapshot: Snapshot, building: str, rows: slice) -> tuple[Index, Index]:
    """The number of the riser and of the entrance of every dwelling of a building."""
    network = snapshot.network
    number = {PlaceKind.RISER: np.full(rows.stop - rows.start, -1, np.int64)}
    number[PlaceKind.ENTRANCE] = number[PlaceKind.RISER].copy()
    left = list(network.children.get(building, ()))
    for at, code in enumerate(left):
        kind = snapshot.kind(code)
        if kind in number:
            below = network.below(code)
            number[kind][below.start - rows.start : below.stop - rows.start] = at
        if kind is not PlaceKind.UNIT:
            left.extend(network.children.get(code, ()))
    return number[PlaceKind.RISER], number[PlaceKind.ENTRANCE]


def _mean(values: Floats, axis: int) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nobody spoke
        mean: Floats = np.nanmean(values, axis=axis)
    return mean
