"""Refused messages, kept with their reason until an engineer has looked, to be decoded again.

One row per (topic, reason, payload), with a count. ``payload`` is the part at fault, of which the
first 4 KiB are kept (the key is the hash of all of it); where that is not the whole message, the
message is kept beside it, up to 64 KiB, so that it can be decoded again after a fix. A message
many of whose parts are refused for one reason makes one letter for all of them, or a gateway's
array would be stored once for every item. Whether a message came again because of a reconnect is
settled before (``storage.deliveries``), so every call here is a message that was published.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from hearthline.domain.readings import Rejection, RejectReason
from hearthline.errors import NotFound
from hearthline.storage.database import Connection, Row
from hearthline.storage.queries import family

PAYLOAD_BYTES = 4096
MESSAGE_BYTES = 64 * 1024
PARTS = 8  # of one message with one reason; beyond that they share a letter
TOPIC_CHARS = 1024
DETAIL_CHARS = 500
KEEP_ROWS = 100_000
KEEP_BYTES = 256_000_000
KEEP_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters are wanted; None means any. ``since`` is the last time a letter came."""

    reason: str | None = None
    device: str | None = None
    since: datetime | None = None
    ids: tuple[int, ...] | None = None


class Letter(NamedTuple):
    """A letter taken out to be decoded again."""

    id: int
    refusal: Rejection
    key: bytes
    first_at: datetime
    last_at: datetime
    times: int

    @property
    def message(self) -> bytes:
        """The whole message."""
        said = self.refusal.message
        return self.refusal.payload if said is None else said


def key(rejection: Rejection) -> bytes:
    """What makes two refusals the same: topic, reason and the whole payload of the item."""
    said = sha256(rejection.topic.encode("utf-8", "surrogatepass"))
    said.update(b"\0" + rejection.reason.encode() + b"\0")
    said.update(rejection.payload)
    return said.digest()


def gathered(rejections: Sequence[Rejection]) -> list[tuple[Rejection, int]]:
    """The letters that refusals make, each with its count."""
    parts: dict[tuple[str, bytes, RejectReason], list[Rejection]] = defaultdict(list)
    letters: dict[bytes, Rejection] = {}
    counts: Counter[bytes] = Counter()

    def note(rejection: Rejection, count: int = 1) -> None:
        its = key(rejection)
        letters[its] = rejection
        counts[its] += count

    for one in rejections:
        if one.message is None:
            note(one)
        else:
            parts[one.topic, one.message, one.reason].append(one)
    for together in parts.values():
        if len(together) <= PARTS:
            for one in together:
                note(one)
        else:
            note(_together(together), len(together))
    return [(one, counts[its]) for its, one in letters.items()]


def _together(parts: Sequence[Rejection]) -> Rejection:
    """One refusal of a whole message for many of its parts."""
    first = parts[0]
    uids = {part.device_uid for part in parts}
    return replace(
        first,
        payload=first.message or b"",
        message=None,
        detail=f"{len(parts)} parts of it; the first: {first.detail}",
        device_uid=uids.pop() if len(uids) == 1 else None,
    )


def add(connection: Connection, rejections: Sequence[Rejection], at: datetime) -> None:
    """Keep refusals, counting those that are known, in the connection's open transaction."""
    if not rejections:
        return
    letters = gathered(rejections)
    values = _columns([one for one, _count in letters])
    counts = [count for _one, count in letters]
    connection.execute(family("dead_letters")["add"], {**values, "counts": counts, "at": at})


def take_back(connection: Connection, rejections: Sequence[Rejection]) -> None:
    """Undo an ``add`` of these in the same transaction."""
    if not rejections:
        return
    letters = gathered(rejections)
    values = {"keys": [key(one) for one, _count in letters], "counts": [n for _one, n in letters]}
    connection.execute(family("dead_letters")["take_back"], values)


def put_back(
    connection: Connection, letters: Sequence[tuple[Letter, int | None, Rejection]]
) -> None:
    """Keep letters that are refused again: each with the id it shall have, and why it is now.

    An id of None makes a new letter that is as old as the given one.
    """
    if not letters:
        return
    unique = {key(now): (letter, number, now) for letter, number, now in reversed(letters)}
    rows = list(unique.values())
    connection.execute(
        family("dead_letters")["put_back"],
        {
            **_columns([now for _letter, _number, now in rows]),
            "ids": [number for _letter, number, _now in rows],
            "counts": [letter.times for letter, _number, _now in rows],
            "first": [letter.first_at for letter, _number, _now in rows],
            "last": [letter.last_at for letter, _number, _now in rows],
        },
    )


def _columns(rejections: Sequence[Rejection]) -> dict[str, list[Any]]:
    wholes = [one.payload if one.message is None else one.message for one in rejections]
    kept = [len(whole) <= MESSAGE_BYTES for whole in wholes]
    beside = [
        whole if fits and (one.message is not None or len(whole) > PAYLOAD_BYTES) else None
        for one, whole, fits in zip(rejections, wholes, kept, strict=True)
    ]
    return {
        "keys": [key(one) for one in rejections],
        "topics": [printable(one.topic, TOPIC_CHARS) for one in rejections],
        "payloads": [one.payload[:PAYLOAD_BYTES] for one in rejections],
        "messages": beside,
        "wholes": kept,
        "retained": [one.retained for one in rejections],
        "reasons": [one.reason.value for one in rejections],
        "details": [printable(one.detail, DETAIL_CHARS) for one in rejections],
        "device_uids": [
            None if one.device_uid is None else printable(one.device_uid, TOPIC_CHARS)
            for one in rejections
        ],
    }


def printable(text: str, limit: int) -> str:
    """Text that PostgreSQL takes: no NUL, no lone surrogate, at most ``limit`` characters."""
    if text.isascii() and "\0" not in text:
        return text[:limit]
    return text[:limit].replace("\0", "�").encode("utf-8", "replace").decode("utf-8")


def counts(connection: Connection) -> list[Row]:
    """Per reason: how many refusals, how many different ones are kept, when the last came."""
    return connection.execute(family("dead_letters")["counts"]).fetchall()


def groups(connection: Connection) -> list[Row]:
    """Per reason, the most frequent first: ``messages``, ``kinds`` of them, how many of these are
    ``replayable``, when, and the newest letter as a sample."""
    return connection.execute(family("dead_letters")["groups"]).fetchall()


def newest(connection: Connection, *, reason: str | None = None, limit: int = 100) -> list[Row]:
    """The refusals seen last, of one reason or of all."""
    return listed(connection, Filter(reason=reason), limit=limit)


def listed(
    connection: Connection,
    wanted: Filter = Filter(),
    *,
    after: tuple[datetime, int] | None = None,
    limit: int = 100,
) -> list[Row]:
    """Letters, the newest first; ``after`` is (last_at, id) of the last one seen."""
    at, last = after or (None, None)
    values = {**_values(wanted), "after": at, "after_id": last, "limit": limit}
    return connection.execute(family("dead_letters")["listed"], values).fetchall()


def one(connection: Connection, number: int) -> Row:
    """A letter; ``message`` is the whole message where ``payload`` is not.

    Raises:
        NotFound: there is none with that number.
    """
    row = connection.execute(family("dead_letters")["one"], {"id": number}).fetchone()
    if row is None:
        raise NotFound(
            f"There is no dead letter {number}.", "It may have been replayed or deleted; list them."
        )
    return row


def how_many(connection: Connection, wanted: Filter) -> Row:
    """How many ``letters`` a filter finds, and how many of them are ``replayable``."""
    return connection.execute(family("dead_letters")["how_many"], _values(wanted)).fetchall()[0]


# ── decoding again ──
def newest_id(connection: Connection) -> int:
    """The number up to which letters exist now."""
    return int(connection.execute(family("dead_letters")["newest_id"]).fetchall()[0]["id"])


def take(
    connection: Connection, wanted: Filter, *, after: int, upto: int, limit: int
) -> list[Letter]:
    """Take whole letters with ``after < id <= upto`` out of the table, to be decoded again."""
    values = {**_values(wanted), "after": after, "upto": upto, "limit": limit}
    rows = connection.execute(family("dead_letters")["take"], values).fetchall()
    return [_letter(row) for row in rows]


def _letter(row: Row) -> Letter:
    said = Rejection(
        topic=row["topic"],
        payload=bytes(row["payload"]),
        reason=RejectReason(row["reason"]),
        detail=row["detail"],
        device_uid=row["device_uid"],
        message=None if row["message"] is None else bytes(row["message"]),
        retained=row["retained"],
    )
    said = _uncut(said)
    return Letter(row["id"], said, bytes(row["key"]), row["first_at"], row["last_at"], row["count"])


def _uncut(said: Rejection) -> Rejection:
    """A whole message that was cut for show is itself again."""
    cut = said.message is not None and len(said.payload) == PAYLOAD_BYTES
    if cut and said.message is not None and said.message.startswith(said.payload):
        return replace(said, payload=said.message, message=None)
    return said


def clear(connection: Connection, wanted: Filter, before: datetime | None = None) -> int:
    """Delete letters for good; those that last came ``before`` an instant, or all. How many."""
    values = {**_values(wanted), "before": before}
    return connection.execute(family("dead_letters")["clear"], values).rowcount


def _values(wanted: Filter) -> dict[str, Any]:
    return {
        "reason": wanted.reason,
        "device": wanted.device,
        "since": wanted.since,
        "ids": None if wanted.ids is None else list(wanted.ids),
    }


def purge(
    connection: Connection,
    now: datetime,
    *,
    keep_for: timedelta = KEEP_FOR,
    keep_rows: int = KEEP_ROWS,
    keep_bytes: int = KEEP_BYTES,
) -> int:
    """Delete what was not seen for ``keep_for`` and what is older than the newest to be kept.

    Those are ``keep_rows`` letters and at most ``keep_bytes`` of payloads. Returns how many went.
    Letters seen at the same instant as the last row to be kept stay as well.
    """
    sql = family("dead_letters")
    values = {"oldest": now - keep_for, "keep": keep_rows, "bytes": keep_bytes}
    gone = connection.execute(sql["purge"], values).rowcount
    if connection.execute(sql["size"]).fetchall()[0]["bytes"] > keep_bytes:
        gone += connection.execute(sql["purge_bytes"], values).rowcount
    return gone
