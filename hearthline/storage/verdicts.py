"""The compliance ledger's rows: verdicts, what they supersede, their chain and its anchors."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg.rows import tuple_row

from hearthline.storage.database import Connection, Row
from hearthline.storage.queries import family

Floats = NDArray[np.float64]

_COLUMNS = ("code", "day", "covered_min", "below_min", "mean_c", "min_c", "verdict", "reason",
            "policy_code", "policy_from", "over")  # fmt: skip


def lock_units(connection: Connection, codes: Collection[str]) -> None:
    """Keep other workers from judging the same dwellings until this transaction ends."""
    connection.execute(family("verdicts")["lock_units"], {"codes": list(codes)})


def write_days(
    connection: Connection, days: Iterable[Mapping[str, Any]], judged_at: datetime
) -> None:
    """Write verdicts, each dwelling-day once; what they overrule is kept as superseded.

    Each has ``code``, ``day``, the figures, ``verdict``, ``reason``, the policy's version, and
    ``over``: whether the day had ended when it was judged.
    """
    rows = list(days)
    if rows:
        columns: dict[str, Any] = {name: [row[name] for row in rows] for name in _COLUMNS}
        connection.execute(family("verdicts")["lock_days"], columns)
        connection.execute(family("verdicts")["write_days"], {**columns, "judged_at": judged_at})


@dataclass(frozen=True)
class UnitHours:
    """Hourly rows of room sensors as arrays: where and with which device, the hour's start in
    seconds since the epoch, °C and minutes."""

    place_id: NDArray[np.int64]
    device_id: NDArray[np.int64]
    at: NDArray[np.int64]
    mean_c: Floats
    covered_min: Floats


def unit_hours(
    connection: Connection, places: Collection[int], since: datetime, until: datetime
) -> UnitHours:
    """Hourly means and covered minutes of the sensors that hung in some dwellings."""
    values = {"places": list(places), "since": since, "until": until}
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(family("verdicts")["unit_hours"], values).fetchall()
    table = np.array(rows, np.float64).reshape(-1, 5)
    place, device, at = (table[:, column].astype(np.int64) for column in range(3))
    return UnitHours(place, device, at, table[:, 3], table[:, 4])


def outdoor_hours(connection: Connection, since: datetime, until: datetime) -> list[Row]:
    """Hourly outdoor temperatures: ``hour``, ``outdoor_c``."""
    values = {"since": since, "until": until}
    return connection.execute(family("verdicts")["outdoor_hours"], values).fetchall()


def lock_chain(connection: Connection) -> bool:
    """Whether this transaction may seal: one does at a time, and others need not wait."""
    row = connection.execute(family("verdicts")["lock_chain"]).fetchone()
    return bool(row and row["taken"])


def newest_anchor(connection: Connection) -> Row | None:
    """The last anchor, or None where there is none yet."""
    return connection.execute(family("verdicts")["newest_anchor"]).fetchone()


def anchors(connection: Connection) -> list[Row]:
    """All anchors, the oldest first."""
    return connection.execute(family("verdicts")["anchors"]).fetchall()


def insert_anchor(connection: Connection, anchor: Mapping[str, Any]) -> None:
    """Store a day's anchor for good."""
    connection.execute(family("verdicts")["insert_anchor"], anchor)


def days_to_anchor(connection: Connection, after: date | None, before: date) -> list[date]:
    """Days on which lines were sealed, between two days (both exclusive)."""
    values = {"after": after, "before": before}
    rows = connection.execute(family("verdicts")["days_to_anchor"], values)
    return [row["day"] for row in rows]


def sealed_on(connection: Connection, day: date) -> list[Row]:
    """What was sealed on a day, by code and number: ``code``, ``link``, ``hash``, ``sealed_on``."""
    return connection.execute(family("verdicts")["sealed_on"], {"day": day}).fetchall()


def unsealed(connection: Connection, before: date, limit: int) -> list[Row]:
    """Lines to be sealed: superseded ones first (``id`` is set), then days before a day."""
    values: dict[str, Any] = {"before": before, "limit": limit}
    found = connection.execute(family("verdicts")["unsealed_superseded"], values).fetchall()
    if len(found) < limit:
        values["limit"] = limit - len(found)
        found += connection.execute(family("verdicts")["unsealed_days"], values).fetchall()
    return found


def ends(connection: Connection, places: Collection[int]) -> dict[int, Row]:
    """The recorded ends of chains: ``link`` and ``hash`` by place id."""
    rows = connection.execute(family("verdicts")["ends"], {"places": list(places)})
    return {row["place_id"]: row for row in rows}


def seal(connection: Connection, lines: Sequence[Mapping[str, Any]], sealed_on: date) -> None:
    """Write ``link``, ``prev`` and ``hash`` of lines, and the new ends of their chains."""
    standing = [line for line in lines if line["id"] is None]
    superseded = [line for line in lines if line["id"] is not None]
    last = {line["place_id"]: line for line in lines}.values()
    for statement, rows, names in (
        ("seal_days", standing, ("place_id", "day", "link", "prev", "hash")),
        ("seal_superseded", superseded, ("id", "link", "prev", "hash")),
        ("set_ends", last, ("place_id", "code", "link", "hash")),
    ):
        if rows:
            columns: dict[str, Any] = {name: [row[name] for row in rows] for name in names}
            columns["sealed_on"] = sealed_on
            connection.execute(family("verdicts")[statement], columns)


def read_only(connection: Connection) -> None:
    """Make a transaction that has just begun see one state of the ledger throughout."""
    connection.execute(family("verdicts")["read_only"])


def chains(connection: Connection) -> list[Row]:
    """Every dwelling with a chain, by code: ``code``, ``place_id``, recorded ``link`` and ``hash``.

    The last two are None where a chain has no recorded end.
    """
    return connection.execute(family("verdicts")["chains"]).fetchall()


def lines(connection: Connection, places: Collection[int]) -> list[Row]:
    """The sealed lines of some dwellings, each dwelling's by their numbers."""
    return connection.execute(family("verdicts")["lines"], {"places": list(places)}).fetchall()
