"""A village with everything that can stand in a town, and a board whose knobs a test turns.

Radiators and floor heating, two to six neighbours, short and long primary pipes, frost and thaw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from simulators import City, build
from simulators.engine import Engine
from simulators.knobs import Knobs
from simulators.scenario.checks import sound
from simulators.scenario.file import look_over
from simulators.states import State, Step

ANCHOR = datetime(2026, 1, 12, 2, 30, tzinfo=UTC)

VILLAGE = """
name: village
title: Radiators and floors, two to six neighbours
site: vi
seed: 7
history: 24h
source: {code: V, name: Plant, latitude: 45.7, longitude: 126.6}
substations:
  - name: East
    latitude: 45.702
    longitude: 126.602
    circuits:
      - {name: radiators, buildings: [2x6, 2x5x3, 1x6x4]}
      - {name: floors, heating: floor, buildings: [2x5x5, 1x4x6, 2x4]}
  - {name: West, latitude: 45.73, longitude: 126.66, buildings: [2x5x5, 1x4x1, 1x7x2]}
weather: {level: [[0h, -4], [40h, -23], [90h, -9], [168h, 1]], variation_k: 2, wind_ms: 4}
dwellings: {envelope_spread: 0.05}
people: {airing: 2.0}
"""


def village(text: str = "", *, seed: int | None = None) -> City:
    """The village with more YAML appended."""
    return build(sound(look_over(VILLAGE + text, "village")), seed=seed)


@dataclass(slots=True)
class Turned:
    """A board that turns knobs by a rule of the test's own: ``rule(hours)`` names the arrays."""

    neutral: Knobs
    rule: Callable[[float], dict[str, Any]]
    _last: tuple[Any, Knobs] | None = None

    def knobs(self, offset_s: float) -> Knobs:
        """The knobs at an instant, the same object while the rule's answer is the same object."""
        wanted = self.rule(offset_s / 3600.0)
        if self._last is None or self._last[0] is not wanted:
            fitted = {}
            for name, value in wanted.items():
                old = getattr(self.neutral, name)
                fitted[name] = value if isinstance(old, float) else np.asarray(value, old.dtype)
            self._last = (wanted, replace(self.neutral, **fitted))
        return self._last[1]


def turned_by(city: City, rule: Callable[[float], dict[str, Any]]) -> Engine:
    """An engine of a city whose knobs a rule turns."""
    board = Turned(Knobs.neutral(city.layout), rule)
    return Engine(city.scenario, city.seed, city.layout, city.model, board, ANCHOR)


def steps(engine: Engine, state: State, hours: float) -> Iterator[tuple[State, Step]]:
    """Each step of the first hours, with the state before it."""
    for index in range(int(hours * 3600 / engine.seconds)):
        before = state.copy()
        yield before, engine.advance(state, index)


QUARTER = """
name: quarter
title: Eight houses along one main, and two elsewhere; always the same weather
site: qu
seed: 7
history: 24h
source: {code: Q, name: Plant, latitude: 45.7, longitude: 126.6}
substations:
  - name: Main street
    latitude: 45.71
    longitude: 126.61
    buildings: [2x7, 3x6, 2x6x3, 2x7, 3x6, 2x7x4, 2x7, 3x6]
  - {name: Elsewhere, latitude: 45.702, longitude: 126.602, buildings: [2x6, 2x5]}
people: {airing: 0}
"""
STILL = "weather: {level: [[0h, %s]], daily_swing_k: 0, variation_k: 0, wind_ms: 3}\n"


def quarter(faults: str = "", *, outdoor_c: float = -10.0) -> City:
    """Eight houses along one main in weather that stands still; ``faults`` is a YAML list."""
    text = QUARTER + STILL % outdoor_c + (f"faults:\n{faults}" if faults else "")
    return build(sound(look_over(text, "quarter")))
