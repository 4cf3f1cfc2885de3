"""The outlook on a real database: rows in, estimates, forecasts and places for sensors out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analytics.outlook import chore
from hearthline.cli import app
from hearthline.domain.policies import PROFILES
from hearthline.settings import Settings
from hearthline.storage import analysis, outlook
from hearthline.storage.database import Connection, Database
from tests import builders
from tests.builders import HOUR, falling, steady

NOW = datetime(2026, 1, 14, 4, 30, tzinfo=UTC)
AT = datetime(2026, 1, 14, 4, 0, tzinfo=UTC)
LEDGER = builders.town(builders.TownPlan(floors=4))
UNITS = [unit.code for unit in LEDGER.units]
UNSEEN = UNITS[::4]
FALLING = UNITS[1]
PROFILE = PROFILES["standard-20"]


@pytest.fixture
def looked(database: Database, connection: Connection) -> Connection:
    """Five days of a town in which one dwelling has been falling for eight hours."""
    with connection.transaction():
        builders.save(connection, LEDGER)
        for code in UNITS:
            if code in UNSEEN:
                continue
            course = steady(21.5)
            if code == FALLING:
                course = falling(21.5, 17.5, AT - 8 * HOUR)
            builders.room_series(connection, code, AT - timedelta(minutes=20), course, hours=119)
        builders.weather_series(connection, "T-weather", NOW, -15.0, hours=120)
        analysis.set_progress(connection, chore.ANALYSED, AT)
    assert chore.make(database, PROFILE, NOW) is not None
    return connection


def test_every_dwelling_has_an_estimate_and_says_whether_it_was_measured(
    looked: Connection,
) -> None:
    """A dwelling without a sensor lies near its neighbours, within an interval it states."""
    for code in UNITS:
        row = outlook.unit(looked, code)
        assert row is not None
        assert row["measured"] == (code not in UNSEEN)
    unseen = outlook.unit(looked, UNSEEN[3])
    assert unseen is not None
    assert abs(unseen["day_c"] - 21.5) < unseen["day_half_k"] < 3.0


def test_a_falling_dwelling_heads_the_list_before_it_is_cold(looked: Connection) -> None:
    """It is said when it will be as likely as not below the standard."""
    first = outlook.units(looked, limit=1)[0]
    assert first["code"] == FALLING
    assert first["chance_24h"] > 0.5
    row = outlook.unit(looked, FALLING)
    assert row is not None
    means, halves = outlook.ahead(row["ahead"])
    assert len(means) == len(halves) == outlook.LEADS
    assert halves[47] > halves[0]


def test_one_outlook_is_kept_and_an_hour_is_not_done_twice(
    looked: Connection, database: Database
) -> None:
    """The chore goes by event time; nothing new, nothing done; a new hour replaces the old one."""
    assert chore.make(database, PROFILE, NOW + HOUR) is None
    before = outlook.newest(looked)
    with looked.transaction():
        analysis.set_progress(looked, chore.ANALYSED, AT + HOUR)
    made = chore.make(database, PROFILE, NOW + HOUR)
    assert made is not None
    assert made.at == AT + HOUR
    assert outlook.newest(looked)["at"] == before["at"] + HOUR
    count = looked.execute("SELECT count(*) AS n FROM outlook_unit").fetchone()
    assert count is not None
    assert count["n"] == len(UNITS)


def test_without_a_weather_forecast_it_says_so_and_with_one_it_counts_the_hours(
    looked: Connection, database: Database
) -> None:
    """A forecast issued later than the outlook's hour is not used: nobody had it."""
    assert outlook.newest(looked)["forecast_h"] == 0
    hours = [AT + timedelta(hours=h + 0.5) for h in range(36)]
    plain = {"wind_ms": None, "solar_wm2": None}
    with looked.transaction():
        outlook.keep_weather(
            looked,
            [{"issued_at": AT - HOUR, "time": at, "outdoor_c": -25.0, **plain} for at in hours],
        )
        outlook.keep_weather(
            looked,
            [{"issued_at": AT + HOUR, "time": at, "outdoor_c": 5.0, **plain} for at in hours],
        )
    chore.make(database, PROFILE, NOW, again=True)
    run = outlook.newest(looked)
    assert 36 <= run["forecast_h"] < 48
    assert run["issued_at"] == AT - HOUR
    assert run["outdoor_c"][10] == pytest.approx(-25.0)


def test_places_for_sensors_are_dwellings_without_one(looked: Connection) -> None:
    """Each place is named once for an aim, and none has a sensor yet."""
    for aim in ("cold", "uncertainty"):
        rows = outlook.sensors(looked, aim, 50)
        codes = [row["code"] for row in rows]
        assert set(codes) == set(UNSEEN)
        assert len(codes) == len(set(codes))
        assert all(row["after_k"] < row["before_k"] for row in rows[:3])


def test_a_sample_is_kept_and_compared_with_what_came(
    looked: Connection, database: Database
) -> None:
    """Once the hours have passed, the forecasts' errors stand beside those of persistence."""
    assert outlook.skill(looked, AT - HOUR) == []
    with looked.transaction():
        for code in UNITS:
            if code not in UNSEEN:
                builders.room_series(looked, code, AT + 50 * HOUR, steady(21.4), hours=50)
    rows = outlook.skill(looked, AT - HOUR)
    assert [row["lead_h"] for row in rows] == [12, 24, 48]
    assert all(row["samples"] == len(UNITS) - len(UNSEEN) for row in rows)
    assert rows[0]["error_k"] < 1.5
    assert rows[0]["covered"] > 0.8


def test_a_lying_sensor_is_not_believed(looked: Connection, database: Database) -> None:
    """A sensor of grade C is left out, and its dwelling is estimated."""
    with looked.transaction():
        device = builders.device_id(looked, f"own:t/{UNITS[2]}")
        looked.execute(
            "INSERT INTO sensor_grade (device_id, grade, reason, since)"
            " VALUES (%s, 'C', 'stuck', %s)",
            (device, AT),
        )
    chore.make(database, PROFILE, NOW, again=True)
    row = outlook.unit(looked, UNITS[2])
    assert row is not None
    assert not row["measured"]


def test_every_command_answers_people_and_machines(
    looked: Connection,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Tables for people, one JSON object for machines, and the weather taken in from a file."""
    monkeypatch.setenv("HEARTHLINE_DATABASE_URL", settings.database_url or "")
    weather = tmp_path / "weather.csv"
    weather.write_text("time,outdoor_c\n2026-01-14T13:00,-18\n", "utf-8")

    def said(*words: str) -> str:
        assert not app(list(words), exit_on_error=False, result_action="return_value")
        return capsys.readouterr().out

    assert json.loads(said("outlook", "show", "--json"))["totals"]["units"] == len(UNITS)
    assert "kWh" in said("outlook", "waste")
    assert "without a sensor" in said("outlook", "show")
    assert len(json.loads(said("outlook", "unit", FALLING, "--json"))["ahead"]) == outlook.LEADS
    assert "last hour" in said("outlook", "unit", FALLING)
    places = json.loads(said("placement", "--count", "2", "--under", "T-S1", "--json"))["places"]
    assert all(place["code"] in UNSEEN and "T-S1" in place["code"] for place in places)
    assert json.loads(said("outlook", "weather", str(weather), "--json"))["points"] == 1
    assert json.loads(said("outlook", "skill", "--json"))["leads"] == []
