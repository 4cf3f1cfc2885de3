"""From cold dwellings to findings worth a ticket: a list of stages, each with its reason.

Validity, persistence and season have been dealt with by ``trust`` and ``episodes`` before a
dwelling is called cold. What is left is decided here; whatever is held back keeps its reason,
and operators see it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from analytics.diagnose import diagnose
from analytics.snapshot import Snapshot
from hearthline.domain.findings import Cause, Finding
from hearthline.domain.places import PlaceKind
from hearthline.domain.policies import HoldReason

UNKNOWN_WAIT = timedelta(hours=24)
TOLERANCE_K = 0.3  # of a room sensor: an unknown cause needs a dwelling that is cold beyond it

Holds = Mapping[str, HoldReason]
Stage = Callable[[Snapshot], Holds]


@dataclass(frozen=True, slots=True)
class Triage:
    """Findings to take up, and cold dwellings held back with the reason."""

    findings: tuple[Finding, ...]
    holds: Holds


def triage(snapshot: Snapshot, wait: timedelta) -> Triage:
    """Run the stages, diagnose what is left, and let single dwellings wait for their peers."""
    holds: dict[str, HoldReason] = {}
    for stage in STAGES:
        holds |= stage(snapshot)
    kept = {code: cold for code, cold in snapshot.cold.items() if code not in holds}
    findings = []
    for finding in diagnose(replace(snapshot, cold=kept)):
        if _waits(finding, snapshot, wait):
            holds |= dict.fromkeys(finding.cold, HoldReason.WAITING_FOR_PEERS)
        else:
            findings.append(finding)
    return Triage(tuple(findings), holds)


def heating_not_owed(snapshot: Snapshot) -> Holds:
    """What is stopped, shut for works, out of season or starting up alarms nobody."""
    return dict(snapshot.unowed)


def untrusted_alone(snapshot: Snapshot) -> Holds:
    """A sensor of grade B needs a cold neighbour in its entrance to be believed."""
    network, holds = snapshot.network, {}
    for code in snapshot.suspect.intersection(snapshot.cold):
        entrance = network.ancestor(code, PlaceKind.ENTRANCE) or code
        if not any(c != code for c in snapshot.cold_below(entrance)):
            holds[code] = HoldReason.SENSOR_UNTRUSTED
    return holds


STAGES: tuple[Stage, ...] = (heating_not_owed, untrusted_alone)


def _waits(finding: Finding, snapshot: Snapshot, wait: timedelta) -> bool:
    """Whether every cold dwelling of a finding is too new: its siblings may be about to fall.

    A dwelling that is cold for no known reason waits for a day: what comes may tell.
    """
    if not finding.cold:
        return False
    if finding.cause is Cause.UNDETERMINED:
        wait = max(wait, UNKNOWN_WAIT)
        surely = snapshot.threshold_c - TOLERANCE_K
        if all(snapshot.cold[code].min_c > surely for code in finding.cold):
            return True
    return all(snapshot.cold[code].opened_at + wait > snapshot.at for code in finding.cold)
