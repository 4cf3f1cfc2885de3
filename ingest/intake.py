"""One message as it came, and what it says once it was decoded and judged.

Pure. Whether its devices exist is not decided here: the ledger may have learnt of them since, so
the writer asks in the transaction that stores the batch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from hearthline.domain.readings import Quality, Reading, Rejection, RejectReason
from ingest.acceptance import Refusal, Rules, accept
from ingest.delivery import Delivery
from ingest.formats import Registry
from ingest.formats.values import encoded


class Message(NamedTuple):
    """A message as received. ``delivery`` is None for QoS 0, which nobody acknowledges."""

    topic: str
    payload: bytes
    received_at: datetime
    retained: bool = False
    delivery: Delivery | None = None


@dataclass(slots=True)
class Heard:
    """What a message says. ``items[i]`` is the JSON of ``readings[i]``, None for all of it."""

    message: Message
    readings: list[Reading] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows it will make, readings and dead letters together."""
        return len(self.readings) + len(self.rejections)


def hear(message: Message, formats: Registry, rules: Rules) -> Heard:
    """Decode a message and judge each of its readings."""
    decoded = formats.decode(message.topic, message.payload, message.received_at)
    heard = Heard(message, rejections=list(decoded.rejections))
    for reading, item in zip(decoded.readings, decoded.items, strict=True):
        try:
            answer = _judge(message, reading, rules)
        except Exception as error:  # a company's decoder made something else
            answer = Refusal(RejectReason.MALFORMED, f"{type(error).__name__}: {error}")
        if isinstance(answer, Refusal):
            heard.rejections.append(
                refused(message, item, answer, getattr(reading, "device_uid", None))
            )
        else:
            heard.readings.append(answer)
            heard.items.append(item)
    return heard


def _judge(message: Message, reading: Reading, rules: Rules) -> Reading | Refusal:
    if message.retained and Quality.CLOCK_GUESSED in reading.quality:
        detail = "a retained message without a time: it was said before, nobody knows when"
        return Refusal(RejectReason.BAD_TIME, detail)
    return accept(reading, message.received_at, rules)


def refused(message: Message, item: Any, refusal: Refusal, device_uid: str | None) -> Rejection:
    """The dead letter of one reading of a message."""
    payload = message.payload if item is None else encoded(item)
    return Rejection(message.topic, payload, refusal.reason, refusal.detail, device_uid)
