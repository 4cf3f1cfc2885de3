"""The ingest service: one session on the broker, one writer, until told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

import structlog

from hearthline.clock import Clock, system_clock
from hearthline.errors import HearthlineError
from hearthline.settings import Settings
from ingest.batcher import Batcher, Limits
from ingest.broker import Broker
from ingest.consumer import Consumer
from ingest.door import door_of
from ingest.formats import Registry
from ingest.gathering import Gatherer
from ingest.intake import Heard, hear
from ingest.interpreter import attuned
from ingest.metrics import Metrics
from ingest.writer import Health, Writer
from ingest.writing import Session

log = structlog.get_logger("ingest")

SUPERVISE_EVERY_S = 1.0
FINISH_WITHIN_S = 20.0
STAGES = 3
"""Batches under way at once: one arrives, one is made ready, one is written."""
BATCHES_IN_HAND = 2
"""The window's parts: one batch is with the database while the next comes in and is prepared."""


def subscriptions(settings: Settings, formats: Registry) -> tuple[str, ...]:
    """The topic filters to subscribe to: as set, else all that a format decodes; shared or not."""
    filters = settings.mqtt_topics or formats.filters
    if settings.mqtt_share is None:
        return tuple(filters)
    return tuple(f"$share/{settings.mqtt_share}/{one}" for one in filters)


class Service:
    """Consumer and writer, wired together."""

    def __init__(self, settings: Settings, clock: Clock = system_clock) -> None:
        self.health = Health()
        self.metrics = Metrics()
        self.door = door_of(settings, whole=True)
        self._ending = threading.Event()
        inbox: SimpleQueue[Heard] = SimpleQueue()
        inflight = settings.ingest_inflight
        self.consumer = Consumer(
            Broker.of(settings),
            client_id=settings.mqtt_client_id,
            topics=subscriptions(settings, self.door.formats),
            inflight=inflight,
            hear=lambda message: hear(message, self.door.formats, self.door.directory.context),
            inbox=inbox,
            metrics=self.metrics,
            health=self.health,
            clock=clock,
        )
        limits = Limits(
            rows=settings.ingest_batch_rows,
            messages=max(1, inflight // BATCHES_IN_HAND),
            age_s=settings.ingest_batch_wait.total_seconds(),
        )
        self.writer = Writer(
            url=settings.require_database(),
            session=Session(settings.mqtt_client_id, inflight),
            gatherer=Gatherer(inbox, Batcher(limits), self.door, self._ending),
            finish=self.consumer.finish,
            door=self.door,
            metrics=self.metrics,
            health=self.health,
            clock=clock,
            stopping=self._ending,
        )
        self.metrics.watch_queue(inbox.qsize)
        self._thread = threading.Thread(target=self.writer.run, name="writer", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether both threads work."""
        return self._thread.is_alive() and self.consumer.alive()

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set, then finish the batch in hand and leave.

        Raises:
            HearthlineError: a thread ended by itself, which is a bug.
        """
        with attuned():
            self._thread.start()
            self.consumer.start()
            try:
                while not stop.wait(SUPERVISE_EVERY_S) and self.alive:
                    pass
            finally:
                self._finish()
        if not stop.is_set():
            raise HearthlineError("Ingest ended unexpectedly.", "See the log for why.")

    def _finish(self) -> None:
        self.consumer.deafen()
        self._ending.set()
        self._thread.join(FINISH_WITHIN_S)
        self.consumer.stop()


def run(
    settings: Settings,
    stop: threading.Event,
    *,
    started: Callable[[Service], None] | None = None,
) -> None:
    """Run ingest until ``stop`` is set. ``started`` gets the service, for its health and metrics.

    Raises:
        SettingsError: no database or no broker is configured, or a setting is wrong.
    """
    service = Service(settings)
    topics = service.consumer.topics
    log.info("ingest starts", client_id=settings.mqtt_client_id, topics=topics)
    if started is not None:
        started(service)
    service.run(stop)
    log.info("ingest stopped")
