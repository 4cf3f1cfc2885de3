"""The ticket page: what, where and why; what to do; the curve; the log; and acting on it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, Field

from api.console.charts import ticket_curves
from api.console.clocks import running
from api.console.view import Reader, SignedIn, link
from api.console.words import Words
from api.identity import SEES_CONTACTS
from hearthline.domain.findings import Cause
from hearthline.domain.places import PlaceKind
from hearthline.domain.responsibility import responsible
from hearthline.errors import Conflict, HearthlineError, Invalid
from hearthline.storage import complaints
from hearthline.storage.database import Connection, Row
from hearthline.storage.views import desk as views
from hearthline.storage.views import places
from tickets import desk
from tickets.lifecycle import Action, PauseReason, State, allowed

router = APIRouter(prefix="/console/tickets", include_in_schema=False)

CHAIN = (State.NEW, State.DISPATCHED, State.IN_PROGRESS, State.REPLIED, State.CLOSED)
# Who has reached which step of the chain, by the event that took it there.
STEP_EVENTS = ("opened", "dispatched", "started", "replied", "called_back")
ONWARD = {
    State.NEW: Action.DISPATCH,
    State.DISPATCHED: Action.START,
    State.IN_PROGRESS: Action.REPLY,
    State.REPLIED: Action.CALL_BACK,
    State.CLOSED: Action.REOPEN,
}
MEMBERS_SHOWN = 60
CALLS_SHOWN = 20


@router.get("/{number}", name="ticket")
def ticket(number: str, reader: SignedIn) -> Response:
    """The whole page."""
    with reader.parts.transaction() as connection:
        context = _context(reader, connection, number)
    return reader.render("ticket.html", context)


@router.get("/{number}/part/{part}")
def part(number: str, part: str, reader: SignedIn, seen: int = 0) -> Response:
    """One part of the page, for its renewal: ``head``, ``acts``, ``members``, ``calls`` or ``log``.

    ``seen`` is the version that the page shows; nothing is sent while it is the present one.
    """
    if part not in {"head", "acts", "members", "calls", "log"}:
        raise Invalid(f"The page has no part {part!r}.")
    with reader.parts.transaction() as connection:
        if seen and views.ticket(connection, number)["version"] == seen:
            return Response(status_code=204)
        context = _context(reader, connection, number)
    return reader.render(f"_ticket_{part}.html", context)


@router.get("/{number}/curve")
def curve(number: str, reader: SignedIn) -> JSONResponse:
    """What the chart draws."""
    with reader.parts.transaction() as connection:
        row = views.ticket(connection, number)
        drawn = ticket_curves(connection, reader.words, row, reader.policy.threshold_c)
    return JSONResponse(drawn, headers={"Cache-Control": "no-store"})


class Typed(BaseModel):
    """What an operator typed into one of the forms; kept when the act is refused."""

    action: Annotated[str, Field(max_length=40)] = ""
    version: Annotated[int, Field(ge=0, le=10**9)] = 0
    csrf: Annotated[str, Field(max_length=200)] = ""
    note: Annotated[str, Field(max_length=4000)] = ""
    reason: Annotated[str, Field(max_length=80)] = ""
    assignee: Annotated[str, Field(max_length=80)] = ""
    satisfied: Annotated[str, Field(max_length=5)] = ""
    certified_c: Annotated[str, Field(max_length=20)] = ""


@router.post("/{number}/act")
def act(number: str, reader: SignedIn, typed: Annotated[Typed, Form()]) -> Response:
    """Act on the ticket; what was typed is kept when somebody else was faster."""
    reader.check(typed.csrf)
    try:
        body = _body(reader.words, typed)
        with reader.parts.transaction() as connection:
            desk.act(
                connection,
                number,
                typed.action,
                actor=reader.login,
                now=reader.parts.clock(),
                reason=_clean(typed.reason),
                note=_clean(typed.note),
                body=body,
                if_version=typed.version,
            )
    except (Conflict, Invalid) as error:
        return _again(reader, number, error, typed)
    return RedirectResponse(link("ticket", number), 303)


def _body(words: Words, typed: Typed) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if _clean(typed.assignee):
        body["assignee"] = _clean(typed.assignee)
    if typed.satisfied in {"yes", "no"}:
        body["satisfied"] = typed.satisfied == "yes"
    text = typed.certified_c.strip().replace(",", ".").removesuffix("°C").strip()
    if text:
        try:
            degrees = float(text)
        except ValueError:
            degrees = float("nan")
        if not -40 <= degrees <= 60:
            raise Invalid(words.gettext("The certified reading is no temperature."))
        body["certified_c"] = degrees
    return body


def _clean(text: str) -> str:
    return "".join(c for c in text if c.isprintable() or c in "\n\t").strip()


def _again(reader: Reader, number: str, error: HearthlineError, typed: Typed) -> Response:
    """The page with what is true now, the sentence, and what was typed."""
    with reader.parts.transaction() as connection:
        context = _context(reader, connection, number, typed=typed, error=error)
    return reader.render("ticket.html", context, status=error.status)


def _context(
    reader: Reader,
    connection: Connection,
    number: str,
    *,
    typed: Typed | None = None,
    error: HearthlineError | None = None,
) -> dict[str, Any]:
    row = views.ticket(connection, number)
    log = views.events(connection, number)
    members = _members(reader, connection, row["incident_id"])
    known = places.ancestry(connection, [row["path"], *(member["path"] for member in members)])
    state = State(row["state"])
    return {
        "ticket": row,
        "places": known,
        "where": reader.words.crumbs(row["path"], known),
        "clock": running(row, reader.words.now),
        "members": members,
        "members_shown": MEMBERS_SHOWN,
        "cold": sum(1 for m in members if m["cold_since"] and not m["warm_since"]),
        "warm_again": sum(1 for m in members if m["warm_since"]),
        "log": _told(log),
        "steps": _steps(state, log),
        "acts": _acts(state, paused=row["paused"]),
        "pause_reasons": list(PauseReason),
        "crews": _crews(log),
        "responsibility": responsible(
            Cause(row["cause"]),
            PlaceKind(row["place_kind"]),
            views.warranties(connection, [row["place"]]).get(row["place"]),
            row["opened_at"],
        ),
        "calls": complaints.of_incident(connection, row["incident_id"], CALLS_SHOWN),
        "building": next((c for c in reversed(reader.words.crumbs(row["path"], known))
                          if c[1] == "building"), None),
        "sees_contacts": reader.role in SEES_CONTACTS,
        "threshold_c": reader.policy.threshold_c,
        "typed": typed.model_dump() if typed else {},
        "error": error,
        "Action": Action,
    }  # fmt: skip


def _acts(state: State, *, paused: bool) -> list[Action]:
    """What may be done now, the next step of the chain first."""
    acts = list(allowed(state, paused=paused))
    onward = Action.RESUME if paused else ONWARD.get(state)
    return sorted(acts, key=lambda action: action is not onward)


def _members(reader: Reader, connection: Connection, incident_id: int) -> list[Row]:
    """Dwellings of the incident as they stand now, whom to call first on top."""
    joined = {member["code"]: member for member in views.members(connection, incident_id)}
    units = places.units_now(connection, reader.words.now, codes=list(joined))
    contacts: dict[str, Row] = {}
    if reader.role in SEES_CONTACTS:
        contacts = places.contacts(connection, list(joined))
    merged = [{**unit, **joined[unit["code"]], "contact": contacts.get(unit["code"])}
              for unit in units]  # fmt: skip

    return sorted(merged, key=whom_first)


def whom_first(member: Row) -> tuple[bool, bool, float, str]:
    """Cold dwellings before the others, vulnerable people first among them, then the coldest."""
    cold = member["cold_since"] is not None and member["warm_since"] is None
    shown = member["temperature_c"]
    return (
        not (cold and member["status"] == "on"),
        not member["vulnerable"],
        shown if shown is not None else float("inf"),
        member["path"],
    )


def _steps(state: State, log: list[Row]) -> list[tuple[State, Row | None, str]]:
    """(step, the event that reached it last, done | now | ahead) along the chain."""
    reached = {event["kind"]: event for event in log}
    position = CHAIN.index(state) if state in CHAIN else 0
    steps: list[tuple[State, Row | None, str]] = []
    for index, (step, kind) in enumerate(zip(CHAIN, STEP_EVENTS, strict=True)):
        event = reached.get(kind) if index <= position else None
        stands = "done" if index < position else "now" if index == position else "ahead"
        if state is State.CLOSED and index == position:
            stands = "done"
        steps.append((step, event, stands))
    return steps


def _told(log: list[Row]) -> list[tuple[Row, int]]:
    """The log, newest first; a run of machine events of one kind is told once, with its length."""
    told: list[tuple[Row, int]] = []
    for event in reversed(log):
        same = told and event["kind"] == told[-1][0]["kind"] == "members_joined"
        if same:
            told[-1] = (told[-1][0], told[-1][1] + 1)
        else:
            told.append((event, 1))
    return told


def _crews(log: list[Row]) -> list[str]:
    """Crews that this ticket was sent to before, to be offered again."""
    named = [event["body"].get("assignee") for event in log if event["kind"] == "dispatched"]
    return list(dict.fromkeys(name for name in named if name))
