"""Walk the chains of the compliance ledger and say where the first one is broken.

Reads one state of the database from beginning to end and changes nothing. What it found is as
good as the newest anchor that somebody wrote down elsewhere: pass its hash as ``expected``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import groupby, islice

from analytics import chain
from hearthline.storage import verdicts
from hearthline.storage.database import Connection, Row

BATCH = 500  # dwellings read at a time
KEEP = 1_000  # breaks that are told one by one

Tell = Callable[[int, int], None]
"""Takes how many dwellings are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What a walk found; ``breaks`` has the first ``KEEP``, ``broken`` counts them all."""

    dwellings: int
    lines: int
    anchors: int
    newest: tuple[date, str] | None
    expected_found: bool
    broken: int
    breaks: tuple[chain.Break, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return self.broken == 0 and self.expected_found


def audit(
    connection: Connection, expected: str | None = None, tell: Tell = lambda _done, _of: None
) -> Audit:
    """Walk every chain, then the anchors; the transaction must have just begun.

    ``expected`` is the hash of an anchor in hexadecimal, as it was printed before.
    """
    verdicts.read_only(connection)
    heads = verdicts.chains(connection)
    days = chain.Days()
    breaks: list[chain.Break] = []
    lines = 0
    for first in range(0, len(heads), BATCH):
        part = heads[first : first + BATCH]
        found, walked = _walk(connection, part, days)
        breaks += found
        lines += walked
        tell(min(first + BATCH, len(heads)), len(heads))
    anchors = [_anchor(row) for row in verdicts.anchors(connection)]
    breaks += chain.check_anchors(anchors, days)
    newest = (anchors[-1].day, anchors[-1].hash.hex()) if anchors else None
    known = {one.hash.hex() for one in anchors}
    return Audit(
        dwellings=len(heads),
        lines=lines,
        anchors=len(anchors),
        newest=newest,
        expected_found=expected is None or expected.lower() in known,
        broken=len(breaks),
        breaks=tuple(islice(breaks, KEEP)),
    )


def _walk(
    connection: Connection, heads: list[Row], days: chain.Days
) -> tuple[list[chain.Break], int]:
    """The breaks and the number of lines of some dwellings' chains."""
    rows = verdicts.lines(connection, [head["place_id"] for head in heads])
    of = {place: list(own) for place, own in groupby(rows, lambda row: row["place_id"])}
    found = []
    for head in heads:
        lines = of.get(head["place_id"], [])
        end = None if head["link"] is None else chain.End(head["link"], bytes(head["hash"]))
        found += list(chain.walk(head["code"], lines, end))
        for line in lines:
            days.add({**line, "code": head["code"]})
    return found, len(rows)


def _anchor(row: Row) -> chain.Anchor:
    return chain.Anchor(
        row["day"], row["links"], bytes(row["digest"]), bytes(row["prev"]), bytes(row["hash"])
    )
