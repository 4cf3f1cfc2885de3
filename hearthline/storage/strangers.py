"""Devices that no ledger has: who they are, and what they said, kept whole until adopted.

An ingest that hears a shared broker meets thousands of them, so keeping one message costs a few
microseconds and what is kept is bounded five ways (see ``Bounds``). Beyond the bounds messages are
only counted, the oldest leave first. The hot path only bounds roughly, ``purge`` to the letter.

What a stranger is can only be guessed; who calls ``quarantine`` brings the guess along, since
decoding is not this room's business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from hearthline.errors import NotFound
from hearthline.storage.database import Connection, Row
from hearthline.storage.dead_letters import printable
from hearthline.storage.queries import family

NAME_CHARS = 512  # of a uid or label; an index entry has to hold it
TOPIC_CHARS = 1024
GUESS_WITHIN = 50  # messages after which a stranger that says nothing we store is not guessed again
LOCK = 7_206_620


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of strangers is kept."""

    strangers: int = 20_000
    each: int = 2_000  # messages of one stranger
    each_bytes: int = 2_000_000
    all: int = 200_000  # messages of all of them
    all_bytes: int = 512_000_000
    age: timedelta = timedelta(days=30)
    message_bytes: int = 256 * 1024  # a message beyond this is only counted
    purge_every: int = 10_000  # messages kept; then the batch that keeps them also purges


BOUNDS = Bounds()


class Held(NamedTuple):
    """A message to be kept, and the uids in it that the ledger does not have."""

    uids: tuple[str, ...]
    topic: str
    payload: bytes
    received_at: datetime
    retained: bool
    format: str


class Guess(NamedTuple):
    """What a stranger seems to be; ``body`` is JSON for people: confidence, reasons, a sample."""

    kind: str | None
    role: str | None
    label: str | None = None
    gateway: str | None = None
    body: Mapping[str, Any] = {}


GuessOf = Callable[[str, Held], Guess | None]
"""Guess what a uid is from a message; None where the message says nothing about it."""


class Kept(NamedTuple):
    """A message from quarantine."""

    id: int
    topic: str
    payload: bytes
    received_at: datetime
    retained: bool


@dataclass(slots=True)
class _Seen:
    """What one batch says about one stranger."""

    format: str
    topic: str
    first_at: datetime
    last_at: datetime
    messages: int = 0
    example: Held | None = None


@dataclass(slots=True)
class _Keeping:
    """The messages of a batch that are kept, as columns, and what was too much."""

    held: list[Held] = field(default_factory=list)
    uids: list[str] = field(default_factory=list)
    nths: list[int] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)


def quarantine(
    connection: Connection,
    held: Sequence[Held],
    at: datetime,
    guess_of: GuessOf | None = None,
    *,
    bounds: Bounds = BOUNDS,
) -> int:
    """Keep messages of strangers in the connection's open transaction.

    ``at`` is when the batch arrived. ``guess_of`` is asked only for strangers that are new or said
    nothing yet. Returns for how many pairs of message and stranger the message was not kept: too
    large, too many already, or an engineer has dismissed the stranger.
    """
    named = [(one, [printable(uid, NAME_CHARS) for uid in dict.fromkeys(one.uids)]) for one in held]
    seen = _seen(named)
    if not seen:
        return 0
    rows = {row["uid"]: row for row in _meet(connection, seen)}
    keeping = _choose(named, seen, rows, bounds)
    if keeping.held:
        _keep(connection, keeping, at, bounds)
    if keeping.dropped:
        connection.execute(
            family("strangers")["drop"],
            {"uids": list(keeping.dropped), "messages": list(keeping.dropped.values())},
        )
    if guess_of is not None:
        _describe(connection, seen, rows, guess_of)
    return keeping.dropped.total()


def _seen(named: Sequence[tuple[Held, list[str]]]) -> dict[str, _Seen]:
    seen: dict[str, _Seen] = {}
    for one, uids in named:
        at = one.received_at
        for uid in uids:
            known = seen.get(uid)
            if known is None:
                known = seen[uid] = _Seen(one.format, one.topic, at, at)
            elif at < known.first_at:
                known.first_at = at
            if at >= known.last_at:
                known.last_at, known.topic, known.format = at, one.topic, one.format
                known.example = one
            known.messages += 1
    return seen


def _meet(connection: Connection, seen: Mapping[str, _Seen]) -> list[Row]:
    return connection.execute(
        family("strangers")["meet"],
        {
            "uids": list(seen),
            "formats": [one.format for one in seen.values()],
            "topics": [printable(one.topic, TOPIC_CHARS) for one in seen.values()],
            "first": [one.first_at for one in seen.values()],
            "last": [one.last_at for one in seen.values()],
            "messages": [one.messages for one in seen.values()],
        },
    ).fetchall()


def _choose(
    named: Sequence[tuple[Held, list[str]]],
    seen: Mapping[str, _Seen],
    rows: Mapping[str, Row],
    bounds: Bounds,
) -> _Keeping:
    """Which messages are kept for whom. Between two purges a stranger may have twice its share."""
    keeping = _Keeping()
    left = {
        uid: 0
        if row["dismissed"]
        else 2 * bounds.each - (row["messages"] - row["dropped"] - seen[uid].messages)
        for uid, row in rows.items()
    }
    for one, uids in named:
        fits = len(one.payload) <= bounds.message_bytes
        takers = [uid for uid in uids if fits and left[uid] > 0]
        if len(takers) < len(uids):
            keeping.dropped.update(set(uids) - set(takers))
        if takers:
            keeping.held.append(one)
        for uid in takers:
            left[uid] -= 1
            keeping.uids.append(uid)
            keeping.nths.append(len(keeping.held))
    return keeping


def _keep(connection: Connection, keeping: _Keeping, at: datetime, bounds: Bounds) -> None:
    row = connection.execute(
        family("strangers")["keep"],
        {
            "topics": [printable(one.topic, TOPIC_CHARS) for one in keeping.held],
            "payloads": [one.payload for one in keeping.held],
            "received": [one.received_at for one in keeping.held],
            "retained": [one.retained for one in keeping.held],
            "uids": keeping.uids,
            "nths": keeping.nths,
        },
    ).fetchone()
    if row and row["last"] // bounds.purge_every != (row["first"] - 1) // bounds.purge_every:
        purge(connection, at, bounds=bounds)


def _describe(
    connection: Connection,
    seen: Mapping[str, _Seen],
    rows: Mapping[str, Row],
    guess_of: GuessOf,
) -> None:
    found: dict[str, Guess] = {}
    for uid, row in rows.items():
        example = seen[uid].example
        if row["unguessed"] and not row["dismissed"] and example is not None:
            fresh = row["messages"] - seen[uid].messages < GUESS_WITHIN
            guess = guess_of(uid, example) if fresh else None
            if guess is not None:
                found[uid] = guess
    if found:
        describe(connection, found)


def describe(connection: Connection, guesses: Mapping[str, Guess]) -> None:
    """Write down what strangers seem to be."""
    rows = list(guesses.values())
    connection.execute(
        family("strangers")["describe"],
        {
            "uids": list(guesses),
            "kinds": [one.kind for one in rows],
            "roles": [one.role for one in rows],
            "labels": [_short(one.label) for one in rows],
            "gateways": [_short(one.gateway) for one in rows],
            "guesses": [_json(one.body) for one in rows],
        },
    )


def _short(text: str | None) -> str | None:
    return None if text is None else printable(text, NAME_CHARS)


def _json(body: Mapping[str, Any]) -> str:
    """JSON that PostgreSQL takes: no NUL, no lone surrogate."""
    return msgspec.json.encode(_clean(body)).decode()


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value, TOPIC_CHARS)
    if isinstance(value, Mapping):
        return {printable(str(name), NAME_CHARS): _clean(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value]
    return value


# ── bounds ──
def purge(connection: Connection, now: datetime, *, bounds: Bounds = BOUNDS) -> int:
    """Bring what is kept within its bounds, in the connection's open transaction.

    Does nothing while another process purges or replays. Returns how many messages went.
    """
    sql = family("strangers")
    taken = connection.execute(sql["try_lock"], {"key": LOCK}).fetchone()
    if not taken or not taken["taken"]:
        return 0
    values = {
        "oldest": now - bounds.age,
        "strangers": bounds.strangers,
        "each": bounds.each,
        "each_bytes": bounds.each_bytes,
        "all": bounds.all,
        "all_bytes": bounds.all_bytes,
    }
    gone = 0
    if connection.execute(sql["forget"], values).rowcount:
        gone += connection.execute(sql["orphans"]).rowcount
    total = held_total(connection)
    if total["messages"] > bounds.each or total["bytes"] > bounds.each_bytes:
        gone += connection.execute(sql["trim_each"], values).rowcount
        total = held_total(connection)
    if (
        total["messages"] > bounds.all
        or total["bytes"] > bounds.all_bytes
        or (total["oldest_at"] is not None and total["oldest_at"] < now - bounds.age)
    ):
        gone += connection.execute(sql["trim_all"], values).rowcount
    return gone


def held_total(connection: Connection) -> Row:
    """``messages`` and ``bytes`` in quarantine, and when the oldest arrived."""
    return connection.execute(family("strangers")["held_total"]).fetchall()[0]


# ── what people decide ──
def dismiss(connection: Connection, uid: str, at: datetime) -> None:
    """Keep nothing more of a stranger and forget what was kept; it is still counted.

    Raises:
        NotFound: there is none of that name.
    """
    _change(connection, "dismiss", {"uid": uid, "at": at})


def welcome(connection: Connection, uid: str) -> None:
    """Undo a dismissal: messages are kept from now on.

    Raises:
        NotFound: there is none of that name.
    """
    _change(connection, "welcome", {"uid": uid})


def _change(connection: Connection, statement: str, values: dict[str, Any]) -> None:
    """Change one stranger."""
    known = printable(values["uid"], NAME_CHARS) == values["uid"]
    if not known or not connection.execute(family("strangers")[statement], values).rowcount:
        raise unknown(values["uid"])


def unknown(uid: str) -> NotFound:
    """There is no stranger of that name."""
    return NotFound(f"No stranger is called {uid!r}.", "See `hearthline strangers list`.")


# ── replaying ──
def begin_replay(connection: Connection) -> None:
    """Keep purges away until the transaction ends."""
    connection.execute(family("strangers")["share_lock"], {"key": LOCK})


def take(
    connection: Connection, uid: str, limit: int, after: tuple[datetime, int] | None = None
) -> list[Kept]:
    """The oldest messages of a stranger, locked; ``after`` is (received_at, id) of the last."""
    at, last = after or (None, None)
    values = {"uid": uid, "after": at, "after_id": last, "limit": limit}
    rows = connection.execute(family("strangers")["take"], values)
    return [kept_of(row) for row in rows]


def release(connection: Connection, uid: str, ids: Sequence[int]) -> None:
    """Let messages of a stranger go; those that concern others stay for them."""
    connection.execute(family("strangers")["release"], {"uid": uid, "ids": list(ids)})


def leave(connection: Connection, uid: str) -> None:
    """Forget a stranger of whom nothing is kept any more."""
    connection.execute(family("strangers")["leave"], {"uid": uid})


def known(connection: Connection, limit: int) -> list[str]:
    """Strangers that the ledger has by now, in any order."""
    rows = connection.execute(family("strangers")["known"], {"limit": limit}).fetchall()
    return [row["uid"] for row in rows]


def kept_of(row: Row) -> Kept:
    """A row of quarantine."""
    return Kept(row["id"], row["topic"], bytes(row["payload"]), row["received_at"], row["retained"])
