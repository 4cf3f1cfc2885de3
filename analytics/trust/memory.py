"""The daily memory of each sensor: one row of running sums a sensor and UTC day.

Slow lies show over weeks, while only two days of hours are looked at live. So every whole day is
folded into sums from which slopes, their errors and trends follow exactly; a day's row holds all
that came before, so the last row is all that has to be read. Sums fade by ``FADE`` a day and start
anew after a confirmed jump or a certified reading: what hung elsewhere was another sensor.

Columns (``FIELDS``), K, °C, hundreds of W/m²; ``e`` is how far the sensor lies from its peers:
``days`` since the last new start; ``offset_k`` and ``swing_k`` that day's mean and lopsided swing
(95 % over median, less half of median over 5 %: a radiator pushes up, a window or a setback down)
of ``e``; ``swings`` the faded number of days with a wide swing; ``moved_k`` level shifts not taken
back, since ``moved_day``, from ``moved_from_k``; ``knock_k`` a jump that is not settled yet, from
``knock_from_k``, since ``knock_day``, and ``pair``, whether either was an exchange with another
sensor (``analytics.trust.shifts``); ``told`` the number of the slow lie that was told
(``analytics.trust.telling``); sums over hours of two-hour increments of outdoor air (o), sun (s),
supply (p) and e: ``n oo ss os oe se ee``, ``pn pp pe pee``; ``dn doo doe dee``: of what these
increments differ from those a day before, so that daily habits drop out; and of daily means of e
against days before this one: ``w t tt e te e2``.

Increments over two hours, since slow things (walls, weather, moods) drop out of them, while a
sensor's case has followed within minutes.
"""

from __future__ import annotations

import numpy as np

from analytics.trust.looking import Seen, look
from analytics.trust.model import (
    COLUMN,
    DAY_HOURS,
    FIELDS,
    NOTHING_AROUND,
    Facts,
    Flags,
    Floats,
    SensorHours,
    Surroundings,
)
from analytics.trust.shifts import note, settle
from analytics.trust.stuck import SUSPECT_HOURS
from analytics.trust.telling import keep_told

FADE = 0.975
"""Weight left of responses after a day: half after four weeks."""
TREND_FADE = 0.99
"""Weight left of daily means after a day: half after ten weeks, since a drift takes that long."""
_TREND = [COLUMN[name] for name in ("w", "t", "tt", "e", "te", "e2", "swings")]
_KEPT = [
    COLUMN[name]
    for name in (
        *("days", "moved_k", "moved_day", "moved_from_k"),
        *("knock_k", "knock_from_k", "knock_day", "pair", "told"),
    )
]
LAG_H = 2
CLIP_K = 1.5
"""Larger increments are windows and jumps, not responses."""
ENOUGH_HOURS = 12
"""A day with fewer known hours says nothing of its mean."""
WIDE_SWING_K = 1.0
"""The 95 % quantile of a measured room's hours lies 0.35 to 0.6 K above its median and the 5 %
quantile as far below (medians over days); on radiators 1.7 to 1.9 K above and 0.5 to 0.8 K
below."""


def daily(
    sensors: SensorHours,
    around: Surroundings = NOTHING_AROUND,
    before: Facts | None = None,
    seen: Seen | None = None,
) -> Facts:
    """Fold the whole UTC days of a window into the memory.

    Args:
        sensors: hours that contain the days, and better still the day before the first of them.
        around: weather and supply of the same hours.
        before: the memory so far; days up to its last one are not folded again. Its rows must be
            those of ``sensors``.
        seen: what the window shows, where that is known already (``looking.look``).

    Returns:
        The rows of the days that were added (and no others); ``days`` is 0 when there is none.
    """
    seen = seen or look(sensors, around)
    honest = np.where(seen.flat_hours >= SUSPECT_HOURS, np.nan, seen.offset_k)
    found = seen.jumps
    first_hour = int(sensors.start.timestamp() // 3600)
    first = max(-(-first_hour // DAY_HOURS), 0)
    last = (first_hour + sensors.shape[1]) // DAY_HOURS
    if before is not None and before.days:
        first = max(first, before.first_day + before.days)
    row = _start(sensors.shape[0], before)
    deltas = _Increments(honest, around)
    rows = []
    for day in range(first, last):
        hours = slice(day * DAY_HOURS - first_hour, (day + 1) * DAY_HOURS - first_hour)
        known = (~np.isnan(honest[:, hours])).sum(axis=1)
        mean_k = np.nansum(honest[:, hours], axis=1) / np.maximum(known, 1)
        settle(row, found, hours, mean_k, known >= ENOUGH_HOURS)
        _certified(row, around, hours)
        _fold(row, honest[:, hours], deltas, hours)
        note(row, found, hours, day)
        keep_told(row, around)
        rows.append(row.astype(np.float32))
    if not rows:
        return Facts.none(sensors.shape[0])
    return Facts(first, np.stack(rows, axis=1))


def _start(count: int, before: Facts | None) -> Floats:
    if before is None or before.days == 0:
        return np.zeros((count, len(FIELDS)))
    return np.nan_to_num(before.state[:, -1].astype(np.float64))


class _Increments:
    """Two-hour increments of everything, and what they differ from those a day before."""

    def __init__(self, offset: Floats, around: Surroundings) -> None:
        hours = offset.shape[1]
        self.e = np.clip(_increment(offset), -CLIP_K, CLIP_K)
        self.o = _increment(_or_nan(around.outdoor_c, (hours,)))
        self.s = _increment(_or_nan(around.solar_wm2, (hours,)) / 100.0)
        self.p = None if around.supply_c is None else _increment(around.supply_c)

    @staticmethod
    def anew(values: Floats, hours: slice) -> Floats:
        """Increments of some hours less those of a day before; NaN where there is none."""
        if hours.start < DAY_HOURS:
            return np.full(values[..., hours].shape, np.nan)
        day_before = slice(hours.start - DAY_HOURS, hours.stop - DAY_HOURS)
        return values[..., hours] - values[..., day_before]


def _or_nan(values: Floats | None, shape: tuple[int, ...]) -> Floats:
    return np.full(shape, np.nan) if values is None else values


def _increment(values: Floats) -> Floats:
    grown = np.full(values.shape, np.nan)
    grown[..., LAG_H:] = values[..., LAG_H:] - values[..., :-LAG_H]
    return grown


def _certified(row: Floats, around: Surroundings, hours: slice) -> None:
    """Begin anew where a reading was certified in a day."""
    if around.certified_hour is not None:
        with np.errstate(invalid="ignore"):
            today = (around.certified_hour >= hours.start) & (around.certified_hour < hours.stop)
        row[today] = 0.0


def _fold(row: Floats, offset: Floats, deltas: _Increments, hours: slice) -> None:
    """One day into the sums."""
    keep = row[:, _KEPT]
    w, t = row[:, COLUMN["w"]].copy(), row[:, COLUMN["t"]].copy()
    row[:, COLUMN["tt"]] += w - 2.0 * t  # yesterday was day 0, now it is day -1
    row[:, COLUMN["t"]] -= w
    row[:, COLUMN["te"]] -= row[:, COLUMN["e"]]
    trend = row[:, _TREND] * TREND_FADE
    row *= FADE
    row[:, _TREND] = trend
    row[:, _KEPT] = keep
    row[:, COLUMN["days"]] += 1.0
    _responses(row, deltas, hours)
    known = (~np.isnan(offset)).sum(axis=1)
    enough = known >= ENOUGH_HOURS
    mean = np.where(enough, np.nansum(offset, axis=1) / np.maximum(known, 1), 0.0)
    swing = _swing(offset, known)
    row[:, COLUMN["offset_k"]] = np.where(enough, mean, np.nan)
    row[:, COLUMN["swing_k"]] = np.where(enough, swing, np.nan)
    row[:, COLUMN["swings"]] += enough & (swing >= WIDE_SWING_K)
    for name, value in (("w", enough * 1.0), ("e", mean), ("e2", mean * mean)):
        row[:, COLUMN[name]] += value


def _responses(row: Floats, deltas: _Increments, hours: slice) -> None:
    """Add a day's products of increments."""
    e, o, s = deltas.e[:, hours], deltas.o[hours], deltas.s[hours]
    o_known, s_known = (
        o,
        np.where(np.isnan(s), 0.0, s),
    )  # without a sun the outdoor air still counts
    _add(row, ("n", "oo", "oe", "ee"), e, o_known)
    both = ~np.isnan(e) & ~np.isnan(o)
    row[:, COLUMN["ss"]] += (both * s_known**2).sum(axis=1)
    row[:, COLUMN["os"]] += (both * np.nan_to_num(o) * s_known).sum(axis=1)
    row[:, COLUMN["se"]] += (np.where(both, e, 0.0) * s_known).sum(axis=1)
    if deltas.p is not None:
        _add(row, ("pn", "pp", "pe", "pee"), e, deltas.p[:, hours])
    _add(
        row, ("dn", "doo", "doe", "dee"), deltas.anew(deltas.e, hours), deltas.anew(deltas.o, hours)
    )


def _add(row: Floats, names: tuple[str, str, str, str], e: Floats, x: Floats) -> None:
    """Add count, Σxx, Σxe and Σee over the hours that know both."""
    known: Flags = ~np.isnan(e) & ~np.isnan(x)
    response, driver = np.where(known, e, 0.0), np.where(known, x, 0.0)
    sums = (known, driver * driver, driver * response, response * response)
    for name, terms in zip(names, sums, strict=True):
        row[:, COLUMN[name]] += terms.sum(axis=1)


def _swing(offset: Floats, known: Floats | np.ndarray) -> Floats:
    """How lopsided a day's offsets swing, K (sensors,): see ``swing_k``."""
    ordered = np.sort(offset, axis=1)
    rows = np.arange(len(offset))
    last = np.maximum(known - 1, 0)
    low, middle, high = (
        ordered[rows, np.rint(q * last).astype(np.int64)] for q in (0.05, 0.5, 0.95)
    )
    return np.asarray((high - middle) - 0.5 * (middle - low))
