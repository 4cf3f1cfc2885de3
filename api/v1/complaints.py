"""Complaints: what people say of their homes, put on file and listed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api import cursors
from api.identity import SEES_CONTACTS, Actor, Who
from api.once import IdempotencyKey, once
from api.parts import PartsOf
from api.problems import responses
from api.v1.models import Cursor, Instant, Limit, Page, Text
from hearthline.domain.complaints import Channel
from hearthline.domain.complaints import Complaint as Call
from hearthline.storage import complaints as rows
from hearthline.storage.database import Connection, Row
from hearthline.storage.views import places

router = APIRouter(prefix="/complaints", tags=["complaints"])

PLAIN = r"^[^/\x00-\x1f]+$"
_EXAMPLE: dict[str, Any] = {
    "place": "HX-S1-B04-E2-0302",
    "at": "2025-11-22T02:40:00Z",
    "note": "Radiators lukewarm since yesterday",
    "channel": "phone",
    "caller": "Zhang",
}


class Complaint(BaseModel):
    """Somebody said that a dwelling is cold: evidence, whether or not a sensor hangs there."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **_EXAMPLE,
                "id": 7,
                "name": "302",
                "name_zh": "302室",
                "taken_by": "li",
                "added_at": "2025-11-22T02:41:00Z",
            }
        }
    )

    id: int
    place: str
    name: str
    name_zh: str
    at: datetime
    note: str
    channel: Channel
    caller: str = Field(description="As given; empty for roles that see no contacts.")
    taken_by: str
    added_at: datetime


class Complaints(Page):
    """Complaints, the newest first."""

    items: list[Complaint]


class NewComplaint(BaseModel):
    """A complaint to be put on file; without `at` it came now."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    place: Annotated[str, Field(pattern=PLAIN, max_length=120, description="A dwelling's code.")]
    at: Instant | None = None
    note: Annotated[Text, Field(max_length=2000)] = ""
    channel: Channel = Channel.PHONE
    caller: Annotated[Text, Field(max_length=200)] = ""


@router.get("", responses=responses(401, 404, 422))
def complaints(
    request: Request,
    response: Response,
    parts: PartsOf,
    who: Who,
    *,
    place: Annotated[
        str | None, Query(max_length=120, pattern=PLAIN, description="This place and below it.")
    ] = None,
    since: Annotated[Instant | None, Query(description="Those after this.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Complaints:
    """Complaints on file, the newest first."""
    key = cursors.decode(cursor, str, int)
    after = (cursors.instant(key[0]), int(key[1])) if key else None
    with parts.transaction() as connection:
        if place is not None:
            places.place(connection, place)
        found = rows.listed(connection, place=place, since=since, after=after, limit=limit)
    last = (found[-1]["at"], found[-1]["id"]) if found else ()
    following = cursors.page(request, response, found, limit, last)
    return Complaints(items=[_shown(row, who) for row in found], next=following)


def _shown(row: Row, who: Actor) -> Complaint:
    caller = row["caller"] if who.role in SEES_CONTACTS else ""
    return Complaint(**{**row, "caller": caller})


@router.post(
    "", status_code=201, response_model=Complaint, responses=responses(400, 401, 403, 404, 422)
)
def add_complaint(
    request: Request,
    parts: PartsOf,
    who: Who,
    wanted: NewComplaint,
    *,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Put a complaint on file. The next analysis cycle weighs it; none is dropped in silence.

    It opens a ticket, joins one that explains it, or is held back with a reason. A call for a place
    that is not in the ledger, or is no dwelling, is refused.
    """

    def act(connection: Connection) -> Complaint:
        now = parts.clock()
        call = Call(
            wanted.place, wanted.at or now, wanted.note, wanted.channel, wanted.caller, who.name
        )
        return _shown(rows.add(connection, call, now), who)

    return once(request, parts, who, idempotency_key, wanted, act, 201)
