"""The network as a whole: live numbers, heat balances, rules, refused messages."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api import cursors
from api.figures import pulse_of
from api.identity import Engineer, Who
from api.parts import PartsOf
from api.problems import responses
from api.v1.models import Code, Cursor, Instant, Limit
from api.v1.reports import (
    Balance,
    Balances,
    DeadLetter,
    DeadLetters,
    Policies,
    PolicyVersion,
    Pulse,
)
from hearthline.domain.places import PlaceKind
from hearthline.domain.readings import RejectReason
from hearthline.errors import Invalid
from hearthline.storage import balance
from hearthline.storage.database import Row
from hearthline.storage.views import engineering, places

router = APIRouter()

From = Annotated[Instant | None, Query(alias="from", description="Default: 8 days ago.")]
To = Annotated[Instant | None, Query(alias="to", description="Default: now.")]


@router.get("/pulse", tags=["network"], responses=responses(401))
def pulse(parts: PartsOf, _who: Who) -> Pulse:
    """The network in a few live numbers."""
    with parts.transaction() as connection:
        figures = pulse_of(parts, connection)
    return Pulse(**{name: figures[name] for name in Pulse.model_fields})


@router.get("/balance", tags=["balance"], responses=responses(401, 422))
def network_balance(parts: PartsOf, _who: Who, *, start: From = None, stop: To = None) -> Balances:
    """Heat balance of the network, by local day. A gap in the data is told, never filled."""
    last = stop or parts.clock()
    first = start or last - timedelta(days=8)
    if first > last:
        raise Invalid("The window ends before it begins.", "Swap `from` and `to`.")
    with parts.transaction() as connection:
        return _balances(balance.network_balance(connection, first, last))


@router.get("/balance/running", tags=["balance"], responses=responses(401))
def running_balance(parts: PartsOf, _who: Who) -> Balances:
    """The newest 24 hours of the network and of every substation."""
    with parts.transaction() as connection:
        return _balances(balance.running_balance(connection))


@router.get("/substations/{code}/balance", tags=["balance"], responses=responses(401, 404, 422))
def substation_balance(
    code: Code, parts: PartsOf, _who: Who, *, start: From = None, stop: To = None
) -> Balances:
    """Heat balance of one substation, by local day."""
    last = stop or parts.clock()
    first = start or last - timedelta(days=8)
    if first > last:
        raise Invalid("The window ends before it begins.", "Swap `from` and `to`.")
    with parts.transaction() as connection:
        places.place(connection, code, PlaceKind.SUBSTATION)
        return _balances(balance.substation_balance(connection, code, first, last))


@router.get("/policies", tags=["rules"], responses=responses(401))
def policies(parts: PartsOf, _who: Who) -> Policies:
    """Every rule and version: threshold, persistence, refund ladder, clocks."""
    with parts.transaction() as connection:
        rows = engineering.policies(connection)
        today = parts.policy(connection)
    return Policies(
        items=[
            PolicyVersion(
                **row,
                in_force=(row["code"], row["valid_from"]) == (today.code, today.valid_from),
            )
            for row in rows
        ]
    )


@router.get("/dead-letters", tags=["engineering"], responses=responses(401, 403, 422))
def dead_letters(
    request: Request,
    response: Response,
    parts: PartsOf,
    _who: Engineer,
    *,
    reason: RejectReason | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> DeadLetters:
    """Refused messages with their reason, for engineers and administrators."""
    key = cursors.decode(cursor, str, int)
    after = (cursors.instant(key[0]), int(key[1])) if key else None
    with parts.transaction() as connection:
        rows = engineering.dead_letters(connection, reason=reason, after=after, limit=limit)
    last = (rows[-1]["last_at"], rows[-1]["id"]) if rows else ()
    following = cursors.page(request, response, rows, limit, last)
    items = [DeadLetter(**{**row, "payload": readable(bytes(row["payload"]))}) for row in rows]
    return DeadLetters(items=items, next=following)


def readable(payload: bytes) -> str:
    """A payload as text where it is text, else as hexadecimal."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return payload.hex(" ")
    return text if text.isprintable() or text.strip().isprintable() else payload.hex(" ")


def _balances(rows: list[Row]) -> Balances:
    def shown(row: Row) -> dict[str, Any]:
        return {name: row[name] for name in Balance.model_fields if name in row}

    return Balances(items=[Balance(**shown(row)) for row in rows])
