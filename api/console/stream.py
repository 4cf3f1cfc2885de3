"""The event stream that keeps pages live.

It says only *that* tickets changed; pages then fetch what they show, in their own language and
under their own filter. It ends when the session does.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from api.console.view import SignedIn
from api.identity import session_of
from api.parts import Parts

router = APIRouter(prefix="/console", include_in_schema=False)

RETRY_MS = 3_000
MANY = 50  # beyond this, pages look at everything


@router.get("/live")
async def live(request: Request, reader: SignedIn) -> EventSourceResponse:
    """Server-sent events: ``tickets`` with their numbers (none: any), and ``tick``."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventSourceResponse(_events(request, reader.parts), headers=headers, ping=15)


async def _events(request: Request, parts: Parts) -> AsyncIterator[ServerSentEvent]:
    yield ServerSentEvent(event="tick", data="", retry=RETRY_MS)
    async for news in parts.live.news():
        if news is not None:
            numbers = [] if news.everything or len(news.numbers) > MANY else list(news.numbers)
            yield ServerSentEvent(event="tickets", data=json.dumps(numbers))
            continue
        if await run_in_threadpool(session_of, request, parts) is None:
            yield ServerSentEvent(event="ended", data="")
            return
        yield ServerSentEvent(event="tick", data="")
