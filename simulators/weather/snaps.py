"""Cold snaps: seeded events that fall on a town with wind, stay, and leave over days.

Time is cut into slots of five days; in each at most one snap begins, with the probability that
gives the wanted number a month. Where two overlap the colder one counts, so no town falls twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from simulators import rand

SLOT_H = 120.0
MONTH_H = 730.5
MOST_PER_MONTH = MONTH_H / SLOT_H
_FALL_H = (12.0, 36.0)
_STAY_H = (6.0, 30.0)
_LEAVE_H = (36.0, 96.0)
_WIND_MS = (4.0, 8.0)
_SLOTS_BACK = 2
"""A snap lasts at most 162 h, so one that began three slots ago is over."""
_OVERLAP = 0.01
"""Share of all snaps' sum that is lost, per snap a month, where the colder counts (measured)."""


class Snap(NamedTuple):
    """One cold snap: hours of its parts, depth as a share of the usual one, wind at its front."""

    begins_h: float
    fall_h: float
    stay_h: float
    leave_h: float
    share: float
    wind_ms: float


class Cold(NamedTuple):
    """What snaps do at an instant: kelvins colder, m/s of front, and whether it is clear (0–1)."""

    kelvin: float
    front_ms: float
    clear: float


_NONE = Cold(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class ColdSnaps:
    """The snaps of a seed: ``per_month`` of them, between 2/3 and 4/3 of ``usual_k`` deep."""

    seed: int
    per_month: float
    usual_k: float
    _known: dict[int, tuple[Snap, ...]] = field(default_factory=dict, repr=False, compare=False)

    def at(self, hours: float) -> Cold:
        """What snaps do ``hours`` after the anchor."""
        if self.per_month <= 0.0:
            return _NONE
        slot = math.floor(hours / SLOT_H)
        snaps = self._known.get(slot)
        if snaps is None:
            drawn = [self.of_slot(index) for index in range(slot - _SLOTS_BACK, slot + 1)]
            snaps = self._known[slot] = tuple(snap for snap in drawn if snap is not None)
        kelvin = front_ms = clear = 0.0
        for snap in snaps:
            here = _phase(snap, hours - snap.begins_h)
            kelvin = max(kelvin, here.kelvin * snap.share * self.usual_k)
            front_ms = max(front_ms, here.front_ms)
            clear = max(clear, here.clear)
        return Cold(kelvin, front_ms, clear)

    def mean_k(self) -> float:
        """What snaps take off the temperature on average, K."""
        hours = (sum(_FALL_H) + sum(_LEAVE_H)) / 4.0 + sum(_STAY_H) / 2.0
        lost = 1.0 - _OVERLAP * self.per_month
        return self.per_month * self.usual_k * hours / MONTH_H * lost

    def of_slot(self, index: int) -> Snap | None:
        """The snap that begins in a slot of ``SLOT_H`` hours since the anchor, if one does."""

        def number(what: str) -> float:
            return rand.chance(self.seed, f"weather/snap/{what}", index)

        def between(what: str, ends: tuple[float, float]) -> float:
            return ends[0] + (ends[1] - ends[0]) * number(what)

        if number("happens") >= self.per_month * SLOT_H / MONTH_H:
            return None
        return Snap(
            begins_h=(index + number("begins")) * SLOT_H,
            fall_h=between("fall", _FALL_H),
            stay_h=between("stay", _STAY_H),
            leave_h=between("leave", _LEAVE_H),
            share=(2.0 + 2.0 * number("depth")) / 3.0,
            wind_ms=between("wind", _WIND_MS),
        )


def _phase(snap: Snap, since_h: float) -> Cold:
    """Share of the depth, wind of the front, and clearness, ``since_h`` hours after it began."""
    if since_h < 0.0:
        return _NONE
    if since_h < snap.fall_h:
        done = since_h / snap.fall_h
        return Cold(_eased(done), snap.wind_ms * 4.0 * done * (1.0 - done), 0.0)
    since_h -= snap.fall_h
    if since_h < snap.stay_h:
        return Cold(1.0, 0.0, min(4.0 * since_h / snap.stay_h, 1.0))
    since_h -= snap.stay_h
    if since_h < snap.leave_h:
        left = _eased(1.0 - since_h / snap.leave_h)
        return Cold(left, 0.0, left)
    return _NONE


def _eased(x: float) -> float:
    return x * x * (3.0 - 2.0 * x)
