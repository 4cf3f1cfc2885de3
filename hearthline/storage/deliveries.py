"""What an ingest session has already committed, so that every message counts exactly once.

Two things can bring a committed message back: the process died between commit and acknowledgement,
and the broker sends it again; or the connection died during COMMIT, and nobody knows whether it
took place. Readings are protected by their key (device, time), but a dead letter's count, a
duplicate's count and a reading dated by its arrival are not. So each batch leaves its id and the
packet identifiers with a checksum of its messages, in the same transaction. A broker resends
under the same packet identifier (MQTT 5, 4.4.0-1) and at most ReceiveMaximum messages, hence a
short memory is enough.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hearthline.storage.database import Connection, Row
from hearthline.storage.queries import family

_ENTRY = struct.Struct(">HI")

Signature = tuple[int, int]
"""Packet identifier and CRC-32 of topic and payload."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the readings of a batch: rows, duplicates, dead letters."""

    stored: int = 0
    duplicates: int = 0
    refused: int = 0


def open_session(connection: Connection, client_id: str, at: datetime) -> None:
    """Make sure that the session has its row."""
    connection.execute(family("deliveries")["open_session"], {"client_id": client_id, "at": at})


def begin(connection: Connection, client_id: str, batch: UUID) -> Tally | None:
    """Start a batch: alone in its session from here to the end of the transaction.

    Returns what the batch came to where an earlier attempt did commit after all.
    """
    sql, values = family("deliveries"), {"client_id": client_id, "batch": batch}
    with connection.pipeline():  # in this order, and one wait for both
        connection.execute(sql["lock_session"], values)
        row = connection.execute(sql["outcome"], values).fetchone()
    return Tally(**row) if row else None


def forget(connection: Connection, client_id: str) -> None:
    """The broker lost the session: packet identifiers begin anew and old ones mean nothing."""
    connection.execute(family("deliveries")["forget"], {"client_id": client_id})


def committed(connection: Connection, client_id: str) -> set[Signature]:
    """The messages that the session committed last."""
    rows = connection.execute(family("deliveries")["recent"], {"client_id": client_id})
    return {(mid, crc) for row in rows for mid, crc in _ENTRY.iter_unpack(row["deliveries"])}


def remember(
    connection: Connection,
    client_id: str,
    batch: UUID,
    messages: Iterable[Signature],
    tally: Tally,
    *,
    redelivered: int,
    keep: int,
    at: datetime,
) -> None:
    """Finish a batch: add to the tally, note its messages, forget all but the last ``keep``."""
    packed = b"".join(_ENTRY.pack(mid, crc) for mid, crc in messages)
    connection.execute(
        family("deliveries")["remember"],
        {
            "client_id": client_id,
            "batch": batch,
            "messages": len(packed) // _ENTRY.size,
            "deliveries": packed,
            "stored": tally.stored,
            "duplicates": tally.duplicates,
            "refused": tally.refused,
            "redelivered": redelivered,
            "keep": keep,
            "at": at,
        },
    )


def tally(connection: Connection, client_id: str) -> Row | None:
    """All that a session ever committed: messages, stored, duplicates, refused, redelivered."""
    return connection.execute(family("deliveries")["tally"], {"client_id": client_id}).fetchone()
