"""The weather to come, and what weather and missing heat do to an equilibrium.

Pure. A forecast is a table the company fills; where it has none (or it ends), the last day's cycle
is repeated and said to be a guess, with an uncertainty that grows as persistence errs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HOUR = timedelta(hours=1)

GUESS_K = 3.5
"""Error of tomorrow's outdoor temperature if today's is taken: day-to-day changes in a Harbin
winter have a standard deviation of 3 to 4 K (general knowledge; widen where yours differ)."""
FORECAST_K = 1.5
"""Error of a day-ahead public forecast of hourly air temperature, standard deviation."""
BASE_C = 18.0  # outdoors above this, no heat is needed
GAIN = 0.6
"""How much of a lasting loss of heat a room shows: a fifth less heat lowers a whole building by
3.7 K of 31 K above outdoors, not by 6.2 (sun, people and shut windows make up for the rest)."""
QUIET = (0.03, 0.25)
"""Heat must leave its usual value by more than its own scatter before it counts: by three per cent
at least (a class-2 meter), a quarter at most (three times the 8 % by which a real station's daily
heat scatters about its energy signature)."""
ROOM_C = 21.0


@dataclass(frozen=True, slots=True)
class ForecastPoint:
    """One hour of a weather forecast: the instant, °C, and where known m/s and W/m²."""

    at: datetime
    outdoor_c: float
    wind_ms: float | None = None
    solar_wm2: float | None = None


@dataclass(frozen=True)
class Ahead:
    """Outdoor temperature of the coming hours, (hours,), with its standard deviation.

    ``forecast`` tells which hours come from a forecast; the others repeat the last day.
    """

    outdoor_c: Floats
    sd_k: Floats
    forecast: NDArray[np.bool_]


def look_ahead(
    outdoor_c: Floats, until: datetime, hours: int, points: Sequence[ForecastPoint]
) -> Ahead:
    """The coming hours from a forecast where there is one, else from the last day.

    Args:
        outdoor_c: hourly means up to ``until``, the newest last; NaN where nothing was measured.
        until: the end of the last measured hour.
        hours: how many are wanted.
        points: a forecast, in any order; gaps up to six hours are bridged.
    """
    lead = np.arange(1, hours + 1)
    last = _last_day(outdoor_c)
    guess = last[np.arange(hours) % 24]
    sd = GUESS_K * np.sqrt(np.minimum(lead, 96) / 24.0)
    if not points:
        return Ahead(guess, sd, np.zeros(hours, bool))
    ordered = sorted(points, key=lambda p: p.at)
    at = np.array([(p.at - until) / HOUR for p in ordered])
    value = np.array([p.outdoor_c for p in ordered])
    middle = lead - 0.5
    told = np.interp(middle, at, value)
    after = np.searchsorted(at, middle)
    before = np.clip(after - 1, 0, len(at) - 1)
    beyond = np.clip(after, 0, len(at) - 1)
    near = np.minimum(np.abs(at[before] - middle), np.abs(at[beyond] - middle)) <= 3.0
    inside = near & (middle >= at[0] - 1.0) & (middle <= at[-1] + 1.0)
    sure = FORECAST_K * np.sqrt(0.5 + lead / 48.0)
    return Ahead(np.where(inside, told, guess), np.where(inside, sure, sd), inside)


def unknown(outdoor_c: float, hours: int) -> Ahead:
    """The coming hours where nothing was ever measured: one value, and no idea how far off."""
    return Ahead(np.full(hours, outdoor_c), np.full(hours, 3.0 * GUESS_K), np.zeros(hours, bool))


def _last_day(outdoor_c: Floats) -> Floats:
    """The newest known value at each of the next 24 hours of the day; their mean where none."""
    found = np.full(24, np.nan)
    for back in range(1, min(len(outdoor_c), 72) + 1):
        slot = -back % 24
        if np.isnan(found[slot]):
            found[slot] = outdoor_c[-back]
    mean = float(np.nanmean(found)) if (~np.isnan(found)).any() else 0.0
    return np.where(np.isnan(found), mean, found)


def filled(series: Floats, default: float) -> Floats:
    """Gaps bridged by interpolation, ends by the nearest value; a default where all is missing."""
    known = ~np.isnan(series)
    if not known.any():
        return np.full(series.shape, default)
    hours = np.arange(len(series))
    return np.interp(hours, hours[known], series[known])


def heat_share(heat_kw: Floats, outdoor_c: Floats) -> Floats:
    """Heat that arrived as a share of what the same place usually takes in such weather.

    Args:
        heat_kw: hourly means of meters, (meters, hours).
        outdoor_c: hourly means without gaps, (hours,).

    Returns:
        (meters, hours); 1 within the scatter of the usual and where nothing was measured.
    """
    need = np.maximum(BASE_C - outdoor_c, 2.0)
    each = heat_kw / need
    usual = np.full(len(heat_kw), np.nan)
    some = ~np.isnan(each).all(axis=1)
    usual[some] = np.nanmedian(each[some], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(usual[:, None] > 0.0, each / usual[:, None], np.nan)
    off = np.clip(ratio, 0.0, 2.0) - 1.0
    scatter = np.zeros(len(off))
    some = ~np.isnan(off).all(axis=1)  # a meter whose pipes are swapped has no usual heat
    scatter[some] = 1.4826 * np.nanmedian(np.abs(off[some]), axis=1)
    quiet = np.clip(scatter, *QUIET)[:, None]
    off = np.nan_to_num(off)
    beyond = np.maximum(np.abs(off) - quiet, 0.0) / (1.0 - quiet)
    found: Floats = 1.0 + np.sign(off) * np.minimum(beyond, 1.0)
    return found


def missing_heat_k(share: Floats, outdoor_c: Floats) -> Floats:
    """What missing heat does to an equilibrium, K: the room would settle so much lower.

    Args:
        share: heat as a share of the usual, (places, hours).
        outdoor_c: (hours,).
    """
    found: Floats = (share - 1.0) * GAIN * (ROOM_C - outdoor_c)
    return found
