"""What ingest does per second, beside what the parts could do at most, measured in one run.

Ceilings: a bare paho subscriber that only acknowledges, on the same broker and payloads; a bare
binary COPY of the same rows into the same hypertable. Messages wait on the broker before each
run, so that publishing takes no time from what is measured. Ceiling and run alternate, and the
ratio is that of their medians, because machines are noisy. Uses a scratch database of its own and
removes what it made.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hearthline.domain.places import Device, DeviceKind, DeviceRole, Ledger, Place, PlaceKind
from hearthline.settings import Settings
from hearthline.storage import deliveries, ledger, scratch
from hearthline.storage.database import connect
from ingest.bench import ceilings, load, processes
from ingest.bench.load import DEVICES, PATIENCE_S, Payloads
from ingest.preparing import Batch
from ingest.service import Service

ARRAY = 50
Progress = Callable[[str], None]


def measure(
    settings: Settings,
    publish_url: str,
    *,
    messages: int = 50_000,
    rows: int = 500_000,
    latency_messages: int = 10_000,
    soak_messages: int = 1_000_000,
    rounds: int = 3,
    progress: Progress = lambda _: None,
) -> dict[str, float]:
    """Measure throughput, rows, latency, processes side by side, and memory.

    ``publish_url`` is the account of the devices; ``soak_messages`` 0 leaves the long run out.
    Returns the figures of ``hearthline bench ingest``, by name.
    """
    site = f"bench-{uuid4().hex[:8]}"
    found: dict[str, float] = {}
    with _scratch_database(settings.require_database(), site) as url:
        ours = settings.model_copy(
            update={
                "database_url": url,
                "mqtt_client_id": f"{site}-ingest",
                "mqtt_topics": (f"hearthline/v1/{site}/#",),
            }
        )
        bench = _Bench(ours, publish_url)
        found |= bench.throughput(site, messages, rounds, progress)
        found |= bench.rows(site, rows, rounds, progress)
        progress("latency at 1,000 messages/s")
        found |= bench.latency(site, latency_messages)
        found |= bench.losses(rounds * (messages + rows) + latency_messages)
        bench.leave()
        progress("one process and two on a shared subscription")
        found |= processes.shared(ours, publish_url, messages)
        if soak_messages:
            progress(f"memory over {soak_messages:,} messages")
            found |= processes.soak(ours, publish_url, soak_messages)
    return found


@contextmanager
def _scratch_database(url: str, site: str) -> Iterator[str]:
    """A migrated database with the devices of the benchmark, dropped at the end."""
    plant = Place(site, PlaceKind.SOURCE, None, "Bench")
    devices = tuple(
        Device(f"own:{site}/d{n}", DeviceKind.ROOM, DeviceRole.ROOM, site) for n in range(DEVICES)
    )
    with scratch.database(url, site.replace("-", "_")) as there:
        with connect(there) as connection:
            ledger.save(connection, Ledger((plant,), (), (), devices))
        yield there


class _Bench:
    """The runs, on one scratch database and one session."""

    def __init__(self, settings: Settings, publish_url: str) -> None:
        self.settings = settings
        self.publish_url = publish_url
        with self._running():
            pass  # from here on the broker keeps what is published for the session

    @contextmanager
    def _running(self, on_commit: Callable[[Batch], None] | None = None) -> Iterator[Service]:
        service = Service(self.settings)
        service.writer.on_commit = on_commit
        stop = threading.Event()
        thread = threading.Thread(target=service.run, args=(stop,))
        thread.start()
        try:
            load.wait(lambda: service.health.ready, "ingest is ready")
            yield service
        finally:
            stop.set()
            thread.join()

    def throughput(
        self, site: str, messages: int, rounds: int, progress: Progress
    ) -> dict[str, float]:
        """Messages per second, one reading each, beside a bare subscriber."""
        began = datetime.now(UTC) - timedelta(days=30)
        bare, ours = [], []
        for n in range(rounds):
            payloads = load.payloads(site, began - n * timedelta(days=1), messages, 1)
            progress(f"bare subscriber, round {n + 1} of {rounds}")
            bare.append(ceilings.bare_subscriber(self.settings, self.publish_url, payloads))
            self._discard_backlog()
            progress(f"single readings, round {n + 1} of {rounds}")
            ours.append(self._drain(payloads, messages))
        speed, ceiling = statistics.median(ours), statistics.median(bare)
        return {
            "messages_per_s": speed,
            "subscriber_ceiling_per_s": ceiling,
            "subscriber_ratio": speed / ceiling,
        }

    def rows(self, site: str, rows: int, rounds: int, progress: Progress) -> dict[str, float]:
        """Rows per second from arrays of readings, beside a bare COPY."""
        began = datetime.now(UTC) - timedelta(days=14)
        bare, ours = [], []
        for n in range(rounds):
            payloads = load.payloads(site, began + n * timedelta(days=2), rows, ARRAY)
            progress(f"bare COPY, round {n + 1} of {rounds}")
            bare.append(ceilings.bare_copy(self.settings, rows, n))
            progress(f"arrays of {ARRAY} readings, round {n + 1} of {rounds}")
            ours.append(self._drain(payloads, rows))
        speed, ceiling = statistics.median(ours), statistics.median(bare)
        return {
            "rows_per_s": speed,
            "copy_ceiling_rows_per_s": ceiling,
            "copy_ratio": speed / ceiling,
        }

    def _drain(self, payloads: Payloads, expected: int) -> float:
        """Readings per second that ingest commits from a backlog."""
        load.publish(self.publish_url, payloads)
        counted, times = 0, [0.0, 0.0]
        done = threading.Event()

        def note(batch: Batch) -> None:
            nonlocal counted
            if not counted:
                times[0] = batch.heard[0].message.received_at.timestamp()
            counted += sum(one.rows for one in batch.heard)
            times[1] = time.time()
            if counted >= expected:
                done.set()

        with self._running(note):
            done.wait(PATIENCE_S)
        return counted / (times[1] - times[0])

    def _discard_backlog(self) -> None:
        load.forget(self.settings.require_mqtt(), self.settings.mqtt_client_id)
        with self._running():
            pass

    def latency(self, site: str, messages: int) -> dict[str, float]:
        """Milliseconds from publish to commit at 1,000 messages per second."""
        waits: list[float] = []

        def note(batch: Batch) -> None:
            now = datetime.now(UTC)
            waits.extend(
                (now - reading.time) / timedelta(milliseconds=1)
                for one in batch.heard
                for reading in one.decoded.readings
            )

        with self._running(note):
            load.in_background(load.publish_paced, self.publish_url, site, messages).join()
            load.wait(lambda: len(waits) >= messages, "all is committed")
        cuts = statistics.quantiles(waits, n=100)
        return {"latency_p50_ms": cuts[49], "latency_p99_ms": cuts[98]}

    def losses(self, published: int) -> dict[str, float]:
        """Readings that are missing, and that were stored or counted twice."""
        with connect(self.settings.require_database()) as connection:
            tally = deliveries.tally(connection, self.settings.mqtt_client_id) or {}
        return {
            "lost": float(published - tally["stored"] - tally["refused"]),
            "duplicated": float(tally["duplicates"]),
        }

    def leave(self) -> None:
        """Have the broker drop the session."""
        load.forget(self.settings.require_mqtt(), self.settings.mqtt_client_id)
