"""One open incident per cause: how new findings meet the incidents that are already open.

A finding whose cause is known rests on evidence of its own; an undetermined one only says that
dwellings are cold. A place is *common* where several buildings share it: a circuit, a substation,
the source. The rules, in order, for each supply finding:

1. An open incident at the same place is the same one: it takes the new members and, if the
   finding is surer, the new cause. Only what two signs prove of one common place is two causes.
   What a branch meter proves of a building is the open incident of the entrance below it, unless
   most of the cold is elsewhere in the building: one meter tells of one cause.
2. A finding below an open incident, or all of whose cold dwellings are members of one, is explained
   by it: its dwellings join, since a dwelling does not change its ticket because the diagnosis
   wavers. But where only common incidents stand above it and it has evidence of its own, it is a
   cause of its own: a station short of heat does not close a valve.
3. A finding above open incidents explains them if it claims all their cold dwellings: the oldest
   is widened to the new place, the others are merged into it. Not those that rest on a meter or on
   the ledger, nor those that stood for three days; and a common finding explains only undetermined
   ones. What meters prove is as old as its sign: it opens an incident and then takes in others.
4. Anything else opens a new incident, unless all its cold dwellings are cold by another one's
   doing and no meter proves it: a shortage leaves the weakest dwellings coldest. Of what an
   undetermined common finding has left, those below a local incident join that, and fewer than
   three others are no trouble that several buildings share: they wait for a reason of their own.

Sensor findings meet the incident of their own sensor, or open one. A dwelling is cold for one
reason at a time: what an incident that stays apart already holds as cold does not count as cold in
another one, though it may be affected by it too. Only who stands out from what a common cause does
to his fellows, or an unheated neighbour to those beside (``Finding.apart``), is cold by a cause of
his own, whatever such incident holds him.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from hearthline.domain.findings import Cause, Finding, TicketKind

PROVEN = frozenset(
    {
        Cause.SOURCE_SHORTAGE,
        Cause.CONTROL_CURVE,
        Cause.PUMP_TRIP,
        Cause.EXCHANGER_FOULED,
        Cause.LEAK,
        Cause.PIPES_SWAPPED,
        Cause.STRAINER_CLOGGED,
        Cause.HYDRAULIC_IMBALANCE,
        Cause.NEIGHBOUR_UNHEATED,
    }
)
"""Causes that a meter or the ledger proves: nothing wider swallows them."""
OF_A_BRANCH = frozenset({Cause.PIPES_SWAPPED, Cause.STRAINER_CLOGGED})
"""Causes of an entrance that the meter of its building shows."""
SHARED_BY = 3
"""Cold dwellings of its own that an undetermined trouble of several buildings has at least."""
SETTLED_AFTER = timedelta(hours=72)
"""Dwellings of one branch fall below the standard one after another: a riser sinks for a day or
two, a building with a time constant of 45 to 101 h (domain facts, section 3)."""
SHOWS_WITHIN = timedelta(hours=12)  # the slowest sign is established by then
AT_ONCE = frozenset({Cause.PUMP_TRIP})
"""Causes that meters show within minutes: who was cold before is cold for another reason."""


class StepKind(StrEnum):
    """What to do about a finding."""

    OPEN = "open"
    UPDATE = "update"
    WIDEN = "widen"


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """What merging needs to know of an incident that is open now.

    ``ranked`` are its causes with their chances, as they were told at ``judged_at``.
    """

    id: int
    kind: TicketKind
    cause: Cause
    place: str
    confidence: float
    opened_at: datetime
    device_uid: str | None = None
    members: frozenset[str] = frozenset()
    cold: frozenset[str] = frozenset()
    recovered_at: datetime | None = None
    common: bool = False
    ranked: tuple[tuple[Cause, float], ...] = ()
    judged_at: datetime | None = None

    def holds_all(self, finding: Finding) -> bool:
        """Whether a finding tells nothing that the incident does not say already."""
        return (
            finding.affected <= self.members
            and finding.cold <= self.cold
            and not self.yields_to(finding)
        )

    def yields_to(self, finding: Finding) -> bool:
        """Whether a finding at the same place names another cause and is surer of it."""
        return (
            finding.place == self.place
            and finding.cause is not self.cause
            and finding.confidence > self.confidence
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One decision: the finding, the incident it meets, and those that it swallows."""

    kind: StepKind
    finding: Finding
    incident: OpenIncident | None = None
    swallowed: tuple[OpenIncident, ...] = ()


def plan(
    findings: Iterable[Finding], incidents: Sequence[OpenIncident], path_of: Mapping[str, str]
) -> list[Step]:
    """Decide what each finding does, most general place first.

    ``path_of`` gives the path of every place (see ``domain.places.paths``). An incident that a
    step of this plan widens or swallows is not met again by a later finding.
    """
    left = list(incidents)
    steps = []
    for finding in sorted(findings, key=lambda f: (path_of[f.place].count("/"), f.place)):
        step = _meet(finding, left, path_of)
        swallowed = {incident.id for incident in step.swallowed}
        left = [incident for incident in left if incident.id not in swallowed]
        step = _without_others(step, left)
        if step.kind is StepKind.OPEN and _is_vague(finding):
            steps += _shared_out(step, left, path_of)
        elif step.kind is not StepKind.OPEN or _has_news(finding, step.finding):
            steps.append(step)
    return steps


def _has_news(finding: Finding, left: Finding) -> bool:
    """Whether a finding is worth an incident once what others hold is taken from it."""
    return bool(left.cold) or finding.proven or not finding.cold


def _is_vague(finding: Finding) -> bool:
    """Whether a finding only says that several buildings have cold dwellings."""
    return finding.common and finding.cause is Cause.UNDETERMINED and not finding.proven


def _shared_out(
    step: Step, incidents: Sequence[OpenIncident], path_of: Mapping[str, str]
) -> list[Step]:
    """What becomes of a vague finding: parts that join local incidents, and an opening for many."""
    local = [i for i in incidents if i.kind is step.finding.kind and not i.common]
    parts: dict[int, tuple[OpenIncident, set[str]]] = {}
    for code in sorted(step.finding.cold):
        above = [i for i in local if path_of[code].startswith(path_of[i.place])]
        if above:
            deepest = max(above, key=lambda i: (len(path_of[i.place]), -i.id))
            parts.setdefault(deepest.id, (deepest, set()))[1].add(code)
    steps = []
    for incident, codes in parts.values():
        joins = replace(step.finding, cold=frozenset(codes), affected=frozenset(codes))
        steps.append(Step(StepKind.UPDATE, joins, incident))
    left = step.finding.cold.difference(*(codes for _, codes in parts.values()))
    if len(left) >= SHARED_BY:
        steps.append(replace(step, finding=replace(step.finding, cold=left)))
    return steps


def _without_others(step: Step, incidents: Sequence[OpenIncident]) -> Step:
    """The step with its finding's cold dwellings less those of incidents that stay apart."""
    own = step.incident.id if step.incident else None
    others = [i for i in incidents if i.kind is step.finding.kind and i.id != own]
    apart = [i.cold for i in others if not (step.finding.apart and _may_hide(i))]
    cold = step.finding.cold.difference(*apart)
    if len(cold) == len(step.finding.cold):
        return step
    return replace(step, finding=replace(step.finding, cold=cold))


def _may_hide(incident: OpenIncident) -> bool:
    """Whether what an incident does to many may hide what somebody of them has besides."""
    return incident.common or incident.cause is Cause.NEIGHBOUR_UNHEATED


def _meet(finding: Finding, incidents: Sequence[OpenIncident], path_of: Mapping[str, str]) -> Step:
    peers = [incident for incident in incidents if incident.kind is finding.kind]
    same = [
        i
        for i in peers
        if (i.place, i.device_uid) == (finding.place, finding.device_uid)
        and not _is_another(finding, i)
    ]
    same.sort(key=lambda i: i.cause is not finding.cause)
    if finding.kind is TicketKind.SENSOR:
        return Step(StepKind.UPDATE, finding, same[0]) if same else Step(StepKind.OPEN, finding)
    below = [i for i in peers if _swallows(finding, i, path_of)]
    if same:
        return Step(StepKind.UPDATE, finding, same[0], tuple(below))
    told = _of_the_same_meter(finding, peers, path_of)
    if told is not None:
        return told
    here = path_of[finding.place]
    above = [
        i
        for i in peers
        if (here.startswith(path_of[i.place]) or _is_part(finding, i))
        and (finding.cause is Cause.UNDETERMINED or not i.common)
    ]
    # What the ledger says of an unheated dwelling; its place is cold itself where somebody insists.
    ledger = finding.cause is Cause.NEIGHBOUR_UNHEATED and finding.place not in finding.cold
    if above and not ledger:
        joins = replace(finding, affected=finding.cold)  # the incident's own place says who else
        return Step(StepKind.UPDATE, joins, max(above, key=lambda i: len(path_of[i.place])))
    if below and not finding.proven:
        oldest = min(below, key=lambda i: (i.opened_at, i.id))
        rest = tuple(i for i in below if i.id != oldest.id)
        return Step(StepKind.WIDEN, finding, oldest, rest)
    return Step(StepKind.OPEN, finding)


def _is_another(finding: Finding, incident: OpenIncident) -> bool:
    """Whether a sign proves of a common place what its open incident is not about."""
    if not (finding.proven and finding.common) or incident.cause is finding.cause:
        return False
    wait = timedelta(0) if finding.cause in AT_ONCE else SHOWS_WITHIN
    stood = finding.at > incident.opened_at and finding.at - incident.opened_at >= wait
    return incident.cause in PROVEN or (incident.cause is Cause.UNDETERMINED and stood)


def _of_the_same_meter(
    finding: Finding, incidents: Sequence[OpenIncident], path_of: Mapping[str, str]
) -> Step | None:
    """A branch meter's finding of a building one of whose entrances has an incident already."""
    if not finding.proven or finding.common:
        return None
    here = path_of[finding.place]
    for incident in incidents:
        there = path_of[incident.place]
        if incident.cause in OF_A_BRANCH and there != here and there.startswith(here):
            beyond = [code for code in finding.cold if not path_of[code].startswith(there)]
            if 2 * len(beyond) > len(finding.cold):
                return Step(StepKind.WIDEN, finding, incident)
            return Step(StepKind.UPDATE, replace(finding, affected=finding.cold), incident)
    return None


def _is_part(finding: Finding, incident: OpenIncident) -> bool:
    """Whether an incident elsewhere says already what a finding does."""
    own = finding.proven or (finding.apart and _may_hide(incident))
    return _has_all(incident, finding) and not own


def _has_all(incident: OpenIncident, finding: Finding) -> bool:
    return bool(finding.cold) and finding.cold <= incident.members


def _swallows(finding: Finding, incident: OpenIncident, path_of: Mapping[str, str]) -> bool:
    here, there = path_of[finding.place], path_of[incident.place]
    return (
        there != here
        and there.startswith(here)
        and (incident.cause not in PROVEN or incident.place in incident.cold)
        and (not finding.common or incident.cause is Cause.UNDETERMINED)
        and finding.at - incident.opened_at < SETTLED_AFTER
        and incident.cold <= finding.cold
    )
