"""Ingest processes that share the messages, and are killed: every reading once, whoever got it."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hearthline.domain.places import Ledger
from hearthline.settings import Settings
from hearthline.storage import dead_letters
from hearthline.storage.database import Connection
from tests.conftest import Site
from tests.integration.books import Books, accounted, rows, stored_keys, tallied
from tests.integration.conftest import IngestProcess, wait_until
from tests.mqtt import forget_session, left_in_session

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


class Member(IngestProcess):
    """One of several processes of a group; the place that it takes decides its client id."""

    def __init__(self, settings: Settings, site: Site, log: Path) -> None:
        super().__init__(settings, log, HEARTHLINE_MQTT_SHARE=site.name)
        del self._environment["HEARTHLINE_MQTT_CLIENT_ID"]


def names(site: Site, count: int) -> list[str]:
    return [f"hearthline-ingest-{site.name}-{place}" for place in range(1, count + 1)]


@contextmanager
def group(settings: Settings, site: Site, folder: Path, count: int) -> Iterator[list[Member]]:
    """That many processes side by side, all of them subscribed; their sessions go at the end."""
    members = [Member(settings, site, folder / f"{n}.log") for n in range(count)]
    try:
        for member in members:
            member.start()
        for member in members:
            wait_until(lambda m=member: "subscribed" in m.said, "all have subscribed")
        yield members
    finally:
        for member in members:
            member.kill()
        for name in names(site, count):
            forget_session(settings.require_mqtt(), name)


def speak(books: Books, enough: threading.Event, junk: list[int]) -> None:
    """Readings with a time, and without one, and the same junk again and again."""
    chance = random.Random(6)
    site = books.site
    with site.publisher() as publisher:
        while not enough.wait(0.002):
            message = books.next_message(chance)
            publisher.send(message.topic, message.payload)
            if chance.random() < 0.1:
                publisher.send(site.topic("d0"), b"the same junk")
                junk.append(1)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("count", [2, 3])
def test_processes_that_share_and_are_killed_at_random_store_everything_once(  # noqa: PLR0917
    settings: Settings,
    site: Site,
    connection: Connection,
    save_ledger: Callable[[Ledger], None],
    tmp_path: Path,
    count: int,
) -> None:
    """Each of them several times, at any moment, and started again at once."""
    save_ledger(site.ledger(10))
    books, junk = Books(site, NOW - timedelta(days=5)), list[int]()
    enough, chance = threading.Event(), random.Random(count)
    clients = names(site, count)
    with group(settings, site, tmp_path, count) as members:
        speaking = threading.Thread(target=speak, args=(books, enough, junk), daemon=True)
        speaking.start()
        for number in range(4 * count):
            time.sleep(chance.uniform(0.1, 0.8))
            member = members[number % count]
            member.kill()
            member.start()
        enough.set()
        speaking.join(60)
        total = len(books.spoken) + len(junk)
        wait_until(lambda: accounted(connection, clients) >= total, "all is accounted for", 90)
        for member in members:
            assert member.terminate() == 0
        assert_once(connection, books, clients, len(junk))
        for name in clients:
            assert left_in_session(settings.require_mqtt(), name) == 0


def assert_once(
    connection: Connection, books: Books, clients: Sequence[str], junk: int = 0
) -> None:
    """Every reading is one row and every piece of junk was counted once, whoever got it."""
    found = Counter(stored_keys(connection, books.site))
    assert set(found) == books.spoken
    assert max(found.values()) == 1
    tally = tallied(connection, clients)
    assert (tally["stored"], tally["duplicates"]) == (len(books.spoken), 0)
    assert tally["refused"] == junk == sum(row["count"] for row in dead_letters.counts(connection))


def test_what_waits_for_a_dead_process_waits_for_the_next_that_takes_its_place(
    settings: Settings,
    site: Site,
    connection: Connection,
    save_ledger: Callable[[Ledger], None],
    tmp_path: Path,
) -> None:
    """The broker goes on to give a dead process its share, which waits in its session.

    Mosquitto 2.0 shares out among sessions, connected or not: half of what comes is late until
    another process takes the place, and none of it is lost.
    """
    save_ledger(site.ledger(10))
    books = Books(site, NOW - timedelta(days=5))
    clients = names(site, 2)
    with group(settings, site, tmp_path, 2) as (dead, alive):
        tell(books, 200)
        wait_until(lambda: rows(connection) == 200, "both work")
        mine = next(name for name in clients if name in dead.said)
        dead.kill()
        tell(books, 200)
        wait_until(lambda: still(connection), "the other has stored its share")
        waiting = len(books.spoken) - rows(connection)
        had = tallied(connection, mine)["stored"]
        third = Member(settings, site, tmp_path / "third.log")
        third.start()
        try:
            wait_until(lambda: rows(connection) == len(books.spoken), "nothing waits any more")
            assert mine in third.said
            assert tallied(connection, mine)["stored"] == had + waiting
            assert third.terminate() == 0
        finally:
            third.kill()
        assert alive.terminate() == 0
        assert_once(connection, books, clients)


def tell(books: Books, count: int) -> None:
    """Single readings, so that the broker has something to share out."""
    with books.site.publisher() as publisher:
        for item in books.next_items(count):
            publisher.send(books.site.topic("gateway"), json.dumps(item).encode())


def still(connection: Connection) -> bool:
    """Whether no row was added for half a second."""
    before = rows(connection)
    time.sleep(0.5)
    return rows(connection) == before
