"""What the parts could do at most: a subscriber that only acknowledges, and a bare COPY."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from paho.mqtt.client import Client, MQTTMessage

from hearthline.domain.readings import RoomReading
from hearthline.settings import Settings
from hearthline.storage import readings
from hearthline.storage.columns import by_kind
from hearthline.storage.database import connect
from ingest.bench import load
from ingest.bench.load import DEVICES, PATIENCE_S, Payloads
from ingest.wire import leave

ACKNOWLEDGED_AT_ONCE = 500


def bare_subscriber(settings: Settings, publish_url: str, payloads: Payloads) -> float:
    """Messages per second of a paho subscriber that only acknowledges, from a backlog."""
    client_id = f"{settings.mqtt_client_id}-bare"
    _Bare(settings, client_id).run(0)
    load.publish(publish_url, payloads)
    speed = _Bare(settings, client_id).run(len(payloads))
    load.forget(settings.require_mqtt(), client_id)
    return speed


def bare_copy(settings: Settings, rows: int, round_: int = 0) -> float:
    """Rows per second of a binary COPY into the hypertable and nothing else.

    In batches as large as ingest's, packed as ingest packs them; making the readings that are
    packed takes no time from it.
    """
    began = datetime.now(UTC) - timedelta(days=400 + 10 * round_)
    size = settings.ingest_batch_rows
    with connect(settings.require_database()) as connection:
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


class _Bare:
    """A paho subscriber with the same session properties that does nothing but acknowledge."""

    def __init__(self, settings: Settings, client_id: str) -> None:
        self.settings = settings
        self.client = load.client_at(settings.require_mqtt(), client_id, manual_ack=True)
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
        load.connect(self.client, self.settings.require_mqtt(), self.settings.ingest_inflight)
        self.subscribed.wait(PATIENCE_S)
        if expected:
            self.done.wait(PATIENCE_S)
        leave(self.client)
        return self.count / (self.last - self.first) if expected else 0.0

    def _on_subscribe(self, *_: Any) -> None:
        self.subscribed.set()

    def _on_message(self, client: Client, _data: Any, message: MQTTMessage) -> None:
        if not self.count:
            self.first = time.perf_counter()
        self.count += 1
        self.waiting.append(message.mid)
        if len(self.waiting) >= ACKNOWLEDGED_AT_ONCE or self.count == self.expected:
            for mid in self.waiting:
                client.ack(mid, 1)
            self.waiting.clear()
            self.last = time.perf_counter()
        if self.count == self.expected:
            self.done.set()
