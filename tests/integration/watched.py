"""A running ingest as an orchestrator sees it, and the final account of what it stored."""

from __future__ import annotations

import random
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hearthline.settings import Settings
from hearthline.storage.database import Connection, connect
from tests.integration.books import Books, rows, stored_keys, tallied
from tests.integration.conftest import IngestProcess, wait_until


@contextmanager
def ask(settings: Settings) -> Iterator[Connection]:
    """A connection that no outage has broken."""
    with connect(settings.require_database(), autocommit=True) as connection:
        yield connection


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Running:
    """An ingest process, and the questions that an orchestrator asks it."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self.port = free_port()
        self.process = IngestProcess(settings, log, HEARTHLINE_INGEST_PORT=str(self.port))
        self.process.start()

    def ready(self) -> bool:
        """What /readyz says; no answer is no."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=10) as got:
                return bool(got.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def said_once(self, *sentences: str) -> bool:
        """Whether the log has each of these once."""
        return [self.process.said.count(one) for one in sentences] == [1] * len(sentences)


def all_is_there(settings: Settings, books: Books, *, duplicates: bool = False) -> None:
    """Every reading that was published is one row, and the tally says the same."""
    with ask(settings) as connection:
        wait_until(lambda: rows(connection) >= len(books.spoken), "every reading is stored")
        found = stored_keys(connection, books.site)
        assert len(found) == len(set(found)), "a reading is stored twice"
        assert set(found) == books.spoken
        tally = tallied(connection, settings.mqtt_client_id)
    assert tally["stored"] == len(books.spoken)
    assert tally["refused"] == 0
    if not duplicates:
        assert tally["duplicates"] == 0


def spoken(books: Books, readings: int) -> None:
    """Publish some readings and have them acknowledged by the broker."""
    chance = random.Random(len(books.spoken))
    until = len(books.spoken) + readings
    with books.site.publisher() as publisher:
        while len(books.spoken) < until:
            message = books.next_message(chance)
            publisher.send(message.topic, message.payload)
