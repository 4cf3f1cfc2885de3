"""Devices as people look at them: the row, what the rules say of it, and the sentences for that.

The command line, the interface and the console show the same; what they share is here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from hearthline.domain import liveness_words as words
from hearthline.domain.liveness import Carried, Doubt, Facts, Judged, State, judge
from hearthline.domain.readings import UNUSABLE, Quality
from hearthline.storage import liveness
from hearthline.storage.database import Connection, Row
from hearthline.storage.liveness import Wanted

CURVE = timedelta(days=7)
CONFLICTS = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """One device: its row, the facts in it, the judgement, and whether its gateway is to blame."""

    row: Row
    facts: Facts
    judged: Judged
    with_gateway: bool

    @property
    def state(self) -> State:
        """Whether it speaks."""
        return self.judged.state

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """What is wrong with it otherwise."""
        return self.judged.doubts

    @property
    def values(self) -> dict[str, float]:
        """Its last quantities by name."""
        known: dict[str, Any] = self.row["reading"] or {}
        return {
            name: value
            for name, value in known.items()
            if name != "quality" and isinstance(value, int | float)
        }

    def sentences(self, now: datetime, zone: tzinfo, locale: str) -> list[str]:
        """Everything there is to say, the state first."""
        said = [words.state_sentence(self.judged, now, locale)]
        if self.with_gateway:
            name = self.row["gateway"] or ""
            said.append(words.pick(words.WITH_GATEWAY, locale).format(name=name))
        return said + [
            words.doubt_sentence(doubt, self.facts, zone, locale) for doubt in self.doubts
        ]


@dataclass(frozen=True, slots=True)
class InFull:
    """One device with its past: bindings, conflicts, readings of late and their flags."""

    shown: Shown
    bindings: list[Row]
    conflicts: list[Row]
    points: list[Row]

    @property
    def flags(self) -> dict[Quality, int]:
        """How many of the readings carry a flag."""
        counts = Counter(flag for p in self.points for flag in Quality if p["quality"] & flag)
        return {flag: counts[flag] for flag in Quality if counts[flag]}


def shown(row: Row, now: datetime, out: Collection[Carried] = ()) -> Shown:
    """A row of ``storage.liveness.devices`` with the judgement; ``out`` is what is out."""
    facts = liveness.facts_of(row)
    judged = judge(facts, now)
    names = {carried.name for carried in out}
    silent = judged.state not in {State.ONLINE, State.NEVER}
    blamed = silent and row["gateway"] is not None and not names.isdisjoint({row["gateway"], None})
    return Shown(row, facts, judged, blamed)


def listed(
    connection: Connection,
    now: datetime,
    wanted: Wanted,
    *,
    after: str | None = None,
    limit: int = 100,
    out: Collection[Carried] = (),
) -> list[Shown]:
    """A page of devices by uid."""
    rows = liveness.devices(connection, now, wanted, after=after, limit=limit)
    return [shown(row, now, out) for row in rows]


def in_full(
    connection: Connection,
    uid: str,
    now: datetime,
    *,
    span: timedelta = CURVE,
    out: Collection[Carried] = (),
) -> InFull:
    """One device with its past; the readings of ``span`` before its newest one.

    Raises:
        NotFound: the ledger has no such device.
    """
    row = liveness.device(connection, uid, now)
    until = min(row["measured_at"] or now, now + timedelta(days=1)) + timedelta(seconds=1)
    return InFull(
        shown(row, now, out),
        liveness.bindings(connection, row["id"]),
        liveness.conflicts(connection, row["id"], limit=CONFLICTS),
        liveness.points(connection, row, until - span, until),
    )


def usable(point: Row) -> bool:
    """Whether a reading enters what is computed."""
    return not point["quality"] & UNUSABLE
