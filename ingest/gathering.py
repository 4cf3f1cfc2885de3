"""The next batch: taken from the inbox until the batcher closes it, and prepared as far as it goes.

The writer runs ``next`` one batch ahead, on a thread of its own, while the database works.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import monotonic

import structlog

from ingest.batcher import Batcher, Closed
from ingest.door import Door
from ingest.intake import Heard
from ingest.preparing import Batch, Prepared, prepare_ahead

log = structlog.get_logger("ingest")

IDLE_S = 0.5


@dataclass(slots=True)
class Gatherer:
    """Makes batches of the messages in ``inbox``; one thread at a time asks for them."""

    inbox: SimpleQueue[Heard]
    batcher: Batcher[Heard]
    door: Door
    stopping: threading.Event

    def next(self) -> Batch | None:
        """The next batch; None if nothing comes for a while."""
        closed = self._fill()
        if closed is None:
            return None
        if self.stopping.is_set():
            closed = Closed.STOPPING
        heard = self.batcher.take()
        return Batch(heard, closed, self._ahead(heard))

    def _fill(self) -> Closed | None:
        """Take messages in until the batch closes; None if there are none."""
        batcher = self.batcher
        while True:
            try:
                heard = self.inbox.get(timeout=min(IDLE_S, batcher.patience(monotonic())))
            except Empty:
                if not len(batcher):
                    return None
            else:
                batcher.add(heard, heard.rows, monotonic())
            if closed := batcher.closed(monotonic()):
                return closed

    def _ahead(self, heard: list[Heard]) -> Prepared | None:
        """What can be made of messages from memory; a bug shows when they are written."""
        try:
            return prepare_ahead(heard, self.door)
        except Exception:
            log.exception("a bug while preparing a batch")
            return None
