"""What a wire format is, and what comes out of one message: readings and refusals.

A decoder is a pure function that never raises. It knows its wire format and nothing of limits,
clocks or the ledger; those are ``ingest.acceptance`` and ``ingest.intake``. What it cannot read
becomes a ``Rejection`` holding just the item that was wrong, so that one bad item of an array
leaves its siblings alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from hearthline.domain.readings import Reading, Rejection, RejectReason
from ingest.formats.values import Refused, encoded


@dataclass(frozen=True, slots=True)
class Decoded:
    """The outcome of one message.

    ``items[i]`` is the JSON that ``readings[i]`` was read from, or None where that is the whole
    payload: should the reading be refused later, its dead letter holds exactly this. Left out, it
    is the whole payload for each.
    """

    readings: tuple[Reading, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    items: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        if not self.items:
            object.__setattr__(self, "items", (None,) * len(self.readings))
        if len(self.items) != len(self.readings):
            raise ValueError(f"{len(self.items)} items for {len(self.readings)} readings")


Decode = Callable[[str, bytes, datetime], Decoded]


@dataclass(frozen=True)
class Format:
    """A wire format: its name, the MQTT topic filters it answers for, and its decoder.

    ``decode(topic, payload, received_at)`` is pure and never raises.
    """

    name: str
    topics: tuple[str, ...]
    decode: Decode

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(_expression(topic) for topic in self.topics), re.DOTALL)

    def matches(self, topic: str) -> bool:
        """Whether this format answers for messages of a topic."""
        return self._pattern.fullmatch(topic) is not None


def _expression(topic_filter: str) -> str:
    """A regular expression for an MQTT topic filter (MQTT 5, section 4.7.1)."""
    levels = topic_filter.split("/")
    below = levels[-1] == "#"
    parts = ["[^/]*" if level == "+" else re.escape(level) for level in levels]
    if not below:
        return "/".join(parts)
    return "/".join(parts[:-1]) + ("(?:/.*)?" if len(parts) > 1 else ".*")


@dataclass(slots=True)
class Harvest:
    """Gathers what the items of one message give; each item fails for itself."""

    topic: str
    payload: bytes
    readings: list[Reading] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)

    def take(self, item: Any, read: Callable[[], Reading], device_uid: str | None = None) -> None:
        """Read one item; ``item`` is None where it is the whole payload."""
        try:
            self.readings.append(read())
        except Refused as refused:
            self.refuse(refused, item, device_uid)
        else:
            self.items.append(item)

    def refuse(self, refused: Refused, item: Any = None, device_uid: str | None = None) -> None:
        """Record why an item, or with None the whole payload, is refused."""
        self.rejections.append(
            Rejection(
                topic=self.topic,
                payload=self.payload if item is None else encoded(item),
                reason=refused.reason,
                detail=refused.detail,
                device_uid=device_uid,
            )
        )

    def decoded(self) -> Decoded:
        """What was gathered."""
        return Decoded(tuple(self.readings), tuple(self.rejections), tuple(self.items))


def refused_whole(topic: str, payload: bytes, reason: RejectReason, detail: str) -> Decoded:
    """A message of which nothing can be used."""
    return Decoded(rejections=(Rejection(topic, payload, reason, detail),))
