"""What ingest does per second, beside what the parts could do at most, measured in one run.

Ceilings: a bare paho subscriber that only acknowledges, on the same broker and payloads; a bare
binary COPY of the same rows into the same hypertable. Messages wait on the broker before each
run, so that publishing takes no time from what is measured. Uses a scratch database of its own
and removes what it made.
"""

from __future__ import annotations

import json
import multiprocessing
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from hearthline.domain.places import Device, DeviceKind, DeviceRole, Ledger, Place, PlaceKind
from hearthline.domain.readings import RoomReading
from hearthline.settings import Settings
from hearthline.storage import deliveries, ledger, readings, schema
from hearthline.storage.columns import by_kind
from hearthline.storage.database import connect
from ingest.broker import Broker
from ingest.service import Service
from ingest.writing import Batch

DEVICES = 1_000
ARRAY = 50
PATIENCE_S = 600.0
Payloads = Sequence[tuple[str, bytes]]


def measure(
    settings: Settings,
    publish_url: str,
    *,
    messages: int = 50_000,
    rows: int = 500_000,
    latency_messages: int = 10_000,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, float]:
    """Measure throughput, rows and latency. ``publish_url`` is the account of the devices.

    Returns the figures of ``hearthline bench ingest``, by name.
    """
    site = f"bench-{uuid4().hex[:8]}"
    began = datetime.now(UTC) - timedelta(days=30)
    singles = _payloads(site, began, messages, 1)
    arrays = _payloads(site, began + timedelta(days=15), rows, ARRAY)
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
        progress("bare subscriber")
        ceiling = bench.bare_subscriber(singles)
        progress("single readings")
        speed = bench.drain(singles, messages)
        found |= {"messages_per_s": speed, "subscriber_ceiling_per_s": ceiling}
        found["subscriber_ratio"] = speed / ceiling
        progress("bare COPY")
        ceiling = bench.bare_copy(rows)
        progress(f"arrays of {ARRAY} readings")
        speed = bench.drain(arrays, rows)
        found |= {"rows_per_s": speed, "copy_ceiling_rows_per_s": ceiling}
        found["copy_ratio"] = speed / ceiling
        progress("latency at 1,000 messages/s")
        found |= bench.latency(site, latency_messages)
        found |= bench.losses(messages + rows + latency_messages)
        bench.leave()
    return found


def _payloads(
    site: str, began: datetime, readings_: int, per_message: int
) -> list[tuple[str, bytes]]:
    """Messages of ``per_message`` readings each, every reading another (device, time)."""
    made = []
    for start in range(0, readings_, per_message):
        items = [
            {
                "device": f"d{n % DEVICES}",
                "ts": (began + timedelta(minutes=n // DEVICES)).isoformat(),
                "temperature_c": 20 + n % 50 / 10,
                "humidity_pct": 44,
                "battery_pct": 90,
            }
            for n in range(start, min(start + per_message, readings_))
        ]
        body = items if per_message > 1 else items[0]
        made.append((f"hearthline/v1/{site}/d{start % DEVICES}/room", json.dumps(body).encode()))
    return made


@contextmanager
def _scratch_database(url: str, site: str) -> Iterator[str]:
    """A migrated database with the devices of the benchmark, dropped at the end."""
    name = site.replace("-", "_")
    scratch = urlsplit(url)._replace(path=f"/{name}").geturl()
    plant = Place(site, PlaceKind.SOURCE, None, "Bench")
    devices = tuple(
        Device(f"own:{site}/d{n}", DeviceKind.ROOM, DeviceRole.ROOM, site) for n in range(DEVICES)
    )
    with connect(url, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            schema.migrate(scratch)
            with connect(scratch) as connection:
                ledger.save(connection, Ledger((plant,), (), (), devices))
            yield scratch
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


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
            _wait(lambda: service.health.ready, "ingest is ready")
            yield service
        finally:
            stop.set()
            thread.join()

    def drain(self, payloads: Payloads, expected: int) -> float:
        """Readings per second that ingest commits from a backlog."""
        publish(self.publish_url, payloads)
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

    def bare_subscriber(self, payloads: Payloads) -> float:
        """Messages per second of a subscriber that only acknowledges, from a backlog."""
        client_id = f"{self.settings.mqtt_client_id}-bare"
        _Bare(self.settings, client_id).run(0)
        publish(self.publish_url, payloads)
        speed = _Bare(self.settings, client_id).run(len(payloads))
        _forget(self.settings, client_id)
        self._discard_backlog()
        return speed

    def _discard_backlog(self) -> None:
        _forget(self.settings, self.settings.mqtt_client_id)
        with self._running():
            pass

    def bare_copy(self, rows: int) -> float:
        """Rows per second of a binary COPY into the hypertable and nothing else.

        In batches as large as ingest's, packed as ingest packs them; making the readings that are
        packed takes no time from it.
        """
        began = datetime.now(UTC) - timedelta(days=400)
        size = self.settings.ingest_batch_rows
        with connect(self.settings.require_database()) as connection:
            known = list(readings.known_devices(connection).items())
            made = [
                (known[n % DEVICES][1], RoomReading(known[n % DEVICES][0], at, 20.5, 44.0, 90.0))
                for n in range(rows)
                for at in [began + timedelta(minutes=n // DEVICES)]
            ]
            lots = [
                lot
                for first in range(0, rows, size)
                for lot in by_kind(made[first : first + size], began)
            ]
            start = time.perf_counter()
            for lot in lots:
                readings.copy(connection, lot)
                connection.commit()
            return rows / (time.perf_counter() - start)

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
            context = multiprocessing.get_context("spawn")
            publisher = context.Process(
                target=publish_paced, args=(self.publish_url, site, messages)
            )
            publisher.start()
            publisher.join()
            _wait(lambda: len(waits) >= messages, "all is committed")
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
        _forget(self.settings, self.settings.mqtt_client_id)


class _Bare:
    """A paho subscriber with the same session properties that does nothing but acknowledge."""

    def __init__(self, settings: Settings, client_id: str) -> None:
        self.settings = settings
        self.client = _client(settings.require_mqtt(), client_id, manual_ack=True)
        self.client.on_message = self._on_message
        self.client.on_connect = lambda client, *_: client.subscribe(settings.mqtt_topics[0], 1)
        self.client.on_subscribe = self._on_subscribe
        self.subscribed = threading.Event()
        self.done = threading.Event()
        self.expected = 0
        self.count = 0
        self.first = self.last = 0.0
        self.waiting: list[int] = []

    def run(self, expected: int) -> float:
        """Messages per second until ``expected`` have come; 0 just subscribes."""
        self.expected = expected
        _connect(self.client, self.settings.require_mqtt(), self.settings.ingest_inflight)
        self.subscribed.wait(PATIENCE_S)
        if expected:
            self.done.wait(PATIENCE_S)
        self.client.disconnect()
        self.client.loop_stop()
        return self.count / (self.last - self.first) if expected else 0.0

    def _on_subscribe(self, *_: Any) -> None:
        self.subscribed.set()

    def _on_message(self, client: Client, _data: Any, message: MQTTMessage) -> None:
        if not self.count:
            self.first = time.perf_counter()
        self.count += 1
        self.waiting.append(message.mid)
        if len(self.waiting) >= 500 or self.count == self.expected:
            for mid in self.waiting:
                client.ack(mid, 1)
            self.waiting.clear()
            self.last = time.perf_counter()
        if self.count == self.expected:
            self.done.set()


def publish(url: str, payloads: Payloads) -> None:
    """Publish with QoS 1 and wait until the broker has it all."""
    client = _client(url, f"bench-publisher-{uuid4().hex[:8]}")
    _connect(client, url, None)
    sent = [client.publish(topic, body, qos=1) for topic, body in payloads]
    for info in sent:
        info.wait_for_publish(PATIENCE_S)
    client.disconnect()
    client.loop_stop()


def publish_paced(url: str, site: str, messages: int, per_s: int = 1_000) -> None:
    """Publish single readings, dated by their publishing, at an even pace."""
    client = _client(url, f"bench-publisher-{uuid4().hex[:8]}")
    _connect(client, url, None)
    start = time.perf_counter()
    for n in range(messages):
        time.sleep(max(0.0, start + n / per_s - time.perf_counter()))
        body = {"ts": datetime.now(UTC).isoformat(), "temperature_c": 20.5}
        client.publish(f"hearthline/v1/{site}/d{n % DEVICES}/room", json.dumps(body), qos=1)
    while client.want_write():
        time.sleep(0.01)
    time.sleep(1.0)
    client.disconnect()
    client.loop_stop()


def _client(url: str, client_id: str, *, manual_ack: bool = False) -> Client:
    broker = Broker.at(url)
    client = Client(
        CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5, manual_ack=manual_ack
    )
    if broker.user is not None:
        client.username_pw_set(broker.user, broker.password)
    client.max_inflight_messages_set(1_000)
    return client


def _connect(client: Client, url: str, inflight: int | None, *, clean: bool = False) -> None:
    broker = Broker.at(url)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    if inflight is not None:
        properties.SessionExpiryInterval = 3600
        properties.ReceiveMaximum = inflight
    client.connect(broker.host, broker.port, clean_start=clean, properties=properties)
    client.loop_start()
    _wait(client.is_connected, "the broker answers")


def _forget(settings: Settings, client_id: str) -> None:
    client = _client(settings.require_mqtt(), client_id)
    _connect(client, settings.require_mqtt(), None, clean=True)
    client.disconnect()
    client.loop_stop()


def _wait(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited in vain until {what}")
        time.sleep(0.01)
