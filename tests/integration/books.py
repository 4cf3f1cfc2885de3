"""What was published and what was stored, kept side by side by tests of ingest."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hearthline.storage import deliveries
from hearthline.storage.database import Connection
from simulators.post import Message
from simulators.transport import Publisher
from tests.conftest import Site

Key = tuple[str, datetime]


@dataclass
class Books:
    """The readings that a site's devices published, by device and time."""

    site: Site
    since: datetime
    devices: int = 10
    spoken: set[Key] = field(default_factory=set)

    def next_items(self, count: int) -> list[dict[str, Any]]:
        """That many readings, each another (device, time)."""
        items = []
        for number in range(len(self.spoken), len(self.spoken) + count):
            device = f"d{number % self.devices}"
            at = self.since + timedelta(seconds=10 * (number // self.devices))
            self.spoken.add((device, at))
            items.append({"device": device, "ts": at.isoformat(), "temperature_c": 20.0})
        return items

    def next_message(self, chance: random.Random) -> Message:
        """One reading, or an array of up to eight."""
        items = self.next_items(1 if chance.random() < 0.5 else chance.randint(2, 8))
        body = json.dumps(items if len(items) > 1 else items[0]).encode()
        return Message(self.site.topic("gateway"), body, len(items), 0)


class Devices(threading.Thread):
    """Publishes until told that it is enough; waits for a broker that is away, resends, goes on."""

    def __init__(self, books: Books, chance: random.Random, *, pause_s: float = 0.005) -> None:
        super().__init__(daemon=True)
        self.books = books
        self.chance = chance
        self.pause_s = pause_s
        self.published: Publisher = Publisher(books.site.publish_url)
        self.error: BaseException | None = None
        self._enough = threading.Event()

    def run(self) -> None:
        """Speak."""
        try:
            while not self._enough.wait(self.pause_s):
                self.published.publish(self.books.next_message(self.chance))
            assert self.published.flush(120), "the broker has not acknowledged everything"
        except BaseException as error:
            self.error = error

    def finish(self) -> None:
        """Stop, and wait until the broker has everything."""
        self._enough.set()
        self.join(180)
        books = self.published.close(1)
        assert self.error is None, self.error
        assert books.complete, books


def stored_keys(connection: Connection, site: Site) -> list[Key]:
    """Device and time of every row of the site's room sensors, as often as it is there."""
    rows = connection.execute(
        "SELECT uid, time FROM room_reading r JOIN device d ON d.id = r.device_id"
        " WHERE uid LIKE %s",
        (site.uid("%"),),
    ).fetchall()
    return [(row["uid"].rpartition("/")[2], row["time"]) for row in rows]


def rows(connection: Connection, table: str = "room_reading") -> int:
    """How many rows a table has."""
    (found,) = connection.execute(f"SELECT count(*) AS count FROM {table}").fetchall()  # noqa: S608
    return int(found["count"])


def tallied(connection: Connection, clients: Sequence[str] | str) -> dict[str, int]:
    """The tallies of ingest sessions, added up."""
    names: Iterable[str] = [clients] if isinstance(clients, str) else clients
    total = dict.fromkeys(("messages", "stored", "duplicates", "refused", "redelivered"), 0)
    for name in names:
        tally = deliveries.tally(connection, name) or {}
        for key in total:
            total[key] += tally.get(key, 0)
    return total


def accounted(connection: Connection, clients: Sequence[str] | str) -> int:
    """Readings that became rows, duplicates or dead letters."""
    tally = tallied(connection, clients)
    return tally["stored"] + tally["duplicates"] + tally["refused"]
