"""A temperature that relaxes towards an equilibrium which itself may wander: a filter for many.

Pure. A room or a house follows T' = (E + u - T)/τ: with its time constant τ it approaches the
equilibrium E at which its heat and its losses balance; ``u`` is what is known to move the
equilibrium (weather, heat missing at the meter). E is not measured; it is inferred from how T
moves, by a Kalman filter with the two unknowns T and E. What moved E does not last for ever,
valves are opened and curves corrected, so E returns to its usual value, with a time constant of
its own. All series are filtered side by side.

An equilibrium mostly drifts, but a closed valve makes it jump. Hours of surprise to the same side
that chance does not explain give it its freedom, so that a fall is followed within hours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


JUMP_HOURS = 3.0
JUMP_SD = 5.0
"""Mean surprise over ``JUMP_HOURS``, in standard deviations of such a mean. People surprise in
bursts, so it takes more than the three a gaussian would."""
JUMP_K = 3.0
"""How far an equilibrium jumps: a closed valve or half the flow takes 2 to 5 K."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Variances in K² an hour: of the temperature, of its equilibrium, and of one hour's mean.

    ``start`` is how unknown the equilibrium is at first, K; ``back_h`` the time constant with
    which it returns to its usual value, ``jumps`` whether it may jump (a valve, not a house).
    """

    fast: float
    drift: float
    reading: float
    start: float
    back_h: float
    jumps: bool

    def scaled(self, factor: float) -> Noise:
        """The same with all variances times a factor."""
        return replace(
            self,
            fast=self.fast * factor,
            drift=self.drift * factor,
            reading=self.reading * factor,
        )


@dataclass(frozen=True)
class State:
    """Temperature and equilibrium of every series with their covariance, (series,) each.

    ``usual`` is the equilibrium to which each returns.

    ``likelihood`` is the log-likelihood of what was read, ``surprise`` the mean square of what was
    not expected in units of its variance (about 1 where the noise is right; NaN without readings).
    """

    level: Floats
    equilibrium: Floats
    usual: Floats
    var_level: Floats
    cov: Floats
    var_equilibrium: Floats
    likelihood: Floats
    surprise: Floats


def share(tau_h: Floats) -> Floats:
    """The part of the way to the equilibrium that is covered in an hour."""
    found: Floats = -np.expm1(-1.0 / tau_h)
    return found


def follow(read: Floats, driver: Floats, tau_h: Floats, noise: Noise) -> State:
    """Filter hourly means of many series.

    Args:
        read: (series, hours), °C or K; NaN where nothing was read.
        driver: what moves each equilibrium, (series, hours), K.
        tau_h: time constants, (series,), hours.
        noise: variances, the same for all.
    """
    first = _first(read)
    usual = _usual(read - driver)
    count, hours = read.shape
    step = share(tau_h)
    by_hour, driven = np.ascontiguousarray(read.T), np.ascontiguousarray(driver.T)
    zero = np.zeros(count)
    state = State(
        first, usual, usual, zero + noise.reading, zero, zero + noise.start**2, zero, zero
    )
    seen, off = np.zeros(count), np.zeros(count)
    for hour in range(hours):
        state = ahead(state, driven[hour], step, noise)
        size = state.var_level + noise.reading
        surprise = by_hour[hour] - state.level
        known = ~np.isnan(surprise)
        surprise = np.where(known, surprise, 0.0)
        off += np.where(known, (surprise / np.sqrt(size) - off) / JUMP_HOURS, 0.0)
        jumped = np.abs(off) > JUMP_SD / np.sqrt(2.0 * JUMP_HOURS - 1.0)
        if noise.jumps and jumped.any():
            freed = state.var_equilibrium + np.where(jumped, JUMP_K**2, 0.0)
            state = replace(state, var_equilibrium=freed)
            off[jumped] = 0.0
        state = _heard(state, surprise, size, known)
        seen += known
    with np.errstate(invalid="ignore", divide="ignore"):
        return replace(state, surprise=np.where(seen > 0, state.surprise / seen, np.nan))


def ahead(state: State, driver: Floats, step: Floats, noise: Noise) -> State:
    """One hour later, as far as one can know."""
    stay = 1.0 - step
    level = state.level + step * (state.equilibrium + driver - state.level)
    var = (
        stay * stay * state.var_level
        + 2.0 * stay * step * state.cov
        + step * step * state.var_equilibrium
        + noise.fast
    )
    keep = float(np.exp(-1.0 / noise.back_h))
    return replace(
        state,
        level=level,
        equilibrium=state.usual + keep * (state.equilibrium - state.usual),
        var_level=var,
        cov=keep * (stay * state.cov + step * state.var_equilibrium),
        var_equilibrium=keep * keep * state.var_equilibrium + noise.drift,
    )


def _heard(state: State, surprise: Floats, size: Floats, known: NDArray[np.bool_]) -> State:
    """Take an hour's reading in."""
    gain = np.where(known, state.var_level / size, 0.0)
    gain_eq = np.where(known, state.cov / size, 0.0)
    square = surprise * surprise / size
    return State(
        level=state.level + gain * surprise,
        equilibrium=state.equilibrium + gain_eq * surprise,
        usual=state.usual,
        var_level=(1.0 - gain) * state.var_level,
        cov=(1.0 - gain) * state.cov,
        var_equilibrium=state.var_equilibrium - gain_eq * state.cov,
        likelihood=state.likelihood - np.where(known, 0.5 * (square + np.log(size)), 0.0),
        surprise=state.surprise + np.where(known, np.minimum(square, 9.0), 0.0),
    )


def _first(read: Floats) -> Floats:
    """A first guess: the median of the first six hours read; 0 where nothing was."""
    count, hours = read.shape
    order = np.cumsum(~np.isnan(read), axis=1)
    early = np.where(order <= 6, read, np.nan)[:, : max(hours, 1)]
    found = np.zeros(count)
    some = ~np.isnan(early).all(axis=1)
    found[some] = np.nanmedian(early[some], axis=1)
    return found


def _usual(read: Floats) -> Floats:
    """The median of what was read; 0 where nothing was."""
    found = np.zeros(len(read))
    some = ~np.isnan(read).all(axis=1)
    found[some] = np.nanmedian(read[some], axis=1)
    return found
