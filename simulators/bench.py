"""How fast a town can be simulated, beside the rate at which its arrays pass through memory.

A step counts everything that happens to a dwelling in ten minutes: hydraulics, emitters, rooms
with neighbours, people, substations, and every instrument's readings; encoding them as messages
is not counted. The ceiling reads what a step reads and writes what it writes, once, with the same
processors, and computes nothing. Each size runs in a process of its own, so that its peak memory
is its own.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators import parallel
from simulators.compiled import compiled

ANCHOR = datetime(2026, 1, 12, tzinfo=UTC)
STEP = timedelta(minutes=10)
_WARM_UP = 4
_LEAST_STEPS = 12


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one size; rates in dwelling-steps a second, memory in MB."""

    units: int
    steps: int
    coverage: float
    unit_steps_per_s: float
    physics_only_per_s: float
    ceiling_per_s: float
    ratio: float
    peak_mb: float
    build_s: float


def measure(
    sizes: tuple[int, ...],
    *,
    unit_steps: int = 40_000_000,
    coverage: float = 1.0,
    progress: Callable[[str], None] = lambda _text: None,
) -> list[Measured]:
    """Measure towns of several sizes, each for about ``unit_steps`` dwelling-steps."""
    found = []
    for units in sizes:
        progress(f"{units:,} dwellings")
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            found.append(pool.apply(_one, (units, unit_steps, coverage)))
    return found


def _one(units: int, unit_steps: int, coverage: float) -> Measured:
    """One size, in its own process."""
    import simulators
    from simulators.instruments import Bench
    from simulators.scenario import file as scenario_file

    began = time.perf_counter()
    whole = scenario_file.resize(simulators.load("metropolis"), units=units)
    scenario = msgspec.structs.replace(whole, step=STEP)
    city = simulators.build(scenario, coverage=coverage)
    engine = city.engine(ANCHOR)
    state = engine.unsettled()
    every = scenario.instruments
    bench = Bench.of(
        city.fleet,
        city.layout,
        city.seed,
        int(every.room_every.total_seconds()),
        int(every.meter_every.total_seconds()),
    )
    build_s = time.perf_counter() - began
    steps = max(unit_steps // city.layout.units, _LEAST_STEPS)
    for index in range(_WARM_UP):
        _observed(bench, engine.advance(state, index))
    began = time.perf_counter()
    for index in range(_WARM_UP, _WARM_UP + steps):
        _observed(bench, engine.advance(state, index))
    whole_s = time.perf_counter() - began
    began = time.perf_counter()
    for index in range(_WARM_UP + steps, _WARM_UP + 2 * steps):
        engine.advance(state, index)
    physics_s = time.perf_counter() - began
    ceiling = _ceiling(engine.streams(state), city.layout.units, steps)
    done = city.layout.units * steps
    return Measured(
        units=city.layout.units,
        steps=steps,
        coverage=coverage,
        unit_steps_per_s=done / whole_s,
        physics_only_per_s=done / physics_s,
        ceiling_per_s=ceiling,
        ratio=done / whole_s / ceiling,
        peak_mb=_peak_mb(),
        build_s=build_s,
    )


def _observed(bench: Any, step: Any) -> None:
    """Read every instrument once."""
    bench.rooms.read(step)
    bench.meters.read(step)


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _ceiling(holders: tuple[object, ...], units: int, steps: int) -> float:
    """Dwelling-steps a second if a step only read its arrays and wrote its results."""
    rows = list(_of_units(holders, units))
    wide = [row for row in rows if row.dtype == np.float64]
    narrow = [row for row in rows if row.dtype == np.float32]
    fresh = [np.empty(units) for _ in range(2)] + [
        np.empty(units, dtype=np.float32) for _ in range(3)
    ]
    edges = np.linspace(0, units, parallel.processors() + 1).astype(int)
    parts = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))

    def once() -> None:
        def stream(part: tuple[int, int]) -> None:
            for row in (*wide, *narrow):
                _read(row, *part)
            for row in fresh:
                _write(row, *part)

        parallel.each(parts, stream)

    once()
    began = time.perf_counter()
    for _ in range(steps):
        once()
    return units * steps / (time.perf_counter() - began)


def _of_units(holder: object, units: int) -> Iterator[NDArray[Any]]:
    """Every row of ``units`` floats that a record holds, however deep."""
    if isinstance(holder, np.ndarray):
        if holder.shape[-1:] == (units,) and holder.dtype in (np.float32, np.float64):
            yield from np.ascontiguousarray(holder).reshape(-1, units)
    elif isinstance(holder, tuple):
        for item in holder:
            yield from _of_units(item, units)
    elif is_dataclass(holder):
        for one in fields(holder):
            yield from _of_units(getattr(holder, one.name), units)


@compiled
def _read(row, first, last):
    """Look at every number once: eight sums side by side, so that memory is the limit."""
    a = b = c = d = row[first] * 0
    for at in range(first, last - 3, 4):
        a += row[at]
        b += row[at + 1]
        c += row[at + 2]
        d += row[at + 3]
    return a + b + c + d


@compiled
def _write(row, first, last):
    """Write every number once."""
    for at in range(first, last):
        row[at] = at
