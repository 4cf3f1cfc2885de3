"""The climates of four cities with a heating season, as tables of monthly means.

Monthly means follow the normals of the China Meteorological Administration for 1981–2010 to a few
tenths of a kelvin (published for Harbin: January −17.6, July 23.1, year 4.9 °C); single years in
the China Statistical Yearbook (2009, table 11-13; 2010, table 12-13) lie around them. Each city is
shifted as a whole so that a year's heating degree days below 18 °C, with the day-to-day variation
that ``winter`` draws, are within a percent of the design standard JGJ 26: Harbin 5032, Changchun
4642, Shenyang 3929, Beijing 2699 K·d. (The normals of 1971–2000, with −18.3 °C in a January of
Harbin, have five percent more.) Swing, wind, cloud and humidity are round numbers for the season.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

YEAR_DAYS = 365
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_HARMONICS = 4
"""Enough to meet every month within 0.3 K, few enough to have no kinks."""
_COLD_C, _WARM_C = 6.0, 20.0


@dataclass(frozen=True)
class Preset:
    """A city's climate.

    ``monthly_c`` are the means of January to December °C, moved by ``shift_k``; ``swing_k`` the
    daily range on a day of usual clouds; ``variation_k`` the standard deviation of slow drift in
    winter, to which cold snaps add; ``snap_k`` the usual depth of one.
    """

    name: str
    latitude: float
    monthly_c: tuple[float, ...]
    shift_k: float
    swing_k: float
    wind_ms: float
    cloud: float
    humidity_pct: float
    variation_k: float = 3.2
    snaps_per_month: float = 1.8
    snap_k: float = 9.0

    def mean_c(self, day: float) -> float:
        """The climate's daily mean °C; ``day`` 0.0 begins the first of January, years repeat."""
        day = day % YEAR_DAYS - 0.5
        index = math.floor(day)
        table = self._daily_c
        here, there = table[index % YEAR_DAYS], table[(index + 1) % YEAR_DAYS]
        return here + (there - here) * (day - index)

    def coldness(self, mean_c: float) -> float:
        """1 in the months of winter weather, 0 in those of summer weather."""
        return min(max((_WARM_C - mean_c) / (_WARM_C - _COLD_C), 0.0), 1.0)

    @cached_property
    def _daily_c(self) -> tuple[float, ...]:
        """Daily means: the first harmonics of the year whose monthly means come nearest."""
        angles = 2.0 * np.pi * (np.arange(YEAR_DAYS) + 0.5) / YEAR_DAYS
        orders = np.arange(1, _HARMONICS + 1)
        waves = [wave(order * angles) for order in orders for wave in (np.cos, np.sin)]
        basis = np.column_stack([np.ones(YEAR_DAYS), *waves])
        months = np.repeat(np.arange(12), _MONTH_DAYS)
        means = np.array([basis[months == month].mean(axis=0) for month in range(12)])
        fitted = np.linalg.lstsq(means, np.array(self.monthly_c), rcond=None)[0]
        return tuple(np.round(basis @ fitted + self.shift_k, 6).tolist())


_ALL = (
    Preset(
        "harbin",
        latitude=45.75,
        monthly_c=(-17.6, -12.3, -2.9, 7.5, 15.0, 20.8, 23.1, 21.5, 14.9, 5.9, -5.2, -14.5),
        shift_k=0.45,
        swing_k=10.5,
        wind_ms=3.0,
        cloud=0.40,
        humidity_pct=68.0,
    ),
    Preset(
        "changchun",
        latitude=43.88,
        monthly_c=(-14.7, -10.3, -1.7, 8.1, 15.6, 21.0, 23.3, 22.0, 15.9, 7.4, -3.2, -11.4),
        shift_k=0.25,
        swing_k=10.0,
        wind_ms=3.5,
        cloud=0.38,
        humidity_pct=64.0,
    ),
    Preset(
        "shenyang",
        latitude=41.77,
        monthly_c=(-10.9, -6.3, 1.2, 10.4, 17.6, 22.2, 24.7, 23.8, 17.8, 9.8, 0.3, -7.4),
        shift_k=0.1,
        swing_k=10.5,
        wind_ms=2.8,
        cloud=0.35,
        humidity_pct=60.0,
    ),
    Preset(
        "beijing",
        latitude=39.93,
        monthly_c=(-3.1, 0.2, 6.7, 14.8, 20.8, 24.9, 26.7, 25.5, 20.8, 13.7, 5.0, -0.9),
        shift_k=0.0,
        swing_k=9.5,
        wind_ms=2.5,
        cloud=0.30,
        humidity_pct=45.0,
        variation_k=2.6,
        snaps_per_month=1.5,
        snap_k=8.0,
    ),
)
PRESETS = {preset.name: preset for preset in _ALL}
