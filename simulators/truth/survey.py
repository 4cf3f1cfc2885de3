"""The truth of a run hour by hour, for whatever wants it once: files, pictures, figures.

A city and its twin (the same without faults) advance side by side, so only an hour of them is in
memory, however long the run and however large the town. This is the one place outside the runner
that reads the engine's steps; what it yields are copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.city import City
from simulators.physics import water
from simulators.truth import NOTICEABLE_K

Array = NDArray[np.float32]
Progress = Callable[[float, float | None, str], None]
"""``progress(done, total, text)``."""

NOTHING = -1
"""The index of no fault."""


@dataclass(frozen=True, slots=True)
class Plant:
    """Means over an hour: weather, source, and the secondary side of each circuit, [circuits]."""

    outdoor_c: float
    source_kw: float
    supply_c: Array
    return_c: Array


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour: means of the rooms and of the twin's, °C, [units]; minutes below the standard."""

    index: int
    starts_at: datetime
    room_c: Array
    lowest_c: Array
    below_min: Array
    twin_c: Array
    plant: Plant


@dataclass(slots=True)
class _Hours:
    """One town, advanced an hour at a time."""

    engine: Any
    state: Any
    limit_c: float

    def hour(self, index: int) -> tuple[Array, Array, Array, Plant]:
        """Mean, lowest and minutes below the limit of every room, and the plant's means."""
        steps = 3600 // self.engine.seconds
        units = len(self.state.air_c)
        total, below = np.zeros(units, np.float32), np.zeros(units, np.float32)
        lowest = np.full(units, np.inf, np.float32)
        plants = []
        for at in range(index * steps, (index + 1) * steps):
            step = self.engine.advance(self.state, at)
            mean = ((step.air_before_c + step.air_c) / 2.0).astype(np.float32)
            total += mean
            below += mean < self.limit_c
            np.minimum(lowest, mean, out=lowest)
            plants.append(_plant(step))
        mean = np.round(total / np.float32(steps), 3)
        return mean, np.round(lowest, 3), below * np.float32(60.0 / steps), _mean(plants)


def _plant(step: Any) -> Plant:
    """What a step says of weather, source and circuits."""
    side = step.primary
    both = np.array([side.source_supply_c, side.source_return_c], dtype=np.float64)
    hot, cold = water.enthalpy(both)
    return Plant(
        outdoor_c=float(step.weather.outdoor_c),
        source_kw=float(side.source_flow_kgs * (hot - cold)),
        supply_c=np.array(step.water.secondary_supply_c, dtype=np.float32),
        return_c=np.array(step.water.secondary_return_c, dtype=np.float32),
    )


def _mean(plants: list[Plant]) -> Plant:
    return Plant(
        outdoor_c=float(np.mean([plant.outdoor_c for plant in plants])),
        source_kw=float(np.mean([plant.source_kw for plant in plants])),
        supply_c=np.mean([plant.supply_c for plant in plants], axis=0, dtype=np.float32),
        return_c=np.mean([plant.return_c for plant in plants], axis=0, dtype=np.float32),
    )


def utc_anchor(anchor: datetime) -> datetime:
    """The anchor as every run takes it: UTC, whole seconds.

    Raises:
        ValueError: it has no time zone.
    """
    if anchor.tzinfo is None:
        raise ValueError(f"{anchor} has no time zone")
    return anchor.astimezone(UTC).replace(microsecond=0)


def whole_hours(city: City, length: timedelta | None) -> int:
    """Whole hours of a length, by default of the city's history.

    Raises:
        ValueError: there is not one.
    """
    hours = int((length or city.history) / timedelta(hours=1))
    if hours < 1:
        raise ValueError(f"the truth is kept by the hour; {length} holds none, take 1 h or more")
    return hours


def survey(
    city: City,
    anchor: datetime,
    length: timedelta | None = None,
    progress: Progress | None = None,
) -> Iterator[Hour]:
    """The hours of a city from its anchor; the length defaults to the scenario's history.

    Raises:
        ValueError: the anchor has no time zone, or the length holds no hour.
    """
    start, hours = utc_anchor(anchor), whole_hours(city, length)
    limit = city.scenario.threshold_c
    town = _Hours(*city.start(start), limit)
    twin = _Hours(*city.start(start, with_faults=False), limit) if city.faults else None
    for index in range(hours):
        room, lowest, below, plant = town.hour(index)
        healthy = twin.hour(index)[0] if twin else room
        at = start + timedelta(hours=index)
        yield Hour(index, at, room, lowest, below, healthy, plant)
        if progress is not None:
            progress(index + 1, hours, f"truth at {at:%m-%d %H:%M}")


@dataclass(slots=True)
class _Suspect:
    """A fault on the lookout: the dwellings in its reach, and which were cold before it struck."""

    fault: int
    first_hour: int
    onset_s: float
    end_s: float
    reach: NDArray[np.intp]
    cold_before: NDArray[np.bool_]
    ever_cold: NDArray[np.bool_]


class Blame:
    """Which fault makes which dwelling cold, hour by hour: the rule of ``Trace.cold``, streamed.

    Show it every hour in order.
    """

    def __init__(self, city: City) -> None:
        self._limit = city.scenario.threshold_c
        self._suspects = []
        for number, placed in enumerate(city.faults):
            reach = np.asarray(city.reach(placed), dtype=np.intp)
            if len(reach):
                nobody = np.zeros(len(reach), dtype=bool)
                first = int(placed.onset_s // 3600)
                self._suspects.append(
                    _Suspect(
                        number, first, placed.onset_s, placed.end_s, reach, nobody, nobody.copy()
                    )
                )

    def of(self, hour: Hour) -> Iterator[tuple[int, NDArray[np.intp]]]:
        """Pairs of a fault and the indices of the dwellings that it makes cold in this hour."""
        start_s = hour.index * 3600.0
        for suspect in self._suspects:
            before = hour.index == suspect.first_hour - 1
            acting = suspect.onset_s - 3600.0 <= start_s < suspect.end_s
            if not (before or acting):
                continue
            room, twin = hour.room_c[suspect.reach], hour.twin_c[suspect.reach]
            below = room < self._limit
            if before:
                suspect.cold_before = below
            cold = below & ((twin >= self._limit) | (twin - room > NOTICEABLE_K))
            cold &= ~suspect.cold_before
            if acting and cold.any():
                suspect.ever_cold |= cold
                yield suspect.fault, suspect.reach[cold]

    def cold_units(self) -> dict[int, NDArray[np.intp]]:
        """Per fault, the indices of the dwellings that it made cold in the hours shown so far."""
        return {one.fault: one.reach[one.ever_cold] for one in self._suspects}
