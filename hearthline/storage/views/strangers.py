"""Strangers as people look at them, and where they may hang."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from hearthline.errors import NotFound
from hearthline.storage.database import Connection, Row
from hearthline.storage.dead_letters import printable
from hearthline.storage.queries import family
from hearthline.storage.strangers import NAME_CHARS, Kept, kept_of, unknown

SUGGESTED = 3
MATCH = 0.6  # how alike a code must be to be suggested


@dataclass(frozen=True, slots=True)
class Filter:
    """Which strangers are wanted; None means any. ``text`` is part of a name, topic or gateway."""

    dismissed: bool | None = False
    kind: str | None = None
    format: str | None = None
    text: str | None = None


def listed(
    connection: Connection,
    wanted: Filter = Filter(),
    *,
    after: tuple[datetime, str] | None = None,
    limit: int = 100,
) -> list[Row]:
    """Strangers, heard last first; ``after`` is (last_at, uid) of the last one seen."""
    at, uid = after or (None, None)
    values = {
        "dismissed": wanted.dismissed,
        "kind": wanted.kind,
        "format": wanted.format,
        "like": f"%{escaped(wanted.text)}%" if wanted.text else None,
        "after": at,
        "after_uid": uid,
        "limit": limit,
    }
    return connection.execute(family("strangers")["list"], values).fetchall()


def one(connection: Connection, uid: str) -> Row:
    """A stranger, with how many of its messages are ``kept``.

    Raises:
        NotFound: there is none of that name; the remedy names those that look like it.
    """
    row = None
    if printable(uid, NAME_CHARS) == uid:
        row = connection.execute(family("strangers")["one"], {"uid": uid}).fetchone()
    if row is None:
        near = _alike(connection, uid)
        error = unknown(uid)
        raise NotFound(error.sentence, f"Did you mean {', '.join(near)}?") if near else error
    return row


def _alike(connection: Connection, uid: str) -> list[str]:
    tail = printable(uid, NAME_CHARS).rsplit(":", 1)[-1]
    values = {"like": f"%{escaped(tail)}%", "limit": SUGGESTED}
    rows = connection.execute(family("strangers")["uids_like"], values).fetchall()
    return [row["uid"] for row in rows]


def counts(connection: Connection) -> Row:
    """Strangers ``waiting`` and ``dismissed``; messages heard and ``dropped`` of all of them."""
    return connection.execute(family("strangers")["counts"]).fetchall()[0]


def messages(connection: Connection, uid: str, limit: int = 10) -> list[Kept]:
    """The newest messages that are kept of a stranger."""
    rows = connection.execute(family("strangers")["messages"], {"uid": uid, "limit": limit})
    return [kept_of(row) for row in rows]


def bound(connection: Connection, uid: str) -> bool:
    """Whether the ledger has the device and says where it hangs."""
    return bool(
        connection.execute(family("strangers")["bound"], {"uid": uid}).fetchall()[0]["bound"]
    )


def pace_s(connection: Connection, uid: str) -> float | None:
    """Its usual interval in seconds, as far as three or more messages tell."""
    row = connection.execute(family("strangers")["pace"], {"uid": uid}).fetchall()[0]
    return float(row["gap_s"]) if row["gaps"] >= 2 else None


def places_like(connection: Connection, text: str, limit: int = 12) -> list[Row]:
    """Places whose code or name contains what was typed: code, kind, path, names."""
    typed = escaped(printable(text.strip(), NAME_CHARS))
    if not typed:
        return []
    values = {"like": f"%{typed}%", "begins": f"{typed}%", "limit": limit}
    return connection.execute(family("strangers")["places_like"], values).fetchall()


def codes_near(connection: Connection, code: str) -> list[str]:
    """Codes of places that somebody who typed ``code`` may have meant."""
    typed = printable(code.strip(), NAME_CHARS)
    for length in range(len(typed), 0, -1):
        values = {"begins": f"{escaped(typed[:length])}%", "limit": 2000}
        rows = connection.execute(family("strangers")["codes_beginning"], values).fetchall()
        if len(rows) > 1 or (rows and length < len(typed)):
            near = get_close_matches(typed, [row["code"] for row in rows], SUGGESTED, MATCH)
            if near:
                return near
    return [row["code"] for row in places_like(connection, typed, SUGGESTED)]


def escaped(text: str) -> str:
    """Text for LIKE that means just itself."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
