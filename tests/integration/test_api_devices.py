"""Devices and gateways by the interface, the console and the command line: the same judgements."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from hearthline import cli
from hearthline.settings import Settings
from hearthline.storage import accounts
from hearthline.storage.database import Connection
from tests import builders as b
from tests import devices

NOW = datetime(2025, 12, 4, 2, 30, tzinfo=UTC)
PASSWORD = "minus-thirty"
ROOMS = 16
ALL = ROOMS + 4  # three meters and the weather


@pytest.fixture
def client(settings: Settings, connection: Connection) -> Iterator[TestClient]:
    """A client with a key of the lowest role, over a house full of trouble."""
    with connection.transaction():
        devices.trouble(connection, NOW)
    key = accounts.add_key(connection, "machine", "agent")
    with TestClient(create_app(settings, clock=lambda: NOW), follow_redirects=False) as own:
        own.headers["Authorization"] = f"Bearer {key}"
        own.headers["Accept-Language"] = "en"
        yield own


def test_devices_are_counted_and_told_by_state(client: TestClient) -> None:
    told = client.get("/api/v1/devices").json()
    assert told["counts"] == {"online": 9, "late": 1, "offline": 6, "said_offline": 1, "never": 3}
    assert len(told["items"]) == ALL
    late = client.get("/api/v1/devices", params={"state": "late"}).json()["items"]
    assert [one["uid"] for one in late] == [devices.LATE]
    assert late[0]["sentences"] == ["Silent for 55 min, longer than usual."]
    two = client.get("/api/v1/devices", params={"state": ["late", "said_offline"]}).json()
    assert {one["uid"] for one in two["items"]} == {devices.LATE, devices.SIGNED_OFF}
    assert client.get("/api/v1/devices", params={"state": "asleep"}).status_code == 422


def test_pages_follow_the_cursor(client: TestClient) -> None:
    whole = [one["uid"] for one in client.get("/api/v1/devices").json()["items"]]
    paged: list[str] = []
    address = "/api/v1/devices?limit=7"
    while address:
        answer = client.get(address)
        paged += [one["uid"] for one in answer.json()["items"]]
        address = answer.links["next"]["url"] if "next" in answer.links else ""
    assert paged == whole == sorted(whole)


def test_a_device_in_full(client: TestClient) -> None:
    told = client.get(f"/api/v1/devices/{devices.SICK}").json()
    assert told["state"] == "online"
    assert told["doubts"] == ["battery_low", "clock_ahead"]
    assert "时钟超前8小时：疑似把本地时间当作UTC上报。" in told["sentences_zh"]
    assert told["learnt_interval_s"] == told["expected_interval_s"] == 1200
    assert told["flags"] == {"sentinel": 1, "out_of_range": 1, "repeated": 1, "power_up": 1}
    assert told["conflicts"][0]["kept"] == {"temperature_c": 20.9}
    assert told["bindings"] == [
        {"place": f"{devices.HOUSE}-E1-0201", "role": "room", "valid_from": None, "valid_to": None}
    ]
    missing = client.get("/api/v1/devices/own:t/nobody")
    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"


def test_a_gateway_that_is_out_is_one_finding(client: TestClient) -> None:
    told = client.get("/api/v1/gateways", params={"limit": 1}).json()
    assert [one["name"] for one in told["items"]] == [devices.GATEWAY_OUT]
    (out,) = told["outages"]
    assert (out["name"], out["devices"], out["together"]) == (devices.GATEWAY_OUT, 6, 6)
    assert "网关" in out["sentence_zh"]
    rest = client.get("/api/v1/gateways", params={"cursor": told["next"]}).json()
    assert [one["name"] for one in rest["items"]] == [devices.GATEWAY]
    silent = client.get("/api/v1/devices", params={"gateway": devices.GATEWAY_OUT}).json()
    assert [one["silent_with_gateway"] for one in silent["items"]] == [True] * 6


def test_an_impossible_value_is_shown_nowhere_as_a_temperature(
    client: TestClient, connection: Connection
) -> None:
    """Not on the dwelling, not in the raw curve without its flag, and last known is not it."""
    code = f"{devices.HOUSE}-E1-0101"
    device = b.device_id(connection, f"own:t/{code}")
    connection.execute(
        "UPDATE latest SET reading = '{\"temperature_c\": 85.0}', quality = 1024"
        " WHERE device_id = %s", (device,),
    )  # fmt: skip
    unit = client.get(f"/api/v1/units/{code}").json()
    assert (unit["temperature_c"], unit["last_c"], unit["silent"]) == (None, None, False)
    told = client.get(f"/api/v1/devices/own:t/{code}").json()
    assert told["doubts"] == ["value_unusable"]
    raw = client.get(f"/api/v1/units/{devices.HOUSE}-E1-0201/readings").json()["items"]
    flagged = {one["temperature_c"]: one["quality"] for one in raw if one["quality"]}
    assert flagged == {85.0: 1024, 20.7: 256, -127.0: 40}


def test_the_console_shows_it_and_lets_nothing_be_code(
    client: TestClient, connection: Connection
) -> None:
    accounts.add_user(connection, "eng", "Eng", "engineer", PASSWORD, "en")
    del client.headers["Authorization"]
    form = client.get("/console/login").text
    token = form.split('name="csrf" value="')[1].split('"')[0]
    client.post("/console/login", data={"login": "eng", "password": PASSWORD, "csrf": token})
    page = client.get("/console/devices").text
    assert f"Gateway {devices.GATEWAY_OUT} is out" in page
    assert "主卧 &lt;b&gt;" in page
    part = client.get("/console/devices?state=late", headers={"HX-Request": "true"}).text
    assert devices.LATE in part
    assert "<html" not in part
    detail = client.get(f"/console/devices/{devices.SICK}").text
    assert "Two values for one instant" in detail
    drawn = client.get(f"/console/device-curve/{devices.SICK}?days=2").json()
    assert [line["column"] for line in drawn["lines"]] == ["temperature_c", "humidity_pct"]
    assert {mark["said"] for mark in drawn["marks"] if mark["unusable"]} == {"85.0", "−127.0"}
    drawn_c = [value for line in drawn["lines"] for _, value in line["data"] if value is not None]
    assert max(drawn_c) < 85
    assert client.get("/console/devices/own:t/nobody").status_code == 404


def test_the_command_line_says_the_same(
    client: TestClient,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert settings.database_url is not None
    monkeypatch.setenv("HEARTHLINE_DATABASE_URL", settings.database_url)
    monkeypatch.setattr("hearthline.cli.devices.system_clock", lambda: NOW)

    def run(*arguments: str) -> str:
        cli.app(["devices", *arguments], exit_on_error=False, result_action="return_value")
        return capsys.readouterr().out

    listed = json.loads(run("list", "--state", "late", "--json"))
    assert [one["uid"] for one in listed["devices"]] == [devices.LATE]
    assert listed["counts"]["never"] == 3
    assert listed["outages"][0]["gateway"] == devices.GATEWAY_OUT
    plain = run("list", "--gateway", devices.GATEWAY_OUT)
    assert f"Gateway {devices.GATEWAY_OUT} is out" in plain
    shown = run("show", devices.SICK)
    assert "Its clock is 8 h ahead: looks like local time sent as UTC." in shown
    assert "interval     20 min (ledger: 20 min)" in shown
    assert "conflict" in shown
    assert json.loads(run("show", devices.SICK, "--json"))["flags"]["power_up"] == 1
    told = run("gateways")
    assert told.index(devices.GATEWAY_OUT) < told.index(devices.GATEWAY)


def test_a_machine_without_a_key_learns_nothing(client: TestClient) -> None:
    del client.headers["Authorization"]
    for path in ("/api/v1/devices", f"/api/v1/devices/{devices.SICK}", "/api/v1/gateways"):
        assert client.get(path).status_code == 401
