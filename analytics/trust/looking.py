"""What a window shows before anybody judges it: the memory and the detectors both start from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.trust.jump import jumps
from analytics.trust.model import Floats, Ints, Jump, SensorHours, Surroundings
from analytics.trust.peers import offsets
from analytics.trust.stuck import flat_runs


@dataclass(frozen=True, slots=True)
class Seen:
    """Distances from the peers, K, and runs of one value, (sensors, hours); sharp steps."""

    offset_k: Floats
    flat_hours: Ints
    flat_samples: Ints
    jumps: Sequence[Jump]


def look(sensors: SensorHours, around: Surroundings) -> Seen:
    """Everything that is looked for in a window, once."""
    offset = offsets(sensors, around)
    return Seen(offset, *flat_runs(sensors), jumps(sensors, offset))
