"""One batch in one transaction: rows, latest values, marks, dead letters, and what was delivered.

Everything or nothing, and known for one when it comes again. Runs inside the transaction that
the writer opened; knows nothing of retries, threads or MQTT.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from hearthline.domain.readings import Reading, Rejection, RejectReason
from hearthline.storage import dead_letters, deliveries, readings
from hearthline.storage.database import Connection
from hearthline.storage.deliveries import Signature, Tally
from hearthline.storage.readings import KnownDevice, Placed
from ingest.acceptance import Refusal
from ingest.directory import Directory
from ingest.intake import Heard, refused


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
    """What a batch came to. ``refused`` are its dead letters; empty where they were not counted."""

    tally: Tally
    refused: Sequence[Rejection] = ()
    redelivered: int = 0


def write(
    connection: Connection,
    session: Session,
    batch: Batch,
    directory: Directory,
    *,
    expect_duplicates: bool = False,
) -> Outcome:
    """Write a batch in the connection's open transaction, once however often it is called."""
    done = deliveries.begin(connection, session.client_id, batch.id)
    if done is not None:
        return Outcome(done)
    fresh = _not_yet_committed(connection, session, batch)
    placed, rejections = place(fresh, _devices(connection, directory, fresh))
    at = batch.arrived_at
    stored = readings.store(connection, placed, at, expect_duplicates=expect_duplicates)
    dead_letters.add(connection, rejections, at)
    tally = Tally(stored.rows, stored.duplicates, len(rejections))
    redelivered = len(batch.heard) - len(fresh)
    deliveries.remember(
        connection,
        session.client_id,
        batch.id,
        [s for s in map(_signature, fresh) if s is not None],
        tally,
        redelivered=redelivered,
        keep=session.inflight,
        at=at,
    )
    return Outcome(tally, rejections, redelivered)


def quarantined(heard: Heard, error: Exception) -> Heard:
    """A message that decodes well but that the database will not take: a dead letter as a whole."""
    said = str(error).strip().partition("\n")[0]
    refusal = Refusal(RejectReason.MALFORMED, f"the database refused it: {said}")
    uid = heard.readings[0].device_uid if heard.readings else ""
    return Heard(heard.message, rejections=[refused(heard.message, None, refusal, uid)])


def place(
    heard: Sequence[Heard], known: dict[str, KnownDevice]
) -> tuple[list[Placed], list[Rejection]]:
    """Readings with their device, and what decoder, rules or ledger refuse."""
    placed: list[Placed] = []
    rejections: list[Rejection] = []
    for one in heard:
        rejections += one.rejections
        for reading, item in zip(one.readings, one.items, strict=True):
            device = known.get(reading.device_uid)
            if device is not None and device.kind is reading.kind:
                placed.append((device, reading))
            else:
                refusal = _stranger(reading, device)
                rejections.append(refused(one.message, item, refusal, reading.device_uid))
    return placed, rejections


def _stranger(reading: Reading, device: KnownDevice | None) -> Refusal:
    if device is None:
        return Refusal(RejectReason.UNKNOWN_DEVICE, f"the ledger has no {reading.device_uid}")
    detail = f"the ledger says {device.kind}, the message says {reading.kind}"
    return Refusal(RejectReason.WRONG_KIND, detail)


def _devices(
    connection: Connection, directory: Directory, heard: Sequence[Heard]
) -> dict[str, KnownDevice]:
    uids = {reading.device_uid for one in heard for reading in one.readings}
    return directory.resolve(connection, uids)


def _not_yet_committed(connection: Connection, session: Session, batch: Batch) -> Sequence[Heard]:
    delivered = [one.message.delivery for one in batch.heard if one.message.delivery]
    if any(delivery.opens_session for delivery in delivered):
        deliveries.forget(connection, session.client_id)
    if not any(delivery.dup for delivery in delivered):
        return batch.heard
    committed = deliveries.committed(connection, session.client_id)
    return [one for one in batch.heard if not (_is_dup(one) and _signature(one) in committed)]


def _is_dup(heard: Heard) -> bool:
    delivery = heard.message.delivery
    return delivery is not None and delivery.dup


def _signature(heard: Heard) -> Signature | None:
    delivery = heard.message.delivery
    return None if delivery is None else (delivery.mid, delivery.digest)
