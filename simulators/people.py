"""People: what they give off, cook, and let out of the window, by slot of the day.

Habits are drawn per dwelling and per slot of twenty minutes; the draw depends only on dwelling,
slot and seed. Nobody airs a room that is already cool, so people never explain a cold dwelling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators import rand
from simulators.rooms import Habits
from simulators.scenario import PeopleSpec

Array = NDArray[np.float64]

SLOT_S = 1200
"""Length of one activity or airing, s."""
SLOTS = 86400 // SLOT_S

# By local hour, midnight first. Share of the mean gain: asleep, away, at home.
_AT_HOME = np.repeat(
    [0.8, 0.76, 0.8, 1.05, 0.85, 0.95, 0.85, 1.2, 1.4, 1.1], [2, 3, 1, 2, 4, 2, 3, 1, 4, 2]
)
# Chance that a slot of twenty minutes holds cooking or the like.
_COOKING = np.repeat(
    [0.01, 0.06, 0.2, 0.07, 0.25, 0.06, 0.14, 0.35, 0.18, 0.05], [4, 2, 2, 3, 2, 3, 1, 2, 3, 2]
)
# Chance that a window is opened in a slot.
_AIRING = np.repeat([0.0, 0.006, 0.022, 0.006, 0.009, 0.003], [5, 2, 3, 8, 4, 2])
_COOKING_SHARE = 0.2  # of the mean gain comes in bursts
COMPANY = 1.0  # a day's gains differ from the dwelling's mean by up to this share
_LATE_H = 0.6
LATEST = 7
"""Slots by which a household's day can at most run late or early."""
AIRING_WM2 = 22.0
NOT_AIRED_BELOW_C = 21.5
NIGHT = (22, 6)
"""Hours between which valves are turned down."""


@dataclass(frozen=True, slots=True)
class Household:
    """Per dwelling: mean gain in W, and slots by which its day runs late, plus ``LATEST``."""

    mean_w: Array
    late: NDArray[np.uint8]


def household(seed: int, area_m2: Array, gains_wm2: float) -> Household:
    """Households of a town: mean gains ±15 %, days shifted by up to two hours."""
    keys = np.arange(len(area_m2))
    mean = gains_wm2 * area_m2 * (1.0 + 0.15 * rand.normal(seed, "people/gain", keys))
    late = np.rint(_LATE_H * 3600.0 / SLOT_S * rand.normal(seed, "people/late", keys))
    return Household(np.maximum(mean, 0.0), (late + LATEST).astype(np.uint8))


@dataclass(frozen=True, slots=True)
class Day:
    """A day of people's life by slot: see ``rooms.Habits``; every array is [SLOTS]."""

    rest: NDArray[np.float32]
    burst: float
    bursts: NDArray[np.int64]
    airs: NDArray[np.int64]

    def at(self, local_hour: float) -> Habits:
        """What people do at an hour of the day, by how late their own day runs."""
        slot = int(local_hour * 3600.0) // SLOT_S
        own = (slot - np.arange(-LATEST, LATEST + 1)) % SLOTS
        return Habits(
            rest=self.rest[own],
            burst=self.burst,
            bursts=self.bursts[own],
            airs=self.airs[own],
            company=COMPANY,
            not_aired_below_c=NOT_AIRED_BELOW_C,
        )


def day(spec: PeopleSpec) -> Day:
    """The tables of a day; gains average to one over it however often people cook."""
    cooking = np.minimum(_COOKING * spec.cooking, 1.0)
    share = _COOKING_SHARE if spec.cooking > 0.0 else 0.0
    steady = (1.0 - share) * _AT_HOME / _AT_HOME.mean()
    per_hour = SLOTS // 24
    return Day(
        rest=np.repeat(steady, per_hour).astype(np.float32),
        burst=float(share / cooking.mean()) if share else 0.0,
        bursts=_of_65536(cooking, per_hour),
        airs=_of_65536(np.minimum(_AIRING * spec.airing, 1.0), per_hour),
    )


def _of_65536(chance: Array, per_hour: int) -> NDArray[np.int64]:
    return np.repeat(np.rint(chance * 65536.0), per_hour).astype(np.int64)


def is_night(local_hour: float) -> bool:
    """Whether valves that are turned down at night are turned down now."""
    return local_hour >= NIGHT[0] or local_hour < NIGHT[1]
