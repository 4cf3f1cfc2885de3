"""Keyset pages: an opaque cursor holds the sort key of the last row seen.

A page never skips or repeats a row because another was inserted meanwhile, and page 1,000 costs
what page 1 costs. ``Link: rel="next"`` (RFC 8288) carries the address of the next page.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from fastapi import Request, Response

from hearthline.errors import Invalid

Row = TypeVar("Row")
Key = str | int


def encode(key: Sequence[Key | datetime]) -> str:
    """A cursor for a sort key."""
    plain = [part.isoformat() if isinstance(part, datetime) else part for part in key]
    text = json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str | None, *kinds: type[str] | type[int] | type[datetime]) -> list[Key] | None:
    """The sort key in a cursor, its parts checked against ``kinds``; None without a cursor.

    Raises:
        Invalid: this is not a cursor that we gave out.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = json.loads(base64.urlsafe_b64decode(padded.encode()).decode())
    except (ValueError, binascii.Error):
        raise _wrong() from None
    if not isinstance(parts, list) or len(parts) != len(kinds):
        raise _wrong()
    for part, kind in zip(parts, kinds, strict=True):
        expected = str if kind is datetime else kind
        if type(part) is not expected or (isinstance(part, str) and "\x00" in part):
            raise _wrong()
        if isinstance(part, int) and not -(2**63) <= part < 2**63:
            raise _wrong()
    return parts


def instant(part: Key) -> datetime:
    """A cursor's instant.

    Raises:
        Invalid: it is none.
    """
    try:
        at = datetime.fromisoformat(str(part))
    except ValueError:
        raise _wrong() from None
    if at.tzinfo is None:
        raise _wrong()
    return at


def page(
    request: Request,
    response: Response,
    rows: Sequence[Row],
    limit: int,
    key: Sequence[Key | datetime],
) -> str | None:
    """The cursor of the next page, announced in ``Link``; None when this page was the last.

    ``rows`` are those of this page and ``key`` the sort key of the last one.
    """
    if len(rows) < limit or not rows:
        return None
    cursor = encode(key)
    address = request.url.include_query_params(cursor=cursor)
    response.headers["Link"] = f'<{address}>; rel="next"'
    return cursor


def _wrong() -> Invalid:
    return Invalid("This cursor is not one of ours.", "Begin again without a cursor.")
