"""Sheets to a ledger: what is read, and every problem that is told."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearthline.domain.places import (
    Contact,
    Device,
    DeviceKind,
    DeviceRole,
    FlowPipe,
    HeatingStatus,
    Ledger,
    Place,
    PlaceKind,
    StatusPeriod,
    UnitFacts,
    UnitPosition,
)
from hearthline.registry.columns import SHEET_NAMES, Sheet
from hearthline.registry.problems import SENTENCES, ProblemKind
from hearthline.registry.reading import Reading, read
from hearthline.registry.tables import read_file
from hearthline.registry.writing import csv_files, headers, template, title, workbook

ZONE = ZoneInfo("Asia/Shanghai")

PLACES = """code,kind,parent,name,name_zh,seq
P,source,,Plant,热源厂,
S1,substation,P,Station 1,1号站,1
C1,circuit,S1,Low,低区,1
B1,building,C1,House 1,1号楼,1
E1,entrance,B1,Entrance 1,1单元,1
"""
UNITS = """code,parent,name,area_m2,floor,column,position,contact,phone
E1-0101,E1,101,82.5,1,1,ground,王女士,13800001234
E1-0201,E1,201,82.5,2,1,top,,
"""
DEVICES = """uid,kind,place,role,flow_pipe
own:t/a,room,E1-0101,,
own:t/m,meter,B1,branch,return
"""


def instant(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZONE).astimezone(UTC)  # type: ignore[misc, arg-type]


def read_texts(
    known: Ledger | None = None,
    partial: bool = False,
    profiles: Sequence[str] | None = None,
    **files: str | bytes,
) -> Reading:
    tables = [
        read_file(f"{name}.csv", text if isinstance(text, bytes) else text.encode())
        for name, text in files.items()
    ]
    return read(tables, ZONE, known=known, profiles=profiles, partial=partial)


def town(**more: str) -> Reading:
    return read_texts(**{"places": PLACES, "units": UNITS, "devices": DEVICES, **more})


def told(reading: Reading) -> list[tuple[str, int | None, str]]:
    return [(str(p.kind), p.row, p.column) for p in reading.problems]


def test_a_whole_ledger_is_read() -> None:
    reading = town(
        statuses="code,status,valid_from,valid_to\nE1-0201,stopped,2025-10-15,2026-04-15\n"
    )

    assert told(reading) == []
    ledger = reading.ledger
    assert ledger.places[0] == Place("P", PlaceKind.SOURCE, None, "Plant", "热源厂")
    assert [p.code for p in ledger.places] == ["P", "S1", "C1", "B1", "E1", "E1-0101", "E1-0201"]
    assert ledger.units[0] == UnitFacts("E1-0101", 82.5, 1, 1, UnitPosition.GROUND)
    assert ledger.contacts == (Contact("E1-0101", "王女士", "13800001234"),)
    assert ledger.statuses == (
        StatusPeriod("E1-0201", HeatingStatus.STOPPED, instant(2025, 10, 15), instant(2026, 4, 15)),
    )
    assert ledger.devices == (
        Device("own:t/a", DeviceKind.ROOM, DeviceRole.ROOM, "E1-0101"),
        Device("own:t/m", DeviceKind.METER, DeviceRole.BRANCH, "B1", FlowPipe.RETURN),
    )


def test_chinese_sheets_in_gbk_with_full_width_digits_give_the_same() -> None:
    places = (
        "东区供热台账\n编码；级别\n"
        "编 码\t级别\t上级编码\t名称\n"
        "P\t热源\t\t热源厂\nＳ１\t换热站\tP\t一号站\nB1\t楼栋\tS1\t1号楼\nE1\t单元\tB1\t1单元\n"
    )
    units = (
        "户号;单元编码;房号;供热面积（㎡）;楼层;列号;户位置;保修期至;特殊人群;联系电话\n"
        "E1-0602;E1;602 ;８２．５㎡;６层;2;顶层;2027年4月15日;是;138 0000 1234\n"
    )
    reading = read_texts(位置=places.encode("gbk"), 住户=units.encode("gb18030"))

    assert told(reading) == []
    assert reading.ledger.places[1].code == "S1"
    assert reading.ledger.units == (
        UnitFacts("E1-0602", 82.5, 6, 2, UnitPosition.TOP, instant(2027, 4, 15), vulnerable=True),
    )
    assert reading.ledger.contacts == (Contact("E1-0602", "", "13800001234"),)


def sheet_of(**pages: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in pages.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_a_workbook_with_real_dates_and_numbers_as_text_is_read() -> None:
    units = [
        ["户号", "上级", "面积", "楼层", "列号", "保修期至", "电话", "状态", "状态起始"],
        [602.0, "E1", "82.5", "6", 2, date(2027, 4, 15), 13800001234, "报停", 45945],
    ]
    book = sheet_of(住户=units, Sheet9=[["hello"]], 说明=[["notes"]])
    files = [read_file("places.csv", PLACES.encode()), read_file("t.xlsx", book)]
    reading = read(files, ZONE)

    assert told(reading) == []
    assert files[1].skipped == ("Sheet9",)
    unit = reading.ledger.units[0]
    assert (unit.code, unit.floor, unit.warranty_until) == ("602", 6, instant(2027, 4, 15))
    assert reading.ledger.contacts == (Contact("602", "", "13800001234"),)
    assert reading.ledger.statuses == (
        StatusPeriod("602", HeatingStatus.STOPPED, instant(2025, 10, 15)),
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encoding_and_delimiter_are_found_out(encoding: str, delimiter: str) -> None:
    text = PLACES.replace(",", delimiter).encode(encoding)
    assert told(read_texts(places=text)) == []


WRONG = [
    ("places", "X,building,nowhere,X,,", "unknown_parent", "parent"),
    ("places", "X,building,,X,,", "no_parent", "parent"),
    ("places", "X,building,-,X,,", "no_parent", "parent"),
    ("places", "X,source,P,X,,", "parent_of_source", "parent"),
    ("places", "X,building,X,X,,", "loop", "parent"),
    ("places", "X,substation,B1,X,,", "wrong_level", "parent"),
    ("places", "B1,building,C1,X,,", "duplicate_code", "code"),
    ("places", "X,bilding,C1,X,,", "bad_word", "kind"),
    ("places", "X,unit,E1,X,,", "unit_among_places", "kind"),
    ("places", "a/b,building,C1,X,,", "bad_code", "code"),
    ("places", ",building,C1,X,,", "empty", "code"),
    ("places", "X,building,C1,X,,1.5", "bad_number", "seq"),
    ("units", "X,E1,301,nan,3,1,top,,", "bad_number", "area_m2"),
    ("units", "X,E1,301,0,3,1,top,,", "out_of_range", "area_m2"),
    ("units", "X,E1,301,-3,3,1,top,,", "out_of_range", "area_m2"),
    ("units", "X,E1,301,8250,3,1,top,,", "out_of_range", "area_m2"),
    ("units", "X,E1,301,82.5,,1,top,,", "empty", "floor"),
    ("units", "X,E1,301,82.5,3,1,north,,", "bad_word", "position"),
    ("units", "X,B1,301,82.5,3,1,top,,", "no_entrance", "parent"),
    ("units", "X,E1-0101,301,82.5,3,1,top,,", "wrong_level", "parent"),
    ("units", "X,E1,301,82.5,3,1,top,,1380000123", "bad_phone", "phone"),
    ("units", "X,X,301,82.5,3,1,top,,", "loop", "parent"),
    ("units", "E1,E1,301,82.5,3,1,top,,", "duplicate_code", "code"),
    ("devices", "own:t/b,room,E1-0109,,", "unknown_place", "place"),
    ("devices", "own:t/b,meter,B1,branch,", "no_flow_pipe", "flow_pipe"),
    ("devices", "own:t/b,meter,S1,,return", "role_unsaid", "role"),
    ("devices", "own:t/b,room,B1,,", "role_unfit", "role"),
    ("devices", "own:t/b,meter,B1,room,return", "role_unfit", "role"),
    ("devices", "sensor7,room,E1-0101,,", "bad_uid", "uid"),
    ("devices", "own:t/a,room,E1-0101,,", "duplicate_device", "uid"),
    ("devices", "own:t/b,thing,E1-0101,,", "bad_word", "kind"),
]


@pytest.mark.parametrize(("sheet", "line", "kind", "column"), WRONG, ids=str)
def test_every_problem_is_told_with_its_row_and_column(
    sheet: str, line: str, kind: str, column: str
) -> None:
    files = {"places": PLACES, "units": UNITS, "devices": DEVICES}
    row = files[sheet].count("\n") + 1

    reading = town(**{sheet: files[sheet] + line + "\n"})

    assert told(reading) == [(kind, row, column)]
    assert reading.ledger == Ledger(), "nothing is imported"
    problem = reading.problems[0]
    assert f"{sheet}.csv, row {row} {column}" in problem.en
    assert f"{sheet}.csv，第{row}行" in problem.zh


def test_more_problems_are_told_at_once_and_those_they_cause_are_not() -> None:
    reading = town(places=PLACES.replace("C1,circuit,S1", "C1,zircuit,S9"))

    assert told(reading) == [("bad_word", 4, "kind"), ("unknown_parent", 4, "parent")]
    assert reading.problems[0].nearest == "circuit"


def test_the_nearest_known_code_is_offered() -> None:
    reading = town(devices="uid,kind,place\nown:t/b,room,E1-0103\n")
    assert reading.problems[0].nearest in {"E1-0101", "E1-0201"}
    assert "perhaps 'E1-0" in reading.problems[0].en
    assert "是否应为" in reading.problems[0].zh


def test_a_landline_that_lost_its_zero_in_a_number_cell_is_recognised() -> None:
    reading = read_texts(places=PLACES, units=UNITS, contacts="code,phone\nE1-0201,45182345678\n")
    assert [(p.value, p.nearest) for p in reading.problems] == [("45182345678", "045182345678")]


@pytest.mark.parametrize(
    ("said", "read_as"),
    [
        ("+86 138-0000-1234", "13800001234"),
        ("0451-82345678", "045182345678"),
        ("１３８００００１２３４", "13800001234"),
        ("13800001234/13900001234", "13800001234/13900001234"),
        ("+49 30 1234567", "+49301234567"),
    ],
)
def test_phones_are_read_as_plain_digits(said: str, read_as: str) -> None:
    reading = read_texts(places=PLACES, units=UNITS, contacts=f"code,phone\nE1-0201,{said}\n")
    assert Contact("E1-0201", "", read_as) in reading.ledger.contacts


@pytest.mark.parametrize(
    "said",
    ["2025-10-15", "2025/10/15", "2025.10.15", "20251015", "2025年10月15日", "45945",
     "2025-10-15 00:00", "2025-10-14T16:00:00Z", "2025-10-15T00:00:00+08:00", "２０２５-10-15"],
)  # fmt: skip
def test_dates_are_read_as_people_and_spreadsheets_write_them(said: str) -> None:
    reading = town(statuses=f"code,status,valid_from\nE1-0201,stopped,{said}\n")
    assert told(reading) == []
    assert reading.ledger.statuses[0].valid_from == instant(2025, 10, 15)


@pytest.mark.parametrize("said", ["2025-13-01", "yesterday", "0", "15.10.25", "1850-01-01"])
def test_what_is_no_date_is_told(said: str) -> None:
    reading = town(statuses=f"code,status,valid_from\nE1-0201,stopped,{said}\n")
    assert told(reading) == [("bad_date", 2, "valid_from")]


def test_a_missing_column_is_told_once_and_not_for_each_row() -> None:
    reading = town(units="code,parent,floor,column\nX,E1,3,1\nY,E1,3,2\n")
    assert told(reading) == [("missing_column", None, "area_m2")]
    assert told(town(units="parent,floor,column\nE1,3,1\n"))[0] == ("missing_column", None, "code")


def test_files_that_are_no_ledger_are_told() -> None:
    odd = {"a": b"\xff\xff\xff", "b": b"PK\x03\x04junk", "c": b"\xd0\xcf\x11\xe0", "d": b"x,y\n1,2"}
    kinds = [told(read_texts(**{name: content}))[0][0] for name, content in odd.items()]
    assert kinds == ["unreadable_file"] * 3 + ["unknown_sheet"]


def test_periods_that_overlap_are_told() -> None:
    statuses = (
        "code,status,valid_from,valid_to\n"
        "E1-0201,stopped,2025-10-15,2026-04-15\nE1-0201,on,2026-04-01,\n"
    )
    devices = (
        DEVICES.replace("flow_pipe\n", "flow_pipe,valid_from,valid_to\n")
        .replace("own:t/a,room,E1-0101,,\n", "own:t/a,room,E1-0101,,,,2026-01-10\n")
        + "own:t/a,room,E1-0201,,,2026-01-09,\n"
    )  # fmt: skip
    reading = town(statuses=statuses, devices=devices)
    assert told(reading) == [
        ("overlapping_binding", 4, "valid_from"),
        ("overlapping_status", 3, "valid_from"),
    ]
    assert "devices.csv, row 2" in reading.problems[0].en


def test_a_period_that_ends_before_it_begins_is_told() -> None:
    reading = town(statuses="code,status,valid_from,valid_to\nE1-0201,on,2026-04-15,2025-10-15\n")
    assert told(reading) == [("period_backwards", 2, "valid_to")]


def test_an_unknown_profile_is_told_with_the_nearest() -> None:
    devices = "uid,kind,place,profile\nown:t/b,room,E1-0101,em300th\n"
    reading = read_texts(profiles=["em300-th"], places=PLACES, units=UNITS, devices=devices)
    assert told(reading) == [("unknown_profile", 2, "profile")]
    assert reading.problems[0].nearest == "em300-th"


def test_a_part_leaves_out_what_is_wrong_and_what_depends_on_it() -> None:
    reading = read_texts(
        partial=True,
        places=PLACES + "B2,building,C1,House 2,,\nE2,entrance,B2,E,,x\n",
        units=UNITS + "E2-0101,E2,101,82.5,1,1,ground,,\n",
        devices=DEVICES + "own:t/c,room,E2-0101,,\nown:t/d,room,E1-0201,,\n",
    )
    assert told(reading) == [("bad_number", 8, "seq")]
    assert [(str(p.kind), p.sheet, p.file, p.row) for p in reading.left_out] == [
        ("depends", "", "units.csv", 4),
        ("depends", "", "devices.csv", 4),
    ]
    assert "B2" in {place.code for place in reading.ledger.places}
    assert "E2" not in {place.code for place in reading.ledger.places}
    assert [device.uid for device in reading.ledger.devices] == ["own:t/a", "own:t/m", "own:t/d"]


def test_a_file_may_build_on_what_is_known_and_say_only_what_changes() -> None:
    known = town().ledger
    reading = read_texts(
        known,
        units="code,area_m2\nE1-0101,90\n",
        devices="uid,kind,place\nown:t/n,room,E1-0201\n",
        contacts="code,phone\nE1-0101,-\n",
    )
    assert told(reading) == []
    assert reading.ledger.units == (UnitFacts("E1-0101", 90.0, 1, 1, UnitPosition.GROUND),)
    assert reading.ledger.places == (known.places[5],), "the name and the parent stay"
    assert reading.ledger.contacts == (Contact("E1-0101", "王女士", ""),), "a dash forgets"


def test_a_known_device_elsewhere_needs_the_date_of_its_move() -> None:
    known = town().ledger
    undated = read_texts(known, devices="uid,kind,place\nown:t/a,room,E1-0201\n")
    dated = read_texts(
        known, devices="uid,kind,place,valid_from\nown:t/a,room,E1-0201,2026-01-10\n"
    )
    assert told(undated) == [("device_elsewhere", 2, "place")]
    assert told(dated) == []
    assert dated.ledger.devices[0].valid_from == instant(2026, 1, 10)


def test_a_loop_through_what_is_known_is_told() -> None:
    known = town().ledger
    reading = read_texts(known, places="code,parent\nS1,E1\n")
    assert ("loop", 2, "parent") in told(reading)
    assert "S1" in reading.problems[0].en


def test_the_position_of_a_dwelling_follows_from_its_building_if_nobody_says() -> None:
    lines = "".join(f"E1-{f}{c},E1,{f}0{c},80,{f},{c}\n" for f in (1, 2, 3) for c in (1, 2, 3))
    reading = read_texts(places=PLACES, units="code,parent,name,area_m2,floor,column\n" + lines)
    positions = {unit.code: str(unit.position) for unit in reading.ledger.units}
    assert positions["E1-12"] == "ground"
    assert positions["E1-32"] == "top"
    assert positions["E1-21"] == positions["E1-23"] == "gable"
    assert positions["E1-22"] == "middle"


def test_every_problem_has_words_in_both_languages() -> None:
    assert set(SENTENCES) == set(ProblemKind)
    assert all(en and any(ord(sign) > 0x4E00 for sign in zh) for en, zh in SENTENCES.values())


LEDGER = Ledger(
    places=(*town().ledger.places, Place("=2+3", PlaceKind.BUILDING, "C1", "'x", "+1", 4, 45.5, 1)),
    units=town().ledger.units,
    statuses=(
        StatusPeriod("E1-0101", HeatingStatus.ON, None, datetime(2026, 1, 1, 8, 30, tzinfo=UTC)),
        StatusPeriod("E1-0101", HeatingStatus.VACANT, datetime(2026, 1, 2, tzinfo=UTC)),
    ),
    devices=(
        *town().ledger.devices,
        Device(
            "zigbee2mqtt:a b/c", DeviceKind.ROOM, DeviceRole.ROOM, "E1-0201", None, 600, 1.4,
            "th", "=cmd()", datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC),
        ),
    ),
    contacts=(Contact("E1-0101", "王女士", "+4930123456"),),
)  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_is_written_reads_back_as_it_was(language: str, form: str) -> None:
    if form == "csv":
        files = [read_file(*file) for file in csv_files(LEDGER, ZONE, language)]
    else:
        files = [read_file("ledger.xlsx", workbook(LEDGER, ZONE, language))]

    reading = read(files, ZONE)

    assert told(reading) == []
    for part in ("places", "units", "statuses", "devices", "contacts"):
        assert set(getattr(reading.ledger, part)) == set(getattr(LEDGER, part)), part


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_template_has_every_sheet_and_its_examples_are_right(language: str) -> None:
    book = openpyxl.load_workbook(io.BytesIO(template(language)))
    assert book.sheetnames[:5] == [title(sheet, language) for sheet in Sheet]
    known = read_texts(
        places=PLACES.replace(
            "B1,building", "S01-B03-E1,entrance,C1,x,,\nS01-C1,circuit,S1,x,,\nB1,building"
        )
    ).ledger  # what the examples hang on
    reading = read([read_file("t.xlsx", template(language))], ZONE, known=known)
    assert told(reading) == []
    assert [unit.code for unit in reading.ledger.units] == ["S01-B03-E1-0602"]


cell = st.one_of(
    st.none(), st.text(max_size=12), st.integers(), st.floats(), st.booleans(), st.datetimes(),
    st.sampled_from(["P", "S1", "B1", "E1", "E1-0101", "building", "unit", "-", "own:a/b", "meter",
                     "room", "2025-10-15", "supply", "楼栋", "报停", "6层", "1,234.5", "٣"]),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(Sheet), st.lists(st.lists(cell, min_size=3, max_size=9), max_size=3)
    ),
    st.booleans(),
)
def test_reading_never_raises_whatever_stands_in_the_cells(
    pages: dict[Sheet, list[list[Any]]], partial: bool
) -> None:
    from hearthline.registry.tables import Tables, _checked, _table

    tables = [
        _table("f", str(sheet), SHEET_NAMES[sheet][0], [headers(sheet, "en", inline=True), *rows])
        for sheet, rows in pages.items()
    ]
    files = [_checked([table for table in tables if table], ())]
    reading = read([*files, Tables()], ZONE, known=LEDGER, profiles=["x"], partial=partial)
    assert partial or not (reading.problems and reading.ledger != Ledger())
    for problem in (*reading.problems, *reading.left_out):
        assert problem.en
        assert problem.zh


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.binary(max_size=100).map(lambda b: b"PK\x03\x04" + b)))
def test_reading_never_raises_whatever_the_bytes(content: bytes) -> None:
    reading = read([read_file("units.csv", content)], ZONE)
    assert reading.ledger == Ledger() or reading.rows[Sheet.UNITS]
