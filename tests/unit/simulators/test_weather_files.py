"""Weather out of EPW and CSV files, and every sentence about a specification that is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from simulators.scenario import WeatherSpec
from simulators.scenario import file as scenario_file
from simulators.weather import Climate, problems, resolve
from simulators.weather.recorded import FileError
from simulators.weather.sun import diffuse_of, place

HOUR = 3600.0
ANCHOR = datetime(2026, 1, 14, 22, 0, tzinfo=UTC)
"""Six in the morning in China."""
MEASURED = Path(__file__).parents[4] / "shared" / "data" / "dwellings" / "R4_fmi.csv"
"""Measured series are kept beside the checkout, where there are any."""
TOWN = scenario_file.read("town")[0]
Change = Callable[[int, list[str]], None]


def outdoor(hour: int) -> float:
    """The dry bulb of the made-up year at the end of its hour-th hour, °C."""
    return round(-10.0 + 0.001 * hour + 5.0 * math.sin(hour * math.pi / 12.0), 1)


def nothing(index: int, cells: list[str]) -> None:
    """Leave a row as it is."""


def epw(tmp_path: Path, change: Change = nothing, *, days: int = 365) -> Path:
    """A year at 45° N whose sun shines 300 W/m² direct and 50 diffuse from 8 to 16 o'clock."""
    lines = ["LOCATION,Testville,-,CHN,made up,000000,45.0,120.0,8.0,100.0"]
    lines += ["DESIGN CONDITIONS,0", "TYPICAL/EXTREME PERIODS,0", "GROUND TEMPERATURES,0"]
    lines += ["HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0", "COMMENTS 1,", "COMMENTS 2,"]
    lines += ["DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31"]
    for index in range(days * 24):
        day = date(2023 if days < 366 else 2024, 1, 1) + timedelta(days=index // 24)
        hour = index % 24 + 1
        shines = 9 <= hour <= 16
        cells = ["0"] * 35
        cells[0:5] = ["2023", str(day.month), str(day.day), str(hour), "60"]
        cells[6], cells[8], cells[21] = str(outdoor(index + 1)), "55", "2.5"
        cells[13:16] = ["150", "300", "50"] if shines else ["0", "0", "0"]
        change(index, cells)
        lines.append(",".join(cells))
    path = tmp_path / "testville.epw"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def setting(column: int, value: str, first: int, last: int) -> Change:
    """Put a value into a column of rows first to last (counted from 0)."""

    def change(index: int, cells: list[str]) -> None:
        if first <= index <= last:
            cells[column] = value

    return change


def csv(tmp_path: Path, hours: int = 240, leave_out: frozenset[int] = frozenset()) -> Path:
    """An hourly file from the first of January 2023 whose Te counts the hours."""
    lines = ["t_UTC+2,Te,RHe,Rdif,Rglob,ws,wd,precip"]
    for hour in range(hours):
        if hour in leave_out:
            continue
        at = datetime(2023, 1, 1) + timedelta(hours=hour)  # noqa: DTZ001 - the file's local time
        sun = (40.0, 200.0) if 10 <= at.hour <= 14 else (0.0, 0.0)
        lines.append(f"{at},{hour / 10:.2f},80.00,{sun[0]},{sun[1]},4.0,170.00,0.00")
    path = tmp_path / "measured.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def climate(path: Path, day_of_year: int = 15, anchor: datetime = ANCHOR) -> Climate:
    weather = WeatherSpec(file=str(path), day_of_year=day_of_year)
    return Climate(msgspec.structs.replace(TOWN, weather=weather), 7, anchor)


def sentence(path: Path, **said: float) -> str:
    """The one problem of a file."""
    ((where, says),) = problems(WeatherSpec(file=str(path), **said))  # type: ignore[arg-type]
    assert where == ("file",)
    return says


# EPW ----------------------------------------------------------------------------------------------


def test_the_anchors_day_and_local_hour_choose_the_row_of_an_epw_file(tmp_path: Path) -> None:
    asked = climate(epw(tmp_path))
    first = 14 * 24 + 6
    assert asked.at(0.0).outdoor_c == outdoor(first)
    assert asked.at(5 * HOUR).outdoor_c == outdoor(first + 5)
    assert asked.at(-100 * HOUR).outdoor_c == outdoor(first - 100)
    between = (outdoor(first) + outdoor(first + 1)) / 2.0
    assert asked.at(HOUR / 2.0).outdoor_c == pytest.approx(between, abs=1e-6)
    now = asked.at(0.0)
    assert (now.wind_ms, now.humidity_pct, now.local_hour) == (2.5, 55.0, 6.0)


def test_an_epw_file_wraps_over_the_end_of_the_year(tmp_path: Path) -> None:
    asked = climate(epw(tmp_path), day_of_year=365)
    assert asked.at(24 * HOUR).outdoor_c == outdoor(6)
    assert asked.at((24 + 8760) * HOUR).outdoor_c == outdoor(6)
    midnight = asked.at(17.5 * HOUR).outdoor_c
    assert midnight == pytest.approx((outdoor(8759) + outdoor(8760)) / 2.0, abs=1e-6)


def test_a_leap_year_and_a_common_year_both_have_a_last_day(tmp_path: Path) -> None:
    assert climate(epw(tmp_path), day_of_year=366).at(0.0).outdoor_c == outdoor(364 * 24 + 6)
    leap = climate(epw(tmp_path, days=366), day_of_year=366)
    assert leap.at(0.0).outdoor_c == outdoor(365 * 24 + 6)


def test_the_south_wall_gets_the_beam_by_geometry_and_half_of_sky_and_snow(tmp_path: Path) -> None:
    now = climate(epw(tmp_path)).at(5.5 * HOUR)  # half past eleven, the middle of an hour
    sun = place(15.0, 11.5, 45.0)
    assert now.solar_wm2 == 150.0
    assert now.south_wm2 == pytest.approx(300.0 * sun.facing + 25.0 + 0.3 * 150.0, abs=1e-3)
    assert now.south_wm2 > now.solar_wm2


def test_there_is_no_sun_at_night(tmp_path: Path) -> None:
    asked = climate(epw(tmp_path))
    assert all(asked.at(hour * HOUR).south_wm2 == 0.0 for hour in (-8, -1, 0, 12, 17))


def test_missing_codes_are_interpolated_and_need_not_be_radiation(tmp_path: Path) -> None:
    gap = setting(6, "99.9", 340, 345)
    asked = climate(epw(tmp_path, gap))
    start, end = outdoor(340), outdoor(347)
    got = asked.at((343 - 14 * 24 - 6) * HOUR).outdoor_c
    assert got == pytest.approx(start + (end - start) * 3.0 / 7.0, abs=1e-6)
    calm = climate(epw(tmp_path, setting(21, "999", 0, 8759)))
    assert calm.at(0.0).wind_ms == 3.0


def test_missing_global_radiation_comes_from_direct_and_diffuse(tmp_path: Path) -> None:
    asked = climate(epw(tmp_path, setting(13, "9999", 0, 8759)))
    height = place(15.0, 11.5, 45.0).height
    assert asked.at(5.5 * HOUR).solar_wm2 == pytest.approx(300.0 * height + 50.0, abs=1e-3)


def test_without_direct_and_diffuse_the_split_of_erbs_is_used(tmp_path: Path) -> None:
    def only_global(index: int, cells: list[str]) -> None:
        cells[14] = cells[15] = "9999"

    now = climate(epw(tmp_path, only_global)).at(5.5 * HOUR)
    sun = place(15.0, 11.5, 45.0)
    diffuse = diffuse_of(sun, 150.0, 15.0)
    beam = (150.0 - diffuse) / sun.height
    assert 50.0 < diffuse < 150.0
    assert now.south_wm2 == pytest.approx(beam * sun.facing + diffuse / 2.0 + 45.0, abs=1e-3)


@pytest.mark.parametrize(("clear", "share"), [(0.1, 0.991), (0.5, 0.6592), (0.9, 0.165)])
def test_the_diffuse_share_is_that_of_erbs(clear: float, share: float) -> None:
    sun = place(80.0, 12.0, 45.0)
    above = 1361.0 * (1.0 + 0.033 * math.cos(2.0 * math.pi * 80.0 / 365.0)) * sun.height
    got = diffuse_of(sun, clear * above, 80.0) / (clear * above)
    assert got == pytest.approx(share, abs=1e-3)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            setting(6, "99.9", 340, 346),
            "testville.epw: line 349: dry-bulb temperature is missing for 7 h; "
            "up to 6 h can be interpolated",
        ),
        (setting(6, "warm", 2, 2), "testville.epw: line 11: field 7 is not a number: 'warm'"),
        (
            setting(3, "7", 4, 4),
            "testville.epw: line 13: expected month, day, hour (1, 1, 5), got (1, 1, 7)",
        ),
        (
            setting(2, "x", 4, 4),
            "testville.epw: line 13: month, day and hour are not numbers: '1,x,5'",
        ),
        (
            lambda index, cells: cells.clear() if index == 0 else None,
            "testville.epw: has 8759 rows of weather; hourly rows of one whole year "
            "(8760, or 8784 in a leap year) are needed",
        ),
        (
            lambda index, cells: cells.__delitem__(slice(10, None)) if index == 9 else None,
            "testville.epw: line 18: has 10 fields; at least 22 are needed",
        ),
    ],
)
def test_a_bad_epw_file_is_told_with_its_line(tmp_path: Path, change: Change, says: str) -> None:
    assert sentence(epw(tmp_path, change)) == says


def test_an_epw_file_without_any_radiation_is_refused(tmp_path: Path) -> None:
    def dark(index: int, cells: list[str]) -> None:
        cells[13] = cells[14] = cells[15] = "9999"

    assert "radiation is missing for 8760 h" in sentence(epw(tmp_path, dark))


def test_many_bad_rows_are_cut_short(tmp_path: Path) -> None:
    found = problems(WeatherSpec(file=str(epw(tmp_path, setting(6, "x", 0, 99)))))
    assert len(found) == 6
    assert found[-1] == (("file",), "testville.epw: and 95 more")


@pytest.mark.parametrize(
    ("first", "says"),
    [
        ("PLACE,x", "expected 'LOCATION,city,…,latitude,longitude,time zone,elevation', got"),
        ("LOCATION,a,b,c,d,e,north,1,2,3", "latitude, longitude and time zone are not numbers"),
        ("LOCATION,a,b,c,d,e,145,1,2,3", "no place on earth has latitude 145, longitude 1"),
    ],
)
def test_a_bad_epw_header_is_told(tmp_path: Path, first: str, says: str) -> None:
    path = epw(tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([first, *lines[1:]]), encoding="utf-8")
    assert says in sentence(path)


# CSV ----------------------------------------------------------------------------------------------


def test_the_first_such_day_of_a_csv_file_holds_the_anchor(tmp_path: Path) -> None:
    asked = climate(csv(tmp_path), day_of_year=3)
    assert asked.at(0.0).outdoor_c == 5.4
    assert asked.at(90 * 60.0).outdoor_c == pytest.approx(5.55)
    now = asked.at(6 * HOUR)
    assert (now.solar_wm2, now.wind_ms, now.humidity_pct) == (200.0, 4.0, 80.0)
    assert now.south_wm2 > 200.0


def test_before_and_after_a_csv_file_its_first_and_last_day_repeat(tmp_path: Path) -> None:
    asked = climate(csv(tmp_path), day_of_year=3)
    assert asked.at(-100 * HOUR).outdoor_c == pytest.approx(0.2)
    assert asked.at(-54 * HOUR).outdoor_c == pytest.approx(0.0)
    assert asked.at((239 - 54 + 24 * 7) * HOUR).outdoor_c == pytest.approx(23.9)
    assert asked.at((239 - 54 + 24 * 7 + 3) * HOUR).outdoor_c == pytest.approx(21.8)


def test_gaps_of_six_hours_are_interpolated_and_longer_ones_are_told(tmp_path: Path) -> None:
    asked = climate(csv(tmp_path, leave_out=frozenset(range(60, 66))), day_of_year=3)
    assert asked.at(9 * HOUR).outdoor_c == pytest.approx(6.3)
    says = sentence(csv(tmp_path, leave_out=frozenset(range(60, 67))), day_of_year=3)
    assert says == (
        "measured.csv: Te is missing between 2023-01-03 11:00 and 2023-01-03 19:00; "
        "up to 6 h can be interpolated"
    )


def test_a_gap_names_the_first_row_that_was_refused(tmp_path: Path) -> None:
    path = csv(tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[50:60] = [line.replace(",80.00,", ",?,") for line in lines[50:60]]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert "(first refused row: line 51, not_a_number:" in sentence(path, day_of_year=3)


def test_a_csv_file_must_hold_the_day_and_reach_as_far_as_the_history(tmp_path: Path) -> None:
    path = csv(tmp_path)
    says = "measured.csv: has no day 15 of a year (it runs from day 1 to day 10, 10 days)"
    assert sentence(path) == says
    spec = WeatherSpec(file=str(path), day_of_year=3)
    assert problems(spec, timedelta(days=7)) == []
    assert problems(spec, timedelta(days=9)) == [
        (
            ("file",),
            "measured.csv: ends 8.0 days after day 3 of the year begins; 10.0 days are needed",
        )
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected a header like 't_UTC+2,T,RH'"),
        ("t_UTC+2,T,RH\n2023-01-01 00:00:00,20,40\n", "expected a header with Te and Rglob"),
        ("t_UTC+2,Te\n2023-01-01 00:00:00,1\n", "line 1: has no column Rglob"),
        ("t_UTC+2,Te,Rglob\n2023-01-01 00:00:00,1,0\n", "less than one day of readable rows"),
        (
            "t_UTC+2,Te,Rglob\nyesterday,1,0\n",
            "readable rows (first refused row: line 2, bad_time: 'yesterday,1,0')",
        ),
    ],
)
def test_a_file_that_is_no_weather_series_is_told(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(text, encoding="utf-8")
    assert says in sentence(path)


@pytest.mark.parametrize("name", ["nowhere.csv", "nowhere.epw"])
def test_a_file_that_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    says = sentence(tmp_path / name)
    assert says.startswith(f"{name}: cannot be read:")
    assert "No such file or directory" in says


def test_a_climate_of_a_bad_file_says_why(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        climate(tmp_path / "nowhere.epw").at(0.0)


@pytest.mark.skipif(not MEASURED.is_file(), reason="the measured series are not on this machine")
def test_a_measured_winter_can_be_replayed() -> None:
    spec = WeatherSpec(file=str(MEASURED), day_of_year=335)
    assert problems(spec, timedelta(days=90)) == []
    asked = climate(MEASURED, day_of_year=319, anchor=datetime(2026, 1, 14, 16, 0, tzinfo=UTC))
    assert (asked.at(0.0).outdoor_c, asked.at(0.0).wind_ms) == (3.1, 2.6)
    course = [asked.at(hour * HOUR) for hour in range(24 * 120)]
    assert min(now.outdoor_c for now in course) < -20.0
    assert max(now.south_wm2 for now in course) > 300.0
    assert all(now.south_wm2 < 1300.0 for now in course)


# Specifications -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        (WeatherSpec(), [((), "needs one of level, preset or file")]),
        (
            WeatherSpec(level=((timedelta(0), -5.0),), preset="harbin"),
            [((), "says level and preset; only one of them can be")],
        ),
        (
            WeatherSpec(preset="atlantis"),
            [
                (
                    ("preset",),
                    "there is no climate 'atlantis'; known: harbin, changchun, shenyang, beijing",
                )
            ],
        ),
        (
            WeatherSpec(level=((timedelta(hours=5), -5.0), (timedelta(hours=2), -6.0))),
            [
                (
                    ("level", 1),
                    "needs points in ascending time, but 2:00:00 follows 5:00:00",
                )
            ],
        ),
        (
            WeatherSpec(preset="harbin", cold_snaps_per_month=8.0),
            [(("cold_snaps_per_month",), "cannot exceed 6.1 (one every five days), got 8")],
        ),
        (WeatherSpec(preset="beijing", wind_ms=4.0, cold_snap_k=12.0), []),
        (WeatherSpec(level=((timedelta(0), -5.0),)), []),
    ],
)
def test_a_contradictory_specification_is_told(
    spec: WeatherSpec, found: list[tuple[tuple[str | int, ...], str]]
) -> None:
    assert problems(spec) == found


def test_what_has_no_meaning_beside_a_file_is_told(tmp_path: Path) -> None:
    spec = WeatherSpec(file=str(csv(tmp_path)), day_of_year=3, cloud=0.3)
    assert problems(spec) == [
        (("cloud",), "has no meaning beside file: its weather is used as it is")
    ]


def test_a_relative_file_lies_beside_the_scenario(tmp_path: Path) -> None:
    spec = WeatherSpec(file="weather/a.epw", day_of_year=3)
    assert resolve(spec, tmp_path) == WeatherSpec(
        file=str(tmp_path / "weather" / "a.epw"), day_of_year=3
    )
    absolute = WeatherSpec(file=str(tmp_path / "b.epw"))
    assert resolve(absolute, Path("/elsewhere")) == absolute
    assert resolve(WeatherSpec(preset="harbin"), tmp_path) == WeatherSpec(preset="harbin")


def test_all_three_ways_can_be_written_in_a_scenario_file() -> None:
    for said in ("{preset: harbin, wind_ms: 4}", "{file: a.epw}", "{level: [[0h, -5]], cloud: 0}"):
        scenario, _ = scenario_file.parse(f"extends: town\nweather: {said}\n")
        assert isinstance(scenario.weather, WeatherSpec)
