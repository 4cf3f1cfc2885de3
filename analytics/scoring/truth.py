"""What was true in a run: temperatures, faults and what each of them did by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from hearthline.domain.findings import CAUSES, Cause, TicketKind

Floats = NDArray[np.float32]

HOUR = timedelta(hours=1)
NOTICEABLE_K = 0.3
"""Less than the instrument's tolerance is no effect."""
RECOVERY = timedelta(hours=72)
"""How long after its end a fault is still to be blamed: walls are slow."""


@dataclass(frozen=True)
class TrueFault:
    """One fault; ``drop_k`` is how much colder its ``units`` are by it alone, (units, hours).

    ``units`` are numbers of dwellings in the order of the network, ``cold`` those of them that it
    makes colder than the standard by itself (``simulators.truth.alone``). ``habit``: people do it
    for good. ``devices`` are the sensors that lie.
    """

    cause: Cause
    places: tuple[str, ...]
    onset_at: datetime
    end_at: datetime | None
    severity: float
    habit: bool
    units: NDArray[np.int64]
    drop_k: Floats
    cold: frozenset[int]
    devices: tuple[str, ...] = ()

    @property
    def of_sensor(self) -> bool:
        """Whether it is an instrument that is wrong, and nobody is cold."""
        return CAUSES[self.cause].ticket is TicketKind.SENSOR

    @property
    def counts(self) -> bool:
        """Whether it must be found: a fault that makes a dwelling cold by itself, and no habit."""
        return bool(self.cold) and not self.habit

    def to_blame(self, at: datetime) -> bool:
        """Whether it acts at an instant, or did until a while ago."""
        return self.onset_at <= at and (self.end_at is None or at <= self.end_at + RECOVERY)


@dataclass(frozen=True)
class Truth:
    """A run's truth; ``room_c`` and ``twin_c`` (without any fault) are (dwellings, hours).

    ``odd_devices`` have something wrong that is no fault of the scenario's (a flat battery, a wrong
    clock): a ticket about one is neither right nor wrong.
    """

    start: datetime
    threshold_c: float
    room_c: Floats
    twin_c: Floats
    faults: Sequence[TrueFault]
    odd_devices: frozenset[str] = field(default_factory=frozenset)

    @property
    def hours(self) -> int:
        """How long the run is."""
        return int(self.room_c.shape[1])

    @property
    def end(self) -> datetime:
        """When it ends."""
        return self.start + self.hours * HOUR

    def hour(self, at: datetime) -> int:
        """The number of the hour that holds an instant, within the run."""
        return min(max(int((at - self.start) // HOUR), 0), self.hours - 1)

    def first_cold(self, fault: TrueFault) -> datetime | None:
        """The first hour in which a dwelling is below the standard that the fault noticeably cools.

        Dwellings that were below before the fault struck do not tell.
        """
        if not len(fault.units):
            return None
        room = self.room_c[fault.units]
        onset = max(0, int((fault.onset_at - self.start) // HOUR))
        cold = (room < self.threshold_c) & (fault.drop_k >= NOTICEABLE_K)
        cold[:, :onset] = False
        if onset > 0:
            cold &= ~(room[:, onset - 1] < self.threshold_c)[:, None]
        hit = np.flatnonzero(cold.any(axis=0))
        return self.start + int(hit[0]) * HOUR if len(hit) else None
