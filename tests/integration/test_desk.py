"""The desk on a real database: one open ticket per cause, whoever writes, whatever comes twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hearthline.domain.findings import Cause, Finding
from hearthline.domain.places import paths
from hearthline.domain.policies import PROFILES
from hearthline.errors import Conflict, Invalid, NotFound
from hearthline.storage import tickets as rows
from hearthline.storage.database import Connection, connect
from tests import builders
from tickets import desk

NOON = datetime(2026, 1, 12, 4, tzinfo=UTC)
POLICY = PROFILES["standard-20"].versions[0]
LEDGER = builders.town()
PATHS = paths(LEDGER.places)
ENTRANCE = "T-S1-B01-E1"
UNIT = f"{ENTRANCE}-0201"
OTHER = f"{ENTRANCE}-0302"


def finding(place: str = UNIT, *cold: str, **more: object) -> Finding:
    members = frozenset(cold or {place})
    base = Finding(NOON, place, Cause.UNDETERMINED, 0.4, members, members, ())
    return replace(base, **more)  # type: ignore[arg-type]


@pytest.fixture
def town(connection: Connection) -> None:
    with connection.transaction():
        builders.save(connection, LEDGER)


def take_up(connection: Connection, *findings: Finding) -> list[desk.News]:
    with connection.transaction():
        incidents = desk.open_incidents(connection)
        return desk.take_up(connection, findings, incidents, PATHS, POLICY)


def act(connection: Connection, number: str, action: str, **more: object) -> dict[str, object]:
    with connection.transaction():
        return desk.act(connection, number, action, actor="li.na", now=NOON, **more)  # type: ignore[arg-type]


def log(connection: Connection, number: str) -> list[str]:
    ticket = rows.ticket(connection, number)
    assert ticket is not None
    return [event["kind"] for event in rows.events(connection, ticket["id"])]


def test_a_finding_becomes_a_ticket_that_carries_its_hour(
    town: None, connection: Connection
) -> None:
    """Number by local day, clocks from the opening, an event, an outbox row."""
    [news] = take_up(connection, finding())
    ticket = rows.ticket(connection, news.number)
    assert ticket is not None
    assert news.number.startswith("260112-")
    assert ticket["opened_at"] == NOON
    assert ticket["respond_by"] == NOON + timedelta(minutes=30)
    assert (ticket["state"], ticket["version"]) == ("new", 1)
    [posted] = connection.execute("SELECT type, subject FROM outbox").fetchall()
    assert posted == {"type": "hearthline.ticket.opened", "subject": news.number}


def test_the_same_finding_again_is_no_news(town: None, connection: Connection) -> None:
    """Ten cycles, one ticket, one event."""
    [news] = take_up(connection, finding())
    assert [take_up(connection, finding()) for _ in range(10)] == [[]] * 10
    assert log(connection, news.number) == ["opened"]


def test_concurrent_writers_open_one(town: None, connection: Connection, database_url: str) -> None:
    """Eight workers find the same cold dwelling in the same instant."""

    def write(_: int) -> int:
        with connect(database_url, autocommit=True) as own:
            return len(take_up(own, finding()))

    with ThreadPoolExecutor(8) as pool:
        opened = sum(pool.map(write, range(8)))
    assert opened == 1
    [counted] = connection.execute("SELECT count(*) AS n FROM ticket").fetchall()
    assert counted["n"] == 1


def test_single_dwellings_that_turn_out_to_be_one_entrance_become_one_ticket(
    town: None, connection: Connection
) -> None:
    """The older ticket is widened; the younger one is merged into it and says so."""
    [first] = take_up(connection, finding(UNIT))
    [second] = take_up(connection, finding(OTHER, at=NOON + timedelta(hours=1)))
    whole = finding(ENTRANCE, UNIT, OTHER, at=NOON + timedelta(hours=2))
    [news] = take_up(connection, whole)
    assert (news.kind, news.number) == ("widened", first.number)
    assert log(connection, second.number) == ["opened", "merged"]
    merged, kept = (rows.ticket(connection, n.number) for n in (second, first))
    assert merged is not None
    assert kept is not None
    assert (merged["state"], merged["merged_into_number"]) == ("merged", first.number)
    assert (kept["place"], kept["opened_at"]) == (ENTRANCE, NOON)
    [incident] = rows.open_incidents(connection)
    assert set(incident["cold_members"]) == {UNIT, OTHER}


def test_a_stale_version_is_a_conflict_and_changes_nothing(
    town: None, connection: Connection
) -> None:
    """Two operators press the same button."""
    [news] = take_up(connection, finding())
    done = act(connection, news.number, "dispatch", if_version=1, body={"assignee": "crew 3"})
    assert (done["state"], done["assignee"], done["version"]) == ("dispatched", "crew 3", 2)
    with pytest.raises(Conflict, match="changed since you opened it"):
        act(connection, news.number, "start", if_version=1)
    assert log(connection, news.number) == ["opened", "dispatched"]


def test_what_is_not_allowed_is_refused_with_its_reason(town: None, connection: Connection) -> None:
    """Unknown ticket, unknown action, a step too early."""
    [news] = take_up(connection, finding())
    with pytest.raises(NotFound, match="no ticket 1"):
        act(connection, "1", "note")
    with pytest.raises(Invalid, match="Use one of"):
        act(connection, news.number, "freeze")
    with pytest.raises(Conflict, match="does not take"):
        act(connection, news.number, "call_back", body={"satisfied": True})


def test_a_recovered_incident_closes_and_a_new_excursion_is_a_new_ticket(
    town: None, connection: Connection
) -> None:
    """A resolved incident takes no members."""
    [first] = take_up(connection, finding())
    with connection.transaction():
        [incident] = desk.open_incidents(connection)
        desk.recover(connection, incident, NOON + timedelta(hours=9))
        desk.close(connection, incident, NOON + timedelta(hours=21))
    [second] = take_up(connection, finding(at=NOON + timedelta(days=2)))
    assert second.number != first.number
    assert log(connection, first.number) == ["opened", "recovered"]


def test_every_act_is_in_the_audit(town: None, connection: Connection) -> None:
    """Who did what to which ticket."""
    [news] = take_up(connection, finding())
    act(connection, news.number, "note", note="called, nobody home")
    [line] = connection.execute("SELECT actor, action, object FROM audit").fetchall()
    assert line == {"actor": "li.na", "action": "ticket.note", "object": news.number}
