"""Dwellings: as they stand now, their temperature over time, their verdicts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api import cursors
from api.identity import Who
from api.parts import PartsOf
from api.problems import responses
from api.v1.models import (
    Code,
    Cursor,
    Instant,
    Limit,
    RoomPoint,
    RoomSeries,
    Unit,
    Units,
    Verdict,
    Verdicts,
)
from hearthline.domain.places import PlaceKind
from hearthline.errors import Invalid
from hearthline.storage.database import Row
from hearthline.storage.views import curves, places

router = APIRouter(prefix="/units", tags=["units"])

CSV_COLUMNS = ("time", "device", "temperature_c", "humidity_pct", "battery_pct", "quality",
               "min_c", "max_c", "covered_min")  # fmt: skip


class Resolution(StrEnum):
    """Every reading, or one value an hour."""

    RAW = "raw"
    HOUR = "hour"


def unit_of(row: Row) -> Unit:
    """A dwelling's row as the interface shows it."""
    same = {name: row[name] for name in Unit.model_fields if name in row}
    return Unit(**same, column=row["col"], hold=row["hold_reason"])


@router.get("", responses=responses(401, 404, 422))
def list_units(
    request: Request,
    response: Response,
    parts: PartsOf,
    _who: Who,
    *,
    under: Annotated[
        str | None,
        Query(max_length=120, pattern=r"^[^/\x00-\x1f]+$", description="A place's code."),
    ] = None,
    below_c: Annotated[
        float | None, Query(ge=-60, le=60, description="Only dwellings colder than this now.")
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Units:
    """Dwellings below a place, in the order of the tree, with what their sensors say now."""
    key = cursors.decode(cursor, str)
    with parts.transaction() as connection:
        prefix = places.place(connection, under)["path"] if under else None
        rows = places.units_now(
            connection,
            parts.clock(),
            prefix=prefix,
            below_c=below_c,
            after=str(key[0]) if key else None,
            limit=limit,
        )
    last = (rows[-1]["path"],) if rows else ()
    following = cursors.page(request, response, rows, limit, last)
    return Units(items=[unit_of(row) for row in rows], next=following)


@router.get("/{code}", responses=responses(401, 404, 422))
def one_unit(code: Code, parts: PartsOf, _who: Who) -> Unit:
    """One dwelling: latest reading, sensor grade, heating status, open episode and ticket."""
    with parts.transaction() as connection:
        return unit_of(places.unit_now(connection, code, parts.clock()))


@router.get(
    "/{code}/readings",
    response_model=RoomSeries,
    responses={
        **responses(401, 404, 422),
        200: {
            "description": "JSON, or CSV where `Accept` asks for `text/csv`.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        },
    },
)
def readings(
    request: Request,
    response: Response,
    parts: PartsOf,
    _who: Who,
    code: Code,
    *,
    start: Annotated[Instant | None, Query(alias="from", description="Default: 24 h ago.")] = None,
    stop: Annotated[Instant | None, Query(alias="to", description="Default: now.")] = None,
    resolution: Resolution = Resolution.RAW,
    limit: Limit = 1000,
    cursor: Cursor = None,
) -> RoomSeries | Response:
    """Room temperature of one dwelling over time, oldest first."""
    now = parts.clock()
    window = _window(start or (stop or now) - timedelta(hours=24), stop or now)
    key = cursors.decode(cursor, datetime, str)
    after = (cursors.instant(key[0]), str(key[1])) if key else None
    with parts.transaction() as connection:
        places.place(connection, code, PlaceKind.UNIT)
        if resolution is Resolution.RAW:
            rows = curves.room_readings(connection, code, window, after=after, limit=limit)
            points = [RoomPoint(**row) for row in rows]
        else:
            since = after[0] if after else None
            rows = curves.room_hours(connection, [code], window, after=since, limit=limit)
            points = [_hour(row) for row in rows]
    last = (points[-1].time, points[-1].device or "") if points else ()
    following = cursors.page(request, response, points, limit, last)
    if _wants_csv(request):
        return Response(_csv(points), media_type="text/csv", headers=dict(response.headers))
    return RoomSeries(code=code, items=points, next=following)


@router.get("/{code}/verdicts", responses=responses(401, 404, 422))
def verdicts(
    parts: PartsOf,
    _who: Who,
    code: Code,
    *,
    start: Annotated[date | None, Query(alias="from", description="Default: 30 days ago.")] = None,
    stop: Annotated[date | None, Query(alias="to", description="Last day. Default: today.")] = None,
) -> Verdicts:
    """The compliance ledger of one dwelling, by the local day of the company's rule."""
    with parts.transaction() as connection:
        places.place(connection, code, PlaceKind.UNIT)
        today = parts.policy(connection).local_day(parts.clock())
        last = min(stop or today, date(9000, 1, 1)) + timedelta(days=1)
        first = start or max(last - timedelta(days=31), date.min)
        rows = places.unit_days(connection, code, first, last)
    return Verdicts(code=code, items=[Verdict(**row) for row in rows])


def _window(start: datetime, stop: datetime) -> curves.Window:
    if start > stop:
        raise Invalid("The window ends before it begins.", "Swap `from` and `to`.")
    return curves.Window(start, stop)


def _hour(row: Row) -> RoomPoint:
    return RoomPoint(
        time=row["hour"],
        temperature_c=row["mean_c"],
        min_c=row["min_c"],
        max_c=row["max_c"],
        covered_min=row["covered_min"],
    )


def _wants_csv(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "text/csv" in accepted and "application/json" not in accepted


def _csv(points: Iterable[RoomPoint]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow(CSV_COLUMNS)
    for point in points:
        values = point.model_dump(mode="json")
        writer.writerow([values[column] for column in CSV_COLUMNS])
    return text.getvalue()
