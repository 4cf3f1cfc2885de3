"""The ingest service: one session on the broker, one writer, until told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

import structlog

from hearthline.clock import Clock, system_clock
from hearthline.errors import HearthlineError
from hearthline.settings import Settings
from ingest.acceptance import Rules
from ingest.batcher import Limits
from ingest.consumer import Broker, Consumer
from ingest.formats import registry
from ingest.intake import Message
from ingest.metrics import Metrics
from ingest.writer import Health, Writer
from ingest.writing import Session

log = structlog.get_logger("ingest")

SUPERVISE_EVERY_S = 1.0
FINISH_WITHIN_S = 20.0


class Service:
    """Consumer and writer, wired together."""

    def __init__(self, settings: Settings, clock: Clock = system_clock) -> None:
        self.health = Health()
        self.metrics = Metrics()
        self._ending = threading.Event()
        inbox: SimpleQueue[Message] = SimpleQueue()
        inflight = settings.ingest_inflight
        self.consumer = Consumer(
            Broker.at(settings.require_mqtt()),
            client_id=settings.mqtt_client_id,
            topics=settings.mqtt_topics,
            inflight=inflight,
            inbox=inbox,
            metrics=self.metrics,
            health=self.health,
            clock=clock,
        )
        self.writer = Writer(
            url=settings.require_database(),
            session=Session(settings.mqtt_client_id, inflight),
            inbox=inbox,
            acknowledge=self.consumer.acknowledge,
            formats=registry(),
            rules=Rules(settings.oldest_reading, settings.clock_tolerance),
            limits=Limits(
                rows=settings.ingest_batch_rows,
                messages=max(1, inflight // 2),
                age_s=settings.ingest_batch_wait.total_seconds(),
            ),
            metrics=self.metrics,
            health=self.health,
            clock=clock,
            stopping=self._ending,
        )
        self._thread = threading.Thread(target=self.writer.run, name="writer", daemon=True)

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set, then finish the batch in hand and leave.

        Raises:
            HearthlineError: the writer ended by itself, which is a bug.
        """
        self._thread.start()
        self.consumer.start()
        try:
            while not stop.wait(SUPERVISE_EVERY_S) and self._thread.is_alive():
                self.consumer.supervise()
        finally:
            self._finish()
        if not stop.is_set():
            raise HearthlineError("The ingest writer ended unexpectedly.", "See the log for why.")

    def _finish(self) -> None:
        self.consumer.deafen()
        self._ending.set()
        self._thread.join(FINISH_WITHIN_S)
        self.consumer.stop()


def run(
    settings: Settings,
    stop: threading.Event,
    *,
    metrics_port: int | None = None,
    started: Callable[[Service], None] | None = None,
) -> None:
    """Run ingest until ``stop`` is set. ``started`` gets the service, for its health and metrics.

    Raises:
        SettingsError: no database or no broker is configured.
        OSError: the metrics port is taken.
    """
    service = Service(settings)
    end_metrics = None if metrics_port is None else service.metrics.serve(metrics_port)
    log.info("ingest starts", client_id=settings.mqtt_client_id, topics=settings.mqtt_topics)
    try:
        if started is not None:
            started(service)
        service.run(stop)
    finally:
        if end_metrics is not None:
            end_metrics()
    log.info("ingest stopped")
