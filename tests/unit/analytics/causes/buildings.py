"""A building of four risers in two entrances, as it is seen, for tests of causes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analytics.causes.scene import Scene
from analytics.causes.shapes import Seen

FLOORS, RISERS = 9, 4
TOP, GROUND = FLOORS - 1, 0
UNITS = FLOORS * RISERS


def riser(number: int) -> slice:
    """The dwellings of a riser, from the ground up."""
    return slice(number * FLOORS, (number + 1) * FLOORS)


def height() -> np.ndarray:
    """How high each dwelling of a riser is, 0 to 1."""
    return np.arange(FLOORS) / (FLOORS - 1)


def building(
    off_k: Mapping[int, float] | None = None,
    *,
    known: bool = True,
    called: tuple[int, ...] = (),
    silent: tuple[int, ...] = (),
    drive_k: float = 30.0,
) -> Scene:
    """A building whose dwellings lie where they should but for some; ``known`` measured or not."""
    off = np.where(known, np.zeros(UNITS), np.nan)
    for unit, value in (off_k or {}).items():
        off[unit] = value
    calls, quiet = np.zeros(UNITS, bool), np.zeros(UNITS, bool)
    calls[list(called)], quiet[list(silent)] = True, True
    number = np.repeat(np.arange(RISERS), FLOORS)
    seen = Seen(off, np.full(UNITS, 0.4), quiet, calls)
    return Scene(0, seen, np.tile(height(), RISERS), number, number // 2, drive_k)
