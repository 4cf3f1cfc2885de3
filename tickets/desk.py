"""The desk: writes what life-cycle and merging decide, one transaction per call of the caller.

Two doors. ``take_up`` is for findings of the analysis: it opens, updates, widens or merges.
``act`` is for people: an action on one ticket, guarded by the version they saw.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hearthline.domain.findings import Cause, Finding, TicketKind
from hearthline.domain.policies import Policy
from hearthline.errors import Conflict, Invalid, NotFound
from hearthline.storage import tickets as rows
from hearthline.storage.database import Connection
from tickets.clocks import due
from tickets.lifecycle import (
    EVENT_OF,
    Action,
    Event,
    EventKind,
    Standing,
    State,
    advance,
    allowed,
    fold,
)
from tickets.merging import OpenIncident, Step, StepKind, plan

ANALYSIS = "analysis"  # the actor of machine events


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened at the desk, for the log and for whoever watches."""

    at: datetime
    kind: EventKind
    number: str
    cause: Cause
    place: str
    confidence: float
    cold: int
    affected: int


def open_incidents(connection: Connection) -> list[OpenIncident]:
    """The incidents that are open now, as merging wants them."""
    return [
        OpenIncident(
            id=row["id"],
            kind=TicketKind(row["kind"]),
            cause=Cause(row["cause"]),
            place=row["place"],
            confidence=row["confidence"],
            opened_at=row["opened_at"],
            device_uid=row["device_uid"],
            members=frozenset(row["members"]),
            cold=frozenset(row["cold_members"]),
            recovered_at=row["recovered_at"],
        )
        for row in rows.open_incidents(connection)
    ]


def take_up(
    connection: Connection,
    findings: Sequence[Finding],
    incidents: Sequence[OpenIncident],
    path_of: Mapping[str, str],
    policy: Policy,
) -> list[News]:
    """Turn findings into tickets: exactly one open per cause.

    ``incidents`` are those open in this transaction (see ``open_incidents``).
    """
    news: list[News] = []
    for step in plan(findings, incidents, path_of):
        match step.kind:
            case StepKind.OPEN:
                news += _open(connection, step.finding, policy)
            case StepKind.UPDATE:
                news += _update(connection, step)
            case StepKind.WIDEN:
                news += _widen(connection, step)
    return news


def recover(connection: Connection, incident: OpenIncident, at: datetime) -> None:
    """Note on the ticket that the rooms of an incident are warm again."""
    _record(connection, incident.id, Event(EventKind.RECOVERED, at, ANALYSIS))


def relapse(connection: Connection, incident: OpenIncident, at: datetime) -> None:
    """Note on the ticket that rooms which had recovered are cold again."""
    _record(connection, incident.id, Event(EventKind.RELAPSED, at, ANALYSIS))


def warm(
    connection: Connection, incident: OpenIncident, at: datetime, cold: Collection[str]
) -> None:
    """Note which members are warm again: all that are not in ``cold``."""
    rows.warm_members(connection, incident.id, at, cold)


def close(connection: Connection, incident: OpenIncident, at: datetime) -> None:
    """End an incident that stayed recovered; its ticket goes on along the chain."""
    rows.close_incident(connection, incident.id, at)


def act(
    connection: Connection,
    number: str,
    action: str,
    *,
    actor: str,
    now: datetime,
    reason: str = "",
    note: str = "",
    body: Mapping[str, Any] | None = None,
    if_version: int | None = None,
) -> dict[str, Any]:
    """A person's act on a ticket; returns the ticket as it is afterwards.

    Raises:
        NotFound: no such ticket.
        Invalid: the action is unknown or lacks what it must carry.
        Conflict: it is not allowed now, or the ticket is no longer at ``if_version``.
    """
    try:
        chosen = Action(action)
    except ValueError:
        raise Invalid(
            f"There is no action {action!r}.", f"Use one of: {', '.join(Action)}."
        ) from None
    ticket_id = rows.lock_ticket(connection, number)
    if ticket_id is None:
        raise NotFound(f"There is no ticket {number}.")
    standing = _standing(connection, ticket_id)
    if if_version is not None and if_version != standing.version:
        raise Conflict(
            f"Ticket {number} has changed since you opened it.",
            "Look at its latest events, then act again.",
        )
    if chosen not in allowed(standing.state, paused=standing.paused is not None):
        raise Conflict(f"A ticket that is {standing.state} does not take the action {action}.")
    event = Event(EVENT_OF[chosen], now, actor, reason, note, dict(body or {}))
    _append(connection, ticket_id, number, standing, event)
    rows.audit(connection, actor, f"ticket.{action}", number, {"reason": reason})
    found = rows.ticket(connection, number)
    if found is None:
        raise NotFound(f"There is no ticket {number}.")
    return found


def _open(connection: Connection, finding: Finding, policy: Policy) -> list[News]:
    incident_id = rows.insert_incident(connection, finding)
    if incident_id is None:
        return []  # somebody else opened it meanwhile; the next cycle joins it
    rows.join_members(connection, incident_id, finding.at, finding.affected, finding.cold)
    promised = due(finding.at, policy)
    ticket = rows.insert_ticket(
        connection,
        incident_id,
        finding.at,
        day=policy.local_day(finding.at).strftime("%y%m%d"),
        respond_by=promised.respond_by,
        resolve_by=promised.resolve_by,
    )
    event = Event(EventKind.OPENED, finding.at, ANALYSIS, reason=finding.cause, body=_body(finding))
    _append(connection, ticket["id"], ticket["number"], Standing(), event)
    return [_news(finding, EventKind.OPENED, ticket["number"])]


def _update(connection: Connection, step: Step) -> list[News]:
    incident, finding = _met(step)
    same = incident.place == finding.place and incident.cause is finding.cause
    if same or incident.yields_to(finding):
        rows.update_incident(connection, incident.id, finding)  # the evidence of today
    if incident.holds_all(finding) and not step.swallowed:
        return []
    joined = rows.join_members(connection, incident.id, finding.at, finding.affected, finding.cold)
    for swallowed in step.swallowed:
        _merge(connection, swallowed, incident, finding.at)
    if not joined or incident.kind is TicketKind.SENSOR:
        return []
    body = {**_body(finding), "joined": joined}
    number = _record(
        connection, incident.id, Event(EventKind.MEMBERS_JOINED, finding.at, ANALYSIS, body=body)
    )
    return [_news(finding, EventKind.MEMBERS_JOINED, number)]


def _widen(connection: Connection, step: Step) -> list[News]:
    incident, finding = _met(step)
    for swallowed in step.swallowed:
        _merge(connection, swallowed, incident, finding.at)
    rows.update_incident(connection, incident.id, finding)
    rows.join_members(connection, incident.id, finding.at, finding.affected, finding.cold)
    body = {**_body(finding), "from": incident.place}
    event = Event(EventKind.WIDENED, finding.at, ANALYSIS, reason=finding.cause, body=body)
    number = _record(connection, incident.id, event)
    return [_news(finding, EventKind.WIDENED, number)]


def _merge(
    connection: Connection, incident: OpenIncident, into: OpenIncident, at: datetime
) -> None:
    rows.move_members(connection, incident.id, into.id)
    target = rows.lock_incident_ticket(connection, into.id)
    _record(
        connection,
        incident.id,
        Event(EventKind.MERGED, at, ANALYSIS, body={"into": target["number"]}),
    )
    rows.merge_into(connection, incident.id, into.id)
    rows.close_incident(connection, incident.id, at)


def _record(connection: Connection, incident_id: int, event: Event) -> str:
    ticket = rows.lock_incident_ticket(connection, incident_id)
    standing = _standing(connection, ticket["id"])
    if standing.state is not State.MERGED:
        _append(connection, ticket["id"], ticket["number"], standing, event)
    return str(ticket["number"])


def _append(
    connection: Connection, ticket_id: int, number: str, standing: Standing, event: Event
) -> None:
    after = advance(standing, event)
    rows.append_event(
        connection,
        ticket_id,
        number,
        {
            "kind": event.kind,
            "at": event.at,
            "actor": event.actor,
            "reason": event.reason,
            "note": event.note,
            "body": event.body,
        },
        {
            "state": after.state,
            "version": after.version,
            "assignee": after.assignee,
            "recovered_at": after.recovered_at,
        },
    )


def _standing(connection: Connection, ticket_id: int) -> Standing:
    return fold(
        Event(
            EventKind(row["kind"]), row["at"], row["actor"], row["reason"], row["note"], row["body"]
        )
        for row in rows.events(connection, ticket_id)
    )


def _met(step: Step) -> tuple[OpenIncident, Finding]:
    if step.incident is None:
        raise TypeError(f"step {step.kind} meets no incident")
    return step.incident, step.finding


def _body(finding: Finding) -> dict[str, Any]:
    return {
        "place": finding.place,
        "cause": finding.cause,
        "confidence": round(finding.confidence, 3),
        "cold": len(finding.cold),
        "affected": len(finding.affected),
    }


def _news(finding: Finding, kind: EventKind, number: str) -> News:
    return News(
        finding.at,
        kind,
        number,
        finding.cause,
        finding.place,
        finding.confidence,
        len(finding.cold),
        len(finding.affected),
    )
