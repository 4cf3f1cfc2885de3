"""Weather from a record: the anchor is laid on a day of it, and time runs on from there.

The hours of the record are taken as the town's local hours, wherever it was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from simulators.weather.instant import Instant, Weather
from simulators.weather.recorded import Record


@dataclass(frozen=True)
class Measured:
    """A record whose first ``day_of_year`` holds the anchor."""

    record: Record
    day_of_year: int

    @cached_property
    def _from_h(self) -> float:
        """Hour of the record at which the climate's year would begin."""
        return self.record.hour_of_day(self.day_of_year) - 24.0 * (self.day_of_year - 1)

    def at(self, now: Instant) -> Weather:
        """The weather of an instant."""
        hour = self.record.within(round(self._from_h + 24.0 * now.day, 6))
        outdoor_c, wind_ms, humidity_pct = self.record.air.at(hour)
        solar_wm2, south_wm2 = self.record.sun.at(hour)
        return Weather(outdoor_c, wind_ms, solar_wm2, south_wm2, humidity_pct, now.local_hour)
