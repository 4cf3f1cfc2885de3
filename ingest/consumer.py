"""The MQTT side: receives and decodes into the inbox, acknowledges what was committed.

The contract: QoS 1, MQTT 5, a persistent session under a stable client id, manual
acknowledgement in receive order after commit, at most ReceiveMaximum messages unacknowledged.

All of paho is here, driven by a loop of our own through paho's interface for external event loops
(``loop_read``, ``loop_write``, ``loop_misc``): one thread reads in bursts, so that it neither waits
for ``select`` before each message nor shares a lock with anybody, and acknowledgements leave in
runs. The writer's thread only leaves word of what it committed, and wakes the loop.
"""

from __future__ import annotations

import select
import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from queue import SimpleQueue
from time import monotonic
from typing import Any

import structlog
from paho.mqtt.client import ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from hearthline.clock import Clock
from hearthline.storage.columns import MICROSECOND
from ingest.broker import Broker, reason_of
from ingest.delivery import Delivery, Window, digest
from ingest.formats.model import Request
from ingest.intake import Heard, Message
from ingest.metrics import Metrics
from ingest.wire import Burst, BurstClient
from ingest.writer import Health

log = structlog.get_logger("ingest")

SESSION_EXPIRY_S = 7 * 24 * 3600
KEEPALIVE_S = 30
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0
BURST = 256
"""Messages read before acknowledgements get their turn again."""

TURN_S = 1.0
LEAVE_WITHIN_S = 5.0
QOS0_HELD = 4
"""QoS 0 messages, which no window bounds, are dropped beyond this many windows in hand."""

Hear = Callable[[Message], Heard]


class Consumer:
    """A persistent session on the broker, and the thread that serves it."""

    def __init__(
        self,
        broker: Broker,
        *,
        client_id: str,
        topics: Sequence[str],
        inflight: int,
        hear: Hear,
        inbox: SimpleQueue[Heard],
        metrics: Metrics,
        health: Health,
        clock: Clock,
    ) -> None:
        self.broker = broker
        self.topics = tuple(topics)
        self.inflight = inflight
        self.hear = hear
        self.inbox = inbox
        self.metrics = metrics
        self.health = health
        self.clock = clock
        self._window = Window()
        self._committed: deque[tuple[Sequence[Delivery], Sequence[Request]]] = deque()
        self._wake, self._woken = socket.socketpair()
        self._away = False
        self._deaf = False
        self._leaving = threading.Event()
        self._seen = 0
        self._last_arrival = clock()
        self._flushed = True
        self._pause_s = FIRST_PAUSE_S
        self._pause_due = False
        self._client = self._make_client(client_id)
        self._thread = threading.Thread(target=self._serve, name="mqtt", daemon=True)

    def _make_client(self, client_id: str) -> BurstClient:
        client = BurstClient(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5, manual_ack=True
        )
        if self.broker.user is not None:
            client.username_pw_set(self.broker.user, self.broker.password)
        context = self.broker.tls_context()
        if context is not None:
            client.tls_set_context(context)
        client.on_connect = _safely(self._on_connect)
        client.on_disconnect = _safely(self._on_disconnect)
        client.on_subscribe = _safely(self._on_subscribe)
        client.on_message = _safely(self._on_message)
        client.on_arrival = _safely(self._on_arrival)
        # With these set paho leaves writing to us instead of writing at every single call.
        client.on_socket_register_write = client.on_socket_unregister_write = _nothing
        return client

    # ── from other threads ──────────────────────────────────────────────────────────────────

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
        self._thread.start()

    def alive(self) -> bool:
        """Whether the thread works."""
        return self._thread.is_alive()

    def deafen(self) -> None:
        """Take no more messages; those that still come stay unacknowledged with the broker."""
        self._deaf = True

    def stop(self) -> None:
        """Send the acknowledgements that are still queued, then disconnect; the session stays."""
        self._leaving.set()
        self._rouse()
        if self._thread.is_alive():
            self._thread.join(LEAVE_WITHIN_S)

    def finish(self, deliveries: Sequence[Delivery], requests: Sequence[Request] = ()) -> None:
        """Have committed messages acknowledged, as far as the connection of each still is."""
        self._committed.append((deliveries, requests))
        self._rouse()

    def _rouse(self) -> None:
        with suppress(BlockingIOError, OSError):  # full: the loop is awake anyway
            self._wake.send(b"\0", socket.MSG_DONTWAIT)

    # ── the loop ────────────────────────────────────────────────────────────────────────────

    def _serve(self) -> None:
        while not self._leaving.is_set():
            try:
                if self._client.socket() is None:
                    self._connect()
                else:
                    self._turn()
            except Exception:  # a bug must not end the thread: the next turn may do better
                log.exception("a bug in the MQTT loop")
                self._leaving.wait(FIRST_PAUSE_S)
        self._leave()

    def _turn(self) -> None:
        """Wait for something to do, and do it."""
        client = self._client
        wire = self._wire()
        buffered = wire.pending() > 0
        reading: list[Any] = [self._woken] if self._deaf else [wire, self._woken]
        writing = [] if self._flushed else [wire]
        readable, _, _ = select.select(reading, writing, [], 0 if buffered else TURN_S)
        if self._woken in readable:
            self._woken.recv(4096)
        if not self._deaf and (buffered or wire in readable):
            self._read()
        self._acknowledge()
        client.loop_misc()
        self._flush()

    def _wire(self) -> Burst:
        wire: Any = self._client.socket()
        return wire  # type: ignore[no-any-return]

    def _flush(self) -> None:
        """Hand over to the kernel what paho has written."""
        if self._client.want_write():
            self._client.loop_write()
        if self._client.socket() is not None:
            try:
                self._flushed = self._wire().flush()
            except OSError:
                self._client.loop_read()  # finds the connection gone, and says so

    def _read(self) -> None:
        """Read what has come, at most a burst; each message is on its way when it is read."""
        before = self._seen
        last = before - 1
        while last < self._seen < before + BURST and self._client.socket() is not None:
            last = self._seen
            self._client.loop_read()
        self.metrics.received.inc(self._seen - before)

    def _acknowledge(self) -> None:
        """Acknowledge what was committed meanwhile, as far as its connection still is."""
        while self._committed:
            deliveries, requests = self._committed.popleft()
            ready = self._window.commit(deliveries)
            self._client.acknowledge(ready)
            self.metrics.acked.inc(len(ready))
            self.metrics.in_hand.set(len(self._window))
            for request in requests:
                self._client.publish(request.topic, request.payload, qos=0)

    def _connect(self) -> None:
        """Try once to connect; after a failure first wait, each time longer."""
        if self._pause_due:
            self._rest()
        self._pause_due = True
        try:
            self._client.reconnect()
        except (OSError, ValueError) as error:
            self._waiting(reason_of(error) if isinstance(error, OSError) else str(error))

    def _rest(self) -> None:
        """Pause between attempts, without keeping commits from being noted."""
        pause, self._pause_s = self._pause_s, min(LONGEST_PAUSE_S, self._pause_s * 2)
        until = monotonic() + pause
        while not self._leaving.is_set() and (left := until - monotonic()) > 0:
            if select.select([self._woken], [], [], left)[0]:
                self._woken.recv(4096)
            self._acknowledge()

    def _leave(self) -> None:
        """Send what is queued, then disconnect in order."""
        until = monotonic() + LEAVE_WITHIN_S
        self._acknowledge()
        if self._client.socket() is not None:
            self._client.disconnect()
        self._flush()
        while self._client.socket() is not None and not self._flushed and monotonic() < until:
            select.select([], [self._wire()], [], TURN_S)
            self._flush()
        self._gone()

    # ── paho's callbacks, on the loop's thread ─────────────────────────────────────────────────

    def _on_connect(
        self, client: BurstClient, _data: Any, flags: ConnectFlags, code: ReasonCode, _props: Any
    ) -> None:
        if code.is_failure:
            self._waiting(f"the broker refuses: {code}")
            return
        self._pause_s = FIRST_PAUSE_S
        self._window.connected(session_present=flags.session_present)
        options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
        client.subscribe([(topic, options) for topic in self.topics])

    def _on_subscribe(
        self, _client: BurstClient, _data: Any, _mid: int, codes: list[ReasonCode], _props: Any
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

    def _on_disconnect(
        self,
        _client: BurstClient,
        _data: Any,
        _flags: DisconnectFlags,
        code: ReasonCode,
        _props: Any,
    ) -> None:
        self._gone()
        if not self._leaving.is_set():
            self._waiting(self._why_gone(code))

    def _why_gone(self, code: ReasonCode) -> str:
        """Why the connection ended, as far as somebody knows."""
        if str(code) not in ("Unspecified error", "Normal disconnection") or not self.broker.tls:
            return str(code)
        return self.broker.trouble() or str(code)

    def _gone(self) -> None:
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

    def _on_arrival(self, raw: bytes, payload: bytes, mid: int, dup: bool, retain: bool) -> None:
        """A QoS 1 message: hold it, unless it is a copy of one in hand, and hear what it says."""
        self._seen += 1
        delivery = self._window.receive(mid, digest(raw, payload), dup=dup)
        if delivery is not None:
            told = Message(topic_of(raw), payload, self._arrival(), retain, delivery)
            self.inbox.put(self.hear(told))

    def _arrival(self) -> datetime:
        """Now, but never twice the same: for a device without a clock it is the reading's key."""
        now = self.clock()
        if now <= self._last_arrival:
            now = self._last_arrival + MICROSECOND
        self._last_arrival = now
        return now

    def _on_message(self, _client: BurstClient, _data: Any, message: MQTTMessage) -> None:
        """A message that took paho's own way: with properties, or of QoS 0."""
        raw, payload = raw_topic(message), bytes(message.payload)
        if message.qos:
            self._on_arrival(raw, payload, message.mid, message.dup, message.retain)
            return
        self._seen += 1
        if self.inbox.qsize() > QOS0_HELD * self.inflight:
            self.metrics.shed.inc()
            return
        told = Message(topic_of(raw), payload, self._arrival(), message.retain)
        self.inbox.put(self.hear(told))


def raw_topic(message: MQTTMessage) -> bytes:
    """The topic's bytes; paho raises where they are no UTF-8."""
    try:
        return message.topic.encode()
    except UnicodeDecodeError as error:
        return bytes(error.object)


def topic_of(raw: bytes) -> str:
    """The topic as text; what is not UTF-8 is shown escaped."""
    return raw.decode("utf-8", "backslashreplace")


def _nothing(*_: Any) -> None:
    """There is nothing to register: the loop asks ``want_write`` at each turn."""


def _safely(callback: Callable[..., None]) -> Callable[..., None]:
    """A callback whose bugs are logged and do not end the loop."""

    def safe(*arguments: Any) -> None:
        try:
            callback(*arguments)
        except Exception:
            log.exception("a bug in an MQTT callback", callback=callback.__name__)

    return safe
