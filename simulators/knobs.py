"""What a fault, or a person, may turn: the knobs of a town, on its arrays.

Factors are 1 and extras 0 where nothing is wrong. The engine and the instruments read knobs and
know nothing of faults; faults turn knobs and know nothing of physics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from simulators.layout import Layout

Array = NDArray[np.float32]
Flags = NDArray[np.bool_]


@dataclass(slots=True)
class Knobs:
    """Shapes: ``[circuits]``, ``[buildings]``, ``[entrances]`` or ``[units]`` by the first word
    (``curve``, ``pump``, ``circuit``, ``exchanger``, ``leak`` and ``balance`` are [circuits],
    ``gateway`` is [buildings], ``sensor`` is [units]); ``source_capacity`` is one number.
    """

    source_capacity: float
    curve_offset_k: Array  # added to the secondary supply's set point
    pump_speed: Array
    circuit_resistance: Array  # factor on the station's own resistance (its strainer)
    exchanger_fouling_k: Array  # added to the approach at design load
    leak_m3h: Array
    balance_lost: Array  # share of the throttling of near buildings' valves that is gone
    building_resistance: Array
    building_valve: Array  # factor on the resistance of the building's balancing valve
    building_swapped: Flags  # supply and return meet the building's meter the wrong way round
    entrance_resistance: Array
    entrance_swapped: Flags
    unit_valve: Array  # share of the valve's conductance, 0 closed
    unit_night_valve: Array  # a further factor from 22 to 6 o'clock
    unit_emission: Array
    unit_extra_loss: Array  # share of its own conductance to outdoors
    unit_gains: Array  # factor on what people and their appliances give off
    sensor_stuck: Flags
    sensor_value: Array  # °C shown by a stuck sensor; NaN: the last value it read
    sensor_offset_k: Array  # drifted or moved: added to what it shows
    sensor_radiator: Array  # share of (mean water − room) it feels, hanging above a radiator
    sensor_sun: Array  # K it feels per 100 W/m² on the south front
    sensor_outdoors: Array  # share of (outdoor − room) it feels, on a balcony or an outer wall
    sensor_unit: NDArray[np.intp]  # the dwelling it truly hangs in
    sensor_dead: Flags  # says nothing (battery)
    gateway_down: Flags  # passes nothing on; its sensors' readings are lost

    @classmethod
    def neutral(cls, layout: Layout) -> Knobs:
        """A town in which nothing is wrong."""
        units, _, entrances, buildings, circuits = layout.tree.sizes

        def same(count: int, value: float) -> Array:
            return np.full(count, value, dtype=np.float32)

        def no(count: int) -> Flags:
            return np.zeros(count, dtype=bool)

        return cls(
            source_capacity=1.0,
            curve_offset_k=same(circuits, 0.0),
            pump_speed=same(circuits, 1.0),
            circuit_resistance=same(circuits, 1.0),
            exchanger_fouling_k=same(circuits, 0.0),
            leak_m3h=same(circuits, 0.0),
            balance_lost=same(circuits, 0.0),
            building_resistance=same(buildings, 1.0),
            building_valve=same(buildings, 1.0),
            building_swapped=no(buildings),
            entrance_resistance=same(entrances, 1.0),
            entrance_swapped=no(entrances),
            unit_valve=same(units, 1.0),
            unit_night_valve=same(units, 1.0),
            unit_emission=same(units, 1.0),
            unit_extra_loss=same(units, 0.0),
            unit_gains=same(units, 1.0),
            sensor_stuck=no(units),
            sensor_value=same(units, float("nan")),
            sensor_offset_k=same(units, 0.0),
            sensor_radiator=same(units, 0.0),
            sensor_sun=same(units, 0.0),
            sensor_outdoors=same(units, 0.0),
            sensor_unit=np.arange(units, dtype=np.intp),
            sensor_dead=no(units),
            gateway_down=no(buildings),
        )


class Board(Protocol):
    """Whoever turns the knobs."""

    def knobs(self, offset_s: float) -> Knobs:
        """The knobs at an instant, the very same object while nothing changes."""
        ...
