"""What the rooms beyond a caller's walls say: who is truly cold pulls those beside him down.

A dwelling with a closed valve costs those above and below it a quarter of what it lacks, and those
at its sides half of that (domain facts, section 3: 428 W/K to all neighbours together). A measured
neighbour that lies off its fellows bears a caller out; one that does not lies beside a mild cause.
"""

from __future__ import annotations

from math import exp, hypot, isnan, log

from analytics.localise.contrast import BELOW
from analytics.localise.tree import SHIFT_K, SHIFT_SD_K
from analytics.snapshot import Snapshot
from hearthline.domain.places import PlaceKind

ASIDE = 0.5 * BELOW
HOURS_K = 0.3  # six hours stray about their day
ODD, ANY_K = 0.08, 3.0
"""One dwelling in twelve is off for a reason of its own, whatever its neighbour's (``shapes``)."""


def borne_out(snapshot: Snapshot, code: str, chance: float) -> float:
    """The chance that a caller is cold, given what is measured beyond his walls.

    Args:
        snapshot: the city at an instant.
        code: who called, without a sensor.
        chance: of being cold by what the calls say.
    """
    odds = log(chance) - log(max(1.0 - chance, 1e-9))
    for beside in snapshot.network.neighbours(code):
        if beside in snapshot.level_c and not snapshot.network.unheated_beside(beside, snapshot.at):
            odds += _told_by(snapshot, code, beside)
    return 1.0 / (1.0 + exp(-odds))


def _told_by(snapshot: Snapshot, code: str, beside: str) -> float:
    """The logarithm of how much likelier a neighbour's offset is beside a cold dwelling."""
    network, row = snapshot.network, snapshot.network.index[beside]
    off, daily = (float(values[row]) for values in snapshot.offsets)
    spread = hypot(daily, HOURS_K)
    if isnan(off):
        return 0.0
    riser = PlaceKind.RISER
    stacked = network.ancestor(code, riser) == network.ancestor(beside, riser)
    share = BELOW if stacked else ASIDE
    chilled = _normal(off, share * SHIFT_K, hypot(spread, share * SHIFT_SD_K))
    well = _normal(off, 0.0, spread)
    either = _normal(off, 0.0, ANY_K)
    return log((1.0 - ODD) * chilled + ODD * either) - log((1.0 - ODD) * well + ODD * either)


def _normal(value: float, mean: float, deviation: float) -> float:
    """A normal density, less the constant."""
    return exp(-0.5 * ((value - mean) / deviation) ** 2) / deviation
