"""The thread that writes batches, commits them and has their messages acknowledged.

It owns one database connection. While it waits for the database the next batch is gathered and
prepared on a thread beside it, so that the database always has work; never more than one, since
what is in hand is bounded. While the database is away it tries the batch in hand again and again,
with growing pauses, saying so once; nothing is acknowledged meanwhile, so the broker stops sending
when the window is full. A batch that the database takes offence at is halved until the offending
message is alone and becomes a dead letter.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any

import structlog

from hearthline.clock import Clock
from hearthline.storage import dead_letters, deliveries, rollups, strangers
from hearthline.storage.database import Away, Connection, connect
from hearthline.storage.readings import RefusedByDatabase, listen_for_ledger, look
from ingest.delivery import Delivery
from ingest.door import Door
from ingest.formats.model import Request
from ingest.gathering import IDLE_S, Gatherer
from ingest.metrics import Metrics, Written
from ingest.preparing import Batch
from ingest.replaying import replay_known
from ingest.writing import Outcome, Session, unwritable, write

log = structlog.get_logger("ingest")

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
LOOK_AFTER_S = 1.0
"""With nothing to write the database is asked for an answer so often: a server that is gone is
missed at once, and the ledger's news come along with the answer."""

TIDY_EVERY = timedelta(minutes=1)
ASK_AGAIN_S = 60.0
"""For so long nobody is asked for the same thing twice."""

REPLAY_AT_ONCE = 2_000
"""Quarantined messages taken in again before live ones get their turn."""

Finish = Callable[[Sequence[Delivery], Sequence[Request]], None]
"""Acknowledge committed deliveries, and publish what they ask for."""


class Stopped(Exception):
    """The service was told to stop before the batch could be written."""


@dataclass(slots=True)
class Health:
    """Which of the two sides answer; the service is ready while both do."""

    broker: bool = False
    database: bool = False

    @property
    def ready(self) -> bool:
        """Whether readings flow."""
        return self.broker and self.database


@dataclass(slots=True)
class Writer:
    """Writes what ``gatherer`` has ready until told to stop."""

    url: str
    session: Session
    gatherer: Gatherer
    finish: Finish
    door: Door
    metrics: Metrics
    health: Health
    clock: Clock
    stopping: threading.Event
    on_commit: Callable[[Batch], None] | None = None
    _connection: Connection | None = None
    _away: bool = False
    _expect_duplicates: bool = False
    _replay_due: bool = True
    _answered_at: float = 0.0
    _asked: dict[Request, float] = field(default_factory=dict)

    def run(self) -> None:
        """Work until told to stop; then write what is in hand, once."""
        try:
            with ThreadPoolExecutor(1, "gathering") as beside:
                self._work(beside)
        except Stopped:
            log.warning(
                "stopped while the database was away; the broker keeps what was not written"
            )
        finally:
            self._disconnect()

    def _work(self, beside: ThreadPoolExecutor) -> None:
        """Write batch after batch, each while the next one is gathered."""
        tidy_at = self.clock() + TIDY_EVERY
        ahead: Future[Batch | None] = beside.submit(self.gatherer.next)
        while not self.stopping.is_set():
            self._see_that_it_answers()
            batch = ahead.result()
            ahead = beside.submit(self.gatherer.next)
            if batch is not None:
                self._finish(batch)
            if self._replay_due and self.health.database:
                self._replay()
            if self.clock() >= tidy_at:
                self._tidy()
                tidy_at = self.clock() + TIDY_EVERY
        batch = ahead.result()
        while batch is not None or (batch := self.gatherer.next()) is not None:
            self._finish(batch)
            batch = None

    def _finish(self, batch: Batch) -> None:
        """Write a batch, whatever it takes; count it, then acknowledge it."""
        began = monotonic()
        try:
            outcome = self._persist(batch)
        except RefusedByDatabase as error:
            self._isolate(batch, error)
            return
        self.metrics.commit_seconds.observe(monotonic() - began)
        self.metrics.wrote(written(batch, outcome), batch.closed, self.clock())
        messages = [one.message.delivery for one in batch.heard if one.message.delivery]
        self.finish(messages, self._not_asked_of_late(outcome.requests))
        self.door.directory.note_gateways(outcome.gateways)
        if self.on_commit is not None:
            self.on_commit(batch)
        self._expect_duplicates = outcome.tally.duplicates > 0
        self._replay_due |= outcome.learnt

    def _not_asked_of_late(self, requests: Sequence[Request]) -> list[Request]:
        now = monotonic()
        self._asked = {one: at for one, at in self._asked.items() if now - at < ASK_AGAIN_S}
        fresh = [one for one in requests if one not in self._asked]
        self._asked.update(dict.fromkeys(fresh, now))
        return fresh

    def _isolate(self, batch: Batch, error: Exception) -> None:
        """Find the message that the database refuses and make it a dead letter."""
        if len(batch.heard) > 1:
            for half in batch.halves():
                self._finish(half)
            return
        (heard,) = batch.heard
        log.error("the database refuses a message", topic=heard.message.topic, reason=str(error))
        if heard.decoded.rejections and not heard.decoded.readings:
            raise error
        self._finish(Batch([unwritable(heard, error)], batch.closed))

    def _persist(self, batch: Batch) -> Outcome:
        """Try until the batch is committed.

        Raises:
            Stopped: told to stop while the database is away.
        """
        pause = FIRST_PAUSE_S
        refused_once = False
        while True:
            try:
                return self._attempt(batch)
            except RefusedByDatabase:
                if refused_once:
                    raise
                refused_once = True
                self.door.directory.forget()  # perhaps the ledger lost a device that we remember
            except Exception as error:
                self._lost(error)
                if self.stopping.wait(pause):
                    raise Stopped from error
                pause = min(LONGEST_PAUSE_S, pause * 2)

    def _attempt(self, batch: Batch) -> Outcome:
        connection = self._connected()
        with connection.transaction():
            outcome = write(
                connection,
                self.session,
                batch,
                self.door,
                expect_duplicates=self._expect_duplicates,
            )
        self._found()
        return outcome

    def _see_that_it_answers(self) -> None:
        """Know early whether the database is there; waiting is what ``_persist`` does."""
        if self._connection is not None and monotonic() - self._answered_at < LOOK_AFTER_S:
            return
        try:
            look(self._connected())
            self._found()
        except Exception as error:
            self._lost(error)
            self.stopping.wait(IDLE_S)

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            connection = connect(self.url, autocommit=True, timeout_s=5)
            connection.add_notify_handler(self._ledger_changed)
            listen_for_ledger(connection)
            deliveries.open_session(connection, self.session.client_id, self.clock())
            self.door.directory.forget()
            self.door.directory.resolve(connection, ())  # so the first batch can be made ready
            self._connection = connection
        return self._connection

    def _ledger_changed(self, _notice: Any) -> None:
        self.door.directory.forget()
        self._replay_due = True

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*Away):
                connection.close()

    def _lost(self, error: Exception) -> None:
        """Note that a write failed for a reason that may pass; say so once."""
        self._disconnect()
        self.metrics.retries.inc()
        self.metrics.database_up.set(0)
        self.health.database = False
        if not self._away:
            self._away = True
            said = str(error).strip().partition("\n")[0] or type(error).__name__
            log.warning("waiting for the database; nothing is acknowledged meanwhile", reason=said)
            if not isinstance(error, Away):
                log.error("this is not the server's absence", exc_info=error)

    def _found(self) -> None:
        self._answered_at = monotonic()
        self.metrics.database_up.set(1)
        self.health.database = True
        if self._away:
            self._away = False
            log.info("the database is back")

    def _tidy(self) -> None:
        """Keep what is kept for engineers within its bounds, and replay what has found a home.

        Should it fail, the next minute comes.
        """
        try:
            connection, now = self._connected(), self.clock()
            with connection.transaction():
                gone = dead_letters.purge(connection, now) + strangers.purge(connection, now)
            if gone:
                log.info("old dead letters and strangers' messages deleted", count=gone)
            self.metrics.rollup_queue.set(rollups.depth(connection))
        except Exception as error:
            self._lost(error)
        self._replay_due = True

    def _replay(self) -> None:
        """Take in what devices said before the ledger knew them, or before they were understood."""
        self._replay_due = False
        try:
            done = replay_known(self._connected(), self.door, limit=REPLAY_AT_ONCE)
        except RefusedByDatabase:
            log.exception("the database refuses messages from quarantine")
        except Exception as error:
            self._lost(error)
        else:
            self._replay_due = done.messages >= REPLAY_AT_ONCE
            if done.messages:
                log.info("messages taken in from quarantine", count=done.messages)


def written(batch: Batch, outcome: Outcome) -> Written:
    """What a batch came to, as it is counted."""
    messages = [one.message for one in batch.heard]
    return Written(
        rows=outcome.tally.stored,
        messages=len(messages),
        readings=sum(len(one.decoded.readings) for one in batch.heard),
        oldest_received_at=min(message.received_at for message in messages),
        duplicates=outcome.tally.duplicates,
        conflicts=outcome.conflicts,
        quarantined=outcome.quarantined,
        redelivered=outcome.redelivered,
        refused=Counter(one.reason.value for one in outcome.refused),
        decoded=outcome.decoded,
        flagged=outcome.flagged,
        skews=-outcome.skews,
    )
