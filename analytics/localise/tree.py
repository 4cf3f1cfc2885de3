"""A posterior over places: which building, entrance, riser or dwelling has shifted.

Every dwelling's offset is normal around nought, unless a place at or above it has shifted: then
around an unknown common shift, more widely, since no fault cools all alike (``UNEVEN_K``). At most
one place on the way from a building to a dwelling has shifted. For a place ``v`` with the offsets
``r`` below:

    V(v) = log[(1 − π) · Π V(children) + π · p(r | shift) / p(r | none)]

summed from the dwellings up; the posterior follows from the top down. Warm dwellings below a
shifted place count against it by themselves, and a place with one measured dwelling is told from
that dwelling by priors alone. Cost: O(places), vectorised level by level.

The marginal likelihood integrates the shift over a normal prior (Gelman et al., Bayesian Data
Analysis, section 2.5: normal mean with known variance).

Where no sensor is, people tell by phone. How many of the ``n`` dwellings below a place call is
binomial: with a chance that depends on how bad the fault is, if one sits there, else with that of
false calls (``hearthline.domain.complaints``). So one caller among many who keep silent points at
that dwelling, and several callers of one entrance at the entrance. Silence counts only where
somebody called: a company that takes no calls must not seem warm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hearthline.domain.complaints import RULES
from hearthline.domain.network import Network
from hearthline.domain.places import PlaceKind

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
Bools = NDArray[np.bool_]

LEVELS = (PlaceKind.BUILDING, PlaceKind.ENTRANCE, PlaceKind.RISER, PlaceKind.UNIT)

PRIOR: Mapping[PlaceKind, float] = {
    PlaceKind.BUILDING: 2e-3,
    PlaceKind.ENTRANCE: 1.5e-3,
    PlaceKind.RISER: 1e-3,
    PlaceKind.UNIT: 1e-2,
}
"""Chance that a place is off at an instant, before looking: dwellings most often (requirement 19
counts 39.7 % of requests on the customer's side against 31.6 % on the company's)."""

SHIFT_K = -2.0
"""What a fault that is noticed costs, ± ``SHIFT_SD_K``: section 3 lists −0.5 to −10 K."""
SHIFT_SD_K = 2.0
UNEVEN_K: Mapping[float, float] = {0.4: 0.5, 1.0: 0.4, 2.5: 0.1}
"""How much dwellings below one fault differ from each other (floors, ends of a branch), K, and how
likely that is: a little below a mild one, much below a deep one."""
REPEATS = 2
"""Calls after a household's first that count: further ones tell of its patience, not its room."""
SHAPES = ("even", "top", "ground")
"""All alike; worst at the top of the riser and nought at the ground; the other way round."""
SHAPE_PRIOR: Mapping[PlaceKind, tuple[float, float, float]] = {
    PlaceKind.BUILDING: (0.7, 0.15, 0.15),
    PlaceKind.ENTRANCE: (0.7, 0.2, 0.1),
    PlaceKind.RISER: (0.5, 0.3, 0.2),
    PlaceKind.UNIT: (0.98, 0.01, 0.01),
}


@dataclass(frozen=True)
class Tree:
    """Places from buildings down to dwellings: code, level (0…3), parent's number or −1.

    ``unit`` is, per dwelling in the network's order, the number of its place, and ``height``
    how high up its riser it is: 0 at the ground, 1 at the top. The dwellings at or below a place
    are those from ``first`` up to ``stop``.
    """

    codes: tuple[str, ...]
    number: Mapping[str, int]
    level: Index
    parent: Index
    unit: Index
    height: Floats
    first: Index
    stop: Index

    @cached_property
    def prior(self) -> Floats:
        """``PRIOR`` of every place, (places,)."""
        return np.array([PRIOR[kind] for kind in LEVELS])[self.level]

    @cached_property
    def weight(self) -> Floats:
        """The logarithm of ``SHAPE_PRIOR``, (shapes, places)."""
        weight: Floats = np.log(np.array([SHAPE_PRIOR[kind] for kind in LEVELS]))[self.level].T
        return weight

    @cached_property
    def by_level(self) -> Sequence[tuple[Index, Index]]:
        """Of every level, its places, and those of them that hang from another place."""
        found = []
        for level in range(len(LEVELS)):
            here = np.flatnonzero(self.level == level)
            found.append((here, here[self.parent[here] >= 0]))
        return found

    @classmethod
    def of(cls, network: Network) -> Tree:
        """The tree of a network; levels that it lacks are passed over."""
        depth = {kind: at for at, kind in enumerate(LEVELS)}
        nodes = sorted((n for n in network.nodes.values() if n.kind in depth), key=lambda n: n.path)
        number = {node.code: at for at, node in enumerate(nodes)}
        parent: list[int] = []
        line: list[int] = []  # the places above: what lies below a place follows it
        for at, node in enumerate(nodes):
            while line and not node.path.startswith(nodes[line[-1]].path):
                line.pop()
            parent.append(line[-1] if line else -1)
            line.append(at)
        below = [network.below(node.code) for node in nodes]
        return cls(
            tuple(node.code for node in nodes),
            number,
            np.array([depth[node.kind] for node in nodes], np.int64),
            np.array(parent, np.int64),
            np.array([number[d.code] for d in network.dwellings], np.int64),
            _height(network),
            np.array([part.start for part in below], np.int64),
            np.array([part.stop for part in below], np.int64),
        )


def _height(network: Network) -> Floats:
    """How high up its riser (else its building) each dwelling is, (dwellings,)."""
    floor = np.array([d.floor for d in network.dwellings], np.float64)
    homes = zip(
        network.ancestors(PlaceKind.RISER), network.ancestors(PlaceKind.BUILDING), strict=True
    )
    number: dict[str, int] = {}
    above = [number.setdefault(riser or building or "", len(number)) for riser, building in homes]
    group, count = np.array(above, np.int64), len(number)
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, group, floor)
    np.maximum.at(high, group, floor)
    span = np.maximum(high - low, 1.0)
    height: Floats = (floor - low[group]) / span[group]
    return height


@dataclass(frozen=True)
class Posterior:
    """Per place of a tree, arrays (places,).

    ``share`` is the chance that it has shifted if nothing above it has; ``probability`` the chance
    that it has; ``shape`` which of ``SHAPES`` fits best, ``shift_k`` the shift where that shape is
    1; ``measured`` how many dwellings tell.
    """

    share: Floats
    probability: Floats
    shape: Index
    shift_k: Floats
    measured: Index


@dataclass(frozen=True)
class Calls:
    """Who of the dwellings without a sensor called, arrays (dwellings,) in the network's order.

    ``count`` is how often within a week, 0 where nobody did; ``silent`` those who might have.
    """

    count: Index
    silent: Bools

    def without(self, units: Sequence[int]) -> Calls:
        """The same, leaving out some dwellings."""
        count, silent = self.count.copy(), self.silent.copy()
        count[units], silent[units] = 0, False
        return Calls(count, silent)


def locate(tree: Tree, offset_k: Floats, spread_k: Floats, calls: Calls | None = None) -> Posterior:
    """The posterior of every place from dwellings' offsets and spreads, both (dwellings,), K.

    ``calls`` are those of dwellings whose offset is not known.
    """
    places = len(tree.codes)
    known = ~np.isnan(offset_k)
    forms = np.repeat(np.arange(len(SHAPES)), len(UNEVEN_K))
    told, shifts = _gains(tree, known, offset_k[known], spread_k[known])
    told += tree.weight[forms] + np.log(np.tile(list(UNEVEN_K.values()), len(SHAPES)))[:, None]
    best = np.argmax(told, axis=0)
    shape: Index = forms[best].astype(np.int64)
    top = told[best, np.arange(places)]
    gain = top + np.log(np.exp(told - top).sum(axis=0))
    if calls is not None:
        gain += _called(tree, calls)
    shift = shifts[best, np.arange(places)]
    measured = _up(tree, known, np.ones(int(known.sum())))
    share, probability = _pass(tree, gain)
    return Posterior(share, probability, shape, shift, measured.astype(np.int64))


def _shapes(height: Floats) -> tuple[Floats, Floats, Floats]:
    """``SHAPES`` at every dwelling: 1 where the fault has its full effect."""
    return np.ones(len(height)), height, 1.0 - height


def _pass(tree: Tree, gain: Floats) -> tuple[Floats, Floats]:
    """Sum up from the dwellings, then tell from the top: share and probability of each place."""
    places = len(tree.codes)
    prior = tree.prior
    value, share, below = np.zeros(places), np.zeros(places), np.zeros(places)
    for here, hung in reversed(tree.by_level):
        shifted = np.log(prior[here]) + gain[here]
        value[here] = np.logaddexp(np.log1p(-prior[here]) + below[here], shifted)
        share[here] = np.exp(shifted - value[here])
        np.add.at(below, tree.parent[hung], value[hung])
    clear, probability = np.ones(places), np.zeros(places)
    for here, hung in tree.by_level:
        above = tree.parent[hung]
        clear[hung] = clear[above] * (1.0 - share[above])
        probability[here] = clear[here] * share[here]
    return share, probability


def _called(tree: Tree, calls: Calls) -> Floats:
    """Log likelihood of who called and who did not if a place is cold over if it is not."""
    everybody = np.ones(len(tree.unit), bool)
    callers = _up(tree, everybody, (calls.count > 0).astype(np.float64))
    silent = _up(tree, everybody, calls.silent.astype(np.float64))
    more = np.clip(calls.count - 1, 0, REPEATS).astype(np.float64)
    by_depth = [
        np.log(weight)
        + callers * np.log(chance)
        + silent * np.log1p(-chance)
        + _up(tree, everybody, more) * np.log(_again(chance))
        for chance, weight in RULES.cold.items()
    ]
    cold = np.logaddexp.reduce(np.array(by_depth), axis=0)
    warm = callers * np.log(RULES.warm) + silent * np.log1p(-RULES.warm)
    found: Floats = np.where(callers > 0, cold - warm, 0.0)
    return found


def _again(chance: float) -> float:
    """How much likelier a further call is below a fault of which that share calls.

    Who calls with some chance within ``counts_for`` calls again within the week with that of the
    longer time: those whom a deep fault makes call insist, those of a mild one rarely do.
    """
    silent: float = (1.0 - chance) ** (RULES.repeat_within / RULES.counts_for)
    return (1.0 - silent) / RULES.warm_again


def _up(tree: Tree, known: Bools, part: Floats) -> Floats:
    """A sum over the dwellings at or below every place, (…, places).

    ``part``, (…, known dwellings), is what each of the ``known`` contributes, (dwellings,). What
    lies below a place is a stretch of the dwellings' order, so a sum is a difference of two running
    sums.
    """
    running = np.zeros((*part.shape[:-1], len(known) + 1))
    running[..., 1:][..., known] = part
    np.cumsum(running, axis=-1, out=running)
    total: Floats = running[..., tree.stop] - running[..., tree.first]
    return total


def _gains(tree: Tree, known: Bools, offset: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Log likelihood of a shift over that of none, and its posterior mean, K.

    Both (shapes × unevennesses, places); ``offset`` and ``spread`` are of the known dwellings.
    """
    form = np.repeat(np.array(_shapes(tree.height[known])), len(UNEVEN_K), axis=0)
    uneven = np.tile(list(UNEVEN_K), len(SHAPES))[:, None]
    wide = spread**2 + (uneven * form) ** 2
    precision = _up(tree, known, form**2 / wide)
    weighted = _up(tree, known, form * offset / wide)
    none = 0.5 * offset**2 * (1 / spread**2 - 1 / wide) - 0.5 * np.log(wide / spread**2)
    prior = 1.0 / SHIFT_SD_K**2
    together = precision + prior
    mean = (weighted + prior * SHIFT_K) / together
    exponent = 0.5 * (together * mean**2 - prior * SHIFT_K**2)
    gain: Floats = exponent + 0.5 * np.log(prior / together) + _up(tree, known, none)
    return gain, mean
