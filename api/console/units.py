"""The dwelling page: its curve, its calendar of verdicts, its status, neighbours and devices."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, Field

from api.console.ahead import SHORT, fan
from api.console.charts import unit_curves
from api.console.tickets import CALLS_SHOWN
from api.console.view import Reader, SignedIn, link
from api.identity import SEES_CONTACTS
from hearthline.domain.complaints import Channel, Complaint
from hearthline.domain.places import PlaceKind
from hearthline.errors import Invalid
from hearthline.storage import complaints, outlook
from hearthline.storage.database import Connection, Row
from hearthline.storage.views import desk, places
from hearthline.storage.views.curves import Window

router = APIRouter(prefix="/console/units", include_in_schema=False)

CALENDAR = timedelta(days=9 * 7)
CURVE_DAYS = (2, 7, 14, 60)
AROUND = {(1, 0): "above", (-1, 0): "below", (0, -1): "left", (0, 1): "right"}


@router.get("/{code}", name="unit")
def unit(code: str, reader: SignedIn, days: int = Query(default=7, ge=1, le=366)) -> Response:
    """The whole page."""
    with reader.parts.transaction() as connection:
        context = _context(reader, connection, code)
    return reader.render("unit.html", {**context, "days": days})


class TypedCall(BaseModel):
    """What an agent typed of a call; kept when it is refused."""

    csrf: Annotated[str, Field(max_length=200)] = ""
    at: Annotated[str, Field(max_length=40)] = ""
    channel: Channel = Channel.PHONE
    caller: Annotated[str, Field(max_length=200)] = ""
    note: Annotated[str, Field(max_length=2000)] = ""


@router.post("/{code}/call")
def call(code: str, reader: SignedIn, typed: Annotated[TypedCall, Form()]) -> Response:
    """Someone called: it is cold."""
    reader.check(typed.csrf)
    now = reader.parts.clock()
    try:
        at = _called_at(reader, typed.at) or now
        told = Complaint(code, at, typed.note, typed.channel, typed.caller, reader.login)
        with reader.parts.transaction() as connection:
            complaints.add(connection, told, now)
    except Invalid as error:
        with reader.parts.transaction() as connection:
            context = _context(reader, connection, code)
        kept = typed.model_dump(exclude={"csrf"})
        again = {**context, "typed": kept, "error": error}
        return reader.render("unit.html", again, status=error.status)
    return RedirectResponse(f"{link('unit', code)}#calls", 303)


def _called_at(reader: Reader, text: str) -> datetime | None:
    """The instant that was typed in local time; None where it was left out."""
    if not text.strip():
        return None
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(reader.words.gettext("That is no time.")) from None
    return at if at.tzinfo else at.replace(tzinfo=reader.policy.zone())


@router.get("/{code}/curve")
def curve(code: str, reader: SignedIn, days: int = Query(default=7, ge=1, le=366)) -> JSONResponse:
    """What the chart draws."""
    now = reader.words.now
    with reader.parts.transaction() as connection:
        row = places.unit_now(connection, code, now)
        window = Window(now - timedelta(days=days), now)
        drawn = unit_curves(connection, reader.words, row, window, reader.policy.threshold_c)
        if timedelta(days=days) <= SHORT:
            drawn.update(fan(connection, reader.words, code))
    return JSONResponse(drawn, headers={"Cache-Control": "no-store"})


def _context(reader: Reader, connection: Connection, code: str) -> dict[str, Any]:
    now = reader.words.now
    row = places.unit_now(connection, code, now)
    known = places.ancestry(connection, [row["path"]])
    house = next((known[c] for c in row["path"].split("/")
                  if c in known and known[c]["kind"] == PlaceKind.BUILDING), None)  # fmt: skip
    inside = places.units_now(connection, now, prefix=house["path"]) if house else [row]
    today = reader.policy.local_day(now)
    contact = None
    if reader.role in SEES_CONTACTS:
        contact = places.contacts(connection, [code]).get(code)
    days = places.unit_days(connection, code, today - CALENDAR, today + timedelta(days=1))
    return {
        "unit": row,
        "house": house,
        "where": reader.words.crumbs(row["path"], known),
        "around": neighbours(row, inside),
        "weeks": calendar(days, today),
        "judged": tally(days),
        "statuses": places.statuses(connection, code),
        "devices": places.devices(connection, code, now),
        "tickets": desk.tickets_of_unit(connection, code),
        "contact": contact,
        "threshold_c": reader.policy.threshold_c,
        "ahead": outlook.unit(connection, code),
        "calls": complaints.listed(connection, place=code, limit=CALLS_SHOWN),
        "sees_contacts": reader.role in SEES_CONTACTS,
        "channels": list(Channel),
        "typed": {},
        "error": None,
        "days": CURVE_DAYS[1],
        "curve_days": CURVE_DAYS,
    }


def neighbours(unit: Row, inside: list[Row]) -> dict[str, Row]:
    """The dwellings that share a wall or a slab, by where they lie."""
    found: dict[str, Row] = {}
    for other in inside:
        offset = (other["floor"] - unit["floor"], other["col"] - unit["col"])
        if offset in AROUND:
            found[AROUND[offset]] = other
    return found


def calendar(days: list[Row], today: date) -> list[list[tuple[date, Row | None]]]:
    """Whole weeks from Monday on, oldest first; days to come are left out."""
    by_day = {row["day"]: row for row in days}
    first = today - CALENDAR
    first -= timedelta(days=first.weekday())
    weeks: list[list[tuple[date, Row | None]]] = []
    day = first
    while day <= today:
        if day.weekday() == 0:
            weeks.append([])
        weeks[-1].append((day, by_day.get(day)))
        day += timedelta(days=1)
    return weeks


def tally(days: list[Row]) -> dict[str, int]:
    """Days by verdict."""
    counts: dict[str, int] = {}
    for row in days:
        counts[row["verdict"]] = counts.get(row["verdict"], 0) + 1
    return counts
