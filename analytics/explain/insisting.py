"""Who calls far oftener than fellows who share a trouble has another one besides.

A common cause makes many call. What one of them has beyond it shows in how often: calls of one
household are Poisson, and households differ in how readily they call, so that their calls together
are negative binomial (Gelman et al., Bayesian Data Analysis, section 2.6).
"""

from __future__ import annotations

from math import exp, lgamma, log, log1p

from analytics.localise.tree import PRIOR
from analytics.snapshot import Snapshot, distinct
from hearthline.domain.places import PlaceKind

INSISTING, TEMPER = 4.0, 2.0
"""Calls a week of a household whose dwelling has a deep fault of its own (half call within three
days, and again within one or two), and how alike households are in calling: they differ by a factor
of two either way, which a gamma distribution of this shape has."""


def calls_around(snapshot: Snapshot, code: str) -> float:
    """How often the other dwellings of the circuit without a sensor called within the week."""
    network = snapshot.network
    home = network.ancestor(code, PlaceKind.CIRCUIT) or network.ancestor(code, PlaceKind.SUBSTATION)
    others = set(network.codes(network.below(home or code))) - snapshot.unheated
    others -= {code, *snapshot.level_c}
    calls = sum(distinct(snapshot.complaints.get(one, ())) for one in others)
    return (calls + 1.0) / (len(others) + 1.0)


def own_chance(count: int, usual: float, prior: float = PRIOR[PlaceKind.UNIT]) -> float:
    """The chance of a cause of one's own after so many calls where fellows call ``usual`` times.

    ``prior`` is what it was before anybody called.
    """
    own, common = (_calls_chance(count, mean) for mean in (INSISTING, usual))
    return prior * own / (prior * own + (1.0 - prior) * common)


def _calls_chance(count: int, mean: float) -> float:
    """The negative binomial chance of a count with shape ``TEMPER``."""
    share = mean / (mean + TEMPER)
    ways = lgamma(count + TEMPER) - lgamma(TEMPER) - lgamma(count + 1.0)
    return exp(ways + count * log(share) + TEMPER * log1p(-share))
