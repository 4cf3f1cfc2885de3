"""Sensors hung where they should not be: over a radiator, in the sun, on a balcony or outer wall.

Such a sensor mixes something else into the air it should feel, and follows that within minutes. The
room itself follows sun, water and outdoor air too, but over hours, and its peers with it; so what
counts is the slope, hour by hour, of its distance from the peers, with its error, and whether that
slope also explains how far off it is on average. The latter tells a balcony from a dwelling whose
valve is turned down at night or whose window leaks: there the level and the hourly slope disagree,
since heat takes its time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.trust.model import Facts, Flags, Floats, Shown, Surroundings, TrustReason
from analytics.trust.walls import UNFELT, against_the_room

SURE, DOUBTFUL = 6.0, 5.0
"""Standard errors: of 100,000 sensors judged daily for a season one in a thousand passes five by
chance, and none six."""
FAR_K, FAR_SURE, FAR_DOUBTFUL = 1.5, 4.0, 3.0
"""Healthy dwellings lie 0.3 K from their peers (standard deviation), so that far off only those of
dwellings in trouble are left to mistake, one in a hundred: so much less has to be ruled out."""
OVERLAP = 2.0
"""Two-hour increments taken every hour share half their length: variances count double."""
SUN_K_100WM2 = 0.2
"""1 K at a winter noon of 500 W/m² on the south front, which is some 250 to 350 W/m² on the level.
The rooms of 2,000 dwellings stay within ±0.08."""
OUTDOOR_KK, WATER_KK = 0.02, 0.015
"""Share of (room − outdoor) or (water − room) that it feels; 32 K and 26 K at −10 °C make 0.5 K."""
ROOM_C = 21.0
AGREE_K, AGREE_SHARE = 0.6, 0.2
"""How far level and slope may disagree: healthy dwellings lie up to 0.75 K from their peers, and a
dwelling that truly loses heat lies half as far again below what its hourly slope explains."""
LEVEL_K = 0.6
"""A level error that matters (the instrument's tolerance is 0.3 to 0.5 K)."""
WANDERS_K = 0.75
"""Scatter of daily means, of which 0.33 K is everyday life, that is still a place on a wall and
not a dwelling that gets colder."""
HABIT_SURE = 2.0
"""What is left of the slope once daily habits are taken out must still stand out by itself, unless
neighbours say that the room is not cold: no habit explains both."""
SWING_DAYS, SWING_SHARE = 6.5, 0.5
"""Wide upward swings on half of at least seven days (faded); no room was beyond one day in ten."""


@dataclass(frozen=True, slots=True)
class Slopes:
    """Responses of one kind: slope and its standard error, (sensors, days); NaN where unknown."""

    slope: Floats
    error: Floats

    @property
    def sigmas(self) -> Floats:
        """By how many standard errors a slope differs from none."""
        return np.asarray(self.slope / self.error)


def shown_sun(past: Facts, _around: Surroundings) -> Shown:
    """Warmer than its peers whenever, and only while, the sun shines."""
    _, sun = weather_slopes(past)
    return _shown(TrustReason.SUN, sun, sun.slope, sun.slope >= SUN_K_100WM2,
                  sun.slope >= SUN_K_100WM2 / 2.0)  # fmt: skip


def shown_radiator(past: Facts, _around: Surroundings) -> Shown:
    """Warmer than its peers and breathing with the water, or with the radiator's own rhythm."""
    water, (outdoor, _) = water_slopes(past), weather_slopes(past)
    level, days = mean_offset(past), past["w"]
    unmetered = np.isnan(water.slope)
    response = Slopes(
        np.where(unmetered, -outdoor.slope, water.slope),
        np.where(unmetered, outdoor.error, water.error),
    )
    least = np.where(unmetered, OUTDOOR_KK, WATER_KK)
    with np.errstate(invalid="ignore", divide="ignore"):
        follows = (response.slope >= least) & (outdoor.slope < 0.0) & (level >= LEVEL_K)
        stays = (response.slope >= least / 2.0) & (level >= LEVEL_K / 2.0)
        rhythm = (days >= SWING_DAYS) & (past["swings"] >= SWING_SHARE * days)
        still = (days >= SWING_DAYS) & (past["swings"] >= SWING_SHARE / 2.0 * days)
    water_says = _shown(TrustReason.RADIATOR, response, level, follows, stays)
    return Shown(
        TrustReason.RADIATOR,
        water_says.doubted | rhythm,
        water_says.sure | rhythm,
        stays | still,
        np.where(rhythm & ~water_says.sure, past["swing_k"], level),
    )


def shown_outdoors(past: Facts, around: Surroundings) -> Shown:
    """Colder than its peers by what the outdoor air explains, hour by hour and on the whole."""
    outdoor, _ = weather_slopes(past)
    beyond_habit = habit_free_slope(past)
    level = mean_offset(past)
    with np.errstate(invalid="ignore"):
        explained = outdoor.slope * felt_outdoors(around)
        agrees = np.abs(level - explained) <= AGREE_K + AGREE_SHARE * np.abs(explained)
        follows = (outdoor.slope >= OUTDOOR_KK) & (explained <= -LEVEL_K) & (level <= -LEVEL_K)
        genuine = (beyond_habit.sigmas >= HABIT_SURE) & (beyond_habit.slope >= 0.5 * outdoor.slope)
        stays = (outdoor.slope >= OUTDOOR_KK / 2.0) & (level <= -LEVEL_K / 2.0)
        stays &= np.abs(level - explained) <= 2.0 * (AGREE_K + AGREE_SHARE * np.abs(explained))
        genuine |= against_the_room(level, around.walls) >= UNFELT
    follows &= agrees & genuine & (scatter(past) <= WANDERS_K)
    return _shown(TrustReason.OUTDOORS, outdoor, level, follows, stays)


def _shown(
    reason: TrustReason, slopes: Slopes, measure: Floats, follows: Flags, stays: Flags
) -> Shown:
    """A response strong enough, as sure as its error and its place among healthy ones make it."""
    level = np.abs(measure) if reason is not TrustReason.SUN else np.zeros(measure.shape)
    with np.errstate(invalid="ignore"):
        far = level >= FAR_K
        sure = follows & (slopes.sigmas >= np.where(far, FAR_SURE, SURE))
        doubted = follows & (slopes.sigmas >= np.where(far, FAR_DOUBTFUL, DOUBTFUL))
    return Shown(reason, doubted, sure, stays, measure)


def weather_slopes(past: Facts) -> tuple[Slopes, Slopes]:
    """Response to outdoor air (K/K) and to sun (K per 100 W/m²), one regression on both."""
    n, oo, ss, os_ = past["n"], past["oo"], past["ss"], past["os"]
    oe, se, ee = past["oe"], past["se"], past["ee"]
    sunless = ss <= 1e-9 * np.maximum(oo, 1e-9)
    ss = np.where(sunless, 1.0, ss)
    with np.errstate(invalid="ignore", divide="ignore"):
        det = oo * ss - os_**2
        det = np.where((oo > 0.0) & (det > 1e-6 * oo * ss), det, np.nan)
        outdoor, sun = (oe * ss - se * os_) / det, (se * oo - oe * os_) / det
        rest = np.maximum(ee - outdoor * oe - sun * se, 1e-6) / np.maximum(n - 2.0, 1.0)
        errors = np.sqrt(OVERLAP * rest * ss / det), np.sqrt(OVERLAP * rest * oo / det)
    sun = np.where(sunless, np.nan, sun)
    return Slopes(outdoor, errors[0]), Slopes(sun, errors[1])


def water_slopes(past: Facts) -> Slopes:
    """Response to the secondary supply, K/K."""
    return _single(past["pn"], past["pp"], past["pe"], past["pee"], OVERLAP)


def habit_free_slope(past: Facts) -> Slopes:
    """Response to what the outdoor air does unlike the day before, K/K."""
    return _single(past["dn"], past["doo"], past["doe"], past["dee"], 2.0 * OVERLAP)


def mean_offset(past: Facts) -> Floats:
    """Faded mean of a sensor's distance from its peers, K (sensors, days)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(past["w"] > 0.0, past["e"] / past["w"], np.nan))


def scatter(past: Facts) -> Floats:
    """Standard deviation of a sensor's daily distance from its peers, K (sensors, days)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.sqrt(np.maximum(past["e2"] / past["w"] - mean_offset(past) ** 2, 0.0))


def _single(n: Floats, xx: Floats, xe: Floats, ee: Floats, overlap: float) -> Slopes:
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.where(xx > 0.0, xe / xx, np.nan)
        rest = np.maximum(ee - slope * xe, 1e-6) / np.maximum(n - 1.0, 1.0)
        return Slopes(slope, np.sqrt(overlap * rest / np.where(xx > 0.0, xx, np.nan)))


def felt_outdoors(around: Surroundings) -> float:
    """Mean outdoor air less the room, K; NaN where nobody measures it."""
    outdoor = around.outdoor_c
    if outdoor is None or np.isnan(outdoor).all():
        return float("nan")
    return float(np.nanmean(outdoor)) - ROOM_C
