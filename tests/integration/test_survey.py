"""Days of heat on a real database: what meters and rooms said, signatures, once and again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from analytics.balancing import balance_chore
from analytics.heatday import Basis, Standard
from analytics.surveying import survey_days
from hearthline.storage import heat as storage
from hearthline.storage.database import Connection, Database, Row
from tests import heating

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
START = datetime(2026, 1, 14, 16, tzinfo=UTC)  # local midnight
FIRST = date(2026, 1, 15)
KEEPS = ("computed_at",)


def standards(_day: date) -> Standard:
    return Standard(20.0, 24.0)


def survey(database: Database, now: datetime) -> None:
    balance_chore(database, now, SHANGHAI)
    while survey_days(database, now, standards, SHANGHAI).more:
        pass


def days(database: Database, code: str, first: date = FIRST, count: int = 60) -> list[Row]:
    with database.transaction() as connection:
        return storage.days(connection, code, first, first + (count - 1) * DAY)


def weather(connection: Connection, outdoor_c: list[float], start: datetime = START) -> None:
    """Whole days of one outdoor temperature each."""
    device = heating.device_ids(connection)["weather"]
    connection.cursor().executemany(
        "INSERT INTO weather_hour (device_id, hour, n, outdoor_c, covered_min)"
        " VALUES (%s, %s, 6, %s, 60) ON CONFLICT (device_id, hour)"
        " DO UPDATE SET outdoor_c = excluded.outdoor_c",
        [
            (device, start + (24 * n + h) * HOUR, t)
            for n, t in enumerate(outdoor_c)
            for h in range(24)
        ],
    )


def rooms(connection: Connection, building: str, room_c: dict[int, float], count: int = 24) -> None:
    """Hours of the sensors of one building, by floor; two dwellings a floor."""
    ids = heating.device_ids(connection)
    rows = [
        (ids[f"{building}-E1-{floor:02d}{door:02d}"], START + n * HOUR, value)
        for floor, value in room_c.items()
        for door in (1, 2)
        for n in range(count)
    ]
    connection.cursor().executemany(
        "INSERT INTO room_hour (device_id, hour, n, mean_c, min_c, max_c, covered_min)"
        " VALUES (%s, %s, 3, %s, 20, 20, 60)",
        [(device, hour, value) for device, hour, value in rows],
    )


@pytest.fixture
def network(database: Database) -> Database:
    """The metered network with one day of everything, at −10 °C."""
    with database.transaction() as connection:
        heating.save(connection)
        heating.run(connection, START, 24)
        weather(connection, [-10.0])
        rooms(connection, "H-S1-B1", {1: 20.0, 5: 22.0})
        rooms(connection, "H-S1-B2", {1: 25.0, 5: 25.0})
    return database


def test_a_day_says_heat_index_flow_rooms_and_how_even_they_are(network: Database) -> None:
    survey(network, START + DAY + HOUR)
    (building,) = days(network, "H-S1-B1")
    area_m2 = heating.UNITS * heating.UNIT_M2
    assert building["area_m2"] == area_m2
    assert building["heat_kwh"] == pytest.approx(24_000 * 0.95 / 2 * 0.99 * 0.97 / 2, rel=1e-6)
    assert building["index_w_m2"] == pytest.approx(building["heat_kwh"] / 24 / area_m2 * 1000)
    assert (building["supply_c"], building["return_c"]) == pytest.approx((61.0, 46.5))
    assert building["rooms"] == 4
    assert building["room_coverage"] == pytest.approx(4 / 50)
    assert building["room_c"] == pytest.approx(21.0)
    assert building["vertical_k"] == pytest.approx(1.0)
    assert building["emitter"] == "radiators"
    assert building["normal_basis"] == Basis.MEASURED
    factor = (20 + 24.2) / (21 + 10)
    assert building["normal_w_m2"] == pytest.approx(building["index_w_m2"] * factor)
    flow = 24_000 * 0.95 / 2 * 0.99 * 0.97 / 2 / 24 / (1.1499 * 14.5)
    assert building["balance_degree"] == pytest.approx(
        flow / (45 * area_m2 / 1000 / 1.1483 / 25), rel=2e-3
    )


def test_a_station_compares_its_buildings_and_its_exchanger(network: Database) -> None:
    survey(network, START + DAY + HOUR)
    (station,) = days(network, "H-S1")
    assert station["heat_kwh"] == pytest.approx(24_000 * 0.95 / 2, rel=1e-6)  # its primary meter
    assert station["approach_k"] == pytest.approx(55.5 - 47.0)
    assert station["room_c"] == pytest.approx(23.0)
    assert station["horizontal_k"] == pytest.approx(2.0)
    assert station["return_spread_k"] == pytest.approx(0.0, abs=1e-6)
    assert station["overheated_share"] == pytest.approx(0.5)
    assert station["waste_share"] == pytest.approx(1.0 * 4 / (35.0 * 4 + 31.0 * 4), rel=0.02)


def test_without_rooms_the_index_rests_on_the_standard_and_says_so(network: Database) -> None:
    survey(network, START + DAY + HOUR)
    (station,) = days(network, "H-S2")
    assert (station["rooms"], station["room_c"]) == (0, None)
    assert station["normal_basis"] == Basis.ASSUMED
    assert station["normal_w_m2"] == pytest.approx(station["index_w_m2"] * (20 + 24.2) / 30)


def test_a_meter_with_a_gap_gives_no_heat_and_no_index(network: Database) -> None:
    with network.transaction() as connection:
        gone = heating.device_ids(connection)["H-S1-B1"]
        connection.execute(
            "DELETE FROM meter_hour WHERE device_id = %s AND hour < %s", (gone, START + 6 * HOUR)
        )
    survey(network, START + DAY + HOUR)
    (building,) = days(network, "H-S1-B1")
    assert building["metered"] == pytest.approx(0.75)
    assert building["heat_kwh"] is None
    assert building["normal_basis"] == Basis.NO_HEAT


def test_an_unfinished_day_waits_and_is_not_forgotten(network: Database) -> None:
    survey(network, START + DAY - HOUR)
    assert days(network, "H-S1") == []
    survey(network, START + DAY)
    assert len(days(network, "H-S1")) == 1


def test_a_sensor_that_lies_and_a_stopped_dwelling_do_not_count(network: Database) -> None:
    with network.transaction() as connection:
        liar = heating.device_ids(connection)["H-S1-B2-E1-0101"]
        connection.execute(
            "INSERT INTO sensor_grade (device_id, grade, reason, since)"
            " VALUES (%s, 'C', 'stuck', %s)",
            (liar, START - DAY),
        )
        connection.execute(
            "INSERT INTO unit_status (place_id, status, valid) SELECT id, 'stopped',"
            " tstzrange(%s, NULL) FROM place WHERE code = 'H-S1-B2-E1-0102'",
            (START - DAY,),
        )
    survey(network, START + DAY + HOUR)
    (building,) = days(network, "H-S1-B2")
    assert building["rooms"] == 2
    assert building["area_m2"] == 49 * heating.UNIT_M2


def everything(database: Database) -> list[str]:
    with database.transaction() as connection:
        return [
            str({key: value for key, value in row.items() if key not in KEEPS})
            for table in ("heat_day", "heat_signature")
            for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3")  # type: ignore[arg-type]  # noqa: S608
        ]


def season(database: Database, count: int = 20) -> list[float]:
    """Days of heat that follow the weather: 1,000 kW at 0 °C, 50 kW more for each kelvin."""
    outdoor = [-8.0 + 7.0 * ((n * 7) % 11 - 5) / 5 for n in range(count)]
    with database.transaction() as connection:
        heating.save(connection)
        weather(connection, outdoor)
        heating.run(
            connection,
            START,
            24 * count,
            power_kw=lambda at: 1000 - 50 * outdoor[(at - START).days],
        )
    return outdoor


def test_a_signature_is_learnt_from_the_days_before_and_calls_a_quarter(database: Database) -> None:
    outdoor = season(database)
    survey(database, START + 20 * DAY)
    station = days(database, "H-S1")
    assert [row["expected_kwh"] is None for row in station] == [n < 10 for n in range(20)]
    for row in station[11:]:
        assert row["expected_kwh"] == pytest.approx(row["heat_kwh"], rel=0.01)
    with database.transaction() as connection:
        (heat, _supply) = storage.signatures(connection, "H-S1")
    share = 0.95 / 2
    assert heat["per_k"] == pytest.approx(50 * share, rel=0.05)
    assert heat["base"] == pytest.approx(1000 * share, rel=0.05)
    assert not any(row["called"] for row in station)
    with database.transaction() as connection:
        heating.run(
            connection,
            START + 19 * DAY,
            24,
            power_kw=1.35 * (1000 - 50 * outdoor[19]),
            counters=False,
        )
    survey(database, START + 20 * DAY)
    assert days(database, "H-S1")[-1]["called"] == "high"


def test_the_same_rows_give_the_same_answer_whatever_the_order(database: Database) -> None:
    season(database, 14)
    survey(database, START + 14 * DAY)
    once = everything(database)
    assert survey_days(database, START + 14 * DAY, standards, SHANGHAI).days == 0
    with database.transaction() as connection:  # and now day by day, the newest first
        connection.execute("TRUNCATE heat_day, heat_signature, dirty_heat_day")
    for n in reversed(range(14)):
        with database.transaction() as connection:
            storage.return_marks(connection, [START + n * DAY])
        survey_days(database, START + 14 * DAY, standards, SHANGHAI)
    assert everything(database) == once
