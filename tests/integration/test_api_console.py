"""The console without a browser: who gets in, what is refused, what is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.attempts import ALLOWED
from hearthline.domain.places import Ledger, Place, PlaceKind
from hearthline.settings import Settings
from hearthline.storage import accounts
from hearthline.storage.database import Connection
from tests import builders as b

NOW = datetime(2025, 12, 4, 2, 30, tzinfo=UTC)
PASSWORD = "minus-thirty"
EVIL = "<script>alert(1)</script>"
HOUSE = "T-S1-B01"


class Clock:
    """An instant that a test can move."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        """The instant."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def client(settings: Settings, connection: Connection, clock: Clock) -> Iterator[TestClient]:
    """A browser without scripts; two people have accounts."""
    accounts.add_user(connection, "ann", "Ann", "operator", PASSWORD, "en")
    accounts.add_user(connection, "eng", "Eng", "engineer", PASSWORD, "en")
    with TestClient(create_app(settings, clock=clock), follow_redirects=False) as own:
        own.headers["Accept-Language"] = "en-GB,en;q=0.8"
        yield own


@pytest.fixture
def number(connection: Connection) -> str:
    """A ticket of a house whose name and contact try to be code."""
    ledger = b.town(b.TownPlan(1, 1))
    evil = tuple(
        Place(p.code, p.kind, p.parent, EVIL, EVIL, p.seq) if p.kind is PlaceKind.BUILDING else p
        for p in ledger.places
    )
    ledger = Ledger(evil, ledger.units, ledger.statuses, ledger.devices)
    code = f"{HOUSE}-E1-0101"
    with connection.transaction():
        b.save(connection, ledger)
        b.contact(connection, code, EVIL, "138'\"><b>")
        b.room_series(connection, code, NOW, 16.0, hours=4)
        return b.ticket(connection, ledger, HOUSE, [code], at=NOW - timedelta(hours=1))


def csrf_of(text: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', text)
    assert found
    return found[1]


def sign_in(client: TestClient, login: str = "ann", password: str = PASSWORD, to: str = "") -> str:
    """Post the form; returns where it leads, or "" when it is shown again."""
    form = client.get("/console/login")
    answer = client.post(
        "/console/login",
        data={
            "login": login,
            "password": password,
            "csrf": csrf_of(form.text),
            "next": to or "/console",
        },
    )
    return answer.headers.get("location", "")


def test_a_session_cookie_is_closed_to_scripts_and_other_sites(client: TestClient) -> None:
    form = client.get("/console/login")
    answer = client.post(
        "/console/login",
        data={"login": "ann", "password": PASSWORD, "csrf": csrf_of(form.text)},
    )
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie  # plain http here
    assert client.get("/console").status_code == 200


def test_a_session_cookie_is_secure_over_https(client: TestClient) -> None:
    client.base_url = "https://testserver"  # type: ignore[assignment]
    form = client.get("/console/login")
    answer = client.post(
        "/console/login", data={"login": "ann", "password": PASSWORD, "csrf": csrf_of(form.text)}
    )
    assert "Secure" in answer.headers["set-cookie"]


def test_a_session_ends_by_itself_by_signing_out_and_by_a_new_password(
    client: TestClient, clock: Clock, connection: Connection
) -> None:
    sign_in(client)
    clock.now += accounts.SESSION_LIFETIME + timedelta(seconds=1)
    assert client.get("/console").headers["location"] == "/console/login?next=%2Fconsole"
    sign_in(client)
    client.post("/console/logout", data={"csrf": csrf_of(client.get("/console").text)})
    assert client.get("/console").status_code == 303
    sign_in(client)
    accounts.set_password(connection, "ann", "another-one")
    assert client.get("/console").status_code == 303


def test_guessing_is_slowed_down_and_said(client: TestClient, clock: Clock) -> None:
    for _ in range(ALLOWED):
        assert sign_in(client, password="wrong") == ""
    form = client.get("/console/login")
    fields = {"login": "ann", "password": PASSWORD, "csrf": csrf_of(form.text)}
    refused = client.post("/console/login", data=fields)
    assert refused.status_code == 429
    assert "5 min" in refused.text
    assert int(refused.headers["retry-after"]) > 200
    assert sign_in(client, "eng") == "/console"  # another person is not locked out
    clock.now += timedelta(minutes=6)
    client.cookies.clear()
    assert sign_in(client) == "/console"


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example/console", "/console\\@evil.example", "/api/v1"]
)
def test_signing_in_never_leads_to_another_site(client: TestClient, to: str) -> None:
    assert sign_in(client, to=to) == "/console"


def test_signing_in_leads_back_to_where_one_wanted_to_go(client: TestClient) -> None:
    wanted = client.get("/console/network?x=1").headers["location"]
    assert wanted == "/console/login?next=%2Fconsole%2Fnetwork%3Fx%3D1"
    assert sign_in(client, to="/console/network?x=1") == "/console/network?x=1"


def test_a_form_without_its_token_or_from_another_site_does_nothing(
    client: TestClient, number: str, connection: Connection
) -> None:
    sign_in(client)
    path = f"/console/tickets/{number}"
    token = csrf_of(client.get(path).text)
    fields = {"action": "dispatch", "version": "1", "assignee": "Crew"}
    assert client.post(f"{path}/act", data=fields).status_code == 403
    assert client.post(f"{path}/act", data={**fields, "csrf": "0" * 64}).status_code == 403
    foreign = {"Origin": "https://evil.example"}
    good = {**fields, "csrf": token}
    assert client.post(f"{path}/act", data=good, headers=foreign).status_code == 403
    api = f"/api/v1/tickets/{number}/events"
    crossed = {"Sec-Fetch-Site": "cross-site"}
    assert client.post(api, json={"action": "note"}, headers=crossed).status_code == 403
    row = connection.execute("SELECT state FROM ticket").fetchone()
    assert row is not None
    assert row["state"] == "new"
    assert client.post(f"{path}/act", data=good).status_code == 303


def test_the_session_opens_the_api_too(client: TestClient, number: str) -> None:
    sign_in(client)
    assert client.get("/api/v1/tickets").json()["items"][0]["number"] == number
    done = client.post(f"/api/v1/tickets/{number}/events", json={"action": "note", "note": "x"})
    assert done.status_code == 201
    events = client.get(f"/api/v1/tickets/{number}/events").json()["items"]
    assert events[-1]["actor"] == "ann"


def test_names_contacts_and_notes_are_never_code(client: TestClient, number: str) -> None:
    sign_in(client)
    path = f"/console/tickets/{number}"
    client.post(
        f"{path}/act",
        data={
            "action": "note",
            "version": "1",
            "note": EVIL,
            "csrf": csrf_of(client.get(path).text),
        },
    )
    pages = ["/console", path, f"/console/buildings/{HOUSE}", "/console/network",
             "/console/buildings", f"/console/units/{HOUSE}-E1-0101",
             "/console/search?q=script"]  # fmt: skip
    for page in pages:
        text = client.get(page).text
        assert EVIL not in text, page
        assert "&lt;script&gt;" in text, page
        assert "138'\"><b>" not in text, page


def test_pages_allow_only_our_own_scripts_and_hold_none_inline(
    client: TestClient, number: str
) -> None:
    sign_in(client)
    for page in ("/console", f"/console/tickets/{number}", "/console/network"):
        answer = client.get(page)
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe-inline" not in policy.replace("style-src-attr 'unsafe-inline'", "")
        assert not re.search(r"<script(?![^>]*src=)", answer.text)
        assert not re.search(r"\son\w+=", answer.text)
        assert not re.search(r"https?://", answer.text.replace("http://www.w3.org", ""))
        assert answer.headers["cache-control"] == "no-store"


def test_what_is_not_there_is_told_as_a_page_in_the_readers_language(client: TestClient) -> None:
    sign_in(client)
    missing = client.get("/console/tickets/000000-0000")
    assert missing.status_code == 404
    assert "There is no ticket 000000-0000." in missing.text
    client.cookies.set("hearthline_language", "zh_CN")
    assert "没有工单000000-0000。" in client.get("/console/tickets/000000-0000").text
    assert client.get("/console/nowhere").status_code == 404


def test_contacts_are_for_those_who_call_and_refusals_for_engineers(
    client: TestClient, number: str, connection: Connection
) -> None:
    connection.execute("UPDATE contact SET phone = '13800001234'")
    sign_in(client)
    assert "13800001234" in client.get(f"/console/tickets/{number}").text
    assert client.get("/console/refused").status_code == 403
    client.cookies.clear()
    sign_in(client, "eng")
    assert "13800001234" not in client.get(f"/console/tickets/{number}").text
    assert client.get("/console/refused").status_code == 200


def test_a_part_of_a_page_is_sent_only_when_the_ticket_changed(
    client: TestClient, number: str
) -> None:
    sign_in(client)
    part = f"/console/tickets/{number}/part/acts"
    assert client.get(part, params={"seen": 1}).status_code == 204
    assert client.get(part, params={"seen": 7}).status_code == 200


def test_scripts_of_a_page_whose_session_ended_load_the_form(client: TestClient) -> None:
    answer = client.get("/console/queue", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/console/login"


def test_files_are_served_from_our_folder_only(client: TestClient) -> None:
    assert client.get("/console/static/console.css").status_code == 200
    assert client.get("/console/static/../view.py").status_code == 404
    assert client.get("/console/static/%2e%2e/view.py").status_code == 404
    assert client.get("/console/static/..%2fview.py").status_code == 404
    assert client.get("/console/assets/other.js").status_code == 404


def test_a_page_that_cannot_reach_the_database_says_so_and_comes_back(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    away = settings.model_copy(update={"database_url": "postgresql://x:x@127.0.0.1:9/none"})
    with TestClient(create_app(away), follow_redirects=False) as own:
        pool = own.app.state.parts.database._pool  # type: ignore[attr-defined]
        monkeypatch.setattr(pool, "timeout", 0.2)
        answer = own.get("/console")
        assert answer.status_code == 503
        assert answer.text.startswith("The database does not answer.")
        assert answer.headers["refresh"] == "5"
        problem = own.get("/api/v1/units", headers={"Authorization": "Bearer x"})
        assert (problem.status_code, problem.json()["status"]) == (503, 503)
