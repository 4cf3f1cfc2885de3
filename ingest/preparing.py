"""A batch made ready: sorted by what the ledger knows, judged, arranged and packed.

Pure, so it can be done ahead of its turn, with what is remembered of the ledger, while the database
works on the batch before. The ledger may change meanwhile: a batch that was prepared ahead is
written so only while what it was prepared with still stands, and is prepared again otherwise, in
the transaction that stores it. Whatever has to be asked first (a device that nobody remembers, an
alias, a lesson for the messages after it) is not prepared ahead at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

import numpy as np

from hearthline.domain.readings import Quality, Rejection
from hearthline.storage.arranging import Arranged, arrange
from hearthline.storage.columns import Columns, Floats, KnownDevice
from ingest.acceptance import judge, skews
from ingest.batcher import Closed
from ingest.directory import Directory
from ingest.door import Door
from ingest.formats import Context, Format, Registry
from ingest.intake import Heard, refused
from ingest.sorting import SortedOut, sort_out, speaking


@dataclass(frozen=True, slots=True)
class Prepared:
    """What messages come to, as of what was ``known`` in ``context``.

    ``refusals`` become dead letters; ``flagged`` counts readings by quality flag, ``decoded`` by
    format; ``skews`` are how far clocks seemed ahead, s.
    """

    heard: Sequence[Heard]
    known: Mapping[str, KnownDevice]
    context: Context
    sorted_out: SortedOut
    lots: Sequence[Arranged]
    refusals: Sequence[Rejection]
    flagged: Mapping[str, int]
    decoded: Mapping[str, int]
    skews: Floats

    def stands(self, directory: Directory) -> bool:
        """Whether it would come out the same now."""
        return directory.stands(self.known, self.context)


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages to be written together; the id stays the same when the write is tried again."""

    heard: Sequence[Heard]
    closed: Closed
    prepared: Prepared | None = None
    id: UUID = field(default_factory=uuid4)

    @property
    def arrived_at(self) -> datetime:
        """When the last of its messages arrived."""
        return max(one.message.received_at for one in self.heard)

    def halves(self) -> tuple[Batch, Batch]:
        """Two batches of half the messages each, to find the one that the database refuses."""
        middle = len(self.heard) // 2
        return Batch(self.heard[:middle], self.closed), Batch(self.heard[middle:], self.closed)


def prepare(heard: Sequence[Heard], known: Mapping[str, KnownDevice], door: Door) -> Prepared:
    """Sort, judge and arrange what messages say."""
    context = door.directory.context
    sorted_out = sort_out(heard, known)
    refusals = list(sorted_out.refused)
    lots, flagged, leads = [], Counter[str](), []
    for lot, origin, numbers in sorted_out.lots():
        beyond = judge(lot, origin, door.rules)
        refusals += [
            refused(heard[origin.message[row]], int(numbers[row]), why)
            for row, why in beyond.items()
        ]
        kept = lot[np.setdiff1d(np.arange(len(lot)), list(beyond))] if beyond else lot
        flagged.update(_flags(kept))
        leads.append(skews(kept))
        if len(kept):
            lots.append(arrange(kept))
    return Prepared(
        heard,
        known,
        context,
        sorted_out,
        lots,
        refusals,
        flagged,
        _by_format(heard, door.formats),
        np.concatenate(leads) if leads else np.empty(0),
    )


def prepare_ahead(heard: Sequence[Heard], door: Door) -> Prepared | None:
    """Prepare what can be prepared from memory; None where the ledger has to be asked first."""
    context = door.directory.context
    for one in heard:
        if one.context is not context or one.decoded.needs or one.decoded.learnt:
            return None
    known = door.directory.remembered(speaking(heard))
    return None if known is None else prepare(heard, known, door)


# ── counting ────────────────────────────────────────────────────────────────────────────


def _flags(lot: Columns) -> dict[str, int]:
    """How many readings carry each quality flag."""
    if not lot.quality.any():
        return {}
    counted = ((flag.name or "", int((lot.quality & int(flag) != 0).sum())) for flag in Quality)
    return {name: count for name, count in counted if count}


def _by_format(heard: Iterable[Heard], formats: Registry) -> dict[str, int]:
    counted: dict[Format | None, int] = {}
    find = formats.find
    for one in heard:
        if said := len(one.decoded.readings):
            chosen = find(one.message.topic)
            counted[chosen] = counted.get(chosen, 0) + said
    return {"" if one is None else one.name: said for one, said in counted.items()}
