"""What stands still: the parts of Hearthline itself whose silence must not pass for warm homes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hearthline.storage import analysis, pulse
from hearthline.storage.database import Connection, Row

LATE = timedelta(hours=3)
"""Rooms are judged by whole hours, as soon as nine in ten have told theirs; some tell hourly."""


class Kind(StrEnum):
    """What stands still."""

    INGEST_AWAY = "ingest_away"
    ANALYSIS_AWAY = "analysis_away"
    ANALYSIS_LATE = "analysis_late"
    DISTRICT_ASIDE = "district_aside"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One of them: ``judged_until`` is how far the network, or the district, has been judged.

    ``place``, ``name`` and ``name_zh`` are the district's.
    """

    kind: Kind
    judged_until: datetime | None = None
    place: str | None = None
    name: str | None = None
    name_zh: str | None = None


def of(connection: Connection, now: datetime) -> list[Trouble]:
    """What stands still now."""
    aside = analysis.aside(connection)
    names = [analysis.WHOLE, *(analysis.of_district(row["code"]) for row in aside)]
    reached = analysis.progress_of(connection, names)
    return list(read(pulse.beats(connection), reached, aside, now))


def read(
    beats: Mapping[str, timedelta],
    reached: Mapping[str, datetime],
    aside: Sequence[Row],
    now: datetime,
) -> Iterator[Trouble]:
    """From the services' heartbeats, the watermarks and the districts that were set aside."""
    judged = reached.get(analysis.WHOLE)
    if beats.get("ingest", timedelta.max) > pulse.LATE:
        yield Trouble(Kind.INGEST_AWAY, judged)
    if beats.get("worker", timedelta.max) > pulse.LATE:
        yield Trouble(Kind.ANALYSIS_AWAY, judged)
    elif judged is not None and now - judged > LATE:
        yield Trouble(Kind.ANALYSIS_LATE, judged)
    for row in aside:
        stands = reached.get(analysis.of_district(row["code"]))
        yield Trouble(Kind.DISTRICT_ASIDE, stands, row["code"], row["name"], row["name_zh"])
