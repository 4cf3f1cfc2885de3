"""The list of detectors, and how their claims become one judgement.

Each detector looks at the same case and claims grades; the worst grade at an hour stands, and of
equal grades the claim of the detector that comes first. Silence comes before everything, since what
is not said cannot lie; then the plain lies, then what takes weeks to show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from analytics.trust.alone import unfelt, untried
from analytics.trust.jump import airing, moved
from analytics.trust.looking import Seen, look
from analytics.trust.model import (
    NOTHING_AROUND,
    Case,
    Claim,
    Facts,
    SensorHours,
    Surroundings,
    Trust,
)
from analytics.trust.silence import clock_skewed, gateway_out, silent
from analytics.trust.stuck import peers_moved, stuck
from analytics.trust.telling import slow_lies

DETECTORS: Sequence[Callable[[Case], Claim]] = (
    gateway_out,
    silent,
    stuck,
    slow_lies,
    moved,
    clock_skewed,
    untried,
    unfelt,
    airing,
)


def judge(
    sensors: SensorHours,
    around: Surroundings = NOTHING_AROUND,
    past: Facts | None = None,
    seen: Seen | None = None,
) -> Trust:
    """Grade every sensor at every hour of a window, each hour from what was known at its end.

    Args:
        sensors: the window's hourly statistics.
        around: what was measured around them in the same hours.
        past: the daily memory, its rows those of ``sensors``: the days before the window, and those
            in it as they end (see ``analytics.trust.memory.daily``). Slow lies need it.
        seen: what the window shows, where that is known already (``looking.look``).

    Returns:
        The judgement; only ``usable`` looks back from the window's end.
    """
    seen = seen or look(sensors, around)
    case = Case(
        sensors,
        around,
        past if past is not None else Facts.none(sensors.shape[0]),
        seen.offset_k,
        seen.flat_hours,
        seen.flat_samples,
        peers_moved(sensors),
        seen.jumps,
    )
    verdict = Claim.nothing(case.shape)
    for detect in DETECTORS:
        _fold(verdict, detect(case))
    return Trust(
        verdict.grade,
        verdict.reason,
        verdict.since,
        verdict.measure,
        ~verdict.lied,
        seen.flat_hours,
        case.peers_moved_k,
    )


def _fold(verdict: Claim, claim: Claim) -> None:
    """Let a claim overrule milder ones, in place."""
    worse = claim.grade > verdict.grade
    if worse.any():
        for name in ("grade", "reason", "since", "measure"):
            np.copyto(getattr(verdict, name), getattr(claim, name), where=worse)
    verdict.lied[:] |= claim.lied
