"""The chain of verdicts: what makes it evident that a line of the compliance ledger was altered.

Pure. Every dwelling has a chain of its own, so that workers never wait for each other. A *line*
is a verdict as it was sealed, whether it still stands or was superseded. Its hash is SHA-256 over
its content (``content``) and the hash of the line before, so a changed, removed, inserted or
reordered line breaks the chain from there on. A chain that was cut at its end would still be a
chain: its recorded end tells by name, and once a day an *anchor* hashes all that was sealed on a
day together with the anchor before. Whoever rewrites everything, anchors too, is betrayed by any
anchor's hash that was written down elsewhere.

Numbers enter a hash as they are stored (four-byte floats) in the shortest decimal that reads back
to the same bits, so the hash can be recomputed by anybody with the rows alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np

VERSION = "hearthline-unit-day-1"
ANCHOR_VERSION = "hearthline-anchor-1"
START = bytes(32)
"""The hash before the first line of a chain, and before the first anchor."""

Line = Mapping[str, Any]
"""A row of ``unit_day`` or ``unit_day_superseded`` with its dwelling's ``code``."""


class BreakReason(StrEnum):
    """How a chain is broken."""

    CONTENT_CHANGED = "content_changed"  # the line does not say what was sealed
    LINE_MISSING = "line_missing"  # its number is not the next one
    OUT_OF_PLACE = "out_of_place"  # it does not follow the line before it
    END_MISSING = "end_missing"  # the chain ends before its recorded end
    END_UNKNOWN = "end_unknown"  # the chain goes beyond its recorded end, or has none
    ANCHOR_BROKEN = "anchor_broken"  # the anchor itself was changed, or one before it is missing
    DAY_CHANGED = "day_changed"  # what was sealed on a day is not what its anchor says


@dataclass(frozen=True, slots=True)
class Break:
    """One place at which a chain is broken; anchors have no ``code`` and no ``link``."""

    reason: BreakReason
    code: str | None
    day: date | None
    link: int | None


def content(line: Line) -> bytes:
    """What a line says, canonically: a JSON array of texts and nulls in UTF-8."""
    judged_at: datetime = line["judged_at"]
    return msgspec.json.encode(
        [
            VERSION,
            line["code"],
            line["day"].isoformat(),
            number(line["covered_min"]),
            number(line["below_min"]),
            number(line["mean_c"]),
            number(line["min_c"]),
            str(line["verdict"]),
            str(line["reason"]),
            line["policy_code"],
            line["policy_from"].isoformat(),
            judged_at.astimezone(UTC).isoformat(timespec="microseconds"),
            str(line["revision"]),
        ]
    )


def number(value: float | None) -> str | None:
    """A stored four-byte float as the shortest decimal that reads back to the same bits."""
    return None if value is None else str(np.float32(value))


def sealed(line: Line, link: int, prev: bytes) -> bytes:
    """The hash of a line as number ``link`` of its chain, after the line with the hash ``prev``."""
    return hashlib.sha256(prev + link.to_bytes(8, "big") + content(line)).digest()


@dataclass(frozen=True, slots=True)
class End:
    """Where a dwelling's chain ends: the number and hash of its last line."""

    link: int = 0
    hash: bytes = START


def walk(code: str, lines: Iterable[Line], end: End | None) -> Iterator[Break]:
    """Every break in one dwelling's chain, in its order; ``lines`` by their numbers.

    ``end`` is the recorded end, None where none is on record. After a break the walk goes on from
    what is stored, so that one altered line is told once.
    """
    at, hash_ = 0, START
    for line in lines:
        link, prev = int(line["link"]), bytes(line["prev"])
        if link != at + 1:
            yield Break(BreakReason.LINE_MISSING, code, line["day"], at + 1)
        elif prev != hash_:
            yield Break(BreakReason.OUT_OF_PLACE, code, line["day"], link)
        if sealed(line, link, prev) != bytes(line["hash"]):
            yield Break(BreakReason.CONTENT_CHANGED, code, line["day"], link)
        at, hash_ = link, bytes(line["hash"])
    if end is None or end.link < at or (end.link == at and end.hash != hash_):
        yield Break(BreakReason.END_UNKNOWN, code, None, at)
    elif end.link > at:
        yield Break(BreakReason.END_MISSING, code, None, at + 1)


class Digest:
    """One hash over all lines that were sealed on a day, in the order of code and number."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.links = 0

    def add(self, code: str, link: int, hash_: bytes) -> None:
        """Take up the next line."""
        self._hash.update(msgspec.json.encode([code, link]) + hash_)
        self.links += 1

    def done(self) -> bytes:
        """The digest of what was taken up."""
        return self._hash.digest()


@dataclass(frozen=True, slots=True)
class Anchor:
    """All that was sealed on a local day, in one hash over its digest and the anchor before."""

    day: date
    links: int
    digest: bytes
    prev: bytes
    hash: bytes


def anchor(day: date, digest: Digest, prev: bytes) -> Anchor:
    """The anchor of a day after the one with the hash ``prev``."""
    done = digest.done()
    return Anchor(day, digest.links, done, prev, _anchor_hash(day, digest.links, done, prev))


def _anchor_hash(day: date, links: int, digest: bytes, prev: bytes) -> bytes:
    said = msgspec.json.encode([ANCHOR_VERSION, day.isoformat(), links])
    return hashlib.sha256(prev + said + digest).digest()


@dataclass(slots=True)
class Days:
    """The digests of the days at hand, filled line by line."""

    of: dict[date, Digest] = field(default_factory=dict)

    def add(self, line: Line) -> None:
        """Take up a sealed line; lines must come by code and number."""
        digest = self.of.setdefault(line["sealed_on"], Digest())
        digest.add(line["code"], int(line["link"]), bytes(line["hash"]))


def check_anchors(anchors: Iterable[Anchor], days: Days) -> Iterator[Break]:
    """Every anchor that is broken, or that says something else than its day's lines.

    The day after the newest anchor is still open and is not judged.
    """
    prev, last = START, None
    seen = set()
    for one in anchors:
        made = _anchor_hash(one.day, one.links, one.digest, one.prev)
        if one.prev != prev or made != one.hash:
            yield Break(BreakReason.ANCHOR_BROKEN, None, one.day, None)
        digest = days.of.get(one.day, Digest())
        if (digest.links, digest.done()) != (one.links, one.digest):
            yield Break(BreakReason.DAY_CHANGED, None, one.day, None)
        prev, last = one.hash, one.day
        seen.add(one.day)
    for day in sorted(day for day in days.of if last is not None and day <= last):
        if day not in seen:
            yield Break(BreakReason.ANCHOR_BROKEN, None, day, None)
