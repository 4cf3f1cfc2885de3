"""The writer's promise to the broker: acknowledged is what is committed, in the order it came."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue

import pytest

from hearthline.clock import system_clock
from hearthline.settings import Settings
from hearthline.storage.database import Connection, connect
from ingest.batcher import Batcher, Limits
from ingest.delivery import Delivery, digest
from ingest.door import Door, door_of
from ingest.formats.model import Request
from ingest.gathering import Gatherer
from ingest.intake import Heard, Message, hear
from ingest.metrics import Metrics
from ingest.writer import Health, Writer
from ingest.writing import Session
from tests.conftest import Site
from tests.integration.conftest import WITHIN_S, wait_until

BEGAN = datetime(2026, 1, 10, tzinfo=UTC)
PER_BATCH = 5
LIMITS = Limits(rows=1000, messages=PER_BATCH, age_s=60)
HINDER = "LOCK TABLE room_reading IN SHARE MODE"
"""Readers pass, and whoever wants to write waits until this transaction ends."""

HINDERED = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
END = """
    SELECT pg_terminate_backend(pid, 5000) AS ended FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@dataclass
class Witness:
    """Notes what is acknowledged, and how many rows others see at that moment."""

    connection: Connection
    mids: list[int] = field(default_factory=list)
    calls: list[tuple[int, int]] = field(default_factory=list)
    then: Callable[[int], None] = lambda _call: None

    def finish(self, deliveries: Sequence[Delivery], _requests: Sequence[Request]) -> None:
        """What the writer calls."""
        self.mids += [one.mid for one in deliveries]
        self.calls.append((len(self.mids), rows(self.connection)))
        self.then(len(self.calls))

    def nothing_too_early(self) -> bool:
        """Whether every acknowledged message had its row."""
        return all(stored >= acknowledged for acknowledged, stored in self.calls)


def rows(connection: Connection) -> int:
    (row,) = connection.execute("SELECT count(*) AS n FROM room_reading").fetchall()
    return int(row["n"])


def heard(door: Door, site: Site, number: int, value: float = 20.0) -> Heard:
    """The message of that number, one reading of its own instant."""
    at = BEGAN + timedelta(minutes=number)
    body = json.dumps({"ts": at.isoformat(), "temperature_c": value}).encode()
    topic = site.topic("d0")
    delivery = Delivery(number, digest(topic.encode(), body), False, 1)
    message = Message(topic, body, system_clock(), False, delivery)
    return hear(message, door.formats, door.directory.context)


@contextmanager
def writing(
    settings: Settings, witness: Witness, messages: Sequence[Heard], door: Door
) -> Iterator[Writer]:
    """A writer at work on messages that wait already."""
    inbox: SimpleQueue[Heard] = SimpleQueue()
    stopping = threading.Event()
    for message in messages:
        inbox.put(message)
    writer = Writer(
        url=settings.require_database(),
        session=Session(settings.mqtt_client_id, 100),
        gatherer=Gatherer(inbox, Batcher(LIMITS), door, stopping),
        finish=witness.finish,
        door=door,
        metrics=Metrics(),
        health=Health(),
        clock=system_clock,
        stopping=stopping,
    )
    thread = threading.Thread(target=writer.run)
    thread.start()
    try:
        yield writer
    finally:
        writer.stopping.set()
        thread.join(WITHIN_S)
        assert not thread.is_alive()


@pytest.fixture
def door(settings: Settings, site: Site, save_ledger) -> Door:
    save_ledger(site.ledger(1))
    return door_of(settings, whole=True)


@pytest.fixture
def witness(database_url: str) -> Iterator[Witness]:
    with connect(database_url, autocommit=True) as own:
        yield Witness(own)


def test_a_backlog_is_acknowledged_after_its_commit_and_in_its_order(
    settings: Settings, site: Site, door: Door, witness: Witness
) -> None:
    messages = [heard(door, site, n) for n in range(1, 6 * PER_BATCH + 3)]
    with writing(settings, witness, messages, door):
        wait_until(lambda: len(witness.mids) == len(messages), "all is acknowledged")
    assert witness.mids == list(range(1, len(messages) + 1))
    assert witness.nothing_too_early()
    assert len(witness.calls) == 7  # batch by batch, and not all at the end


def test_while_the_database_works_the_next_batch_is_prepared_and_no_other(
    settings: Settings, site: Site, door: Door, witness: Witness, connection: Connection
) -> None:
    """Two batches leave the inbox, one to be written and one ahead; the rest waits there."""
    messages = [heard(door, site, n) for n in range(1, 4 * PER_BATCH + 1)]
    with writing(settings, witness, [], door) as writer:
        wait_until(lambda: writer.health.database, "the database answers")
        with connection.transaction():
            connection.execute(HINDER)
            for message in messages:
                writer.gatherer.inbox.put(message)
            wait_until(lambda: writer.gatherer.inbox.qsize() <= 2 * PER_BATCH, "two are taken")
            wait_until(lambda: witness.connection.execute(HINDERED).fetchall(), "one is written")
            assert writer.gatherer.inbox.qsize() == 2 * PER_BATCH
            assert witness.mids == []
        wait_until(lambda: len(witness.mids) == len(messages), "all is acknowledged")
    assert witness.calls == [(n * PER_BATCH, n * PER_BATCH) for n in (1, 2, 3, 4)]


def test_a_batch_that_was_prepared_with_what_holds_no_more_is_prepared_again(
    settings: Settings, site: Site, door: Door, witness: Witness, connection: Connection
) -> None:
    """The third batch was sorted when the ledger still had its device as a room's sensor."""
    messages = [heard(door, site, n) for n in range(1, 2 * PER_BATCH + 2)]
    with writing(settings, witness, messages[:1], door) as writer:
        wait_until(lambda: len(witness.mids) == 1, "the ledger is known")

        def change(call: int) -> None:
            if call == 2:
                connection.execute("UPDATE device SET kind = 'meter', flow_pipe = 'return'")
                door.directory.forget()  # as the ledger's notice does a moment later

        witness.then = change
        with connection.transaction():
            connection.execute(HINDER)
            for message in messages[1:]:
                writer.gatherer.inbox.put(message)
            wait_until(writer.gatherer.inbox.empty, "both are taken")
        wait_until(lambda: len(witness.mids) == len(messages), "all is acknowledged")
    assert rows(connection) == 1 + PER_BATCH
    letters = connection.execute("SELECT reason, count FROM dead_letter").fetchall()
    assert {row["reason"] for row in letters} == {"wrong_kind"}


def test_a_batch_that_is_lost_under_way_is_not_acknowledged_until_it_is_written_again(
    settings: Settings, site: Site, door: Door, witness: Witness, connection: Connection
) -> None:
    messages = [heard(door, site, n) for n in range(1, 4 * PER_BATCH + 1)]
    with writing(settings, witness, messages[:PER_BATCH], door) as writer:
        wait_until(lambda: len(witness.mids) == PER_BATCH, "the first batch is acknowledged")
        with connection.transaction():
            connection.execute(HINDER)
            for message in messages[PER_BATCH:]:
                writer.gatherer.inbox.put(message)
            wait_until(lambda: witness.connection.execute(END).fetchall(), "a writer is cut off")
            assert len(witness.mids) == PER_BATCH
        wait_until(lambda: len(witness.mids) == len(messages), "all is acknowledged")
        assert not writer.stopping.is_set()
    assert witness.mids == list(range(1, len(messages) + 1))
    assert witness.nothing_too_early()
    assert rows(connection) == len(messages)


def test_what_is_committed_is_acknowledged_when_the_service_stops(
    settings: Settings, site: Site, door: Door, witness: Witness
) -> None:
    messages = [heard(door, site, n) for n in range(1, PER_BATCH + 3)]
    with writing(settings, witness, messages, door) as writer:
        wait_until(lambda: rows(witness.connection) >= PER_BATCH, "a batch is committed")
        writer.stopping.set()
    assert witness.mids == list(range(1, len(messages) + 1))
    assert witness.nothing_too_early()
