"""Rules of places and dwellings: codes, parents, levels, statuses, contacts."""

from __future__ import annotations

from collections.abc import Iterator

from hearthline.domain.places import PlaceKind
from hearthline.registry.book import EVER, Book, fault, overlaps, period
from hearthline.registry.columns import COLUMNS, PLACE_KINDS, Column, Sheet
from hearthline.registry.problems import Problem, ProblemKind
from hearthline.registry.rows import Row


def needed_cells(book: Book) -> Iterator[Problem]:
    """What makes a new row must be said; what is known already need not be said again."""
    for rows in book.rows.values():
        lacking: set[tuple[int, str]] = set()
        for row in rows:
            for column in COLUMNS[row.table.sheet]:
                if not column.needed or column.name in row.said or _known(book, row, column):
                    continue
                if any(there is column for _, there in row.table.columns):
                    yield fault(row, column.name, ProblemKind.EMPTY)
                    continue
                row.bad = True
                if column.key:
                    continue  # the headers' check has told
                if (id(row.table), column.name) not in lacking:
                    lacking.add((id(row.table), column.name))
                    yield Problem(ProblemKind.MISSING_COLUMN, row.table.file, row.table.name,
                                  column=column.name, column_zh=column.zh)  # fmt: skip


def _known(book: Book, row: Row, column: Column) -> bool:
    """Whether the stored ledger says what the row leaves out."""
    if column.key:
        return False
    sheet = row.table.sheet
    if sheet is Sheet.PLACES:
        return not book.is_new(row)
    if sheet is Sheet.UNITS:
        return not book.is_new(row) and (column.name == "parent" or row.get("code") in book.units)
    return sheet is Sheet.DEVICES and row.get("uid") in book.bound


def duplicate_codes(book: Book) -> Iterator[Problem]:
    """A code is used once, for a place or a dwelling."""
    first: dict[str, Row] = {}
    for row in book.tree_rows():
        code = row.get("code")
        if code is None:
            continue
        if code in first:
            yield fault(row, "code", ProblemKind.DUPLICATE_CODE, other=first[code].where)
        else:
            first[code] = row


def units_apart(book: Book) -> Iterator[Problem]:
    """Dwellings have their own sheet."""
    for row in book.rows[Sheet.PLACES]:
        if row.get("kind") is PlaceKind.UNIT:
            yield fault(row, "kind", ProblemKind.UNIT_AMONG_PLACES)


def kinds_kept(book: Book) -> Iterator[Problem]:
    """A place does not become another level: what hangs on it would not fit."""
    known = {place.code: place.kind for place in book.known.places}
    for row in book.tree_rows():
        code = row.get("code")
        said = PlaceKind.UNIT if row.table.sheet is Sheet.UNITS else row.get("kind")
        if code in known and said is not None and said is not known[code]:
            yield fault(row, "code", ProblemKind.KIND_CHANGED, **naming("known", known[code]))


def parents(book: Book) -> Iterator[Problem]:
    """Everything but a source has a parent that exists."""
    for row in book.tree_rows():
        spot = book.spots.get(row.get("code") or "")
        if spot is None or spot.row is not row or row.refused("parent"):
            continue
        if spot.kind is PlaceKind.SOURCE:
            if spot.parent:
                yield fault(row, "parent", ProblemKind.PARENT_OF_SOURCE)
        elif spot.parent is None:
            if row.table.sheet is Sheet.PLACES and spot.kind is not None:
                yield fault(row, "parent", ProblemKind.NO_PARENT)
        elif spot.parent not in book.spots:
            near = book.nearest(spot.parent)
            yield fault(row, "parent", ProblemKind.UNKNOWN_PARENT, near)


def loops(book: Book) -> Iterator[Problem]:
    """Nobody is above himself."""
    settled: set[str] = set()
    for code in book.spots:
        way: dict[str, None] = {}
        at: str | None = code
        while at is not None and at not in settled and at not in way:
            way[at] = None
            spot = book.spots.get(at)
            at = spot.parent if spot else None
        if at is not None and at in way:
            ring = list(way)[list(way).index(at) :]
            shown = " → ".join([*ring[:8], "…"] if len(ring) > 8 else [*ring, at])
            for member in ring:
                row = book.spots[member].row
                if row is not None:
                    yield fault(row, "parent", ProblemKind.LOOP, loop=shown)
        settled.update(way)


def levels(book: Book) -> Iterator[Problem]:
    """A parent is of a higher level; levels may be left out, as where there are no circuits."""
    for row in book.tree_rows():
        spot = book.spots.get(row.get("code") or "")
        if spot is None or spot.row is not row or spot.parent is None or spot.kind is None:
            continue
        above = book.spots.get(spot.parent)
        if above is None or above.kind is None or above.kind.level < spot.kind.level:
            continue
        if spot.kind is PlaceKind.SOURCE or _in_loop(book, row.get("code")):
            continue
        facts = {**naming("kind", spot.kind), **naming("parent_kind", above.kind)}
        yield fault(row, "parent", ProblemKind.WRONG_LEVEL, **facts)


def _in_loop(book: Book, code: str) -> bool:
    line = [code, *book.above(code)]
    return book.spots[line[-1]].parent in line


def naming(name: str, kind: PlaceKind) -> dict[str, str]:
    """The English and the Chinese name of a level, as facts of a problem."""
    return {name: str(kind), f"{name}_zh": PLACE_KINDS[kind][0]}


def entrances(book: Book) -> Iterator[Problem]:
    """A dwelling is reached through an entrance (单元)."""
    for row in book.rows[Sheet.UNITS]:
        code = row.get("code")
        spot = book.spots.get(code or "")
        if spot is None or spot.row is not row or spot.parent not in book.spots:
            continue
        line = [book.spots[above] for above in book.above(code)]
        whole = bool(line) and line[-1].parent is None and line[0].kind is not None
        if whole and not any(above.kind is PlaceKind.ENTRANCE for above in line):
            if line[0].kind is PlaceKind.UNIT:
                continue  # the level says it better
            yield fault(row, "parent", ProblemKind.NO_ENTRANCE)


def dwellings_exist(book: Book) -> Iterator[Problem]:
    """Statuses and contacts are those of dwellings."""
    for sheet in (Sheet.STATUSES, Sheet.CONTACTS):
        for row in book.rows[sheet]:
            code = row.get("code")
            if code is None:
                continue
            if code not in book.spots:
                yield fault(row, "code", ProblemKind.UNKNOWN_PLACE, book.nearest(code))
            elif book.spots[code].kind not in (PlaceKind.UNIT, None):
                yield fault(row, "code", ProblemKind.NOT_A_UNIT)


def one_contact(book: Book) -> Iterator[Problem]:
    """One fee record for one dwelling."""
    first = {
        row.get("code"): row
        for row in book.rows[Sheet.UNITS]
        if "contact" in row.said or "phone" in row.said
    }
    for row in book.rows[Sheet.CONTACTS]:
        code = row.get("code")
        if code in first:
            yield fault(row, "code", ProblemKind.DUPLICATE_CONTACT, other=first[code].where)
        elif code is not None:
            first[code] = row


def periods_forward(book: Book) -> Iterator[Problem]:
    """What ends, ends after it began."""
    for sheet in (Sheet.STATUSES, Sheet.DEVICES):
        for row in book.rows[sheet]:
            since, until = row.get("valid_from"), row.get("valid_to")
            if since and until and until <= since:
                shown = f"{row.said['valid_from']}"
                yield fault(row, "valid_to", ProblemKind.PERIOD_BACKWARDS, since=shown)


def status_dated(book: Book) -> Iterator[Problem]:
    """A present status that differs from the known one needs its date."""
    for row in book.rows[Sheet.UNITS]:
        status, known = row.get("status"), book.statuses.get(row.get("code"), [])
        if status is None or row.get("status_from") or not known:
            continue
        if known[-1].valid_to is not None or known[-1].status is not status:
            yield fault(row, "status_from", ProblemKind.EMPTY)


def statuses_apart(book: Book) -> Iterator[Problem]:
    """A dwelling has one status at a time."""
    inline = {
        row.get("code"): (row, row.get("status_from"))
        for row in book.rows[Sheet.UNITS]
        if row.get("status") and row.get("code") and row.get("status_from")
    }
    for code, rows in book.said(Sheet.STATUSES, "code").items():
        periods = [(*period(row), row) for row in rows if not row.bad]
        if code in inline:
            row, since = inline[code]
            periods.append((since, EVER, row))
        for row, other in overlaps(periods):
            yield fault(row, "valid_from", ProblemKind.OVERLAPPING_STATUS, other=other.where)
