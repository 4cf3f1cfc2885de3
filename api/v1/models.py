"""What the machine interface sends and takes. Every quantity carries its unit in the name."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from hearthline.domain.findings import Cause, Responsibility, TicketKind
from hearthline.domain.places import HeatingStatus, PlaceKind, UnitPosition
from hearthline.domain.policies import DayVerdict, HoldReason
from tickets.lifecycle import Action, EventKind, State

EARLIEST, LATEST = 1970, 2200  # instants outside are typing mistakes


def _printable(text: str) -> str:
    if any(ord(character) < 32 and character not in "\n\t" for character in text):
        raise ValueError("must not hold control characters")
    return text


def _plausible(at: datetime) -> datetime:
    if not EARLIEST <= at.year < LATEST:
        raise ValueError(f"must lie between the years {EARLIEST} and {LATEST}")
    return at


Text = Annotated[str, AfterValidator(_printable)]
Instant = Annotated[AwareDatetime, AfterValidator(_plausible)]
Code = Annotated[
    str,
    Path(
        pattern=r"^[^/\x00-\x1f]+$",
        max_length=120,
        description="The code that the company prints on its forms.",
        examples=["HX-S1-B04-E2-0302"],
    ),
]
Number = Annotated[
    str,
    Path(
        pattern=r"^[\w-]+$", max_length=40, description="Ticket number.", examples=["251122-0007"]
    ),
]
Limit = Annotated[int, Query(ge=1, le=1000, description="Rows a page.")]
Cursor = Annotated[
    str | None, Query(max_length=600, description="From the page before (`next`, or `Link`).")
]


class Page(BaseModel):
    """A page of rows; ``next`` is null on the last one."""

    next: str | None = Field(default=None, description="Cursor of the next page.")


class Unit(BaseModel):
    """A dwelling as it stands now. ``temperature_c`` is null when no reading is fresh."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "code": "HX-S1-B04-E2-0302",
                "name": "302",
                "name_zh": "302室",
                "path": "HX/HX-S1/…/HX-S1-B04-E2-R2/HX-S1-B04-E2-0302/",
                "area_m2": 82.5,
                "floor": 3,
                "column": 4,
                "position": "middle",
                "vulnerable": False,
                "warranty_until": None,
                "status": "on",
                "sensed": True,
                "silent": False,
                "temperature_c": 17.4,
                "last_c": 17.4,
                "read_at": "2025-11-22T01:40:00Z",
                "seen_at": "2025-11-22T01:40:02Z",
                "grade": "A",
                "cold_since": "2025-11-21T20:00:00Z",
                "hold": None,
                "ticket": "251122-0007",
            }
        }
    )

    code: str
    name: str
    name_zh: str
    path: str
    area_m2: float
    floor: int
    column: int
    position: UnitPosition
    vulnerable: bool
    warranty_until: datetime | None
    status: HeatingStatus
    sensed: bool
    silent: bool
    temperature_c: float | None
    last_c: float | None
    read_at: datetime | None
    seen_at: datetime | None
    grade: str | None
    cold_since: datetime | None
    hold: HoldReason | None
    ticket: str | None


class Units(Page):
    """Dwellings in the order of their paths."""

    items: list[Unit]


class RoomPoint(BaseModel):
    """One reading, or one hour: then ``min_c``, ``max_c`` and ``covered_min`` are given."""

    time: datetime
    temperature_c: float
    device: str | None = None
    humidity_pct: float | None = None
    battery_pct: float | None = None
    quality: int | None = None
    min_c: float | None = None
    max_c: float | None = None
    covered_min: float | None = None


class RoomSeries(Page):
    """Room temperature of one dwelling, oldest first."""

    code: str
    items: list[RoomPoint]


class Verdict(BaseModel):
    """The compliance ledger's word on one local day."""

    day: date
    verdict: DayVerdict
    reason: HoldReason
    covered_min: float
    below_min: float
    mean_c: float | None
    min_c: float | None
    policy_code: str
    policy_from: date
    judged_at: datetime
    revision: int


class Verdicts(BaseModel):
    """Verdicts of one dwelling, oldest first."""

    code: str
    items: list[Verdict]


class Place(BaseModel):
    """One place with its children; ``parent`` is null for a source."""

    code: str
    kind: PlaceKind
    name: str
    name_zh: str
    path: str
    parent: str | None
    seq: int
    children: list[Place] = []


class Places(BaseModel):
    """Trees, from the sources (or the place asked for) down."""

    items: list[Place]


class EvidencePiece(BaseModel):
    """One sentence for or against a conclusion."""

    code: str
    against: bool
    sentence: str = Field(description="In English.")
    sentence_zh: str
    values: dict[str, Any]


class RankedCause(BaseModel):
    """One possible cause."""

    cause: Cause
    probability: float


class Ticket(BaseModel):
    """A ticket in a list."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "number": "251122-0007",
                "state": "new",
                "kind": "supply",
                "cause": "strainer_clogged",
                "confidence": 0.86,
                "place": "HX-S2-B05",
                "place_kind": "building",
                "place_name": "House 5",
                "place_name_zh": "5号楼",
                "path": "HX/HX-S2/HX-S2-C1/HX-S2-B05/",
                "device": None,
                "opened_at": "2025-11-22T01:00:00Z",
                "updated_at": "2025-11-22T01:00:00Z",
                "respond_by": "2025-11-22T01:30:00Z",
                "resolve_by": "2025-11-23T01:00:00Z",
                "recovered_at": None,
                "assignee": None,
                "paused": False,
                "affected": 42,
                "cold": 31,
                "version": 1,
            }
        }
    )

    number: str
    state: State
    kind: TicketKind
    cause: Cause
    confidence: float
    place: str
    place_kind: PlaceKind
    place_name: str
    place_name_zh: str
    path: str
    device: str | None
    opened_at: datetime
    updated_at: datetime
    respond_by: datetime
    resolve_by: datetime
    recovered_at: datetime | None
    assignee: str | None
    paused: bool
    affected: int
    cold: int
    version: int


class Tickets(Page):
    """Tickets, the newest first."""

    items: list[Ticket]


class Member(BaseModel):
    """A dwelling that a ticket is about; ``cold_since`` null means affected, not (yet) cold."""

    code: str
    joined_at: datetime
    cold_since: datetime | None
    warm_since: datetime | None


class TicketInFull(Ticket):
    """A ticket with its reasons, its dwellings, and what may be done now."""

    responsibility: Responsibility = Field(
        description="Who has to act; the developer while the building is under warranty."
    )
    first_action: str = Field(description="What to do first, in English.")
    first_action_zh: str
    complaints: int = Field(description="Calls of its dwellings; see `/complaints`.")
    evidence: list[EvidencePiece]
    ranked: list[RankedCause]
    members: list[Member]
    merged_into: str | None
    merged_from: list[str]
    allowed: list[Action]


class TicketEvent(BaseModel):
    """One line of a ticket's log."""

    seq: int
    kind: EventKind
    at: datetime
    recorded_at: datetime
    actor: str
    reason: str
    note: str
    body: dict[str, Any]


class TicketEvents(BaseModel):
    """A ticket's log, oldest first."""

    items: list[TicketEvent]


class ActBody(BaseModel):
    """What some actions carry: whom a dispatch sends; what the follow-up call found."""

    model_config = ConfigDict(extra="forbid")

    assignee: Annotated[Text, Field(max_length=80)] | None = None
    satisfied: bool | None = None
    certified_c: Annotated[float, Field(ge=-40, le=60, allow_inf_nan=False)] | None = None


class Act(BaseModel):
    """A person's act on a ticket."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"action": "dispatch", "note": "Bring gaskets.", "body": {"assignee": "Crew 2"}},
                {"action": "pause", "reason": "waiting_for_part"},
                {"action": "call_back", "body": {"satisfied": True, "certified_c": 21.2}},
            ]
        },
    )

    action: Action
    reason: Annotated[Text, Field(max_length=80)] = ""
    note: Annotated[Text, Field(max_length=4000)] = ""
    body: ActBody = ActBody()


class FrontUnit(BaseModel):
    """One window of a building seen from the front."""

    code: str
    name: str
    name_zh: str
    floor: int
    column: int
    status: HeatingStatus
    sensed: bool
    temperature_c: float | None
    last_c: float | None
    read_at: datetime | None
    ticket: str | None


class FrontEntrance(BaseModel):
    """An entrance and its dwellings."""

    code: str
    name: str
    name_zh: str
    units: list[FrontUnit]


class Front(BaseModel):
    """A building seen from the front: entrances left to right, floors from the ground up."""

    code: str
    name: str
    name_zh: str
    threshold_c: float
    floors: int
    columns: int
    entrances: list[FrontEntrance]
