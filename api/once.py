"""An act that is repeated with the same Idempotency-Key is answered as before and done once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from api.identity import Actor
from api.parts import Parts
from hearthline.storage import accounts
from hearthline.storage.accounts import Answer
from hearthline.storage.database import Connection

IdempotencyKey = Annotated[
    str | None, Header(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")
]


def once(  # noqa: PLR0917 - who asks for what
    request: Request,
    parts: Parts,
    who: Actor,
    key: str | None,
    wanted: BaseModel,
    act: Callable[[Connection], BaseModel],
    status: int = 200,
) -> JSONResponse:
    """Act in one transaction and answer; with a key that was used before, answer as then.

    Raises:
        Invalid: the key was used for another request.
    """
    asked = f"{request.url.path}\n{wanted.model_dump_json()}".encode()
    with parts.transaction() as connection:
        if key:
            earlier = accounts.claim(connection, who.name, key, asked, now=parts.clock())
            if earlier is not None:
                return _answer(earlier, {"Idempotency-Replayed": "true"})
        answer = Answer(status, act(connection).model_dump(mode="json"))
        if key:
            accounts.keep_answer(connection, who.name, key, answer)
    return _answer(answer, {})


def _answer(answer: Answer, headers: dict[str, Any]) -> JSONResponse:
    return JSONResponse(answer.response, answer.status, headers=headers)
