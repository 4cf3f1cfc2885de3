"""From cold dwellings to findings worth a ticket: a list of stages, each with its reason.

Validity, persistence and season have been dealt with by ``trust`` and ``episodes`` before a
dwelling is called cold. What is left is decided here; whatever is held back keeps its reason,
and operators see it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from analytics.diagnose import diagnose
from analytics.explain.meters import TAIL
from analytics.snapshot import SHARED, Snapshot
from hearthline.domain.findings import Cause, Finding
from hearthline.domain.places import PlaceKind
from hearthline.domain.policies import HoldReason

UNKNOWN_WAIT = timedelta(hours=24)
WARMS_UP = timedelta(hours=48)  # three time constants of a dwelling, 7 to 16 h (section 3)
TOLERANCE_K = 0.3  # of a room sensor: an unknown cause needs a dwelling that is cold beyond it

Holds = Mapping[str, HoldReason]
Stage = Callable[[Snapshot], Holds]


@dataclass(frozen=True, slots=True)
class Triage:
    """Findings to take up, and dwellings that are cold or called, held back with the reason."""

    findings: tuple[Finding, ...]
    holds: Holds


def triage(snapshot: Snapshot, wait: timedelta) -> Triage:
    """Run the stages, diagnose what is left, and let single dwellings wait for their peers."""
    holds: dict[str, HoldReason] = {}
    for stage in STAGES:
        holds |= stage(snapshot)
    kept = {code: cold for code, cold in snapshot.cold.items() if code not in holds}
    heard = {code: calls for code, calls in snapshot.complaints.items() if code not in holds}
    all_kept = len(kept) == len(snapshot.cold) and len(heard) == len(snapshot.complaints)
    looked_at = snapshot if all_kept else replace(snapshot, cold=kept, complaints=heard)
    findings: list[Finding] = []
    told: set[str] = set()
    above = snapshot.network.roots()  # their incidents take in who is measured
    for finding in diagnose(looked_at):
        told |= finding.cold if finding.place not in above else set()
        if _waits(finding, snapshot, wait):
            holds |= dict.fromkeys(finding.cold, HoldReason.WAITING_FOR_PEERS)
        else:
            findings.append(finding)
    return Triage(tuple(findings), {**unheard(looked_at, told), **holds})


def heating_not_owed(snapshot: Snapshot) -> Holds:
    """What is stopped, shut for works, out of season or starting up alarms nobody."""
    return dict(snapshot.unowed)


def heated_again(snapshot: Snapshot) -> Holds:
    """Who was not heated until lately has a start-up of its own."""
    statuses, since = snapshot.network.statuses, snapshot.at - WARMS_UP
    return {
        code: HoldReason.START_UP
        for code in statuses.keys() & (snapshot.cold.keys() | snapshot.callers)
        if any(one.until and since < one.until <= snapshot.at for one in statuses[code])
    }


def untrusted_alone(snapshot: Snapshot) -> Holds:
    """A sensor of grade B needs a call, or a cold neighbour in its entrance, to be believed."""
    network, holds = snapshot.network, {}
    for code in snapshot.suspect.intersection(snapshot.cold).difference(snapshot.callers):
        entrance = network.ancestor(code, PlaceKind.ENTRANCE) or code
        if not any(c != code for c in snapshot.cold_below(entrance)):
            holds[code] = HoldReason.SENSOR_UNTRUSTED
    return holds


STAGES: tuple[Stage, ...] = (heating_not_owed, heated_again, untrusted_alone)


def unheard(snapshot: Snapshot, told: Collection[str]) -> Holds:
    """Who called and is in no finding, with what is to be done about it: no call is dropped."""
    holds = {}
    for code in sorted(snapshot.callers.difference(told)):
        if code in snapshot.reported:
            alone = code in snapshot.unexplained
            holds[code] = HoldReason.CALL_TO_CHECK if alone else HoldReason.EXPLAINED
        elif snapshot.level_c.get(code, -math.inf) >= snapshot.threshold_c:
            holds[code] = HoldReason.CALLED_BUT_WARM
        else:
            holds[code] = HoldReason.CALL_TO_CHECK
    return holds


def _is_weakest(finding: Finding, snapshot: Snapshot) -> bool:
    """Whether only the weakest dwellings of a circuit are cold, as in any cold night.

    What recovers after a sign at the place goes to the incident of that sign.
    """
    lately = snapshot.at - TAIL
    if any(s.place == finding.place and s.until and s.until >= lately for s in snapshot.ended):
        return False
    return len(finding.cold) < SHARED * len(snapshot.measured(finding.place))


def _below_now(snapshot: Snapshot, code: str) -> bool:
    """Whether a dwelling is below the standard as last known; its episode ends some time after."""
    return snapshot.level_c.get(code, -math.inf) < snapshot.threshold_c


def _waits(finding: Finding, snapshot: Snapshot, wait: timedelta) -> bool:
    """Whether every cold dwelling of a finding is too new: its siblings may be about to fall.

    A dwelling that is cold for no known reason waits for a day: what comes may tell, and who is
    back above the standard by then is left alone. Once somebody has called, nobody waits.
    """
    if not finding.cold or finding.cold.intersection(snapshot.callers):
        return False
    if finding.cause is Cause.UNDETERMINED:
        if finding.common and _is_weakest(finding, snapshot):
            return True
        wait = max(wait, UNKNOWN_WAIT)
        surely = snapshot.threshold_c - TOLERANCE_K
        if all(snapshot.cold[code].min_c > surely for code in finding.cold):
            return True
        if not any(_below_now(snapshot, code) for code in finding.cold):
            return True
    return all(snapshot.cold[code].opened_at + wait > snapshot.at for code in finding.cold)
