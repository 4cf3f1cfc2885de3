"""How far each dwelling lies off its fellows, beside what is usual of it, and how surely.

Absolute room temperature is a weak witness for one dwelling (domain facts, section 3): weather,
supply and the day's hour move all alike. So every hour is taken against the median of the heated
dwellings of the same circuit, and against the dwelling's own past days against that median. How
far the past counts follows from the network itself: where dwellings differ from each other for
good, a dwelling's own level is its standard; where they hardly do, its fellows' is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.robust import NORMAL, median

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
Bools = NDArray[np.bool_]

PEERS = 5  # fewer measured dwellings make no standard; the whole network's median stands in
TRAILING_H = 6
LEAST_H = 3
DAY_LEAST_H = 12  # as the ledger wants of a day
DAILY_K, DAILY_RANGE_K = 0.5, (0.3, 0.8)  # measured: 0.45 K from a household's day to the next
LASTING_K, LASTING_RANGE_K = 0.5, (0.15, 1.5)
KNOWN_DAYS = 3


@dataclass(frozen=True)
class Offsets:
    """How far dwellings lie off, K; NaN where too little is known.

    ``hourly`` (dwellings, hours) is each hour against the peers' median, ``trailing`` its mean over
    the last hours. ``usual`` and ``spread`` are (dwellings, days): what is usual of each on that
    day, from the days before it, and the standard deviation of a healthy dwelling's offset.
    ``day`` (hours,) says which day an hour belongs to.
    """

    hourly: Floats
    trailing: Floats
    usual: Floats
    spread: Floats
    day: Index

    def at(self, hour: int) -> tuple[Floats, Floats, Floats]:
        """Offset beyond the usual, spread and usual of all dwellings at an hour, (dwellings,)."""
        day = int(self.day[hour])
        usual = self.usual[:, day]
        return self.trailing[:, hour] - usual, self.spread[:, day], usual


@dataclass(frozen=True, slots=True)
class Past:
    """Days before a window: ``mean_c`` (dwellings, days), oldest first, NaN where not measured.

    Days colder than ``floor_c`` are no lesson of what is usual.
    """

    mean_c: Floats
    floor_c: float


def offsets(level_c: Floats, heated: Bools, group: Index, day: Index, past: Past) -> Offsets:
    """Offsets of a window.

    What is usual is learnt anew for every day from the days before it, those of the window
    included, so that a backlog is judged as it would have been day by day.

    Args:
        level_c: (dwellings, hours) °C of believed sensors, NaN where none speaks.
        heated: (dwellings,) whether heat is owed: the others set no standard.
        group: (dwellings,) the number of each dwelling's circuit.
        day: (hours,) the civil day of each hour, counted from the window's first.
        past: the days before the window's first hour.
    """
    hourly = level_c - peers_median(level_c, heated, group)
    days = int(day.max(initial=-1)) + 1
    known = _known_days(level_c, day, days)
    means = np.concatenate([past.mean_c, known], axis=1)
    means = np.where(means < past.floor_c, np.nan, means)
    off = means - peers_median(means, heated, group)
    before = past.mean_c.shape[1]
    learnt = [_usual(off[:, : before + number]) for number in range(days)]
    none = np.zeros((len(level_c), 0))
    usual = np.stack([one for one, _ in learnt], axis=1) if learnt else none
    spread = np.stack([one for _, one in learnt], axis=1) if learnt else none
    return Offsets(hourly, _trailing(hourly), usual, spread, day)


def _known_days(level_c: Floats, day: Index, days: int) -> Floats:
    """Daily means of the window's days, (dwellings, days); NaN under half a day of hours."""
    found = np.full((len(level_c), days), np.nan)
    for number in range(days):
        hours = level_c[:, day == number]
        count = (~np.isnan(hours)).sum(axis=1)
        total = np.nansum(hours, axis=1)
        found[:, number] = np.where(count >= DAY_LEAST_H, total / np.maximum(count, 1), np.nan)
    return found


def peers_median(value: Floats, heated: Bools, group: Index) -> Floats:
    """Median of the measured heated dwellings of each dwelling's group, (dwellings, columns)."""
    found = np.full(value.shape, np.nan)
    order = np.argsort(group, kind="stable")
    edges = np.flatnonzero(np.diff(group[order])) + 1
    everybody = median(value[heated], axis=0) if len(edges) else None  # one group is everybody
    for rows in np.split(order, edges):
        here = value[rows[heated[rows]]]
        standard = median(here, axis=0)
        if everybody is not None:
            enough = (~np.isnan(here)).sum(axis=0) >= PEERS
            standard = np.where(enough, standard, everybody)
        found[rows] = standard
    return found


def _trailing(hourly: Floats) -> Floats:
    """Mean of the known hours among the last ``TRAILING_H``; NaN under ``LEAST_H`` of them."""
    known = ~np.isnan(hourly)
    total = np.cumsum(np.where(known, hourly, 0.0), axis=1)
    count = np.cumsum(known, axis=1)
    if hourly.shape[1] > TRAILING_H:
        total[:, TRAILING_H:] -= total[:, :-TRAILING_H].copy()
        count[:, TRAILING_H:] -= count[:, :-TRAILING_H].copy()
    return np.where(count >= LEAST_H, total / np.maximum(count, 1), np.nan)


def _usual(past: Floats) -> tuple[Floats, Floats]:
    """What is usual of each dwelling against its peers, and a healthy offset's spread, K.

    An empirical Bayes estimate: the mean of its days, drawn towards nought by the ratio of the
    day-to-day variance to the variance between dwellings.
    """
    known = ~np.isnan(past)
    days = known.sum(axis=1)
    centre = np.zeros(len(past))
    some = days > 0
    centre[some] = median(past[some], axis=1)
    daily, lasting = DAILY_K, LASTING_K
    settled = days >= KNOWN_DAYS
    if settled.sum() >= PEERS:
        off = np.abs(past[settled] - centre[settled, None])
        daily = float(np.clip(NORMAL * np.nanmedian(off), *DAILY_RANGE_K))
        between = NORMAL * np.median(np.abs(centre[settled]))
        within = daily**2 / np.mean(days[settled])
        lasting = float(np.clip(np.sqrt(max(between**2 - within, 0.0)), *LASTING_RANGE_K))
    weight = days / (days + (daily / lasting) ** 2)
    left = 1.0 / (1.0 / lasting**2 + days / daily**2)
    return weight * centre, np.sqrt(daily**2 + left)
