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
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearthline.domain.network import Network
from hearthline.domain.places import PlaceKind

Floats = NDArray[np.float64]
Index = NDArray[np.int64]

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
    how high up its riser it is: 0 at the ground, 1 at the top.
    """

    codes: tuple[str, ...]
    number: Mapping[str, int]
    level: Index
    parent: Index
    unit: Index
    height: Floats

    @classmethod
    def of(cls, network: Network) -> Tree:
        """The tree of a network; levels that it lacks are passed over."""
        depth = {kind: at for at, kind in enumerate(LEVELS)}
        nodes = sorted((n for n in network.nodes.values() if n.kind in depth), key=lambda n: n.path)
        number = {node.code: at for at, node in enumerate(nodes)}
        parent = []
        for node in nodes:
            above = node.path.rstrip("/").split("/")[:-1]
            parent.append(next((number[code] for code in reversed(above) if code in number), -1))
        return cls(
            tuple(node.code for node in nodes),
            number,
            np.array([depth[node.kind] for node in nodes], np.int64),
            np.array(parent, np.int64),
            np.array([number[d.code] for d in network.dwellings], np.int64),
            _height(network),
        )


def _height(network: Network) -> Floats:
    """How high up its riser (else its building) each dwelling is, (dwellings,)."""
    floor = np.array([d.floor for d in network.dwellings], np.float64)
    above = [
        network.ancestor(d.code, PlaceKind.RISER) or network.ancestor(d.code, PlaceKind.BUILDING)
        for d in network.dwellings
    ]
    _, group = np.unique(np.array([code or "" for code in above]), return_inverse=True)
    count = int(group.max(initial=-1)) + 1
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


def locate(tree: Tree, offset_k: Floats, spread_k: Floats) -> Posterior:
    """The posterior of every place from dwellings' offsets and spreads, both (dwellings,), K."""
    places = len(tree.codes)
    known = ~np.isnan(offset_k)
    offset, spread, unit = offset_k[known], spread_k[known], tree.unit[known]
    tried = [
        (at, *_gain(tree, (offset, spread, unit), form, uneven))
        for at, form in enumerate(_shapes(tree.height[known]))
        for uneven in UNEVEN_K
    ]
    forms = np.array([at for at, _, _ in tried])
    weight = np.log(np.array([SHAPE_PRIOR[kind] for kind in LEVELS]))[tree.level].T[forms]
    weight += np.log(np.tile(list(UNEVEN_K.values()), len(SHAPES)))[:, None]
    told = np.array([gain for _, gain, _ in tried]) + weight
    best = np.argmax(told, axis=0)
    shape: Index = forms[best].astype(np.int64)
    gain = np.logaddexp.reduce(told, axis=0)
    shift = np.array([shift for _, _, shift in tried])[best, np.arange(places)]
    measured = _up(tree, unit, np.ones(len(unit)))
    share, probability = _pass(tree, gain)
    return Posterior(share, probability, shape, shift, measured.astype(np.int64))


def _shapes(height: Floats) -> tuple[Floats, Floats, Floats]:
    """``SHAPES`` at every dwelling: 1 where the fault has its full effect."""
    return np.ones(len(height)), height, 1.0 - height


def _pass(tree: Tree, gain: Floats) -> tuple[Floats, Floats]:
    """Sum up from the dwellings, then tell from the top: share and probability of each place."""
    places = len(tree.codes)
    prior = np.array([PRIOR[kind] for kind in LEVELS])[tree.level]
    value, share, below = np.zeros(places), np.zeros(places), np.zeros(places)
    for level in reversed(range(len(LEVELS))):
        here = np.flatnonzero(tree.level == level)
        shifted = np.log(prior[here]) + gain[here]
        value[here] = np.logaddexp(np.log1p(-prior[here]) + below[here], shifted)
        share[here] = np.exp(shifted - value[here])
        hung = here[tree.parent[here] >= 0]
        np.add.at(below, tree.parent[hung], value[hung])
    clear, probability = np.ones(places), np.zeros(places)
    for level in range(len(LEVELS)):
        here = np.flatnonzero(tree.level == level)
        hung = here[tree.parent[here] >= 0]
        above = tree.parent[hung]
        clear[hung] = clear[above] * (1.0 - share[above])
        probability[here] = clear[here] * share[here]
    return share, probability


def _up(tree: Tree, unit: Index, part: Floats) -> Floats:
    """A sum over the dwellings at or below every place, (places,)."""
    total = np.zeros(len(tree.codes))
    np.add.at(total, unit, part)
    for level in reversed(range(1, len(LEVELS))):
        here = np.flatnonzero((tree.level == level) & (tree.parent >= 0))
        np.add.at(total, tree.parent[here], total[here])
    return total


def _gain(
    tree: Tree, seen: tuple[Floats, Floats, Index], form: Floats, uneven_k: float
) -> tuple[Floats, Floats]:
    """Log likelihood of a shift of one shape over that of none, and its posterior mean, K."""
    offset, spread, unit = seen
    wide = np.hypot(spread, uneven_k * form)
    precision = _up(tree, unit, (form / wide) ** 2)
    weighted = _up(tree, unit, form * offset / wide**2)
    none = _up(
        tree,
        unit,
        0.5 * (offset / spread) ** 2 + np.log(spread) - 0.5 * (offset / wide) ** 2 - np.log(wide),
    )
    prior = 1.0 / SHIFT_SD_K**2
    together = precision + prior
    mean = (weighted + prior * SHIFT_K) / together
    exponent = 0.5 * (together * mean**2 - prior * SHIFT_K**2)
    gain: Floats = exponent + 0.5 * np.log(prior / together) + none
    return gain, mean
