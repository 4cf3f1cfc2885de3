"""Unknown devices: what each seems to be, what it said last, and adopting it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Form, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from api.console import labels
from api.console.devices import headline
from api.console.view import Reader, SignedIn
from api.identity import ENGINEERS, Actor
from api.problems import Denied
from api.v1.strangers import adopt_as, dismiss_as
from hearthline.domain import liveness_words
from hearthline.domain.places import DeviceKind, DeviceRole, FlowPipe
from hearthline.errors import HearthlineError, Invalid
from hearthline.payloads import pretty
from hearthline.storage.database import Connection
from hearthline.storage.views import places
from hearthline.storage.views import strangers as views
from ingest.adoption import Wish, profiles_for

router = APIRouter(prefix="/console", include_in_schema=False)

SHOWN = 100
MESSAGES_SHOWN = 3
MESSAGE_CHARS = 3_000
OFFERED = 12  # places while somebody types
TOLD = ("uid", "place", "stored", "refused", "waiting")  # of an adoption, for the next page


def engineer(reader: Reader) -> None:
    """Let only engineers and administrators pass.

    Raises:
        Denied: the role is another (403).
    """
    if reader.role not in ENGINEERS:
        raise Denied(
            reader.words.gettext("Only engineers and administrators see this."), status=403
        )


@router.get("/strangers", name="strangers")
def overview(
    reader: SignedIn,
    *,
    kind: Annotated[str, Query(max_length=20)] = "",
    dismissed: Annotated[str, Query(max_length=5)] = "",
    q: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Strangers, heard last first; the whole page, or with ``HX-Request`` what changes on it."""
    engineer(reader)
    asked = {
        "kind": kind if kind in set(DeviceKind) else "",
        "dismissed": "1" if dismissed else "",
        "q": printable(q).strip(),
    }
    wanted = views.Filter(bool(dismissed), asked["kind"] or None, None, asked["q"] or None)
    with reader.parts.transaction() as connection:
        found = views.listed(connection, wanted, limit=SHOWN)
        counts = views.counts(connection)
    query = urlencode({name: value for name, value in asked.items() if value})
    told = reader.request.query_params
    context = {
        **_said(reader),
        "found": found,
        "counts": counts,
        "asked": asked,
        "shown": SHOWN,
        "here": "/console/strangers" + (f"?{query}" if query else ""),
        "adopted": {name: told[name] for name in TOLD} if set(TOLD) <= set(told) else None,
    }
    part = "hx-request" in reader.request.headers
    return reader.render("_strangers.html" if part else "strangers.html", context)


@router.get("/place-options")
def place_options(reader: SignedIn, place: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Places that match what is being typed into a form."""
    engineer(reader)
    with reader.parts.transaction() as connection:
        found = views.places_like(connection, printable(place), OFFERED)
        known = places.ancestry(connection, {row["path"] for row in found})
    return reader.render("_place_options.html", {"found": found, "places": known})


@router.get("/strangers/{uid:path}", name="stranger")
def stranger(uid: str, reader: SignedIn) -> Response:
    """One stranger, with the form that makes it a device of the ledger."""
    engineer(reader)
    with reader.parts.transaction() as connection:
        context = _context(reader, connection, uid)
    return reader.render("stranger.html", context)


class Typed(BaseModel):
    """What an engineer typed; kept when the adoption is refused."""

    uid: Annotated[str, Field(max_length=1000)] = ""
    csrf: Annotated[str, Field(max_length=200)] = ""
    place: Annotated[str, Field(max_length=200)] = ""
    role: Annotated[str, Field(max_length=20)] = ""
    flow_pipe: Annotated[str, Field(max_length=20)] = ""
    profile: Annotated[str, Field(max_length=120)] = ""
    label: Annotated[str, Field(max_length=200)] = ""
    since: Annotated[str, Field(max_length=40)] = ""


@router.post("/strangers")
def adopt(reader: SignedIn, typed: Annotated[Typed, Form()]) -> Response:
    """Adopt; what was typed is kept when it is refused."""
    reader.check(typed.csrf)
    engineer(reader)
    try:
        wish = _wish(reader, typed)
        with reader.parts.transaction() as connection:
            adopted = adopt_as(connection, reader.parts, _actor(reader), typed.uid, wish)
    except HearthlineError as error:
        with reader.parts.transaction() as connection:
            context = _context(reader, connection, typed.uid, typed=typed, error=error)
        return reader.render("stranger.html", context, status=error.status)
    done = adopted.replayed
    told = (typed.uid, wish.place, done.stored, done.refused, done.waiting)
    return RedirectResponse(f"/console/strangers?{urlencode(dict(zip(TOLD, told, strict=True)))}",
                            303)  # fmt: skip


@router.post("/strangers/dismiss")
def dismiss(
    reader: SignedIn,
    csrf: Annotated[str, Form(max_length=200)] = "",
    uid: Annotated[str, Form(max_length=1000)] = "",
    undo: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """Hear a stranger no more, or again."""
    reader.check(csrf)
    engineer(reader)
    with reader.parts.transaction() as connection:
        dismiss_as(connection, reader.parts, _actor(reader), uid, undo=bool(undo))
    return RedirectResponse(address(uid) if undo else "/console/strangers", 303)


def address(uid: str) -> str:
    """The page of a stranger; uids hold slashes and colons."""
    return f"/console/strangers/{quote(uid, safe='/:')}"


def printable(text: str) -> str:
    """What was typed, without control characters."""
    return "".join(letter for letter in text if letter.isprintable())


def _actor(reader: Reader) -> Actor:
    return Actor(reader.login, reader.role, reader.account)


def _wish(reader: Reader, typed: Typed) -> Wish:
    words = reader.words
    if typed.role not in set(DeviceRole):
        raise Invalid(words.gettext("Say what it stands for at that place."))
    since = None
    if typed.since:
        try:
            since = datetime.fromisoformat(typed.since)
        except ValueError:
            raise Invalid(words.gettext("The date cannot be read.")) from None
        if not 1970 <= since.year < 2200:
            raise Invalid(words.gettext("The date cannot be read."))
        since = since.replace(tzinfo=words.zone) if since.tzinfo is None else since
    return Wish(
        place=printable(typed.place).strip(),
        role=DeviceRole(typed.role),
        flow_pipe=FlowPipe(typed.flow_pipe) if typed.flow_pipe in set(FlowPipe) else None,
        profile=printable(typed.profile) or None,
        valid_from=since,
        label=printable(typed.label).strip(),
    )


def _context(
    reader: Reader,
    connection: Connection,
    uid: str,
    *,
    typed: Typed | None = None,
    error: HearthlineError | None = None,
) -> dict[str, Any]:
    row = views.one(connection, uid)
    kept = views.messages(connection, uid, MESSAGES_SHOWN)
    known = profiles_for(reader.parts.settings)
    profiles = sorted(known.values(), key=lambda one: (one.kind != row["kind"], one.name))
    offered = {"role": row["role"] or "", "label": row["label"]}
    return {
        **_said(reader),
        "stranger": row,
        "pace_s": views.pace_s(connection, uid),
        "messages": [(one, pretty(one.payload)[:MESSAGE_CHARS]) for one in kept],
        "profiles": profiles,
        "roles": list(DeviceRole),
        "typed": typed.model_dump() if typed else offered,
        "error": error,
    }


def _said(reader: Reader) -> dict[str, Any]:
    """The words of strangers, as templates call them."""
    words = reader.words
    language = "zh" if words.chinese else "en"
    return {
        "page": "strangers",
        "tab": "strangers",
        "address": address,
        "kinds": list(DeviceKind),
        "kind_name": lambda kind: labels.device_kind(words, kind),
        "role_name": lambda role: labels.role(words, role),
        "sample": lambda row: headline(words, row["guess"].get("sample") or {}, 5),
        "reasons": lambda row: [one[language] for one in row["guess"].get("reasons", ())],
        "sure": lambda row: row["guess"].get("confidence"),
        "span": lambda seconds: liveness_words.duration(seconds, words.locale),
        "better": lambda row: row["guess"].get("profile"),
    }
