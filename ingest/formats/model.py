"""What a wire format is, and what comes out of one message: readings, signs and refusals.

A decoder is a pure function that never raises. It knows its wire format and nothing of limits,
clocks or the ledger; those are ``ingest.acceptance`` and ``ingest.intake``. What it cannot read
becomes a ``Rejection`` holding just the item that was wrong, so that one bad item of an array
leaves its siblings alone.

What a decoder must know beside the message comes in a ``Context``: the profile that the ledger
gives a device, and what earlier messages taught (Sparkplug's aliases). Where something is missing
there, the decoder says so in ``Decoded.needs`` and is asked again once it may have been found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hearthline.domain.readings import Reading, Rejection, RejectReason, Sign
from ingest.formats.profiles import Profile
from ingest.formats.values import Refused, document, encoded

CHINA = ZoneInfo("Asia/Shanghai")
Learnt = Mapping[str, Any]
"""What one message teaches for reading others: a JSON object."""


@dataclass(frozen=True, slots=True)
class Context:
    """What is known beside the message. ``zone`` is that of devices that send local time.

    ``profiles`` has the profile of each device uid that the ledger gives one; ``memory`` what
    earlier messages taught, by key.
    """

    zone: tzinfo = CHINA
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    memory: Mapping[str, Learnt] = field(default_factory=dict)


NO_CONTEXT = Context()


@dataclass(frozen=True, slots=True)
class Request:
    """A message to be published in answer, e.g. asking a Sparkplug node for its rebirth."""

    topic: str
    payload: bytes


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """The outcome of one message.

    ``items[i]`` is the JSON that ``readings[i]`` was read from, or None where that is the whole
    payload: should the reading be refused later, its dead letter holds exactly this. Left out, it
    is the whole payload for each, or with ``array`` the item at the same place of the payload's
    JSON array. ``gateway`` carried all readings, where one did (see ``Sign``).

    ``needs`` names keys of ``Context.memory`` that were missing: the message is decoded again with
    them, and where nobody has learnt them it is quarantined under ``rejections``, which must then
    hold one UNKNOWN_ALIAS for each device concerned. ``learnt`` is what this message teaches, by
    key; it is remembered for every process. ``requests`` are published when the batch is stored.
    """

    readings: Sequence[Reading] = ()
    rejections: tuple[Rejection, ...] = ()
    items: tuple[Any, ...] = ()
    signs: tuple[Sign, ...] = ()
    needs: tuple[str, ...] = ()
    learnt: Mapping[str, Learnt] = msgspec.field(default_factory=dict)
    requests: tuple[Request, ...] = ()
    array: bool = False
    gateway: str | None = None

    def __post_init__(self) -> None:
        if self.items and len(self.items) != len(self.readings):
            raise ValueError(f"{len(self.items)} items for {len(self.readings)} readings")

    def item(self, number: int, payload: bytes) -> Any:
        """The JSON of one reading, None where that is the whole payload."""
        if self.items:
            return self.items[number]
        return document(payload)[number] if self.array else None


Decode = Callable[[str, bytes, datetime, Context], Decoded]


@dataclass(frozen=True, eq=False)
class Format:
    """A wire format: its name, the MQTT topic filters it answers for, and its decoder.

    ``decode(topic, payload, received_at, context)`` is pure and never raises.
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
    signs: list[Sign] = field(default_factory=list)

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
                message=None if item is None else self.payload,
            )
        )

    def decoded(self) -> Decoded:
        """What was gathered."""
        return Decoded(
            tuple(self.readings), tuple(self.rejections), tuple(self.items), tuple(self.signs)
        )


def refused_whole(topic: str, payload: bytes, reason: RejectReason, detail: str) -> Decoded:
    """A message of which nothing can be used."""
    return Decoded(rejections=(Rejection(topic, payload, reason, detail),))
