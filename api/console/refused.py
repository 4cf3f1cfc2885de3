"""Refused messages, for engineers: by reason, with a sample to see why."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.console.view import SignedIn
from api.identity import ENGINEERS
from api.problems import Denied
from api.v1.network import readable
from hearthline.domain.readings import RejectReason
from hearthline.storage.views import engineering

router = APIRouter(prefix="/console", include_in_schema=False)

SHOWN = 100


@router.get("/refused", name="refused")
def refused(reader: SignedIn, reason: Annotated[str, Query(max_length=40)] = "") -> Response:
    """Refused messages, the newest first."""
    if reader.role not in ENGINEERS:
        raise Denied(
            reader.words.gettext("Only engineers and administrators see this."), status=403
        )
    chosen = reason if reason in set(RejectReason) else None
    with reader.parts.transaction() as connection:
        letters = engineering.dead_letters(connection, reason=chosen, limit=SHOWN)
        counts = engineering.dead_letter_counts(connection)
    shown = [{**row, "text": readable(bytes(row["payload"]))} for row in letters]
    return reader.render("refused.html", {"letters": shown, "counts": counts, "reason": chosen})
