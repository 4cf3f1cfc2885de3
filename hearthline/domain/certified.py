"""Certified on-site readings: what a calibrated instrument showed beside a room sensor.

The difference holds from then on: the sensor's readings are corrected by it, and what was doubted
of its *level* (moved, drifting) is settled. What is wrong with its *place* (sun, radiator,
balcony) is not, since that error changes with the hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

AROUND = timedelta(minutes=45)
"""The sensor's own readings that are compared: two or three at twenty minutes, more of a faster
one."""
DEADBAND_K = 0.3
"""A smaller difference says nothing: the tolerance of arbitration instruments is 0.3 to 0.5 K."""
MOST_K = 3.0
"""A larger one is not corrected but refused: a sensor that far off wants changing or moving. It is
also the most by which a mistake in typing can shift verdicts."""


@dataclass(frozen=True, slots=True)
class Certified:
    """A certified reading of one device, with what the device itself said around that time."""

    device_id: int
    time: datetime
    temperature_c: float
    sensor_c: float

    @property
    def offset_k(self) -> float:
        """By how much the sensor's readings are too high from then on; 0 within the deadband."""
        return correction(self.sensor_c, self.temperature_c)


def correction(sensor_c: float, certified_c: float) -> float:
    """What to subtract from a sensor's readings, K: 0 within ``DEADBAND_K``."""
    offset = sensor_c - certified_c
    return 0.0 if abs(offset) <= DEADBAND_K else offset
