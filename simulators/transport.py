"""Where messages go: a broker over MQTT 5, or lines of JSON.

``Publisher`` never loses a message while it lives: it publishes at QoS 1, keeps at most a bounded
number unacknowledged (so a slow broker slows the simulation down instead of filling memory),
reconnects by itself, and paho sends again what was not acknowledged. It refuses to guess: a
broker that says no (bad credentials) raises, one that is merely away is waited for.
"""

from __future__ import annotations

import json
import logging
import ssl
import sys
import threading
import time
import uuid
from base64 import b64encode
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from simulators.post import Message

log = logging.getLogger(__name__)

DEFAULT_IN_FLIGHT = 500
_REFUSALS = {134, 135, 138, 140}  # bad credentials, not authorised, banned, bad method
_POLL_S = 0.2


class BrokerRefused(Exception):
    """The broker answered and said no; the text says why."""


class PublisherClosed(Exception):
    """The publisher was closed while a message still waited for its turn; it was not sent."""


@dataclass(frozen=True, slots=True)
class Address:
    """A broker's address, from a URL like ``mqtt://user:password@host:1883``.

    With ``mqtts://`` the broker's name and certificate are verified, against the system's CAs or
    ``?ca=FILE``; ``&cert=FILE&key=FILE`` is the certificate to come in with (PEM).
    """

    host: str
    port: int
    tls: bool
    username: str | None
    password: str | None = field(repr=False)
    ca: str | None = None
    cert: str | None = None
    key: str | None = None

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read an address.

        Raises:
            ValueError: it is not an mqtt:// or mqtts:// URL with a host.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            shown = f"{parts.scheme}://{parts.hostname or ''}"  # never the password
            raise ValueError(f"expected mqtt://host:port or mqtts://host:port, got {shown!r}")
        tls = parts.scheme == "mqtts"
        files = dict(parse_qsl(parts.query))
        return cls(
            host=parts.hostname,
            port=parts.port or (8883 if tls else 1883),
            tls=tls,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            **{name: files[name] for name in ("ca", "cert", "key") if name in files},
        )

    def tls_context(self) -> ssl.SSLContext | None:
        """What to connect with; None for a plain connection.

        Raises:
            BrokerRefused: a file cannot be used; the text says which.
        """
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.cert is not None:
                context.load_cert_chain(self.cert, self.key, password="")
        except OSError as error:
            files = ", ".join(name for name in (self.ca, self.cert, self.key) if name)
            raise BrokerRefused(f"cannot use the certificates {files}: {error}") from None
        return context

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Published:
    """The books of a publisher: messages handed over, acknowledged, refused by the broker."""

    sent: int
    acked: int
    refused: int

    @property
    def complete(self) -> bool:
        """Whether the broker answered every message with yes."""
        return self.sent == self.acked


class _Window:
    """Counts messages handed over and answered, and lets only so many be unanswered."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._changed = threading.Condition()
        self._sent = self._acked = self._refused = 0

    def enter(self, timeout_s: float) -> bool:
        """Take a place for one more message; False if none was free in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._open < self._limit, timeout_s):
                return False
            self._sent += 1
            return True

    def answered(self, *, refused: bool) -> None:
        """The broker answered one message."""
        with self._changed:
            if refused:
                self._refused += 1
            else:
                self._acked += 1
            if self._open <= self._limit // 2:  # wake the producer for many at once
                self._changed.notify_all()

    def narrow(self, limit: int) -> None:
        """Never more than the broker said it takes (MQTT 5, Receive Maximum)."""
        with self._changed:
            self._limit = max(1, min(self._limit, limit))

    def drained(self, timeout_s: float) -> bool:
        """Wait until everything is answered; False if it is not in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._open == 0, timeout_s)

    @property
    def _open(self) -> int:
        return self._sent - self._acked - self._refused

    @property
    def books(self) -> Published:
        with self._changed:
            return Published(self._sent, self._acked, self._refused)


class Publisher:
    """Publishes messages at QoS 1; a context manager whose end waits for every acknowledgement.

    >>> with Publisher("mqtt://127.0.0.1:1883") as publisher:  # doctest: +SKIP
    ...     publisher.publish(message)
    """

    def __init__(
        self,
        url: str,
        *,
        client_id: str | None = None,
        in_flight: int = DEFAULT_IN_FLIGHT,
        session_s: int = 3600,
    ) -> None:
        self.address = Address.parse(url)
        self._window = _Window(in_flight)
        self._connected = threading.Event()
        self._refusal: str | None = None
        self._waiting_said = self._closing = False
        self._client = self._new_client(client_id or f"simulator-{uuid.uuid4().hex[:12]}")
        self._connect(session_s)

    def _new_client(self, client_id: str) -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv5)
        client.max_inflight_messages_set(0)  # unlimited, likewise: a limit costs a scan per ack
        client.max_queued_messages_set(0)  # unlimited: our own slots bound it
        client.reconnect_delay_set(min_delay=1, max_delay=4)
        if self.address.username is not None:
            client.username_pw_set(self.address.username, self.address.password)
        if context := self.address.tls_context():
            client.tls_set_context(context)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        return client

    def _connect(self, session_s: int) -> None:
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = session_s
        host, port = self.address.host, self.address.port
        self._client.connect_async(
            host, port, keepalive=30, clean_start=False, properties=properties
        )
        self._client.loop_start()

    def publish(self, message: Message) -> None:
        """Hand one message over; blocks while too many are unacknowledged or no broker is there.

        Raises:
            BrokerRefused: the broker does not let this client in.
            PublisherClosed: ``close`` was called, here or by another thread.
        """
        self._raise_refusal()
        while self._closing or not self._window.enter(_POLL_S):
            if self._closing:
                raise PublisherClosed(f"no more is published to {self.address}")
            self._raise_refusal()
        self._client.publish(message.topic, message.payload, qos=1, retain=message.retain)

    def publish_all(self, messages: Iterable[Message]) -> int:
        """Hand all messages over, in order; how many there were."""
        count = 0
        for message in messages:
            self.publish(message)
            count += 1
        return count

    def wait_connected(self, timeout_s: float | None = None) -> bool:
        """Wait for the broker; False after ``timeout_s``.

        Raises:
            BrokerRefused: the broker does not let this client in.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._connected.wait(_POLL_S):
            self._raise_refusal()
            if deadline is not None and time.monotonic() >= deadline:
                return False
        return True

    @property
    def books(self) -> Published:
        """How many messages were handed over, acknowledged and refused so far."""
        return self._window.books

    def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until every message is answered; False after ``timeout_s``.

        Raises:
            BrokerRefused: the broker does not let this client in.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._window.drained(_POLL_S):
            self._raise_refusal()
            if deadline is not None and time.monotonic() >= deadline:
                return False
        return True

    def close(self, timeout_s: float | None = 60.0) -> Published:
        """Wait for all acknowledgements (at most ``timeout_s``), disconnect, and report."""
        self._closing = True
        try:
            if not self.flush(timeout_s):
                books = self.books
                open_ = books.sent - books.acked - books.refused
                log.warning("%d messages are not acknowledged by %s", open_, self.address)
        except BrokerRefused as refused:
            log.warning("%s", refused)
        self._client.disconnect()
        with suppress(AttributeError):  # paho's thread may end between its look at it and its wait
            self._client.loop_stop()
        return self.books

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _raise_refusal(self) -> None:
        if self._refusal is not None:
            raise BrokerRefused(f"the broker at {self.address} refuses: {self._refusal}")

    # Called by paho's thread: nothing here may raise, or that thread dies silently.

    def _on_connect(
        self, _client: Any, _userdata: Any, _flags: Any, reason: ReasonCode, properties: Any
    ) -> None:
        if reason.is_failure:
            if reason.value in _REFUSALS:
                self._refusal = str(reason)
            return
        if self._waiting_said:
            log.info("connected to the broker at %s", self.address)
        self._waiting_said = False
        self._window.narrow(getattr(properties, "ReceiveMaximum", 65535))
        self._connected.set()

    def _on_connect_fail(self, _client: Any, _userdata: Any) -> None:
        error = sys.exc_info()[1]  # paho calls this while it handles the failure
        if isinstance(error, ssl.SSLCertVerificationError):
            self._refusal = f"its certificate does not verify: {error.verify_message}"
            return
        self._say_waiting("no broker answers at %s; waiting for it")

    def _on_disconnect(
        self, _client: Any, _userdata: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        if self._connected.is_set() and reason.is_failure:
            self._say_waiting("lost the broker at %s; waiting for it")
        elif reason.is_failure and self.address.tls:
            self._say_waiting("the broker at %s hangs up; perhaps it wants another certificate")
        self._connected.clear()

    def _say_waiting(self, text: str) -> None:
        if not self._waiting_said:
            log.warning(text, self.address)
            self._waiting_said = True

    def _on_publish(
        self, _client: Any, _userdata: Any, _mid: int, reason: ReasonCode, _properties: Any
    ) -> None:
        self._window.answered(refused=reason.is_failure)


def to_jsonl(messages: Iterable[Message], out: IO[str]) -> int:
    """Write messages as lines ``{"due", "topic", "payload"}``; how many there were.

    ``payload`` is the text sent. What is no text (Sparkplug, truncated UTF-8) stands as base64 in
    ``payload_base64`` instead; a retained message says so.
    """
    count = 0
    for message in messages:
        line: dict[str, object] = {"due": message.due, "topic": message.topic}
        try:
            line["payload"] = message.payload.decode()
        except UnicodeDecodeError:
            line["payload_base64"] = b64encode(message.payload).decode()
        if message.retain:
            line["retain"] = True
        out.write(json.dumps(line, ensure_ascii=False) + "\n")
        count += 1
    return count
