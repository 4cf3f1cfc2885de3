"""A sensor far below its peers ever since it was first heard, and beyond its walls nobody feels it.

A level that was always there has no step and hardly a trend; the weather does not move it; so the
sensor by itself cannot tell an offset from a room that is always cold. Its neighbours can: what
they say over many days is weighed as in ``analytics.trust.walls``, with the smaller error that
long means have. What was well once and got cold is not concerned, nor what answers to the outdoor
air (``analytics.trust.hung``), nor who lives beside an unheated dwelling (``around``).

A lie that was always there stays as it is: where the sensor falls well below it, the room has got
cold besides, and is believed. Such a room must not wait for ever either: unfelt for a week, and
plainly, it is a case for a thermometer, which settles it (``hearthline devices certify``).
"""

from __future__ import annotations

import numpy as np

from analytics.trust.drift import FASTEST_K_WEEK, trends
from analytics.trust.hung import (
    FAR_DOUBTFUL,
    OUTDOOR_KK,
    WANDERS_K,
    mean_offset,
    scatter,
    weather_slopes,
)
from analytics.trust.model import (
    NUMBER,
    Facts,
    Flags,
    Floats,
    Ints,
    Shown,
    Surroundings,
    TrustReason,
)
from analytics.trust.peers import MANY, groups, median
from analytics.trust.walls import after, against_the_room

FAR_K, FAR_SURE_K = 0.8, 1.0
"""Below its peers: three and nearly four times what healthy dwellings differ for good. Where
dwellings of a station differ more than they usually do, as houses of a village or rooms on their
own do, it takes as much more; of fewer than a dozen sensors nobody knows."""
NORMAL = 1.4826
"""Times the median distance from nought: the standard deviation, where it is normal."""
LEAST_DAYS, SURE_DAYS = 1.9, 6.7
"""Two and seven days, faded as ``w`` is; after seven the error of a mean is nearly all what
dwellings differ for good."""
LIKELIER, SURE = 0.0, 2.0
"""Log likelihood of a lie: likelier than a cold room, and seven to one. Of the 82 dwellings of five
mixed winters that were truly so low for so long, felt no weather and had no unheated neighbour,
none was beyond 0.1."""


def shown_unfelt(past: Facts, around: Surroundings) -> Shown:
    """Levels that have been low from the first and that no neighbour feels, K below the peers.

    Only the few that are so low, or were told of, are looked at.
    """
    level = mean_offset(past)
    doubted, sure, stays = (np.zeros(level.shape, bool) for _ in range(3))
    told = past["told"] == float(NUMBER[TrustReason.UNFELT])
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero(((level <= -FAR_K) | told).any(axis=1))
    if len(rows) and around.walls is not None:
        wider = _wider(past, level, around)
        felt = _felt(past, level, wider, around.walls, rows)
        few = Facts(past.first_day, past.state[rows])
        doubted[rows], sure[rows], stays[rows] = _shown(few, level[rows], wider[rows], felt)
    return Shown(TrustReason.UNFELT, doubted, sure, stays, level, certifiable=True, constant=True)


def _shown(few: Facts, level: Floats, wider: Floats, felt: Floats) -> tuple[Flags, Flags, Flags]:
    """Doubted, sure, and still to be told, of the sensors that are looked at."""
    with np.errstate(invalid="ignore"):
        against = felt + np.where(felt >= SURE / 2.0, falling(few), 0.0)
        steady = (scatter(few) <= WANDERS_K) & ~_answers(few) & (few["moved_k"] == 0.0)
        always = np.maximum(level, _first(few, level)) <= -FAR_K * wider
        always &= few["offset_k"] <= -FAR_K / 2.0  # and it still is
        doubted = always & steady & (against >= LIKELIER)
        sure = doubted & (level <= -FAR_SURE_K * wider) & (few["w"] >= SURE_DAYS)
        stays = (level <= -FAR_K / 2.0) & (against >= SURE / 2.0)
        return doubted, sure & (against >= SURE), stays


def _wider(past: Facts, level: Floats, around: Surroundings) -> Floats:
    """By how much more dwellings of a station differ than they usually do; NaN where too few."""
    wider = np.full(level.shape, np.nan)
    stations = np.zeros(len(level), np.int64) if around.area is None else around.area
    for rows in groups(stations):
        wider[rows] = median(np.abs(level[rows]), MANY) * NORMAL
    return np.where(np.isnan(wider), np.nan, np.fmax(wider / after(past["w"]), 1.0))


def _felt(past: Facts, level: Floats, wider: Floats, walls: Ints, rows: Ints) -> Floats:
    """Log likelihood of a lie by what the neighbours of some sensors say, (rows, days)."""
    asked = np.zeros(len(level), bool)
    asked[rows] = True
    known = np.where(past["w"] >= LEAST_DAYS, level, np.nan)
    return against_the_room(known, walls[asked[walls[:, 0]]], after(past["w"]) * wider)[rows]


def _first(past: Facts, level: Floats) -> Floats:
    """Where it lay when it was first heard, by its trend, K; its mean while that says nothing."""
    slope, _ = trends(past)
    with np.errstate(invalid="ignore", divide="ignore"):
        first = level - slope * (past["t"] / past["w"] + past["days"] - 1.0)
    return np.where(np.isnan(first), level, first)


def falling(past: Facts) -> Floats:
    """Log likelihood of a slow fall against none, less what a free slope gains by chance."""
    slope, error = trends(past)
    with np.errstate(invalid="ignore", divide="ignore"):
        slow = (slope < 0.0) & (np.abs(slope) - 2.0 * error <= FASTEST_K_WEEK / 7.0)
        gain = np.where(slow & (scatter(past) <= WANDERS_K), (slope / error) ** 2, 0.0)
    return np.asarray(np.maximum(np.nan_to_num(gain) / 2.0 - 0.5, 0.0))


def _answers(past: Facts) -> Flags:
    """Whether the outdoor air moves it within the hour: a balcony, or a valve shut at night."""
    outdoor, _ = weather_slopes(past)
    with np.errstate(invalid="ignore"):
        return np.asarray((outdoor.slope >= OUTDOOR_KK) & (outdoor.sigmas >= FAR_DOUBTFUL))
