"""Dwellings without a sensor, the next 48 hours, wasted heat, the next places for sensors."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.identity import Engineer, Who
from api.once import IdempotencyKey, once
from api.parts import PartsOf
from api.problems import responses
from api.v1.models import Code, Instant, Limit
from hearthline.domain.places import PlaceKind
from hearthline.errors import NotFound
from hearthline.storage import outlook as rows
from hearthline.storage.database import Connection, Row
from hearthline.storage.outlook import Order
from hearthline.storage.views import places

router = APIRouter(tags=["outlook"])

HOUR = timedelta(hours=1)
Chance = Annotated[float, Field(ge=0.0, le=1.0)]


class Aim(StrEnum):
    """What a new sensor is for."""

    COLD = "cold"
    UNCERTAINTY = "uncertainty"


class Kind(StrEnum):
    """Places that have an outlook of their own, besides dwellings."""

    BUILDING = "building"
    SUBSTATION = "substation"


class Outlook(BaseModel):
    """The network as it is and as it will be; numbers of dwellings are expected ones."""

    at: datetime = Field(description="The end of the last measured hour.")
    computed_at: datetime
    limit_c: float = Field(description="The standard.")
    upper_c: float = Field(description="Above it a dwelling counts as overheated.")
    units: int
    measured: int
    half_k: float = Field(description="Mean half 90 % interval of dwellings without a sensor.")
    cold_now: float = Field(description="Below standard in the mean of the last day.")
    cold_unseen: float = Field(description="Of these, without a sensor.")
    cold_24h: float
    cold_48h: float
    overheated: int
    waste_kwh: float = Field(description="Heat wasted in the last day.")
    weather_issued_at: datetime | None = Field(description="None: no forecast was on file.")
    weather_hours: int = Field(description="Of the 48 hours, those a weather forecast covers.")


class UnitOutlook(BaseModel):
    """A dwelling, measured or estimated; intervals hold 90 %."""

    code: str
    name: str
    name_zh: str
    measured: bool
    now_c: float
    now_half_k: float
    day_c: float
    day_half_k: float
    cold: Chance = Field(description="Chance that the last day's mean is below the standard.")
    chance_24h: Chance = Field(description="Chance to be below the standard within 24 h.")
    chance_48h: Chance
    breach_at: datetime | None = Field(description="From when that is as likely as not.")
    tau_h: float
    waste_kwh: float
    waste_share: float


class HourAhead(BaseModel):
    """One hour ahead: the mean and half its 90 % interval."""

    at: datetime
    mean_c: float
    half_k: float


class UnitAhead(UnitOutlook):
    """A dwelling with the next 48 hours."""

    ahead: list[HourAhead]


class UnitOutlooks(BaseModel):
    """Dwellings, those that matter most first."""

    items: list[UnitOutlook]


class PlaceOutlook(BaseModel):
    """A building or substation; only buildings have a time constant and hours ahead."""

    code: str
    kind: PlaceKind
    name: str
    name_zh: str
    units: int
    measured: int
    day_c: float
    cold_now: float
    cold_24h: float
    waste_kwh: float
    waste_share: float
    tau_h: float | None
    ahead: list[HourAhead]


class PlaceOutlooks(BaseModel):
    """Places in the order of the tree."""

    items: list[PlaceOutlook]


class SensorPlace(BaseModel):
    """A dwelling where a sensor would tell most, once those ranked before it hang."""

    rank: int
    code: str
    name: str
    name_zh: str
    share: float = Field(description="Of all the uncertainty that counts, 0 to 1.")
    before_k: float = Field(description="Mean half interval of its building's dwellings …")
    after_k: float = Field(description="… and once the sensor hangs.")
    told: int = Field(description="Dwellings known noticeably better.")
    doubt: Chance = Field(description="Its chance to be below the standard.")
    at: datetime


class SensorPlaces(BaseModel):
    """The next best places for sensors, by rank."""

    items: list[SensorPlace]


class Lead(BaseModel):
    """How forecasts that came due did, beside expecting the last day's mean again."""

    lead_h: int
    samples: int
    error_k: float
    persistence_k: float
    covered: float = Field(description="Share inside the 90 % interval.")


class Leads(BaseModel):
    """By hours ahead."""

    items: list[Lead]


class WeatherPoint(BaseModel):
    """The weather at an instant to come."""

    model_config = ConfigDict(extra="forbid")

    time: Instant
    outdoor_c: Annotated[float, Field(ge=-70, le=60)]
    wind_ms: Annotated[float | None, Field(ge=0, le=100)] = None
    solar_wm2: Annotated[float | None, Field(ge=0, le=1500)] = None


class WeatherForecast(BaseModel):
    """A forecast; the same `issued_at` again replaces its points."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "issued_at": "2025-11-22T00:00:00Z",
                    "points": [{"time": "2025-11-22T01:00:00Z", "outdoor_c": -18.5}],
                }
            ]
        },
    )

    issued_at: Instant
    points: Annotated[list[WeatherPoint], Field(min_length=1, max_length=10_000)]


class Kept(BaseModel):
    """What was taken in."""

    issued_at: datetime
    points: int


@router.get("/outlook", responses=responses(401, 404))
def network_outlook(parts: PartsOf, _who: Who) -> Outlook:
    """The network in numbers: who is likely cold now, and who will be."""
    with parts.transaction() as connection:
        run, totals = rows.newest(connection), rows.totals(connection)
    same = {name: run[name] for name in ("at", "computed_at", "limit_c", "upper_c")}
    return Outlook(
        **same, **totals, weather_issued_at=run["issued_at"], weather_hours=run["forecast_h"]
    )


@router.get("/outlook/units", responses=responses(401, 404, 422))
def units(
    parts: PartsOf,
    _who: Who,
    *,
    under: Annotated[
        str | None,
        Query(max_length=120, pattern=r"^[^/\x00-\x1f]+$", description="A place's code."),
    ] = None,
    order: Annotated[Order, Query(description="By chance to fall cold, or by waste.")] = (
        Order.CHANCE
    ),
    still_warm: Annotated[bool, Query(description="Only those not below standard now.")] = False,
    limit: Limit = 100,
) -> UnitOutlooks:
    """Heated dwellings, those likeliest to fall below standard (or wasting most) first."""
    with parts.transaction() as connection:
        prefix = places.place(connection, under)["path"] if under else None
        at = rows.newest(connection)["at"]
        found = rows.units(
            connection, order=order, prefix=prefix, still_warm=still_warm, limit=limit
        )
    return UnitOutlooks(items=[UnitOutlook(**_unit(row, at)) for row in found])


@router.get("/units/{code}/outlook", responses=responses(401, 404, 422))
def unit(code: Code, parts: PartsOf, _who: Who) -> UnitAhead:
    """One dwelling: now, the last day, and the next 48 hours with their intervals."""
    with parts.transaction() as connection:
        places.place(connection, code, PlaceKind.UNIT)
        at = rows.newest(connection)["at"]
        row = rows.unit(connection, code)
    if row is None:
        raise NotFound(f"The newest outlook does not have {code!r} yet.")
    return UnitAhead(**_unit(row, at), ahead=_ahead(row["ahead"], at))


@router.get("/outlook/places", responses=responses(401, 404, 422))
def places_ahead(
    parts: PartsOf,
    _who: Who,
    *,
    kind: Annotated[Kind, Query(description="Which places.")] = Kind.SUBSTATION,
    code: Annotated[
        str | None, Query(max_length=120, pattern=r"^[^/\x00-\x1f]+$", description="One place.")
    ] = None,
) -> PlaceOutlooks:
    """Substations or buildings: expected numbers of cold dwellings, waste, hours ahead."""
    with parts.transaction() as connection:
        at = rows.newest(connection)["at"]
        found = rows.places(connection, kind=kind, code=code)
    items = [{**row, "ahead": _ahead(row["ahead"], at)} for row in found]
    return PlaceOutlooks(items=[PlaceOutlook(**item) for item in items])


@router.get("/outlook/sensors", responses=responses(401, 404, 422))
def sensors(
    parts: PartsOf,
    _who: Who,
    *,
    aim: Annotated[Aim, Query(description="What a sensor is for.")] = Aim.COLD,
    limit: Limit = 10,
) -> SensorPlaces:
    """The next best places for room sensors, chosen once a day."""
    with parts.transaction() as connection:
        rows.newest(connection)
        found = rows.sensors(connection, aim, limit)
    return SensorPlaces(items=[SensorPlace(**row) for row in found])


@router.get("/outlook/skill", responses=responses(401, 422))
def skill(
    parts: PartsOf,
    _who: Who,
    *,
    days: Annotated[int, Query(ge=1, le=60, description="Forecasts of the last days.")] = 14,
) -> Leads:
    """How good forecasts were that have come due."""
    with parts.transaction() as connection:
        found = rows.skill(connection, parts.clock() - timedelta(days=days))
    return Leads(items=[Lead(**row) for row in found])


@router.post(
    "/weather-forecasts",
    status_code=201,
    response_model=Kept,
    responses=responses(400, 401, 403, 422),
)
def keep_weather(
    request: Request,
    parts: PartsOf,
    who: Engineer,
    wanted: WeatherForecast,
    *,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Take a weather forecast in; the next outlook uses it. For engineers and administrators."""

    def act(connection: Connection) -> Kept:
        points = [{**p.model_dump(), "issued_at": wanted.issued_at} for p in wanted.points]
        return Kept(issued_at=wanted.issued_at, points=rows.keep_weather(connection, points))

    return once(request, parts, who, idempotency_key, wanted, act, 201)


def _unit(row: Row, at: datetime) -> Row:
    shown = {name: row[name] for name in UnitOutlook.model_fields if name in row}
    return {**shown, "breach_at": at + row["breach_h"] * HOUR if row["breach_h"] else None}


def _ahead(packed: bytes | None, at: datetime) -> list[HourAhead]:
    if packed is None:
        return []
    return [
        HourAhead(at=at + hour * HOUR, mean_c=mean, half_k=half)
        for hour, (mean, half) in enumerate(zip(*rows.ahead(packed), strict=True))
    ]
