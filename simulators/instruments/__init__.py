"""What instruments read in one step: sampled, biased, noisy, quantised, counted.

Pure in the sense that matters: given the step and what an instrument remembers (its case, the
value it stuck at, its counters), the readings follow. What happens to a reading on its way is
``post``.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulators.devices.fleet import Fleet
from simulators.instruments.meters import HeatMeters, MeterSamples
from simulators.instruments.rooms import RoomSamples, RoomSensors
from simulators.layout import Layout

__all__ = ["Bench", "HeatMeters", "MeterSamples", "RoomSamples", "RoomSensors"]


@dataclass(frozen=True, slots=True)
class Bench:
    """All instruments of a town."""

    rooms: RoomSensors
    meters: HeatMeters

    @classmethod
    def of(cls, fleet: Fleet, layout: Layout, seed: int, room_s: int, meter_s: int) -> Bench:
        """New instruments for a run."""
        return cls(
            RoomSensors.of(fleet.rooms, layout, seed, room_s),
            HeatMeters.of(fleet.meters, layout, seed, meter_s),
        )
