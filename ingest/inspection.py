"""A look at the broker as ingest sees it: does it let us in, hear us, and grant what we need?

For ``hearthline doctor``. It comes with a client id of its own and a session that ends with it, so
that a running ingest is not disturbed; retained messages are not asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest.broker import Broker
from ingest.wire import leave

WITHIN_S = 5.0
NO_REPLAY = SubscribeOptions(qos=0, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)


@dataclass(frozen=True, slots=True)
class Findings:
    """What was seen: ``trouble`` is why we are not let in, else None.

    ``refused`` are topic filters that the broker does not grant. ``heard`` is whether a message
    of our own came back; mosquitto grants every filter and keeps silent where it must, so only
    this shows that reading is allowed.
    """

    trouble: str | None
    refused: tuple[str, ...] = ()
    heard: bool = False


@dataclass
class _Visit:
    done: threading.Event = field(default_factory=threading.Event)
    trouble: str | None = "no answer in time"
    refused: tuple[str, ...] = ()
    heard: bool = False


def inspect(broker: Broker, filters: Sequence[str], within_s: float = WITHIN_S) -> Findings:
    """Connect, subscribe to all ``filters``, and hear a message of our own.

    Raises:
        SettingsError: the certificates of the settings cannot be used.
    """
    if reason := broker.trouble(within_s):
        return Findings(reason)
    name = f"hearthline-doctor-{uuid4().hex[:8]}"
    visit = _Visit()
    client = _client(broker, name, tuple(filters), visit)
    try:
        client.connect(broker.host, broker.port, keepalive=30)
        client.loop_start()
        visit.done.wait(within_s)
    except OSError as error:
        visit.trouble = str(error)
    finally:
        leave(client)
    return Findings(visit.trouble, visit.refused, visit.heard)


def _client(broker: Broker, name: str, filters: tuple[str, ...], visit: _Visit) -> Client:
    echo = f"hearthline/v1/service/{name}/status"
    asked = (*filters, echo)

    def connected(client: Client, _data: Any, _flags: Any, code: ReasonCode, _props: Any) -> None:
        if code.is_failure:
            visit.trouble = f"the broker refuses: {code}"
            visit.done.set()
            return
        visit.trouble = None
        client.subscribe([(topic, NO_REPLAY) for topic in asked])

    def subscribed(
        client: Client, _data: Any, _mid: int, codes: list[ReasonCode], _props: Any
    ) -> None:
        answers = zip(asked, codes, strict=True)
        visit.refused = tuple(topic for topic, code in answers if code.is_failure)
        client.publish(echo, b"doctor", qos=0)

    def heard(_client: Client, _data: Any, message: MQTTMessage) -> None:
        if message.payload == b"doctor":
            visit.heard = True
            visit.done.set()

    client = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTv5)
    client.suppress_exceptions = True
    if broker.user is not None:
        client.username_pw_set(broker.user, broker.password)
    if context := broker.tls_context():
        client.tls_set_context(context)
    client.on_connect, client.on_subscribe, client.on_message = connected, subscribed, heard
    return client
