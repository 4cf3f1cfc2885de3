"""Any tables as one XLSX workbook: first line frozen, text stays text whatever it begins with."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

Sheet = tuple[Sequence[str], Sequence[Sequence[Any]]]


def workbook(sheets: Mapping[str, Sheet]) -> bytes:
    """A workbook with a sheet per name, each a head and its lines."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    for name, (head, lines) in sheets.items():
        page = book.create_sheet(name)
        page.freeze_panes = "A2"
        page.append(list(head))
        for line in lines:
            page.append([_cell(page, value) for value in line])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _cell(page: Any, value: object) -> Any:
    """A cell; text that a spreadsheet would run as a formula is marked as text."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if not isinstance(value, str):
        return value
    text = ILLEGAL_CHARACTERS_RE.sub("", value)
    if not text.startswith(("=", "+", "-", "@")):
        return text
    cell = WriteOnlyCell(page, value="")
    cell.value, cell.data_type = text, "s"
    return cell


def csv_text(head: Sequence[str], lines: Sequence[Sequence[Any]]) -> str:
    """A table as CSV with CRLF; empty where a value is None.

    Text that a spreadsheet would run as a formula is preceded by an apostrophe.
    """
    import csv

    stream = io.StringIO()
    safe = [
        [f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@" and cell else cell
         for cell in line]
        for line in lines
    ]  # fmt: skip
    csv.writer(stream).writerows([list(head), *safe])
    return stream.getvalue()
