"""The ticket queue: what must be done first on top, live, under the filter in the address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Response

from api.console.view import Reader, SignedIn
from api.figures import pulse_of
from hearthline.domain.findings import Cause, TicketKind
from hearthline.domain.places import PlaceKind
from hearthline.storage.database import Connection, Row
from hearthline.storage.views import desk, network, places
from tickets.lifecycle import State

router = APIRouter(prefix="/console", include_in_schema=False)

CHIPS: dict[str, tuple[str, ...] | None] = {
    "open": desk.OPEN_STATES,
    **{str(state): (str(state),) for state in State if state is not State.MERGED},
    "all": None,
}
SHOWN = 200
TEXT_MAX = 100


@dataclass(frozen=True, slots=True)
class Wish:
    """The filter as the address has it; a value that is not known is as if it were not there."""

    state: str = "open"
    kind: str = ""
    cause: str = ""
    under: str = ""
    overdue: bool = False
    q: str = ""
    order: str = "urgent"

    def address(self) -> str:
        """The page with this filter; defaults are left out."""
        empty = Wish()
        said = {
            name: value
            for name in self.__slots__
            if (value := getattr(self, name)) != getattr(empty, name)
        }
        if self.overdue:
            said["overdue"] = "1"
        return "/console" + (f"?{urlencode(said)}" if said else "")


def _wish(
    *,
    state: Annotated[str, Query(max_length=40)] = "open",
    kind: Annotated[str, Query(max_length=40)] = "",
    cause: Annotated[str, Query(max_length=40)] = "",
    under: Annotated[str, Query(max_length=120)] = "",
    overdue: Annotated[str, Query(max_length=5)] = "",
    q: Annotated[str, Query(max_length=1000)] = "",
    order: Annotated[str, Query(max_length=20)] = "urgent",
) -> Wish:
    text = "".join(letter for letter in q if letter.isprintable()).strip()
    return Wish(
        state=state if state in CHIPS else "open",
        kind=kind if kind in set(TicketKind) else "",
        cause=cause if cause in set(Cause) else "",
        under=under if under.isprintable() else "",
        overdue=bool(overdue),
        q=text[:TEXT_MAX],
        order=order if order in desk.ORDERS else "urgent",
    )


Wished = Annotated[Wish, Depends(_wish)]


@router.get("", name="queue")
@router.get("/", include_in_schema=False)
def queue(reader: SignedIn, wish: Wished) -> Response:
    """The whole page."""
    with reader.parts.transaction() as connection:
        context = _context(reader, connection, wish)
    return reader.render("queue.html", context)


@router.get("/queue")
def rows(reader: SignedIn, wish: Wished) -> Response:
    """What changes on it: chips and rows."""
    with reader.parts.transaction() as connection:
        context = _context(reader, connection, wish)
    response = reader.render("_queue.html", context)
    response.headers["HX-Replace-Url"] = wish.address()
    return response


@router.get("/strip")
def strip(reader: SignedIn) -> Response:
    """The strip of live numbers."""
    with reader.parts.transaction() as connection:
        figures = pulse_of(reader.parts, connection)
        counts = desk.queue_counts(connection, reader.words.now, desk.Filter())
    return reader.render("_strip.html", {"pulse": figures, "overdue": overdue_of(counts)})


@router.get("/held-back")
def held_back(reader: SignedIn) -> Response:
    """Who is cold without a ticket, and why."""
    with reader.parts.transaction() as connection:
        return reader.render("_held_back.html", held_back_context(reader, connection))


def overdue_of(counts: dict[str, Row]) -> int:
    """Tickets whose running clock is over."""
    return sum(row["overdue"] for row in counts.values())


def held_back_context(reader: Reader, connection: Connection) -> dict[str, Any]:
    """Held-back dwellings by reason, with their places' names."""
    found = network.held_back(connection, reader.words.now)
    groups: dict[str, list[Row]] = {}
    for row in found:
        groups.setdefault(row["hold_reason"], []).append(row)
    return {
        "groups": groups,
        "totals": network.held_back_counts(connection),
        "held_places": places.ancestry(connection, {row["path"] for row in found}),
    }


def _context(reader: Reader, connection: Connection, wish: Wish) -> dict[str, Any]:
    now = reader.words.now
    under = places.places_named(connection, [wish.under]).get(wish.under) if wish.under else None
    narrowed = desk.Filter(
        states=CHIPS[wish.state],
        kind=wish.kind or None,
        cause=wish.cause or None,
        prefix=under["path"] if under else None,
        overdue=wish.overdue,
        text=wish.q or None,
    )
    found = desk.queue(connection, now, narrowed, order=wish.order, limit=SHOWN)
    counts = desk.queue_counts(connection, now, narrowed)
    chips = {
        name: sum(row["tickets"] for state, row in counts.items() if not states or state in states)
        for name, states in CHIPS.items()
    }
    return {
        "wish": wish,
        "tickets": found,
        "places": places.ancestry(connection, {row["path"] for row in found}),
        "chips": chips,
        "overdue": overdue_of(counts),
        "more": len(found) == SHOWN,
        "substations": places.places_below(connection, None, [PlaceKind.SUBSTATION]),
        "causes": sorted(Cause, key=reader.words.cause),
        "kinds": list(TicketKind),
        "orders": desk.ORDERS,
        "pulse": pulse_of(reader.parts, connection),
        **held_back_context(reader, connection),
    }
