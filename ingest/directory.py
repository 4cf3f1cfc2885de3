"""What is known about devices: the ledger's answers and what messages taught, remembered.

A known uid is answered from memory; unknown ones are asked for in the transaction that stores
their batch, one query per batch, so a device is known from the moment the ledger has it. The
memory is dropped when the ledger says that it changed, and now and then in case nobody heard.

``context`` is what decoders need of it. It is replaced as a whole, so that a decoder on another
thread sees one state or the other, and so that a message decoded with an older one is noticed. In
the same way what ``remembered`` answers on another thread holds for as long as it ``stands``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from time import monotonic

from hearthline.storage import memory
from hearthline.storage.columns import KnownDevice
from hearthline.storage.database import Connection
from hearthline.storage.readings import known_devices
from ingest.formats.model import NO_CONTEXT, Context, Learnt
from ingest.formats.profiles import Profile

GOOD_FOR_S = 600.0


class Directory:
    """Devices by uid, their profiles, what formats have learnt, and who carries whom."""

    def __init__(
        self,
        profiles: Mapping[str, Profile] | None = None,
        context: Context = NO_CONTEXT,
        *,
        whole: bool = True,
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        """``whole`` False asks for the devices at hand and never for all: for work on a few."""
        self.context = context
        self._profiles = profiles or {}
        self._whole = whole
        self._elapsed = elapsed
        self._known: dict[str, KnownDevice] = {}
        self._loaded_at: float | None = None
        self._gateways: dict[int, str] = {}

    def forget(self) -> None:
        """Ask the ledger again next time, and the messages' lessons with it."""
        self._loaded_at = None

    def resolve(self, connection: Connection, uids: Iterable[str]) -> dict[str, KnownDevice]:
        """The devices that exist among ``uids``, and any number of others."""
        if not self._fresh():
            uids = list(uids)
            self._known = known_devices(connection, None if self._whole else uids)
            self._loaded_at = self._elapsed()
            self._gateways.clear()
            self._know(self._known, known=memory.read(connection, self.context.memory))
            return self._known
        missing = {uid for uid in uids if uid not in self._known}
        if missing:
            found = known_devices(connection, missing)
            self._known.update(found)
            self._know(found)
        return self._known

    def remembered(self, uids: Iterable[str]) -> Mapping[str, KnownDevice] | None:
        """The same from memory alone; None where the ledger has to be asked."""
        known = self._known
        return known if self._fresh() and all(uid in known for uid in uids) else None

    def stands(self, known: Mapping[str, KnownDevice], context: Context) -> bool:
        """Whether an answer from memory, and a context, are still what would be said now."""
        return self._fresh() and known is self._known and context is self.context

    def _fresh(self) -> bool:
        """Whether the ledger has been asked, and has not changed since."""
        at = self._loaded_at
        return at is not None and self._elapsed() - at <= GOOD_FOR_S

    def recall(self, connection: Connection, keys: Collection[str]) -> None:
        """Look up what other processes have learnt under ``keys``."""
        self.learn(memory.read(connection, keys))

    def learn(self, learnt: Mapping[str, Learnt]) -> None:
        """Decode later messages with this."""
        known = self.context.memory
        if any(known.get(key) != body for key, body in learnt.items()):
            self.context = replace(self.context, memory={**known, **learnt})

    def news(self, carried: Mapping[str, str]) -> dict[int, str]:
        """Of gateways by the uids that they carry, those that are news, by the device's id."""
        found = {}
        for uid, gateway in carried.items():
            device = self._known.get(uid)
            if device is not None and self._gateways.get(device.id) != gateway:
                found[device.id] = gateway
        return found

    def note_gateways(self, gateways: Mapping[int, str]) -> None:
        """Remember who carries whom, once that is committed."""
        self._gateways.update(gateways)

    def _know(
        self, found: Mapping[str, KnownDevice], known: Mapping[str, Learnt] | None = None
    ) -> None:
        """Renew the context where devices are to be read otherwise than before."""
        profiles = {
            uid: self._profiles[device.profile]
            for uid, device in found.items()
            if device.profile is not None and device.profile in self._profiles
        }
        if known is None:
            profiles = {**self.context.profiles, **profiles}
        lessons = self.context.memory if known is None else known
        if profiles != self.context.profiles or lessons != self.context.memory:
            self.context = replace(self.context, profiles=profiles, memory=lessons)
