"""Certified on-site readings: list them, put one on file."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.identity import Who
from api.once import IdempotencyKey, once
from api.parts import PartsOf
from api.problems import responses
from api.v1.models import Instant, Limit, Text
from hearthline.domain.certified import correction
from hearthline.storage import trust
from hearthline.storage.database import Connection, Row

router = APIRouter(prefix="/certified-readings", tags=["devices"])

PLAIN = r"^[^\x00-\x1f]+$"
_EXAMPLE: dict[str, Any] = {
    "uid": "chirpstack:24e124136b502217",
    "time": "2025-11-22T02:40:00Z",
    "temperature_c": 19.8,
    "instrument": "Testo 110 no. 4711",
    "taken_by": "Li Wei",
}


class CertifiedReading(BaseModel):
    """What a certified instrument showed beside a sensor, and what follows from it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **_EXAMPLE,
                "id": 3,
                "place": "HX-S1-B04-E2-0302",
                "sensor_c": 18.6,
                "samples": 4,
                "offset_k": -1.2,
                "added_by": "li",
                "added_at": "2025-11-22T02:45:00Z",
            }
        }
    )

    id: int
    uid: str
    place: str
    time: datetime
    temperature_c: float
    sensor_c: float = Field(description="Mean of what the sensor itself said within 45 min.")
    samples: int
    offset_k: float = Field(description="Subtracted from its readings from then on; 0 within 0.3.")
    instrument: str
    taken_by: str
    added_by: str
    added_at: datetime


class CertifiedReadings(BaseModel):
    """Certified readings, the newest first."""

    items: list[CertifiedReading]


class NewCertifiedReading(BaseModel):
    """A reading to be put on file. The days since it are judged again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    uid: Annotated[str, Field(pattern=PLAIN, max_length=300)]
    time: Instant
    temperature_c: Annotated[float, Field(ge=-40, le=60, allow_inf_nan=False)]
    instrument: Annotated[Text, Field(min_length=1, max_length=200)]
    taken_by: Annotated[Text, Field(min_length=1, max_length=200)]


@router.get("", responses=responses(401, 422))
def certified_readings(
    parts: PartsOf,
    _who: Who,
    *,
    uid: Annotated[
        str | None, Query(pattern=PLAIN, max_length=300, description="Only of this sensor.")
    ] = None,
    limit: Limit = 100,
) -> CertifiedReadings:
    """Certified readings on file, the newest first."""
    with parts.transaction() as connection:
        found = trust.certified_readings(connection, uid, limit)
    return CertifiedReadings(items=[_reading(row) for row in found])


@router.post(
    "",
    status_code=201,
    response_model=CertifiedReading,
    responses=responses(400, 401, 403, 404, 409, 422),
)
def certify(
    request: Request,
    parts: PartsOf,
    who: Who,
    wanted: NewCertifiedReading,
    *,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Put a certified reading on file: it recalibrates the sensor from then on."""

    def act(connection: Connection) -> CertifiedReading:
        new = trust.NewCertified(
            wanted.uid, wanted.time, wanted.temperature_c, wanted.instrument, wanted.taken_by
        )
        return _reading(trust.certify(connection, new, who.name, parts.clock()))

    return once(request, parts, who, idempotency_key, wanted, act, 201)


def _reading(row: Row) -> CertifiedReading:
    return CertifiedReading(**row, offset_k=correction(row["sensor_c"], row["temperature_c"]))
