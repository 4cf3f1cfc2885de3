"""Take in again what could not be stored when it came: quarantined messages and dead letters.

Everything is decoded with what is known today (the ledger, profiles, what other messages taught)
and dated by when it arrived first. A bite at a time, each in a transaction of its own where the
caller's connection commits by itself: a message leaves its shelf in the transaction that stores
what it says, so a replay that is killed and begun again loses nothing and stores nothing twice.

A message may concern several devices. A replay of one of them takes only that one's part; the
message stays for the others. What is refused becomes a dead letter, or stays one, as old as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from msgspec.structs import replace as replace_struct

from hearthline.domain.readings import Rejection, RejectReason
from hearthline.storage import dead_letters, strangers
from hearthline.storage.database import Connection
from hearthline.storage.dead_letters import Filter, Letter
from hearthline.storage.deliveries import Tally
from hearthline.storage.readings import RefusedByDatabase
from ingest.door import Door
from ingest.formats import Registry
from ingest.formats.model import Decoded
from ingest.formats.values import encoded
from ingest.intake import Heard, Message, hear
from ingest.writing import Outcome, take_in, unwritable

BITE = 500  # messages in one transaction
AT_ONCE = 20_000  # messages in one call that works through what has become known


@dataclass(frozen=True, slots=True)
class Replayed:
    """What replaying came to. ``messages`` were decoded again: their readings are ``stored``, were
    there already (``duplicates``) or are ``refused``; ``waiting`` messages stay in quarantine.
    ``last`` is the number of the last dead letter that was taken."""

    messages: int = 0
    stored: int = 0
    duplicates: int = 0
    refused: int = 0
    waiting: int = 0
    last: int = 0

    def __add__(self, other: Replayed) -> Replayed:
        return Replayed(
            self.messages + other.messages,
            self.stored + other.stored,
            self.duplicates + other.duplicates,
            self.refused + other.refused,
            self.waiting + other.waiting,
            max(self.last, other.last),
        )


Progress = Callable[[Replayed], None]


# ── strangers ───────────────────────────────────────────────────────────────────────────────


def replay_stranger(
    connection: Connection, uid: str, door: Door, *, progress: Progress | None = None
) -> Replayed:
    """Store what a device said before the ledger had it, oldest first.

    Nothing happens while the ledger still does not have it. A message that the database will not
    take is found by halving and becomes a dead letter.
    """
    done = Replayed()
    after: tuple[datetime, int] | None = None
    size = BITE
    while True:
        bite: Sequence[strangers.Kept] = ()
        try:
            with connection.transaction():
                if uid not in door.directory.resolve(connection, [uid]):
                    return done
                strangers.begin_replay(connection)
                bite = strangers.take(connection, uid, size, after)
                if not bite:
                    strangers.leave(connection, uid)
                    return done
                taken = _replay_bite(connection, uid, bite, door)
        except RefusedByDatabase as error:
            if len(bite) > 1:
                size = len(bite) // 2
                continue
            if not bite:
                raise
            taken = _set_aside(connection, uid, bite[0], error, door)
        done += taken
        after = (bite[-1].received_at, bite[-1].id)
        size = min(BITE, 2 * size)
        if progress is not None:
            progress(done)


def _set_aside(
    connection: Connection, uid: str, kept: strangers.Kept, error: Exception, door: Door
) -> Replayed:
    """Make a dead letter of a message that cannot be written."""
    message = Message(kept.topic, kept.payload, kept.received_at, kept.retained)
    heard = unwritable(hear(message, door.formats, door.directory.context), error)
    refusals = [replace(one, device_uid=uid) for one in heard.decoded.rejections]
    with connection.transaction():
        dead_letters.add(connection, refusals, kept.received_at)
        strangers.release(connection, uid, [kept.id])
    return Replayed(1, refused=len(refusals))


def _replay_bite(
    connection: Connection, uid: str, bite: Sequence[strangers.Kept], door: Door
) -> Replayed:
    heard = _hear(
        connection,
        [Message(one.topic, one.payload, one.received_at, one.retained) for one in bite],
        door,
    )
    ready = [not _waits(one.decoded, uid) for one in heard]
    taken = [part_of(one, uid, door.formats) for one, yes in zip(heard, ready, strict=True) if yes]
    outcome = _take_in(connection, taken, door)
    strangers.release(
        connection, uid, [one.id for one, yes in zip(bite, ready, strict=True) if yes]
    )
    tally = outcome.tally
    waiting = len(bite) - len(taken)
    return Replayed(len(taken), tally.stored, tally.duplicates, tally.refused, waiting)


def _waits(decoded: Decoded, uid: str) -> bool:
    """Whether the device's part still cannot be read for want of an alias."""
    return any(
        one.reason is RejectReason.UNKNOWN_ALIAS and one.device_uid == uid
        for one in decoded.rejections
    )


def part_of(heard: Heard, uid: str, formats: Registry) -> Heard:
    """What a message says of one device, and nothing that became a dead letter on arrival."""
    decoded, message = heard.decoded, heard.message
    rows = [n for n, one in enumerate(decoded.readings) if one.device_uid == uid]
    signs = tuple(one for one in decoded.signs if one.device_uid == uid)
    rejections = tuple(one for one in decoded.rejections if one.device_uid in {uid, None})
    new = rejections
    if rejections and rows:
        plain = replace(heard.context, profiles={})
        before = set(hear(message, formats, plain).decoded.rejections)
        new = tuple(one for one in rejections if one not in before)
    if not rows and not signs and not new:
        detail = f"read as the ledger says, it says nothing of {uid}"
        new = (Rejection(message.topic, message.payload, RejectReason.NO_QUANTITY, detail, uid),)
    return _narrowed(heard, rows, new, signs)


def _narrowed(
    heard: Heard, rows: Sequence[int], rejections: tuple[Rejection, ...], signs: Any
) -> Heard:
    """A message with some of its readings, that teaches and asks nothing."""
    decoded, payload = heard.decoded, heard.message.payload
    items: tuple[Any, ...] = ()
    if decoded.items or decoded.array:
        items = tuple(decoded.item(n, payload) for n in rows)
    narrow = replace_struct(
        decoded,
        readings=tuple(decoded.readings[n] for n in rows),
        items=items,
        array=False,
        rejections=rejections,
        signs=signs,
        needs=(),
        learnt={},
        requests=(),
    )
    return Heard(heard.message, narrow, heard.context)


def replay_known(connection: Connection, door: Door, *, limit: int = AT_ONCE) -> Replayed:
    """Replay strangers that the ledger has by now, however it learnt of them.

    About ``limit`` messages a call; fast where there is nothing to do. Call it again later for
    the rest, and for messages that wait for an alias.
    """
    done = Replayed()
    for uid in strangers.known(connection, limit):
        done += replay_stranger(connection, uid, door)
        if done.messages + done.waiting >= limit:
            break
    return done


# ── dead letters ────────────────────────────────────────────────────────────────────────────


def replay_dead_letters(
    connection: Connection,
    wanted: Filter,
    door: Door,
    *,
    after: int = 0,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Replayed:
    """Decode refused messages again; what can be stored leaves, the rest has today's reason.

    ``limit`` is the most letters to take, ``after`` the number of the last one that was taken by a
    call before. A letter that stands for many equal messages is taken in
    twice, as of its first and its last arrival; of those between nobody knows when they came.
    """
    done = Replayed()
    upto = dead_letters.newest_id(connection)
    left = limit
    size = BITE
    while left is None or left > 0:
        bite: Sequence[Letter] = ()
        try:
            with connection.transaction():
                most = size if left is None else min(size, left)
                bite = dead_letters.take(connection, wanted, after=after, upto=upto, limit=most)
                if not bite:
                    break
                taken = _replay_letters(connection, bite, door)
        except RefusedByDatabase:
            if len(bite) > 1:
                size = len(bite) // 2
                continue
            if not bite:
                raise
            taken = Replayed(1, refused=1, last=bite[0].id)  # it stays as it was
        done += taken
        after = bite[-1].id
        size = min(BITE, 2 * size)
        left = None if left is None else left - len(bite)
        if progress is not None:
            progress(done)
    return done


def _replay_letters(connection: Connection, letters: Sequence[Letter], door: Door) -> Replayed:
    moments = [
        (letter, at)
        for letter in letters
        for at in dict.fromkeys((letter.first_at, letter.last_at))
    ]
    heard = _hear(
        connection,
        [
            Message(letter.refusal.topic, letter.message, at, letter.refusal.retained)
            for letter, at in moments
        ],
        door,
        (letter.refusal.device_uid for letter in letters),
    )
    narrow = [its_part(letter, one) for (letter, _at), one in zip(moments, heard, strict=True)]
    outcome = _take_in(connection, narrow, door)
    dead_letters.take_back(connection, outcome.refused)
    still = owed(letters, outcome.refused)
    dead_letters.put_back(connection, still)
    refused = len({letter.id for letter, _number, _now in still})
    stored, duplicates = outcome.tally.stored, outcome.tally.duplicates
    return Replayed(len(letters), stored, duplicates, refused, last=letters[-1].id)


def its_part(letter: Letter, heard: Heard) -> Heard:
    """Of a message that is decoded again, what the letter is about.

    All of it where the letter is the whole message, or where its part is not found any more.
    """
    if letter.refusal.message is None:
        return heard
    decoded, payload = heard.decoded, heard.message.payload
    rows = [
        n
        for n in range(len(decoded.readings))
        if is_about(letter, encoded(decoded.item(n, payload)))
    ]
    rejections = tuple(one for one in decoded.rejections if is_about(letter, one.payload))
    if not rows and not rejections:
        return heard
    return _narrowed(heard, rows, rejections, ())


def is_about(letter: Letter, part: bytes) -> bool:
    """Whether a letter was written for just this part of its message."""
    return dead_letters.key(replace(letter.refusal, payload=part)) == letter.key


def owed(
    letters: Sequence[Letter], refused: Sequence[Rejection]
) -> list[tuple[Letter, int | None, Rejection]]:
    """Refusals with the letter that each renews, and the letter's number for the first of them."""
    found: list[tuple[Letter, int | None, Rejection]] = []
    named: set[int] = set()
    for rejection, _count in dead_letters.gathered(refused):
        whole = rejection.payload if rejection.message is None else rejection.message
        for letter in letters:
            mine = letter.refusal.topic == rejection.topic and letter.message == whole
            part = letter.refusal.message is not None
            if mine and (not part or is_about(letter, rejection.payload)):
                uid = rejection.device_uid or letter.refusal.device_uid
                number = None if letter.id in named else letter.id
                found.append((letter, number, replace(rejection, device_uid=uid)))
                named.add(letter.id)
                break
    return found


# ── both ────────────────────────────────────────────────────────────────────────────────────


def _hear(
    connection: Connection,
    messages: Sequence[Message],
    door: Door,
    uids: Iterable[str | None] = (),
) -> list[Heard]:
    """Decode messages with all that is known of their devices, once and for all."""
    directory = door.directory
    directory.resolve(connection, [uid for uid in uids if uid])
    heard = [hear(one, door.formats, directory.context) for one in messages]
    speakers = {one.device_uid for it in heard for one in (*it.decoded.readings, *it.decoded.signs)}
    speakers |= {one.device_uid for it in heard for one in it.decoded.rejections if one.device_uid}
    directory.resolve(connection, speakers)
    needs = {key for one in heard for key in one.decoded.needs}
    if needs:
        directory.recall(connection, needs)
    return [
        one
        if one.context is directory.context
        else hear(one.message, door.formats, directory.context)
        for one in heard
    ]


def _take_in(connection: Connection, heard: Sequence[Heard], door: Door) -> Outcome:
    """Store as of when the last of the messages arrived."""
    if not heard:
        return Outcome(Tally(0, 0, 0))
    at = max(one.message.received_at for one in heard)
    return take_in(connection, heard, door, at, expect_duplicates=True)
