"""Dead letters, for engineers: refused messages by reason, a sample of each, decoding again."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Response
from fastapi.responses import RedirectResponse

from api.console.strangers import engineer, printable
from api.console.view import SignedIn
from api.identity import Actor
from api.v1.dead_letters import AT_ONCE, LARGEST, replay_as
from hearthline.domain.readings import RejectReason
from hearthline.errors import Invalid
from hearthline.payloads import pretty, readable
from hearthline.storage import dead_letters as rows
from hearthline.storage.dead_letters import Filter

router = APIRouter(prefix="/console", include_in_schema=False)

SHOWN = 100
SAMPLE_CHARS = 600
TOLD = ("letters", "stored", "refused")  # of a replay, for the next page


@router.get("/refused", name="refused")
def dead_letters(
    reader: SignedIn,
    *,
    reason: Annotated[str, Query(max_length=40)] = "",
    device: Annotated[str, Query(max_length=300)] = "",
) -> Response:
    """By reason with a sample of each; under a reason or device, letters, the newest first."""
    engineer(reader)
    wanted = _wanted(reason, device)
    listed = bool(wanted.reason or wanted.device)
    with reader.parts.transaction() as connection:
        groups = rows.groups(connection)
        letters = rows.listed(connection, wanted, limit=SHOWN) if listed else []
    told = reader.request.query_params
    return reader.render(
        "dead_letters.html",
        {
            "page": "refused",
            "tab": "refused",
            "groups": [
                {**row, "text": pretty(bytes(row["payload"]))[:SAMPLE_CHARS]} for row in groups
            ],
            "letters": [{**row, "text": readable(bytes(row["payload"]))} for row in letters],
            "wanted": wanted,
            "shown": SHOWN,
            "done": {name: told[name] for name in TOLD} if set(TOLD) <= set(told) else None,
            "onward": told.get("next", ""),
        },
    )


@router.post("/refused/replay")
def replay(  # noqa: PLR0917 - the fields of a form
    reader: SignedIn,
    csrf: Annotated[str, Form(max_length=200)] = "",
    reason: Annotated[str, Form(max_length=40)] = "",
    device: Annotated[str, Form(max_length=300)] = "",
    number: Annotated[str, Form(max_length=20)] = "",
    after: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Decode refused messages again: one, those of a reason or a device, or all."""
    reader.check(csrf)
    engineer(reader)
    wanted = _wanted(reason, device, _whole(number))
    if (reason and wanted.reason is None) or (number and wanted.ids is None):
        raise Invalid(reader.words.gettext("Choose a reason from the list."))
    who = Actor(reader.login, reader.role, reader.account)
    with reader.parts.transaction() as connection:
        done = replay_as(connection, reader.parts, who, wanted, after=_whole(after) or 0)
    told: dict[str, object] = {
        "letters": done.messages,
        "stored": done.stored,
        "refused": done.refused,
    }
    if done.messages == AT_ONCE:
        told["next"] = done.last
    asked = {"reason": wanted.reason, "device": wanted.device}
    told |= {name: value for name, value in asked.items() if value}
    return RedirectResponse(f"/console/refused?{urlencode(told)}", 303)


def _wanted(reason: str, device: str, number: int | None = None) -> Filter:
    return Filter(
        reason if reason in set(RejectReason) else None,
        printable(device).strip() or None,
        ids=None if number is None else (number,),
    )


def _whole(text: str) -> int | None:
    """A letter's number, None where there is none."""
    if not (text.isascii() and text.isdigit()):
        return None
    return min(int(text), LARGEST)
