"""What was true in a town during a run, asked in the words of a test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hearthline.domain.complaints import Complaint
from simulators.calls import of_town
from simulators.scenario import duration
from simulators.truth import Trace

Time = str | float | timedelta
"""Hours, text like ``"3d"``, or a timedelta; counted from the anchor."""


def offset(when: Time) -> timedelta:
    """A time as an offset from the anchor.

    Raises:
        ValueError: it is text, but no duration.
    """
    return when if isinstance(when, timedelta) else duration(when)


@dataclass(frozen=True)
class Outcome:
    """What was true in a town during a run."""

    trace: Trace

    def room(self, code: str) -> Room:
        """The true air temperature of a dwelling, as hourly means.

        Raises:
            KeyError: there is no such dwelling; names the nearest ones.
        """
        return self._room(code, self.trace.room_c)

    def twin(self, code: str) -> Room:
        """The same had there been no fault."""
        return self._room(code, self.trace.twin_c)

    @cached_property
    def calls(self) -> Sequence[Complaint]:
        """Who phoned that it is cold, and when: what people say, not what is true."""
        return of_town(self.trace.city, self.trace.anchor, self.trace.room_c)

    def made_cold(self, fault: int = 0) -> frozenset[str]:
        """The dwellings that a fault (by its number) makes colder than the standard."""
        return self.trace.cold_units(fault)

    def below(self, limit_c: float) -> frozenset[str]:
        """The dwellings that were below ``limit_c`` for an hour or more, whatever the cause."""
        hit = (self.trace.room_c < limit_c).any(axis=0)
        return frozenset(np.asarray(self.trace.city.unit_codes)[hit].tolist())

    def _room(self, code: str, temperatures_c: NDArray[np.float32]) -> Room:
        codes = self.trace.city.unit_codes
        if code not in codes:
            raise KeyError(unknown(code, codes, "dwelling"))
        column = temperatures_c[:, codes.index(code)]
        return Room(code, self.trace.anchor, tuple(column.astype(float).tolist()))


@dataclass(frozen=True)
class Room:
    """Hourly means of one dwelling's air, °C, from the anchor on."""

    code: str
    anchor: datetime
    hourly_c: tuple[float, ...]

    def at(self, when: Time | datetime) -> float:
        """Mean of the hour that holds an instant (or ends with the run at it), °C.

        Raises:
            IndexError: the run does not reach it.
        """
        after = when - self.anchor if isinstance(when, datetime) else offset(when)
        hour = int(after // timedelta(hours=1))
        if after == timedelta(hours=len(self.hourly_c)):
            hour -= 1
        if not 0 <= hour < len(self.hourly_c):
            ran = f"the run holds {len(self.hourly_c)} h from the anchor; simulate longer"
            raise IndexError(f"{when} lies outside the run: {ran}")
        return self.hourly_c[hour]

    def between(self, start: Time, end: Time) -> Room:
        """The hours from ``start`` until before ``end``."""
        first, last = (int(offset(when) // timedelta(hours=1)) for when in (start, end))
        return replace(
            self,
            anchor=self.anchor + timedelta(hours=first),
            hourly_c=self.hourly_c[max(first, 0) : max(last, 0)],
        )

    @property
    def mean_c(self) -> float:
        """Mean of all hours."""
        return sum(self.hourly_c) / len(self.hourly_c)

    @property
    def lowest_c(self) -> float:
        """The coldest hour."""
        return min(self.hourly_c)

    @property
    def highest_c(self) -> float:
        """The warmest hour."""
        return max(self.hourly_c)

    def hours_below(self, limit_c: float) -> int:
        """How many hours were colder than ``limit_c``."""
        return sum(hour < limit_c for hour in self.hourly_c)


def unknown(name: str, known: Iterable[str], what: str = "name") -> str:
    """That a name is unknown, and which one may have been meant."""
    options = list(known)
    near = get_close_matches(name, options, n=3, cutoff=0.5)
    if near:
        return f"there is no {what} {name!r}; did you mean {' or '.join(map(repr, near))}?"
    shown = ", ".join(options[:25]) + (", …" if len(options) > 25 else "")
    return f"there is no {what} {name!r}; known: {shown}"
