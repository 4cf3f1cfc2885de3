"""One batch in one transaction: rows, latest values, marks, dead letters, and what was delivered.

Everything or nothing, and known for one when it comes again. Runs inside the transaction that
the caller opened; knows nothing of retries, threads or MQTT. ``write`` is for messages of a
session, which count exactly once; ``take_in`` is its heart, and all that a replay needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from hearthline.domain.readings import Rejection, RejectReason, Sign
from hearthline.storage import dead_letters, deliveries, liveness, memory, readings, strangers
from hearthline.storage.columns import Floats
from hearthline.storage.database import Connection
from hearthline.storage.deliveries import Signature, Tally
from ingest.door import Door
from ingest.formats.model import Learnt, Request, refused_whole
from ingest.intake import Heard, hear
from ingest.preparing import Batch, Prepared, prepare
from ingest.sorting import speaking


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
) -> Outcome:
    """Write a batch in the connection's open transaction, once however often it is called."""
    done = deliveries.begin(connection, session.client_id, batch.id)
    if done is not None:
        return Outcome(done)
    fresh = _not_yet_committed(connection, session, batch)
    outcome = take_in(
        connection,
        fresh,
        door,
        batch.arrived_at,
        prepared=batch.prepared if fresh is batch.heard else None,
        expect_duplicates=expect_duplicates,
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
    prepared: Prepared | None = None,
    expect_duplicates: bool = False,
) -> Outcome:
    """Judge and store what messages say, in the connection's open transaction.

    ``at`` is when they arrived, or when they are taken in again; ``prepared`` is what was made of
    them ahead. Idempotent in its readings, which are known by (device, time); dead letters and
    strangers are counted at every call.
    """
    directory = door.directory
    if prepared is None or not prepared.stands(directory):
        known = directory.resolve(connection, speaking(heard))
        prepared = prepare(_as_known_now(connection, heard, door, at), known, door)
    heard, sorted_out, refusals = prepared.heard, prepared.sorted_out, prepared.refusals
    stored = readings.store_arranged(
        connection, prepared.lots, at, expect_duplicates=expect_duplicates
    )
    dead_letters.add(connection, refusals, at)
    held = sorted_out.held(heard, door.formats)
    if held:
        strangers.quarantine(connection, held, at, door.guess_of)
    gateways = directory.news(sorted_out.carried)
    signs = sorted_out.signs + _signs_of(gateways, heard)
    if signs:
        liveness.note_signs(connection, signs, at)
    return Outcome(
        Tally(stored.rows, stored.duplicates, len(refusals) + sorted_out.strange),
        refusals,
        stored.conflicts,
        len(held),
        flagged=prepared.flagged,
        decoded=prepared.decoded,
        skews=prepared.skews,
        gateways=gateways,
        requests=list(dict.fromkeys(r for one in heard for r in one.decoded.requests)),
        learnt=any(one.decoded.learnt for one in heard),
    )


def _signs_of(gateways: Mapping[int, str], heard: Sequence[Heard]) -> list[tuple[int, Sign]]:
    """Signs of the devices for which a gateway spoke that had not before."""
    if not gateways:
        return []
    at = max(one.message.received_at for one in heard)
    return [(device, Sign("", at, gateway=by)) for device, by in gateways.items()]


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
