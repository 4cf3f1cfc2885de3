"""Where the sun stands and what of it reaches the ground and a south wall.

Solar time is mean solar time: the equation of time (at most a quarter of an hour) is left out, as
is refraction. Angles from Duffie and Beckman, Solar Engineering of Thermal Processes, ch. 1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

SOLAR_CONSTANT_WM2 = 1361.0
SNOW_ALBEDO, BARE_ALBEDO = 0.6, 0.2
_HOUR_ANGLE = math.pi / 12.0
_DAY_ANGLE = 2.0 * math.pi / 365.0
_ECLIPTIC = math.radians(23.44)
_LOWEST = 0.01
"""Sine of the sun's height below which no sun is counted."""
_LOWEST_FOR_BEAM = 0.065
"""Sine below which a horizontal beam is not turned into a normal one any further: the quotient of
two small and uncertain numbers (the limit of common practice for hourly sums)."""
_BEAM_MOST_WM2 = 1100.0


class SunPlace(NamedTuple):
    """Cosines of the sun's angle to the zenith and to a south wall's normal; may be negative."""

    height: float
    facing: float


class Radiation(NamedTuple):
    """Radiation W/m²: beam on a surface turned to the sun, diffuse and global on a level one."""

    beam_wm2: float
    diffuse_wm2: float
    global_wm2: float


DARK = Radiation(0.0, 0.0, 0.0)


def place(day_of_year: float, solar_hour: float, latitude: float) -> SunPlace:
    """Where the sun stands; ``latitude`` in degrees, ``solar_hour`` 12 at its highest."""
    angle = (solar_hour - 12.0) * _HOUR_ANGLE
    tilt = -_ECLIPTIC * math.cos((day_of_year + 10) * _DAY_ANGLE)
    north = math.radians(latitude)
    up, level = math.sin(north), math.cos(north)
    axial, across = math.sin(tilt), math.cos(tilt) * math.cos(angle)
    return SunPlace(up * axial + level * across, up * across - level * axial)


def through_clouds(sun: SunPlace, cloud: float) -> Radiation:
    """What a sky with ``cloud`` (0 to 1) lets through: beam by air mass, diffuse by cover."""
    if sun.height <= _LOWEST:
        return DARK
    beam = 1100.0 * 0.7 ** (sun.height**-0.678) * (1.0 - cloud) ** 1.3
    diffuse = sun.height * (90.0 + 160.0 * cloud * (1.0 - 0.5 * cloud))
    return Radiation(beam, diffuse, beam * sun.height + diffuse)


def from_level(sun: SunPlace, global_wm2: float, diffuse_wm2: float) -> Radiation:
    """Radiation measured on a level surface as global and diffuse, with its beam."""
    diffuse = min(diffuse_wm2, global_wm2)
    if sun.height <= _LOWEST:
        return Radiation(0.0, global_wm2, global_wm2)
    beam = (global_wm2 - diffuse) / max(sun.height, _LOWEST_FOR_BEAM)
    return Radiation(min(beam, _BEAM_MOST_WM2), diffuse, global_wm2)


def diffuse_of(sun: SunPlace, global_wm2: float, day_of_year: float) -> float:
    """The diffuse part of a measured global radiation, W/m².

    Source: Erbs, Klein and Duffie, Estimation of the diffuse radiation fraction for hourly, daily
    and monthly-average global radiation, Solar Energy 28 (1982), pp. 293-302, eq. 1.
    """
    nearness = 1.0 + 0.033 * math.cos(2.0 * math.pi * day_of_year / 365.0)
    above_wm2 = SOLAR_CONSTANT_WM2 * nearness * max(sun.height, _LOWEST_FOR_BEAM)
    clear = min(max(global_wm2 / above_wm2, 0.0), 1.0)
    if clear <= 0.22:
        return global_wm2 * (1.0 - 0.09 * clear)
    if clear > 0.80:
        return global_wm2 * 0.165
    share = 0.9511 + clear * (-0.1604 + clear * (4.388 + clear * (-16.638 + clear * 12.336)))
    return global_wm2 * share


def on_south_wall(sun: SunPlace, radiation: Radiation, albedo: float) -> float:
    """What falls on a vertical south wall, W/m²: beam, half of the sky, half of the ground."""
    beam = radiation.beam_wm2 * max(sun.facing, 0.0)
    return beam + 0.5 * radiation.diffuse_wm2 + 0.5 * albedo * radiation.global_wm2


def albedo_of(daily_mean_c: float) -> float:
    """The ground's albedo: snow where days are below −4 °C, bare above +2 °C, between linearly."""
    snow = min(max((2.0 - daily_mean_c) / 6.0, 0.0), 1.0)
    return BARE_ALBEDO + (SNOW_ALBEDO - BARE_ALBEDO) * snow
