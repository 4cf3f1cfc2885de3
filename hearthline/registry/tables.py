"""Files to tables: bytes of CSV or XLSX to header and rows of plain cells.

CSV may be UTF-8 (with or without its mark), UTF-16 or GBK, parted by commas, semicolons or tabs;
the headers may stand below a title. Whatever the bytes, nothing here raises.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from hearthline.registry.columns import COLUMNS, Column, Sheet, columns_called, folded, sheet_called
from hearthline.registry.problems import Problem, ProblemKind

Cells = Sequence[Any]
Tell = Callable[[int, int | None, str], None]

HEADER_WITHIN = 10  # rows from the top
UNPACKED_AT_MOST = 4_000_000_000  # bytes; more is a bomb and no ledger
_TELL_EVERY = 5_000
_NOTES = ("说明", "notes", "readme", "填写说明")
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet of a file: which it is, where which column stands, and its numbered rows."""

    file: str
    name: str  # of the sheet in a workbook; empty for CSV
    sheet: Sheet
    columns: Sequence[tuple[int, Column]]
    rows: Sequence[tuple[int, Cells]]


@dataclass(frozen=True, slots=True)
class Tables:
    """What a file holds; ``skipped`` are sheets of a workbook that are none of ours."""

    tables: tuple[Table, ...] = ()
    problems: tuple[Problem, ...] = ()
    skipped: tuple[str, ...] = ()


def _quiet(_done: int, _total: int | None, _text: str) -> None:
    """Tell nobody."""


def read_file(name: str, content: bytes, tell: Tell = _quiet) -> Tables:
    """The tables of one file, by its bytes; the name only says which sheet a CSV is."""
    if content.startswith(b"PK\x03\x04"):
        return _workbook(name, content, tell)
    if content.startswith(_OLD_EXCEL):
        return _unreadable(name, "it is an old .xls; save it as .xlsx", "旧版 .xls，请另存为 .xlsx")
    text = _decoded(content)
    if text is None:
        return _unreadable(
            name, "it is neither UTF-8 nor GBK text nor XLSX", "既不是 UTF-8、GBK 文本，也不是 XLSX"
        )
    try:
        rows = _parted(text)
    except csv.Error as error:
        return _unreadable(name, str(error), str(error))
    found = _table(name, "", PurePath(name).stem, rows)
    if found is None:
        return Tables(problems=(Problem(ProblemKind.UNKNOWN_SHEET, name),))
    return _checked([found], ())


def _unreadable(name: str, why: str, why_zh: str) -> Tables:
    facts = {"why": why, "why_zh": why_zh}
    return Tables(problems=(Problem(ProblemKind.UNREADABLE_FILE, name, facts=facts),))


def _decoded(content: bytes) -> str | None:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _parted(text: str) -> list[Cells]:
    """The rows, parted by what makes the most of the first lines."""
    head = "\n".join(text.splitlines()[:HEADER_WITHIN])

    def width(delimiter: str) -> int:
        rows = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        return sum(_recognised(row) * 100 + len(row) for row in rows)

    best = max(",;\t，", key=width)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=best))


_KNOWN = {name for sheet in Sheet for name in columns_called(sheet)}


def _recognised(row: Cells) -> int:
    return sum(isinstance(cell, str) and folded(cell) in _KNOWN for cell in row)


def _workbook(name: str, content: bytes, tell: Tell) -> Tables:
    # The C parser: five times as fast, and safe against bombs since expat 2.4.1.
    os.environ.setdefault("OPENPYXL_DEFUSEDXML", "False")
    import openpyxl

    tables: list[Table] = []
    skipped: list[str] = []
    try:
        unpacked = sum(part.file_size for part in zipfile.ZipFile(io.BytesIO(content)).infolist())
        if unpacked > UNPACKED_AT_MOST:
            return _unreadable(name, "it unpacks to over 4 GB", "解压后超过 4 GB")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        for page in book.worksheets:
            if folded(page.title) in _NOTES:
                continue
            page.reset_dimensions()
            found = _table(name, page.title, page.title, _told(page, tell))
            if found is None:
                skipped.append(page.title)
            else:
                tables.append(found)
    except Exception as error:  # whatever a broken archive makes its reader raise
        return _unreadable(name, f"it is no sound XLSX ({error})", f"XLSX 已损坏（{error}）")
    if not tables:
        return Tables(problems=(Problem(ProblemKind.UNKNOWN_SHEET, name, ", ".join(skipped)),))
    return _checked(tables, skipped)


def _told(page: Any, tell: Tell) -> list[Cells]:
    rows: list[Cells] = []
    for row in page.iter_rows(values_only=True):
        rows.append(row)
        if len(rows) % _TELL_EVERY == 0:
            tell(len(rows), None, page.title)
    return rows


def _table(file: str, name: str, title: str, rows: Sequence[Cells]) -> Table | None:
    """A table, if its title or its headers say which sheet it is."""
    best = max(
        range(min(len(rows), HEADER_WITHIN)),
        key=lambda index: (_recognised(rows[index]), -index),
        default=None,
    )
    if best is None:
        return None
    sheet = sheet_called(title) or _guessed(rows[best])
    if sheet is None:
        return None
    columns = _placed(sheet, rows[best])
    body = [
        (number, row)
        for number, row in enumerate(rows[best + 1 :], best + 2)
        if any(cell is not None and cell != "" for cell in row)
    ]
    return Table(file, name, sheet, columns, body)


def _placed(sheet: Sheet, header: Cells) -> list[tuple[int, Column]]:
    """Which column stands where; one that has its own name goes before one that is alike."""
    known = columns_called(sheet)
    found = [
        (index, known[plain], plain)
        for index, cell in enumerate(header)
        if isinstance(cell, str) and (plain := folded(cell)) in known
    ]
    own = {column for _, column, plain in found if _own(column, plain)}
    return [
        (index, column)
        for index, column, plain in found
        if column not in own or _own(column, plain)
    ]


def _own(column: Column, plain: str) -> bool:
    return plain in (folded(column.name), folded(column.zh))


def _guessed(header: Cells) -> Sheet | None:
    """The sheet whose needed columns are all there; of several, the one most at home."""
    plain = {folded(cell) for cell in header if isinstance(cell, str)}

    def fits(sheet: Sheet) -> int:
        known = columns_called(sheet)
        there = {known[name].name for name in plain if name in known}
        needed = {column.name for column in COLUMNS[sheet] if column.needed}
        return len(there) if len(there) > 1 and needed <= there else 0

    best = max(Sheet, key=fits)
    return best if fits(best) else None


def _checked(tables: Iterable[Table], skipped: Iterable[str]) -> Tables:
    tables = tuple(tables)
    problems = [problem for table in tables for problem in _header_problems(table)]
    return Tables(tables, tuple(problems), tuple(skipped))


def _header_problems(table: Table) -> Iterator[Problem]:
    there = [column.name for _, column in table.columns]

    def problem(kind: ProblemKind, column: Column) -> Problem:
        return Problem(kind, table.file, table.name, column=column.name, column_zh=column.zh)

    for column in COLUMNS[table.sheet]:
        if column.key and column.name not in there:
            yield problem(ProblemKind.MISSING_COLUMN, column)
        if there.count(column.name) > 1:
            yield problem(ProblemKind.DOUBLE_COLUMN, column)
