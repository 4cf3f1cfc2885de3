"""Mount the console: its pages, its files, and its own way of telling errors."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from api.console import (
    assets,
    buildings,
    dead_letters,
    devices,
    heat,
    network,
    people,
    queue,
    strangers,
    stream,
    tickets,
    units,
)
from api.console.view import anybody, to_sign_in
from api.parts import parts_of
from hearthline.errors import HearthlineError, NotFound

FOR_GOOD = "public, max-age=31536000, immutable"  # addresses carry the files' version

files = APIRouter(prefix="/console", include_in_schema=False)


@files.get("/static/{name:path}")
def static(name: str) -> Response:
    """One of our own files."""
    path = assets.own(name)
    if path is None:
        raise NotFound(f"There is no file {name!r}.")
    return FileResponse(path, headers={"Cache-Control": FOR_GOOD})


@files.get("/assets/{name}")
def library(name: str) -> Response:
    """A library's file."""
    path = assets.library(name)
    if path is None:
        raise NotFound(f"The browser library {name!r} is not installed.", f"Run `{assets.REMEDY}`.")
    return FileResponse(path, headers={"Cache-Control": FOR_GOOD})


def install(app: FastAPI) -> None:
    """Add the console to an application."""
    app.include_router(files)
    for page in (
        people,
        stream,
        queue,
        tickets,
        buildings,
        units,
        network,
        heat,
        devices,
        strangers,
        dead_letters,
    ):
        app.include_router(page.router)
    app.state.error_page = error_page


async def error_page(request: Request, error: HearthlineError) -> Response:
    """An error as a page that says it; whoever is not signed in is led to the form."""
    if error.status == 401:
        return to_sign_in(request)
    try:
        reader = await run_in_threadpool(anybody, request, parts_of(request))
    except HearthlineError:  # the database is away: there is nobody to look up
        return Response(
            f"{error.sentence} {error.remedy}\n",
            error.status,
            media_type="text/plain",
            headers={"Retry-After": "5", "Refresh": "5"},
        )
    context = {"sentence": error.sentence, "remedy_sentence": error.remedy, "status": error.status}
    return reader.render("error.html", context, status=error.status)
