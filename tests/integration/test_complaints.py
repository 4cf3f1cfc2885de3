"""Complaints by phone, from the agent's form or the interface through the cycle to a ticket."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from analytics import cycle
from api.app import create_app
from hearthline.cli import app
from hearthline.cli.demo import file_calls
from hearthline.domain.complaints import RULES, Complaint
from hearthline.domain.findings import Cause
from hearthline.domain.policies import PROFILES
from hearthline.errors import Invalid, NotFound
from hearthline.settings import Settings
from hearthline.storage import accounts, complaints
from hearthline.storage.database import Connection, Database
from tests import builders as b
from tests.builders import HOUR, steady

NOW = datetime(2026, 1, 14, 4, 30, tzinfo=UTC)
ENTRANCE = "T-S1-B01-E1"
PLAIN = b.town()
LONELY = "T-S2-B02-E2-0101"
UNSENSED = sorted(u.code for u in PLAIN.units if u.code.startswith(("T-S1-B01", LONELY)))
LEDGER = b.town(b.TownPlan(unsensed=UNSENSED))
HOME, SENSED = f"{ENTRANCE}-0302", "T-S2-B01-E1-0201"
PASSWORD = "minus-thirty"


@pytest.fixture
def town(connection: Connection) -> Connection:
    """Two days of a warm town; one building and a dwelling elsewhere have no sensor at all."""
    with connection.transaction():
        b.save(connection, LEDGER)
        for unit in LEDGER.units:
            if unit.code not in UNSENSED:
                b.room_series(connection, unit.code, NOW, steady(22.0), hours=48)
    return connection


def call(connection: Connection, place: str, hours_ago: float, now: datetime = NOW) -> None:
    """Somebody called."""
    at = NOW - hours_ago * HOUR
    with connection.transaction():
        complaints.add(connection, Complaint(place, at, "lukewarm", by="li"), now)


def run(database: Database, now: datetime = NOW) -> list[Any]:
    return list(cycle.run(database, cycle.Rules(PROFILES["standard-20"]), now).news)


def holds(connection: Connection) -> dict[str, str]:
    rows = connection.execute(
        "SELECT p.code, h.reason FROM hold h JOIN place p ON p.id = h.place_id"
    ).fetchall()
    return {row["code"]: row["reason"] for row in rows}


# ── from the call to the ticket ──────────────────────────────────────────────────────────────


def test_one_call_is_held_and_a_second_one_opens_a_ticket(
    town: Connection, database: Database
) -> None:
    call(town, HOME, 30)
    call(town, SENSED, 2)
    call(town, LONELY, 3)
    call(town, HOME, 5)
    [news] = run(database)
    assert (news.place, news.cold) == (HOME, 1)
    assert NOW - 5 * HOUR <= news.at <= NOW - 4 * HOUR
    assert holds(town) == {LONELY: "call_to_check", SENSED: "called_but_warm"}


def test_several_calls_of_an_entrance_without_a_sensor_are_one_ticket(
    town: Connection, database: Database
) -> None:
    callers = [f"{ENTRANCE}-{door}" for door in ("0101", "0202", "0301", "0402", "0102")]
    for number, code in enumerate(callers):
        call(town, code, 10 - number)
    run(database)
    rows = town.execute(
        "SELECT p.code, count(m.cold_since) AS cold FROM incident i"
        " JOIN place p ON p.id = i.place_id JOIN incident_member m ON m.incident_id = i.id"
        " WHERE i.closed_at IS NULL GROUP BY p.code"
    ).fetchall()
    assert rows == [{"code": ENTRANCE, "cold": len(callers)}]


def test_a_ticket_of_calls_recovers_when_nobody_calls_any_more(
    town: Connection, database: Database
) -> None:
    """Some time after the last call, and no sooner."""
    call(town, HOME, 30)
    call(town, HOME, 5)
    run(database)
    end = NOW - 5 * HOUR + RULES.counts_for

    def recovered(now: datetime) -> datetime | None:
        with town.transaction():
            for unit in LEDGER.units:
                if unit.code not in UNSENSED:
                    b.room_series(town, unit.code, now, steady(22.0), hours=40)
        while cycle.run(database, cycle.Rules(PROFILES["standard-20"]), now).behind:
            pass
        [row] = town.execute("SELECT recovered_at FROM ticket").fetchall()
        return None if row["recovered_at"] is None else row["recovered_at"]

    assert recovered(NOW + 36 * HOUR) is None
    at = recovered(NOW + 72 * HOUR)
    assert at is not None
    assert end <= at <= end + HOUR


# ── what is refused ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("place", "at", "refusal"),
    [
        ("T-S1-B01-E9-0101", NOW, NotFound),
        (ENTRANCE, NOW, Invalid),
        (HOME, NOW + HOUR, Invalid),
    ],
)
def test_a_call_that_cannot_be_filed_is_refused_in_a_sentence(
    town: Connection, place: str, at: datetime, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal, match=r"^[A-Z].*\."):
        complaints.add(town, Complaint(place, at, by="li"), NOW)
    assert complaints.listed(town) == []


# ── the interface ────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def client(settings: Settings, town: Connection) -> Iterator[TestClient]:
    """An agent's key, at a fixed instant."""
    key = accounts.add_key(town, "hotline", "agent")
    with TestClient(create_app(settings, clock=lambda: NOW)) as own:
        own.headers["Authorization"] = f"Bearer {key}"
        yield own


def test_a_call_is_filed_once_however_often_it_is_sent(client: TestClient) -> None:
    body = {"place": HOME, "at": "2026-01-14T02:00:00Z", "note": "lukewarm", "caller": "Zhang"}
    sent = {"Idempotency-Key": "call-1"}
    first = client.post("/api/v1/complaints", json=body, headers=sent)
    again = client.post("/api/v1/complaints", json=body, headers=sent)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert first.json() == again.json()
    [item] = client.get("/api/v1/complaints", params={"place": ENTRANCE}).json()["items"]
    assert item == first.json()
    assert (item["caller"], item["channel"], item["taken_by"]) == ("Zhang", "phone", "key:hotline")


def test_calls_come_in_pages_newest_first(client: TestClient, town: Connection) -> None:
    for hours in (9, 7, 8):
        call(town, HOME, hours)
    seen, address = [], "/api/v1/complaints?limit=2"
    while address:
        answer = client.get(address)
        seen += [item["at"] for item in answer.json()["items"]]
        following = answer.links.get("next")
        address = following["url"] if following else ""
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 3
    since = (NOW - 8.5 * HOUR).isoformat()
    assert len(client.get("/api/v1/complaints", params={"since": since}).json()["items"]) == 2


def test_a_call_for_an_unknown_place_is_refused(client: TestClient) -> None:
    answer = client.post("/api/v1/complaints", json={"place": "nowhere"})
    assert answer.status_code == 404
    assert "nowhere" in answer.json()["detail"]
    assert client.post("/api/v1/complaints", json={"place": ENTRANCE}).status_code == 422
    assert client.get("/api/v1/complaints").json()["items"] == []


def test_who_sees_no_contacts_sees_no_callers(
    settings: Settings, client: TestClient, town: Connection
) -> None:
    client.post("/api/v1/complaints", json={"place": HOME, "caller": "Zhang"})
    key = accounts.add_key(town, "planning", "engineer")
    answer = client.get("/api/v1/complaints", headers={"Authorization": f"Bearer {key}"})
    assert [item["caller"] for item in answer.json()["items"]] == [""]


def test_a_ticket_says_who_is_responsible_and_that_somebody_called(
    client: TestClient, town: Connection
) -> None:
    """Swapped pipes are the developer's while the building is under warranty."""
    with town.transaction():
        number = b.ticket(town, LEDGER, ENTRANCE, [HOME], at=NOW - HOUR, cause=Cause.PIPES_SWAPPED)
    call(town, HOME, 2)
    told = client.get(f"/api/v1/tickets/{number}").json()
    assert (told["responsibility"], told["complaints"]) == ("property", 1)
    town.execute(
        "UPDATE unit SET warranty_until = %s FROM place p"
        " WHERE p.id = unit.place_id AND p.code LIKE %s",
        (NOW + timedelta(days=200), f"{ENTRANCE}-%"),
    )
    told = client.get(f"/api/v1/tickets/{number}").json()
    assert told["responsibility"] == "developer"
    assert told["first_action"].startswith("Under warranty")
    assert told["first_action_zh"].startswith("质保期内")


# ── the console ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def browser(settings: Settings, town: Connection) -> Iterator[TestClient]:
    """An agent at the console."""
    accounts.add_user(town, "ann", "Ann", "agent", PASSWORD, "en")
    with TestClient(create_app(settings, clock=lambda: NOW), follow_redirects=False) as own:
        form = own.get("/console/login")
        own.post(
            "/console/login",
            data={"login": "ann", "password": PASSWORD, "csrf": token(form.text), "next": ""},
        )
        yield own


def token(text: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', text)
    assert found
    return found[1]


def test_an_agent_files_a_call_on_the_page_of_the_dwelling(
    browser: TestClient, town: Connection
) -> None:
    """In local time; it stands on the page, and on the ticket's."""
    page = browser.get(f"/console/units/{HOME}").text
    assert "Someone called: it is cold" in page
    typed = {"csrf": token(page), "at": "2026-01-14T11:05", "channel": "wechat",
             "caller": "Zhang <b>", "note": "18 degrees"}  # fmt: skip
    answer = browser.post(f"/console/units/{HOME}/call", data=typed)
    assert answer.status_code == 303
    [row] = complaints.listed(town)
    assert row["at"] == datetime(2026, 1, 14, 3, 5, tzinfo=UTC)
    assert (row["place"], row["channel"], row["taken_by"]) == (HOME, "wechat", "ann")
    page = browser.get(f"/console/units/{HOME}").text
    assert "18 degrees" in page
    assert "Zhang &lt;b&gt;" in page
    with town.transaction():
        number = b.ticket(town, LEDGER, ENTRANCE, [HOME], at=NOW - HOUR)
    for part in ("", "/part/calls"):
        assert "18 degrees" in browser.get(f"/console/tickets/{number}{part}").text


@pytest.mark.parametrize("at", ["2026-01-15T11:05", "yesterday"])
def test_a_call_that_is_refused_keeps_what_was_typed(
    browser: TestClient, town: Connection, at: str
) -> None:
    page = browser.get(f"/console/units/{HOME}").text
    typed = {"csrf": token(page), "at": at, "note": "it is cold in here"}
    answer = browser.post(f"/console/units/{HOME}/call", data=typed)
    assert answer.status_code == 422
    assert "it is cold in here" in answer.text
    assert complaints.listed(town) == []


def test_a_form_without_its_token_files_nothing(browser: TestClient, town: Connection) -> None:
    answer = browser.post(f"/console/units/{HOME}/call", data={"note": "cold"})
    assert answer.status_code == 403
    assert complaints.listed(town) == []


# ── the command line ─────────────────────────────────────────────────────────────────────────


def test_calls_are_filed_and_listed_from_the_command_line(
    settings: Settings,
    town: Connection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HEARTHLINE_DATABASE_URL", settings.database_url or "")
    at = ["--at", "2026-01-14T11:05:00", "--note", "lukewarm", "--caller", "Zhang"]
    app(
        ["complaint", "add", HOME, *at, "--json"], exit_on_error=False, result_action="return_value"
    )
    added = json.loads(capsys.readouterr().out)
    assert (added["place"], added["at"]) == (HOME, "2026-01-14T03:05:00+00:00")
    app(["complaint", "list", ENTRANCE, "--json"], exit_on_error=False,
        result_action="return_value")  # fmt: skip
    assert json.loads(capsys.readouterr().out) == {"complaints": [added]}


def test_the_households_of_the_demo_are_put_on_file(town: Connection, database: Database) -> None:
    """As an agent would; a call says who took it."""
    file_calls(database, [Complaint(HOME, NOW - HOUR, "It is cold.")])
    [row] = complaints.listed(town)
    assert (row["place"], row["at"], row["taken_by"]) == (HOME, NOW - HOUR, "demo")
