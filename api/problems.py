"""Every error as problem+json (RFC 9457), with a sentence, a remedy and the request's id.

A person's mistake is told in full; a bug of ours is logged with its traceback and told as
"something went wrong here" and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from hearthline.errors import HearthlineError, NotFound, PartAway
from hearthline.storage.database import Away

log = structlog.get_logger("api")

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
PAGES = "/console"  # here errors are told as pages


class FieldProblem(BaseModel):
    """One field that is wrong."""

    where: str = Field(examples=["query.limit"])
    says: str = Field(examples=["Input should be less than or equal to 1000"])


class Problem(BaseModel):
    """What went wrong, in the shape of RFC 9457."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:hearthline:problem:conflict",
                "title": "Conflict",
                "status": 409,
                "detail": "Ticket 251122-0007 has changed since you opened it.",
                "remedy": "Look at its latest events, then act again.",
                "instance": "/api/v1/tickets/251122-0007/events",
                "request_id": "0b5c6b0e6d1f4f0c",
            }
        }
    )

    type: str
    title: str
    status: int
    detail: str
    remedy: str = ""
    instance: str
    request_id: str = ""
    errors: list[FieldProblem] = []


class Denied(HearthlineError):
    """Nobody is signed in, or the one who is may not do this."""

    def __init__(self, sentence: str, remedy: str = "", *, status: int = 401) -> None:
        super().__init__(sentence, remedy)
        self.status = status


class Stale(HearthlineError):
    """``If-Match`` names a version that is not the present one."""

    status = 412


class TooMany(HearthlineError):
    """Too many attempts; ``retry_after_s`` says when to come back."""

    status = 429

    def __init__(self, sentence: str, remedy: str = "", *, retry_after_s: int) -> None:
        super().__init__(sentence, remedy)
        self.retry_after_s = retry_after_s


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for the problems an endpoint can answer with."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def problem(
    request: Request,
    status: int,
    detail: str,
    *,
    remedy: str = "",
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """One problem as a response."""
    title = HTTPStatus(status).phrase
    body = Problem(
        type=f"urn:hearthline:problem:{title.lower().replace(' ', '-')}",
        title=title,
        status=status,
        detail=detail,
        remedy=remedy,
        instance=request.url.path,
        request_id=getattr(request.state, "request_id", ""),
        errors=list(errors),
    )
    return JSONResponse(
        body.model_dump(), status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def of_error(request: Request, error: HearthlineError) -> JSONResponse:
    """A Hearthline error as a response."""
    headers: dict[str, str] = {}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, PartAway):
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="hearthline"'
    return problem(request, error.status, error.sentence, remedy=error.remedy, headers=headers)


def install(app: FastAPI) -> None:
    """Answer every kind of error as a problem."""

    async def known(request: Request, error: Exception) -> Response:
        assert isinstance(error, HearthlineError)  # noqa: S101 - registered for this class only
        page = getattr(app.state, "error_page", None)
        if page is not None and request.url.path.startswith(PAGES):
            response: Response = await page(request, error)
            return response
        return of_error(request, error)

    async def away(request: Request, _error: Exception) -> Response:
        sentence = PartAway("The database does not answer.", "Run `hearthline doctor` to see why.")
        return await known(request, sentence)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
        wrong = [
            FieldProblem(where=".".join(str(part) for part in item["loc"]), says=item["msg"])
            for item in error.errors()
        ]
        sentence = "; ".join(f"{item.where}: {item.says}" for item in wrong)
        return problem(request, 422, sentence, errors=wrong)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
        sentence = str(error.detail)
        if error.status_code == HTTPStatus.NOT_FOUND:
            sentence = f"There is nothing at {request.url.path}."
            if request.url.path.startswith(PAGES):
                return await known(request, NotFound(sentence))
        return problem(request, error.status_code, sentence, headers=error.headers)

    async def ours(request: Request, error: Exception) -> Response:
        log.error("unexpected", path=request.url.path, exc_info=error)
        return problem(request, 500, "Something went wrong here; it has been logged.")

    app.add_exception_handler(HearthlineError, known)
    for kind in Away:
        app.add_exception_handler(kind, away)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, ours)


def schemas(model: type[BaseModel]) -> dict[str, Any]:
    """OpenAPI components of a model and what it refers to."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs", {}), model.__name__: schema}
