"""Who has to act on a cause: a table, and the warranty of a new building.

Within the first two heating seasons after acceptance the developer answers for what is the
building's own (requirement 20; in China the warranty of heating and cooling systems is two heating
or cooling periods, Regulation on Quality Management of Construction, article 40). Inside a dwelling
it is the customer, in the network the company, at an instrument its technician.

What is the building's own: the pipes, valves and strainers from its inlet to the dwellings, and
its walls, roof and windows. What was installed wrongly, such as swapped pipes, is found in the
first seasons; later nobody can prove it and the property company has it put right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hearthline.domain.findings import CAUSES, Cause, Responsibility
from hearthline.domain.places import PlaceKind

INSIDE_BUILDINGS = frozenset(
    {PlaceKind.BUILDING, PlaceKind.ENTRANCE, PlaceKind.RISER, PlaceKind.UNIT}
)
NETWORK = frozenset({PlaceKind.SOURCE, PlaceKind.SUBSTATION, PlaceKind.CIRCUIT})


@dataclass(frozen=True, slots=True)
class Works:
    """Works that are the building's own at ``places``: whose they are ``after`` the warranty."""

    places: frozenset[PlaceKind]
    after: Responsibility


BUILDING_WORKS: Mapping[Cause, Works] = {
    Cause.PIPES_SWAPPED: Works(INSIDE_BUILDINGS, Responsibility.PROPERTY),
    Cause.AIR_LOCK: Works(INSIDE_BUILDINGS, Responsibility.COMPANY),
    Cause.VERTICAL_IMBALANCE: Works(INSIDE_BUILDINGS, Responsibility.COMPANY),
    Cause.STRAINER_CLOGGED: Works(INSIDE_BUILDINGS, Responsibility.COMPANY),
    Cause.LEAK: Works(INSIDE_BUILDINGS, Responsibility.COMPANY),
    Cause.ENVELOPE: Works(INSIDE_BUILDINGS, Responsibility.PROPERTY),
}
"""Causes within a building that a developer answers for as long as the warranty runs."""


def responsible(
    cause: Cause, place: PlaceKind, warranty_until: datetime | None, at: datetime
) -> Responsibility:
    """Who has to act on a cause found at a kind of place at an instant.

    ``warranty_until`` is the end of the warranty there (``warranty_of``), None where there is none.
    """
    works = BUILDING_WORKS.get(cause)
    if works is None or place not in works.places:
        return CAUSES[cause].responsibility
    under_warranty = warranty_until is not None and at < warranty_until
    return Responsibility.DEVELOPER if under_warranty else works.after


def warranty_of(dwellings: Sequence[datetime | None]) -> datetime | None:
    """When the warranty of a place ends: for half of its dwellings it lasts at least so long.

    Ledgers have gaps and typing mistakes; a single dwelling does not decide for a house.
    """
    if not dwellings:
        return None
    never = datetime.min.replace(tzinfo=UTC)
    ordered = sorted((until or never for until in dwellings), reverse=True)
    half = ordered[(len(ordered) - 1) // 2]
    return None if half == never else half
