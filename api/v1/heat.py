"""Heat for machines: days and signatures of a place, the monthly report, balance advice."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from analytics.advising import as_plain as advice_as_plain
from analytics.advising import station_advice
from analytics.emission import Emitter
from analytics.reporting import as_plain, long, month_report, wide
from api.identity import Who
from api.parts import PartsOf
from api.problems import responses
from api.v1.models import Code
from hearthline.domain.places import PlaceKind
from hearthline.errors import Invalid
from hearthline.registry.sheets import csv_text, workbook
from hearthline.storage import heat
from hearthline.storage.views import places

router = APIRouter(tags=["balance"])

CSV = "text/csv"
JSON = "application/json"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST = timedelta(days=400)

From = Annotated[date | None, Query(alias="from", description="Default: 30 days before `to`.")]
To = Annotated[date | None, Query(alias="to", description="Default: yesterday.")]
Month = Annotated[
    str, Path(pattern=r"^\d{4}-\d{2}$", description="As 2026-01.", examples=["2026-01"])
]


class HeatDay(BaseModel):
    """A place on a local day; null is "not known", never zero."""

    day: date
    area_m2: float = Field(description="Of the dwellings that were heated.")
    outdoor_c: float | None
    emitter: str | None = Field(description="radiators or floor")
    heat_kwh: float | None
    metered: float | None = Field(description="Share of the day that its meters stand for.")
    supply_c: float | None
    return_c: float | None
    approach_k: float | None = Field(description="Primary less secondary return.")
    balance_degree: float | None = Field(description="Flow over design flow.")
    balanced_share: float | None = Field(description="Area of its buildings within 0.9 to 1.2.")
    return_spread_k: float | None
    rooms: int = Field(description="Dwellings measured by a trusted sensor.")
    room_coverage: float
    room_c: float | None
    vertical_k: float | None = Field(description="Spread of rooms between floors.")
    horizontal_k: float | None = Field(description="Spread of rooms between buildings.")
    overheated_share: float | None
    waste_share: float | None = Field(description="Share of its heat that overheats rooms.")
    index_w_m2: float | None
    normal_w_m2: float | None = Field(description="At standard rooms and design weather.")
    normal_basis: str = Field(description="measured, assumed, or why there is none")
    expected_kwh: float | None = Field(description="By the signature of the days before.")
    called: str = Field(description="high or low, where beyond what a signature can be wrong")
    curve_gap_k: float | None


class HeatDays(BaseModel):
    """Days of one place, oldest first."""

    place: str
    items: list[HeatDay]


class Signature(BaseModel):
    """base − per_k·T − per_wm2·G with T = (1 − yesterday)·T_today + yesterday·T_before."""

    of: str = Field(description="heat (kW) or supply (°C)")
    day: date
    base: float | None
    per_k: float | None
    per_wm2: float | None
    yesterday: float | None
    scatter: float | None = Field(description="Robust standard deviation of a day: share, or K.")
    days: int
    reason: str


class Signatures(BaseModel):
    """The newest signatures of one place."""

    place: str
    items: list[Signature]


class Trace(BaseModel):
    """Where a figure is from."""

    table: str
    rows: int
    days: int
    of_days: int
    formula: str
    statement: str = Field(description="Fetches exactly the rows behind the figure.")
    values: list[dict[str, Any]] | None = None


class Figure(BaseModel):
    """One of the fifteen figures; without a value ``reason`` says why."""

    key: str
    title: str
    title_zh: str
    unit: str
    value: float | None
    uncertainty: float | None
    reason: str
    note: str
    trace: Trace


class ZoneReport(BaseModel):
    """A substation's month."""

    zone: str
    name: str
    name_zh: str
    first_day: date
    last_day: date
    items: list[Figure]


class MonthReport(BaseModel):
    """The monthly report."""

    month: str
    zones: list[ZoneReport]


class Turn(BaseModel):
    """What to do at one building's balancing valve, and what comes of it."""

    building: str
    flow_m3h: float
    target_m3h: float
    flow_ratio: float
    turns_shut: float = Field(description="Towards shut; where the meter shows the target, stop.")
    reference: bool = Field(description="Stays as it is; the others are throttled against it.")
    return_c: float
    target_return_c: float
    room_c: float
    uncertainty_k: float
    rooms: int
    gain_k: float
    says: str
    says_zh: str


class LeftOut(BaseModel):
    """A building that takes no part, and why."""

    building: str
    reason: str
    says: str
    says_zh: str


class CircuitAdvice(BaseModel):
    """Advice for one circuit; without turns ``reason`` says why."""

    circuit: str
    reason: str
    says: str
    says_zh: str
    emitter: str
    total_m3h: float | None = Field(description="The flow to hold at the pump.")
    mean_return_c: float | None
    return_spread_k: float | None
    spread_k: float | None = Field(description="Of rooms between buildings, now.")
    settled_spread_k: float | None = Field(description="The same as predicted.")
    certainty: float | None
    turns: list[Turn]
    left_out: list[LeftOut]


class BalanceAdvice(BaseModel):
    """Balance advice for a substation."""

    station: str
    started_at: str
    stopped_at: str
    outdoor_c: float | None
    valve: dict[str, float] = Field(description="The valve that turns are told for.")
    circuits: list[CircuitAdvice]


@router.get("/places/{code}/heat-days", responses=responses(401, 404, 422))
def heat_days(
    code: Code, parts: PartsOf, _who: Who, *, start: From = None, stop: To = None
) -> HeatDays:
    """Heat, flow, rooms and how even they are, by local day."""
    with parts.transaction() as connection:
        today = parts.policy(connection).local_day(parts.clock())
        last = stop or today - timedelta(days=1)
        first = start or last - min(timedelta(days=30), last - date.min)
        if not timedelta(0) <= last - first <= LONGEST:
            raise Invalid("The days must lie in order, 400 of them at most.", "Ask for fewer.")
        places.place(connection, code)
        rows = heat.days(connection, code, first, last)
    return HeatDays(place=code, items=[HeatDay(**row) for row in rows])


@router.get("/places/{code}/signatures", responses=responses(401, 404, 422))
def signatures(code: Code, parts: PartsOf, _who: Who) -> Signatures:
    """What a place's heat and supply are at some weather, learnt from its days before."""
    with parts.transaction() as connection:
        places.place(connection, code)
        rows = heat.signatures(connection, code)
    return Signatures(place=code, items=[Signature(**row) for row in rows])


@router.get(
    "/reports/month/{month}",
    response_model=MonthReport,
    responses={
        **responses(401, 404, 422),
        200: {
            "description": "JSON, or CSV or XLSX where `Accept` asks for it.",
            "content": {
                CSV: {"schema": {"type": "string"}},
                XLSX: {"schema": {"type": "string", "format": "binary"}},
            },
        },
    },
)
def monthly_report(
    month: Month,
    request: Request,
    parts: PartsOf,
    _who: Who,
    *,
    zone: Annotated[str | None, Query(max_length=120, pattern=r"^[^/\x00-\x1f]+$")] = None,
    rows: Annotated[bool, Query(description="With the rows behind every figure.")] = False,
) -> Response:
    """Fifteen figures for every substation, each traceable; CSV or XLSX by `Accept`."""
    with parts.transaction() as connection:
        today = parts.policy(connection).local_day(parts.clock())
        zones = month_report(connection, month, today, zone)
    accept = request.headers.get("accept", "")
    if CSV in accept and JSON not in accept:
        return Response(csv_text(*wide(zones)), media_type=f"{CSV}; charset=utf-8")
    if XLSX in accept and JSON not in accept:
        return Response(workbook({"report": wide(zones), "sources": long(zones)}), media_type=XLSX)
    plain = {"month": month, "zones": [as_plain(each, rows=rows) for each in zones]}
    return JSONResponse(MonthReport.model_validate(plain).model_dump(mode="json"))


@router.get("/substations/{code}/advice", responses=responses(401, 404, 422))
def balance_advice(
    code: Code,
    parts: PartsOf,
    _who: Who,
    *,
    hours: Annotated[int, Query(ge=24, le=336, description="How much is looked at.")] = 48,
    emitter: Annotated[Literal["radiators", "floor"] | None, Query()] = None,
) -> BalanceAdvice:
    """Which buildings' valves to turn by how much at constant total flow, and what it changes."""
    with parts.transaction() as connection:
        places.place(connection, code, PlaceKind.SUBSTATION)
        found = station_advice(
            connection,
            code,
            parts.clock(),
            window=timedelta(hours=hours),
            emitter=Emitter(emitter) if emitter else None,
        )
    return BalanceAdvice.model_validate(advice_as_plain(found))
