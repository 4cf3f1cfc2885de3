"""Places and dwellings as they stand now, their status, verdicts and sensors; and search."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from hearthline.domain.places import PlaceKind
from hearthline.errors import NotFound
from hearthline.storage.database import Connection, Row
from hearthline.storage.views.statements import statement

EVERY = 1_000_000  # a limit where a page needs all of a bounded scope


def place(connection: Connection, code: str, kind: PlaceKind | None = None) -> Row:
    """One place with its parent's code.

    Raises:
        NotFound: no such place, or it is of another kind.
    """
    row = connection.execute(statement("views_places", "place"), {"code": code}).fetchone()
    if row is None or (kind is not None and row["kind"] != kind):
        raise NotFound(f"There is no {kind or 'place'} with the code {code!r}.")
    return row


def places_named(connection: Connection, codes: Collection[str]) -> dict[str, Row]:
    """Places by code: kind, names, path."""
    rows = connection.execute(
        statement("views_places", "places_by_code"), {"codes": sorted(set(codes))}
    )
    return {row["code"]: row for row in rows}


def ancestry(connection: Connection, paths: Collection[str]) -> dict[str, Row]:
    """Every place on the given paths by code, for breadcrumbs."""
    return places_named(connection, {code for path in paths for code in path.split("/") if code})


def places_below(
    connection: Connection,
    prefix: str | None,
    kinds: Sequence[PlaceKind],
    *,
    limit: int = EVERY,
) -> list[Row]:
    """Places under a path (itself included), level by level, siblings along the pipe."""
    values = {"prefix": prefix, "kinds": [str(kind) for kind in kinds], "limit": limit}
    return connection.execute(statement("views_places", "places_below"), values).fetchall()


def entrances(connection: Connection, prefix: str) -> list[Row]:
    """The entrances of a building, left to right."""
    return connection.execute(
        statement("views_places", "entrances_of"), {"prefix": prefix}
    ).fetchall()


def units_now(
    connection: Connection,
    now: datetime,
    *,
    prefix: str | None = None,
    codes: Collection[str] | None = None,
    below_c: float | None = None,
    after: str | None = None,
    limit: int = EVERY,
) -> list[Row]:
    """Dwellings as they stand now, in path order; ``after`` is the last path of the page before."""
    values = {
        "now": now,
        "prefix": prefix,
        "codes": None if codes is None else sorted(set(codes)),
        "below_c": below_c,
        "after": after,
        "limit": limit,
    }
    return connection.execute(statement("views_places", "units_now"), values).fetchall()


def unit_now(connection: Connection, code: str, now: datetime) -> Row:
    """One dwelling as it stands now.

    Raises:
        NotFound: there is no such dwelling.
    """
    rows = units_now(connection, now, codes=[code], limit=1)
    if not rows:
        raise NotFound(f"There is no dwelling with the code {code!r}.")
    return rows[0]


def statuses(connection: Connection, code: str) -> list[Row]:
    """Heating statuses of a dwelling, newest first."""
    return connection.execute(statement("views_places", "statuses_of"), {"code": code}).fetchall()


def contacts(connection: Connection, codes: Collection[str]) -> dict[str, Row]:
    """Whom to call, by dwelling."""
    rows = connection.execute(statement("views_places", "contacts_of"), {"codes": sorted(codes)})
    return {row["code"]: row for row in rows}


def unit_days(connection: Connection, code: str, start: date, stop: date) -> list[Row]:
    """Verdicts of a dwelling by local day, ``start`` inclusive to ``stop`` exclusive."""
    values = {"code": code, "start": start, "stop": stop}
    return connection.execute(statement("views_places", "unit_days"), values).fetchall()


def devices(connection: Connection, code: str, now: datetime) -> list[Row]:
    """Devices bound to a place now, with their newest reading and grade."""
    return connection.execute(
        statement("views_places", "sensors_of"), {"code": code, "now": now}
    ).fetchall()


def search(connection: Connection, text: str) -> list[Row]:
    """Tickets, dwellings by telephone, and places that match what was typed."""
    text = text.strip()
    values: dict[str, Any] = {"text": text, "by_phone": any(c.isdigit() for c in text)}
    return connection.execute(statement("views_places", "search"), values).fetchall()
