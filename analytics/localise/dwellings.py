"""Why is one dwelling off its fellows: what its own course over two days looks like.

The signatures are those of the domain facts, section 3: a window falls within minutes and comes
back within hours; a tenant's setback comes every night; a closed valve sinks with the dwelling's
time constant of 7 to 16 h and stays; a leaky envelope is felt within the hour and follows the cold
outdoors; a covered radiator costs a constant half to two kelvin. Where nobody else of its riser is
measured, the riser may be meant, and near unheated dwellings they may be. Who has no sensor and
called is asked about like the others: then only fellows and calls tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.causes import choice, features, scene
from analytics.causes.response import Response, response
from analytics.causes.scene import back_to_depth
from analytics.localise.ranking import Own, Ranked, dwelling_weights
from analytics.snapshot import Snapshot
from hearthline.domain.findings import Evidence, EvidenceCode

Floats = NDArray[np.float64]

NIGHT = (23, 7)  # setbacks act from about ten to six; rooms follow an hour later
DAY = (11, 22)
FELL_WITHIN_H = 2
COURSE_H = 48.0
LEARNT = timedelta(days=30)  # all days from which the usual is learnt lie within
BEYOND, CHANGES = 1.0 / 3.0, 1.0 / 3.0
"""Of what an unheated neighbour costs: two walls away, and beyond the usual where it was stopped
long ago (of 3 K a third more in the coldest week than on a mean day)."""
WINDOW_H = 6  # hours for which a fall may still be an open window


@dataclass(frozen=True, slots=True)
class Course:
    """Features of a dwelling's last two days against its fellows, K; NaN where unknown.

    ``night_k`` nights beyond days, ``nights_k`` the milder of the last two; ``fell_k`` the fastest
    fall within two hours, ``fell_h`` how long ago; ``response`` how promptly it follows what drives
    it.
    """

    night_k: float
    nights_k: float
    fell_k: float
    fell_h: float
    response: Response


def course(snapshot: Snapshot, code: str, back_h: int = 0) -> Course:
    """The features of a dwelling, as they were some hours back."""
    row = snapshot.network.index[code]
    unknown = float("nan")
    if snapshot.courses is None:
        silent = Response(unknown, unknown, unknown, unknown)
        return Course(unknown, unknown, unknown, unknown, silent)
    until = len(snapshot.courses.local_hour) - back_h
    hourly = snapshot.courses.hourly_k[row, :until]
    hour = snapshot.courses.local_hour[:until]
    night = (hour >= NIGHT[0]) | (hour < NIGHT[1])
    day = (hour >= DAY[0]) & (hour < DAY[1])
    at_day = _mean(hourly[day])
    fell, ago = _fall(hourly)
    dips = _mean(hourly[night]) - at_day, _milder_night(hourly, night) - at_day
    return Course(*dips, fell, ago, response(hourly, snapshot.courses.outdoor_c[:until]))


def unit_causes(snapshot: Snapshot, code: str) -> tuple[Ranked, list[Evidence]]:
    """Ranked causes of a single dwelling's cold, and what speaks for them.

    A dwelling that recovers is judged as it was while it was cold (``causes.scene``). The weights
    of the rules go to whoever judges (``analytics.causes``).
    """
    row = snapshot.network.index[code]
    back = 0 if snapshot.courses is None else back_to_depth(snapshot.courses.hourly_k[row])
    seen = course(snapshot, code, back)
    building = scene.of(snapshot, code, back, _cold_for_h(snapshot, code))
    weights = dwelling_weights(building, row - building.first, _own(snapshot, code, seen))
    pieces = []
    if seen.night_k <= -0.6:
        pieces.append(Evidence(EvidenceCode.NIGHT_DIP, {"night_k": round(-seen.night_k, 1)}))
    if seen.fell_k <= -1.5:
        values = {"fell_k": round(-seen.fell_k, 1), "hours": round(seen.fell_h)}
        pieces.append(Evidence(EvidenceCode.FELL_FAST, values))
    return choice.ranked(features.of_dwelling(snapshot, code), weights), pieces


def _own(snapshot: Snapshot, code: str, seen: Course) -> Own:
    """What a dwelling's own course tells, and how many unheated ones lie near it."""
    return Own(
        settled=1.0 / seen.response.settled(1.0),
        lost=seen.response.lost(),
        night_k=-seen.nights_k,
        fell_k=-seen.fell_k if seen.fell_h <= WINDOW_H else float("nan"),
        unheated=_unheated(snapshot, code),
    )


def _unheated(snapshot: Snapshot, code: str) -> float:
    """How many unheated dwellings near one may be news to it; two walls away they are a third.

    What those cost that were stopped long ago is usual of it by now, where that was learnt.
    """
    network, usual_k = snapshot.network, snapshot.usual_k
    beside = set(network.neighbours(code))
    learnt = usual_k is not None and usual_k[network.index[code]] != 0.0
    count = 0.0
    for one in network.near(code).intersection(snapshot.unheated) - {code}:
        since = next(p.since for p in network.statuses[one] if p.holds(snapshot.at))
        old = learnt and snapshot.at - since >= LEARNT
        count += (1.0 if one in beside else BEYOND) * (CHANGES if old else 1.0)
    return count


def _cold_for_h(snapshot: Snapshot, code: str) -> float:
    """For how long a dwelling has been cold, h; two days where only its calls tell."""
    cold = snapshot.cold.get(code)
    return COURSE_H if cold is None else (snapshot.at - cold.since) / timedelta(hours=1)


def _milder_night(hourly: Floats, night: NDArray[np.bool_]) -> float:
    """The milder of the last two nights: what comes but once is no setback; NaN: none is known."""
    ago = np.arange(len(hourly))[::-1]
    both = [_mean(hourly[night & (ago // 24 == back)]) for back in (0, 1)]
    return max((one for one in both if np.isfinite(one)), default=float("nan"))


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
