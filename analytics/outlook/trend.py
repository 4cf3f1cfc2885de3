"""What a dwelling's place says of its temperature before anybody measures: the trend's columns.

Pure. Each coefficient has a prior with its reason, so that at 4 % of dwellings measured an odd
sensor under a roof does not become a law about roofs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.outlook.town import Town

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Coefficient:
    """Expected value in K, its standard deviation, and how much stations differ in it."""

    name: str
    mean_k: float
    sd_k: float
    between_stations_k: float


COEFFICIENTS = (
    # The level itself: nothing is assumed; stations differ by ``Spread.station``.
    Coefficient("level", 0.0, 1e3, 0.0),
    # A designer sizes radiators for roof, ground and gable, so none is expected to be cold; ×1.4
    # the loss without a larger radiator would make -2.2 K, four standard deviations.
    Coefficient("top", 0.0, 0.5, 0.25),
    Coefficient("ground", 0.0, 0.5, 0.25),
    Coefficient("gable", 0.0, 0.5, 0.25),
    # Vertical imbalance is 1 to 4 K along a riser where it exists, mostly it does not.
    Coefficient("height", 0.0, 0.5, 0.5),
    # Unheated behind 20, 40, 60 % of the party area makes -1.2, -2.4, -3.5 K.
    Coefficient("chilled", -6.0, 1.5, 0.0),
    # Nobody heats here: several K below the neighbours who do.
    Coefficient("unheated", -4.0, 2.0, 0.0),
)


def columns(town: Town) -> Floats:
    """The trend's design, (dwellings, coefficients)."""
    return np.column_stack(
        [
            np.ones(town.size),
            town.top,
            town.ground,
            town.gable,
            town.height,
            town.chilled,
            ~town.owed,
        ]
    ).astype(np.float64)


def expected() -> tuple[Floats, Floats]:
    """Prior mean and standard deviation of the network's coefficients, K."""
    return (
        np.array([c.mean_k for c in COEFFICIENTS]),
        np.array([c.sd_k for c in COEFFICIENTS]),
    )


def between(station_k2: float) -> Floats:
    """Variances of a station's coefficients around the network's, K²."""
    own = np.array([max(c.between_stations_k, 1e-3) ** 2 for c in COEFFICIENTS])
    own[0] = station_k2
    return own
