"""The desk as rows: the queue, its counts, one ticket with members and log."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hearthline.domain.responsibility import warranty_of
from hearthline.errors import NotFound
from hearthline.storage.database import Connection, Row
from hearthline.storage.views.statements import statement

OPEN_STATES = ("new", "dispatched", "in_progress", "replied")
ORDERS = ("urgent", "newest", "largest")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tickets; a part that is None or False does not narrow."""

    states: tuple[str, ...] | None = OPEN_STATES
    kind: str | None = None
    cause: str | None = None
    prefix: str | None = None
    overdue: bool = False
    text: str | None = None

    def values(self, now: datetime) -> dict[str, Any]:
        """Parameters of the statement."""
        return {
            "states": None if self.states is None else list(self.states),
            "kind": self.kind,
            "cause": self.cause,
            "prefix": self.prefix,
            "overdue": self.overdue,
            "text": self.text,
            "now": now,
        }


def tickets(
    connection: Connection,
    now: datetime,
    narrowed: Filter,
    *,
    after: tuple[datetime, int] | None = None,
    limit: int = 100,
) -> list[Row]:
    """Tickets by opening, newest first; ``after`` is (opened_at, id) of the last one seen."""
    at, last = after or (None, None)
    values = {**narrowed.values(now), "after": at, "after_id": last, "limit": limit}
    return connection.execute(statement("views_tickets", "tickets"), values).fetchall()


def queue(
    connection: Connection,
    now: datetime,
    narrowed: Filter,
    *,
    order: str = "urgent",
    limit: int = 200,
) -> list[Row]:
    """The operators' queue in one of ``ORDERS``."""
    values = {**narrowed.values(now), "order": order, "limit": limit}
    return connection.execute(statement("views_tickets", "queue"), values).fetchall()


def queue_counts(connection: Connection, now: datetime, narrowed: Filter) -> dict[str, Row]:
    """Tickets and overdue ones by state, under every other part of the filter."""
    everything = replace(narrowed, states=None, overdue=False)
    rows = connection.execute(
        statement("views_tickets", "queue_counts"), everything.values(now)
    ).fetchall()
    return {row["state"]: row for row in rows}


def ticket(connection: Connection, number: str) -> Row:
    """A ticket with its incident, place, evidence and ranked causes.

    Raises:
        NotFound: there is no such ticket.
    """
    row = connection.execute(statement("views_tickets", "ticket"), {"number": number}).fetchone()
    if row is None:
        raise NotFound(f"There is no ticket {number!r}.")
    return row


def version(connection: Connection, number: str) -> int:
    """The version of a ticket, which stays locked until the transaction ends.

    Raises:
        NotFound: there is no such ticket.
    """
    row = connection.execute(
        statement("views_tickets", "ticket_version"), {"number": number}
    ).fetchone()
    if row is None:
        raise NotFound(f"There is no ticket {number!r}.")
    return int(row["version"])


def events(connection: Connection, number: str) -> list[Row]:
    """The log of a ticket, oldest first."""
    return connection.execute(statement("views_tickets", "events"), {"number": number}).fetchall()


def members(connection: Connection, incident_id: int) -> list[Row]:
    """Dwellings of an incident: since when affected, cold, warm again."""
    values = {"incident_id": incident_id}
    return connection.execute(statement("views_tickets", "members"), values).fetchall()


def warranties(connection: Connection, places: Collection[str]) -> dict[str, datetime | None]:
    """Until when the developer answers for each of some places (``warranty_of``)."""
    rows = connection.execute(
        statement("views_tickets", "warranties"), {"places": sorted(set(places))}
    )
    return {row["code"]: warranty_of(row["until"]) for row in rows}


def tickets_of_unit(connection: Connection, code: str) -> list[Row]:
    """Tickets that a dwelling is or was part of, newest first."""
    return connection.execute(
        statement("views_tickets", "tickets_of_unit"), {"code": code}
    ).fetchall()


def tickets_below(connection: Connection, prefix: str) -> list[Row]:
    """Open tickets that dwellings below a path are part of, oldest first."""
    return connection.execute(
        statement("views_tickets", "tickets_below"), {"prefix": prefix}
    ).fetchall()
