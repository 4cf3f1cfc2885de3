"""Strangers and dead letters by command and by the machine interface."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from hearthline import cli
from hearthline.domain.readings import Rejection, RejectReason
from hearthline.settings import Settings, load
from hearthline.storage import accounts, dead_letters
from hearthline.storage.database import Connection
from ingest.door import door_of
from ingest.intake import Message, hear
from ingest.writing import take_in
from tests import builders as b

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
PASSWORD = "minus-thirty"
UNIT = "T-S1-B01-E1-0101"
UID = "zigbee2mqtt:House 1/101"
METER = "own:t/new-meter"
TOPIC = "hearthline/v1/t/T-S1-B01-E1-0102/room"

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def shelf(connection: Connection, settings: Settings) -> None:
    """Two strangers that said three things each, and two dead letters."""
    with connection.transaction():
        b.save(connection, b.town(b.TownPlan(1, 1, 1, 2, unsensed={UNIT})))
    door = door_of(settings)
    for step in range(3):
        at = NOW + step * timedelta(minutes=20)
        room = Message("zigbee2mqtt/House 1/101", b'{"temperature": 20.5, "battery": 88}', at)
        said = {"ts": at.isoformat(), "supply_c": 52.1, "return_c": 41.2, "flow_m3h": 1.9}
        meter = Message("hearthline/v1/t/new-meter/meter", json.dumps(said).encode(), at)
        with connection.transaction():
            heard = [hear(one, door.formats, door.directory.context) for one in (room, meter)]
            take_in(connection, heard, door, at)
    good = {"ts": NOW.isoformat(), "temperature_c": 21.0}
    letters = [
        Rejection(TOPIC, json.dumps(good).encode(), RejectReason.MALFORMED, "a bug of ours"),
        Rejection(TOPIC, b"\x00\xff", RejectReason.MALFORMED, "not JSON", "own:t/a"),
    ]
    dead_letters.add(connection, letters, NOW)


@pytest.fixture
def hearthline(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Runs a command as a shell would; gives its exit code and what it printed."""
    monkeypatch.setenv("HEARTHLINE_DATABASE_URL", database_url)

    def run(*words: object) -> tuple[int, str]:
        load.cache_clear()
        monkeypatch.setattr("sys.argv", ["hearthline", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = capsys.readouterr()
        return int(end.value.code or 0), printed.out or printed.err

    yield run
    load.cache_clear()


@pytest.fixture
def client(settings: Settings, connection: Connection) -> Iterator[TestClient]:
    """A client with an engineer's key, at a fixed instant."""
    key = accounts.add_key(connection, "lab", "engineer")
    with TestClient(create_app(settings, clock=lambda: NOW)) as own:
        own.headers["Authorization"] = f"Bearer {key}"
        yield own


def audited(connection: Connection) -> list[tuple[str, str, str]]:
    rows = connection.execute("SELECT actor, action, object FROM audit ORDER BY id").fetchall()
    return [(row["actor"], row["action"], row["object"]) for row in rows]


# ── commands ──
@pytest.mark.usefixtures("shelf")
def test_commands_list_show_adopt_and_dismiss(hearthline: Run, connection: Connection) -> None:
    code, printed = hearthline("strangers", "list", "--json")
    told = json.loads(printed)
    assert code == 0
    assert {one["uid"] for one in told["strangers"]} == {UID, METER}
    assert told["counts"]["waiting"] == 2
    _, table = hearthline("strangers", "list", "--kind", "meter")
    assert METER in table
    assert UID not in table
    _, page = hearthline("strangers", "show", UID)
    assert '"temperature": 20.5' in page
    assert "Its temperature is that of a room." in page
    code, printed = hearthline("strangers", "adopt", UID, "--place", UNIT, "--role", "room")
    assert code == 0
    assert "3 readings stored" in printed
    code, printed = hearthline("strangers", "dismiss", METER, "--json")
    assert json.loads(printed) == {"uid": METER, "dismissed": True}
    _, printed = hearthline("strangers", "list")
    assert "Every device that speaks is in the ledger." in printed
    assert METER in hearthline("strangers", "list", "--dismissed")[1]
    hearthline("strangers", "dismiss", METER, "--undo")
    assert audited(connection) == [
        ("cli", "stranger.adopt", UID),
        ("cli", "stranger.dismiss", METER),
        ("cli", "stranger.welcome", METER),
    ]


@pytest.mark.usefixtures("shelf")
def test_commands_say_what_to_do_instead(hearthline: Run) -> None:
    code, printed = hearthline("strangers", "adopt", METER, "--place", "T-S1", "--role", "branch")
    assert code == 2
    assert "It hangs at a" in printed
    code, printed = hearthline("strangers", "show", "own:t/new-mete")
    assert code == 1
    assert METER in printed
    code, printed = hearthline("dead-letters", "replay")
    assert code == 2
    assert "--all" in printed
    code, printed = hearthline("dead-letters", "show", 10**6)
    assert code == 1


@pytest.mark.usefixtures("shelf")
def test_commands_list_show_replay_and_purge_dead_letters(
    hearthline: Run, connection: Connection
) -> None:
    _, printed = hearthline("dead-letters", "list", "--json")
    told = json.loads(printed)
    assert told["counts"] == {"malformed": 2}
    assert "00 ff" in hearthline("dead-letters", "list")[1]
    good = next(one for one in told["dead_letters"] if one["detail"] == "a bug of ours")
    assert '"temperature_c": 21.0' in hearthline("dead-letters", "show", good["id"])[1]
    _, printed = hearthline("dead-letters", "replay", good["id"], "--json")
    assert json.loads(printed)["stored"] == 1
    _, printed = hearthline("dead-letters", "replay", "--reason", "malformed")
    assert "1 refused" in printed
    assert hearthline("dead-letters", "purge", "--device", "own:t/a", "--json")[1] == (
        '{"deleted": 1}\n'
    )
    assert "Nothing was refused." in hearthline("dead-letters", "list")[1]
    assert [action for _actor, action, _what in audited(connection)] == [
        "dead_letters.replay", "dead_letters.replay", "dead_letters.purge",
    ]  # fmt: skip


# ── machine interface ──
def read(client: TestClient, path: str, **query: Any) -> Any:
    answer = client.get(f"/api/v1{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.usefixtures("shelf")
def test_strangers_are_read_in_pages_with_their_guess(client: TestClient) -> None:
    first = read(client, "/strangers", limit=1)
    second = read(client, "/strangers", limit=1, cursor=first["next"])
    assert {one["items"][0]["uid"] for one in (first, second)} == {UID, METER}
    assert (first["waiting"], first["dismissed"]) == (2, 0)
    (room,) = read(client, "/strangers", kind="room")["items"]
    assert (room["role"], room["sample"]["temperature_c"], room["kept"]) == ("room", 20.5, 3)
    assert any("室内" in reason["sentence_zh"] for reason in room["reasons"])
    one = read(client, f"/strangers/{UID}")
    assert one["interval_s"] == 1200
    assert json.loads(one["last"][0]["payload"])["temperature"] == 20.5
    assert client.get("/api/v1/strangers/nobody").status_code == 404


@pytest.mark.usefixtures("shelf")
def test_adopting_twice_with_one_key_acts_once(client: TestClient, connection: Connection) -> None:
    wanted = {"uid": UID, "place": UNIT, "role": "room", "label": "客厅"}
    headers = {"Idempotency-Key": "k1"}
    first = client.post("/api/v1/strangers/adoptions", json=wanted, headers=headers)
    assert first.status_code == 201, first.text
    assert (first.json()["stored"], first.json()["expected_interval_s"]) == (3, 1200)
    again = client.post("/api/v1/strangers/adoptions", json=wanted, headers=headers)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert client.post("/api/v1/strangers/adoptions", json=wanted).status_code == 404
    assert audited(connection) == [("key:lab", "stranger.adopt", UID)]


@pytest.mark.usefixtures("shelf")
def test_an_adoption_that_cannot_be_is_refused_whole(client: TestClient) -> None:
    wanted = {"uid": METER, "place": "T-S1-B01", "role": "branch"}
    refused = client.post("/api/v1/strangers/adoptions", json=wanted)
    assert refused.status_code == 422
    assert "supply or return" in refused.json()["remedy"]
    near = client.post("/api/v1/strangers/adoptions", json={**wanted, "place": "T-S1-B1"})
    assert "T-S1-B01" in near.json()["remedy"]
    assert read(client, f"/strangers/{METER}")["kept"] == 3


@pytest.mark.usefixtures("shelf")
def test_a_dismissed_stranger_is_listed_apart(client: TestClient) -> None:
    answer = client.post("/api/v1/strangers/dismissals", json={"uid": METER})
    assert answer.json()["dismissed_at"] == "2026-01-10T12:00:00Z"
    assert [one["uid"] for one in read(client, "/strangers")["items"]] == [UID]
    assert [one["uid"] for one in read(client, "/strangers", dismissed=True)["items"]] == [METER]
    undone = client.post("/api/v1/strangers/dismissals", json={"uid": METER, "undo": True})
    assert undone.json()["dismissed_at"] is None


@pytest.mark.usefixtures("shelf")
def test_dead_letters_are_replayed_by_request_in_steps(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.v1.dead_letters.AT_ONCE", 1)
    assert client.post("/api/v1/dead-letters/replays", json={}).status_code == 422
    first = client.post("/api/v1/dead-letters/replays", json={"all": True}).json()
    assert (first["letters"], first["stored"]) == (1, 1)
    rest = {"all": True, "after": first["next"]}
    second = client.post("/api/v1/dead-letters/replays", json=rest).json()
    assert (second["letters"], second["stored"], second["refused"]) == (1, 0, 1)
    last = {"all": True, "after": second["next"]}
    assert client.post("/api/v1/dead-letters/replays", json=last).json()["next"] is None
    (left,) = read(client, "/dead-letters")["items"]
    assert (left["payload"], left["whole"]) == ("00 ff", True)
    assert read(client, f"/dead-letters/{left['id']}")["message"] is None
    assert read(client, "/dead-letters", device="own:t/b")["items"] == []


@pytest.mark.usefixtures("shelf")
def test_operators_read_and_do_not_act(client: TestClient, connection: Connection) -> None:
    key = accounts.add_key(connection, "hotline", "operator")
    client.headers["Authorization"] = f"Bearer {key}"
    assert len(read(client, "/strangers")["items"]) == 2
    assert len(read(client, "/dead-letters")["items"]) == 2
    acts: list[tuple[str, dict[str, Any]]] = [
        ("strangers/adoptions", {"uid": UID, "place": UNIT, "role": "room"}),
        ("strangers/dismissals", {"uid": UID}),
        ("dead-letters/replays", {"all": True}),
    ]
    for path, body in acts:
        assert client.post(f"/api/v1/{path}", json=body).status_code == 403
    assert audited(connection) == []


# ── console ──
@pytest.fixture
def browser(settings: Settings, connection: Connection) -> Iterator[TestClient]:
    """A browser without scripts; an operator and an engineer have accounts."""
    accounts.add_user(connection, "ann", "Ann", "operator", PASSWORD, "en")
    accounts.add_user(connection, "eng", "Eng", "engineer", PASSWORD, "zh_CN")
    with TestClient(create_app(settings, clock=lambda: NOW), follow_redirects=False) as own:
        yield own


def signed_in(browser: TestClient, login: str) -> str:
    """Sign in; returns the token that forms carry."""
    form = csrf_of(browser.get("/console/login").text)
    said = {"login": login, "password": PASSWORD, "csrf": form, "next": "/console"}
    assert browser.post("/console/login", data=said).status_code == 303
    return csrf_of(browser.get("/console").text)


def csrf_of(text: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', text)
    assert found
    return found[1]


@pytest.mark.usefixtures("shelf")
def test_the_pages_are_for_engineers_and_their_forms_come_from_them(browser: TestClient) -> None:
    pages = ("strangers", f"strangers/{UID}", "refused", "place-options?place=T")
    token = signed_in(browser, "ann")
    assert {browser.get(f"/console/{page}").status_code for page in pages} == {403}
    acts = {"strangers": {"uid": UID}, "strangers/dismiss": {"uid": UID}, "refused/replay": {}}
    for path, said in acts.items():
        assert browser.post(f"/console/{path}", data={**said, "csrf": token}).status_code == 403
    browser.cookies.clear()
    signed_in(browser, "eng")
    assert {browser.get(f"/console/{page}").status_code for page in pages} == {200}
    for path, said in acts.items():
        assert browser.post(f"/console/{path}", data={**said, "csrf": "0" * 64}).status_code == 403


@pytest.mark.usefixtures("shelf")
def test_a_refused_adoption_is_told_in_the_readers_language_and_keeps_what_was_typed(
    browser: TestClient,
) -> None:
    token = signed_in(browser, "eng")
    said = {"csrf": token, "uid": METER, "place": UNIT, "role": "secondary", "label": "<b>热表"}
    told = browser.post("/console/strangers", data=said)
    assert told.status_code == 422
    assert f"“二次侧热量表”不能装在{UNIT}（住户）。" in told.text
    assert "可选：换热站、环路。" in told.text
    assert "&lt;b&gt;热表" in told.text
    missing = browser.post("/console/strangers", data={**said, "place": "T-S1-B01-E1-0109"})
    assert missing.status_code == 404
    assert "是否为" in missing.text
    no_pipe = browser.post("/console/strangers", data={**said, "place": "T-S1"})
    assert "热量表须注明流量传感器所在的管道。" in no_pipe.text
    unread = browser.post("/console/strangers", data={**said, "since": "soon"})
    assert "日期无法识别。" in unread.text
    gone = browser.post("/console/strangers", data={**said, "uid": "own:nobody"})
    assert (gone.status_code, "没有名为own:nobody的未登记设备。" in gone.text) == (404, True)
    done = browser.post(
        "/console/strangers",
        data={**said, "place": "T-S1", "flow_pipe": "return", "since": "2026-01-10T18:00"},
    )
    assert done.status_code == 303
    assert "stored=3" in done.headers["location"]
    assert "现已登记在T-S1" in browser.get(done.headers["location"]).text


@pytest.mark.usefixtures("shelf")
def test_dead_letters_are_decoded_again_by_a_form(browser: TestClient) -> None:
    token = signed_in(browser, "eng")
    answer = browser.post("/console/refused/replay", data={"csrf": token, "reason": "malformed"})
    page = browser.get(answer.headers["location"]).text
    assert "已重新解析2条：入库1条读数，1条仍被拒收。" in page
    for nonsense in ({"reason": "x"}, {"number": "²"}):
        said = {"csrf": token, "after": "9" * 20, **nonsense}
        assert browser.post("/console/refused/replay", data=said).status_code == 422
    assert browser.get("/console/refused?reason=x&device=%00").status_code == 200
