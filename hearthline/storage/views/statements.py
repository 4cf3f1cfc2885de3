"""Statements with the fragments they share put in place.

Several read models need the same "dwelling as it stands now"; it is written once in the SQL file
under its own heading and carried by others as ``{name}``, so that the rule of what counts as a
fresh temperature exists once.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import LiteralString

from hearthline.domain.readings import UNUSABLE
from hearthline.storage.queries import family

FRAGMENTS = {
    "room_figures": "views_places",
    "room_now": "views_places",
    "unit_now": "views_places",
    "device_now": "liveness",
    "ticket_rows": "views_tickets",
    "ticket_filter": "views_tickets",
}
VALUES: dict[str, LiteralString] = {"unusable": str(int(UNUSABLE))}
"""Numbers of the domain that statements carry: quality bits that keep a reading out of figures."""

FAMILIES = ("views_places", "views_curves", "views_tickets", "views_network", "liveness")

_SLOT = re.compile(r"\{(\w+)\}")


@lru_cache
def statement(family_name: str, name: str) -> LiteralString:
    """A named statement, its fragments filled in."""

    def fill(slot: re.Match[str]) -> str:
        if slot[1] in VALUES:
            return VALUES[slot[1]]
        return statement(FRAGMENTS[slot[1]], slot[1])

    text = family(family_name)[name]
    return _SLOT.sub(fill, text)
