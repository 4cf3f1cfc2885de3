"""Weather drawn by seed around the climate of a preset: days, fronts, clouds and sun.

Temperature is the climate's mean of the day, a slow drift that keeps half of itself from day to
day, a quick one of hours, cold snaps, and the daily cycle (coldest at half past six, warmest at
half past two).
What snaps take off on average is given back, so that a preset's own snaps do not cool its climate;
more or deeper ones do. The year has 365 days and repeats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from simulators.scenario import WeatherSpec
from simulators.weather import sun
from simulators.weather.drift import Drift
from simulators.weather.instant import Instant, Weather
from simulators.weather.presets import PRESETS, Preset
from simulators.weather.snaps import ColdSnaps

_COLDEST_HOUR, _WARMEST_HOUR = 6.5, 14.5
_DAY_KEEPS = 0.5
"""Of the slow drift; with the snaps, daily means keep about 0.68 = exp(−1 day / 2.6 days)."""
_QUICK_K = 0.6
_SUMMER_SHARE = 0.6
"""Summer days vary by so much of what winter days do."""
_CLOUD_SPREAD = 0.34
_GUST = 0.45
_CALM_AT_NIGHT = 0.4


@dataclass(frozen=True)
class Winter:
    """The generator of a preset; what the specification leaves out is the preset's own."""

    spec: WeatherSpec
    seed: int
    longitude: float

    @cached_property
    def preset(self) -> Preset:
        """The climate around which weather is drawn."""
        return PRESETS[self.spec.preset or ""]

    @cached_property
    def snaps(self) -> ColdSnaps:
        """The cold snaps of this seed."""
        own, spec = self.preset, self.spec
        return ColdSnaps(
            self.seed,
            _first(spec.cold_snaps_per_month, own.snaps_per_month),
            _first(spec.cold_snap_k, own.snap_k),
        )

    @cached_property
    def _given_back_k(self) -> float:
        return ColdSnaps(self.seed, self.preset.snaps_per_month, self.preset.snap_k).mean_k()

    @cached_property
    def _usual(self) -> tuple[float, float, float, float]:
        """Daily swing K, drift K, wind m/s and cloud, as specified or the preset's own."""
        own, spec = self.preset, self.spec
        return (
            _first(spec.daily_swing_k, own.swing_k),
            _first(spec.variation_k, own.variation_k),
            _first(spec.wind_ms, own.wind_ms),
            _first(spec.cloud, own.cloud),
        )

    @cached_property
    def _drifts(self) -> tuple[Drift, Drift, Drift, Drift]:
        """Temperature slow and quick, clouds, gusts."""
        return (
            Drift(self.seed, "weather/days", 24.0, _DAY_KEEPS),
            Drift(self.seed, "weather/hours", 4.0, 0.6),
            Drift(self.seed, "weather/clouds", 6.0, 0.7),
            Drift(self.seed, "weather/gusts", 3.0, 0.75),
        )

    def at(self, now: Instant) -> Weather:
        """The weather of an instant."""
        swing_k, variation_k, wind_ms, usual_cloud = self._usual
        days, quick, clouds, gusts = self._drifts
        mean_c = self.preset.mean_c(now.day)
        coldness = self.preset.coldness(mean_c)
        cold = self.snaps.at(now.hours)
        cloudy = usual_cloud + _CLOUD_SPREAD * clouds.at(now.hours)
        cloud = min(max(cloudy + 0.04 * cold.front_ms - 0.3 * cold.clear, 0.0), 1.0)
        cycle = _cycle(now.local_hour)
        half_swing = swing_k / 2.0 * (1.0 - 0.5 * cloud) / (1.0 - 0.5 * usual_cloud)
        slow = variation_k * (_SUMMER_SHARE + (1.0 - _SUMMER_SHARE) * coldness)
        gust = math.exp(_GUST * gusts.at(now.hours) - _GUST * _GUST / 2.0)
        place = sun.place(now.day + 1.0, now.solar_hour(self.longitude), self.preset.latitude)
        radiation = sun.through_clouds(place, cloud)
        return Weather(
            outdoor_c=mean_c
            + coldness * (self._given_back_k - cold.kelvin)
            + slow * days.at(now.hours)
            + _QUICK_K * quick.at(now.hours)
            + half_swing * cycle,
            wind_ms=wind_ms * gust * (1.0 + _CALM_AT_NIGHT * cycle) * (1.0 - 0.4 * cold.clear)
            + cold.front_ms * coldness,
            solar_wm2=radiation.global_wm2,
            south_wm2=sun.on_south_wall(place, radiation, sun.albedo_of(mean_c)),
            humidity_pct=min(
                max(self.preset.humidity_pct - 10.0 * cycle + 25.0 * (cloud - usual_cloud), 15.0),
                98.0,
            ),
            local_hour=now.local_hour,
        )


def _first(said: float | None, own: float) -> float:
    return own if said is None else said


def _cycle(hour: float) -> float:
    """The daily cycle: −1 when coldest, +1 when warmest; rising eight hours, falling sixteen."""
    rising = _WARMEST_HOUR - _COLDEST_HOUR
    since = (hour - _COLDEST_HOUR) % 24.0
    if since < rising:
        return -math.cos(math.pi * since / rising)
    return math.cos(math.pi * (since - rising) / (24.0 - rising))
