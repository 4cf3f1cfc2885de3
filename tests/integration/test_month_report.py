"""The monthly report on a real database: fifteen figures, each traceable to its rows."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from analytics import reporting
from analytics.balancing import balance_chore
from analytics.heatday import Standard
from analytics.monthly import ITEMS, ZoneReport
from analytics.surveying import survey_days
from hearthline.cli import app
from hearthline.domain.policies import DayVerdict
from hearthline.errors import Invalid, NotFound
from hearthline.registry.sheets import workbook
from hearthline.storage.database import Connection, Database
from tests import builders, heating

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
START = datetime(2025, 12, 31, 16, tzinfo=UTC)  # local midnight of 1 January
COUNT = 8
TODAY = date(2026, 1, 9)


@pytest.fixture
def network(database: Database) -> Database:
    """Eight days of January: weather that changes, heat that follows, rooms, verdicts."""
    outdoor = [-12.0 + 6.0 * ((n * 7) % 11 - 5) / 5 for n in range(COUNT)]
    with database.transaction() as connection:
        heating.save(connection)
        heating.run(
            connection, START, 24 * COUNT,
            power_kw=lambda at: 900 - 45 * outdoor[(at - START).days],
        )  # fmt: skip
        ids = heating.device_ids(connection)
        _weather(connection, ids["weather"], outdoor)
        for floor in (1, 3, 5):
            _room(connection, ids[f"H-S1-B1-E1-{floor:02d}01"], 20.0 + floor)
            _room(connection, ids[f"H-S1-B2-E1-{floor:02d}01"], 19.0 + floor / 2)
        for n in range(COUNT):
            verdict = DayVerdict.BELOW if n < 3 else DayVerdict.COMPLIANT
            builders.unit_day(
                connection, "H-S1-B2-E1-0101", date(2026, 1, 1) + n * DAY,
                verdict=verdict, below_min=720.0 if n < 3 else 0.0,
            )  # fmt: skip
    now = START + COUNT * DAY + HOUR
    balance_chore(database, now, SHANGHAI)
    while survey_days(database, now, lambda _: Standard(20.0, 24.0), SHANGHAI).more:
        pass
    return database


def _weather(connection: Connection, device: int, outdoor: list[float]) -> None:
    connection.cursor().executemany(
        "INSERT INTO weather_hour (device_id, hour, n, outdoor_c, covered_min)"
        " VALUES (%s, %s, 6, %s, 60)",
        [
            (device, START + (24 * n + h) * HOUR, t)
            for n, t in enumerate(outdoor)
            for h in range(24)
        ],
    )


def _room(connection: Connection, device: int, room_c: float) -> None:
    connection.cursor().executemany(
        "INSERT INTO room_hour (device_id, hour, n, mean_c, min_c, max_c, covered_min)"
        " VALUES (%s, %s, 3, %s, 20, 20, 60)",
        [(device, START + n * HOUR, room_c) for n in range(24 * COUNT)],
    )


def reported(database: Database, zone: str | None = None) -> list[ZoneReport]:
    with database.transaction() as connection:
        return reporting.month_report(connection, "2026-01", TODAY, zone)


def values(report: ZoneReport) -> dict[str, float | None]:
    return {figure.item.key: figure.value for figure in report.figures}


def test_a_zone_has_fifteen_figures_and_they_are_what_was_built_in(network: Database) -> None:
    one, two = reported(network)
    assert len(ITEMS) == len(one.figures) == 15
    found = values(one)
    area = 2 * heating.UNITS * heating.UNIT_M2
    power = 900 + 45 * 12.0 - 45 * 6 / 5 * sum((n * 7) % 11 - 5 for n in range(COUNT)) / COUNT
    heat = power * 24 * COUNT * 0.95 / 2
    assert found["heat_supplied"] == pytest.approx(heat, rel=1e-4)
    assert found["index_raw"] == pytest.approx(heat * 1000 / (area * 24 * COUNT), rel=1e-4)
    assert found["loss_share"] == pytest.approx(0.03, abs=1e-4)
    assert found["coverage"] == pytest.approx(1.0)
    assert found["room_mean"] == pytest.approx((23 + 20.5) / 2)
    assert found["room_spread"] == pytest.approx(1.25)
    assert found["unit_days_below"] == 3
    assert found["compliance"] == pytest.approx(1 - 3 * 720 / (COUNT * 1440))
    assert found["approach"] == pytest.approx(8.5)
    assert found["return_spread"] == pytest.approx(0.0, abs=1e-6)
    assert found["degree_spread"] == pytest.approx(0.0, abs=1e-6)
    assert found["makeup_share"] is not None
    assert 0 < found["makeup_share"] < 0.01
    assert found["curve_gap"] is None  # a curve is learnt from ten days
    bare = {figure.item.key: figure for figure in two.figures}
    assert bare["room_mean"].value is None
    assert bare["room_mean"].reason
    assert bare["index_normal"].note == "assumed"


def test_every_figure_follows_again_from_the_rows_that_its_statement_fetches(
    network: Database,
) -> None:
    report = reported(network, "H-S1")[0]
    with network.transaction() as connection:
        for figure, plain in zip(report.figures, reporting.as_plain(report)["items"], strict=True):
            item = figure.item
            fetched = connection.execute(plain["trace"]["statement"]).fetchall()
            rows = [
                row
                for row in ({"stage": "distribution"} | row for row in fetched)
                if all(row[name] is not None for name in item.columns)
            ]
            if item.prefer is not None:
                rows = [row for row in rows if item.prefer(row)] or rows
            assert len(rows) == len(figure.rows), item.key
            again = item.of([_floats(row) for row in rows], report.zone)[0] if rows else None
            assert again == pytest.approx(figure.value), item.key


def _floats(row: dict[str, Any]) -> dict[str, Any]:
    keep = {"day", "stage", "building", "normal_basis"}
    return {k: v if k in keep or v is None else float(v) for k, v in row.items()}


def test_a_month_without_rows_gives_reasons_and_no_numbers(network: Database) -> None:
    with network.transaction() as connection:
        (report, _) = reporting.month_report(connection, "2025-12", TODAY)
    assert all(figure.value is None or figure.item.key == "coverage" for figure in report.figures)
    assert all(figure.reason for figure in report.figures if figure.value is None)


def test_an_unknown_zone_and_a_month_ahead_are_refused(network: Database) -> None:
    with pytest.raises(NotFound):
        reported(network, "H-S9")
    with network.transaction() as connection, pytest.raises(Invalid):
        reporting.month_report(connection, "2026-02", TODAY)


def test_the_workbook_holds_the_figures_and_where_each_is_from(network: Database) -> None:
    zones = reported(network)
    content = workbook({"report": reporting.wide(zones), "sources": reporting.long(zones)})
    book = openpyxl.load_workbook(io.BytesIO(content))
    report, sources = (list(book[name].values) for name in ("report", "sources"))
    assert len(report) == 3
    assert len(report[0]) == 5 + 15
    assert len(sources) == 1 + 2 * 15
    assert sources[1][:2] == ("H-S1", "heat_supplied")
    assert sources[1][-1].startswith("SELECT day, heat_kwh FROM heat_day")


@pytest.fixture
def at_command(database: Database, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The command line on the test's own database; its settings are read anew."""
    monkeypatch.setenv("HEARTHLINE_DATABASE_URL", database.url)
    return monkeypatch


@pytest.mark.usefixtures("network", "at_command")
def test_the_command_prints_tables_rows_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str) -> str:
        app(
            ["report", "month", "2026-01", *words],
            exit_on_error=False,
            result_action="return_value",
        )
        return capsys.readouterr().out

    told = said("--zone", "H-S1", "--trace")
    assert "Lost in the secondary network" in told
    assert "SELECT day, heat_kwh FROM heat_day WHERE place_id" in told
    assert "二次网热损失率" in said("--zone", "H-S1", "--language", "zh")
    plain = json.loads(said("--json"))
    assert [zone["zone"] for zone in plain["zones"]] == ["H-S1", "H-S2"]
    table = list(csv.reader(io.StringIO(said("--csv"))))
    assert [len(line) for line in table] == [20, 20, 20]
