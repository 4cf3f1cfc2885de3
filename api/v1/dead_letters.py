"""Refused messages: list, one, and decoding them again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api import cursors
from api.identity import Actor, Engineer, Who
from api.once import IdempotencyKey, once
from api.parts import Parts, PartsOf
from api.problems import responses
from api.v1.models import Cursor, Instant, Limit, Page
from hearthline.domain.readings import RejectReason
from hearthline.errors import Invalid
from hearthline.payloads import readable
from hearthline.storage import dead_letters as rows
from hearthline.storage.database import Connection, Row
from hearthline.storage.dead_letters import Filter
from hearthline.storage.tickets import audit
from ingest.door import door_of
from ingest.replaying import Replayed, replay_dead_letters

router = APIRouter(tags=["engineering"])

AT_ONCE = 2_000  # letters that one request decodes again
PLAIN = r"^[^\x00-\x1f]+$"
LARGEST = 2**63 - 1

Number = Annotated[int, Path(ge=1, le=LARGEST, description="The letter's number.", examples=[17])]
Device = Annotated[
    str | None,
    Query(pattern=PLAIN, max_length=1024, description="Only those of the device with this uid."),
]
Since = Annotated[Instant | None, Query(description="Only those that came again since then.")]


class DeadLetter(BaseModel):
    """A refused message or a part of one; binary payloads are shown as hexadecimal."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": 17,
                "topic": "hearthline/v1/hx/gw-12/room",
                "payload": '{"ts":"2025-11-22T01:40:00Z","temperature_c":"warm"}',
                "reason": "not_a_number",
                "detail": "temperature_c is 'warm'",
                "device_uid": "own:hx/gw-12",
                "first_at": "2025-11-22T01:40:02Z",
                "last_at": "2025-11-22T01:40:02Z",
                "count": 1,
                "whole": True,
                "retained": False,
            }
        }
    )

    id: int
    topic: str
    payload: str
    reason: RejectReason
    detail: str
    device_uid: str | None
    first_at: datetime
    last_at: datetime
    count: int
    whole: bool = Field(description="Whether all of it is kept, so that it can be decoded again.")
    retained: bool = Field(description="The broker had kept it: nobody knows when it was said.")


class DeadLetters(Page):
    """Refused messages, the newest first."""

    items: list[DeadLetter]


class DeadLetterInFull(DeadLetter):
    """A refused message; ``message`` is all of it where ``payload`` is a part."""

    message: str | None


class ReplayOrder(BaseModel):
    """Which letters to decode again: by number, reason, device or time, or all there are."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "needs_profile"}, {"ids": [17, 18]}]},
    )

    ids: (
        Annotated[
            list[Annotated[int, Field(ge=1, le=LARGEST)]], Field(min_length=1, max_length=1000)
        ]
        | None
    ) = None
    reason: RejectReason | None = None
    device: Annotated[str, Field(pattern=PLAIN, max_length=1024)] | None = None
    since: Instant | None = None
    all: bool = False
    after: Annotated[int, Field(ge=0, le=LARGEST)] = Field(
        default=0, description="Go on after this letter: `next` of the answer before."
    )


class ReplayDone(BaseModel):
    """What became of the letters. Those still refused stay, with today's reason."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "letters": 2000, "stored": 1980, "duplicates": 12, "refused": 8, "next": 20417,
            }
        }
    )  # fmt: skip

    letters: int = Field(description=f"Letters decoded again, {AT_ONCE} a request at most.")
    stored: int = Field(description="Readings that became rows.")
    duplicates: int = Field(description="Readings that were there already.")
    refused: int = Field(description="Letters that stay.")
    next: int | None = Field(description="Ask again with `after` set to this; null: all done.")


@router.get("/dead-letters", responses=responses(401, 422))
def dead_letters(
    request: Request,
    response: Response,
    parts: PartsOf,
    _who: Who,
    *,
    reason: RejectReason | None = None,
    device: Device = None,
    since: Since = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> DeadLetters:
    """Refused messages with their reason, the newest first."""
    key = cursors.decode(cursor, str, int)
    after = (cursors.instant(key[0]), int(key[1])) if key else None
    wanted = Filter(reason, device, since)
    with parts.transaction() as connection:
        found = rows.listed(connection, wanted, after=after, limit=limit)
    last = (found[-1]["last_at"], found[-1]["id"]) if found else ()
    following = cursors.page(request, response, found, limit, last)
    return DeadLetters(items=[DeadLetter(**_plain(row)) for row in found], next=following)


@router.get("/dead-letters/{number}", responses=responses(401, 404, 422))
def one_dead_letter(number: Number, parts: PartsOf, _who: Who) -> DeadLetterInFull:
    """One refused message, with all that is kept of it."""
    with parts.transaction() as connection:
        row = rows.one(connection, number)
    message = None if row["message"] is None else readable(bytes(row["message"]))
    return DeadLetterInFull(**_plain(row), message=message)


@router.post(
    "/dead-letters/replays",
    response_model=ReplayDone,
    responses=responses(400, 401, 403, 422),
)
def replay(
    request: Request,
    parts: PartsOf,
    who: Engineer,
    wanted: ReplayOrder,
    *,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Decode refused messages again, after a new profile, a ledger's correction or an update.

    What can be stored is stored as of when it came first. For engineers and administrators.
    """
    if not (wanted.ids or wanted.reason or wanted.device or wanted.since or wanted.all):
        raise Invalid("Which dead letters?", "Give ids, reason, device or since, or set all.")
    chosen = Filter(
        wanted.reason, wanted.device, wanted.since, tuple(wanted.ids) if wanted.ids else None
    )

    def act(connection: Connection) -> ReplayDone:
        done = replay_as(connection, parts, who, chosen, after=wanted.after)
        return ReplayDone(
            letters=done.messages,
            stored=done.stored,
            duplicates=done.duplicates,
            refused=done.refused,
            next=done.last if done.messages == AT_ONCE else None,
        )

    return once(request, parts, who, idempotency_key, wanted, act)


def replay_as(
    connection: Connection, parts: Parts, who: Actor, wanted: Filter, *, after: int = 0
) -> Replayed:
    """Decode letters again, ``AT_ONCE`` at most, and write down who had it done."""
    door = door_of(parts.settings)
    done = replay_dead_letters(connection, wanted, door, after=after, limit=AT_ONCE)
    body = {
        "reason": wanted.reason,
        "device": wanted.device,
        "since": wanted.since.isoformat() if wanted.since else None,
        "ids": list(wanted.ids) if wanted.ids else None,
        "letters": done.messages,
        "stored": done.stored,
        "refused": done.refused,
    }
    audit(connection, who.name, "dead_letters.replay", "", body)
    return done


def _plain(row: Row) -> dict[str, Any]:
    same = ("id", "topic", "reason", "detail", "device_uid", "first_at", "last_at", "count",
            "whole", "retained")  # fmt: skip
    return {**{name: row[name] for name in same}, "payload": readable(bytes(row["payload"]))}
