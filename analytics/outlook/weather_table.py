"""A weather forecast as a company hands it over: CSV or JSON → points, or every problem of it.

Pure. CSV has a heading with ``time`` and ``outdoor_c`` and, where known, ``wind_ms`` and
``solar_wm2``. JSON is a list of objects with the same names, or an object with ``points`` and
``issued_at``. Times carry their offset; without one they are the company's local time.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from hearthline.errors import Invalid

LIMITS = {"outdoor_c": (-70.0, 60.0), "wind_ms": (0.0, 100.0), "solar_wm2": (0.0, 1500.0)}
SHOWN = 5  # problems named in one error
MOST = 10_000
REMEDY = "Columns: time, outdoor_c and, where known, wind_ms and solar_wm2."


@dataclass(frozen=True, slots=True)
class Table:
    """A forecast: when it was issued (None: not said) and its rows, ready to be stored."""

    issued_at: datetime | None
    rows: tuple[dict[str, Any], ...]


def read(text: str, zone: tzinfo) -> Table:
    """Read a forecast.

    Raises:
        Invalid: names the first problems, each with its row.
    """
    body = text.lstrip("\ufeff").strip()
    issued: Any = None
    if body.startswith(("[", "{")):
        try:
            said = json.loads(body)
        except json.JSONDecodeError as error:
            raise Invalid(f"This is no JSON: {error}.", REMEDY) from error
        if isinstance(said, Mapping):
            issued, said = said.get("issued_at"), said.get("points")
        rows = said if isinstance(said, Sequence) and not isinstance(said, str) else None
    else:
        rows = list(csv.DictReader(io.StringIO(body)))
    if not rows:
        raise Invalid("There are no rows in this forecast.", REMEDY)
    if len(rows) > MOST:
        raise Invalid(f"{len(rows):,} rows are too many for a forecast.", f"Send {MOST:,} at most.")
    return Table(_instant(issued, zone, "issued_at") if issued else None, _checked(rows, zone))


def _checked(rows: Sequence[Any], zone: tzinfo) -> tuple[dict[str, Any], ...]:
    found: dict[datetime, dict[str, Any]] = {}
    problems = []
    for number, row in enumerate(rows, start=1):
        try:
            point = _point(row, zone)
            found[point["time"]] = point
        except Invalid as error:
            problems.append(f"row {number}: {error.sentence}")
    if problems:
        more = f" … and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise Invalid("; ".join(problems[:SHOWN]) + more, REMEDY)
    return tuple(found[at] for at in sorted(found))


def _point(row: Any, zone: tzinfo) -> dict[str, Any]:
    if not isinstance(row, Mapping):
        raise Invalid("it is no object with names")
    point: dict[str, Any] = {"time": _instant(row.get("time"), zone, "time")}
    for name, (low, high) in LIMITS.items():
        point[name] = _number(row.get(name), name, low, high)
    if point["outdoor_c"] is None:
        raise Invalid("outdoor_c is missing")
    return point


def _instant(said: Any, zone: tzinfo, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(str(said).strip())
    except ValueError as error:
        raise Invalid(f"{name} {said!r} is no ISO 8601 time") from error
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _number(said: Any, name: str, low: float, high: float) -> float | None:
    if said is None or str(said).strip() == "":
        return None
    try:
        value = float(said)
    except (TypeError, ValueError) as error:
        raise Invalid(f"{name} {said!r} is no number") from error
    if not low <= value <= high:
        raise Invalid(f"{name} {value:g} lies outside {low:g} to {high:g}")
    return value
