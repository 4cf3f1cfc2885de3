"""How well a cause explains what is seen of a building: its depth, its shape, and who calls.

Every cause says where it is felt (its *form*: 1 where it acts in full, 0 where it is not felt) and
how deep it bites on a day of 30 K between rooms and outdoors (``DEPTHS``). The offsets ``y`` of the
measured dwellings are then, but for healthy scatter, the form times an unknown depth:

    L(form) = Σ_a p(a) · Π_i [(1 − ε)·N(y_i; −a·f_i, s_i² + (u·a·f_i)²) + ε·N(y_i; 0, W²)]

with the depth ``a`` summed over a grid, ``u`` for faults that do not cool all alike, and a little
chance ``ε`` that a dwelling is off for a reason of its own (a robust mixture: Gelman et al.,
Bayesian Data Analysis, chapter 17). Who has no sensor tells by phone: the deeper the cold, the
likelier a call. Causes compare by these likelihoods, so depth, shape, fellows and calls have one
form and one scale. Pure numpy, vectorised over forms; some tenths of a millisecond a building.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearthline.domain.complaints import RULES
from hearthline.domain.findings import Cause

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

DEPTHS: Mapping[Cause, tuple[float, float]] = {
    Cause.VALVE_CLOSED: (3.2, 1.3),  # 4.2 K; with warm neighbours on all sides, or nine tenths
    # closed, 2 to 3 K; among cold ones more
    Cause.ENVELOPE: (2.4, 1.1),  # loss ×1.4 costs 2.2 K, ×2 costs 5 K, half of leaks are milder
    Cause.RADIATOR_COVERED: (1.2, 0.5),  # 0.5 to 2 K
    Cause.TURNED_DOWN: (1.4, 1.0),  # little by day, up to 3 K at the end of a night
    Cause.WINDOW_OPEN: (2.0, 1.5),  # falls fast, comes back within hours
    Cause.NEIGHBOUR_UNHEATED: (1.8, 0.9),  # 1 to 3 K
    Cause.AIR_LOCK: (5.0, 2.0),  # a fifth of the top's flow costs 3 K, none of it 8 K and more
    Cause.VERTICAL_IMBALANCE: (2.3, 0.8),  # 1.1 to 3.7 K from ground to top
    Cause.STRAINER_CLOGGED: (5.0, 2.5),  # half the flow costs a whole branch 4 K, a third 8 K
    Cause.PIPES_SWAPPED: (5.0, 2.5),
}
"""What each cause costs where it acts in full, K on a day of 30 K between rooms and outdoors, once
it has settled: mean and standard deviation (domain facts, section 3)."""
DESIGN_DRIVE_K, LEAST_DRIVE_K = 30.0, 10.0
DEPTHS_K = np.linspace(0.0, 12.0, 17)
"""The grid of depths; deeper ones look alike."""
LEAST_K = 0.3  # less than an instrument's tolerance is no effect
UNEVEN = 0.25  # of a depth: what floors, ends of a branch and habits make of one fault
STRAY, STRAY_K = 0.08, 2.0
"""One dwelling in twelve is off for a reason of its own, by a fault that is noticed."""
CALLS_K, CALLS_H, CALLS = (1.0, 4.0), 48.0, 0.3
"""A mild or new fault makes few call, a deep one that lasts about three in ten within three days
(``complaints.RULES``); so do those that stray."""
AIR_AT_GROUND = 0.2
"""Of the top's depth: air holds back half as much of the ground's flow, and half the flow costs
0.9 K where a tenth of it costs some 3.5 K and none of it 4.2 K (section 3)."""
STEEP = (2.0, 1.8)
"""What is lost grows faster than the flow falls, so the depth by height is hollow: the middle of a
riser with air in it lies off by a third of its top. Badly set valves leave a riser half its flow,
where the loss still grows evenly."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Dwellings as they are seen, arrays (dwellings,).

    ``off_k`` beyond what is usual, NaN where nothing is measured; ``spread_k`` a healthy one's;
    ``silent`` who might have called and did not, ``called`` who did, both without a sensor.
    ``lasts_h`` for how long it has been cold: who is new to the cold has not called yet.
    """

    off_k: Floats
    spread_k: Floats
    silent: Bools
    called: Bools
    lasts_h: float = CALLS_H

    def part(self, which: Bools) -> Seen:
        """Some of the dwellings."""
        return Seen(
            self.off_k[which],
            self.spread_k[which],
            self.silent[which],
            self.called[which],
            self.lasts_h,
        )


def airs(height: Floats) -> list[Floats]:
    """The forms of air in a riser: some of it down to the ground, or the upper floors' alone."""
    low, high = STEEP
    return [AIR_AT_GROUND + (1.0 - AIR_AT_GROUND) * height**low, height**high]


def explained(seen: Seen, forms: Floats, depths: Floats, own: int | None = None) -> Floats:
    """The log likelihood of what is seen under each form, (forms,).

    Args:
        seen: the dwellings.
        forms: (forms, dwellings).
        depths: (forms, 2) mean and standard deviation of the depth where the form is 1, K.
        own: the dwelling that is to be explained: that it strays is no explanation.
    """
    known = ~np.isnan(seen.off_k)
    weight = _depth_weights(depths)
    total = _measured(seen, known, forms, own) + _phoned(seen, forms)
    with np.errstate(divide="ignore"):
        together: Floats = np.logaddexp.reduce(total + np.log(weight), axis=1)
    return together


def unexplained(seen: Seen) -> float:
    """The log likelihood of what is seen if nothing is the matter."""
    off = seen.off_k[~np.isnan(seen.off_k)]
    spread = seen.spread_k[~np.isnan(seen.off_k)]
    healthy = -0.5 * (off / spread) ** 2 - np.log(spread)
    measured = float(np.logaddexp(np.log1p(-STRAY) + healthy, _strays(off)).sum())
    return measured + float(np.min(_phoned(seen, np.zeros((1, len(seen.off_k))))))


def _strays(off_k: Floats) -> Floats:
    """The log likelihood of offsets of dwellings that are off for reasons of their own."""
    told: Floats = np.log(STRAY) - 0.5 * (off_k / STRAY_K) ** 2 - np.log(STRAY_K)
    return told


def _depth_weights(depths: Floats) -> Floats:
    """The chance of every depth of the grid, (forms, grid)."""
    z = (DEPTHS_K - depths[:, :1]) / depths[:, 1:]
    weight = np.exp(-0.5 * z**2) * np.where(DEPTHS_K < LEAST_K, LEAST_K, 1.0)
    share: Floats = weight / weight.sum(axis=1, keepdims=True)
    return share


def _measured(seen: Seen, known: Bools, forms: Floats, own: int | None) -> Floats:
    """Log likelihood of the measured offsets at every depth, (forms, grid)."""
    off, spread = seen.off_k[known], seen.spread_k[known]
    shift = -DEPTHS_K[:, None] * forms[:, None, known]
    variance = spread**2 + (UNEVEN * shift) ** 2
    told = -0.5 * (off - shift) ** 2 / variance - 0.5 * np.log(variance)
    both = np.logaddexp(np.log1p(-STRAY) + told, _strays(off))
    if own is not None and known[own]:
        at = int(np.count_nonzero(known[:own]))
        both[:, :, at] = told[:, :, at]
    total: Floats = both.sum(axis=2)
    return total


def _phoned(seen: Seen, forms: Floats) -> Floats | float:
    """Log likelihood of who called and who did not at every depth, (forms, grid)."""
    if not seen.called.any() and not seen.silent.any():
        return 0.0
    patience = min(1.0, max(seen.lasts_h, 0.0) / CALLS_H)
    low, high = CALLS_K

    def chance(which: Bools) -> Floats:
        depth = DEPTHS_K[:, None] * forms[:, None, which]
        share: Floats = np.clip((depth - low) / (high - low), STRAY, 1.0)
        return RULES.warm + CALLS * patience * share

    spoke = np.log(chance(seen.called)).sum(axis=2)
    kept = np.log1p(-chance(seen.silent)).sum(axis=2)
    phoned: Floats = spoke + kept
    return phoned
