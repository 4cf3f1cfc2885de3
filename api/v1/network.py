"""The network as a whole: live numbers, heat balances, rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.figures import pulse_of
from api.identity import Who
from api.parts import PartsOf
from api.problems import responses
from api.v1.models import Code, Instant
from api.v1.reports import (
    Balance,
    Balances,
    Policies,
    PolicyVersion,
    Pulse,
)
from hearthline.domain.places import PlaceKind
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
    return Pulse.model_validate(
        {name: figures[name] for name in Pulse.model_fields}, from_attributes=True
    )


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


def _balances(rows: list[Row]) -> Balances:
    def shown(row: Row) -> dict[str, Any]:
        return {name: row[name] for name in Balance.model_fields if name in row}

    return Balances(items=[Balance(**shown(row)) for row in rows])
