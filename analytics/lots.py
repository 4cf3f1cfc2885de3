"""How a city is cut for judging: districts, and lots of neighbours that are judged as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from analytics.laying import Span
from hearthline.storage.analysis import of_district

BLOCK = timedelta(days=14)
LOT, PIECES = 2_500, 8
"""Dwellings that are judged together at most, and into how many lots a city is cut at least: beyond
some thousand nothing is gained but memory lost, and processes need something to share."""
REST = 4
"""Of what is left a lot takes no more than this part, so that no process waits long for the last;
down to a lot of this part, since small ones cost more a dwelling."""


@dataclass(frozen=True, slots=True)
class District:
    """A topmost place below the sources."""

    code: str
    path: str

    @property
    def progress(self) -> str:
        """The name of its watermark."""
        return of_district(self.code)


@dataclass(frozen=True, slots=True)
class Lot:
    """Neighbouring districts that are judged together."""

    districts: tuple[District, ...]

    @property
    def code(self) -> str:
        """What it is called: by its first district."""
        return self.districts[0].code

    @property
    def paths(self) -> list[str]:
        """The paths of its districts."""
        return [district.path for district in self.districts]


def cut(districts: Sequence[District], dwellings: Mapping[str, int]) -> list[Lot]:
    """Neighbouring districts together, up to so many dwellings; what nobody knows stays alone."""
    rest = sum(dwellings.values())
    most = min(LOT, max(1, rest // PIECES))
    least = min(most, LOT // REST)
    found: list[list[District]] = []
    held = room = most
    for district in districts:
        size = dwellings.get(district.code, most)
        if held + size > room:
            found.append([])
            held, room = 0, min(most, max(least, rest // REST))
        found[-1].append(district)
        held += size
        rest -= dwellings.get(district.code, 0)
    return [Lot(tuple(lot)) for lot in found]


def left(lot: Lot, at: Mapping[str, datetime], span: Span) -> dict[datetime, list[District]]:
    """Districts that have not reached the end of the block, by where they stand.

    Who was set aside stands further back than the others, but at most a block is made up for.
    """
    found: dict[datetime, list[District]] = {}
    for district in lot.districts:
        since = max(at.get(district.progress, span.since), span.until - BLOCK)
        if since < span.until:
            found.setdefault(since, []).append(district)
    return found
