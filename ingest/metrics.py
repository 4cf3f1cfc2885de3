"""What ingest counts, for Prometheus. One registry per service, so that two can share a process."""

from __future__ import annotations

from collections import Counter as Tallied
from collections.abc import Callable
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from hearthline.domain.readings import RejectReason
from ingest.batcher import Closed
from ingest.writing import Batch, Outcome

_BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """The stages of a reading's way, counted."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"hearthline_ingest_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"hearthline_ingest_{name}", text, registry=registry)

        self.received = counter("messages_received", "Messages that arrived, redeliveries included")
        self.redelivered = counter("messages_redelivered", "Messages that came again after commit")
        self.acked = counter("messages_acked", "Messages acknowledged to the broker")
        self.shed = counter("messages_shed", "QoS 0 messages dropped because memory was full")
        self.decoded = counter("readings_decoded", "Readings that decoder and rules accepted")
        self.rejected = counter("rejected", "Dead letters", "reason")
        self.written = counter("readings_written", "Readings that became rows")
        self.duplicates = counter("readings_duplicate", "Readings that were already stored")
        self.batches = counter("batches", "Batches, by what closed them", "closed")
        self.retries = counter("write_retries", "Attempts to write a batch that failed")
        self.batch_rows = Histogram(
            "hearthline_ingest_batch_rows",
            "Readings and dead letters per batch",
            buckets=_BATCH_SIZES,
            registry=registry,
        )
        self.commit_seconds = Histogram(
            "hearthline_ingest_commit_seconds",
            "From a closed batch to its commit",
            buckets=_SECONDS,
            registry=registry,
        )
        self.lag_seconds = gauge(
            "lag_seconds", "Arrival to commit, oldest message of the last batch"
        )
        self.in_hand = gauge("messages_in_hand", "Messages received and not yet committed")
        self.broker_up = gauge("broker_up", "1 while connected to the broker")
        self.database_up = gauge("database_up", "1 while the database takes writes")
        for reason in RejectReason:
            self.rejected.labels(reason.value)

    def wrote(self, batch: Batch, outcome: Outcome, closed: Closed, now: datetime) -> None:
        """Count a committed batch."""
        oldest = min(one.message.received_at for one in batch.heard)
        self.lag_seconds.set((now - oldest).total_seconds())
        self.batches.labels(closed.value).inc()
        self.batch_rows.observe(sum(one.rows for one in batch.heard))
        self.decoded.inc(sum(len(one.readings) for one in batch.heard))
        self.written.inc(outcome.tally.stored)
        self.duplicates.inc(outcome.tally.duplicates)
        self.redelivered.inc(outcome.redelivered)
        for reason, count in Tallied(one.reason for one in outcome.refused).items():
            self.rejected.labels(reason.value).inc(count)

    def serve(self, port: int, host: str = "127.0.0.1") -> Callable[[], None]:
        """Serve ``/metrics`` on a port; returns what stops it.

        Raises:
            OSError: the port is taken.
        """
        server, thread = start_http_server(port, host, self.registry)

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return stop
