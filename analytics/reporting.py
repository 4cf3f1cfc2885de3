"""The monthly report's shell: rows of a month from the database, figures by zone, plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from analytics.monthly import ITEMS, Figure, Zone, ZoneReport, month_days, report
from hearthline.errors import Invalid
from hearthline.storage import heat as storage
from hearthline.storage.database import Connection, Row

ROUNDED = 6  # significant digits of a figure that is handed out


def month_report(
    connection: Connection, month: str, today: date, zone: str | None = None
) -> list[ZoneReport]:
    """The report of ``YYYY-MM`` for every substation in order of path, or for one.

    Args:
        connection: an open connection.
        month: a month with at least one finished day.
        today: the local day; days from it on do not count.
        zone: a substation's code.

    Raises:
        Invalid: ``month`` is none, or lies ahead.
        NotFound: there is no such substation.
    """
    try:
        first, last = month_days(month, today)
    except ValueError as error:
        raise Invalid(
            f"There is no report of {month!r}: {error}.", "Write it as 2026-01."
        ) from None
    zones = storage.zones(connection, zone)
    tables = storage.month(connection, [row["id"] for row in zones], first, last)
    of_zone = {name: _by_zone(rows) for name, rows in tables.items()}
    return [
        report(
            Zone(
                **row,
                first=first,
                last=last,
                tables={name: rows.get(row["id"], []) for name, rows in of_zone.items()},
            )
        )
        for row in zones
    ]


def _by_zone(rows: Iterable[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row["zone_id"] if "zone_id" in row else row["place_id"], []).append(row)
    return found


def as_plain(zone: ZoneReport, *, rows: bool = False) -> dict[str, Any]:
    """A zone's report for JSON; with ``rows`` also the rows behind every figure."""
    return {
        "zone": zone.zone.code,
        "name": zone.zone.name,
        "name_zh": zone.zone.name_zh,
        "first_day": zone.zone.first,
        "last_day": zone.zone.last,
        "items": [_plain(figure, zone.zone, rows) for figure in zone.figures],
    }


def _plain(figure: Figure, zone: Zone, rows: bool) -> dict[str, Any]:
    item = figure.item
    names = (*item.keys, *item.columns)
    trace: dict[str, Any] = {
        "table": item.table,
        "rows": len(figure.rows),
        "days": figure.days,
        "of_days": zone.days,
        "formula": item.formula,
        "statement": storage.trace_statement(
            item.table, names, {"id": zone.id, "path": zone.path}, zone.first, zone.last
        ),
    }
    if rows:
        trace["values"] = [dict(row) for row in figure.rows]
    return {
        "key": item.key,
        "title": item.title,
        "title_zh": item.title_zh,
        "unit": item.unit,
        "value": _short(figure.value),
        "uncertainty": _short(figure.uncertainty),
        "reason": figure.reason,
        "note": figure.note,
        "trace": trace,
    }


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{ROUNDED}g}")


def wide(zones: Iterable[ZoneReport]) -> tuple[list[str], list[list[Any]]]:
    """The report as a table: a line per zone, a column per figure; empty where there is none."""
    head = ["zone", "name", "name_zh", "first_day", "last_day"]
    head += [f"{item.key} ({item.unit})" for item in ITEMS]
    lines = []
    for each in zones:
        zone = each.zone
        line: list[Any] = [zone.code, zone.name, zone.name_zh, str(zone.first), str(zone.last)]
        lines.append([*line, *(_short(figure.value) for figure in each.figures)])
    return head, lines


def long(zones: Iterable[ZoneReport]) -> tuple[list[str], list[list[Any]]]:
    """Where every figure is from: a line per zone and figure."""
    head = ["zone", "item", "value", "unit", "uncertainty", "reason", "note", "days", "of_days",
            "table", "rows", "formula", "statement"]  # fmt: skip
    lines = []
    for each in zones:
        for item in as_plain(each)["items"]:
            trace: Mapping[str, Any] = item["trace"]
            named = {**item, **trace, "zone": each.zone.code, "item": item["key"]}
            lines.append([named[name] for name in head])
    return head, lines
