"""Maintenance windows on file: added, ended, listed, and what they make worth judging again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hearthline.domain.maintenance import Window
from hearthline.errors import Conflict, Invalid, NotFound
from hearthline.storage.database import Connection, Row
from hearthline.storage.queries import family
from hearthline.storage.tickets import audit


def between(connection: Connection, since: datetime, until: datetime) -> list[Window]:
    """The windows that touch a stretch of time, as analysis takes them."""
    values = {"since": since, "until": until}
    rows = connection.execute(family("maintenance")["between"], values)
    return [Window(**row) for row in rows]


def add(connection: Connection, window: Window, now: datetime) -> Row:
    """Put a window on file and have the days that it touches judged again.

    Raises:
        Invalid: it ends before it begins, or gives no reason.
        NotFound: there is no such place.
    """
    if window.until <= window.since:
        raise Invalid("The maintenance window ends before it begins.", "Swap the two times.")
    if not window.reason.strip():
        raise Invalid("The maintenance window gives no reason.", "Say what is being done.")
    values: dict[str, Any] = {
        "place": window.place,
        "since": window.since,
        "until": window.until,
        "reason": window.reason.strip(),
        "by": window.by,
        "now": now,
    }
    added = connection.execute(family("maintenance")["add"], values).fetchone()
    if added is None:
        raise NotFound(f"There is no place with the code {window.place!r}.")
    _judge_again(connection, window.place, window.since, window.until)
    audit(connection, window.by, "maintenance.add", window.place, _told(values, added["id"]))
    return one(connection, added["id"])


def end(connection: Connection, number: int, at: datetime, by: str) -> Row:
    """End a window early, or call it off where it has not begun; it stays on file.

    Raises:
        NotFound: there is no such window.
        Conflict: it is over already.
    """
    row = connection.execute(family("maintenance")["lock"], {"id": number}).fetchone()
    if row is None:
        raise NotFound(f"There is no maintenance window {number}.")
    if row["until"] <= at or row["ended_at"] is not None:
        raise Conflict(f"Maintenance window {number} is over already.")
    values = {"id": number, "at": at, "by": by}
    connection.execute(family("maintenance")["end"], values)
    _judge_again(connection, row["place"], max(at, row["since"]), row["until"])
    audit(connection, by, "maintenance.end", row["place"], {"id": number, "at": at.isoformat()})
    return one(connection, number)


def one(connection: Connection, number: int) -> Row:
    """A window with its place's names.

    Raises:
        NotFound: there is no such window.
    """
    row = connection.execute(family("maintenance")["one"], {"id": number}).fetchone()
    if row is None:
        raise NotFound(f"There is no maintenance window {number}.")
    return row


def listed(
    connection: Connection,
    *,
    since: datetime | None = None,
    place: str | None = None,
    limit: int = 100,
) -> list[Row]:
    """Windows that end after ``since``, of a place or what lies above or below it; newest first."""
    values = {"since": since, "place": place, "limit": limit}
    return connection.execute(family("maintenance")["listed"], values).fetchall()


def _judge_again(connection: Connection, place: str, since: datetime, until: datetime) -> None:
    """Mark the days of every room sensor below a place that a stretch of time touches."""
    values = {"place": place, "since": since, "until": until}
    connection.execute(family("maintenance")["mark_days"], values)


def _told(values: dict[str, Any], number: int) -> dict[str, Any]:
    return {
        "id": number,
        "since": values["since"].isoformat(),
        "until": values["until"].isoformat(),
        "reason": values["reason"],
    }
