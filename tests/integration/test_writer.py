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
from ingest.batcher import Limits
from ingest.delivery import Delivery, digest
from ingest.door import Door, door_of
from ingest.formats.model import Request
from ingest.intake import Heard, Message, hear
from ingest.metrics import Metrics
from ingest.writer import Health, Writer
from ingest.writing import Session
from tests.conftest import Site
from tests.integration.conftest import WITHIN_S, wait_until

BEGAN = datetime(2026, 1, 10, tzinfo=UTC)
PER_BATCH = 5
UNDER_WAY = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle in transaction%'
"""
END = """
    SELECT pg_terminate_backend(pid, 5000) AS ended FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle in transaction%'
"""


@dataclass
class Witness:
    """Notes what is acknowledged, and how many rows others see at that moment."""

    connection: Connection
    mids: list[int] = field(default_factory=list)
    calls: list[tuple[int, int]] = field(default_factory=list)
    under_way: list[bool] = field(default_factory=list)
    then: Callable[[int], None] = lambda _call: None

    def finish(self, deliveries: Sequence[Delivery], _requests: Sequence[Request]) -> None:
        """What the writer calls."""
        self.mids += [one.mid for one in deliveries]
        self.calls.append((len(self.mids), rows(self.connection)))
        self.under_way.append(bool(self.connection.execute(UNDER_WAY).fetchall()))
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
    for message in messages:
        inbox.put(message)
    writer = Writer(
        url=settings.require_database(),
        session=Session(settings.mqtt_client_id, 100),
        inbox=inbox,
        finish=witness.finish,
        door=door,
        limits=Limits(rows=1000, messages=PER_BATCH, age_s=60),
        metrics=Metrics(),
        health=Health(),
        clock=system_clock,
        stopping=threading.Event(),
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
    assert len(witness.calls) >= 6  # batch by batch, and not all at the end


def test_with_a_backlog_acknowledgements_leave_when_the_next_batch_is_with_the_database(
    settings: Settings, site: Site, door: Door, witness: Witness
) -> None:
    messages = [heard(door, site, n) for n in range(1, 3 * PER_BATCH + 1)]
    with writing(settings, witness, messages, door):
        wait_until(lambda: len(witness.mids) == len(messages), "all is acknowledged")
    # At the start the first batch is settled at once: what strangers said is looked through.
    assert witness.calls == [(n * PER_BATCH, n * PER_BATCH) for n in (1, 2, 3)]
    assert witness.under_way == [False, True, False]


def test_a_batch_that_is_lost_under_way_is_not_acknowledged_until_it_is_written_again(
    settings: Settings, site: Site, door: Door, witness: Witness, connection: Connection
) -> None:
    ended: list[bool] = []

    def cut(call: int) -> None:
        if call == 2:  # the third batch is being written just now
            ended.extend(row["ended"] for row in connection.execute(END))

    witness.then = cut
    messages = [heard(door, site, n) for n in range(1, 4 * PER_BATCH + 1)]
    with writing(settings, witness, messages, door):
        wait_until(lambda: len(witness.mids) == len(messages), "all is acknowledged")
    assert ended == [True]
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
