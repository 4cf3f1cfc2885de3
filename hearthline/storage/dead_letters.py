"""Refused messages, kept with their reason until an engineer has looked.

One row per (topic, reason, payload), with a count; of a large payload the first 4 KiB are kept,
the key is the hash of all of it. Whether a message came again because of a reconnect is settled
before (``storage.deliveries``), so every call here is a message that was published.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from hearthline.domain.readings import Rejection
from hearthline.storage.database import Connection, Row
from hearthline.storage.queries import family

PAYLOAD_BYTES = 4096
TOPIC_CHARS = 1024
DETAIL_CHARS = 500
KEEP_ROWS = 100_000
KEEP_FOR = timedelta(days=90)


def key(rejection: Rejection) -> bytes:
    """What makes two refusals the same: topic, reason and the whole payload of the item."""
    said = sha256(rejection.topic.encode("utf-8", "surrogatepass"))
    said.update(b"\0" + rejection.reason.encode() + b"\0")
    said.update(rejection.payload)
    return said.digest()


def add(connection: Connection, rejections: Sequence[Rejection], at: datetime) -> None:
    """Keep refusals, counting those that are known, in the connection's open transaction."""
    if not rejections:
        return
    keys = [key(rejection) for rejection in rejections]
    counts = Counter(keys)
    kept = dict(zip(keys, rejections, strict=True))
    connection.execute(
        family("dead_letters")["add"],
        {
            "at": at,
            "keys": list(kept),
            "counts": [counts[k] for k in kept],
            "topics": [printable(one.topic, TOPIC_CHARS) for one in kept.values()],
            "payloads": [one.payload[:PAYLOAD_BYTES] for one in kept.values()],
            "reasons": [one.reason.value for one in kept.values()],
            "details": [printable(one.detail, DETAIL_CHARS) for one in kept.values()],
            "device_uids": [
                None if one.device_uid is None else printable(one.device_uid, TOPIC_CHARS)
                for one in kept.values()
            ],
        },
    )


def printable(text: str, limit: int) -> str:
    """Text that PostgreSQL takes: no NUL, no lone surrogate, at most ``limit`` characters."""
    return text[:limit].replace("\0", "�").encode("utf-8", "replace").decode("utf-8")


def counts(connection: Connection) -> list[Row]:
    """Per reason: how many refusals, how many different ones are kept, when the last came."""
    return connection.execute(family("dead_letters")["counts"]).fetchall()


def newest(connection: Connection, *, reason: str | None = None, limit: int = 100) -> list[Row]:
    """The refusals seen last, of one reason or of all."""
    query = family("dead_letters")["newest"]
    return connection.execute(query, {"reason": reason, "limit": limit}).fetchall()


def purge(
    connection: Connection,
    now: datetime,
    *,
    keep_for: timedelta = KEEP_FOR,
    keep_rows: int = KEEP_ROWS,
) -> int:
    """Delete what was not seen for ``keep_for`` and what is older than the ``keep_rows`` newest.

    Returns how many went. Those seen at the same instant as the last to be kept stay as well.
    """
    query = family("dead_letters")["purge"]
    return connection.execute(query, {"oldest": now - keep_for, "keep": keep_rows}).rowcount
