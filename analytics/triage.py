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
from hearthline.domain.findings import Finding
from hearthline.domain.places import HeatingStatus, PlaceKind
from hearthline.domain.policies import HoldReason

Holds = Mapping[str, HoldReason]
Stage = Callable[[Snapshot], Holds]

STATUS_HOLDS: Mapping[HeatingStatus, HoldReason] = {
    HeatingStatus.STOPPED: HoldReason.HEATING_STOPPED,
    HeatingStatus.RESTRICTED: HoldReason.HEATING_RESTRICTED,
    HeatingStatus.VACANT: HoldReason.VACANT,
}


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
    """A stopped, restricted or vacant dwelling never alarms (requirement 28)."""
    return {code: STATUS_HOLDS[status] for code, status in snapshot.unowed.items()}


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
    """Whether every cold dwelling of a finding is too new: its siblings may be about to fall."""
    if not finding.cold:
        return False
    return all(snapshot.cold[code].opened_at + wait > snapshot.at for code in finding.cold)
