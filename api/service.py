"""``/healthz`` (the process lives), ``/readyz`` (it can serve), ``/metrics`` (Prometheus)."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from api.parts import PartsOf
from api.problems import RETRY_AFTER_S

router = APIRouter(tags=["service"])


class Health(BaseModel):
    """The process answers."""

    ok: bool = True


class Readiness(BaseModel):
    """Whether requests can be served now, and if not, why."""

    ready: bool
    reason: str = ""


@router.get("/healthz")
def healthz() -> Health:
    """Whether the process lives; says nothing of its surroundings."""
    return Health()


@router.get("/readyz", responses={503: {"model": Readiness, "description": "Not ready"}})
async def readyz(parts: PartsOf) -> Response:
    """Whether requests can be served; false with a reason while the database is away."""
    if await run_in_threadpool(parts.database.ping):
        return JSONResponse(Readiness(ready=True).model_dump())
    away = Readiness(ready=False, reason="The database does not answer.")
    return JSONResponse(away.model_dump(), 503, headers={"Retry-After": str(RETRY_AFTER_S)})


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics() -> Response:
    """Counters for Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
