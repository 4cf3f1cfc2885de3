"""Weather around daily means drawn by hand: points of time and temperature, joined smoothly.

Irregularity is a sum of sines whose periods and phases come from the seed. The sun stays on the
day of the year of the anchor, so that a summer demonstration still heats a winter town.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from simulators import rand
from simulators.scenario import SourceSpec, WeatherSpec
from simulators.weather import sun
from simulators.weather.instant import Instant, Weather
from simulators.weather.snaps import ColdSnaps

SWING_K, VARIATION_K, WIND_MS, CLOUD, SNAPS_PER_MONTH, SNAP_K = 5.0, 1.0, 3.0, 0.4, 0.0, 9.0
_WARMEST_HOUR = 14.5
_WAVES = 8
_WAVE_SIZE = math.sqrt(2.0 / _WAVES)
_SHORTEST_H, _LONGEST_H = 7.0, 90.0


@dataclass(frozen=True)
class Levels:
    """The generator of a specification's ``level`` points."""

    spec: WeatherSpec
    seed: int
    source: SourceSpec

    @cached_property
    def _waves(self) -> dict[str, list[tuple[float, float]]]:
        """Angular frequency (1/h) and phase of the waves of each quantity."""
        made = {}
        for name in ("temperature", "wind", "cloud"):
            spread = rand.uniform(self.seed, f"weather/{name}/period", np.arange(_WAVES))
            period = _SHORTEST_H * (_LONGEST_H / _SHORTEST_H) ** spread
            phase = 2.0 * np.pi * rand.uniform(self.seed, f"weather/{name}", np.arange(_WAVES))
            made[name] = list(zip((2.0 * np.pi / period).tolist(), phase.tolist(), strict=True))
        return made

    @cached_property
    def _points(self) -> list[tuple[float, float]]:
        return [(when.total_seconds() / 3600.0, c) for when, c in self.spec.level]

    @cached_property
    def _usual(self) -> tuple[float, float, float, float]:
        """Daily swing K, variation K, wind m/s and cloud."""
        spec = self.spec
        return (
            SWING_K if spec.daily_swing_k is None else spec.daily_swing_k,
            VARIATION_K if spec.variation_k is None else spec.variation_k,
            WIND_MS if spec.wind_ms is None else spec.wind_ms,
            CLOUD if spec.cloud is None else spec.cloud,
        )

    @cached_property
    def snaps(self) -> ColdSnaps:
        """Cold snaps on top of the level: none unless asked for."""
        often, deep = self.spec.cold_snaps_per_month, self.spec.cold_snap_k
        return ColdSnaps(
            self.seed,
            SNAPS_PER_MONTH if often is None else often,
            SNAP_K if deep is None else deep,
        )

    def at(self, now: Instant) -> Weather:
        """The weather of an instant."""
        swing_k, variation_k, wind_ms, usual_cloud = self._usual
        swing = swing_k / 2.0 * math.cos((now.local_hour - _WARMEST_HOUR) * math.pi / 12.0)
        cold = self.snaps.at(now.hours)
        cloud = min(max(usual_cloud + 0.45 * self._wave("cloud", now.hours), 0.0), 1.0)
        gust = math.exp(0.4 * self._wave("wind", now.hours))
        solar_hour = now.solar_hour(self.source.longitude)
        place = sun.place(self.spec.day_of_year, solar_hour, self.source.latitude)
        radiation = sun.through_clouds(place, cloud)
        slow = variation_k * self._wave("temperature", now.hours)
        return Weather(
            outdoor_c=self._level(now.hours) + swing * (1.0 - 0.4 * cloud) + slow - cold.kelvin,
            wind_ms=wind_ms * gust * (1.0 + 0.3 * swing / max(swing_k, 0.1)) + cold.front_ms,
            solar_wm2=radiation.global_wm2,
            south_wm2=sun.on_south_wall(place, radiation, sun.SNOW_ALBEDO),
            humidity_pct=min(max(68.0 - 3.0 * swing + 12.0 * (cloud - 0.4), 20.0), 98.0),
            local_hour=now.local_hour,
        )

    def _wave(self, name: str, hours: float) -> float:
        """A smooth irregular number of standard deviation 1."""
        waves = self._waves[name]
        return sum(math.sin(omega * hours + phase) for omega, phase in waves) * _WAVE_SIZE

    def _level(self, hours: float) -> float:
        """The scenario's daily mean, eased from point to point, °C."""
        points = self._points
        if hours <= points[0][0]:
            return points[0][1]
        for (start, from_c), (end, to_c) in pairwise(points):
            if hours < end:
                eased = (1.0 - math.cos(math.pi * (hours - start) / (end - start))) / 2.0
                return from_c + (to_c - from_c) * eased
        return points[-1][1]
