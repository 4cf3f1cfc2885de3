"""Cut off at the very moment of a commit, or no room on the disk: everything is stored once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hearthline.domain.places import Ledger
from hearthline.settings import Settings
from hearthline.storage import dead_letters
from tests.conftest import Site
from tests.integration.books import Books, Devices, accounted, rows, stored_keys, tallied
from tests.integration.conftest import IngestProcess, wait_until
from tests.integration.proxy import Proxy
from tests.integration.watched import Running, all_is_there, ask, spoken

DEVICES = 10
FULL_S = 2.0


@pytest.fixture
def books(site: Site, save_ledger: Callable[[Ledger], None]) -> Books:
    """Devices in the ledger that have not spoken yet."""
    save_ledger(site.ledger(DEVICES))
    now = datetime.now(UTC).replace(microsecond=0)
    return Books(site, now - timedelta(days=3), DEVICES)


# ── the moment of the commit ─────────────────────────────────────────────────────────────────


class Moment:
    """Cuts a wire at every third mention of a word."""

    def __init__(self, word: bytes, cut: Callable[[], None]) -> None:
        self.word = word
        self.cut = cut
        self.mentions = self.cuts = 0

    def __call__(self, chunk: bytes) -> None:
        self.mentions += chunk.count(self.word)
        if self.word in chunk and self.mentions > 3 * (self.cuts + 1) and self.cuts < 8:
            self.cuts += 1
            self.cut()


@pytest.mark.parametrize(
    ("side", "word"),
    [("asked", b"PGCOPY\n"), ("asked", b"COMMIT\0"), ("answered", b"COMMIT\0")],
    ids=["rows under way", "commit asked", "commit answered"],
)
def test_a_database_cut_off_at_the_very_moment_stores_everything_once(
    settings: Settings, books: Books, tmp_path: Path, side: str, word: bytes
) -> None:
    """Junk, which has no key of its own, is counted once as well."""
    proxy: Proxy

    def cut() -> None:
        proxy.cut()
        threading.Timer(0.05, proxy.restore).start()

    moment = Moment(word, cut)
    watch, hear = (moment, None) if side == "answered" else (None, moment)
    process = IngestProcess(settings, tmp_path / "log")
    process.start()
    wait_until(lambda: "subscribed" in process.said, "the session exists")
    assert process.terminate() == 0
    spoken(books, 800)
    with books.site.publisher() as publisher:
        for _ in range(100):
            publisher.send(books.site.topic("d0"), b"the same junk")
            message = books.next_message(random.Random(1))
            publisher.send(message.topic, message.payload)
    with Proxy(settings.require_database(), watch=watch, hear=hear) as proxy:
        few = settings.model_copy(update={"database_url": proxy.url, "ingest_inflight": 20})
        process = IngestProcess(few, tmp_path / "log")
        process.start()
        try:
            with ask(settings) as connection:
                wait_until(
                    lambda: (
                        accounted(connection, settings.mqtt_client_id) >= len(books.spoken) + 100
                    ),
                    "all is accounted for",
                )
                assert sum(row["count"] for row in dead_letters.counts(connection)) == 100
                tally = tallied(connection, settings.mqtt_client_id)
                found = stored_keys(connection, books.site)
        finally:
            process.kill()
    assert moment.cuts == 8
    assert sorted(found) == sorted(books.spoken)
    assert (tally["stored"], tally["duplicates"], tally["refused"]) == (len(found), 0, 100)


# ── no room ──────────────────────────────────────────────────────────────────────────────────

FULL = """
CREATE TABLE disk (is_full boolean NOT NULL);
INSERT INTO disk VALUES (false);
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT is_full FROM disk) THEN
        RAISE EXCEPTION 'could not extend file "base/1/2": No space left on device'
              USING ERRCODE = '53100';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER no_room BEFORE INSERT ON room_reading FOR EACH ROW EXECUTE FUNCTION no_room();
"""


def test_a_full_disk_is_waited_out_and_said_once(
    settings: Settings, books: Books, tmp_path: Path
) -> None:
    """Readiness is gone meanwhile and nothing is acknowledged."""
    ingest = Running(settings, tmp_path / "ingest.log")
    try:
        wait_until(ingest.ready, "ingest is ready")
        fill_and_empty(settings, books, ingest)
        all_is_there(settings, books)
    finally:
        ingest.process.kill()
    assert ingest.said_once("waiting for the database", "the database is back")
    assert "No space left on device" in ingest.process.said
    assert "Traceback" not in ingest.process.said


def fill_and_empty(settings: Settings, books: Books, ingest: Running) -> None:
    """Let the disk be full for a while under speaking devices."""
    devices = Devices(books, random.Random(7))
    devices.start()
    with ask(settings) as connection:
        connection.execute(FULL)
        wait_until(lambda: rows(connection) > 100, "readings flow")
        connection.execute("UPDATE disk SET is_full = true")
        wait_until(lambda: not ingest.ready(), "readiness is gone")
        stored, committed = rows(connection), tallied(connection, settings.mqtt_client_id)
        time.sleep(FULL_S)
        assert not ingest.ready()
        assert rows(connection) == stored
        assert tallied(connection, settings.mqtt_client_id) == committed
        connection.execute("UPDATE disk SET is_full = false")
    wait_until(ingest.ready, "ingest is ready again")
    devices.finish()
