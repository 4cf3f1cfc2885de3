"""Watching a small town's instruments: run it, turn knobs, and see what each device shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from simulators import City
from simulators.instruments import Bench, MeterSamples, RoomSamples
from simulators.knobs import Knobs
from simulators.states import Step

Array = NDArray[np.float64]
ANCHOR = datetime(2026, 1, 12, 2, 30, tzinfo=UTC)

Taken = list[tuple[Step, RoomSamples, MeterSamples]]
Change = Callable[[Step], Step]


def bench_of(city: City) -> Bench:
    """New instruments of a city."""
    every = city.scenario.instruments
    return Bench.of(
        city.fleet,
        city.layout,
        city.seed,
        int(every.room_every.total_seconds()),
        int(every.meter_every.total_seconds()),
    )


def measured(city: City, hours: float = 3, change: Change = lambda step: step) -> Taken:
    """Steps (as ``change`` leaves them) and copies of what the instruments read in them."""
    engine, state = city.start(ANCHOR)
    bench = bench_of(city)
    taken = []
    for index in range(round(hours * 3600 / engine.seconds)):
        step = change(engine.advance(state, index))
        rooms, meters = bench.rooms.read(step), bench.meters.read(step)
        taken.append((step, rooms[np.ones(len(rooms.sensor), dtype=bool)], meters))
    return taken


def turning(**knobs: object) -> Change:
    """A change of some knobs, each given as {index: value}; the same arrays in every step."""
    turned: list[Knobs] = []

    def change(step: Step) -> Step:
        if not turned:
            changed = {name: getattr(step.knobs, name).copy() for name in knobs}
            for name, values in knobs.items():
                assert isinstance(values, dict)
                for index, value in values.items():
                    changed[name][index] = value
            turned.append(replace(step.knobs, **changed))
        return replace(step, knobs=turned[0])

    return change


@dataclass(frozen=True)
class Shown:
    """Temperatures, °C, and batteries, %, by step and sensor, NaN where nothing was said."""

    temperature_c: Array
    battery_pct: Array

    @classmethod
    def of(cls, taken: Taken, sensors: int) -> Shown:
        """What each sensor of a fleet showed in each step."""
        warm, charge = (np.full((len(taken), sensors), np.nan) for _ in range(2))
        for row, (_, rooms, _) in enumerate(taken):
            warm[row, rooms.sensor] = rooms.temperature_c
            charge[row, rooms.sensor] = rooms.battery_pct
        return cls(warm, charge)


def shown(city: City, hours: float = 3, change: Change = lambda step: step) -> Shown:
    """What every room sensor of a city shows."""
    return Shown.of(measured(city, hours, change), len(city.fleet.rooms))
