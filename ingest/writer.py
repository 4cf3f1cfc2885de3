"""The thread that turns decoded messages into committed batches and has them acknowledged.

It owns one database connection. While it waits for the database the network's thread goes on
receiving and decoding, so that both have work at once; with a backlog, acknowledgements leave just
then, because what they bring in is to be decoded meanwhile. While the database is away it tries the
batch in hand again and again, with growing pauses, saying so once; nothing is acknowledged
meanwhile, so the broker stops sending when the window is full and memory stays bounded. A batch
that the database takes offence at is halved until the offending message is alone and becomes a
dead letter.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

import structlog

from hearthline.clock import Clock
from hearthline.storage import dead_letters, deliveries, rollups, strangers
from hearthline.storage.database import Away, Connection, connect
from hearthline.storage.readings import RefusedByDatabase, listen_for_ledger, look
from ingest.batcher import Batcher, Closed, Limits
from ingest.delivery import Delivery
from ingest.door import Door
from ingest.formats.model import Request
from ingest.intake import Heard
from ingest.metrics import Metrics, Written
from ingest.replaying import replay_known
from ingest.writing import Batch, Outcome, Session, unwritable, write

log = structlog.get_logger("ingest")

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
IDLE_S = 0.5
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
    """Batches messages from ``inbox`` and writes them until told to stop."""

    url: str
    session: Session
    inbox: SimpleQueue[Heard]
    finish: Finish
    door: Door
    limits: Limits
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
    _owed: list[tuple[Sequence[Delivery], Sequence[Request]]] = field(default_factory=list)

    def run(self) -> None:
        """Work until told to stop; then write what is in hand, once."""
        batcher: Batcher[Heard] = Batcher(self.limits)
        tidy_at = self.clock() + TIDY_EVERY
        try:
            while not self.stopping.is_set():
                self._see_that_it_answers()
                self._fill(batcher)
                closed = batcher.closed(monotonic())
                if closed is not None:
                    self._finish(Batch(batcher.take()), closed)
                if self._replay_due and self.health.database:
                    self._replay()
                if self.clock() >= tidy_at:
                    self._tidy()
                    tidy_at = self.clock() + TIDY_EVERY
            self._drain(batcher)
        except Stopped:
            log.warning(
                "stopped while the database was away; the broker keeps what was not written"
            )
        finally:
            self._settle()
            self._disconnect()

    def _fill(self, batcher: Batcher[Heard]) -> None:
        """Take messages from the inbox until the batch closes or there is nothing to take."""
        if self.inbox.empty():
            self._settle()
        try:
            heard = self.inbox.get(timeout=min(IDLE_S, batcher.patience(monotonic())))
            while True:
                now = monotonic()
                batcher.add(heard, heard.rows, now)
                if batcher.closed(now):
                    return
                heard = self.inbox.get_nowait()
        except Empty:
            self._settle()

    def _drain(self, batcher: Batcher[Heard]) -> None:
        """Write what is already here when the service stops."""
        while True:
            self._fill(batcher)
            if not len(batcher):
                return
            self._finish(Batch(batcher.take()), Closed.STOPPING)

    def _finish(self, batch: Batch, closed: Closed) -> None:
        """Write a batch, whatever it takes, then acknowledge it."""
        began = monotonic()
        try:
            outcome = self._persist(batch)
        except RefusedByDatabase as error:
            self._isolate(batch, error, closed)
            return
        self.door.directory.note_gateways(outcome.gateways)
        if self.on_commit is not None:
            self.on_commit(batch)
        self.metrics.commit_seconds.observe(monotonic() - began)
        self.metrics.wrote(written(batch, outcome), closed, self.clock())
        self._expect_duplicates = outcome.tally.duplicates > 0
        messages = [one.message.delivery for one in batch.heard if one.message.delivery]
        self._replay_due |= outcome.learnt
        self._owed.append((messages, self._not_asked_of_late(outcome.requests)))

    def _settle(self) -> None:
        """Have what is committed acknowledged.

        With a backlog this waits until the next batch is with the database: what comes in return
        is then decoded while the database works, and not while this thread needs the interpreter.
        """
        while self._owed:
            self.finish(*self._owed.pop(0))

    def _not_asked_of_late(self, requests: Sequence[Request]) -> list[Request]:
        now = monotonic()
        self._asked = {one: at for one, at in self._asked.items() if now - at < ASK_AGAIN_S}
        fresh = [one for one in requests if one not in self._asked]
        self._asked.update(dict.fromkeys(fresh, now))
        return fresh

    def _isolate(self, batch: Batch, error: Exception, closed: Closed) -> None:
        """Find the message that the database refuses and make it a dead letter."""
        if len(batch.heard) > 1:
            for half in batch.halves():
                self._finish(half, closed)
            return
        (heard,) = batch.heard
        log.error("the database refuses a message", topic=heard.message.topic, reason=str(error))
        if heard.decoded.rejections and not heard.decoded.readings:
            raise error
        self._finish(Batch([unwritable(heard, error)]), closed)

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
                prepared=self._settle,
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
        self._settle()
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
        self._settle()
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
        self._settle()
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
