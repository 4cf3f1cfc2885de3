"""Devices that the ledger does not have: who they are, what they said, adopting, dismissing."""

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
from api.v1.models import Cursor, Instant, Limit, Page, Text
from hearthline.domain.places import DeviceKind, DeviceRole, FlowPipe
from hearthline.payloads import readable
from hearthline.storage import strangers as rows
from hearthline.storage.database import Connection, Row
from hearthline.storage.tickets import audit
from hearthline.storage.views import strangers as views
from ingest.adoption import Adopted, Wish, adopt, profiles_for
from ingest.door import door_of

router = APIRouter(tags=["devices"])

PLAIN = r"^[^\x00-\x1f]+$"
CODE = r"^[^/\x00-\x1f]+$"
SHOWN = 5  # messages of one stranger

Uid = Annotated[
    str,
    Path(
        pattern=PLAIN,
        max_length=rows.NAME_CHARS,
        description="How the device names itself, prefixed by its format.",
        examples=["zigbee2mqtt:Building 3/302"],
    ),
]
UidField = Annotated[
    str,
    Field(
        pattern=PLAIN, min_length=1, max_length=rows.NAME_CHARS,
        examples=["zigbee2mqtt:Building 3/302"],
    ),
]  # fmt: skip
FormatName = Annotated[
    str | None,
    Query(pattern=PLAIN, max_length=80, alias="format", description="Only this wire format."),
]
Part = Annotated[
    str | None,
    Query(
        pattern=PLAIN, max_length=100, alias="q", description="Part of uid, label, topic, gateway."
    ),
]


class Reason(BaseModel):
    """Why a stranger seems to be what it seems."""

    sentence: str = Field(description="In English.")
    sentence_zh: str


class Stranger(BaseModel):
    """A device that speaks and is in no ledger, with a guess of what it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "uid": "zigbee2mqtt:Building 3/302",
                "format": "zigbee2mqtt",
                "kind": "room",
                "role": "room",
                "confidence": 0.95,
                "profile": None,
                "reasons": [
                    {
                        "sentence": "Its temperature is that of a room.",
                        "sentence_zh": "温度与室内相符。",
                    }
                ],
                "sample": {"temperature_c": 21.4, "humidity_pct": 38.0},
                "label": "Building 3/302",
                "gateway": None,
                "topic": "zigbee2mqtt/Building 3/302",
                "first_at": "2025-11-20T06:10:00Z",
                "last_at": "2025-11-22T01:40:02Z",
                "messages": 131,
                "kept": 131,
                "dropped": 0,
                "dismissed_at": None,
            }
        }
    )

    uid: str
    format: str
    kind: DeviceKind | None = Field(description="A guess; null where nothing could be read.")
    role: DeviceRole | None
    confidence: float | None = Field(description="Of format, kind and role, 0 to 1.")
    profile: str | None = Field(description="A device profile that would read it better.")
    reasons: list[Reason]
    sample: dict[str, float] = Field(description="Quantities of one of its messages.")
    label: str
    gateway: str | None
    topic: str = Field(description="Of its last message.")
    first_at: datetime
    last_at: datetime
    messages: int = Field(description="How many it sent …")
    kept: int = Field(description="… how many are kept and stored once it is adopted …")
    dropped: int = Field(description="… and how many were too many to keep.")
    dismissed_at: datetime | None


class Strangers(Page):
    """Strangers, heard last first; ``waiting`` and ``dismissed`` are those of all pages."""

    waiting: int
    dismissed: int
    items: list[Stranger]


class KeptMessage(BaseModel):
    """A message in quarantine; binary payloads are shown as hexadecimal."""

    topic: str
    payload: str
    received_at: datetime
    retained: bool


class StrangerInFull(Stranger):
    """A stranger with its last messages."""

    interval_s: float | None = Field(description="How often it speaks, as far as heard.")
    last: list[KeptMessage] = Field(description="Its last messages, the newest first.")


class Adoption(BaseModel):
    """Where a stranger hangs and what it stands for there; what is left out is found out."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "uid": "zigbee2mqtt:Building 3/302",
                    "place": "HX-S1-B03-E1-0302",
                    "role": "room",
                },
                {
                    "uid": "wmbusmeters:12345678",
                    "place": "HX-S1-B03",
                    "role": "branch",
                    "flow_pipe": "return",
                },
            ]
        },
    )

    uid: UidField
    place: Annotated[str, Field(pattern=CODE, max_length=120)]
    role: DeviceRole
    kind: DeviceKind | None = None
    flow_pipe: FlowPipe | None = Field(
        default=None, description="Heat meters: the pipe that holds the flow sensor."
    )
    profile: Annotated[str, Field(pattern=PLAIN, max_length=120)] | None = None
    valid_from: Instant | None = Field(
        default=None, description="It hangs there since; default: since its first message."
    )
    interval_s: Annotated[int, Field(ge=1, le=7 * 86_400)] | None = None
    label: Annotated[Text, Field(max_length=200)] | None = None


class AdoptedDevice(BaseModel):
    """The device as the ledger has it now, and what became of all that it had said."""

    uid: str
    kind: DeviceKind
    role: DeviceRole
    place: str
    flow_pipe: FlowPipe | None
    profile: str | None
    label: str
    expected_interval_s: int
    valid_from: datetime | None
    messages: int = Field(description="Messages decoded again.")
    stored: int = Field(description="Readings that became rows.")
    duplicates: int
    refused: int
    waiting: int = Field(description="Messages that wait for names which the device must say.")


class Dismissal(BaseModel):
    """Whom to hear no more, or with ``undo`` again."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"uid": "zigbee2mqtt:Building 3/302", "undo": False}},
    )

    uid: UidField
    undo: bool = False


@router.get("/strangers", responses=responses(401, 422))
def list_strangers(
    request: Request,
    response: Response,
    parts: PartsOf,
    _who: Who,
    *,
    dismissed: Annotated[bool, Query(description="Those dismissed, not the others.")] = False,
    kind: DeviceKind | None = None,
    wire_format: FormatName = None,
    text: Part = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Strangers:
    """Devices that speak and are in no ledger, heard last first."""
    key = cursors.decode(cursor, str, str)
    after = (cursors.instant(key[0]), str(key[1])) if key else None
    wanted = views.Filter(dismissed, kind, wire_format, text)
    with parts.transaction() as connection:
        found = views.listed(connection, wanted, after=after, limit=limit)
        counts = views.counts(connection)
    last = (found[-1]["last_at"], found[-1]["uid"]) if found else ()
    following = cursors.page(request, response, found, limit, last)
    return Strangers(
        items=[Stranger(**_plain(row)) for row in found],
        waiting=counts["waiting"],
        dismissed=counts["dismissed"],
        next=following,
    )


@router.get("/strangers/{uid:path}", responses=responses(401, 404, 422))
def one_stranger(uid: Uid, parts: PartsOf, _who: Who) -> StrangerInFull:
    """One stranger: what it seems to be, why, and what it said last."""
    with parts.transaction() as connection:
        row = views.one(connection, uid)
        kept = views.messages(connection, uid, SHOWN)
        pace_s = views.pace_s(connection, uid)
    last = [
        KeptMessage(
            topic=one.topic,
            payload=readable(one.payload),
            received_at=one.received_at,
            retained=one.retained,
        )
        for one in kept
    ]
    return StrangerInFull(**_plain(row), interval_s=pace_s, last=last)


@router.post(
    "/strangers/adoptions",
    status_code=201,
    response_model=AdoptedDevice,
    responses=responses(400, 401, 403, 404, 409, 422),
)
def adopt_stranger(
    request: Request,
    parts: PartsOf,
    who: Engineer,
    wanted: Adoption,
    *,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Put a stranger into the ledger and store all that it said before.

    Its readings belong to the place from `valid_from` on, which is when the first of them was
    measured unless said otherwise. For engineers and administrators.
    """

    def act(connection: Connection) -> AdoptedDevice:
        wish = Wish(**wanted.model_dump(exclude={"uid"}))
        return shown(adopt_as(connection, parts, who, wanted.uid, wish))

    return once(request, parts, who, idempotency_key, wanted, act, 201)


@router.post(
    "/strangers/dismissals",
    response_model=Stranger,
    responses=responses(400, 401, 403, 404, 422),
)
def dismiss_stranger(
    request: Request,
    parts: PartsOf,
    who: Engineer,
    wanted: Dismissal,
    *,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Keep nothing of a stranger from now on, or undo that. For engineers and administrators."""

    def act(connection: Connection) -> Stranger:
        dismiss_as(connection, parts, who, wanted.uid, undo=wanted.undo)
        return Stranger(**_plain(views.one(connection, wanted.uid)))

    return once(request, parts, who, idempotency_key, wanted, act)


def adopt_as(connection: Connection, parts: Parts, who: Actor, uid: str, wish: Wish) -> Adopted:
    """Adopt, and write down who did.

    Raises:
        HearthlineError: as ``ingest.adoption.adopt``.
    """
    settings = parts.settings
    adopted = adopt(connection, uid, wish, door_of(settings), profiles_for(settings))
    body = shown(adopted).model_dump(mode="json")
    audit(connection, who.name, "stranger.adopt", uid, body)
    return adopted


def dismiss_as(connection: Connection, parts: Parts, who: Actor, uid: str, *, undo: bool) -> None:
    """Dismiss or welcome, and write down who did.

    Raises:
        NotFound: there is no such stranger.
    """
    if undo:
        rows.welcome(connection, uid)
    else:
        rows.dismiss(connection, uid, parts.clock())
    audit(connection, who.name, "stranger.welcome" if undo else "stranger.dismiss", uid, {})


def shown(adopted: Adopted) -> AdoptedDevice:
    """An adoption as it is answered."""
    device, done = adopted.device, adopted.replayed
    return AdoptedDevice(
        uid=device.uid,
        kind=device.kind,
        role=device.role,
        place=device.place,
        flow_pipe=device.flow_pipe,
        profile=device.profile,
        label=device.label,
        expected_interval_s=device.expected_interval_s,
        valid_from=device.valid_from,
        messages=done.messages,
        stored=done.stored,
        duplicates=done.duplicates,
        refused=done.refused,
        waiting=done.waiting,
    )


def _plain(row: Row) -> dict[str, Any]:
    same = ("uid", "format", "kind", "role", "label", "gateway", "topic", "first_at", "last_at",
            "messages", "kept", "dropped", "dismissed_at")  # fmt: skip
    guess = row["guess"]
    return {
        **{name: row[name] for name in same},
        "confidence": guess.get("confidence"),
        "profile": guess.get("profile"),
        "reasons": [
            {"sentence": reason["en"], "sentence_zh": reason["zh"]}
            for reason in guess.get("reasons", ())
        ],
        "sample": guess.get("sample") or {},
    }
