"""Tables to rows: every cell read for what its column means, every cell that means nothing told.

A blank cell says nothing, so that what is already known stays; a dash says that there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from hearthline.registry import cells
from hearthline.registry.columns import (
    ANSWERS,
    DEVICE_KINDS,
    PIPES,
    PLACE_KINDS,
    POSITIONS,
    ROLES,
    STATUSES,
    Column,
    Sheet,
)
from hearthline.registry.problems import Problem, place_of
from hearthline.registry.tables import Table, Tell

AREA_M2 = (5.0, 2_000.0)
"""What is believable as a dwelling; shops and offices are dwellings to a ledger too."""

MONTH_S = 31 * 86_400

_DASHES = frozenset({"-", "—", "–", "－"})
_TELL_EVERY = 5_000
_REMEMBERED = 5_000  # different texts of a column


class Blank(Enum):
    """What a dash says: there is none, and what was known is wrong."""

    NONE = "none"


@dataclass(slots=True)
class Row:
    """A row of a sheet: where it stands, its cells as they are, and the values it gives."""

    table: Table
    number: int
    said: dict[str, Any]
    values: dict[str, Any] = field(default_factory=dict)
    bad: bool = False

    @property
    def where(self) -> str:
        """File, sheet and row."""
        return place_of(self.table.file, self.table.name, self.number)

    def get(self, name: str) -> Any:
        """A value; None where nothing, or nothing useful, is said."""
        value = self.values.get(name)
        return None if value is Blank.NONE else value

    def refused(self, name: str) -> bool:
        """Whether something is written that means nothing."""
        return name in self.said and name not in self.values

    def says(self, name: str, known: Any, default: Any) -> Any:
        """What is said, else what is known, else the default; a dash forgets what is known."""
        value = self.values.get(name)
        if value is None:
            return default if known is None else known
        return default if value is Blank.NONE else value


Reader = Callable[[Any], Any]


def readers(zone: ZoneInfo) -> dict[Sheet, dict[str, Reader]]:
    """How each column is read; dates are those of a zone."""
    instant = cells.instant(zone)
    latitude, longitude = cells.number(-90, 90), cells.number(-180, 180)
    names = {"name": cells.text, "name_zh": cells.text}
    standing = {"seq": cells.whole(-1_000_000, 1_000_000), "latitude": latitude,
                "longitude": longitude}  # fmt: skip
    period = {"valid_from": instant, "valid_to": instant}
    return {
        Sheet.PLACES: {"code": cells.code, "kind": cells.word(PLACE_KINDS), "parent": cells.code,
                       **names, **standing},
        Sheet.UNITS: {
            "code": cells.code, "parent": cells.code, **names, **standing,
            "area_m2": cells.number(*AREA_M2), "floor": cells.whole(-5, 150),
            "column": cells.whole(1, 500), "position": cells.word(POSITIONS),
            "warranty_until": instant, "vulnerable": cells.word(ANSWERS),
            "status": cells.word(STATUSES), "status_from": instant,
            "contact": cells.text, "phone": cells.phone,
        },
        Sheet.STATUSES: {"code": cells.code, "status": cells.word(STATUSES), **period},
        Sheet.CONTACTS: {"code": cells.code, "name": cells.text, "phone": cells.phone},
        Sheet.DEVICES: {
            "uid": cells.uid, "kind": cells.word(DEVICE_KINDS), "place": cells.code,
            "role": cells.word(ROLES), "flow_pipe": cells.word(PIPES),
            "interval_s": cells.whole(1, MONTH_S), "height_m": cells.number(0, 100),
            "profile": cells.text, "label": cells.text, **period,
        },
    }  # fmt: skip


def read_rows(
    tables: Iterable[Table], zone: ZoneInfo, tell: Tell
) -> tuple[dict[Sheet, list[Row]], list[Problem]]:
    """The rows of all tables by sheet, and what is wrong with single cells."""
    found: dict[Sheet, list[Row]] = {sheet: [] for sheet in Sheet}
    problems: list[Problem] = []
    how = readers(zone)
    tables = list(tables)
    total, done = sum(len(table.rows) for table in tables), 0
    for table in tables:
        columns = [
            (index, column, _remembering(how[table.sheet][column.name], column))
            for index, column in table.columns
        ]
        for row in _rows(table, columns, problems):
            found[table.sheet].append(row)
            done += 1
            if done % _TELL_EVERY == 0:
                tell(done, total, table.sheet)
    return found, problems


def _remembering(read: Reader, column: Column) -> Reader:
    """The same reader, which reads a text that comes again and again but once."""
    if column.key:
        return read
    found: dict[str, Any] = {}

    def remembered(cell: Any) -> Any:
        if not isinstance(cell, str):
            return read(cell)
        if cell not in found:
            if len(found) >= _REMEMBERED:
                return read(cell)
            found[cell] = read(cell)
        return found[cell]

    return remembered


def _rows(
    table: Table, columns: list[tuple[int, Column, Reader]], problems: list[Problem]
) -> Iterator[Row]:
    for number, line in table.rows:
        row = Row(table, number, {})
        width = len(line)
        for index, column, read in columns:
            cell = line[index] if index < width else None
            if cell is None or cell == "" or (isinstance(cell, str) and not cell.strip()):
                continue
            row.said[column.name] = cell
            if isinstance(cell, str) and cell.strip() in _DASHES and not column.needed:
                row.values[column.name] = Blank.NONE
                continue
            try:
                row.values[column.name] = read(cell)
            except cells.Refused as refused:
                problems.append(blame(row, column, refused.kind, refused.nearest, refused.facts))
        if row.said:
            yield row


def blame(
    row: Row, column: Column | None, kind: Any, nearest: str = "", facts: Any = None
) -> Problem:
    """Mark a row as bad and say why."""
    row.bad = True
    said = row.said.get(column.name) if column else None
    return Problem(
        kind,
        row.table.file,
        row.table.name,
        row.number,
        column.name if column else "",
        column.zh if column else "",
        "" if said is None else cells.shown(said),
        nearest,
        facts or {},
    )
