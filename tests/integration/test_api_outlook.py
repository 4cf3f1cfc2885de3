"""The outlook as machines and the console ask for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from analytics.outlook import chore
from api.app import create_app
from hearthline.domain.policies import PROFILES
from hearthline.settings import Settings
from hearthline.storage import accounts, analysis, outlook
from hearthline.storage.database import Connection, Database
from tests import builders as b

LEDGER = b.town(b.TownPlan(1, 1, floors=4))
UNITS = [unit.code for unit in LEDGER.units]
UNSEEN = UNITS[0]


@pytest.fixture
def client(settings: Settings, connection: Connection) -> Iterator[TestClient]:
    """A client with an engineer's key over a house in which one dwelling has no sensor."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with connection.transaction():
        b.save(connection, LEDGER)
        for code in UNITS[1:]:
            b.room_series(connection, code, now - timedelta(minutes=20), b.steady(21.0), hours=80)
        analysis.set_progress(connection, chore.ANALYSED, now)
    key = accounts.add_key(connection, "planner", "engineer")
    with TestClient(create_app(settings), headers={"Authorization": f"Bearer {key}"}) as own:
        yield own


@pytest.fixture
def looked(client: TestClient, database: Database) -> TestClient:
    """The same once an outlook was made."""
    assert chore.make(database, PROFILES["standard-20"], datetime.now(UTC)) is not None
    return client


def test_before_the_first_outlook_it_says_so(client: TestClient) -> None:
    """Not an empty answer that looks like a warm town."""
    answer = client.get("/api/v1/outlook")
    assert answer.status_code == 404
    assert "no outlook yet" in answer.text


def test_the_network_its_dwellings_and_houses_are_told(looked: TestClient) -> None:
    """Numbers of the network, the list of dwellings, one of them with 48 hours, houses."""
    run = looked.get("/api/v1/outlook").json()
    assert run["units"] == len(UNITS)
    assert run["measured"] == len(UNITS) - 1
    assert run["weather_hours"] == 0
    listed = looked.get("/api/v1/outlook/units", params={"under": "T-S1"}).json()["items"]
    assert {row["code"] for row in listed} == set(UNITS)
    one = looked.get(f"/api/v1/units/{UNSEEN}/outlook").json()
    assert not one["measured"]
    assert len(one["ahead"]) == outlook.LEADS
    assert one["day_half_k"] > 0.3
    houses = looked.get("/api/v1/outlook/places", params={"kind": "building"}).json()["items"]
    assert [len(house["ahead"]) for house in houses] == [outlook.LEADS]
    stations = looked.get("/api/v1/outlook/places").json()["items"]
    assert [station["kind"] for station in stations] == ["substation"]


def test_the_best_place_for_a_sensor_is_where_there_is_none(looked: TestClient) -> None:
    """With one dwelling left, that is it."""
    rows = looked.get("/api/v1/outlook/sensors").json()["items"]
    assert [row["code"] for row in rows] == [UNSEEN]


def test_a_weather_forecast_is_taken_in_and_used(looked: TestClient, database: Database) -> None:
    """The next outlook counts its hours; nonsense is refused."""
    at = datetime.fromisoformat(looked.get("/api/v1/outlook").json()["at"])
    points = [
        {"time": (at + timedelta(hours=h + 0.5)).isoformat(), "outdoor_c": -30.0} for h in range(48)
    ]
    body = {"issued_at": (at - timedelta(hours=1)).isoformat(), "points": points}
    answer = looked.post("/api/v1/weather-forecasts", json=body)
    assert answer.status_code == 201
    assert answer.json()["points"] == 48
    chore.make(database, PROFILES["standard-20"], datetime.now(UTC), again=True)
    assert looked.get("/api/v1/outlook").json()["weather_hours"] == 48
    points[3]["outdoor_c"] = -300.0
    assert looked.post("/api/v1/weather-forecasts", json=body).status_code == 422


def test_the_dwelling_page_says_what_is_ahead_and_draws_the_fan(
    looked: TestClient, connection: Connection
) -> None:
    """In the reader's language: the estimate, the chance of falling cold, the band of 48 hours."""
    accounts.add_user(connection, "li", "Li", "engineer", "warm-rooms-please", "zh_CN")
    form = looked.get("/console/login").text
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', form)
    assert found
    looked.post(
        "/console/login",
        data={"login": "li", "password": "warm-rooms-please", "csrf": found[1], "next": "/console"},
    )
    page = looked.get(f"/console/units/{UNSEEN}").text
    assert "推算" in page
    assert "未来24小时" in page
    drawn = looked.get(f"/console/units/{UNSEEN}/curve", params={"days": 2}).json()
    assert len(drawn["ahead"]["median"]) == outlook.LEADS
    assert drawn["stop"] > drawn["now"]
    assert all(
        low[1] < high[1]
        for low, high in zip(*(drawn["ahead"][n] for n in ("low", "high")), strict=True)
    )
