"""Put the web application together: parts, ``/api/v1``, the console, errors, health."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import RedirectResponse

from api import problems, service
from api.console import router as console
from api.live import Live
from api.parts import Parts
from api.problems import Problem
from api.traffic import Traffic
from api.v1 import router as v1
from hearthline import __version__
from hearthline.clock import Clock, system_clock
from hearthline.settings import Settings
from hearthline.storage.database import Database

DESCRIPTION = """
From a cold room to a closed complaint: dwellings, verdicts, tickets and heat balances of a
district-heating network. Send a key as `Authorization: Bearer KEY`. Times are RFC 3339 in UTC,
errors problem+json (RFC 9457), lists are paged by `Link: rel="next"`.
"""


def create_app(
    settings: Settings, database: Database | None = None, *, clock: Clock = system_clock
) -> FastAPI:
    """The application; the database's pool opens and closes with it.

    Raises:
        SettingsError: no database was given and none is configured.
    """
    database = database or Database(settings.require_database(), max_size=20)
    parts = Parts(settings, database, Live(database.url), clock)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with database:
            parts.live.start()
            try:
                yield
            finally:
                await parts.live.stop()

    app = FastAPI(
        title="Hearthline",
        version=__version__,
        description=DESCRIPTION,
        openapi_tags=v1.TAGS,
        docs_url=None,  # these pages load their scripts from a CDN
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.parts = parts
    app.add_middleware(Traffic)
    problems.install(app)
    app.include_router(service.router)
    app.include_router(v1.router)
    console.install(app)

    @app.get("/", include_in_schema=False)
    def root() -> RedirectResponse:
        return RedirectResponse("/console")

    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The description with our problem type in the place of the framework's own error model."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            tags=app.openapi_tags,
            routes=app.routes,
        )
        kinds = schema["components"]["schemas"]
        for unused in ("HTTPValidationError", "ValidationError"):
            kinds.pop(unused, None)
        kinds.update(problems.schemas(Problem))
        app.openapi_schema = schema
    return app.openapi_schema
