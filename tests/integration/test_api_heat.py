"""Heat over the machine interface: days, signatures, the monthly report in three shapes, advice."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from fastapi.testclient import TestClient

from analytics.balancing import balance_chore
from analytics.heatday import Standard
from analytics.surveying import survey_days
from api.app import create_app
from api.v1.heat import XLSX
from hearthline.settings import Settings
from hearthline.storage import accounts
from hearthline.storage.database import Connection, Database
from tests import heating

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 1, 4, 16, tzinfo=UTC)
NOW = START + timedelta(days=2, hours=1)


@pytest.fixture
def client(settings: Settings, database: Database, connection: Connection) -> Iterator[TestClient]:
    """A client of a metered network with two days of heat at −10 °C."""
    with database.transaction() as own:
        heating.save(own)
        heating.run(own, START, 48)
        device = heating.device_ids(own)["weather"]
        own.cursor().executemany(
            "INSERT INTO weather_hour (device_id, hour, n, outdoor_c, covered_min)"
            " VALUES (%s, %s, 6, -10, 60)",
            [(device, START + timedelta(hours=n)) for n in range(48)],
        )
    balance_chore(database, NOW, SHANGHAI)
    survey_days(database, NOW, lambda _: Standard(20.0, 24.0), SHANGHAI)
    key = accounts.add_key(connection, "report", "operator")
    with TestClient(create_app(settings, clock=lambda: NOW)) as made:
        made.headers["Authorization"] = f"Bearer {key}"
        yield made


def test_days_and_signatures_of_a_place(client: TestClient) -> None:
    told = client.get("/api/v1/places/H-S1-B1/heat-days").json()
    assert [row["day"] for row in told["items"]] == ["2026-01-05", "2026-01-06"]
    assert told["items"][0]["supply_c"] == pytest.approx(61.0)
    assert told["items"][0]["normal_basis"] == "assumed"
    one = client.get(
        "/api/v1/places/H-S1/heat-days", params={"from": "2026-01-06", "to": "2026-01-06"}
    )
    assert len(one.json()["items"]) == 1
    fits = client.get("/api/v1/places/H-S1/signatures").json()["items"]
    assert {(fit["of"], fit["reason"]) for fit in fits} == {
        ("heat", "too_few_days"), ("supply", "too_few_days")
    }  # fmt: skip


def test_what_does_not_exist_is_refused(client: TestClient) -> None:
    for path, status in (
        ("/places/H-S9/heat-days", 404),
        ("/places/H-S1/heat-days?from=2026-02-01&to=2026-01-01", 422),
        ("/reports/month/2026-13", 422),
        ("/reports/month/9999-12", 422),
        ("/reports/month/2026-01?zone=H-S9", 404),
        ("/substations/H-S9/advice", 404),
        ("/substations/H-S1/advice?hours=2", 422),
    ):
        assert client.get(f"/api/v1{path}").status_code == status, path


def test_the_report_comes_as_json_csv_and_xlsx(client: TestClient) -> None:
    where = "/api/v1/reports/month/2026-01"
    told = client.get(where, params={"zone": "H-S1", "rows": True}).json()
    (zone,) = told["zones"]
    assert len(zone["items"]) == 15
    heat = zone["items"][0]
    assert heat["value"] == pytest.approx(
        sum(row["heat_kwh"] for row in heat["trace"]["values"]), rel=1e-5
    )
    table = list(csv.reader(io.StringIO(client.get(where, headers={"Accept": "text/csv"}).text)))
    assert [line[0] for line in table] == ["zone", "H-S1", "H-S2"]
    book = client.get(where, headers={"Accept": XLSX})
    assert book.headers["content-type"] == XLSX
    assert openpyxl.load_workbook(io.BytesIO(book.content)).sheetnames == ["report", "sources"]


def test_even_buildings_need_no_turn(client: TestClient) -> None:
    told = client.get("/api/v1/substations/H-S1/advice").json()
    (circuit,) = told["circuits"]
    assert circuit["reason"] == "not_worth_it"
    assert circuit["turns"] == []
    assert circuit["says_zh"].startswith("无需调阀")
    assert circuit["emitter"] == "radiators"


def test_a_station_has_a_page_in_both_languages(client: TestClient, connection: Connection) -> None:
    accounts.add_user(connection, "ann", "Ann", "operator", "minus-thirty", "en")
    form = client.get("/console/login").text
    token = form.split('name="csrf" value="')[1].split('"')[0]
    who = {"login": "ann", "password": "minus-thirty", "csrf": token}
    del client.headers["Authorization"]
    assert client.post("/console/login", data=who, follow_redirects=False).status_code == 303
    page = client.get("/console/stations/H-S1")
    assert page.status_code == 200
    assert "Lost in the secondary network" in page.text
    assert "SELECT day, heat_kwh FROM heat_day" in page.text
    assert "No valve needs turning" in page.text
    assert client.get("/console/stations/H-S9").status_code == 404
    client.cookies.set("hearthline_language", "zh_CN")
    assert (
        "二次网热损失率" in client.get("/console/stations/H-S1", params={"month": "2026-01"}).text
    )
