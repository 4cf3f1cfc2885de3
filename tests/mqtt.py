"""Devices on the broker, for tests: publish and know that the broker has it."""

from __future__ import annotations

import json
import threading
from queue import Empty, Queue
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.broker import Broker
from ingest.wire import leave

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
    leave(client)


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
        leave(self._client)


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
    leave(client)
    return len(waiting)


class Peer:
    """One client with its account or certificate, which asks the broker and waits for the answer.

    ``refused`` is why it was not let in, None where it was.
    """

    def __init__(self, broker: Broker, client_id: str | None = None) -> None:
        self.broker = broker
        self.heard: Queue[tuple[str, bytes]] = Queue()
        self.refused: str | None = None
        self._answers: Queue[tuple[int, int]] = Queue()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id or f"peer-{uuid4().hex[:10]}", protocol=MQTTv5
        )
        if broker.user is not None:
            self._client.username_pw_set(broker.user, broker.password)
        if context := broker.tls_context():
            self._client.tls_set_context(context)
        put = self._answers.put
        self._client.on_connect = lambda _c, _d, _f, code, _p: put((0, code.value))
        self._client.on_disconnect = lambda _c, _d, _f, code, _p: put((0, code.value))
        self._client.on_publish = lambda _c, _d, mid, code, _p: put((mid, code.value))
        self._client.on_subscribe = lambda _c, _d, mid, codes, _p: put((mid, codes[0].value))
        self._client.on_unsubscribe = lambda _c, _d, mid, _r, _p: put((mid, 0))
        self._client.on_message = lambda _c, _d, one: self.heard.put((one.topic, one.payload))

    def __enter__(self) -> Self:
        try:
            self._client.connect(self.broker.host, self.broker.port)
        except OSError as error:
            self.refused = str(error)
            return self
        self._client.loop_start()
        code = self._answer(0)
        if code:
            self.refused = f"reason code {code}"
        return self

    def __exit__(self, *_: object) -> None:
        leave(self._client)

    def _answer(self, mid: int | None) -> int:
        """The reason code for one packet; 0 stands for the connection itself."""
        try:
            answered, code = self._answers.get(timeout=WITHIN_S)
        except Empty:
            raise AssertionError("the broker does not answer") from None
        assert answered == mid, f"the broker hangs up with reason code {code}"
        return code

    def says(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> bool:
        """Publish; whether the broker took it (PUBACK, MQTT 5 section 3.4.2.1)."""
        return self._answer(self._client.publish(topic, payload, 1, retain).mid) < 128

    def listens(self, topic: str) -> bool:
        """Subscribe; whether the broker granted it, which mosquitto does for every topic."""
        return self._answer(self._client.subscribe(topic, 1)[1]) < 128

    def has_heard(self) -> list[str]:
        """Topics of all that the broker has sent since the last call.

        Its answer to an UNSUBSCRIBE comes after all that it sent before, on the same connection.
        """
        self._answer(self._client.unsubscribe("nothing")[1])
        return [self.heard.get_nowait()[0] for _ in range(self.heard.qsize())]
