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
GOOD_K, DAILY_K, ALIKE = 0.27, 0.33, 2.0
"""How far a healthy dwelling lies from its peers for good, and from day to day (standard
deviations), and by how much more the variance of a mean is since neighbouring days are alike: at a
measured correlation of 0.34, (1 + ρ)/(1 − ρ)."""
PLACE_K = 0.36
"""The same of a mean of two days that are not alike."""
LEAST_NEIGHBOURS = 2
UNFELT = 3.0
"""Log likelihood from which the neighbours speak against the room: twenty to one."""


def against_the_room(
    level_k: Floats, walls: Ints | None, place_k: Floats | float = PLACE_K
) -> Floats:
    """Log likelihood of neighbours that feel nothing over neighbours that a cold room pulls down.

    Args:
        level_k: how far each sensor lies from its peers, a mean of two days or more, K (sensors,
            instants).
        walls: pairs of rows whose dwellings touch, both orders; None where nobody knows.
        place_k: how far such a mean of a healthy dwelling lies from its peers, K, of the same shape
            or one for all (``after`` so many days).

    Returns:
        Of the same shape; NaN where fewer than two neighbours are known.
    """
    if walls is None or not len(walls):
        return np.full(level_k.shape, np.nan)
    known = ~np.isnan(level_k)
    weight = known / np.broadcast_to(np.square(place_k), level_k.shape)
    said = weight * np.where(known, level_k, 0.0)
    count, weighs, total = (
        summed(values[walls[:, 1]], walls[:, 0], len(level_k)) for values in (known, weight, said)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(count >= LEAST_NEIGHBOURS, total / weighs, np.nan)
        gain = (mean - PULL * level_k) ** 2 - mean**2
        return np.asarray(gain * weighs / 2.0)


def after(days: Floats) -> Floats:
    """How far the mean of so many days of a healthy dwelling lies from its peers, K."""
    with np.errstate(divide="ignore"):
        return np.sqrt(GOOD_K**2 + DAILY_K**2 * ALIKE / days)
