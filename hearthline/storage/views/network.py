"""The whole network in numbers: the live strip, compliance, held-back dwellings, the table."""

from __future__ import annotations

from datetime import date, datetime

from hearthline.storage.database import Connection, Row
from hearthline.storage.views.statements import statement


def pulse(connection: Connection, now: datetime, threshold_c: float) -> Row:
    """Dwellings watched, measured, below standard and silent; outdoors."""
    values = {"now": now, "threshold_c": threshold_c}
    row = connection.execute(statement("views_network", "pulse"), values).fetchall()[0]
    outdoor = connection.execute(statement("views_network", "outdoor"), {"now": now}).fetchall()[0]
    return {**row, "outdoor_c": outdoor["outdoor_c"]}


def open_tickets(connection: Connection) -> Row:
    """How many tickets are open, and how many of them new."""
    return connection.execute(statement("views_network", "open_tickets")).fetchall()[0]


def compliance(connection: Connection, start: date, stop: date) -> list[Row]:
    """Judged and short dwelling-minutes by local day, both ends included."""
    values = {"start": start, "stop": stop}
    return connection.execute(statement("views_network", "compliance"), values).fetchall()


def held_back(connection: Connection, now: datetime, *, limit: int = 200) -> list[Row]:
    """Dwellings that are cold without a ticket of their own, with the reason."""
    values = {"now": now, "prefix": None, "codes": None, "limit": limit}
    return connection.execute(statement("views_network", "held_back"), values).fetchall()


def held_back_counts(connection: Connection) -> list[Row]:
    """How many dwellings are held back, by reason."""
    return connection.execute(statement("views_network", "held_back_counts")).fetchall()


def rooms_by_place(connection: Connection, now: datetime, threshold_c: float) -> list[Row]:
    """Room temperatures counted for source, substations, circuits and buildings, in path order."""
    values = {"now": now, "threshold_c": threshold_c}
    return connection.execute(statement("views_network", "rooms_by_place"), values).fetchall()


def meters_by_place(connection: Connection, now: datetime) -> dict[str, Row]:
    """The newest reading per place: of its secondary or branch meter, else of its primary one."""
    rows = connection.execute(statement("views_network", "meters_by_place"), {"now": now})
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(row["code"], row)
    return first


def open_tickets_by_place(connection: Connection) -> dict[str, int]:
    """Open tickets by the path of their place."""
    rows = connection.execute(statement("views_network", "open_tickets_by_place"))
    return {row["path"]: row["tickets"] for row in rows}
