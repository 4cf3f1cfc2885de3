"""Why is one dwelling off its fellows: what its own course over two days looks like.

The signatures are those of the domain facts, section 3: a window falls within minutes and comes
back within hours; a tenant's setback comes every night; a closed valve sinks with the dwelling's
time constant of 7 to 16 h and stays; a leaky envelope is felt within the hour and follows the cold
outdoors; a covered radiator costs a constant half to two kelvin. Where nobody else of its riser is
measured, the riser may be meant, and near unheated dwellings they may be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.causes import choice, features
from analytics.causes.response import Response, response
from analytics.localise.ranking import Around, Ranked, dwelling_weights
from analytics.snapshot import Snapshot
from hearthline.domain.findings import Cause, Evidence, EvidenceCode
from hearthline.domain.places import PlaceKind

Floats = NDArray[np.float64]

NIGHT = (23, 7)  # setbacks act from about ten to six; rooms follow an hour later
DAY = (11, 22)
ROOM_C, DESIGN_DRIVE_K = 20.0, 30.0  # section 3 tells depths at −10 °C outdoors
LEAST_DRIVE_K = 10.0
FELL_WITHIN_H = 2
HALF = 0.5  # of a riser: fellows further off feel hardly what is worst at one end
LIKE = 0.4
"""Of its depression (and K): a closed valve chills those above and below by a quarter of it."""
WINDOW_H = 6  # hours for which a fall may still be an open window


@dataclass(frozen=True, slots=True)
class Course:
    """Features of a dwelling's last two days against its fellows, K; NaN where unknown.

    ``off_k`` now; ``night_k`` nights beyond days; ``fell_k`` the fastest fall within two hours,
    ``fell_h`` how long ago; ``day_off_k`` the days alone; ``drive_k`` between rooms and outdoors;
    ``response`` how promptly it follows what drives it.
    """

    off_k: float
    night_k: float
    day_off_k: float
    fell_k: float
    fell_h: float
    drive_k: float
    response: Response


def course(snapshot: Snapshot, code: str) -> Course:
    """The features of a dwelling."""
    row = snapshot.network.index[code]
    offset, _ = snapshot.offsets
    unknown = float("nan")
    if snapshot.courses is None:
        silent = Response(unknown, unknown, unknown, unknown)
        off = float(offset[row])
        return Course(off, unknown, unknown, unknown, unknown, unknown, silent)
    hourly = snapshot.courses.hourly_k[row]
    hour = snapshot.courses.local_hour
    night = (hour >= NIGHT[0]) | (hour < NIGHT[1])
    day = (hour >= DAY[0]) & (hour < DAY[1])
    at_day = _mean(hourly[day])
    fell, ago = _fall(hourly)
    return Course(
        float(offset[row]),
        _mean(hourly[night]) - at_day,
        at_day,
        fell,
        ago,
        ROOM_C - _mean(snapshot.courses.outdoor_c[-24:]),
        response(hourly, snapshot.courses.outdoor_c),
    )


def unit_causes(snapshot: Snapshot, code: str) -> tuple[Ranked, list[Evidence]]:
    """Ranked causes of a single dwelling's cold, and what speaks for them.

    The weights of the rules go to whoever judges (``analytics.causes``).
    """
    seen = course(snapshot, code)
    weights = _weights(seen, _surroundings(snapshot, code))
    pieces = []
    if seen.night_k <= -0.6:
        pieces.append(Evidence(EvidenceCode.NIGHT_DIP, {"night_k": round(-seen.night_k, 1)}))
    if seen.fell_k <= -1.5:
        values = {"fell_k": round(-seen.fell_k, 1), "hours": round(seen.fell_h)}
        pieces.append(Evidence(EvidenceCode.FELL_FAST, values))
    return choice.ranked(features.of_dwelling(snapshot, code), weights), pieces


def _surroundings(snapshot: Snapshot, code: str) -> Around:
    """What surrounds a dwelling: fellows of its riser that are measured, unheated ones near it."""
    network = snapshot.network
    riser = network.ancestor(code, PlaceKind.RISER)
    height = float(snapshot.places.height[network.index[code]])
    fellows, off = _fellows(snapshot, code, riser) if riser else (0, 0)
    beside = set(network.neighbours(code))
    near = beside.union(*(network.neighbours(one) for one in beside)) - {code}
    unheated = network.unheated(snapshot.at)
    return Around(
        alone=riser is not None and fellows == off,
        fellows=off,
        height=height,
        unheated=len(beside & unheated) + len((near - beside) & unheated) / 3,
        unknown=len(beside - unheated - snapshot.level_c.keys()),
    )


def _fellows(snapshot: Snapshot, code: str, riser: str) -> tuple[int, int]:
    """How many others of its half of the riser are measured, and how many lie off like it."""
    offset, height = snapshot.offsets[0], snapshot.places.height
    at = snapshot.network.index[code]
    rows = [snapshot.network.index[one] for one in snapshot.measured(riser) if one != code]
    rows = [row for row in rows if abs(height[row] - height[at]) <= HALF]
    like = max(LIKE * -float(offset[at]), LIKE) if np.isfinite(offset[at]) else np.inf
    return len(rows), sum(bool(-offset[row] >= like) for row in rows)


def _weights(seen: Course, around: Around) -> dict[Cause, float]:
    """The rules' weights, with depths as they would settle on a day of 30 K to the outdoors."""
    depth = -seen.off_k if np.isfinite(seen.off_k) else 1.5
    drive = seen.drive_k if np.isfinite(seen.drive_k) else DESIGN_DRIVE_K
    design = DESIGN_DRIVE_K / max(drive, LEAST_DRIVE_K)
    return dwelling_weights(
        depth_k=depth * design,
        settled_k=seen.response.settled(depth) * design,
        lost=seen.response.lost(),
        night_k=-seen.night_k,
        fell_k=-seen.fell_k if seen.fell_h <= WINDOW_H else float("nan"),
        around=around,
    )


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) >= 3 else float("nan")


def _fall(hourly: Floats) -> tuple[float, float]:
    """The largest fall within ``FELL_WITHIN_H`` hours of the last day, and hours since."""
    recent = hourly[-24:]
    if len(recent) <= FELL_WITHIN_H:
        return float("nan"), float("nan")
    fall = recent[FELL_WITHIN_H:] - recent[:-FELL_WITHIN_H]
    if np.isnan(fall).all():
        return float("nan"), float("nan")
    at = int(np.nanargmin(fall))
    return float(fall[at]), float(len(fall) - 1 - at)
