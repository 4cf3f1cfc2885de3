"""The truth behind the readings: room temperatures, and which fault made which dwelling cold.

A dwelling is cold *because of* a fault if it lies within the fault's reach, is below the standard
while the fault acts, and is not below it in the twin: the same city, weather and people without
any fault. What another fault had made cold before the onset does not count, nor do dwellings
whose heating is stopped: they are not owed heat.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from simulators.city import City

NOTICEABLE_K = 0.3
"""A fault must cool a dwelling by at least this much to be the reason that it is cold."""


@dataclass(frozen=True)
class Trace:
    """True air temperatures of a run and of its twin, [hours, units], °C means over each hour.

    ``hour_starts`` are the hours' beginnings (aware UTC, from the anchor on).
    """

    city: City
    anchor: datetime
    hour_starts: list[datetime]
    room_c: NDArray[np.float32]
    twin_c: NDArray[np.float32]

    def cold(self, fault: int, threshold_c: float | None = None) -> NDArray[np.bool_]:
        """Which hours of which dwellings a fault made cold, [hours, units].

        ``fault`` indexes ``city.truth``; the threshold defaults to the scenario's.
        """
        placed = self.city.faults[fault]
        limit = self.city.scenario.threshold_c if threshold_c is None else threshold_c
        hours = np.arange(len(self.hour_starts)) * 3600.0
        acting = (hours >= placed.onset_s - 3600.0) & (hours < placed.end_s)
        reach = np.zeros(self.city.layout.units, dtype=bool)
        reach[self.city.reach(placed)] = True
        below = self.room_c < limit
        lower = below & ((self.twin_c >= limit) | (self.twin_c - self.room_c > NOTICEABLE_K))
        before = int(placed.onset_s // 3600) - 1
        if 0 <= before < len(below):
            lower &= ~below[before]
        return np.asarray(lower & acting[:, None] & reach[None, :])

    def cold_units(self, fault: int, threshold_c: float | None = None) -> frozenset[str]:
        """Codes of the dwellings that a fault makes cold for at least an hour."""
        hit = self.cold(fault, threshold_c).any(axis=0)
        return frozenset(self.city.unit_codes[unit] for unit in np.flatnonzero(hit))


def trace(city: City, anchor: datetime, duration: timedelta | None = None) -> Trace:
    """Simulate a city and its twin without messages; the duration defaults to the history.

    Raises:
        ValueError: the anchor has no time zone, or the duration holds no hour.
    """
    from simulators.truth.survey import survey, utc_anchor

    hours = list(survey(city, anchor, duration))
    room = np.stack([hour.room_c for hour in hours])
    twin = np.stack([hour.twin_c for hour in hours]) if city.faults else room
    return Trace(city, utc_anchor(anchor), [hour.starts_at for hour in hours], room, twin)
