"""Who is due when: devices ordered by the second of their interval at which they sample.

In that order the devices due in a step are one run, or two where an interval ends inside it, so
nothing is searched or sorted while a town runs, and samples come out in order of instant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.intp]
_NONE = np.zeros(0, dtype=np.intp)


class Round(NamedTuple):
    """Places ``first`` to ``last`` (excluded) of a rota, due ``since_s`` plus their phase."""

    first: int
    last: int
    since_s: int


@dataclass(frozen=True, slots=True)
class Rota:
    """Devices by (phase, number): ``order`` [devices] and their phases, s into the interval."""

    every_s: int
    order: Index
    phase_s: NDArray[np.int32]

    @classmethod
    def of(cls, phase_s: NDArray[np.int32], every_s: int) -> Rota:
        """The rota of devices with the given phases, each in [0, ``every_s``)."""
        order = np.argsort(phase_s, kind="stable")
        order.setflags(write=False)
        return cls(every_s, order, phase_s[order])

    def rounds(self, offset_s: int, seconds: int) -> Iterator[Round]:
        """The rounds of a step, in order of instant; together every device's due instants."""
        every, end = self.every_s, offset_s + seconds
        for since in range(offset_s // every * every, end, every):
            edges = np.clip([offset_s - since, end - since], 0, every)
            first, last = np.searchsorted(self.phase_s, edges.astype(self.phase_s.dtype))
            if first < last:
                yield Round(int(first), int(last), since)

    def due(self, offset_s: int, seconds: int) -> tuple[Index, Index]:
        """Devices due in a step and their instants, s from the anchor, in order of instant."""
        device, at_s = [_NONE], [_NONE]
        for first, last, since_s in self.rounds(offset_s, seconds):
            device.append(self.order[first:last])
            at_s.append(self.phase_s[first:last] + np.intp(since_s))
        return np.concatenate(device), np.concatenate(at_s)
