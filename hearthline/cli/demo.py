"""The demo: a simulated town's last three days as backfill, then live; it goes on where it stopped.

The town's clock is anchored at the first start and kept in the database with the event time up to
which readings were published, so that a second start fills the gap and nothing is said twice.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hearthline.cli.output import err, progress
from hearthline.clock import system_clock
from hearthline.domain.places import DeviceKind
from hearthline.settings import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hearthline.domain.complaints import Complaint
    from hearthline.storage.database import Connection, Database
    from simulators import City
    from simulators.transport import Publisher

ANCHOR, PUBLISHED = "demo:anchor", "demo:published"
HISTORY = timedelta(hours=72)
FORGET_AFTER = timedelta(days=10)  # an older town is not played through again; a new one begins
ALMOST = timedelta(hours=2)  # the last hours wait for sensors that report late
DRAIN_WITHIN_S = 60.0
AGENT = "demo"  # who takes the calls of the town's households
FLUSH_WITHIN_S = 10.0


@dataclass
class Demo:
    """One run of the demo."""

    city: City
    anchor: datetime = field(init=False)
    resume: datetime | None = None
    _publisher: Publisher | None = None
    _thread: threading.Thread | None = None
    _ending: threading.Event = field(default_factory=threading.Event)
    _readings: int = 0
    _reached: datetime | None = None
    _zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    _before: dict[str, int] = field(default_factory=dict)

    @classmethod
    def plan(
        cls, wanted: bool, scenario: str, seed: int | None, coverage: float | None
    ) -> Demo | None:
        """Build the town, or None where no demo is wanted."""
        if not wanted:
            return None
        import simulators

        return cls(simulators.build(simulators.load(scenario), seed=seed, coverage=coverage))

    def prepare(self, database: Database) -> None:
        """Fix the town's clock and write its ledger."""
        from hearthline.storage import analysis, ledger

        now = system_clock().replace(second=0, microsecond=0)
        with database.transaction() as connection:
            anchor = analysis.progress(connection, ANCHOR)
            self.resume = analysis.progress(connection, PUBLISHED)
            if anchor is None or now - anchor > FORGET_AFTER:
                anchor = now - HISTORY
                analysis.set_progress(connection, ANCHOR, anchor)
            self.anchor = anchor
            town = self.city.ledger_at(anchor)
            ledger.save(connection, town)
            self._before = _tally(connection)
        err.print(
            f"Town: {len(town.units):,} dwellings, {len(town.devices):,} devices, "
            f"{len(self.city.faults)} faults hidden in it."
        )

    def play(self, database: Database, broker: str, stop: threading.Event) -> None:
        """Publish the history with a progress bar, then go on live in the background."""
        from simulators.live import backfill
        from simulators.transport import Publisher

        self._publisher = Publisher(broker)
        start = max(self.anchor, self.resume) if self.resume else None
        end = system_clock().replace(second=0, microsecond=0)
        with progress("Publishing the past") as bar:

            def step(done: int, total: int | None, until: str) -> None:
                reached = datetime.fromisoformat(until)
                bar(done, total, f"hours, up to {reached.astimezone(self._zone):%m-%d %H:%M}")
                self._reached = reached

            backfill(
                self.city,
                self.anchor,
                end,
                self._publish,
                publish_from=start,
                stop=stop,
                progress=step,
                hear=partial(file_calls, database),
            )
        self._note(database)
        if not stop.is_set():
            err.print("Live from here on. Press Ctrl-C to stop.")
            self._thread = threading.Thread(
                target=self._live, args=(database, end), name="town", daemon=True
            )
            self._thread.start()

    def analysed(self, database: Database) -> bool:
        """Whether the worker has judged the history up to an hour ago."""
        from hearthline.storage import analysis

        with database.transaction() as connection:
            reached = analysis.progress(connection, "analysis")
            waiting = analysis.pending_rollups(connection, DeviceKind.ROOM)
        if self._reached is None or reached is None:
            return False
        rolled_up = waiting is None or waiting > self._reached - ALMOST
        return rolled_up and reached > self._reached - ALMOST

    def stop(self, database: Database) -> dict[str, Any] | None:
        """Stop publishing, wait until everything is in the database, and balance the books."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        if self._publisher is None:
            return None
        books = self._publisher.close()
        return self._balance(database, acked=books.acked, sent=books.sent)

    def _publish(self, message: Any) -> None:
        self._open().publish(message)
        self._readings += message.readings

    def _open(self) -> Publisher:
        if self._publisher is None:
            raise RuntimeError("the demo publishes only after play()")
        return self._publisher

    def _live(self, database: Database, since: datetime) -> None:
        from simulators.live import live
        from simulators.transport import PublisherClosed

        def note(_done: int, _total: int | None, until: str) -> None:
            self._reached = datetime.fromisoformat(until)
            self._note(database)

        with suppress(PublisherClosed):  # told to stop while it waited for the broker
            live(
                self.city,
                self.anchor,
                self._publish,
                publish_from=since,
                stop=self._ending,
                progress=note,
                hear=partial(file_calls, database),
            )

    def _note(self, database: Database) -> None:
        """Remember how far the broker has everything: only what it acknowledged counts."""
        from hearthline.storage import analysis

        if self._reached is None or not self._open().flush(FLUSH_WITHIN_S):
            return
        with database.transaction() as connection:
            analysis.set_progress(connection, PUBLISHED, self._reached)

    def _balance(self, database: Database, *, acked: int, sent: int) -> dict[str, Any]:
        waited = threading.Event()
        seen: dict[str, int] = {}
        for _ in range(int(DRAIN_WITHIN_S * 10)):
            with database.transaction() as connection:
                now = _tally(connection)
            seen = {key: now[key] - self._before.get(key, 0) for key in now}
            if sum(seen.values()) >= self._readings:
                break
            waited.wait(0.1)
        return {
            "readings": self._readings,
            "messages": sent,
            "acked": acked,
            "stored": seen["stored"],
            "dead_letters": seen["refused"],
            "duplicates": seen["duplicates"],
            "balanced": sum(seen.values()) == self._readings,
        }


def file_calls(database: Database, calls: Sequence[Complaint]) -> None:
    """Put what the town's households phone on file, as an agent would."""
    from hearthline.storage import complaints

    with database.transaction() as connection:
        for call in calls:
            complaints.add(connection, replace(call, by=AGENT), max(system_clock(), call.at))


def _tally(connection: Connection) -> dict[str, int]:
    """Readings that ingest has taken so far: stored, duplicates, refused."""
    from hearthline.storage import deliveries

    row = deliveries.tally(connection, load().mqtt_client_id) or {}
    return {key: int(row.get(key, 0)) for key in ("stored", "duplicates", "refused")}
