"""Why is one dwelling off its fellows: what its own course over two days looks like.

The signatures are those of the domain facts, section 3: a window falls within minutes and comes
back within hours; a tenant's setback comes every night; a closed valve sinks with the dwelling's
time constant of 7 to 16 h and stays; a leaky envelope grows with the cold outdoors; a covered
radiator costs a constant half to two kelvin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.causes import choice, features
from analytics.localise.ranking import Ranked
from analytics.snapshot import Snapshot
from hearthline.domain.findings import Cause, Evidence, EvidenceCode

Floats = NDArray[np.float64]

NIGHT = (23, 7)  # setbacks act from about ten to six; rooms follow an hour later
DAY = (11, 22)
FELL_WITHIN_H = 2


@dataclass(frozen=True, slots=True)
class Course:
    """Features of a dwelling's last two days against its fellows, K; NaN where unknown.

    ``off_k`` now; ``night_k`` nights beyond days; ``fell_k`` the fastest fall within two hours,
    ``fell_h`` how long ago; ``slope`` K per K outdoors; ``day_off_k`` the days alone.
    """

    off_k: float
    night_k: float
    day_off_k: float
    fell_k: float
    fell_h: float
    slope: float


def course(snapshot: Snapshot, code: str) -> Course:
    """The features of a dwelling."""
    row = snapshot.network.index[code]
    offset, _ = snapshot.offsets
    unknown = float("nan")
    if snapshot.courses is None:
        return Course(float(offset[row]), unknown, unknown, unknown, unknown, unknown)
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
        _slope(hourly, snapshot.courses.outdoor_c),
    )


def unit_causes(snapshot: Snapshot, code: str) -> tuple[Ranked, list[Evidence]]:
    """Ranked causes of a single dwelling's cold, and what speaks for them.

    The weights of the rules go to whoever judges (``analytics.causes``).
    """
    seen = course(snapshot, code)
    weights = _weights(seen)
    pieces = []
    if seen.night_k <= -0.6:
        pieces.append(Evidence(EvidenceCode.NIGHT_DIP, {"night_k": round(-seen.night_k, 1)}))
    if seen.fell_k <= -1.5:
        values = {"fell_k": round(-seen.fell_k, 1), "hours": round(seen.fell_h)}
        pieces.append(Evidence(EvidenceCode.FELL_FAST, values))
    return choice.ranked(features.of_dwelling(snapshot, code), weights), pieces


def _weights(seen: Course) -> dict[Cause, float]:
    """Rules in words as numbers; every cause keeps a little, since sensors see little."""
    depth = -seen.off_k if np.isfinite(seen.off_k) else 1.5
    return {
        Cause.VALVE_CLOSED: 0.1 + _ramp(depth, 1.6, 2.8),
        Cause.ENVELOPE: 0.35 + 0.3 * _ramp(seen.slope, 0.02, 0.1) - 0.2 * _ramp(depth, 2.5, 4.0),
        Cause.RADIATOR_COVERED: 0.3 - 0.25 * _ramp(depth, 1.5, 2.5),
        Cause.TURNED_DOWN: 0.05 + 2.5 * _ramp(-seen.night_k, 0.5, 1.0),
        Cause.WINDOW_OPEN: 0.03 + 3.0 * _ramp(-seen.fell_k, 1.5, 2.5) * (seen.fell_h <= 6),
    }


def _ramp(value: float, low: float, high: float) -> float:
    """0 below ``low``, 1 above ``high``, straight between; 0 where unknown."""
    if not np.isfinite(value):
        return 0.0
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))


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


def _slope(hourly: Floats, outdoor: Floats) -> float:
    known = ~np.isnan(hourly) & ~np.isnan(outdoor)
    if known.sum() < 24 or np.std(outdoor[known]) < 0.5:
        return float("nan")
    return float(np.polyfit(outdoor[known], hourly[known], 1)[0])
