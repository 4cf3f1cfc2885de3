"""The wire formats we read, and the order in which they are asked.

A format is chosen by topic; the first that matches decodes. Messages of a few formats name their
device themselves and travel on anybody's topics: these are known by their content, where no
format answers for the topic. A company adds its own, or takes over a topic of ours, with an entry
point in the group ``hearthline.formats`` that names a ``Format``; those are asked before ours. A
decoder must not raise; one that does anyway costs its message a MALFORMED dead letter and nothing
else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cached_property, lru_cache
from importlib.metadata import entry_points

import msgspec

from hearthline.domain.readings import RejectReason
from hearthline.errors import SettingsError
from hearthline.storage.columns import KINDS
from ingest.formats import (
    alink,
    chirpstack,
    ctwing,
    homie,
    iotda,
    onenet,
    own,
    senml,
    sparkplug,
    tasmota,
    tts,
    wmbusmeters,
    zigbee2mqtt,
)
from ingest.formats.model import NO_CONTEXT, Context, Decoded, Format, refused_whole
from ingest.formats.topics import union

OURS: tuple[Format, ...] = (
    own.FORMAT,
    chirpstack.FORMAT,
    zigbee2mqtt.FORMAT,
    tts.FORMAT,
    tasmota.FORMAT,
    homie.FORMAT,
    sparkplug.FORMAT,
    wmbusmeters.FORMAT,
    senml.FORMAT,
    onenet.FORMAT,
    alink.FORMAT,
    iotda.FORMAT,
    ctwing.FORMAT,
)
BY_CONTENT: tuple[tuple[Callable[[bytes], bool], Format], ...] = (
    (ctwing.speaks, ctwing.FORMAT),
    (iotda.speaks, iotda.FORMAT),
    (senml.speaks, senml.FORMAT),
)
"""Formats whose messages name their device, and how such a message is known on any topic."""

GROUP = "hearthline.formats"
_PROVEN = frozenset(OURS)

__all__ = ["OURS", "Context", "Decoded", "Format", "Registry", "registry"]


class Registry:
    """Formats in the order in which they are asked."""

    def __init__(self, formats: Iterable[Format] = OURS) -> None:
        self.formats = tuple(formats)
        self.find = lru_cache(maxsize=50_000)(self._find)
        """The format that answers for a topic, or None."""

    def _find(self, topic: str) -> Format | None:
        return next((one for one in self.formats if one.matches(topic)), None)

    @cached_property
    def filters(self) -> tuple[str, ...]:
        """The MQTT topic filters to subscribe to, so that every format hears its devices."""
        return union(topic for one in self.formats for topic in one.topics)

    def speaker(self, topic: str, payload: bytes) -> Format | None:
        """The format that reads a message: by its topic, else by its content."""
        chosen = self.find(topic)
        if chosen is not None:
            return chosen
        known = ((speaks, one) for speaks, one in BY_CONTENT if one in self.formats)
        return next((one for speaks, one in known if speaks(payload)), None)

    def decode(
        self, topic: str, payload: bytes, received_at: datetime, context: Context = NO_CONTEXT
    ) -> Decoded:
        """The message as its format reads it; NO_FORMAT where none answers. Never raises."""
        chosen = self.speaker(topic, payload)
        if chosen is None:
            detail = "no format answers for this topic"
            return refused_whole(topic, payload, RejectReason.NO_FORMAT, detail)
        try:
            decoded = chosen.decode(topic, payload, received_at, context)
            return decoded if chosen in _PROVEN else sound(decoded)
        except Exception as error:
            detail = f"the decoder {chosen.name} failed: {type(error).__name__}: {error}"
            return refused_whole(topic, payload, RejectReason.MALFORMED, detail)


def sound(decoded: Decoded) -> Decoded:
    """The outcome of a decoder that no test of ours has proven, if it is what it should be.

    Raises:
        TypeError, ValueError, msgspec.ValidationError: it holds something else.
    """
    for reading in decoded.readings:
        if type(reading) not in KINDS.values():
            raise TypeError(f"{reading!r:.100} is no reading")
        if reading.time.tzinfo is None:
            raise ValueError(f"{reading.time} has no zone")
        msgspec.convert(msgspec.structs.asdict(reading), type(reading), strict=True)
    return decoded


def registry() -> Registry:
    """Our formats and those that installed packages add.

    Raises:
        SettingsError: an entry point does not name a format.
    """
    added = []
    for point in entry_points(group=GROUP):
        found = point.load()
        if not isinstance(found, Format):
            raise SettingsError(f"The entry point {point.value} of {GROUP} names no wire format.")
        added.append(found)
    return Registry((*added, *OURS))
