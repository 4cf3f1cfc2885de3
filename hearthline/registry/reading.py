"""Sheets to a ledger, checked as a whole: every problem is told, and nothing half-right gets in.

Asked for a part, it leaves out the rows with a problem and all that depends on them, and says
which. A file may be a part of what is known: a blank cell or a missing column keeps what the
stored ledger says, a dash says that there is none.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from zoneinfo import ZoneInfo

from hearthline.domain.places import (
    Contact,
    Device,
    HeatingStatus,
    Ledger,
    Place,
    PlaceKind,
    StatusPeriod,
    UnitFacts,
    UnitPosition,
)
from hearthline.registry.book import COLUMN, Book, Rule
from hearthline.registry.columns import Answer, Sheet
from hearthline.registry.device_rules import kind_of, role_of
from hearthline.registry.problems import Problem, ProblemKind
from hearthline.registry.rows import Row, blame, read_rows
from hearthline.registry.rules import RULES, STRUCTURE
from hearthline.registry.tables import Table, Tables, Tell

INTERVAL_S = 1200


@dataclass(frozen=True, slots=True)
class Reading:
    """What files give: a ledger, what is wrong, what was left out for it, and rows by sheet."""

    ledger: Ledger
    problems: Sequence[Problem] = ()
    left_out: Sequence[Problem] = ()
    rows: Counter[Sheet] = field(default_factory=Counter)


def _quiet(_done: int, _total: int | None, _text: str) -> None:
    """Tell nobody."""


def read(
    files: Iterable[Tables],
    zone: ZoneInfo,
    *,
    known: Ledger | None = None,
    profiles: Collection[str] | None = None,
    partial: bool = False,
    tell: Tell = _quiet,
) -> Reading:
    """The ledger that tables give on top of what is known.

    With problems the ledger is empty, or with ``partial`` made of the sound rows. Dates are those
    of ``zone``; ``profiles`` are the device profiles there are, None where nobody can tell.
    """
    problems: list[Problem] = []
    tables: list[Table] = []
    for file in files:
        tables += file.tables
        problems += file.problems
    rows, faults = read_rows(tables, zone, tell)
    counted = Counter({sheet: len(found) for sheet, found in rows.items()})
    book = Book(rows, known or Ledger(), profiles)
    _run(STRUCTURE, book, faults)
    whole_sheets = [p for p in (*problems, *faults) if p.row is None]
    if partial or not whole_sheets:
        _run(RULES, book, faults)
    problems += sorted(faults, key=lambda p: (p.file, p.sheet, p.row or 0))
    left_out: list[Problem] = []
    if problems:
        if not partial:
            return Reading(Ledger(), problems, (), counted)
        left_out = list(_dependents(book))
    return Reading(_ledger(book), problems, left_out, counted)


def _run(rules: Iterable[Rule], book: Book, faults: list[Problem]) -> None:
    for rule in rules:
        faults += rule(book)


def _dependents(book: Book) -> Iterator[Problem]:
    """Mark as bad what depends on a bad row: what is below it, and what hangs there."""
    out: set[str] = set()
    for row in book.tree_rows():
        if row.bad and (code := row.get("code")) is not None and book.is_new(row):
            spot = book.spots[code]
            if spot.row is row:
                out.add(code)
    ordered = [row for row in book.tree_rows() if not row.bad]
    ordered.sort(key=lambda row: _level(book, row))
    for row in ordered:
        parent = book.spots[row.get("code")].parent
        if parent in out:
            out.add(row.get("code"))
            yield _depends(row, "parent", parent)
    for sheet, key in (
        (Sheet.STATUSES, "code"),
        (Sheet.CONTACTS, "code"),
        (Sheet.DEVICES, "place"),
    ):
        for row in book.rows[sheet]:
            if not row.bad and row.get(key) in out:
                yield _depends(row, key, row.get(key))
    for sheet, key in ((Sheet.STATUSES, "code"), (Sheet.DEVICES, "uid")):
        yield from _histories(book, sheet, key)


def _level(book: Book, row: Row) -> int:
    kind = book.spots[row.get("code")].kind
    return kind.level if kind else 0


def _histories(book: Book, sheet: Sheet, key: str) -> Iterator[Problem]:
    """A history with a bad period is left out whole."""
    for name, rows in book.said(sheet, key).items():
        if any(row.bad for row in rows):
            for row in [row for row in rows if not row.bad]:
                yield _depends(row, key, name)


def _depends(row: Row, column: str, on: str) -> Problem:
    return blame(row, COLUMN[row.table.sheet][column], ProblemKind.DEPENDS, facts={"on": on})


def _ledger(book: Book) -> Ledger:
    """The ledger of the sound rows."""
    known = {place.code: place for place in book.known.places}
    units = [row for row in book.rows[Sheet.UNITS] if not row.bad]
    places = [_place(book, row, known) for row in book.tree_rows() if not row.bad]
    places.sort(key=attrgetter("kind.level"))
    return Ledger(
        places=tuple(places),
        units=tuple(_units(book, units)),
        statuses=tuple(_statuses(book, units)),
        devices=tuple(_devices(book)),
        contacts=tuple(_contacts(book, units)),
    )


def _place(book: Book, row: Row, known: dict[str, Place]) -> Place:
    code = row.get("code")
    spot, old = book.spots[code], known.get(code)
    kind = spot.kind
    assert kind is not None, "a sound row has a level"  # noqa: S101
    name_zh = row.says("name_zh", old and old.name_zh, "")
    name = row.says("name", old and old.name, name_zh or code)
    floor = row.get("floor") or 0
    return Place(
        code=code,
        kind=kind,
        parent=spot.parent,
        name=name,
        name_zh=name_zh,
        seq=row.says("seq", old.seq if old else None, floor),
        latitude=row.says("latitude", old and old.latitude, None),
        longitude=row.says("longitude", old and old.longitude, None),
    )


def _units(book: Book, rows: Sequence[Row]) -> Iterator[UnitFacts]:
    usual = _Positions(book, rows)
    for row in rows:
        code = row.get("code")
        old = book.units.get(code)
        vulnerable = row.says("vulnerable", old and (Answer.YES if old.vulnerable else Answer.NO),
                              Answer.NO)  # fmt: skip
        floor = row.says("floor", old.floor if old else None, None)
        column = row.says("column", old.column if old else None, None)
        yield UnitFacts(
            code=code,
            area_m2=row.says("area_m2", old and old.area_m2, None),
            floor=floor,
            column=column,
            position=row.says("position", old and old.position, None)
            or usual.of(code, floor, column),
            warranty_until=row.says("warranty_until", old and old.warranty_until, None),
            vulnerable=vulnerable is Answer.YES,
        )


class _Positions:
    """Where a dwelling sits, by the floors and columns of its building, if nobody says."""

    def __init__(self, book: Book, rows: Iterable[Row]) -> None:
        self._book = book
        self._floors: dict[str, set[int]] = defaultdict(set)
        self._columns: dict[str, set[int]] = defaultdict(set)
        for row in rows:
            self._note(row.get("code"), row.get("floor"), row.get("column"))
        for unit in book.known.units:
            self._note(unit.code, unit.floor, unit.column)

    def _note(self, code: str, floor: int | None, column: int | None) -> None:
        building = self._building(code)
        if floor is not None:
            self._floors[building].add(floor)
        if column is not None:
            self._columns[building].add(column)

    def _building(self, code: str) -> str:
        for above in self._book.above(code):
            if self._book.spots[above].kind is PlaceKind.BUILDING:
                return above
        return ""

    def of(self, code: str, floor: int, column: int) -> UnitPosition:
        """Top and ground before gable: a roof loses more than a wall."""
        building = self._building(code)
        floors, columns = self._floors[building], self._columns[building]
        if floor == max(floors) and len(floors) > 1:
            return UnitPosition.TOP
        if floor == min(floors):
            return UnitPosition.GROUND
        ends = column in (min(columns), max(columns))
        return UnitPosition.GABLE if ends else UnitPosition.MIDDLE


def _statuses(book: Book, units: Sequence[Row]) -> Iterator[StatusPeriod]:
    for row in book.rows[Sheet.STATUSES]:
        if not row.bad:
            yield StatusPeriod(
                row.get("code"), row.get("status"), row.get("valid_from"), row.get("valid_to")
            )
    for row in units:
        status: HeatingStatus | None = row.get("status")
        if status is not None and not (row.get("code") in book.statuses and _stands(book, row)):
            yield StatusPeriod(row.get("code"), status, row.get("status_from"))


def _stands(book: Book, row: Row) -> bool:
    """Whether the status that a dwelling's row says is the present one already."""
    last = book.statuses[row.get("code")][-1]
    since = row.get("status_from")
    same = last.status is row.get("status") and last.valid_to is None
    return same and since in (None, last.valid_from)


def _contacts(book: Book, units: Sequence[Row]) -> Iterator[Contact]:
    known = {contact.code: contact for contact in book.known.contacts}
    said = [(row, "name") for row in book.rows[Sheet.CONTACTS] if not row.bad]
    said += [(row, "contact") for row in units if "contact" in row.said or "phone" in row.said]
    for row, name in said:
        old = known.get(row.get("code"))
        yield Contact(
            row.get("code"),
            row.says(name, old and old.name, ""),
            row.says("phone", old and old.phone, ""),
        )


def _devices(book: Book) -> Iterator[Device]:
    for uid, rows in book.said(Sheet.DEVICES, "uid").items():
        if any(row.bad for row in rows):
            continue
        known = book.bound.get(uid)
        old = known[-1] if known else None
        for row in rows:
            kind, role = kind_of(book, row), role_of(book, row)
            assert kind is not None, "a sound row has a kind"  # noqa: S101
            assert role is not None, "a sound row has a role"  # noqa: S101
            first = {
                name: next((r for r in (row, *rows) if name in r.values), row)
                for name in ("flow_pipe", "interval_s", "height_m", "profile", "label")
            }
            yield Device(
                uid=uid,
                kind=kind,
                role=role,
                place=row.get("place") or (old.place if old else ""),
                flow_pipe=first["flow_pipe"].says("flow_pipe", old and old.flow_pipe, None),
                expected_interval_s=first["interval_s"].says(
                    "interval_s", old and old.expected_interval_s, INTERVAL_S
                ),
                height_m=first["height_m"].says("height_m", old and old.height_m, None),
                profile=first["profile"].says("profile", old and old.profile, None),
                label=first["label"].says("label", old and old.label, ""),
                valid_from=row.get("valid_from"),
                valid_to=row.get("valid_to"),
            )
