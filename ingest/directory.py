"""Which device a uid is: the ledger's answer, remembered.

A known uid is answered from memory; unknown ones are asked for in the transaction that stores
their batch, one query per batch, so a device is known from the moment the ledger has it. The
memory is dropped when the ledger says that it changed, and now and then in case nobody heard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import monotonic

from hearthline.storage.database import Connection
from hearthline.storage.readings import KnownDevice, known_devices

GOOD_FOR_S = 600.0


class Directory:
    """Devices by uid."""

    def __init__(self, elapsed: Callable[[], float] = monotonic) -> None:
        self._elapsed = elapsed
        self._known: dict[str, KnownDevice] = {}
        self._loaded_at: float | None = None

    def forget(self) -> None:
        """Ask the ledger again next time."""
        self._loaded_at = None

    def resolve(self, connection: Connection, uids: Iterable[str]) -> dict[str, KnownDevice]:
        """The devices that exist among ``uids``, and any number of others."""
        now = self._elapsed()
        if self._loaded_at is None or now - self._loaded_at > GOOD_FOR_S:
            self._known = known_devices(connection)
            self._loaded_at = now
            return self._known
        missing = {uid for uid in uids if uid not in self._known}
        if missing:
            self._known.update(known_devices(connection, missing))
        return self._known
