"""An instant as the weather sees it, and what the weather is then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Weather:
    """Outdoor air °C, wind m/s, global and south-facing vertical radiation W/m², humidity %."""

    outdoor_c: float
    wind_ms: float
    solar_wm2: float
    south_wm2: float
    humidity_pct: float
    local_hour: float


class Instant(NamedTuple):
    """Hours since the anchor, the local and the UTC hour of the day, and the climate's day.

    ``day`` counts from the first of January of the climate's year, 0.0 at its first midnight; it
    may be negative or beyond a year.
    """

    hours: float
    local_hour: float
    utc_hour: float
    day: float

    def solar_hour(self, longitude: float) -> float:
        """Mean solar time, 12 when the sun stands highest."""
        return (self.utc_hour + longitude / 15.0) % 24.0
