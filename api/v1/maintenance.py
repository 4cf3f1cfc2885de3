"""Maintenance windows: list, add, end."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.identity import Engineer, Who
from api.once import IdempotencyKey, once
from api.parts import PartsOf
from api.problems import responses
from api.v1.models import Instant, Limit, Text
from hearthline.domain.maintenance import Window
from hearthline.domain.places import PlaceKind
from hearthline.storage import maintenance as rows
from hearthline.storage.database import Connection

router = APIRouter(prefix="/maintenance", tags=["maintenance"])

PLAIN = r"^[^/\x00-\x1f]+$"
Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="The window's number.", examples=[12])]


class MaintenanceWindow(BaseModel):
    """Work at a place: until it ends, dwellings below it are held back with that reason."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": 12,
                "place": "HX-S1-B04",
                "kind": "building",
                "name": "House 4",
                "name_zh": "4号楼",
                "since": "2025-11-22T00:00:00Z",
                "until": "2025-11-22T06:00:00Z",
                "reason": "Valve of entrance 2 is changed",
                "added_by": "li",
                "added_at": "2025-11-21T08:00:00Z",
                "ended_by": None,
                "ended_at": None,
            }
        }
    )

    id: int
    place: str
    kind: PlaceKind
    name: str
    name_zh: str
    since: datetime
    until: datetime = Field(description="Equal to `since` where it was called off.")
    reason: str
    added_by: str
    added_at: datetime
    ended_by: str | None
    ended_at: datetime | None


class MaintenanceWindows(BaseModel):
    """Windows, the newest first."""

    items: list[MaintenanceWindow]


class NewWindow(BaseModel):
    """A window to be put on file. It may lie in the past: its days are then judged again."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "place": "HX-S1-B04",
                    "since": "2025-11-22T00:00:00Z",
                    "until": "2025-11-22T06:00:00Z",
                    "reason": "Valve of entrance 2 is changed",
                }
            ]
        },
    )

    place: Annotated[str, Field(pattern=PLAIN, max_length=120)]
    since: Instant
    until: Instant
    reason: Annotated[Text, Field(min_length=1, max_length=500)]


class EndWindow(BaseModel):
    """Ends a window now."""

    model_config = ConfigDict(extra="forbid")


@router.get("", responses=responses(401, 422))
def windows(
    parts: PartsOf,
    _who: Who,
    *,
    place: Annotated[
        str | None,
        Query(max_length=120, pattern=PLAIN, description="At this place, above or below it."),
    ] = None,
    since: Annotated[
        Instant | None, Query(description="Those that end after this. Default: now.")
    ] = None,
    limit: Limit = 100,
) -> MaintenanceWindows:
    """Maintenance windows that are under way or to come, or since an instant; newest first."""
    with parts.transaction() as connection:
        found = rows.listed(connection, since=since or parts.clock(), place=place, limit=limit)
    return MaintenanceWindows(items=[MaintenanceWindow(**row) for row in found])


@router.post(
    "",
    status_code=201,
    response_model=MaintenanceWindow,
    responses=responses(400, 401, 403, 404, 422),
)
def add_window(
    request: Request,
    parts: PartsOf,
    who: Engineer,
    wanted: NewWindow,
    *,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Put a window on file. For engineers and administrators."""

    def act(connection: Connection) -> MaintenanceWindow:
        window = Window(wanted.place, wanted.since, wanted.until, wanted.reason, who.name)
        return MaintenanceWindow(**rows.add(connection, window, parts.clock()))

    return once(request, parts, who, idempotency_key, wanted, act, 201)


@router.post(
    "/{number}/end",
    response_model=MaintenanceWindow,
    responses=responses(400, 401, 403, 404, 409, 422),
)
def end_window(
    request: Request,
    parts: PartsOf,
    who: Engineer,
    number: Number,
    *,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """End a window now, or call it off where it has not begun. For engineers and administrators."""

    def act(connection: Connection) -> MaintenanceWindow:
        return MaintenanceWindow(**rows.end(connection, number, parts.clock(), who.name))

    return once(request, parts, who, idempotency_key, EndWindow(), act)
