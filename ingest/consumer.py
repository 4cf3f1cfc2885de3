"""The MQTT side: receives into the inbox, acknowledges what was committed. All of paho is here.

The contract: QoS 1, MQTT 5, a persistent session under a stable client id, manual
acknowledgement in receive order after commit, at most ReceiveMaximum messages unacknowledged.
Callbacks run on paho's network thread, do nothing slow and never raise.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from hearthline.clock import Clock
from ingest.delivery import Delivery, Window, digest
from ingest.intake import Message
from ingest.metrics import Metrics
from ingest.writer import Health

log = structlog.get_logger("ingest")

SESSION_EXPIRY_S = 7 * 24 * 3600
KEEPALIVE_S = 30
QOS0_HELD = 4
"""QoS 0 messages, which no window bounds, are dropped beyond this many windows in hand."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and who we are to it."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None = field(repr=False)

    @classmethod
    def at(cls, url: str) -> Broker:
        """The broker that an ``mqtt://`` or ``mqtts://`` address names."""
        parts = urlsplit(url)
        tls = parts.scheme == "mqtts"
        return cls(
            host=parts.hostname or "localhost",
            port=parts.port or (8883 if tls else 1883),
            tls=tls,
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


class Consumer:
    """A persistent session on the broker."""

    def __init__(
        self,
        broker: Broker,
        *,
        client_id: str,
        topics: Sequence[str],
        inflight: int,
        inbox: SimpleQueue[Message],
        metrics: Metrics,
        health: Health,
        clock: Clock,
    ) -> None:
        self.broker = broker
        self.topics = tuple(topics)
        self.inflight = inflight
        self.inbox = inbox
        self.metrics = metrics
        self.health = health
        self.clock = clock
        self._lock = threading.Lock()
        self._window = Window()
        self._away = False
        self._deaf = False
        self._client = self._make_client(client_id)

    def _make_client(self, client_id: str) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5, manual_ack=True
        )
        client.suppress_exceptions = True
        if self.broker.user is not None:
            client.username_pw_set(self.broker.user, self.broker.password)
        if self.broker.tls:
            client.tls_set_context(ssl.create_default_context())
        client.reconnect_delay_set(1, 10)
        client.on_connect = _safely(self._on_connect)
        client.on_connect_fail = _safely(self._on_connect_fail)
        client.on_disconnect = _safely(self._on_disconnect)
        client.on_subscribe = _safely(self._on_subscribe)
        client.on_message = _safely(self._on_message)
        return client

    def start(self) -> None:
        """Connect in the background, for as long as it takes."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.ReceiveMaximum = self.inflight
        self._client.connect_async(
            self.broker.host,
            self.broker.port,
            keepalive=KEEPALIVE_S,
            clean_start=False,
            properties=properties,
        )
        self._client.loop_start()

    def supervise(self) -> None:
        """Start the network thread again should it have died; paho refuses while it lives."""
        self._client.loop_start()

    def deafen(self) -> None:
        """Take no more messages; those that still come stay unacknowledged with the broker."""
        self._deaf = True

    def stop(self) -> None:
        """Send the acknowledgements that are still queued, then disconnect; the session stays."""
        self._client.disconnect()
        self._client.loop_stop()
        self._gone()

    def acknowledge(self, deliveries: Sequence[Delivery]) -> int:
        """Acknowledge committed messages, as far as the connection that brought them still is."""
        with self._lock:
            ready = self._window.commit(deliveries)
            with suppress(OSError):  # the connection ends this moment: the broker will ask again
                for mid in ready:
                    self._client.ack(mid, 1)
            self.metrics.in_hand.set(len(self._window))
        return len(ready)

    def _on_connect(
        self, client: Client, _data: Any, flags: ConnectFlags, code: ReasonCode, _props: Any
    ) -> None:
        if code.is_failure:
            self._waiting(f"the broker refuses: {code}")
            return
        with self._lock:
            self._window.connected(session_present=flags.session_present)
        options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
        client.subscribe([(topic, options) for topic in self.topics])

    def _on_subscribe(
        self, _client: Client, _data: Any, _mid: int, codes: list[ReasonCode], _props: Any
    ) -> None:
        refused = [
            f"{topic} ({code})"
            for topic, code in zip(self.topics, codes, strict=True)
            if code.is_failure
        ]
        if refused:
            log.error("the broker refuses a subscription", topics=refused)
            return
        self.health.broker = True
        self.metrics.broker_up.set(1)
        log.info("the broker is back" if self._away else "subscribed", topics=self.topics)
        self._away = False

    def _on_connect_fail(self, _client: Client, _data: Any) -> None:
        self._waiting("no connection")

    def _on_disconnect(
        self, _client: Client, _data: Any, _flags: DisconnectFlags, code: ReasonCode, _props: Any
    ) -> None:
        self._gone()
        if code.is_failure:
            self._waiting(str(code))

    def _gone(self) -> None:
        with self._lock:
            self._window.disconnected()
        self.health.broker = False
        self.metrics.broker_up.set(0)

    def _waiting(self, reason: str) -> None:
        if not self._away:
            self._away = True
            log.warning(
                "waiting for the broker",
                host=self.broker.host,
                port=self.broker.port,
                reason=reason,
            )

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        if self._deaf:
            return
        topic, raw = topic_of(message)
        payload = bytes(message.payload)
        self.metrics.received.inc()
        delivery = None
        if message.qos == 0:
            if self.inbox.qsize() > QOS0_HELD * self.inflight:
                self.metrics.shed.inc()
                return
        else:
            content = digest(raw, payload)
            with self._lock:
                delivery = self._window.receive(message.mid, content, dup=message.dup)
            if delivery is None:
                return
        self.inbox.put(Message(topic, payload, self.clock(), message.retain, delivery))


def topic_of(message: MQTTMessage) -> tuple[str, bytes]:
    """The topic as text and as bytes; what is not UTF-8 is shown escaped."""
    try:
        return message.topic, message.topic.encode()
    except UnicodeDecodeError as error:
        raw = bytes(error.object)
        return raw.decode("utf-8", "backslashreplace"), raw


def _safely(callback: Callable[..., None]) -> Callable[..., None]:
    """A callback whose bugs are logged and do not end paho's network thread."""

    def safe(*arguments: Any) -> None:
        try:
            callback(*arguments)
        except Exception:
            log.exception("a bug in an MQTT callback", callback=callback.__name__)

    return safe
