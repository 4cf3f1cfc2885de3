"""Devices on the broker, for tests: publish and know that the broker has it."""

from __future__ import annotations

import json
import threading
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

WITHIN_S = 60.0


def client_at(url: str, client_id: str) -> Client:
    """A paho client with the account that the address names."""
    parts = urlsplit(url)
    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5)
    if parts.username:
        client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
    return client


def forget_session(url: str, client_id: str) -> None:
    """Have the broker drop a session and all that waits in it."""
    connected = threading.Event()
    client = client_at(url, client_id)
    client.on_connect = lambda *_: connected.set()
    parts = urlsplit(url)
    client.connect(parts.hostname or "", parts.port or 1883, clean_start=True)
    client.loop_start()
    connected.wait(WITHIN_S)
    client.disconnect()
    client.loop_stop()


class Publisher:
    """Publishes with QoS 1; leaving the block waits until the broker has acknowledged all."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sent: list[MQTTMessageInfo] = []
        self._client = client_at(url, f"test-publisher-{uuid4().hex[:10]}")
        self._client.max_inflight_messages_set(1000)

    def __enter__(self) -> Self:
        parts = urlsplit(self.url)
        self._client.connect(parts.hostname or "", parts.port or 1883)
        self._client.loop_start()
        return self

    def send(self, topic: str, payload: Any, *, qos: int = 1, retain: bool = False) -> None:
        """Publish bytes as they are, anything else as JSON."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.sent.append(self._client.publish(topic, body, qos=qos, retain=retain))

    def flush(self) -> None:
        """Wait until the broker has everything."""
        for info in self.sent:
            info.wait_for_publish(WITHIN_S)
            assert info.is_published()
        self.sent.clear()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.flush()
        self._client.disconnect()
        self._client.loop_stop()


def left_in_session(url: str, client_id: str) -> int:
    """How many messages the broker still holds for a session.

    Messages of a session come in order: those that wait come before one that is published now.
    """
    waiting: list[str] = []
    done = threading.Event()
    client = client_at(url, client_id)
    marker = f"hearthline/v1/service/{client_id}/status"

    def heard(_client: Client, _data: Any, message: MQTTMessage) -> None:
        if message.topic == marker:
            done.set()
        else:
            waiting.append(message.topic)

    client.on_message = heard
    client.on_connect = lambda *_: client.subscribe(marker, 1)
    client.on_subscribe = lambda *_: client.publish(marker, b"", qos=1)
    parts = urlsplit(url)
    lasting = Properties(PacketTypes.CONNECT)
    lasting.SessionExpiryInterval = 60
    client.connect(parts.hostname or "", parts.port or 1883, clean_start=False, properties=lasting)
    client.loop_start()
    assert done.wait(WITHIN_S), "the broker does not answer"
    client.disconnect()
    client.loop_stop()
    return len(waiting)
