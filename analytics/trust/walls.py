"""What the neighbours feel: the witnesses for or against a room that is said to be cold.

A dwelling loses most of its warmth through its walls and ceilings: 428 W/K to its neighbours beside
81 W/K to the outdoors and what its radiator gives more when it is colder (domain facts, section
3). So one that is truly d below its peers pulls each neighbour down by some 0.17 d (a median over
dwellings of simulated towns cold from ten causes), and a sensor that lies pulls nobody.
"""

from __future__ import annotations

import numpy as np

from analytics.robust import summed
from analytics.trust.model import Floats, Ints

PULL = 0.17
PLACE_K = 0.36
"""How far a healthy dwelling's mean of two days or more lies from its peers: 0.27 K for good,
0.33 K a day."""
LEAST_NEIGHBOURS = 2
UNFELT = 3.0
"""Log likelihood from which the neighbours speak against the room: twenty to one."""


def against_the_room(level_k: Floats, walls: Ints | None) -> Floats:
    """Log likelihood of neighbours that feel nothing over neighbours that a cold room pulls down.

    Args:
        level_k: how far each sensor lies from its peers, a mean of two days or more, K (sensors,
            instants).
        walls: pairs of rows whose dwellings touch, both orders; None where nobody knows.

    Returns:
        Of the same shape; NaN where fewer than two neighbours are known.
    """
    if walls is None or not len(walls):
        return np.full(level_k.shape, np.nan)
    known = ~np.isnan(level_k)
    total = summed(np.where(known, level_k, 0.0)[walls[:, 1]], walls[:, 0], len(level_k))
    count = summed(known[walls[:, 1]], walls[:, 0], len(level_k))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(count >= LEAST_NEIGHBOURS, total / count, np.nan)
        gain = (mean - PULL * level_k) ** 2 - mean**2
        return np.asarray(gain * count / (2.0 * PLACE_K**2))
