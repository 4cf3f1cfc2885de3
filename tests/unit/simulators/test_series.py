"""Measured files: both shapes, and every bad row with its line and reason."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hearthline.domain.places import DeviceKind
from simulators.series import (
    RowProblem,
    Rows,
    SeriesError,
    all_series,
    dwelling_of,
    open_series,
    read,
)


def file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_comma_file_takes_its_zone_from_the_column_name(tmp_path: Path) -> None:
    path = file(tmp_path, "R2_indoor1.csv", "t_UTC+2,T,RH\n2010-11-23 00:00:00,21.25,38.15\n")
    (sample,) = read(open_series(path), Rows())
    assert datetime.fromtimestamp(sample.at_s, UTC) == datetime(2010, 11, 22, 22, tzinfo=UTC)
    assert sample.quantities == {"temperature_c": 21.25, "humidity_pct": 38.15}


@pytest.mark.parametrize(("column", "hour"), [("t_UTC", 0), ("t_UTC-5", 5), ("t_UTC+8", 16)])
def test_other_zones(tmp_path: Path, column: str, hour: int) -> None:
    path = file(tmp_path, "a.csv", f"{column},T\n2010-11-23 00:00:00,21\n")
    (sample,) = read(open_series(path), Rows())
    assert datetime.fromtimestamp(sample.at_s, UTC).hour == hour


def test_half_hour_zones(tmp_path: Path) -> None:
    path = file(tmp_path, "a.csv", "t_UTC+5:30,T\n2010-11-23 06:00:00,21\n")
    (sample,) = read(open_series(path), Rows())
    assert datetime.fromtimestamp(sample.at_s, UTC).minute == 30


def test_weather_columns_get_the_domains_names(tmp_path: Path) -> None:
    text = "t_UTC+2,Te,RHe,Rdif,Rglob,ws,wd,precip\n2010-11-15 00:00:00,3.1,100,0,5,2.6,170,0.6\n"
    series = open_series(file(tmp_path, "R4_fmi.csv", text))
    (sample,) = read(series, Rows())
    assert series.kind is DeviceKind.WEATHER
    assert sample.quantities == {
        "outdoor_c": 3.1,
        "humidity_pct": 100.0,
        "solar_wm2": 5.0,
        "wind_ms": 2.6,
    }


def test_a_tab_file_holds_unix_seconds(tmp_path: Path) -> None:
    series = open_series(file(tmp_path, "Kitchen_Temperature.csv", "1489021955\t17.48\n"))
    (sample,) = read(series, Rows())
    assert series.kind is DeviceKind.ROOM
    assert sample.at_s == 1489021955


def test_an_outdoor_tab_file_is_weather(tmp_path: Path) -> None:
    series = open_series(file(tmp_path, "Room2_OutdoorTemperature.csv", "1489021955\t7.3\n"))
    assert series.kind is DeviceKind.WEATHER


BAD = """t_UTC+2,T,RH
2010-11-23 00:00:00,21.25,38.15
2010-11-23 01:00:00,nan,38.15
2010-11-23 02:00:00,warm,38.15
23.11.2010 03:00,21.0,38.15
2010-11-23 04:00:00
2010-11-23 05:00:00,,38.15

2010-11-23 00:00:00,21.30,38.15
2010-11-23 06:00:00,21.30,
"""


def test_every_bad_row_is_noted_with_its_line_and_reason(tmp_path: Path) -> None:
    rows = Rows()
    samples = read(open_series(file(tmp_path, "a.csv", BAD)), rows)
    assert [(bad.line, bad.problem) for bad in rows.noted] == [
        (3, RowProblem.NOT_A_NUMBER),
        (4, RowProblem.NOT_A_NUMBER),
        (5, RowProblem.BAD_TIME),
        (6, RowProblem.WRONG_WIDTH),
        (7, RowProblem.NO_VALUE),
        (9, RowProblem.REPEATED_TIME),
    ]
    assert (rows.rows, rows.good, sum(rows.bad.values())) == (8, 2, 6)
    assert samples[-1].quantities == {"temperature_c": 21.3}


def test_rows_out_of_order_are_sorted(tmp_path: Path) -> None:
    path = file(tmp_path, "a.csv", "20\t1\n10\t2\n30\t3\n")
    assert [sample.at_s for sample in read(open_series(path), Rows())] == [10, 20, 30]


@pytest.mark.parametrize("text", ["", "hello\n", "time,T\n2010,1\n", "t_UTC+2,RH\n2010,1\n"])
def test_what_is_no_series_says_so(tmp_path: Path, text: str) -> None:
    with pytest.raises(SeriesError, match=r"a\.csv: "):
        open_series(file(tmp_path, "a.csv", text))


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(SeriesError, match="cannot be read"):
        open_series(tmp_path / "none.csv")


def test_two_files_of_one_name_cannot_be_told_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        file(tmp_path / folder, "Kitchen.csv", "10\t20\n")
    with pytest.raises(SeriesError, match="2 files are called Kitchen"):
        all_series([tmp_path / "a", tmp_path / "b"])


def test_files_belong_to_a_dwelling_by_name_or_folder(tmp_path: Path) -> None:
    (tmp_path / "flat").mkdir()
    one = open_series(file(tmp_path, "R2_indoor1.csv", "10\t20\n"))
    other = open_series(file(tmp_path / "flat", "Room1_Temperature.csv", "10\t20\n"))
    assert (dwelling_of(one), dwelling_of(other)) == ("R2", "flat")
