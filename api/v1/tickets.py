"""Tickets: list, one, its log, and acting on it once, on the version that was seen."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse

from api import cursors
from api.identity import Who
from api.parts import PartsOf
from api.problems import Stale, responses
from api.v1.models import (
    Act,
    Cursor,
    EvidencePiece,
    Limit,
    Member,
    Number,
    RankedCause,
    Ticket,
    TicketEvent,
    TicketEvents,
    TicketInFull,
    Tickets,
)
from hearthline.domain.findings import Cause, TicketKind
from hearthline.domain.places import PlaceKind
from hearthline.domain.responsibility import responsible
from hearthline.domain.sentences import evidence_sentence, recommended_action
from hearthline.errors import Invalid
from hearthline.storage import accounts, complaints
from hearthline.storage.accounts import Answer
from hearthline.storage.database import Connection
from hearthline.storage.views import desk as views
from hearthline.storage.views import places
from tickets import desk
from tickets.lifecycle import State, allowed

router = APIRouter(prefix="/tickets", tags=["tickets"])

CALLS_COUNTED = 1000
_ETAG = re.compile(r'^(?:W/)?"(\d{1,9})"$')


@router.get("", responses=responses(401, 404, 422))
def list_tickets(
    request: Request,
    response: Response,
    parts: PartsOf,
    _who: Who,
    *,
    state: Annotated[list[State] | None, Query(description="Default: every state.")] = None,
    kind: TicketKind | None = None,
    cause: Cause | None = None,
    under: Annotated[
        str | None,
        Query(max_length=120, pattern=r"^[^/\x00-\x1f]+$", description="A place's code."),
    ] = None,
    overdue: Annotated[bool, Query(description="Only those whose running clock is over.")] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Tickets:
    """Tickets by opening, the newest first."""
    key = cursors.decode(cursor, str, int)
    after = (cursors.instant(key[0]), int(key[1])) if key else None
    with parts.transaction() as connection:
        narrowed = views.Filter(
            states=tuple(state) if state else None,
            kind=kind,
            cause=cause,
            prefix=places.place(connection, under)["path"] if under else None,
            overdue=overdue,
        )
        rows = views.tickets(connection, parts.clock(), narrowed, after=after, limit=limit)
    last = (rows[-1]["opened_at"], rows[-1]["id"]) if rows else ()
    following = cursors.page(request, response, rows, limit, last)
    return Tickets(items=[Ticket(**row) for row in rows], next=following)


@router.get("/{number}", responses=responses(401, 404, 422))
def one_ticket(number: Number, response: Response, parts: PartsOf, _who: Who) -> TicketInFull:
    """A ticket with evidence for and against, its dwellings, and what may be done now."""
    with parts.transaction() as connection:
        ticket = _in_full(connection, number)
    response.headers["ETag"] = f'"{ticket.version}"'
    return ticket


@router.get("/{number}/events", responses=responses(401, 404, 422))
def log(number: Number, parts: PartsOf, _who: Who) -> TicketEvents:
    """The log of a ticket, oldest first; everything else about it follows from this."""
    with parts.transaction() as connection:
        views.ticket(connection, number)
        rows = views.events(connection, number)
    return TicketEvents(items=[TicketEvent(**row) for row in rows])


@router.post(
    "/{number}/events",
    status_code=201,
    response_model=TicketInFull,
    responses=responses(400, 401, 403, 404, 409, 412, 422),
)
def act(
    request: Request,
    parts: PartsOf,
    who: Who,
    number: Number,
    wanted: Act,
    *,
    if_match: Annotated[str | None, Header(description="The ETag of the ticket as seen.")] = None,
    idempotency_key: Annotated[
        str | None, Header(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")
    ] = None,
) -> Response:
    """Act on a ticket: one step of the chain 投诉 → 派单 → 处理 → 回复 → 回访, or a note.

    With `If-Match` the act fails (412) when somebody else moved the ticket meanwhile. With
    `Idempotency-Key` a repeated request is answered as the first one was and acts once.
    """
    request_bytes = f"{request.url.path}\n{if_match}\n{wanted.model_dump_json()}".encode()
    with parts.transaction() as connection:
        if idempotency_key:
            earlier = accounts.claim(
                connection, who.name, idempotency_key, request_bytes, now=parts.clock()
            )
            if earlier is not None:
                return _answer(earlier, replayed=True)
        version = _expected_version(connection, number, if_match)
        desk.act(
            connection,
            number,
            wanted.action,
            actor=who.name,
            now=parts.clock(),
            reason=wanted.reason,
            note=wanted.note,
            body=wanted.body.model_dump(exclude_none=True),
            if_version=version,
        )
        answer = Answer(201, _in_full(connection, number).model_dump(mode="json"))
        if idempotency_key:
            accounts.keep_answer(connection, who.name, idempotency_key, answer)
    return _answer(answer, replayed=False)


def _answer(answer: Answer, *, replayed: bool) -> JSONResponse:
    headers = {"ETag": f'"{answer.response["version"]}"'}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return JSONResponse(answer.response, answer.status, headers=headers)


def _expected_version(connection: Connection, number: str, if_match: str | None) -> int | None:
    """The version that ``If-Match`` names, checked under a lock; None without or with ``*``."""
    if if_match is None or if_match.strip() == "*":
        return None
    match = _ETAG.match(if_match.strip())
    if match is None:
        raise Invalid("If-Match holds no ETag of a ticket.", 'Send it as given, e.g. "3".')
    expected = int(match[1])
    if views.version(connection, number) != expected:
        raise Stale(f"Ticket {number} has changed since you read it.", "Read it again, then act.")
    return expected


def _in_full(connection: Connection, number: str) -> TicketInFull:
    row = views.ticket(connection, number)
    members = [Member(**member) for member in views.members(connection, row["incident_id"])]
    same: dict[str, Any] = {name: row[name] for name in Ticket.model_fields if name in row}
    cold = sum(1 for member in members if member.cold_since and not member.warm_since)
    cause = Cause(row["cause"])
    warranty = views.warranties(connection, [row["place"]]).get(row["place"])
    who = responsible(cause, PlaceKind(row["place_kind"]), warranty, row["opened_at"])
    return TicketInFull(
        **same,
        responsibility=who,
        first_action=recommended_action(cause, who, "en"),
        first_action_zh=recommended_action(cause, who, "zh_CN"),
        complaints=len(complaints.of_incident(connection, row["incident_id"], CALLS_COUNTED)),
        affected=len(members),
        cold=cold,
        evidence=[_piece(piece) for piece in row["evidence"]],
        ranked=[RankedCause(cause=cause, probability=p) for cause, p in row["ranked"]],
        members=members,
        merged_into=row["merged_into_number"],
        merged_from=row["merged_from"],
        allowed=list(allowed(State(row["state"]), paused=row["paused"])),
    )


def _piece(piece: dict[str, Any]) -> EvidencePiece:
    return EvidencePiece(
        code=piece["code"],
        against=piece.get("against", False),
        sentence=evidence_sentence(piece, "en"),
        sentence_zh=evidence_sentence(piece, "zh_CN"),
        values=piece["values"],
    )
