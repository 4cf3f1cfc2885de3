"""How promptly a room's depression follows its cause: lost to the air, or lacking in the walls.

Heat that is lost to the outdoors (a leaky envelope) is missed by the room's air, whose time
constant is 0.3 to 1 h: half of the depression is there after two hours, and from then on it follows
the outdoor temperature of the hour. Heat that does not arrive (a closed valve, a covered radiator)
is missed by walls and floors: a dwelling sinks with 7 to 16 h, and the day's swing outdoors passes
it by (domain facts, section 3). Pure numpy; NaN where too little is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_H = 24
"""Known hours under which a day's swing tells nothing."""
STEP_K, FROM_NEAR = 1.2, 0.6
"""A depression that began within the course: twice what a healthy dwelling strays, and most of it,
or it is the weather that deepened what was there before."""
BEFORE_H, STILL_H = 6, 7
"""Hours that must be known before the onset and after it to tell its share of the first ones."""
SHARE, SHARE_SD = 0.5, 0.09
"""Of the depression, what is there in hours 2 to 4: with a fast part of a half and a slow one of
11 h the air loses 0.6 to 0.7 of it, a sinking dwelling 0.2 to 0.4; halfway, and the scatter of a
three-hour mean (0.3 K) on a depression of 3 K."""
SWING, SWING_SD = 0.27, 0.1
"""Of the slope that the whole depression would have if it followed the outdoors at once: about a
half for the air's share, nought for the walls'; halfway, and what sun and habits add to it."""
WHOLE = 1.0
"""All of it at once is the most that the outdoors can do: what swings more is people's doing."""
CLAMP = 8.0
"""No course is so clear that it says more: sensors and people are what they are."""
SINKS_H = 11.0
"""A dwelling's time constant among heated neighbours, 7 to 16 h."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a course tells of how heat is missed.

    ``age_h`` since it began, where that lies within the course; ``share`` of the depression that
    was there within hours; ``swing`` how much of it follows the outdoors at once, and ``swing_se``
    the standard error; each NaN where it is not known.
    """

    age_h: float
    share: float
    swing: float
    swing_se: float

    def lost(self) -> float:
        """How much likelier heat is lost than lacking, seeing this course; 1 where it is silent."""
        tells = 0.0
        if np.isfinite(self.share):
            tells = (self.share - SHARE) / SHARE_SD
        elif self.swing - self.swing_se <= WHOLE and not np.isfinite(self.age_h):
            tells = (self.swing - SWING) / float(np.hypot(SWING_SD, self.swing_se))
        return float(np.exp(np.clip(tells, -np.log(CLAMP), np.log(CLAMP))))

    def settled(self, depth_k: float, sinks_h: float = SINKS_H) -> float:
        """The depth at which what still sinks will settle, K; at most twice as deep."""
        if not np.isfinite(self.age_h):
            return depth_k
        return depth_k / max(0.5, 1.0 - float(np.exp(-self.age_h / sinks_h)))


def response(hourly_k: Floats, outdoor_c: Floats, room_c: float = 20.0) -> Response:
    """How a course of offsets, oldest hour first, follows the outdoors; both (hours,)."""
    age, share = _onset(hourly_k)
    drive = room_c - _mean(outdoor_c[-24:])
    depth = -_mean(hourly_k[-12:])
    if not depth > 0.5 or not drive > 0.0:
        return Response(age, share, float("nan"), float("nan"))
    slope, error = _slope(hourly_k, outdoor_c)
    return Response(age, share, slope * drive / depth, error * drive / depth)


def _onset(hourly_k: Floats) -> tuple[float, float]:
    """Hours since the depression began, and the share of it in hours 2 to 4; NaN: not in here."""
    unknown = float("nan")
    now = _mean(hourly_k[-6:])
    smooth = _smooth(hourly_k)
    earlier = smooth[: max(0, len(smooth) - 3)]
    if np.isnan(now) or np.isnan(earlier).all():
        return unknown, unknown
    step = float(np.nanmax(earlier)) - now
    if step < max(STEP_K, -FROM_NEAR * now):
        return unknown, unknown
    began = int(np.flatnonzero(smooth >= now + 0.8 * step)[-1])
    age = len(hourly_k) - 1 - began
    if age < STILL_H or began < BEFORE_H:
        return float(age), unknown
    before = _mean(hourly_k[began - BEFORE_H + 1 : began + 1])
    after = _mean(hourly_k[began + 2 : began + 5])
    return float(age), (before - after) / max(before - now, 0.5 * step)


def _slope(hourly_k: Floats, outdoor_c: Floats) -> tuple[float, float]:
    """K per K outdoors within a day, beside a slow drift, with its standard error."""
    known = ~np.isnan(hourly_k) & ~np.isnan(outdoor_c)
    if np.count_nonzero(known) < LEAST_H or np.std(outdoor_c[known]) < 0.5:
        return float("nan"), float("nan")
    at = np.flatnonzero(known) / len(hourly_k)
    columns = np.column_stack([np.ones(len(at)), at, at**2, outdoor_c[known]])
    fit = np.linalg.lstsq(columns, hourly_k[known], rcond=None)[0]
    rest = hourly_k[known] - columns @ fit
    variance = float(rest @ rest) / (len(at) - 4)
    spread = np.linalg.pinv(columns.T @ columns)[3, 3]
    return float(fit[3]), float(np.sqrt(variance * spread))


def _smooth(hourly_k: Floats) -> Floats:
    """Means over three hours, of those that are known."""
    padded = np.concatenate([np.full(2, np.nan), hourly_k])
    stack = np.stack([padded[:-2], padded[1:-1], padded[2:]])
    count = (~np.isnan(stack)).sum(axis=0)
    with np.errstate(invalid="ignore"):
        mean: Floats = np.where(count > 0, np.nansum(stack, axis=0) / count, np.nan)
    return mean


def _mean(values: Floats) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else float("nan")
