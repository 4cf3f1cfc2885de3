"""A cold-region winter as a pure function of time: any instant can be asked, in any order.

Temperature is the scenario's level plus a daily cycle (coldest at dawn) plus a sum of sines whose
periods and phases come from the seed; wind and clouds likewise. The sun follows geometry for the
scenario's day of the year, so that a summer demonstration still heats a winter town.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from simulators import rand
from simulators.scenario import Scenario

Array = NDArray[np.float64]

WARMEST_HOUR = 14.5
_WAVES = 8
_SHORTEST_H, _LONGEST_H = 7.0, 90.0
_SNOW_ALBEDO = 0.6


@dataclass(frozen=True, slots=True)
class Weather:
    """Outdoor air °C, wind m/s, global and south-facing vertical radiation W/m², humidity %."""

    outdoor_c: float
    wind_ms: float
    solar_wm2: float
    south_wm2: float
    humidity_pct: float
    local_hour: float


@dataclass(frozen=True)
class Climate:
    """The weather generator of a scenario, fixed to an anchor."""

    scenario: Scenario
    seed: int
    anchor: datetime

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.scenario.timezone)

    @cached_property
    def _waves(self) -> dict[str, tuple[Array, Array]]:
        """Angular frequency (1/h) and phase of the waves of each quantity."""
        made = {}
        for name in ("temperature", "wind", "cloud"):
            spread = rand.uniform(self.seed, f"weather/{name}/period", np.arange(_WAVES))
            period = _SHORTEST_H * (_LONGEST_H / _SHORTEST_H) ** spread
            phase = 2.0 * np.pi * rand.uniform(self.seed, f"weather/{name}", np.arange(_WAVES))
            made[name] = (2.0 * np.pi / period, phase)
        return made

    def at(self, offset_s: float) -> Weather:
        """The weather ``offset_s`` seconds after the anchor."""
        spec = self.scenario.weather
        hours = offset_s / 3600.0
        local = (self.anchor + timedelta(seconds=offset_s)).astimezone(self._zone)
        local_hour = local.hour + local.minute / 60.0 + local.second / 3600.0
        swing = spec.daily_swing_k / 2.0 * math.cos((local_hour - WARMEST_HOUR) * math.pi / 12.0)
        slow = spec.variation_k * self._wave("temperature", hours)
        cloud = min(max(spec.cloud + 0.45 * self._wave("cloud", hours), 0.0), 1.0)
        solar, south = self._sun(offset_s, cloud)
        gust = math.exp(0.4 * self._wave("wind", hours))
        return Weather(
            outdoor_c=self._level(hours) + swing * (1.0 - 0.4 * cloud) + slow,
            wind_ms=spec.wind_ms * gust * (1.0 + 0.3 * swing / max(spec.daily_swing_k, 0.1)),
            solar_wm2=solar,
            south_wm2=south,
            humidity_pct=min(max(68.0 - 3.0 * swing + 12.0 * (cloud - 0.4), 20.0), 98.0),
            local_hour=local_hour,
        )

    def _wave(self, name: str, hours: float) -> float:
        """A smooth irregular number of standard deviation 1."""
        omega, phase = self._waves[name]
        return float(np.sin(omega * hours + phase).sum() * math.sqrt(2.0 / _WAVES))

    def _level(self, hours: float) -> float:
        """The scenario's daily mean, eased from point to point, °C."""
        points = [(when.total_seconds() / 3600.0, c) for when, c in self.scenario.weather.level]
        if hours <= points[0][0]:
            return points[0][1]
        for (start, from_c), (end, to_c) in pairwise(points):
            if hours < end:
                eased = (1.0 - math.cos(math.pi * (hours - start) / (end - start))) / 2.0
                return from_c + (to_c - from_c) * eased
        return points[-1][1]

    def _sun(self, offset_s: float, cloud: float) -> tuple[float, float]:
        """Global horizontal and vertical south radiation, W/m² (clear sky by air mass, clouds)."""
        source = self.scenario.source
        day = self.scenario.weather.day_of_year
        utc_s = self.anchor.timestamp() + offset_s
        solar_hour = (utc_s / 3600.0 + source.longitude / 15.0) % 24.0
        angle = math.radians(15.0 * (solar_hour - 12.0))
        tilt = math.radians(-23.44) * math.cos(2.0 * math.pi * (day + 10) / 365.0)
        latitude = math.radians(source.latitude)
        height = math.sin(latitude) * math.sin(tilt) + math.cos(latitude) * math.cos(
            tilt
        ) * math.cos(angle)
        if height <= 0.01:
            return 0.0, 0.0
        beam = 1100.0 * 0.7 ** (height**-0.678) * (1.0 - cloud) ** 1.3
        diffuse = height * (90.0 + 160.0 * cloud * (1.0 - 0.5 * cloud))
        facing = math.sin(latitude) * math.cos(tilt) * math.cos(angle) - math.cos(
            latitude
        ) * math.sin(tilt)
        total = beam * height + diffuse
        south = beam * max(facing, 0.0) + 0.5 * diffuse + 0.5 * _SNOW_ALBEDO * total
        return total, south
