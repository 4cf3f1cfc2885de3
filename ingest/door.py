"""What decides about messages on their way in, put together from the settings."""

from __future__ import annotations

from dataclasses import dataclass

from hearthline.settings import Settings
from hearthline.storage.strangers import GuessOf
from ingest.acceptance import Rules
from ingest.describing import describer
from ingest.directory import Directory
from ingest.formats import Context, Registry, profiles, registry


@dataclass(frozen=True, slots=True)
class Door:
    """The formats that read messages, the rules that judge them, and who is known."""

    formats: Registry
    rules: Rules
    directory: Directory
    guess_of: GuessOf | None = None


def door_of(settings: Settings, *, whole: bool = False) -> Door:
    """The door of this installation; ``whole`` for a service that hears everybody.

    Raises:
        SettingsError: an entry point names no format, or the company's profiles cannot be used.
    """
    formats = registry()
    context = Context(settings.device_zone())
    directory = Directory(profiles.load(settings.profiles), context, whole=whole)
    rules = Rules(settings.oldest_reading, settings.clock_tolerance)
    return Door(formats, rules, directory, describer(formats))
