"""One batch in one transaction: rows, latest values, marks, dead letters, and what was delivered.

Everything or nothing, and known for one when it comes again. Runs inside the transaction that
the caller opened; knows nothing of retries, threads or MQTT. ``write`` is for messages of a
session, which count exactly once; ``take_in`` is its heart, and all that a replay needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid4

import numpy as np

from hearthline.domain.readings import Quality, Rejection, RejectReason
from hearthline.storage import dead_letters, deliveries, liveness, memory, readings, strangers
from hearthline.storage.columns import Columns, Floats
from hearthline.storage.database import Connection
from hearthline.storage.deliveries import Signature, Tally
from ingest.acceptance import judge, skews
from ingest.door import Door
from ingest.formats import Format, Registry
from ingest.formats.model import Learnt, Request, refused_whole
from ingest.intake import Heard, hear, refused
from ingest.sorting import sort_out, speaking


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
    known = directory.resolve(connection, speaking(heard))
    heard = _as_known_now(connection, heard, door, at)
    sorted_out = sort_out(heard, known, directory)
    refusals = list(sorted_out.refused)
    lots, flagged, leads = [], Counter[str](), []
    for lot, origin, numbers in sorted_out.lots():
        beyond = judge(lot, origin, door.rules)
        refusals += [
            refused(heard[origin.message[row]], int(numbers[row]), why)
            for row, why in beyond.items()
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


# ── counting ────────────────────────────────────────────────────────────────────────────


def _flags(lot: Columns) -> dict[str, int]:
    """How many readings carry each quality flag."""
    counted = ((flag.name or "", int((lot.quality & int(flag) != 0).sum())) for flag in Quality)
    return {name: count for name, count in counted if count}


def _by_format(heard: Iterable[Heard], formats: Registry) -> dict[str, int]:
    counted: dict[Format | None, int] = {}
    find = formats.find
    for one in heard:
        if said := len(one.decoded.readings):
            chosen = find(one.message.topic)
            counted[chosen] = counted.get(chosen, 0) + said
    return {"" if one is None else one.name: said for one, said in counted.items()}


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
