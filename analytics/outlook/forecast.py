"""The next 48 hours of every dwelling and building, and when a dwelling falls below the standard.

Pure. A dwelling is its building's level plus its own difference from it. The building relaxes
towards its equilibrium with a time constant of 45 to 101 h, the difference with 7 to 16 h (a
dwelling among heated neighbours settles near them); weather and heat that a meter misses move the
building's equilibrium. Time constants are those under which each series' own past was least
surprising, held near their usual values by a prior.

How wrong it may be is not believed but tried: the same forecast is made as of a day ago, and where
today's readings lie further off than it said, all intervals are widened in proportion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analytics.outlook import tails, weather
from analytics.outlook.common import DAY, Parted, part, repeated
from analytics.outlook.estimate import Estimate
from analytics.outlook.relaxation import Noise, State, ahead, follow, share
from analytics.outlook.town import Town
from analytics.outlook.weather import Ahead

Floats = NDArray[np.float64]

LEADS = 48
BUILDING_TAU_H = (45.0, 55.0, 68.0, 83.0, 101.0)
DWELLING_TAU_H = (7.0, 9.0, 12.0, 16.0)
NOISE_SERIES = 2_000  # are enough to tell how noisy all are
TAU_PRIOR_SD = 0.3  # of the logarithm, around the middle of each range
# A building's level moves by some tenths of a kelvin a day, its equilibrium by about 1 K.
BUILDING_NOISE = Noise(0.03**2, 0.2**2, 0.1**2, start=1.0, back_h=6.0, jumps=False)
# People move one dwelling's hourly mean by 0.15 to 0.3 K.
DWELLING_NOISE = Noise(0.08**2, 0.06**2, 0.2**2, start=0.7, back_h=12.0, jumps=True)
SLOPE_KK = 0.05
"""Change of a building's level with outdoor temperature: measured rooms show 0.02 to 0.09 K/K."""
SLOPE_SD_KK = 0.03
PERSISTS_H = 4  # a standard is broken by hours together: see ``Policy.open_after``
MENDED_H = 12.0
"""What went wrong with the heat just now lasts so long; what has lasted longer, as long again."""
TRIED_SHARE = 0.95
"""Errors of one day are alike and a calm day flatters: more than 90 % of one trial is held."""
STAYS = 0.3
"""Weight of yesterday's same hour, a day ahead: what no model knows mostly stays, and two forecasts
that err apart err less together (Bates and Granger, Operational Research Quarterly 20, 1969)."""
LEAST_PAST_H = 48
"""Without two days of readings nothing can be tried on the past, and intervals are the model's."""


@dataclass(frozen=True)
class Past:
    """What is known: levels (dwellings, hours), outdoor (hours,), heat (buildings, hours)."""

    level_c: Floats
    outdoor_c: Floats
    heat_share: Floats

    def until(self, hours: int) -> Past:
        """The same as it was known ``hours`` ago."""
        return Past(self.level_c[:, :-hours], self.outdoor_c[:-hours], self.heat_share[:, :-hours])


@dataclass(frozen=True)
class Forecast:
    """Hourly means ahead, (dwellings, LEADS) and (buildings, LEADS), with half 90 % intervals.

    ``settled_k`` is the half interval of a dwelling's mean over ``PERSISTS_H`` hours, without
    what people do within the hour. ``tau_h`` and ``building_tau_h`` are the time constants,
    ``widened`` how much the trial on the past stretched the intervals at each lead, (LEADS,).
    """

    mean_c: Floats
    half_k: Floats
    settled_k: Floats
    building_c: Floats
    building_half_k: Floats
    tau_h: Floats
    building_tau_h: Floats
    slope_kk: float
    widened: Floats
    tried: int

    def chance_below(self, limit_c: float) -> Floats:
        """Chance that the mean of ``PERSISTS_H`` hours is below a limit, (dwellings, LEADS).

        At each lead the mean of the hours around it is meant, so that one airing is no breach.
        """
        padded = np.pad(self.mean_c, ((0, 0), (0, PERSISTS_H - 1)), mode="edge")
        run = np.lib.stride_tricks.sliding_window_view(padded, PERSISTS_H, axis=1).mean(axis=2)
        return tails.below(limit_c, run, self.settled_k)

    def breach(self, limit_c: float) -> Breach:
        """Who falls below a limit, how surely, and after how many hours."""
        chance = self.chance_below(limit_c)
        likely = chance >= 0.5
        first = np.where(likely.any(axis=1), likely.argmax(axis=1) + 1, 0)
        return Breach(chance[:, :DAY].max(axis=1), chance.max(axis=1), first)


@dataclass(frozen=True)
class Breach:
    """Chances to be below the standard within 24 and 48 h, (dwellings,) each.

    ``hours`` is after how many hours it is as likely as not; 0 where it never is.
    """

    within_24h: Floats
    within_48h: Floats
    hours: NDArray[np.int64]


@dataclass(frozen=True)
class _Run:
    """A forecast before its intervals are stretched: variances in K²."""

    mean_c: Floats
    variance: Floats
    reading: Floats
    building_c: Floats
    building_variance: Floats
    tau_h: Floats
    building_tau_h: Floats
    slope_kk: float


def forecast(town: Town, past: Past, coming: Ahead, found: Estimate) -> Forecast:
    """Look ahead from the end of the past.

    Args:
        town: the dwellings.
        past: what was measured.
        coming: the weather ahead, ``LEADS`` hours.
        found: estimates of the day, for dwellings that nothing measures.
    """
    run = _run(town, past, coming, found)
    widened, tried = _tried(town, past, found)
    stretch = tails.NORMAL_HALF * widened
    return Forecast(
        mean_c=run.mean_c,
        half_k=stretch * np.sqrt(run.variance + run.reading[:, None]),
        settled_k=stretch * np.sqrt(run.variance),
        building_c=run.building_c,
        building_half_k=stretch * np.sqrt(run.building_variance),
        tau_h=run.tau_h,
        building_tau_h=run.building_tau_h,
        slope_kk=run.slope_kk,
        widened=widened,
        tried=tried,
    )


def _run(
    town: Town, past: Past, coming: Ahead, found: Estimate, *, usual_tau: bool = False
) -> _Run:
    """One forecast; with ``usual_tau`` time constants are the usual ones and not learnt."""
    parted = part(town, past.level_c)
    outdoor = _smooth(np.concatenate([past.outdoor_c, coming.outdoor_c]))
    slope = _slope(parted, outdoor[: len(past.outdoor_c)])
    driver = _driver(past, coming, outdoor, slope)
    hours, leads = past.level_c.shape[1], len(coming.outdoor_c)
    choices = [_middle(taus) if usual_tau else taus for taus in (BUILDING_TAU_H, DWELLING_TAU_H)]
    tau_b, state_b, noise_b = _learn(parted.shared_c, driver[:, :hours], choices[0], BUILDING_NOISE)
    tau_d, state_d, noise_d = _learn_measured(parted.own_k, choices[1], DWELLING_NOISE)
    state_d = _unmeasured(town, parted, state_d, found)
    noise_weather = (slope * coming.sd_k) ** 2
    shared, shared_var = _walk(state_b, driver[:, hours:], tau_b, noise_b, noise_weather)
    own, own_var = _walk(state_d, np.zeros((town.size, leads)), tau_d, noise_d, None)
    mean = (shared + repeated(parted.course_k, leads))[town.building] + own
    mean = _kept(mean + repeated(parted.own_course_k, leads), past.level_c)
    reading = np.full(town.size, noise_d.reading)
    building, building_var = _buildings(town, (shared, shared_var), (own, own_var))
    building = building + repeated(parted.course_k, leads)
    return _Run(
        mean,
        shared_var[town.building] + own_var,
        reading,
        building,
        building_var,
        tau_d,
        tau_b,
        slope,
    )


def _kept(mean_c: Floats, level_c: Floats) -> Floats:
    """Forecasts drawn to the newest day's same hour, the more the further ahead up to a day."""
    if level_c.shape[1] < DAY:
        return mean_c
    lead = np.arange(mean_c.shape[1])
    same = level_c[:, -DAY:][:, lead % DAY]
    weight = STAYS * np.minimum((lead + 1.0) / DAY, 1.0)
    return np.where(np.isnan(same), mean_c, mean_c + weight * (same - mean_c))


def _driver(past: Past, coming: Ahead, outdoor: Floats, slope: float) -> Floats:
    """What moves every building's equilibrium, (buildings, hours past and to come), K."""
    leads = len(coming.outdoor_c)
    now = past.heat_share[:, -3:].mean(axis=1, keepdims=True)
    fading = np.exp(-(np.arange(leads) + 0.5) / _lasts_h(past.heat_share)[:, None])
    share_ = np.concatenate([past.heat_share, 1.0 + (now - 1.0) * fading], axis=1)
    driver: Floats = slope * (outdoor - outdoor[0]) + weather.missing_heat_k(share_, outdoor)
    return driver


def _lasts_h(heat_share: Floats) -> Floats:
    """How long what is wrong with the heat now will last: as long again as it has, (buildings,)."""
    sign = np.sign(heat_share - 1.0)
    other = sign != sign[:, -1:]
    age = np.where(other.any(axis=1), other[:, ::-1].argmax(axis=1), sign.shape[1])
    return np.asarray(np.maximum(age, MENDED_H), np.float64)


def _smooth(outdoor_c: Floats) -> Floats:
    """Mean of the trailing day: the day's own swing is in the course of the day."""
    sums = np.cumsum(np.concatenate([np.full(DAY, outdoor_c[:DAY].mean()), outdoor_c]))
    return np.asarray((sums[DAY:] - sums[:-DAY]) / DAY, np.float64)


def _slope(parted: Parted, outdoor_c: Floats) -> float:
    """How the equilibria follow outdoors, K/K: the network's own past, drawn to the usual."""
    known = parted.shared_c[~np.isnan(parted.shared_c).any(axis=1)]
    level = np.median(known, axis=0) if len(known) else np.empty(0)
    felt = _felt(outdoor_c, float(np.median(BUILDING_TAU_H)))
    if len(level) < 2 * DAY:
        return SLOPE_KK
    x, y = felt[DAY:] - felt[:-DAY], level[DAY:] - level[:-DAY]
    day_sd = 0.2  # by which a network's mean differs from day to day without weather
    told = float(x @ x) / DAY / day_sd**2
    prior = SLOPE_SD_KK**-2.0
    return float((prior * SLOPE_KK + float(x @ y) / DAY / day_sd**2) / (prior + told))


def _felt(outdoor_c: Floats, tau_h: float) -> Floats:
    """Outdoor temperature as a building feels it: relaxed with its time constant."""
    step = float(share(np.array([tau_h]))[0])
    felt = np.empty_like(outdoor_c)
    now = outdoor_c[0] if len(outdoor_c) else 0.0
    for hour, value in enumerate(outdoor_c):
        now += step * (value - now)
        felt[hour] = now
    return felt


def _middle(choices: Sequence[float]) -> tuple[float]:
    return (float(np.median(choices)),)


def _learn_measured(
    read: Floats, choices: Sequence[float], usual: Noise
) -> tuple[Floats, State, Noise]:
    """``_learn`` on the series that have readings, undriven; the others are left empty."""
    rows = np.flatnonzero((~np.isnan(read)).any(axis=1))
    some = read[rows]
    tau_some, state_some, noise = _learn(some, np.zeros(some.shape), choices, usual)
    tau = np.full(len(read), *_middle(choices))
    tau[rows] = tau_some
    columns = []
    for name in State.__dataclass_fields__:
        column = np.zeros(len(read))
        column[rows] = getattr(state_some, name)
        columns.append(column)
    return tau, State(*columns), noise


def _learn(
    read: Floats, driver: Floats, choices: Sequence[float], usual: Noise
) -> tuple[Floats, State, Noise]:
    """The time constant of each series, the state it is in, and how noisy they all are."""
    (middle,) = _middle(choices)
    noise = _noise(read, driver, middle, usual)
    count = len(read)
    tau = np.full(count, choices[0])
    state = follow(read, driver, tau, noise)
    best = state.likelihood - _unusual(choices[0], middle)
    for choice in choices[1:]:
        tried = follow(read, driver, np.full(count, choice), noise)
        score = tried.likelihood - _unusual(choice, middle)
        better = score > best
        best = np.where(better, score, best)
        tau = np.where(better, choice, tau)
        state = _pick(better, tried, state)
    return tau, state, noise


def _unusual(tau_h: float, middle_h: float) -> float:
    """What a time constant far from the usual costs, in log-likelihood."""
    return float(0.5 * (np.log(tau_h / middle_h) / TAU_PRIOR_SD) ** 2)


def _noise(read: Floats, driver: Floats, tau_h: float, usual: Noise) -> Noise:
    """The noise under which the series (some thousands of them) surprise as they should."""
    step = max(1, len(read) // NOISE_SERIES)
    some = follow(read[::step], driver[::step], np.full(len(read[::step]), tau_h), usual)
    known = some.surprise[~np.isnan(some.surprise)]
    surprise = float(np.median(known)) if len(known) else 1.0
    return usual.scaled(float(np.clip(surprise / 0.9, 0.25, 9.0)))


def _pick(better: NDArray[np.bool_], new: State, old: State) -> State:
    return State(
        *(
            np.where(better, getattr(new, name), getattr(old, name))
            for name in State.__dataclass_fields__
        )
    )


def _unmeasured(town: Town, parted: Parted, state: State, found: Estimate) -> State:
    """Dwellings without readings start where they are estimated to be, as surely as that is."""
    measured = np.asarray((~np.isnan(parted.own_k)).any(axis=1))
    last = parted.shared_c[:, -DAY:].mean(axis=1)[town.building]
    off = found.mean_c - last
    var = (found.half_k / tails.NORMAL_HALF) ** 2
    return replace(
        state,
        level=np.where(measured, state.level, off),
        equilibrium=np.where(measured, state.equilibrium, off),
        usual=np.where(measured, state.usual, off),
        var_level=np.where(measured, state.var_level, var),
        cov=np.where(measured, state.cov, var),
        var_equilibrium=np.where(measured, state.var_equilibrium, var),
    )


def _walk(
    state: State, driver: Floats, tau_h: Floats, noise: Noise, extra: Floats | None
) -> tuple[Floats, Floats]:
    """Levels and variances of the coming hours, (series, leads); ``extra`` is K² a lead."""
    step = share(tau_h)
    mean, variance = np.empty(driver.shape), np.empty(driver.shape)
    for lead in range(driver.shape[1]):
        state = ahead(state, driver[:, lead], step, noise)
        mean[:, lead], variance[:, lead] = state.level, state.var_level
    return mean, variance if extra is None else variance + extra


def _buildings(
    town: Town, shared: tuple[Floats, Floats], own: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """Mean over each building's heated dwellings, and its variance as if they erred apart."""
    owed = town.owed.astype(np.float64)
    count = np.maximum(np.bincount(town.building, owed, len(town.buildings)), 1.0)[:, None]
    order = np.argsort(town.building, kind="stable")
    first = np.searchsorted(town.building[order], np.arange(len(town.buildings)))
    total, var = (np.add.reduceat((x * owed[:, None])[order], first) for x in own)
    return shared[0] + total / count, shared[1] + var / count**2


def _tried(town: Town, past: Past, found: Estimate) -> tuple[Floats, int]:
    """How far yesterday's forecast of today was off, in its own terms, by lead; and by how many."""
    hours = past.level_c.shape[1]
    widened = np.ones(LEADS)
    if hours - DAY < LEAST_PAST_H:
        return widened, 0
    truth = past.level_c[:, -DAY:]
    sure = Ahead(past.outdoor_c[-DAY:], np.zeros(DAY), np.ones(DAY, bool))
    run = _run(town, past.until(DAY), sure, found, usual_tau=True)
    rows = ~np.isnan(past.level_c[:, :-DAY]).all(axis=1) & town.owed
    z = (truth - run.mean_c)[rows] / np.sqrt(run.variance + run.reading[:, None])[rows]
    tried = int((~np.isnan(z)).any(axis=1).sum())
    if not tried:
        return widened, 0
    for lead in range(LEADS):
        near = z[:, max(0, min(lead, DAY - 1) - 3) : min(lead, DAY - 1) + 4]
        known = np.abs(near[~np.isnan(near)])
        if len(known):
            quantile = float(np.quantile(known, TRIED_SHARE)) / tails.NORMAL_HALF
            widened[lead] = max(1.0, quantile)
    later = np.arange(DAY, LEADS)
    widened[later] *= np.sqrt((later + 1.0) / DAY)  # beyond the trial, as of a random walk
    return widened, tried
