"""Complaints on file: added, listed, and those that analysis weighs. Nothing is ever changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hearthline.domain.complaints import RULES, Channel, Complaint
from hearthline.domain.places import PlaceKind
from hearthline.errors import Invalid, NotFound
from hearthline.storage.database import Connection, Row
from hearthline.storage.queries import family
from hearthline.storage.tickets import audit


def between(connection: Connection, since: datetime, until: datetime) -> list[Complaint]:
    """The complaints after ``since`` and up to ``until``, oldest first, as analysis takes them."""
    rows = connection.execute(family("complaints")["between"], {"since": since, "until": until})
    return [Complaint(**{**row, "channel": Channel(row["channel"])}) for row in rows]


def add(connection: Connection, complaint: Complaint, now: datetime) -> Row:
    """Put a complaint on file.

    Raises:
        NotFound: there is no such place.
        Invalid: the place is no dwelling, or the call lies in the future.
    """
    if complaint.at > now:
        raise Invalid(
            "The call lies in the future.", "Give the time at which it came, or leave it out."
        )
    found = connection.execute(family("complaints")["place"], {"place": complaint.place}).fetchone()
    if found is None:
        raise NotFound(
            f"There is no place with the code {complaint.place!r}, so the call is not on file.",
            "Search for the dwelling by its address, then file the call again.",
        )
    if found["kind"] != PlaceKind.UNIT:
        raise Invalid(
            f"{complaint.place} is no dwelling but a {found['kind']}; calls are of dwellings.",
            "File it for the caller's own dwelling.",
        )
    values: dict[str, Any] = {
        "place_id": found["id"],
        "at": complaint.at,
        "note": complaint.note.strip(),
        "channel": complaint.channel,
        "caller": complaint.caller.strip(),
        "by": complaint.by,
        "now": now,
    }
    number = connection.execute(family("complaints")["add"], values).fetchall()[0]["id"]
    said = {"id": number, "at": complaint.at.isoformat(), "channel": str(complaint.channel)}
    audit(connection, complaint.by, "complaint.add", complaint.place, said)
    return connection.execute(family("complaints")["one"], {"id": number}).fetchall()[0]


def listed(
    connection: Connection,
    *,
    place: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    after: tuple[datetime, int] | None = None,
    limit: int = 100,
) -> list[Row]:
    """Complaints of a place and what lies below it, newest first.

    ``after`` is (at, id) of the last one seen.
    """
    at, number = after or (None, None)
    values = {
        "place": place,
        "since": since,
        "until": until,
        "after": at,
        "after_id": number,
        "limit": limit,
    }
    return connection.execute(family("complaints")["listed"], values).fetchall()


def of_incident(connection: Connection, incident_id: int, limit: int = 100) -> list[Row]:
    """What the dwellings of an incident said, from a week before it opened; newest first."""
    values = {"incident_id": incident_id, "before": RULES.repeat_within, "limit": limit}
    return connection.execute(family("complaints")["of_incident"], values).fetchall()
