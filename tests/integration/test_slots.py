"""Places for processes side by side: on real advisory locks, and as ingest uses them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hearthline.domain.places import Ledger
from hearthline.settings import Settings
from hearthline.storage import slots
from hearthline.storage.database import Connection, connect
from tests.conftest import Site
from tests.integration.conftest import IngestProcess, wait_until
from tests.mqtt import forget_session

JOB = "test of places"


def fail() -> None:
    raise AssertionError("the place was lost")


def test_each_process_takes_the_lowest_free_place(database_url: str) -> None:
    """And one that ends leaves its place to the next; other jobs have places of their own."""
    with ExitStack() as first, slots.held(database_url, JOB, fail) as second:
        assert second == 1
        assert first.enter_context(slots.held(database_url, JOB, fail)) == 2
        with slots.held(database_url, JOB, fail) as third:
            assert third == 3
        first.close()
        with slots.held(database_url, JOB, fail) as again:
            assert again == 2
        with slots.held(database_url, "another", fail) as other:
            assert other == 1


def test_a_place_whose_connection_broke_is_claimed_again(
    database_url: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else took it meanwhile."""
    monkeypatch.setattr(slots, "LOOK_S", 0.05)
    with slots.held(database_url, JOB, fail):
        _break_others(connection)
        wait_until(lambda: _held(connection), "it is claimed again")


def test_a_place_that_another_has_taken_ends_the_process(
    database_url: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two under one name would throw each other off the broker for ever."""
    monkeypatch.setattr(slots, "LOOK_S", 0.01)
    lost = threading.Event()
    broken = connect(database_url, autocommit=True)
    keeper = slots._Keeper(database_url, JOB, slots.take(broken, JOB), broken, lost.set)
    broken.close()
    wait_until(lambda: slots.claim(connection, JOB, keeper.number), "another takes the place")
    keeper.run()
    assert lost.is_set()


def _break_others(connection: Connection) -> None:
    """End every other connection to this database that holds a place, and wait until it is free."""
    ended = connection.execute(
        "SELECT pg_terminate_backend(pid, 5000) AS ended FROM pg_locks"
        " WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    ).fetchall()
    assert [row["ended"] for row in ended] == [True]


def _held(connection: Connection) -> bool:
    row = connection.execute(
        "SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    ).fetchone()
    return bool(row and row["n"])


def test_two_ingest_processes_share_the_messages_and_a_third_takes_up_a_dead_ones_session(
    settings: Settings,
    site: Site,
    connection: Connection,
    save_ledger: Callable[[Ledger], None],
    tmp_path: Path,
) -> None:
    """Every reading becomes one row, also those that waited for the one that was killed."""
    save_ledger(site.ledger(1))
    names = [f"hearthline-ingest-{site.name}-{place}" for place in (1, 2)]
    processes = [_sharing(settings, site, tmp_path / f"{n}.log") for n in range(3)]
    first, second, third = processes
    try:
        first.start()
        second.start()
        wait_until(lambda: "subscribed" in first.said and "subscribed" in second.said, "both hear")
        lost = next(name for name in names if name in first.said)
        assert lost not in second.said
        _publish(site, 0, 40)
        wait_until(lambda: _rows(connection) == 40, "all 40 are rows")
        assert all(_committed(connection, name) > 0 for name in names)
        first.kill()
        _publish(site, 40, 80)
        third.start()
        wait_until(lambda: _rows(connection) == 80, "all 80 are rows")
        assert lost in third.said
    finally:
        for process in processes:
            process.kill()
        for name in names:
            forget_session(settings.require_mqtt(), name)


def _sharing(settings: Settings, site: Site, log: Path) -> IngestProcess:
    process = IngestProcess(settings, log, HEARTHLINE_MQTT_SHARE=site.name)
    del process._environment["HEARTHLINE_MQTT_CLIENT_ID"]
    return process


def _publish(site: Site, start: int, stop: int) -> None:
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
    with site.publisher() as publisher:
        for n in range(start, stop):
            ts = (began + timedelta(minutes=n)).isoformat()
            publisher.send(site.topic("d0"), {"ts": ts, "temperature_c": 20 + n / 100})


def _rows(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) AS n FROM room_reading").fetchone()
    return int(row["n"]) if row else 0


def _committed(connection: Connection, client_id: str) -> int:
    row = connection.execute(
        "SELECT messages FROM ingest_session WHERE client_id = %s", (client_id,)
    ).fetchone()
    return int(row["messages"]) if row else 0


def test_all_places_taken_is_a_sentence(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do."""
    monkeypatch.setattr(slots, "MOST", 1)
    with (
        slots.held(database_url, JOB, fail),
        connect(database_url, autocommit=True) as own,
        pytest.raises(slots.HearthlineError, match="All 1 places"),
    ):
        slots.take(own, JOB)
