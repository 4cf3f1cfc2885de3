"""The faults of a town over time, and the knobs they turn.

Knobs are made anew only when a level moves, and of them only the arrays that such a fault turns:
a drifting sensor among a million dwellings costs one array an hour. While nothing changes the
very same object is given out, so that whoever reads it can keep what follows from it. What stands
since long before the anchor and for good, such as thousands of stopped dwellings, is turned once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.faults.placed import PlacedFault
from simulators.handwork import turned
from simulators.knobs import Knobs
from simulators.layout import Layout
from simulators.scenario import SettingSpec

LEVELS = 256
"""Steps in which a fault rises over its ramp."""
_HOUR_S, _OFTEN_S, _SLOW_S = 3600.0, 1800.0, 7200.0
_LONG_AGO_S = -7 * 86400.0
"""Who is fully there by then and never ends stands always; no run begins so long before."""
_AGE = 1 << 10  # shifts the hours since the onset above the level

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Family:
    """Faults that turn the same knobs, directly or by way of each other."""

    turns: tuple[str, ...]
    members: tuple[int, ...]


@dataclass(slots=True)
class FaultBoard:
    """Gives the knobs of a town at any instant; asking in any order is fine."""

    layout: Layout
    faults: tuple[PlacedFault, ...]
    settings: tuple[SettingSpec, ...] = ()
    _base: Knobs = field(init=False)
    _moving: tuple[PlacedFault, ...] = field(init=False)
    _families: tuple[_Family, ...] = field(init=False)
    _times: NDArray[np.float64] = field(init=False)
    _grows: NDArray[np.bool_] = field(init=False)
    _codes: Codes | None = None
    _knobs: Knobs | None = None

    def __post_init__(self) -> None:
        self._base = turned(Knobs.neutral(self.layout), self.settings, self.layout)
        for fault in filter(_stands, self.faults):
            fault.kind.turn(self._base, fault.struck, fault.moment(1.0, 0.0))
        self._moving = tuple(fault for fault in self.faults if not _stands(fault))
        self._families = _families(self._moving)
        times = [(fault.onset_s, fault.end_s, fault.ramp_s) for fault in self._moving]
        self._times = np.array(times, dtype=np.float64).reshape(-1, 3).T
        self._grows = np.array([fault.kind.grows for fault in self._moving], dtype=bool)

    def knobs(self, offset_s: float) -> Knobs:
        """The knobs at an instant, the very same object while nothing changes."""
        codes = self._states(offset_s)
        if self._knobs is None or self._codes is None:
            self._knobs, self._codes = self._base, np.zeros_like(codes)
        changed = codes != self._codes
        if changed.any():
            fresh: dict[str, Any] = {}
            for family in self._families:
                if changed[list(family.members)].any():
                    fresh |= self._turned(family, codes)
            self._knobs, self._codes = replace(self._knobs, **fresh), codes
        return self._knobs

    def _states(self, offset_s: float) -> Codes:
        """Level in steps of 1/256 and, where it matters, hours since the onset; one per fault.

        Faults strike and end to the second. What rises for hours does so by the half-hour, and
        what grows by the hour: all together, so that knobs change now and then, not all the time.
        """
        onset, end, ramp = self._times
        at_s = np.where(ramp > _SLOW_S, offset_s // _OFTEN_S * _OFTEN_S, offset_s)
        with np.errstate(divide="ignore", invalid="ignore"):
            risen = np.where(ramp > 0.0, np.clip((at_s - onset) / ramp, 0.0, 1.0), 1.0)
        acting = (offset_s >= onset) & (offset_s < end)
        level = np.where(acting, np.round(risen * LEVELS), 0.0)
        hour_s = offset_s // _HOUR_S * _HOUR_S
        hours = np.maximum((hour_s - onset) // _HOUR_S, 0.0) * (self._grows & (level > 0.0))
        codes: Codes = level.astype(np.int64) + _AGE * hours.astype(np.int64)
        return codes

    def _turned(self, family: _Family, codes: Codes) -> dict[str, Any]:
        """The knobs of a family, turned by those of its faults that act."""
        acting = [member for member in family.members if codes[member] > 0]
        if not acting:
            return {name: getattr(self._base, name) for name in family.turns}
        knobs = replace(self._base, **{name: self._own(name) for name in family.turns})
        for member in acting:
            fault, code = self._moving[member], int(codes[member])
            moment = fault.moment(code % _AGE / LEVELS, code // _AGE * _HOUR_S)
            fault.kind.turn(knobs, fault.struck, moment)
        return {name: getattr(knobs, name) for name in family.turns}

    def _own(self, name: str) -> Any:
        """A copy of a knob that may be written to."""
        value = getattr(self._base, name)
        return value.copy() if isinstance(value, np.ndarray) else value


def _stands(fault: PlacedFault) -> bool:
    """Whether nothing about a fault changes any more."""
    settled = fault.onset_s + fault.ramp_s <= _LONG_AGO_S and fault.end_s == math.inf
    return settled and not fault.kind.grows


def _families(faults: tuple[PlacedFault, ...]) -> tuple[_Family, ...]:
    """Faults grouped so that no knob is turned by two groups."""
    groups: list[tuple[set[str], list[int]]] = []
    by_turns: dict[tuple[str, ...], list[int]] = {}
    for number, fault in enumerate(faults):
        by_turns.setdefault(fault.kind.turns, []).append(number)
    for turns, members in by_turns.items():
        merged, together = set(turns), list(members)
        apart = []
        for names, numbers in groups:
            if names & merged:
                merged |= names
                together += numbers
            else:
                apart.append((names, numbers))
        groups = [*apart, (merged, together)]
    return tuple(_Family(tuple(sorted(n)), tuple(sorted(m))) for n, m in groups)
