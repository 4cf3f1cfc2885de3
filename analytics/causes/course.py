"""What two days of hourly offsets tell, as numbers: depth, onset, sinking, nights, cold and sun.

The features of a course are the same for a dwelling and for a place (whose course is the mean of
its dwellings'). The signatures are those of the domain facts, section 3: a window falls within
minutes and comes back within hours; a setback comes every night; a closed valve sinks with 7 to
16 h and settles at a depth that the cold outdoors sets; a leaky envelope grows with the cold; a
covered radiator costs a constant half to two kelvin. Pure numpy; NaN where too little is known.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Hours = NDArray[np.int64]

LEAST_H = 12
"""Known hours under which a course tells nothing."""
ROOM_C, DESIGN_DRIVE_K = 20.0, 30.0
"""Depths are told for a day of 30 K between rooms and outdoors (section 3 tells them at −10 °C)."""
BEGUN, NOISE_K = 0.15, 0.4
"""A depression has begun at this share of its depth, and beyond what healthy rooms scatter."""
_NOWHERE = float("nan")


def features(hourly_k: Floats, local_hour: Hours, outdoor_c: Floats) -> dict[str, float]:
    """The features of a course against its peers, oldest hour first, arrays (hours,).

    ``depth_k`` and ``relative_k`` (at a drive of 30 K) now, ``deepest_k``; ``onset_seen`` (1 or 0),
    ``age_h`` since it began, ``half_h`` until half its depth; ``sinking_k`` in the last 6 h;
    ``fell_k`` the fastest fall in two hours, ``fell_h`` hours since, ``rose_k`` the fastest rise;
    ``night_k`` last night beyond the days, ``nights_k`` the lesser of two nights; ``slope`` in K
    per K outdoors; ``sun_k`` noon beyond morning and evening; ``rough_k`` from hour to hour;
    ``warm_share`` of the last day near its fellows; ``drive_k`` between rooms and outdoors.
    """
    smooth = _smooth(hourly_k)
    depth = -_last(smooth)
    drive = ROOM_C - _mean(outdoor_c[-24:])
    found = {
        "depth_k": depth,
        "relative_k": depth * DESIGN_DRIVE_K / max(drive, 10.0) if np.isfinite(drive) else depth,
        "drive_k": drive,
    }
    if np.count_nonzero(~np.isnan(hourly_k)) < LEAST_H:
        return found | dict.fromkeys(_OF_A_COURSE, _NOWHERE)
    return (
        found
        | _onset(smooth)
        | _falls(hourly_k)
        | _days(hourly_k, local_hour)
        | {
            "slope": _slope(hourly_k[-24:], outdoor_c[-24:]),
            "rough_k": _mean(np.abs(np.diff(hourly_k))),
            "warm_share": _mean((hourly_k[-24:] > -0.5)[~np.isnan(hourly_k[-24:])].astype(float)),
        }
    )


_OF_A_COURSE = (
    "deepest_k",
    "onset_seen",
    "age_h",
    "half_h",
    "sinking_k",
    "fell_k",
    "fell_h",
    "rose_k",
    "night_k",
    "nights_k",
    "sun_k",
    "slope",
    "rough_k",
    "warm_share",
)
NAMES = ("depth_k", "relative_k", "drive_k", *_OF_A_COURSE)


def _smooth(hourly_k: Floats) -> Floats:
    """Means over three hours, of those that are known."""
    padded = np.concatenate([np.full(2, np.nan), hourly_k])
    stack = np.stack([padded[:-2], padded[1:-1], padded[2:]])
    count = (~np.isnan(stack)).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, np.nansum(stack, axis=0) / count, np.nan)


def _onset(smooth: Floats) -> dict[str, float]:
    """When the depression that lasts until now began, and how fast it got half as deep."""
    filled = smooth[~np.isnan(smooth)]
    depth = max(-float(filled[-1]), 0.0)
    before = np.flatnonzero(filled >= -max(BEGUN * depth, NOISE_K))
    began = int(before[-1]) if len(before) and depth > NOISE_K else -1
    half = _NOWHERE
    if began >= 0:
        deepest = float(filled[began:].min())
        reached = np.flatnonzero(filled[began:] <= 0.5 * deepest)
        half = float(reached[0]) if len(reached) else _NOWHERE
    return {
        "deepest_k": -float(filled.min()),
        "onset_seen": float(began >= 0),
        "age_h": float(len(filled) - 1 - began),
        "half_h": half,
        "sinking_k": float(filled[-7] - filled[-1]) if len(filled) > 6 else _NOWHERE,
    }


def _falls(hourly_k: Floats) -> dict[str, float]:
    """The fastest fall and rise within two hours of the last day and a half."""
    recent = hourly_k[-36:]
    change = recent[2:] - recent[:-2]
    if np.isnan(change).all():
        return dict.fromkeys(("fell_k", "fell_h", "rose_k"), _NOWHERE)
    at = int(np.nanargmin(change))
    return {
        "fell_k": -float(change[at]),
        "fell_h": float(len(change) - 1 - at),
        "rose_k": float(np.nanmax(change)),
    }


def _days(hourly_k: Floats, hour: Hours) -> dict[str, float]:
    """How nights and noons differ from the rest of the day."""
    day = _mean(hourly_k[(hour >= 12) & (hour < 22)])
    night = (hour >= 0) & (hour < 7)
    age = np.arange(len(hour))[::-1]
    dips = [day - _mean(hourly_k[night & (age >= 24 * n) & (age < 24 * (n + 1))]) for n in (0, 1)]
    noon = (hour >= 12) & (hour < 16)
    beside = ((hour >= 8) & (hour < 11)) | ((hour >= 18) & (hour < 22))
    return {
        "night_k": dips[0],
        "nights_k": float(min(dips)) if np.isfinite(dips).all() else _NOWHERE,
        "sun_k": _mean(hourly_k[noon]) - _mean(hourly_k[beside]),
    }


def _slope(hourly_k: Floats, outdoor_c: Floats) -> float:
    both = ~np.isnan(hourly_k) & ~np.isnan(outdoor_c)
    if both.sum() < LEAST_H:
        return _NOWHERE
    outdoor = outdoor_c[both] - outdoor_c[both].mean()
    spread = float((outdoor**2).sum())
    if spread < 0.25 * len(outdoor):  # half a kelvin of standard deviation
        return _NOWHERE
    return float((outdoor * (hourly_k[both] - hourly_k[both].mean())).sum() / spread)


def _mean(values: Floats) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) >= 3 else _NOWHERE


def _last(values: Floats) -> float:
    there = values[~np.isnan(values)]
    return float(there[-1]) if len(there) else _NOWHERE
