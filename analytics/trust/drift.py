"""Drift: a sensor that wanders from its peers by tenths of a kelvin a week, for good.

Daily means of a healthy dwelling scatter by 0.33 K around its place among the peers, nearly each
day for itself, since people come and go. The error of a slope over T days is then about 0.25 K a
week after two weeks, 0.1 after four, 0.05 after six, 0.035 after eight (2,000 simulated
dwellings). So a drift of 0.3 K a week is certain after some 45 days, one of 0.2 after two months,
one of 0.1 only in the course of a season, one of 0.05 hardly ever; before that nobody can tell,
and nothing is said.

Faster than ``FASTEST`` is not ageing but heat: a strainer that fills up, a radiator that sludges.
"""

from __future__ import annotations

import numpy as np

from analytics.robust import median
from analytics.trust.model import Facts, Flags, Floats, Shown, Surroundings, TrustReason
from analytics.trust.peers import groups

LEAST_DAYS = 21
SURE = 6.0
"""Standard errors, as for the other slow lies; in between nothing is said, since a doubt that
lasts for weeks would hold back every cold reading of a dwelling."""
FASTEST_K_WEEK = 0.6
TOTAL_K = 0.5
"""Less than the instrument's own tolerance is not worth a visit."""
MEMORY = 2.5
"""By how much more the variance of a slope is than of independent days: (1 + ρ)/(1 − ρ) at a
measured correlation of 0.33 is 2, and moods of weeks add to it."""
FELLOWS = 4
"""Sensors of an entrance from which on their common trend is taken out: heat wanders there too."""


def shown_drift(past: Facts, around: Surroundings) -> Shown:
    """Trends that stand out from their errors and from the trends around them, K a week."""
    slope, error = trends(past)
    with np.errstate(invalid="ignore"):
        trended = (np.abs(slope) >= SURE / 2.0 * error) & (past["days"] >= LEAST_DAYS)
    wanted = np.asarray(trended.any(axis=1))
    own = slope - _around(slope, around, wanted)
    with np.errstate(invalid="ignore"):
        slow = (np.abs(own) <= FASTEST_K_WEEK / 7.0) & (past["days"] >= LEAST_DAYS)
        total = np.abs(own) * past["days"] >= TOTAL_K
        sigmas = np.minimum(np.abs(own), np.abs(slope)) / error
        sure = slow & total & (sigmas >= SURE)
        stays = slow & (sigmas >= SURE / 2.0)
    return Shown(
        TrustReason.DRIFT, np.zeros(sure.shape, bool), sure, stays, own * 7.0, certifiable=True
    )


def trends(past: Facts) -> tuple[Floats, Floats]:
    """Slope of daily means, K a day, and its standard error, (sensors, days)."""
    w, t, tt = past["w"], past["t"], past["tt"]
    e, te, e2 = past["e"], past["te"], past["e2"]
    with np.errstate(invalid="ignore", divide="ignore"):
        stt, ste, see = tt - t * t / w, te - t * e / w, e2 - e * e / w
        stt = np.where((w >= LEAST_DAYS / 2) & (stt > 0.0), stt, np.nan)
        slope = ste / stt
        rest = np.maximum(see - slope * ste, 1e-4) / np.maximum(w - 2.0, 1.0)
        return slope, np.sqrt(MEMORY * rest / stt)


def _around(slope: Floats, around: Surroundings, wanted: Flags) -> Floats:
    """The median trend of each wanted sensor's entrance, K a day; 0 where it has too few."""
    common = np.zeros(slope.shape)
    if around.entrance is None or not wanted.any():
        return common
    for rows in groups(around.entrance):
        if len(rows) >= FELLOWS and wanted[rows].any():
            common[rows] = np.nan_to_num(median(slope[rows], axis=0))
    return common
