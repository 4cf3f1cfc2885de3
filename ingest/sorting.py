"""What the messages of a batch say, sorted by what the ledger knows of who says it.

Pure. Readings of devices that the ledger has become columns, one lot per kind in the order of
arrival; those of strangers name the messages to be quarantined; the rest are dead letters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import Reading, Rejection, RejectReason, Sign
from hearthline.storage.columns import (
    KINDS,
    Columns,
    Floats,
    Ints,
    KnownDevice,
    Table,
    laid,
    micros,
)
from hearthline.storage.strangers import Held
from ingest.acceptance import Origin, Refusal
from ingest.formats import Registry
from ingest.formats.model import Decoded
from ingest.intake import Heard, refused


def speaking(heard: Sequence[Heard]) -> set[str]:
    """Whose readings and signs these are."""
    speakers: set[str] = set()
    for one in heard:
        speakers.update(_uids(one.decoded))
        for sign in one.decoded.signs:
            speakers.add(sign.device_uid)
    return speakers


@dataclass(slots=True)
class _Gathered:
    """Readings of one kind, in the order of arrival.

    What comes one by one becomes a table only together: one for each costs more than it spares.
    Where in the batch they stand is kept by run: its message, the number of its first reading
    there, and its length.
    """

    kind: DeviceKind
    tables: list[Table] = field(default_factory=list)
    single: list[Reading] = field(default_factory=list)
    messages: list[int] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)

    def add(self, readings: Table, message: int) -> None:
        """Take all readings of a message in."""
        self._close()
        self.tables.append(readings)
        self._note(message, 0, len(readings))

    def add_one(self, reading: Reading, message: int, number: int) -> None:
        """Take one reading of a message in."""
        self.single.append(reading)
        self._note(message, number, 1)

    def table(self) -> Table:
        """All of them."""
        self._close()
        return Table.joined(self.kind, self.tables)

    def standing(self) -> tuple[Ints, Ints]:
        """Each reading's message in the batch, and its number within that."""
        lengths = np.array(self.lengths, np.int64)
        begins = np.cumsum(lengths) - lengths
        offsets = np.array(self.firsts, np.int64) - begins
        numbers = np.arange(lengths.sum()) + np.repeat(offsets, lengths)
        return np.repeat(np.array(self.messages, np.int64), lengths), numbers

    def _note(self, message: int, first: int, length: int) -> None:
        self.messages.append(message)
        self.firsts.append(first)
        self.lengths.append(length)

    def _close(self) -> None:
        if self.single:
            self.tables.append(Table.of(self.kind, self.single))
            self.single = []


@dataclass(frozen=True, slots=True)
class _Lot:
    """Readings of known devices of one kind: whose they are, and where in the batch each stands."""

    readings: Table
    devices: Ints
    hold_s: Floats
    messages: Ints
    numbers: Ints

    def __getitem__(self, rows: Ints) -> _Lot:
        """Those readings."""
        return _Lot(
            self.readings.chosen(rows.tolist()),
            self.devices[rows],
            self.hold_s[rows],
            self.messages[rows],
            self.numbers[rows],
        )


@dataclass(slots=True)
class SortedOut:
    """What the messages of a batch say, by what is to be done with it.

    ``strangers`` are, by message, the uids that the ledger does not have; ``strange`` counts what
    was said under them. ``carried`` names each gateway by the uids for which it spoke.
    """

    heard: Sequence[Heard]
    known: list[_Lot] = field(default_factory=list)
    refused: list[Rejection] = field(default_factory=list)
    strangers: dict[int, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    strange: int = 0
    signs: list[tuple[int, Sign]] = field(default_factory=list)
    carried: dict[str, str] = field(default_factory=dict)

    def lots(self) -> Iterator[tuple[Columns, Origin, Ints]]:
        """The readings of known devices by kind, and each one's number within its message."""
        arrived = micros([one.message.received_at for one in self.heard])
        retained = np.array([one.message.retained for one in self.heard], bool)
        for found in self.known:
            message = found.messages
            lot = laid(found.readings, found.devices, found.hold_s, arrived[message])
            yield lot, Origin(message, retained[message]), found.numbers

    def held(self, heard: Sequence[Heard], formats: Registry) -> list[Held]:
        """The messages to be kept until their devices are adopted."""
        made = []
        for number, uids in self.strangers.items():
            message = heard[number].message
            chosen = formats.find(message.topic)
            made.append(
                Held(
                    tuple(uids),
                    message.topic,
                    message.payload,
                    message.received_at,
                    message.retained,
                    chosen.name if chosen else "",
                )
            )
        return made


def sort_out(heard: Sequence[Heard], known: Mapping[str, KnownDevice]) -> SortedOut:
    """Sort readings, refusals and signs by what the ledger knows of their devices."""
    found = SortedOut(heard)
    gathered = {shape: _Gathered(kind) for kind, shape in KINDS.items()}
    for number, decoded in enumerate([one.decoded for one in heard]):
        readings = decoded.readings
        if isinstance(readings, Table):
            gathered[KINDS[readings.kind]].add(readings, number)
        else:
            for n, reading in enumerate(readings):
                gathered[type(reading)].add_one(reading, number, n)
        if decoded.gateway is not None:
            found.carried.update(dict.fromkeys(_uids(decoded), decoded.gateway))
        for rejection in decoded.rejections:
            _sort_rejection(found, number, rejection, known)
        for sign in decoded.signs:
            device = known.get(sign.device_uid)
            if device is not None:
                found.signs.append((device.id, sign))
    for lot in gathered.values():
        if lot.messages:
            _sort_kind(found, lot, known)
    return found


def _uids(decoded: Decoded) -> Sequence[str]:
    """Whose reading each of a message is."""
    readings = decoded.readings
    return readings.uids if isinstance(readings, Table) else [one.device_uid for one in readings]


def _sort_kind(found: SortedOut, gathered: _Gathered, known: Mapping[str, KnownDevice]) -> None:
    """Keep the readings whose device the ledger has, and has as of this kind; sort the others."""
    readings = gathered.table()
    numbered = {uid: n for n, uid in enumerate(dict.fromkeys(readings.uids))}
    speaker = np.fromiter(map(numbered.__getitem__, readings.uids), np.intp, len(readings))
    devices = [known.get(uid) for uid in numbered]
    fitting = [one if one is not None and one.kind is gathered.kind else None for one in devices]
    ids = np.array([0 if one is None else one.id for one in fitting], np.int64)
    hold_s = np.array([0 if one is None else one.hold_s for one in fitting], np.float64)
    lot = _Lot(readings, ids[speaker], hold_s[speaker], *gathered.standing())
    if None in fitting:
        fits = np.array([one is not None for one in fitting], bool)[speaker]
        for row in np.flatnonzero(~fits).tolist():
            _sort_misfit(found, lot, row, devices[speaker[row]])
        lot = lot[np.flatnonzero(fits)]
    if len(lot.readings):
        found.known.append(lot)


def _sort_misfit(found: SortedOut, lot: _Lot, row: int, device: KnownDevice | None) -> None:
    """A reading of a device that the ledger does not have, or has as something else."""
    message = int(lot.messages[row])
    if device is None:
        found.strangers[message][lot.readings.uids[row]] = None
        found.strange += 1
    else:
        detail = f"the ledger says {device.kind}, the message says {lot.readings.kind}"
        why = Refusal(RejectReason.WRONG_KIND, detail)
        found.refused.append(refused(found.heard[message], int(lot.numbers[row]), why))


def _sort_rejection(
    found: SortedOut, number: int, rejection: Rejection, known: Mapping[str, KnownDevice]
) -> None:
    """Quarantine what waits for a birth or a profile; the rest is a dead letter."""
    uid = rejection.device_uid
    waits = rejection.reason is RejectReason.UNKNOWN_ALIAS or (
        rejection.reason is RejectReason.NEEDS_PROFILE and uid not in known
    )
    if waits and uid is not None:
        found.strangers[number][uid] = None
        found.strange += 1
    elif found.heard[number].message.retained:
        found.refused.append(replace(rejection, retained=True))
    else:
        found.refused.append(rejection)
