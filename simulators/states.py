"""What a town remembers from step to step, and what a step shows to instruments and truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.knobs import Knobs
from simulators.physics import hydraulics, primary
from simulators.weather import Weather

Array = NDArray[np.floating[Any]]
Single = NDArray[np.float32]


@dataclass(slots=True)
class State:
    """What the town remembers from step to step; [units], [circuits] or a number.

    Arrays are replaced and never written to, except what people do on this day and in this slot.
    """

    air_c: Single
    mass_c: Single
    emitted_w: Single
    today_w: Single
    gains_w: Single
    airing_w: Single
    slot: int
    secondary_supply_c: Array
    secondary_return_c: Array
    static_kpa: Array
    pipes: primary.Pipes
    primary: primary.PrimarySide
    outdoor_filtered_c: float

    def copy(self) -> State:
        """The same town once more."""
        return replace(
            self,
            today_w=self.today_w.copy(),
            gains_w=self.gains_w.copy(),
            airing_w=self.airing_w.copy(),
        )


@dataclass(frozen=True, slots=True)
class Water:
    """Temperatures in °C on every level of the circuits, shaped by the first word of the name.

    ``secondary`` is [circuits]; entrances are supplied as their building is. Where nothing
    flows, the return is the supply.
    """

    secondary_supply_c: Array
    secondary_return_c: Array
    building_supply_c: Array
    building_return_c: Array
    entrance_supply_c: Array
    entrance_return_c: Array
    unit_return_c: Single


@dataclass(frozen=True, slots=True)
class Circuits:
    """Static pressure at the ground in kPa and make-up in kg/s of each circuit, [circuits]."""

    static_kpa: Array
    makeup_kgs: Array


@dataclass(frozen=True, slots=True)
class Step:
    """What happened in one step, for instruments and truth; flows and water are its means.

    ``air_before_c`` and ``air_c`` are the rooms at its two ends, [units].
    """

    offset_s: int
    seconds: int
    weather: Weather
    knobs: Knobs
    air_before_c: Single
    air_c: Single
    emitted_w: Single
    flows: hydraulics.Flows
    water: Water
    primary: primary.PrimarySide
    circuits: Circuits
