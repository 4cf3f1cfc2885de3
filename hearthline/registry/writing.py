"""A ledger to sheets again: what ``reading`` takes back without a change, and the empty template.

Dates are written in the company's zone: a date alone for midnight, with time and offset otherwise.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from hearthline.domain.places import Ledger, PlaceKind
from hearthline.registry.columns import (
    ANSWERS,
    COLUMNS,
    DEVICE_KINDS,
    PIPES,
    PLACE_KINDS,
    POSITIONS,
    ROLES,
    SHEET_NAMES,
    STATUSES,
    Answer,
    Column,
    Sheet,
)

Cell = str | float | int | None
Line = Sequence[Cell]

_WORDS: dict[StrEnum, str] = {
    member: names[0]
    for table in (PLACE_KINDS, POSITIONS, STATUSES, DEVICE_KINDS, ROLES, PIPES, ANSWERS)
    for member, names in table.items()
}
_INLINE = frozenset({"status", "status_from", "contact", "phone"})
"""Columns of the dwellings' sheet that an export leaves to sheets of their own."""

_FORMULA = ("=", "@", "+", "'", "\t")

NOTES: dict[str, tuple[str, ...]] = {
    "en": (
        "One sheet each for places, units (dwellings), statuses, contacts and devices. Sheets may "
        "be left out or be files of their own; columns may stand in any order.",
        "Row 2 of each sheet is an example: replace it.",
        "Needed columns of new rows are marked with * (the mark may stay).",
        "A blank cell keeps what the ledger knows; a dash (-) says that there is none.",
        "A date is the beginning of that day: a status valid to 2026-01-01 last holds on "
        "2025-12-31. Blank valid_from: always; blank valid_to: until further notice.",
        "Levels from the top: source, substation, circuit, building, entrance, riser, unit. Levels "
        "may be left out, but a dwelling needs an entrance above it.",
        "A device that moved has one row for each place, with its dates.",
        "A heat meter must say which pipe holds its flow sensor: supply or return.",
        "Check with: hearthline ledger import FILE --dry-run",
    ),
    "zh": (
        "位置、住户、状态、联系人、设备各一张表；可以缺少某张表，也可以分成多个文件，列的顺序不限。",
        "每张表第2行是示例，请替换。",
        "带 * 的列为新增行必填（星号可以保留）。",
        "空白单元格表示保持台账原值；短横线（-）表示没有。",
        "日期指当天零点：状态失效日期 2026-01-01 表示最后一天为 2025-12-31。"
        "生效日期为空表示一直如此；失效日期为空表示至今有效。",
        "级别自上而下：热源、换热站、环路、楼栋、单元、立管、住户。可以缺少中间级别，但住户上方必须有单元。",
        "移装过的设备每个位置写一行，并填写日期。",
        "热量表必须注明流量传感器装在供水管还是回水管。",
        "导入前检查：hearthline ledger import 文件 --dry-run",
    ),
}  # fmt: skip


def headers(sheet: Sheet, language: str, *, inline: bool = False) -> list[str]:
    """The headers of a sheet in a language."""
    return [_header(column, language) for column in _columns(sheet, inline=inline)]


def title(sheet: Sheet, language: str) -> str:
    """The name of a sheet in a language."""
    return SHEET_NAMES[sheet][0] if language == "zh" else str(sheet)


def _header(column: Column, language: str) -> str:
    return column.zh if language == "zh" else column.name


def _columns(sheet: Sheet, *, inline: bool) -> list[Column]:
    dropped = _INLINE if sheet is Sheet.UNITS and not inline else frozenset()
    return [column for column in COLUMNS[sheet] if column.name not in dropped]


def lines(ledger: Ledger, zone: ZoneInfo, language: str = "en") -> dict[Sheet, Iterator[Line]]:
    """The rows of every sheet below its headers."""

    def said(value: Any) -> Cell:
        if isinstance(value, datetime):
            return _date(value, zone)
        if isinstance(value, StrEnum):
            return _WORDS[value] if language == "zh" else str(value)
        return value  # type: ignore[no-any-return]

    def told(sheet: Sheet, records: Iterator[Mapping[str, Any]]) -> Iterator[Line]:
        names = [column.name for column in _columns(sheet, inline=False)]
        for record in records:
            yield [said(record.get(name)) for name in names]

    return {sheet: told(sheet, records) for sheet, records in _records(ledger).items()}


def _date(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return local.date().isoformat() if local.time() == time() else local.isoformat(sep=" ")


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


def _records(ledger: Ledger) -> dict[Sheet, Iterator[Mapping[str, Any]]]:
    places = {place.code: place for place in ledger.places}
    bare = {unit.code for unit in ledger.units}
    return {
        Sheet.PLACES: (
            _fields(place)
            for place in ledger.places
            if place.kind is not PlaceKind.UNIT or place.code not in bare
        ),
        Sheet.UNITS: (
            {**_fields(places[unit.code]), **_fields(unit), "vulnerable": _answer(unit.vulnerable)}
            for unit in ledger.units
            if unit.code in places
        ),
        Sheet.STATUSES: map(_fields, ledger.statuses),
        Sheet.CONTACTS: map(_fields, ledger.contacts),
        Sheet.DEVICES: (
            {**_fields(device), "interval_s": device.expected_interval_s}
            for device in ledger.devices
        ),
    }


def _answer(yes: bool) -> Answer:
    return Answer.YES if yes else Answer.NO


def csv_files(ledger: Ledger, zone: ZoneInfo, language: str = "en") -> Iterator[tuple[str, bytes]]:
    """Name and bytes of one CSV per sheet; UTF-8 with its mark, as spreadsheets expect."""
    for sheet, rows in lines(ledger, zone, language).items():
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(headers(sheet, language))
        writer.writerows([_harmless(cell) for cell in row] for row in rows)
        yield f"{title(sheet, language)}.csv", stream.getvalue().encode("utf-8-sig")


def _harmless(cell: Cell) -> Cell:
    """A text that a spreadsheet would run as a formula is marked as text; reading takes it off."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def workbook(ledger: Ledger, zone: ZoneInfo, language: str = "en") -> bytes:
    """One XLSX with a sheet for each table."""
    sheets = {
        title(sheet, language): ([headers(sheet, language)], rows)
        for sheet, rows in lines(ledger, zone, language).items()
    }
    return _packed(sheets)


def template(language: str = "en") -> bytes:
    """An XLSX to fill in: headers, an example row each, and a sheet of notes."""
    sheets: dict[str, tuple[list[list[str]], Iterator[Line]]] = {
        title(sheet, language): (
            [[_marked(column, language) for column in _columns(sheet, inline=False)]],
            iter([[_example(column, language) for column in _columns(sheet, inline=False)]]),
        )
        for sheet in Sheet
    }
    notes = iter([[note] for note in NOTES[language]])
    sheets["说明" if language == "zh" else "notes"] = ([], notes)
    return _packed(sheets)


def _marked(column: Column, language: str) -> str:
    return _header(column, language) + (" *" if column.needed else "")


def _example(column: Column, language: str) -> Cell:
    if language == "zh":
        words: dict[str, str] = {str(member): word for member, word in _WORDS.items()}
        return words.get(str(column.example), column.example)
    return column.example


def _packed(sheets: Mapping[str, tuple[list[list[str]], Iterator[Line]]]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    for name, (top, rows) in sheets.items():
        page = book.create_sheet(name)
        page.freeze_panes = "A2" if top else None
        for header in top:
            page.append(header)
        for row in rows:
            page.append([_as_text(page, cell) if isinstance(cell, str) else cell for cell in row])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _as_text(page: Any, said: str) -> Any:
    """A text cell, without what XLSX cannot hold; a formula would be run."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    said = ILLEGAL_CHARACTERS_RE.sub("", said)
    if not said.startswith(_FORMULA):
        return said
    cell = WriteOnlyCell(page, value="")
    cell.value, cell.data_type = f"'{said}" if said.startswith("'") else said, "s"
    return cell
