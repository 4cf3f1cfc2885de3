"""A day's rows from meters and rooms laid out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from analytics.emission import Emitter
from analytics.heat import MeterWindow
from analytics.heatday import Basis, Day, DayWeather, Dwellings, HeatDay, Standard, standards_of
from analytics.metering import Layout, Metering
from hearthline.domain.places import DeviceRole, PlaceKind
from hearthline.domain.policies import PROFILES

START = datetime(2026, 1, 14, 16, tzinfo=UTC)
DAY_MIN = 1440.0
PLACES = [
    ("H", PlaceKind.SOURCE, None),
    ("S", PlaceKind.SUBSTATION, "H"),
    ("C1", PlaceKind.CIRCUIT, "S"),
    ("B1", PlaceKind.BUILDING, "C1"),
    ("B2", PlaceKind.BUILDING, "C1"),
    ("C2", PlaceKind.CIRCUIT, "S"),
    ("B3", PlaceKind.BUILDING, "C2"),
    ("B4", PlaceKind.BUILDING, "C2"),
]
BELOW = {"S": slice(0, 8), "C1": slice(0, 4), "C2": slice(4, 8)} | {
    f"B{n + 1}": slice(2 * n, 2 * n + 2) for n in range(4)
}


def meter(
    heat_kwh: float, supply_c: float, return_c: float, volume_m3: float = 240.0
) -> MeterWindow:
    return MeterWindow(heat_kwh, volume_m3, DAY_MIN, DAY_MIN, 10.0, supply_c - return_c,
                       None, 50.0, 50.0, supply_c, return_c)  # fmt: skip


METERS = {
    ("S", DeviceRole.PRIMARY): [meter(5000.0, 100.0, 50.0)],
    ("C1", DeviceRole.SECONDARY): [meter(3000.0, 60.0, 46.0, 300.0)],
    ("C2", DeviceRole.SECONDARY): [meter(2000.0, 40.0, 34.0, 100.0)],
    ("B1", DeviceRole.BRANCH): [meter(1500.0, 60.0, 48.0)],
    ("B2", DeviceRole.BRANCH): [meter(1500.0, 60.0, 44.0)],
    ("B3", DeviceRole.BRANCH): [meter(1000.0, 40.0, 35.0)],
    ("B4", DeviceRole.BRANCH): [meter(1000.0, 40.0, 33.0)],
}
ROOMS = [20.0, 22.0, 18.0, 20.0, np.nan, np.nan, np.nan, 27.0]


def rows(
    *,
    meters: dict[tuple[str, DeviceRole], list[MeterWindow]] = METERS,
    rooms: list[float] = ROOMS,
    outdoor_c: float | None = -10.0,
) -> dict[str, HeatDay]:
    homes = Dwellings(
        area_m2=np.full(8, 100.0),
        heated=np.ones(8, dtype=bool),
        floor=np.array([1.0, 2.0] * 4),
        room_c=np.array(rooms),
        below=BELOW,
    )
    day = Day(
        day=date(2026, 1, 15),
        start=START,
        stop=START + timedelta(hours=24),
        metering=Metering(Layout.of(PLACES, {}), meters, DAY_MIN),
        dwellings=homes,
        weather=DayWeather(outdoor_c, 40.0),
        standard=Standard(20.0, 24.0),
    )
    return {row.place: row for row in day.rows()}


def test_radiators_and_floors_of_one_station_are_not_compared_with_each_other() -> None:
    found = rows()
    assert found["C1"].emitter is Emitter.RADIATORS
    assert found["C2"].emitter is Emitter.FLOOR
    assert found["C1"].return_spread_k == pytest.approx(2.0)
    assert found["C2"].return_spread_k == pytest.approx(1.0)
    assert found["S"].return_spread_k == pytest.approx(np.sqrt((4.0 + 1.0) / 2.0))


def test_the_stations_secondary_side_is_both_circuits_by_flow() -> None:
    station = rows()["S"]
    assert station.return_c == pytest.approx((46.0 * 300 + 34.0 * 100) / 400)
    assert station.approach_k == pytest.approx(50.0 - 43.0)
    assert station.heat_kwh == 5000.0


def test_floors_buildings_and_overheating_are_told_from_the_measured_rooms_alone() -> None:
    found = rows()
    assert (found["B1"].vertical_k, found["B4"].vertical_k) == (1.0, None)
    assert found["S"].rooms == 5
    assert found["S"].room_coverage == pytest.approx(5 / 8)
    assert found["S"].overheated_share == pytest.approx(1 / 5)
    assert found["B1"].overheated_share == 0.0
    assert found["B3"].overheated_share is None


def test_the_index_says_whether_rooms_were_measured() -> None:
    found = rows()
    assert found["S"].normal_basis is Basis.MEASURED
    assert found["B1"].normal_basis is Basis.ASSUMED  # two rooms
    assert rows(outdoor_c=None)["S"].normal_basis is Basis.NO_WEATHER
    assert rows(outdoor_c=14.0)["S"].normal_basis is Basis.TOO_MILD
    assert rows(outdoor_c=14.0)["S"].normal_w_m2 is None


def test_a_reversed_meter_gives_nothing_and_spoils_nothing_else() -> None:
    turned = replace(METERS["B1", DeviceRole.BRANCH][0], delta_k=-12.0)
    found = rows(meters=METERS | {("B1", DeviceRole.BRANCH): [turned]})
    assert (found["B1"].heat_kwh, found["B1"].balance_degree) == (None, None)
    assert found["C1"].return_spread_k is None  # one building is no spread
    assert found["C1"].heat_kwh == 3000.0


def test_a_rules_own_limit_says_what_is_overheated() -> None:
    standard = standards_of(PROFILES["heilongjiang"])(date(2026, 1, 15))
    assert standard.room_c == 20.0
    assert standard.overheated_c > standard.room_c
