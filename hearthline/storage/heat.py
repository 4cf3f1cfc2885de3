"""Store days of heat and energy signatures; read what the monthly report and advice are made of.

Triggers note every hour of heat, rooms or weather that anybody writes in ``dirty_heat_day``;
``take_marks`` hands them out within the caller's transaction, so that a crash gives them back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from psycopg.rows import tuple_row

from hearthline.errors import NotFound
from hearthline.storage.database import Connection, Row
from hearthline.storage.queries import family

LOCK = 7_206_615  # one survey of days at a time in a database

_SIGNATURE = ("base", "per_k", "per_wm2", "yesterday", "scatter", "days", "reason")


def lock(connection: Connection) -> bool:
    """Take the survey's lock until the transaction ends; False if another worker holds it."""
    row = connection.execute(family("heat")["lock"], {"key": LOCK}).fetchone()
    return bool(row and row["mine"])


def take_marks(connection: Connection, before: datetime) -> set[datetime]:
    """Hours before an instant that changed; gone once committed."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(family("heat")["take_marks"], {"before": before}).fetchall()
    return {row[0] for row in rows}


def return_marks(connection: Connection, hours: Iterable[datetime]) -> None:
    """Put marks back for another transaction."""
    connection.execute(family("heat")["return_marks"], {"hours": list(hours)})


def room_days(connection: Connection, start: datetime, stop: datetime) -> dict[str, float]:
    """Mean room temperature (°C) of every dwelling measured by a trusted sensor, by code."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        values = {"start": start, "stop": stop}
        return dict(cursor.execute(family("heat")["room_days"], values).fetchall())


def weather(
    connection: Connection, start: datetime, stop: datetime
) -> tuple[float | None, float | None]:
    """Mean outdoor temperature (°C) and sun (W/m²) over a window, None where not measured."""
    values = {"start": start, "stop": stop}
    row = connection.execute(family("heat")["weather"], values).fetchone()
    return (row["outdoor_c"], row["solar_wm2"]) if row else (None, None)


def save_day(connection: Connection, day: date, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write all rows of a local day in place of those it had."""
    connection.execute(family("heat")["forget_days"], {"day": day})
    with connection.cursor() as cursor:
        cursor.executemany(family("heat")["save_day"], rows)


def last_day(connection: Connection) -> date | None:
    """The newest local day that has rows."""
    row = connection.execute(family("heat")["last_day"]).fetchone()
    return row["day"] if row else None


def past_days(connection: Connection, first: date, last: date) -> list[tuple[Any, ...]]:
    """(place id, day, heat_kwh, hours, supply_c, outdoor_c, solar_wm2) of days, both inclusive."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        values = {"first": first, "last": last}
        return cursor.execute(family("heat")["past_days"], values).fetchall()


def save_signatures(
    connection: Connection, day: date, of: Mapping[str, Mapping[str, Sequence[Any]]]
) -> None:
    """Write the signatures of a day in place of those it had; ``of`` holds columns by kind."""
    connection.execute(family("heat")["forget_signatures"], {"day": day})
    for kind, columns in of.items():
        places = columns["place_ids"]
        values = {
            "place_ids": places,
            "of": [kind] * len(places),
            "days_of": [day] * len(places),
            **{name: columns[name] for name in _SIGNATURE},
        }
        connection.execute(family("heat")["save_signatures"], values)


def set_expected(connection: Connection, day: date, columns: Mapping[str, Sequence[Any]]) -> None:
    """Write expected heat, calls and curve gaps of a day's rows where they changed."""
    connection.execute(family("heat")["set_expected"], {"day": day, **columns})


def days(connection: Connection, code: str, first: date, last: date) -> list[Row]:
    """Rows of one place, oldest first; keys are the table's columns with the place's names."""
    values = {"code": code, "first": first, "last": last}
    return connection.execute(family("heat")["days"], values).fetchall()


def signatures(connection: Connection, code: str) -> list[Row]:
    """The newest signature of heat and of supply of one place."""
    return connection.execute(family("heat")["signatures"], {"code": code}).fetchall()


def zones(connection: Connection, code: str | None = None) -> list[Row]:
    """Substations in order of path (id, code, name, name_zh, path), or the one named.

    Raises:
        NotFound: there is no such substation.
    """
    found = connection.execute(family("heat")["zones"], {"code": code}).fetchall()
    if code is not None and not found:
        raise NotFound(f"There is no substation {code}.", "Check the code in the network's tree.")
    return found


def month(
    connection: Connection, zone_ids: Sequence[int], first: date, last: date
) -> dict[str, list[Row]]:
    """Rows that a month's figures are made of, by the table they come from, both days inclusive."""
    values = {"zones": list(zone_ids), "first": first, "last": last}
    names = {
        "balance_day": "month_balance",
        "heat_day": "month_days",
        "heat_day_buildings": "month_buildings",
        "unit_day": "month_verdicts",
    }
    return {
        table: connection.execute(family("heat")[name], values).fetchall()
        for table, name in names.items()
    }


def troubled(connection: Connection, causes: Iterable[str]) -> set[str]:
    """Buildings with an open incident of some causes at themselves or an entrance."""
    values = {"causes": [str(cause) for cause in causes]}
    return {row["code"] for row in connection.execute(family("heat")["troubled"], values)}


_TRACED = {
    "balance_day": "SELECT {columns} FROM balance_day WHERE place_id = {id}"
    " AND stage = 'distribution' AND day BETWEEN '{first}' AND '{last}' ORDER BY day",
    "heat_day": "SELECT {columns} FROM heat_day WHERE place_id = {id}"
    " AND day BETWEEN '{first}' AND '{last}' ORDER BY day",
    "heat_day_buildings": "SELECT {columns} FROM heat_day d JOIN place p ON p.id = d.place_id"
    " WHERE p.kind = 'building' AND p.path LIKE '{path}%' AND d.day BETWEEN '{first}' AND '{last}'"
    " ORDER BY p.path, d.day",
    "unit_day": "SELECT {columns} FROM unit_day u JOIN place p ON p.id = u.place_id"
    " WHERE p.path LIKE '{path}%' AND u.verdict IN ('below', 'compliant')"
    " AND u.day BETWEEN '{first}' AND '{last}' GROUP BY u.day ORDER BY u.day",
}
_SPELT = {
    "hours": "extract(epoch FROM stopped_at - started_at) / 3600 AS hours",
    "building": "p.code AS building",
    "judged": "count(*) AS judged",
    "below": "count(*) FILTER (WHERE u.verdict = 'below') AS below",
    "covered_min": "sum(u.covered_min) AS covered_min",
    "below_min": "sum(u.below_min) AS below_min",
}
_OF_UNITS = {"day": "u.day"}


def trace_statement(
    table: str, columns: Iterable[str], zone: Mapping[str, Any], first: date, last: date
) -> str:
    """The statement that fetches the rows behind a figure, to be read or run by a person.

    Args:
        table: as the report names it.
        columns: keys and columns of the figure.
        zone: ``id`` and ``path`` of the substation.
        first: first day.
        last: last day, inclusive.
    """
    spelt = _SPELT | (_OF_UNITS if table == "unit_day" else {})
    listed = ", ".join(spelt.get(name, name) for name in columns)
    path = str(zone["path"]).replace("'", "''")
    return _TRACED[table].format(
        columns=listed, id=int(zone["id"]), path=path, first=first, last=last
    )
