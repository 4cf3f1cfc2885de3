"""The wire formats we read, and the order in which they are asked.

A format is chosen by topic alone; the first that matches decodes. A company adds its own, or
takes over a topic of ours, with an entry point in the group ``hearthline.formats`` that names a
``Format``; those are asked before ours. A decoder must not raise; one that does anyway costs its
message a MALFORMED dead letter and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from importlib.metadata import entry_points

from hearthline.domain.readings import RejectReason
from hearthline.errors import SettingsError
from ingest.formats import chirpstack, own, zigbee2mqtt
from ingest.formats.model import NO_CONTEXT, Context, Decoded, Format, refused_whole

OURS: tuple[Format, ...] = (own.FORMAT, chirpstack.FORMAT, zigbee2mqtt.FORMAT)
GROUP = "hearthline.formats"

__all__ = ["OURS", "Context", "Decoded", "Format", "Registry", "registry"]


class Registry:
    """Formats in the order in which they are asked."""

    def __init__(self, formats: Iterable[Format] = OURS) -> None:
        self.formats = tuple(formats)
        self.find = lru_cache(maxsize=50_000)(self._find)
        """The format that answers for a topic, or None."""

    def _find(self, topic: str) -> Format | None:
        return next((one for one in self.formats if one.matches(topic)), None)

    def decode(
        self, topic: str, payload: bytes, received_at: datetime, context: Context = NO_CONTEXT
    ) -> Decoded:
        """The message as its format reads it; NO_FORMAT where none answers. Never raises."""
        chosen = self.find(topic)
        if chosen is None:
            detail = "no format answers for this topic"
            return refused_whole(topic, payload, RejectReason.NO_FORMAT, detail)
        try:
            return chosen.decode(topic, payload, received_at, context)
        except Exception as error:
            detail = f"the decoder {chosen.name} failed: {type(error).__name__}: {error}"
            return refused_whole(topic, payload, RejectReason.MALFORMED, detail)


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
