"""Incidents, tickets and their events as rows; the rules about them live in ``tickets/``.

Every function takes the caller's open connection, so that a finding, its incident, its ticket,
the event and the outbox row commit together or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from hearthline.domain.findings import Finding
from hearthline.storage.database import Connection, Row
from hearthline.storage.paths import beyond
from hearthline.storage.queries import family

TICKET_CHANNEL = "hearthline_ticket"  # NOTIFY with the ticket's number on every event


def open_incidents(connection: Connection, path: str = "") -> list[Row]:
    """Incidents without an end, oldest first, each with its members and its ticket's number.

    Of those at or below a path, and those above it with what members they have below it.
    """
    values = {
        "path": path,
        "beyond": beyond(path),
        "above": path.rstrip("/").split("/")[:-1],
    }
    return connection.execute(family("tickets")["open_incidents"], values).fetchall()


def open_incidents_of(connection: Connection, paths: Sequence[str]) -> list[list[Row]]:
    """``open_incidents`` of each of some districts, by their paths."""
    values = {"paths": list(paths), "beyond": [beyond(path) for path in paths]}
    found: list[list[Row]] = [[] for _ in paths]
    for row in connection.execute(family("tickets")["open_incidents_of"], values):
        found[row["part"] - 1].append(row)
    return found


def insert_incident(connection: Connection, finding: Finding) -> int | None:
    """Open an incident; None when one is open at that place already (another worker won)."""
    row = connection.execute(
        family("tickets")["insert_incident"], {**_conclusion(finding), "kind": finding.kind}
    ).fetchone()
    return int(row["id"]) if row else None


def update_incident(connection: Connection, incident_id: int, finding: Finding) -> None:
    """Give an open incident the finding's cause, place and evidence."""
    connection.execute(
        family("tickets")["update_incident"],
        {**_conclusion(finding), "incident_id": incident_id},
    )


def update_incidents(connection: Connection, said: Mapping[int, Finding]) -> None:
    """``update_incident`` of several, each with its finding."""
    if not said:
        return
    told = [
        {
            "id": number,
            "cause": finding.cause,
            "place": finding.place,
            "at": finding.at.isoformat(),
            "confidence": finding.confidence,
            "evidence": _evidence(finding),
            "ranked": finding.ranked,
        }
        for number, finding in said.items()
    ]
    connection.execute(family("tickets")["update_incidents"], {"said": Jsonb(told)})


def close_incident(connection: Connection, incident_id: int, at: datetime) -> None:
    """End an incident: from now on it takes no members."""
    connection.execute(family("tickets")["close_incident"], {"incident_id": incident_id, "at": at})


def join_members(
    connection: Connection,
    incident_id: int,
    at: datetime,
    members: Collection[str],
    cold: Collection[str],
) -> int:
    """Add dwellings; returns how many are new or newly cold."""
    cursor = connection.execute(
        family("tickets")["join_members"],
        {
            "incident_id": incident_id,
            "at": at,
            "members": sorted(members),
            "cold": sorted(cold),
        },
    )
    return len(cursor.fetchall())


def warm_members(
    connection: Connection, incident_id: int, at: datetime, cold: Collection[str]
) -> None:
    """Note since when members are warm again: all that are not in ``cold``."""
    connection.execute(
        family("tickets")["warm_members"],
        {"incident_id": incident_id, "at": at, "cold": sorted(cold)},
    )


def move_members(connection: Connection, incident_id: int, into: int) -> None:
    """Copy the members of a swallowed incident into the one that explains it."""
    connection.execute(
        family("tickets")["move_members"], {"incident_id": incident_id, "into": into}
    )


def insert_ticket(
    connection: Connection,
    incident_id: int,
    at: datetime,
    *,
    day: str,
    respond_by: datetime,
    resolve_by: datetime,
) -> Row:
    """Give an incident its ticket; returns its ``id`` and ``number``."""
    return connection.execute(
        family("tickets")["insert_ticket"],
        {
            "incident_id": incident_id,
            "at": at,
            "day": day,
            "respond_by": respond_by,
            "resolve_by": resolve_by,
        },
    ).fetchall()[0]


def ticket(connection: Connection, number: str) -> Row | None:
    """A ticket with its incident and place."""
    return connection.execute(family("tickets")["ticket"], {"number": number}).fetchone()


def lock_ticket(connection: Connection, number: str) -> int | None:
    """Lock a ticket until the transaction ends; its id, or None."""
    row = connection.execute(family("tickets")["lock_ticket"], {"number": number}).fetchone()
    return int(row["id"]) if row else None


def lock_incident_ticket(connection: Connection, incident_id: int) -> Row:
    """Lock the ticket of an incident; returns its ``id`` and ``number``."""
    return connection.execute(
        family("tickets")["lock_incident_ticket"], {"incident_id": incident_id}
    ).fetchall()[0]


def events(connection: Connection, ticket_id: int) -> list[Row]:
    """The log of a ticket in order."""
    return connection.execute(family("tickets")["events"], {"ticket_id": ticket_id}).fetchall()


def last_event(connection: Connection) -> int:
    """The id of the newest event of any ticket, 0 where there is none."""
    return int(connection.execute(family("tickets")["last_event"]).fetchall()[0]["id"])


def events_after(connection: Connection, last: int) -> list[Row]:
    """Events of all tickets after an id, with the ticket's number and the place's names."""
    return connection.execute(family("tickets")["events_after"], {"last": last}).fetchall()


def append_event(
    connection: Connection,
    ticket_id: int,
    number: str,
    event: Mapping[str, Any],
    projection: Mapping[str, Any],
) -> None:
    """Append one event, renew the projection, put it in the outbox and notify listeners."""
    body = dict(event["body"])
    values = {
        **event,
        **projection,
        "ticket_id": ticket_id,
        "number": number,
        "type": f"hearthline.ticket.{event['kind']}",
        "body": Jsonb(body),
        "envelope": Jsonb({**event, "at": event["at"].isoformat(), "body": body}),
    }
    connection.execute(family("tickets")["append_event"], values)


def merge_into(connection: Connection, incident_id: int, into: int) -> None:
    """Point the ticket of a swallowed incident at the one it lives on in."""
    connection.execute(family("tickets")["merge_into"], {"incident_id": incident_id, "into": into})


def audit(
    connection: Connection, actor: str, action: str, subject: str, body: Mapping[str, Any]
) -> None:
    """Write down who did what."""
    connection.execute(
        family("tickets")["note_audit"],
        {"actor": actor, "action": action, "object": subject, "body": Jsonb(dict(body))},
    )


def _conclusion(finding: Finding) -> dict[str, Any]:
    return {
        "cause": finding.cause,
        "place": finding.place,
        "device_uid": finding.device_uid,
        "at": finding.at,
        "confidence": finding.confidence,
        "evidence": Jsonb(_evidence(finding)),
        "ranked": Jsonb([[cause, probability] for cause, probability in finding.ranked]),
    }


def _evidence(finding: Finding) -> list[dict[str, Any]]:
    return [
        {"code": piece.code, "values": piece.values, "against": piece.against}
        for piece in finding.evidence
    ]
