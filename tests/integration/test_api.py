"""The machine interface on a real database: what it answers, refuses, and does once."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from hearthline.domain.places import Ledger
from hearthline.domain.policies import DayVerdict
from hearthline.settings import Settings
from hearthline.storage import accounts
from hearthline.storage.database import Connection
from tests import builders as b

NOW = datetime(2025, 12, 4, 20, 30, tzinfo=UTC)
HOUSE = "T-S1-B01"
UNIT = f"{HOUSE}-E1-0302"


@pytest.fixture
def town(connection: Connection) -> Ledger:
    """Two stations with a house each; one dwelling is cold, one has no sensor."""
    ledger = b.town(b.TownPlan(2, 1, unsensed={f"{HOUSE}-E1-0101"}))
    with connection.transaction():
        b.save(connection, ledger)
        b.weather_series(connection, "T-weather", NOW, -24.0)
        for code in (UNIT, f"{HOUSE}-E1-0301", "T-S2-B01-E1-0101"):
            b.room_series(connection, code, NOW, 17.2 if code == UNIT else 21.4, hours=30)
        b.unit_day(connection, UNIT, NOW.date(), verdict=DayVerdict.BELOW, below_min=300)
    return ledger


@pytest.fixture
def number(connection: Connection, town: Ledger) -> str:
    """The ticket of the cold dwelling."""
    with connection.transaction():
        return b.ticket(connection, town, UNIT, [UNIT], at=NOW - timedelta(hours=1))


@pytest.fixture
def key(connection: Connection) -> str:
    """An operator's key."""
    return accounts.add_key(connection, "hotline", "operator")


@pytest.fixture
def client(settings: Settings, key: str) -> Iterator[TestClient]:
    """A client with the key, at a fixed instant."""
    with TestClient(create_app(settings, clock=lambda: NOW)) as own:
        own.headers["Authorization"] = f"Bearer {key}"
        yield own


def read(client: TestClient, path: str, **query: Any) -> Any:
    answer = client.get(f"/api/v1{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_nobody_reads_without_a_key_and_is_told_how(client: TestClient) -> None:
    answer = client.get("/api/v1/units", headers={"Authorization": ""})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["title"] == "Unauthorized"
    assert client.get("/api/v1/units", headers={"Authorization": "Bearer no"}).status_code == 401


def test_a_withdrawn_key_opens_nothing(client: TestClient, connection: Connection) -> None:
    accounts.disable_key(connection, "hotline")
    assert client.get("/api/v1/units").status_code == 401


def test_units_come_in_pages_that_neither_skip_nor_repeat(client: TestClient, town: Ledger) -> None:
    seen: list[str] = []
    address = "/api/v1/units?limit=5"
    while address:
        answer = client.get(address)
        seen += [unit["code"] for unit in answer.json()["items"]]
        following = answer.links.get("next")
        assert (answer.json()["next"] is None) == (following is None)
        address = following["url"] if following else ""
    assert sorted(seen) == sorted(unit.code for unit in town.units)
    assert len(seen) == len(set(seen))


def test_units_can_be_narrowed_to_a_place_and_to_the_cold_ones(
    client: TestClient, town: Ledger
) -> None:
    assert {u["code"] for u in read(client, "/units", below_c=20)["items"]} == {UNIT}
    assert len(read(client, "/units", under="T-S2")["items"]) == 16
    assert client.get("/api/v1/units", params={"under": "nowhere"}).status_code == 404


def test_a_unit_tells_reading_status_and_ticket(client: TestClient, number: str) -> None:
    unit = read(client, f"/units/{UNIT}")
    assert unit["temperature_c"] == pytest.approx(17.2, abs=0.01)
    assert unit["read_at"] == "2025-12-04T20:30:00Z"
    assert (unit["status"], unit["ticket"], unit["silent"]) == ("on", number, False)
    unsensed = read(client, f"/units/{HOUSE}-E1-0101")
    assert (unsensed["sensed"], unsensed["temperature_c"]) == (False, None)


def test_an_old_reading_is_kept_but_is_not_the_present_temperature(
    client: TestClient, connection: Connection, town: Ledger
) -> None:
    device = b.device_id(connection, f"own:t/{UNIT}")
    old = NOW - timedelta(hours=5)
    b.set_latest(connection, device, old, {"temperature_c": 12.0})
    unit = read(client, f"/units/{UNIT}")
    assert (unit["temperature_c"], unit["last_c"], unit["silent"]) == (None, 12.0, True)


def test_readings_come_raw_by_the_hour_and_as_csv(client: TestClient, town: Ledger) -> None:
    raw = read(client, f"/units/{UNIT}/readings")
    assert len(raw["items"]) == 72
    assert raw["items"][0]["humidity_pct"] == 38
    hours = read(client, f"/units/{UNIT}/readings", resolution="hour")
    assert [p["covered_min"] for p in hours["items"]][:2] == [60, 60]
    answer = client.get(f"/api/v1/units/{UNIT}/readings", headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 72
    assert rows[0]["device"] == f"own:t/{UNIT}"


@pytest.mark.parametrize("resolution", ["raw", "hour"])
def test_pages_of_readings_join_up(client: TestClient, town: Ledger, resolution: str) -> None:
    whole = read(client, f"/units/{UNIT}/readings", resolution=resolution)["items"]
    joined: list[Any] = []
    query = {"resolution": resolution, "limit": 7}
    while True:
        part = read(client, f"/units/{UNIT}/readings", **query)
        joined += part["items"]
        if part["next"] is None:
            break
        query["cursor"] = part["next"]
    assert joined == whole


def test_a_window_that_ends_before_it_begins_or_has_no_zone_is_refused(
    client: TestClient, town: Ledger
) -> None:
    path = f"/api/v1/units/{UNIT}/readings"
    swapped = {"from": "2025-12-05T00:00:00Z", "to": "2025-12-04T00:00:00Z"}
    assert client.get(path, params=swapped).status_code == 422
    zoneless = client.get(path, params={"from": "2025-12-05T00:00:00"})
    assert zoneless.status_code == 422
    assert zoneless.json()["errors"][0]["where"] == "query.from"


def test_verdicts_are_listed_by_local_day(client: TestClient, town: Ledger) -> None:
    days = read(client, f"/units/{UNIT}/verdicts")["items"]
    assert [(day["day"], day["verdict"]) for day in days] == [("2025-12-04", "below")]


def test_the_tree_nests_and_ends_at_the_level_asked_for(client: TestClient, town: Ledger) -> None:
    (root,) = read(client, "/places")["items"]
    station = root["children"][0]
    building = station["children"][0]["children"][0]
    assert (root["code"], station["code"], building["code"]) == ("T", "T-S1", HOUSE)
    assert building["children"] == []
    deep = read(client, "/places", under=HOUSE, to="unit")["items"][0]
    assert deep["children"][0]["children"][0]["children"][0]["kind"] == "unit"
    one = read(client, f"/places/{HOUSE}")
    assert one["parent"] == "T-S1-C1"
    assert [child["kind"] for child in one["children"]] == ["entrance", "entrance"]


def test_the_front_lists_entrances_left_to_right(client: TestClient, number: str) -> None:
    front = read(client, f"/buildings/{HOUSE}/front")
    assert (front["floors"], front["columns"], front["threshold_c"]) == (4, 4, 20.0)
    assert [door["name"] for door in front["entrances"]] == ["Entrance 1", "Entrance 2"]
    marked = [u["code"] for door in front["entrances"] for u in door["units"] if u["ticket"]]
    assert marked == [UNIT]
    assert client.get("/api/v1/buildings/T-S1/front").status_code == 404


def test_tickets_are_listed_filtered_and_told_in_full(client: TestClient, number: str) -> None:
    (listed,) = read(client, "/tickets", state="new")["items"]
    assert listed["number"] == number
    assert read(client, "/tickets", state="closed")["items"] == []
    assert read(client, "/tickets", under="T-S2")["items"] == []
    assert read(client, "/tickets", overdue=True)["items"][0]["number"] == number
    full = read(client, f"/tickets/{number}")
    assert full["evidence"][0]["sentence"].startswith("1 of 1 measured dwellings")
    assert full["allowed"] == ["dispatch", "note"]
    assert [event["kind"] for event in read(client, f"/tickets/{number}/events")["items"]] == [
        "opened"
    ]


def test_an_act_moves_the_ticket_and_is_logged_under_the_keys_name(
    client: TestClient, number: str
) -> None:
    path = f"/api/v1/tickets/{number}/events"
    tag = client.get(f"/api/v1/tickets/{number}").headers["etag"]
    act = {"action": "dispatch", "body": {"assignee": "Crew 2"}}
    done = client.post(path, json=act, headers={"If-Match": tag})
    assert done.status_code == 201
    assert (done.json()["state"], done.json()["assignee"]) == ("dispatched", "Crew 2")
    assert done.headers["etag"] == '"2"'
    events = read(client, f"/tickets/{number}/events")["items"]
    assert events[-1]["actor"] == "key:hotline"


def test_an_act_on_a_version_that_is_past_is_refused(client: TestClient, number: str) -> None:
    path = f"/api/v1/tickets/{number}/events"
    client.post(path, json={"action": "note", "note": "first"})
    late = client.post(path, json={"action": "dispatch"}, headers={"If-Match": '"1"'})
    assert late.status_code == 412
    assert "has changed" in late.json()["detail"]
    nonsense = client.post(path, json={"action": "note"}, headers={"If-Match": "three"})
    assert nonsense.status_code == 422


def test_a_step_out_of_the_chain_is_a_conflict(client: TestClient, number: str) -> None:
    answer = client.post(f"/api/v1/tickets/{number}/events", json={"action": "reply"})
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:hearthline:problem:conflict"


def test_a_repeated_request_acts_once_also_when_both_come_at_once(
    client: TestClient, number: str
) -> None:
    path = f"/api/v1/tickets/{number}/events"
    headers = {"Idempotency-Key": "abc-1"}

    def send(_turn: int) -> Any:
        return client.post(path, json={"action": "note", "note": "once"}, headers=headers)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 5
    notes = [e for e in read(client, f"/tickets/{number}/events")["items"] if e["kind"] == "noted"]
    assert len(notes) == 1
    other = client.post(path, json={"action": "note", "note": "two"}, headers=headers)
    assert other.status_code == 422


def test_a_failed_act_leaves_its_idempotency_key_free(client: TestClient, number: str) -> None:
    path = f"/api/v1/tickets/{number}/events"
    headers = {"Idempotency-Key": "abc-2"}
    assert client.post(path, json={"action": "start"}, headers=headers).status_code == 409
    client.post(path, json={"action": "dispatch"})
    assert client.post(path, json={"action": "start"}, headers=headers).status_code == 201


def test_the_pulse_counts_only_what_is_fresh(client: TestClient, number: str) -> None:
    pulse = read(client, "/pulse")
    assert (pulse["measured"], pulse["below"]) == (3, 1)
    assert pulse["watched"] == 31
    assert pulse["silent"] == 28
    assert (pulse["open_tickets"], pulse["outdoor_c"]) == (1, -24.0)
    assert pulse["compliance_today"] is None  # local time is already the next day
    assert [one["kind"] for one in pulse["troubles"]] == ["ingest_away", "analysis_away"]


def test_balances_are_there_and_empty_where_nothing_was_computed(
    client: TestClient, town: Ledger
) -> None:
    assert read(client, "/balance")["items"] == []
    assert read(client, "/balance/running")["items"] == []
    assert read(client, "/substations/T-S1/balance")["items"] == []
    assert client.get("/api/v1/substations/T/balance").status_code == 404


def test_policies_name_the_version_in_force(client: TestClient) -> None:
    versions = read(client, "/policies")["items"]
    in_force = [(v["code"], v["valid_from"]) for v in versions if v["in_force"]]
    assert in_force == [("heilongjiang", "2021-10-29")]


def test_dead_letters_are_found_by_reason_and_binary_ones_are_readable(
    client: TestClient, connection: Connection
) -> None:
    b.dead_letter(connection, "a/b", b"\x00\xff", "malformed", NOW)
    b.dead_letter(connection, "a/c", '{"室温":1}'.encode(), "no_quantity", NOW)
    found = client.get("/api/v1/dead-letters").json()["items"]
    assert {letter["payload"] for letter in found} == {"00 ff", '{"室温":1}'}
    malformed = client.get("/api/v1/dead-letters?reason=malformed").json()
    assert [letter["topic"] for letter in malformed["items"]] == ["a/b"]


@pytest.mark.parametrize(
    "path",
    [
        "/units/%00",
        "/units/a%00b/readings",
        "/units?cursor=%00",
        "/units?cursor=WzFd",
        "/units?cursor=WyJcdTAwMDAiXQ",
        "/tickets?cursor=WyJ4IiwxXQ",
        "/units?limit=0",
        "/units?under=a%00",
        "/tickets?state=lost",
        "/units/x/readings?from=9999-12-31T23:59:59Z",
        "/units/x/verdicts?from=0000-01-01",
    ],
)
def test_nonsense_is_refused_with_a_sentence(client: TestClient, path: str) -> None:
    answer = client.get(f"/api/v1{path}")
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_unknown_addresses_and_methods_are_problems_too(client: TestClient) -> None:
    missing = client.get("/api/v1/nothing")
    assert (missing.status_code, missing.json()["status"]) == (404, 404)
    wrong = client.delete("/api/v1/units")
    assert wrong.status_code == 405
    assert "GET" in wrong.headers["allow"]
    assert wrong.headers["content-type"] == "application/problem+json"


def test_every_answer_carries_the_request_id(client: TestClient) -> None:
    given = client.get("/healthz", headers={"X-Request-ID": "from-the-proxy.7"})
    assert given.headers["x-request-id"] == "from-the-proxy.7"
    made = client.get("/api/v1/nothing", headers={"X-Request-ID": "<script>"})
    assert made.headers["x-request-id"] == made.json()["request_id"] != "<script>"


def test_metrics_count_by_route_and_never_by_address(client: TestClient, town: Ledger) -> None:
    read(client, f"/units/{UNIT}")
    text = client.get("/metrics").text
    assert 'route="/api/v1/units/{code}"' in text
    assert UNIT not in text
