"""One batch in one transaction: rows, latest values, marks, dead letters, and what was delivered.

Everything or nothing, and known for one when it comes again. Runs inside the transaction that
the caller opened; knows nothing of retries, threads or MQTT. ``write`` is for messages of a
session, which count exactly once; ``take_in`` is its heart, and all that a replay needs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid4

import numpy as np

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import Quality, Rejection, RejectReason, Sign
from hearthline.storage import dead_letters, deliveries, liveness, memory, readings, strangers
from hearthline.storage.columns import (
    Columns,
    Floats,
    KnownDevice,
    Table,
    columns_of,
    micros,
    tables,
)
from hearthline.storage.database import Connection
from hearthline.storage.deliveries import Signature, Tally
from hearthline.storage.strangers import Held
from ingest.acceptance import Origin, Refusal, judge, skews
from ingest.directory import Directory
from ingest.door import Door
from ingest.formats import Registry
from ingest.formats.model import Learnt, Request, refused_whole
from ingest.intake import Heard, hear, refused


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages to be written together; the id stays the same when the write is tried again."""

    heard: Sequence[Heard]
    id: UUID = field(default_factory=uuid4)

    @property
    def arrived_at(self) -> datetime:
        """When the last of its messages arrived."""
        return max(one.message.received_at for one in self.heard)

    def halves(self) -> tuple[Batch, Batch]:
        """Two batches of half the messages each, to find the one that the database refuses."""
        middle = len(self.heard) // 2
        return Batch(self.heard[:middle]), Batch(self.heard[middle:])


@dataclass(frozen=True, slots=True)
class Session:
    """Who writes: the MQTT client id, and how many unacknowledged messages its broker may hold."""

    client_id: str
    inflight: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch came to; all but the tally is empty where an earlier attempt had committed.

    ``refused`` are its dead letters; ``quarantined`` how many messages wait for the adoption of a
    device; ``gateways`` who was found to carry whom; ``requests`` what is to be published now;
    ``learnt`` whether its messages taught how to read others.
    """

    tally: Tally
    refused: Sequence[Rejection] = ()
    conflicts: int = 0
    quarantined: int = 0
    redelivered: int = 0
    flagged: Mapping[str, int] = field(default_factory=dict)
    decoded: Mapping[str, int] = field(default_factory=dict)
    skews: Floats = field(default_factory=lambda: np.empty(0))
    gateways: Mapping[int, str] = field(default_factory=dict)
    requests: Sequence[Request] = ()
    learnt: bool = False


def write(
    connection: Connection,
    session: Session,
    batch: Batch,
    door: Door,
    *,
    expect_duplicates: bool = False,
    prepared: Callable[[], None] = lambda: None,
) -> Outcome:
    """Write a batch in the connection's open transaction, once however often it is called.

    ``prepared`` is called when little is left to do but to wait for the database.
    """
    done = deliveries.begin(connection, session.client_id, batch.id)
    if done is not None:
        return Outcome(done)
    fresh = _not_yet_committed(connection, session, batch)
    outcome = take_in(
        connection,
        fresh,
        door,
        batch.arrived_at,
        expect_duplicates=expect_duplicates,
        prepared=prepared,
    )
    redelivered = len(batch.heard) - len(fresh)
    deliveries.remember(
        connection,
        session.client_id,
        batch.id,
        [s for s in map(_signature, fresh) if s is not None],
        outcome.tally,
        redelivered=redelivered,
        keep=session.inflight,
        at=batch.arrived_at,
    )
    return replace(outcome, redelivered=redelivered)


def take_in(
    connection: Connection,
    heard: Sequence[Heard],
    door: Door,
    at: datetime,
    *,
    expect_duplicates: bool = False,
    prepared: Callable[[], None] = lambda: None,
) -> Outcome:
    """Judge and store what messages say, in the connection's open transaction.

    ``at`` is when they arrived, or when they are taken in again. Idempotent in its readings, which
    are known by (device, time); dead letters and strangers are counted at every call.
    """
    directory = door.directory
    known = directory.resolve(connection, _speaking(heard))
    heard = _as_known_now(connection, heard, door, at)
    sorted_out = sort_out(heard, known, directory)
    refusals = list(sorted_out.refused)
    lots, flagged, leads = [], Counter[str](), []
    for lot, origin, numbers in sorted_out.lots():
        beyond = judge(lot, origin, door.rules)
        refusals += [
            refused(heard[origin.message[row]], numbers[row], why) for row, why in beyond.items()
        ]
        kept = lot[np.setdiff1d(np.arange(len(lot)), list(beyond))] if beyond else lot
        flagged.update(_flags(kept))
        leads.append(skews(kept))
        lots.append(kept)
    prepared()
    stored = readings.store_columns(connection, lots, at, expect_duplicates=expect_duplicates)
    dead_letters.add(connection, refusals, at)
    held = sorted_out.held(heard, door.formats)
    if held:
        strangers.quarantine(connection, held, at, door.guess_of)
    if sorted_out.signs:
        liveness.note_signs(connection, sorted_out.signs, at)
    return Outcome(
        Tally(stored.rows, stored.duplicates, len(refusals) + sorted_out.strange),
        refusals,
        stored.conflicts,
        len(held),
        flagged=flagged,
        decoded=_by_format(heard, door.formats),
        skews=np.concatenate(leads) if leads else np.empty(0),
        gateways=sorted_out.gateways,
        requests=list(dict.fromkeys(r for one in heard for r in one.decoded.requests)),
        learnt=any(one.decoded.learnt for one in heard),
    )


def unwritable(heard: Heard, error: Exception) -> Heard:
    """A message that decodes well but that the database will not take: a dead letter as a whole."""
    said = str(error).strip().partition("\n")[0]
    message = heard.message
    decoded = refused_whole(
        message.topic, message.payload, RejectReason.MALFORMED, f"the database refused it: {said}"
    )
    return Heard(message, decoded, heard.context)


# ── what is known by now ──────────────────────────────────────────────────────────────────


def _speaking(heard: Sequence[Heard]) -> set[str]:
    """Whose readings and signs these are."""
    said = (table.uids for one in heard for _, table in tables(one.decoded.readings))
    signs = (sign.device_uid for one in heard for sign in one.decoded.signs)
    return set[str]().union(signs, *said)


def _as_known_now(
    connection: Connection, heard: Sequence[Heard], door: Door, at: datetime
) -> Sequence[Heard]:
    """The messages, those decoded again that read otherwise with what is known by now.

    In the order of arrival: what one teaches holds for those after it.
    """
    directory = door.directory
    needs = {key for one in heard for key in one.decoded.needs}
    stale = any(one.context is not directory.context for one in heard)
    if not (needs or stale or any(one.decoded.learnt for one in heard)):
        return heard
    if needs:
        directory.recall(connection, needs)
    lessons: dict[str, Learnt] = {}
    renewed = []
    for one in heard:
        if one.context is not directory.context:
            one = hear(one.message, door.formats, directory.context)  # noqa: PLW2901
        if one.decoded.learnt:
            lessons.update(one.decoded.learnt)
            directory.learn(one.decoded.learnt)
        renewed.append(one)
    memory.learn(connection, lessons, at)
    return renewed


# ── sorting out ───────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Gathered:
    """Readings of one kind: their devices, and where in the batch each of them stands."""

    readings: Table
    messages: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    devices: list[KnownDevice] = field(default_factory=list)

    def add(self, readings: Table, message: int, numbers: Sequence[int]) -> None:
        """Take readings of one message in."""
        self.readings.extend(readings)
        self.messages += [message] * len(readings)
        self.numbers += numbers

    def keep(self, rows: Sequence[int]) -> None:
        """Drop all but these."""
        self.readings = self.readings.chosen(rows)
        self.messages = [self.messages[row] for row in rows]
        self.numbers = [self.numbers[row] for row in rows]


@dataclass(slots=True)
class SortedOut:
    """What the messages of a batch say, by what is to be done with it.

    ``strangers`` are, by message, the uids that the ledger does not have; ``strange`` counts what
    was said under them.
    """

    heard: Sequence[Heard]
    gathered: dict[DeviceKind, _Gathered] = field(
        default_factory=lambda: {kind: _Gathered(Table.of(kind)) for kind in DeviceKind}
    )
    refused: list[Rejection] = field(default_factory=list)
    strangers: dict[int, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    strange: int = 0
    signs: list[tuple[int, Sign]] = field(default_factory=list)
    gateways: dict[int, str] = field(default_factory=dict)

    def lots(self) -> Iterator[tuple[Columns, Origin, list[int]]]:
        """The readings of known devices by kind, and each one's number within its message."""
        arrived = micros([one.message.received_at for one in self.heard])
        retained = np.array([one.message.retained for one in self.heard], bool)
        said = {kind: found for kind, found in self.gathered.items() if found.numbers}
        for kind, found in said.items():
            message = np.array(found.messages, np.int64)
            lot = columns_of(kind, found.devices, found.readings, arrived[message])
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


def sort_out(
    heard: Sequence[Heard], known: Mapping[str, KnownDevice], directory: Directory
) -> SortedOut:
    """Sort readings, refusals and signs by what the ledger knows of their devices."""
    found = SortedOut(heard)
    for number, one in enumerate(heard):
        for numbers, table in tables(one.decoded.readings):
            found.gathered[table.kind].add(table, number, numbers)
            gateway = one.decoded.gateway
            if gateway is not None:
                for device in map(known.get, dict.fromkeys(table.uids)):
                    if device is not None and directory.carried_by(device.id, gateway):
                        found.gateways[device.id] = gateway
        for rejection in one.decoded.rejections:
            _sort_rejection(found, number, rejection, known)
        for sign in one.decoded.signs:
            device = known.get(sign.device_uid)
            if device is not None:
                found.signs.append((device.id, sign))
    for kind, lot in found.gathered.items():
        _sort_kind(found, kind, lot, known)
    if found.gateways:
        at = max(one.message.received_at for one in heard)
        found.signs += [(id_, Sign("", at, gateway=by)) for id_, by in found.gateways.items()]
    return found


def _sort_kind(
    found: SortedOut, kind: DeviceKind, lot: _Gathered, known: Mapping[str, KnownDevice]
) -> None:
    """Keep the readings whose device the ledger has, and has as of this kind; sort the others."""
    devices = [known.get(uid) for uid in lot.readings.uids]
    lot.devices = [one for one in devices if one is not None and one.kind is kind]
    if len(lot.devices) == len(devices):
        return
    mine = []
    for row, device in enumerate(devices):
        number, uid = lot.messages[row], lot.readings.uids[row]
        if device is None:
            found.strangers[number][uid] = None
            found.strange += 1
        elif device.kind is not kind:
            detail = f"the ledger says {device.kind}, the message says {kind}"
            why = Refusal(RejectReason.WRONG_KIND, detail)
            found.refused.append(refused(found.heard[number], lot.numbers[row], why))
        else:
            mine.append(row)
    lot.keep(mine)


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


# ── counting ────────────────────────────────────────────────────────────────────────────


def _flags(lot: Columns) -> dict[str, int]:
    """How many readings carry each quality flag."""
    counted = ((flag.name or "", int((lot.quality & int(flag) != 0).sum())) for flag in Quality)
    return {name: count for name, count in counted if count}


def _by_format(heard: Iterable[Heard], formats: Registry) -> Counter[str]:
    counted: Counter[str] = Counter()
    for one in heard:
        if one.decoded.readings:
            chosen = formats.find(one.message.topic)
            counted[chosen.name if chosen else ""] += len(one.decoded.readings)
    return counted


# ── delivered before ──────────────────────────────────────────────────────────────────────


def _not_yet_committed(connection: Connection, session: Session, batch: Batch) -> Sequence[Heard]:
    delivered = [one.message.delivery for one in batch.heard if one.message.delivery]
    if any(delivery.opens_session for delivery in delivered):
        deliveries.forget(connection, session.client_id)
    if not any(delivery.dup for delivery in delivered):
        return batch.heard
    committed = deliveries.committed(connection, session.client_id)
    known = {id(one) for one in delivered if one.dup and (one.mid, one.digest) in committed}
    return [one for one in batch.heard if id(one.message.delivery) not in known]


def _signature(heard: Heard) -> Signature | None:
    delivery = heard.message.delivery
    return None if delivery is None else (delivery.mid, delivery.digest)
