"""The network page: the tree in numbers, and where the heat of the last 24 hours went; search."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response
from fastapi.responses import RedirectResponse

from api.console.view import Reader, SignedIn, link
from api.figures import pulse_of
from hearthline.domain.places import PlaceKind
from hearthline.storage import balance
from hearthline.storage.database import Connection, Row
from hearthline.storage.views import network, places

router = APIRouter(prefix="/console", include_in_schema=False)

ROOMS_KEPT_S = 10.0  # one pass over every dwelling serves all who look


@router.get("/network", name="network")
def overview(reader: SignedIn) -> Response:
    """The whole page."""
    with reader.parts.transaction() as connection:
        context = _context(reader, connection)
    return reader.render("network.html", context)


@router.get("/network/table")
def table(reader: SignedIn) -> Response:
    """What changes on it."""
    with reader.parts.transaction() as connection:
        context = _context(reader, connection)
    return reader.render("_network.html", context)


@router.get("/search", name="search")
def search(
    reader: SignedIn,
    q: Annotated[str, Query(max_length=200)] = "",
    go: Annotated[str, Query(max_length=5)] = "",
) -> Response:
    """Tickets, dwellings by telephone, places; with ``go`` straight to the only one found."""
    text = "".join(letter for letter in q if letter.isprintable()).strip()[:100]
    with reader.parts.transaction() as connection:
        found = places.search(connection, text) if text else []
        known = places.ancestry(connection, {row["path"] for row in found})
    hits = [{**row, "href": _address(row, known)} for row in found]
    if go and len(hits) == 1:
        return RedirectResponse(hits[0]["href"], 303)
    template = "search.html" if go else "_search.html"
    return reader.render(template, {"q": text, "hits": hits, "places": known})


def _address(row: Row, known: dict[str, Row]) -> str:
    """The page of a hit; what has none of its own leads to the building or the queue around it."""
    if row["what"] == "ticket":
        return link("ticket", row["code"])
    if row["kind"] == PlaceKind.UNIT:
        return link("unit", row["code"])
    steps = [known[code] for code in row["path"].split("/") if code in known]
    building = next((step for step in steps if step["kind"] == PlaceKind.BUILDING), None)
    if building is not None:
        return link("building", building["code"])
    return "/console?" + urlencode({"under": row["code"]})


def _context(reader: Reader, connection: Connection) -> dict[str, Any]:
    now = reader.words.now
    threshold_c = reader.policy.threshold_c
    rows = reader.parts.keep(
        "rooms", ROOMS_KEPT_S, lambda: network.rooms_by_place(connection, now, threshold_c)
    )
    open_at = network.open_tickets_by_place(connection)
    tickets = {
        row["code"]: sum(n for path, n in open_at.items() if path.startswith(row["path"]))
        for row in rows
    }
    return {
        "rows": [row for row in rows if row["kind"] != "circuit"],
        "meters": network.meters_by_place(connection, now),
        "open_tickets": tickets,
        "balances": _balances(balance.running_balance(connection)),
        "threshold_c": threshold_c,
        "pulse": pulse_of(reader.parts, connection),
    }


def _balances(rows: list[Row]) -> dict[str, dict[str, Row]]:
    """Running balances by stage and place."""
    stages: dict[str, dict[str, Row]] = {}
    for row in rows:
        stages.setdefault(row["stage"], {})[row["place"]] = row
    return stages
