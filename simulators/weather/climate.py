"""The one way to ask for weather: which generator or file answers is the scenario's business.

Everything is rounded to six decimals, because sines and exponentials may differ between machines
in their last bit and a run must not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from simulators.scenario import Scenario
from simulators.weather.instant import Instant, Weather
from simulators.weather.levels import Levels
from simulators.weather.measured import Measured
from simulators.weather.recorded import read
from simulators.weather.winter import Winter

_DECIMALS = 6


@dataclass(frozen=True)
class Climate:
    """The weather of a scenario, fixed to an anchor.

    The anchor's local hour of the day and the specification's ``day_of_year`` say where in the
    climate's year the anchor lies.
    """

    scenario: Scenario
    seed: int
    anchor: datetime

    def at(self, offset_s: float) -> Weather:
        """The weather ``offset_s`` seconds after the anchor (before it, if negative).

        Raises:
            FileError: the scenario's weather file cannot be used (at the first call).
        """
        found = self._made.at(self._instant(offset_s))
        return Weather(
            round(found.outdoor_c, _DECIMALS),
            round(found.wind_ms, _DECIMALS),
            round(found.solar_wm2, _DECIMALS),
            round(found.south_wm2, _DECIMALS),
            round(found.humidity_pct, _DECIMALS),
            round(found.local_hour, _DECIMALS),
        )

    @cached_property
    def _made(self) -> Levels | Winter | Measured:
        spec, source = self.scenario.weather, self.scenario.source
        if spec.file is not None:
            ahead_h = source.longitude / 15.0 - self._ahead_s(self._anchor_s) / 3600.0
            return Measured(read(Path(spec.file), source.latitude, ahead_h), spec.day_of_year)
        if spec.preset is not None:
            return Winter(spec, self.seed, source.longitude)
        return Levels(spec, self.seed, source)

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.scenario.timezone)

    @cached_property
    def _anchor_s(self) -> float:
        return self.anchor.timestamp()

    @cached_property
    def _begins_day(self) -> float:
        """The climate's day at the anchor: 0.0 is the first midnight of its year."""
        local_s = (self._anchor_s + self._ahead_s(self._anchor_s)) % 86400.0
        return self.scenario.weather.day_of_year - 1 + local_s / 86400.0

    @cached_property
    def _ahead(self) -> dict[int, float]:
        """Seconds by which local time is ahead of UTC, by quarter of an hour as it is asked."""
        return {}

    def _ahead_s(self, utc_s: float) -> float:
        quarter = int(utc_s // 900.0)
        known = self._ahead.get(quarter)
        if known is None:
            ahead = datetime.fromtimestamp(quarter * 900, self._zone).utcoffset()
            known = self._ahead[quarter] = ahead.total_seconds() if ahead else 0.0
        return known

    def _instant(self, offset_s: float) -> Instant:
        utc_s = self._anchor_s + offset_s
        return Instant(
            offset_s / 3600.0,
            math.floor(utc_s + self._ahead_s(utc_s)) % 86400 / 3600.0,
            utc_s / 3600.0 % 24.0,
            self._begins_day + offset_s / 86400.0,
        )
