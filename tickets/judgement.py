"""What an incident says of its cause when it is judged again.

What meters or the ledger prove stands until something surer comes. What only rooms tell wavers
from hour to hour: an hour's sun, a night, the tail of a recovery. There an incident says the mean
of what was said of its place, each judgement weighing as long as it stood, the last day most: one
odd hour does not turn a diagnosis, and what shows for a day does.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hearthline.domain.findings import Cause, Finding, TicketKind
from tickets.merging import PROVEN, OpenIncident

REMEMBERS = timedelta(hours=24)
"""How much of the past counts: nights and days of one cause look different."""
SIGN = 0.85  # a meter's sign that speaks for itself is as sure (``explain.meters``)
LEAST = timedelta(hours=1)  # the rhythm in which causes are judged


def judgement(incident: OpenIncident, finding: Finding) -> Finding | None:
    """The finding by which an incident is to be known from now on; None leaves it as it was."""
    if incident.place != finding.place:
        return None
    if incident.judged_at is not None and _of_rooms(incident, finding):
        return _mean(incident, incident.judged_at, finding)
    same = incident.cause is finding.cause
    if not same and not finding.common and not incident.common:
        if finding.cause is Cause.UNDETERMINED:
            return None  # what was told is not unsaid by an hour that tells nothing
        if incident.cause is Cause.UNDETERMINED:
            return finding
        if incident.cause in PROVEN and incident.confidence >= SIGN and not finding.proven:
            return None
    return finding if same or incident.yields_to(finding) else None


def _of_rooms(incident: OpenIncident, finding: Finding) -> bool:
    """Whether nothing but rooms tells, before and now."""
    local = finding.kind is TicketKind.SUPPLY and not finding.common and not finding.proven
    surer = PROVEN | {Cause.UNDETERMINED}
    told = bool(incident.ranked) and bool(finding.ranked)
    return local and told and incident.cause not in surer and finding.cause not in surer


def _mean(incident: OpenIncident, judged_at: datetime, finding: Finding) -> Finding:
    """The finding with the mean of its causes' chances and those that the incident had."""
    stood = min(max(judged_at - incident.opened_at, LEAST), REMEMBERS)
    new = max(finding.at - judged_at, LEAST)
    share = new / (new + stood)
    before, now = dict(incident.ranked), dict(finding.ranked)
    chances = {
        cause: round((1.0 - share) * before.get(cause, 0.0) + share * now.get(cause, 0.0), 3)
        for cause in {**before, **now}
    }
    ranked = tuple(sorted(chances.items(), key=lambda item: (-item[1], item[0])))
    cause, confidence = ranked[0]
    return replace(finding, cause=cause, confidence=confidence, ranked=ranked)
