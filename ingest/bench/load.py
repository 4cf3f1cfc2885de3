"""What the benchmark publishes, and how: real devices' messages, over a real broker."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import uuid4

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.broker import Broker
from ingest.wire import leave

DEVICES = 1_000
AT_ONCE = 1_000
PATIENCE_S = 600.0
Payloads = Sequence[tuple[str, bytes]]


def payloads(
    site: str, began: datetime, readings: int, per_message: int
) -> list[tuple[str, bytes]]:
    """Messages of ``per_message`` readings each, every reading another (device, time)."""
    made = []
    for start in range(0, readings, per_message):
        items = [
            {
                "device": f"d{n % DEVICES}",
                "ts": (began + timedelta(minutes=n // DEVICES)).isoformat(),
                "temperature_c": 20 + n % 50 / 10,
                "humidity_pct": 44,
                "battery_pct": 90,
            }
            for n in range(start, min(start + per_message, readings))
        ]
        body = items if per_message > 1 else items[0]
        made.append((f"hearthline/v1/{site}/d{start % DEVICES}/room", json.dumps(body).encode()))
    return made


def publish(url: str, messages: Payloads) -> None:
    """Publish with QoS 1 and wait until the broker has it all."""
    client = connected(url, f"bench-publisher-{uuid4().hex[:8]}")
    waiting = iter(messages)
    while some := list(islice(waiting, AT_ONCE)):
        for info in [client.publish(topic, body, qos=1) for topic, body in some]:
            info.wait_for_publish(PATIENCE_S)
    leave(client)


def publish_paced(url: str, site: str, messages: int, per_s: int = 1_000) -> None:
    """Publish single readings, dated by their publishing, at an even pace."""
    client = connected(url, f"bench-publisher-{uuid4().hex[:8]}")
    start = time.perf_counter()
    for n in range(messages):
        time.sleep(max(0.0, start + n / per_s - time.perf_counter()))
        body = {"ts": datetime.now(UTC).isoformat(), "temperature_c": 20.5}
        client.publish(f"hearthline/v1/{site}/d{n % DEVICES}/room", json.dumps(body), qos=1)
    while client.want_write():
        time.sleep(0.01)
    time.sleep(1.0)
    leave(client)


def publish_on(url: str, site: str, began: datetime, messages: int) -> None:
    """Publish many single readings, as fast as the broker takes them, made on the way."""
    for first in range(0, messages, 20 * DEVICES):
        part = began + timedelta(minutes=first // DEVICES)
        publish(url, payloads(site, part, min(20 * DEVICES, messages - first), 1))


def in_background(run: Callable[..., None], *arguments: object) -> multiprocessing.Process:
    """A process of its own, so that publishing takes no time from what is measured."""
    process = multiprocessing.get_context("spawn").Process(target=run, args=arguments)
    process.start()
    return process  # type: ignore[return-value]


def client_at(url: str, client_id: str, *, manual_ack: bool = False) -> Client:
    """A plain paho client with the account that the address names."""
    broker = Broker.at(url)
    client = Client(
        CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5, manual_ack=manual_ack
    )
    if broker.user is not None:
        client.username_pw_set(broker.user, broker.password)
    client.max_inflight_messages_set(AT_ONCE)
    return client


def connect(client: Client, url: str, inflight: int | None, *, clean: bool = False) -> None:
    """Connect and start its thread; ``inflight`` asks for a session that stays for an hour."""
    broker = Broker.at(url)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    if inflight is not None:
        properties.SessionExpiryInterval = 3600
        properties.ReceiveMaximum = inflight
    client.connect(broker.host, broker.port, clean_start=clean, properties=properties)
    client.loop_start()
    wait(client.is_connected, "the broker answers")


def connected(url: str, client_id: str) -> Client:
    """A plain client that is connected."""
    client = client_at(url, client_id)
    connect(client, url, None)
    return client


def forget(url: str, client_id: str) -> None:
    """Have the broker drop a session."""
    client = client_at(url, client_id)
    connect(client, url, None, clean=True)
    leave(client)


def wait(condition: Callable[[], object], what: str, every_s: float = 0.01) -> None:
    """Wait for something that others do.

    Raises:
        TimeoutError: it did not happen.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited in vain until {what}")
        time.sleep(every_s)
