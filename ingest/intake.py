"""One message as it came, and what it says once it was decoded.

Pure. What its readings are worth, and whether their devices exist, is not decided here: the ledger
may have learnt of them since, so the writer asks in the transaction that stores the batch.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from hearthline.domain.readings import Rejection
from ingest.acceptance import Refusal
from ingest.delivery import Delivery
from ingest.formats import Context, Decoded, Registry
from ingest.formats.values import encoded


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message as received. ``delivery`` is None for QoS 0, which nobody acknowledges."""

    topic: str
    payload: bytes
    received_at: datetime
    retained: bool = False
    delivery: Delivery | None = None


class Heard(msgspec.Struct, frozen=True, gc=False):
    """What a message says, and what was known when it was decoded."""

    message: Message
    decoded: Decoded
    context: Context

    @property
    def rows(self) -> int:
        """How many rows it will make, readings and dead letters together."""
        return len(self.decoded.readings) + len(self.decoded.rejections)


def hear(message: Message, formats: Registry, context: Context) -> Heard:
    """Decode a message with what is known now."""
    decoded = formats.decode(message.topic, message.payload, message.received_at, context)
    return Heard(message, decoded, context)


def refused(heard: Heard, number: int, refusal: Refusal) -> Rejection:
    """The dead letter of one reading of a message."""
    message = heard.message
    reading = heard.decoded.readings[number]
    item: Any = heard.decoded.item(number, message.payload)
    part = message.payload if item is None else encoded(item)
    whole = None if item is None else message.payload
    return Rejection(message.topic, part, refusal.reason, refusal.detail, reading.device_uid, whole)
