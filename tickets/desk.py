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
from hearthline.storage.database import Connection, Row
from tickets.carrying import News, carry_out, said
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
from tickets.merging import OpenIncident, plan

ANALYSIS = "analysis"  # the actor of machine events


__all__ = [
    "ANALYSIS",
    "News",
    "act",
    "close",
    "open_incidents",
    "open_incidents_of",
    "recover",
    "relapse",
    "take_up",
    "warm",
]


def open_incidents(connection: Connection, path: str = "") -> list[OpenIncident]:
    """The incidents open now at, below or above a path, with their members below it."""
    return [_open_incident(row) for row in rows.open_incidents(connection, path)]


def open_incidents_of(connection: Connection, paths: Sequence[str]) -> list[list[OpenIncident]]:
    """``open_incidents`` of each of some districts, by their paths."""
    return [list(map(_open_incident, one)) for one in rows.open_incidents_of(connection, paths)]


def _open_incident(row: Row) -> OpenIncident:
    return OpenIncident(
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
        common=row["common"],
        ranked=tuple((Cause(cause), chance) for cause, chance in row["ranked"]),
        judged_at=row["judged_at"],
    )


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
    return carry_out(plan(findings, incidents, path_of), Book(connection, policy))


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


@dataclass(frozen=True, slots=True)
class Book:
    """Incidents as rows; a ticket promises what the ``policy`` of its first hour asks."""

    connection: Connection
    policy: Policy

    def open(self, finding: Finding) -> str | None:
        opened = self.insert(finding)
        return None if opened is None else opened[1]

    def insert(self, finding: Finding) -> tuple[int, str] | None:
        """A new incident with its ticket: its id and the ticket's number; None if one is there."""
        connection = self.connection
        incident_id = rows.insert_incident(connection, finding)
        if incident_id is None:
            return None
        rows.join_members(connection, incident_id, finding.at, finding.affected, finding.cold)
        promised = due(finding.at, self.policy)
        ticket = rows.insert_ticket(
            connection,
            incident_id,
            finding.at,
            day=self.policy.local_day(finding.at).strftime("%y%m%d"),
            respond_by=promised.respond_by,
            resolve_by=promised.resolve_by,
        )
        event = Event(
            EventKind.OPENED, finding.at, ANALYSIS, reason=finding.cause, body=said(finding)
        )
        _append(connection, ticket["id"], ticket["number"], Standing(), event)
        return incident_id, str(ticket["number"])

    def update(self, incident: OpenIncident, finding: Finding) -> None:
        rows.update_incident(self.connection, incident.id, finding)

    def join(self, incident: OpenIncident, finding: Finding) -> int:
        cold = finding.cold.intersection(finding.affected) - incident.cold
        told = (finding.affected - incident.members) | cold  # a shortage holds a whole city
        if not told:
            return 0
        return rows.join_members(self.connection, incident.id, finding.at, told, cold)

    def merge(self, incident: OpenIncident, into: OpenIncident, at: datetime) -> None:
        connection = self.connection
        rows.move_members(connection, incident.id, into.id)
        target = rows.lock_incident_ticket(connection, into.id)
        self.note(incident, EventKind.MERGED, at, "", {"into": target["number"]})
        rows.merge_into(connection, incident.id, into.id)
        rows.close_incident(connection, incident.id, at)

    def note(
        self,
        incident: OpenIncident,
        kind: EventKind,
        at: datetime,
        reason: str,
        body: dict[str, Any],
    ) -> str:
        event = Event(kind, at, ANALYSIS, reason=reason, body=body)
        return _record(self.connection, incident.id, event)


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
