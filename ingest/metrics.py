"""What ingest counts, for Prometheus. One registry per service, so that two can share a process.

Everything but the arrival of a message is counted once per committed batch, from the plain record
``Written``, so that counting costs next to nothing per message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from hearthline.domain.readings import Quality, RejectReason
from hearthline.storage.columns import Floats
from ingest.batcher import Closed

_BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_SKEWS = (-600.0, -60.0, -10.0, -1.0, 0.0, 1.0, 10.0, 60.0, 300.0, 900.0, 3600.0)


@dataclass(frozen=True, slots=True)
class Written:
    """What one committed batch came to.

    ``rows`` readings became rows, ``duplicates`` were there already, ``conflicts`` were there with
    other values; ``quarantined`` messages wait for a device to be adopted. ``refused`` are dead
    letters by reason, ``decoded`` readings by format, ``flagged`` readings by the name of a
    quality flag. ``messages`` and ``readings`` are the batch as it was closed. ``skews`` are
    seconds from measurement to arrival, of live readings that carry their own time.
    """

    rows: int
    messages: int
    readings: int
    oldest_received_at: datetime
    duplicates: int = 0
    conflicts: int = 0
    quarantined: int = 0
    redelivered: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    decoded: Mapping[str, int] = field(default_factory=dict)
    flagged: Mapping[str, int] = field(default_factory=dict)
    skews: Floats | Sequence[float] = ()


class Spread(Collector):
    """A histogram that takes many values at once, for a tenth of the price.

    It has no sum: of values below zero a sum does not only grow, so the format leaves it out.
    """

    def __init__(self, name: str, text: str, bounds: Sequence[float]) -> None:
        self._name, self._text, self._bounds = name, text, tuple(bounds)
        self._counts = np.zeros(len(bounds) + 1, np.int64)

    def observe_all(self, values: Floats | Sequence[float]) -> None:
        """Count values; called by one thread only."""
        found = np.searchsorted(self._bounds, np.asarray(values))  # as ``bisect_left`` does
        self._counts += np.bincount(found, minlength=len(self._counts))

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """The histogram as Prometheus has it: each bucket holds all that is not greater."""
        bounds = [*map(floatToGoString, self._bounds), "+Inf"]
        buckets = list(zip(bounds, accumulate(self._counts.tolist()), strict=True))
        family = HistogramMetricFamily(self._name, self._text)
        family.add_metric([], buckets, None)
        yield family


class Metrics:
    """The stages of a reading's way, counted."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._count_messages()
        self._count_readings()
        self._time_batches()
        self._gauge_state()
        for reason in RejectReason:
            self.rejected.labels(reason.value)
        for closed in Closed:
            self.batches.labels(closed.value)
        for flag in Quality:
            self.flagged.labels(_flag(flag.name))

    def _count_messages(self) -> None:
        counter = self._counter
        self.received = counter("messages_received", "Messages that arrived, redeliveries included")
        self.committed = counter("messages_committed", "Messages in committed batches")
        self.redelivered = counter("messages_redelivered", "Messages that came again after commit")
        self.quarantined = counter("messages_quarantined", "Messages of devices nobody has adopted")
        self.acked = counter("messages_acked", "Messages acknowledged to the broker")
        self.shed = counter("messages_shed", "QoS 0 messages dropped because memory was full")

    def _count_readings(self) -> None:
        counter = self._counter
        self.decoded = counter("readings_decoded", "Readings that a decoder found", "format")
        self.rejected = counter("rejected", "Dead letters", "reason")
        self.written = counter("readings_written", "Readings that became rows")
        self.duplicates = counter("readings_duplicate", "Readings that were already stored")
        self.conflicts = counter("readings_conflicting", "Readings stored before with other values")
        self.flagged = counter("readings_flagged", "Readings stored with a quality flag", "flag")
        self.skew_seconds = Spread(
            "hearthline_ingest_skew_seconds",
            "Arrival minus the device's own time, of live readings",
            _SKEWS,
        )
        self.registry.register(self.skew_seconds)

    def _time_batches(self) -> None:
        self.batches = self._counter("batches", "Batches, by what closed them", "closed")
        self.retries = self._counter("write_retries", "Attempts to write a batch that failed")
        self.batch_rows = Histogram(
            "hearthline_ingest_batch_rows",
            "Readings and dead letters per batch",
            buckets=_BATCH_SIZES,
            registry=self.registry,
        )
        self.commit_seconds = Histogram(
            "hearthline_ingest_commit_seconds",
            "From the turn of a batch to its commit",
            buckets=_SECONDS,
            registry=self.registry,
        )

    def _gauge_state(self) -> None:
        gauge = self._gauge
        self.lag_seconds = gauge(
            "lag_seconds", "Arrival to commit, oldest message of the last batch"
        )
        self.in_hand = gauge("messages_in_hand", "Messages received and not yet committed")
        self.queue = gauge("messages_queued", "Messages that wait for the writer")
        self.rollup_queue = gauge("rollup_queue", "Device hours that wait for their rollup")
        self.broker_up = gauge("broker_up", "1 while connected to the broker")
        self.database_up = gauge("database_up", "1 while the database takes writes")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"hearthline_ingest_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"hearthline_ingest_{name}", text, registry=self.registry)

    def watch_queue(self, size: Callable[[], int]) -> None:
        """Ask ``size`` for the messages that wait for the writer whenever somebody looks."""
        self.queue.set_function(size)

    def wrote(self, written: Written, closed: str, now: datetime) -> None:
        """Count a committed batch; ``closed`` is what closed it."""
        self.lag_seconds.set((now - written.oldest_received_at).total_seconds())
        self.batches.labels(str(closed)).inc()
        self.batch_rows.observe(written.readings + sum(written.refused.values()))
        self.committed.inc(written.messages)
        self.redelivered.inc(written.redelivered)
        self.quarantined.inc(written.quarantined)
        self.written.inc(written.rows)
        self.duplicates.inc(written.duplicates)
        self.conflicts.inc(written.conflicts)
        _add(self.decoded, written.decoded)
        _add(self.rejected, written.refused)
        _add(self.flagged, {_flag(name): n for name, n in written.flagged.items()})
        self.skew_seconds.observe_all(written.skews)


def _add(counter: Counter, counts: Mapping[str, int]) -> None:
    for label, count in counts.items():
        counter.labels(str(label)).inc(count)


def _flag(name: str | None) -> str:
    return (name or "").lower()
