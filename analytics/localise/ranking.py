"""Causes in order of their chances, and the rules by which a single dwelling's are weighed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hearthline.domain.findings import Cause

Ranked = Sequence[tuple[Cause, float]]
"""(cause, probability), best first; together at most 1."""

COVERED_K = (1.4, 2.4)
"""A covered radiator costs 0.5 to 2 K (0.9 K at 70 % of its output, 1.6 K at 50 %, section 3), and
what is usual of a dwelling is known to half a kelvin."""
CLOSED_K = (1.8, 3.0)
"""A closed valve costs 4.2 K once it has settled; with warm neighbours on all sides 2.8 K."""
DEEP_K = (3.0, 4.2)
"""Few envelopes leak half as much again and more (×1.4 costs 2.2 K, ×2 costs 5 K)."""
CHILLED_K = (2.0, 3.5)
"""What unheated neighbours cost: 1 to 3 K, two walls away a third of that."""
END = (0.2, 0.4)
"""How far from the middle of its riser a dwelling loses by badly set valves: they cost 1.1 to 3.7 K
from ground to top, of many dwellings at once."""
BESIDE = 0.08
"""A dwelling beside it whose valve is closed chills it by 1 to 1.4 K: each that nobody measures may
be the one, as likely as its own valve is a little closed."""
NIGHT_K, WINDOW_K = (0.5, 1.0), (1.5, 2.5)
"""A nightly setback beside the days; an open window's fall within two hours."""


@dataclass(frozen=True, slots=True)
class Around:
    """What surrounds a dwelling.

    ``alone``: nobody of its half of the riser is measured warm; ``fellows`` how many there lie off
    like it; ``height`` up its riser, 0 to 1; ``unheated`` how many dwellings beside it are not
    heated, those two walls away counted as a third; ``unknown`` how many heated ones beside it are
    not measured.
    """

    alone: bool = False
    fellows: int = 0
    height: float = 0.5
    unheated: float = 0.0
    unknown: int = 0


def normalised(weights: Mapping[Cause, float]) -> list[tuple[Cause, float]]:
    """Weights as probabilities, best first."""
    total = sum(weights.values())
    ranked = [(cause, weight / total) for cause, weight in weights.items() if weight > 0]
    return sorted(ranked, key=lambda item: (-item[1], item[0]))


def dwelling_weights(
    *,
    depth_k: float,
    settled_k: float,
    lost: float,
    night_k: float,
    fell_k: float,
    around: Around,
) -> dict[Cause, float]:
    """Rules in words as numbers; every cause keeps a little, since sensors see little.

    Args:
        depth_k: how far it lies off its fellows, for a day of 30 K between rooms and outdoors.
        settled_k: the same once it has stopped sinking.
        lost: how much likelier its course is if heat is lost than if it is lacking
            (``causes.response``).
        night_k: nights beyond days.
        fell_k: the fastest fall within two hours that is a few hours old at most.
        around: what surrounds it.
    """
    closed = ramp(settled_k, *CLOSED_K)
    nightly = ramp(night_k, *NIGHT_K)
    if (
        lost > 1.0
    ):  # the outdoors swing a leaky room by half a kelvin at most: nights tell of people
        lost = float(lost ** (1.0 - nightly))
    mild = 1.0 - ramp(depth_k, *CHILLED_K)
    weights = {
        Cause.VALVE_CLOSED: 0.08 + closed + BESIDE * around.unknown * mild,
        Cause.ENVELOPE: (0.45 - 0.2 * ramp(depth_k, *DEEP_K)) * lost,
        Cause.RADIATOR_COVERED: 0.05 + 0.3 * (1.0 - ramp(settled_k, *COVERED_K)),
        Cause.TURNED_DOWN: 0.05 + 2.5 * nightly,
        Cause.WINDOW_OPEN: 0.03 + 3.0 * ramp(fell_k, *WINDOW_K),
    }
    if around.alone:  # air at the top of a riser holds back the flow of a dwelling like its valve
        weights[Cause.AIR_LOCK] = (0.05 + 0.5 * closed) * (0.5 + 0.5 * around.height)
        end = ramp(abs(around.height - 0.5), *END)
        known = 0.6 if around.fellows else 0.3
        weights[Cause.VERTICAL_IMBALANCE] = known * end * mild
    if around.unheated:
        weights[Cause.NEIGHBOUR_UNHEATED] = 0.75 * min(1.0, around.unheated) * mild
    return weights


def ramp(value: float, low: float, high: float) -> float:
    """0 below ``low``, 1 above ``high``, straight between; 0 where unknown."""
    if not np.isfinite(value):
        return 0.0
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))
