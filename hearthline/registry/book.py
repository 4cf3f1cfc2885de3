"""The rows of a file laid over the ledger that is stored, as the rules look at them.

So a file may name parents, dwellings and devices that came with an earlier one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from hearthline.domain.places import Device, Ledger, PlaceKind, StatusPeriod, UnitFacts
from hearthline.registry.columns import COLUMNS, Column, Sheet
from hearthline.registry.nearest import Nearest
from hearthline.registry.problems import Problem, ProblemKind
from hearthline.registry.rows import Row, blame

ALWAYS = datetime.min.replace(tzinfo=UTC)
EVER = datetime.max.replace(tzinfo=UTC)

COLUMN: Mapping[Sheet, Mapping[str, Column]] = {
    sheet: {column.name: column for column in columns} for sheet, columns in COLUMNS.items()
}


@dataclass(frozen=True, slots=True)
class Spot:
    """A place as the rules see it: from the file, or already known (no row)."""

    kind: PlaceKind | None  # None: the row's level cannot be read
    parent: str | None
    row: Row | None = None


@dataclass
class Book:
    """The rows of a file over what is known; ``profiles`` None leaves profiles unchecked."""

    rows: Mapping[Sheet, list[Row]]
    known: Ledger
    profiles: Collection[str] | None = None
    spots: dict[str, Spot] = field(init=False)

    def __post_init__(self) -> None:
        self.spots = {p.code: Spot(p.kind, p.parent) for p in self.known.places}
        self.known_codes = frozenset(self.spots)
        for row in self.tree_rows():
            code = row.get("code")
            if code is None or (code in self.spots and self.spots[code].row is not None):
                continue
            known = self.spots.get(code)
            kind = PlaceKind.UNIT if row.table.sheet is Sheet.UNITS else row.get("kind")
            if kind is None and known and "kind" not in row.said:
                kind = known.kind
            parent = row.get("parent") or (known.parent if known else None)
            self.spots[code] = Spot(kind, parent, row)

    def tree_rows(self) -> Iterator[Row]:
        """Rows that are places, dwellings among them."""
        yield from self.rows[Sheet.PLACES]
        yield from self.rows[Sheet.UNITS]

    def is_new(self, row: Row) -> bool:
        """Whether the ledger does not have this row's place yet."""
        return row.get("code") not in self.known_codes

    def above(self, code: str) -> Iterator[str]:
        """The places above one, nearest first; ends where a parent is unknown or comes again."""
        seen = {code}
        spot = self.spots.get(code)
        while spot and spot.parent and spot.parent not in seen and spot.parent in self.spots:
            yield spot.parent
            seen.add(spot.parent)
            spot = self.spots[spot.parent]

    @cached_property
    def units(self) -> dict[str, UnitFacts]:
        """Known facts of dwellings by code."""
        return {unit.code: unit for unit in self.known.units}

    @cached_property
    def bound(self) -> dict[str, list[Device]]:
        """Known bindings by device."""
        found: dict[str, list[Device]] = defaultdict(list)
        for device in self.known.devices:
            found[device.uid].append(device)
        return found

    @cached_property
    def statuses(self) -> dict[str, list[StatusPeriod]]:
        """Known heating statuses by dwelling."""
        found: dict[str, list[StatusPeriod]] = defaultdict(list)
        for period in self.known.statuses:
            found[period.code].append(period)
        return found

    @cached_property
    def nearest(self) -> Nearest:
        """Codes that may have been meant."""
        return Nearest(self.spots)

    def said(self, sheet: Sheet, key: str) -> Mapping[str, list[Row]]:
        """The rows of a sheet by their key."""
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows[sheet]:
            if (name := row.get(key)) is not None:
                found[name].append(row)
        return found


Rule = Callable[[Book], Iterable[Problem]]


def fault(row: Row, column: str, kind: ProblemKind, nearest: str = "", /, **facts: Any) -> Problem:
    """A problem of a row; the row is bad from here on."""
    return blame(row, COLUMN[row.table.sheet].get(column), kind, nearest, facts)


Span = tuple[datetime, datetime, Row]


def period(row: Row) -> tuple[datetime, datetime]:
    """From when to when a row holds."""
    return row.get("valid_from") or ALWAYS, row.get("valid_to") or EVER


def overlaps(periods: list[Span]) -> Iterator[tuple[Row, Row]]:
    """Pairs of rows whose periods overlap, the later one first."""
    last: Span | None = None
    for span in sorted(periods, key=lambda span: span[:2]):
        if last is not None and span[0] < last[1]:
            yield span[2], last[2]
        if last is None or span[1] > last[1]:
            last = span
