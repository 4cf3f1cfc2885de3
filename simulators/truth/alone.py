"""What each fault does by itself: the truth about who is to blame, and which faults count.

In a bad winter many faults overlap, and a dwelling that is cold "while the fault acts and not in
the faultless twin" may be cold because of its neighbour's. Therefore each fault is run **alone**,
in a town where nothing else is wrong, beside the twin: what it takes from a dwelling is the twin's
temperature minus that run's. A fault **counts** where it makes at least one heated dwelling colder
than the standard by more than ``TOLERANCE_K``, for at least ``PERSISTENCE`` on end, by itself.

Faults whose reaches do not touch share a run. What people do for good (``people`` of a scenario)
are circumstances and no faults: they are run as well, and told apart by ``FaultTruth.habit``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from simulators.city import City
from simulators.truth import NOTICEABLE_K
from simulators.truth.survey import utc_anchor, whole_hours

Single = NDArray[np.float32]
Index = NDArray[np.intp]

TOLERANCE_K = 0.3
"""The tolerance of the instruments by which a standard is checked."""
PERSISTENCE = timedelta(hours=4)
"""How long a dwelling must be below the standard to be a case."""


@dataclass(frozen=True)
class Effect:
    """One fault by itself: ``drop_k`` is how much colder its ``units`` are, (hours, units).

    ``cold`` are those of ``units`` that it makes colder than the standard, as the module says.
    """

    fault: int
    units: Index
    drop_k: Single
    cold: NDArray[np.bool_]

    @property
    def counts(self) -> bool:
        """Whether it makes any dwelling cold."""
        return bool(self.cold.any())


@dataclass(frozen=True)
class Effects:
    """The truth of a run: mean temperatures by the hour, (hours, units), and what each fault does.

    ``room_c`` with everything that happens, ``twin_c`` with nothing; ``effects`` by the numbers of
    the faults of heat.
    """

    anchor: datetime
    room_c: Single
    twin_c: Single
    effects: dict[int, Effect]


def effects(
    city: City,
    anchor: datetime,
    length: timedelta | None = None,
    *,
    pool: Executor | None = None,
    progress: Callable[[float, float | None, str], None] | None = None,
) -> Effects:
    """Run a town with all its faults, with none, and with each of them alone.

    ``pool`` shares the work among processes (or threads); the result does not depend on it.

    Raises:
        ValueError: the anchor has no time zone, or the length holds no hour.
    """
    start, hours = utc_anchor(anchor), whole_hours(city, length)
    groups = apart(city)
    wanted = [tuple(range(len(city.faults))), (), *groups] if city.faults else [()]
    found: list[Single] = []
    for number, means in enumerate(_runs(city, start, hours, wanted, pool), 1):
        found.append(means)
        if progress is not None:
            progress(number, len(wanted), "what each fault does by itself")
    room, twin = found[0], found[1] if city.faults else found[0]
    told = {
        fault: _effect(city, fault, twin, alone)
        for group, alone in zip(groups, found[2:], strict=True)
        for fault in group
    }
    return Effects(start, room, twin, told)


def _runs(
    city: City,
    start: datetime,
    hours: int,
    wanted: Sequence[tuple[int, ...]],
    pool: Executor | None,
) -> Iterator[Single]:
    if pool is None:
        yield from (hourly(city, start, hours, chosen) for chosen in wanted)
        return
    waiting: list[Future[Single]] = [
        pool.submit(hourly, city, start, hours, chosen) for chosen in wanted
    ]
    yield from (one.result() for one in waiting)


def apart(city: City) -> list[tuple[int, ...]]:
    """Faults of heat in groups whose reaches do not touch, late ones together.

    What a fault does to flows elsewhere in its circuit only warms the others, and is let be.
    """
    groups: list[tuple[list[int], NDArray[np.bool_]]] = []
    heat = [n for n, fault in enumerate(city.faults) if not fault.kind.of_sensor]
    for number in sorted(heat, key=lambda n: (city.faults[n].onset_s, n)):
        reach = _reach(city, number)
        for members, taken in groups:
            if not taken[reach].any():
                members.append(number)
                taken[reach] = True
                break
        else:
            taken = np.zeros(city.layout.units, bool)
            taken[reach] = True
            groups.append(([number], taken))
    return [tuple(members) for members, _ in groups]


def _reach(city: City, fault: int) -> Index:
    """Dwellings a fault may cool, and those it strikes itself."""
    placed = city.faults[fault]
    return np.union1d(city.reach(placed), placed.struck.units).astype(np.intp)


def hourly(city: City, start: datetime, hours: int, chosen: Sequence[int]) -> Single:
    """Mean temperatures of every room by the hour with some of a city's faults, (hours, units)."""
    engine = replace(city, faults=tuple(city.faults[number] for number in chosen)).engine(start)
    state = engine.spin_up()
    steps = 3600 // engine.seconds
    means = np.zeros((hours, city.layout.units), np.float32)
    for hour in range(hours):
        for at in range(hour * steps, (hour + 1) * steps):
            step = engine.advance(state, at)
            means[hour] += (step.air_before_c + step.air_c) / 2.0
    return means / np.float32(steps)


def _effect(city: City, fault: int, twin: Single, alone: Single) -> Effect:
    units = city.reach(city.faults[fault])
    drop = twin[:, units] - alone[:, units]
    deep = alone[:, units] < city.scenario.threshold_c - TOLERANCE_K
    cold = longest(deep & (drop > NOTICEABLE_K)) >= int(PERSISTENCE / timedelta(hours=1))
    return Effect(fault, units, drop, cold)


def longest(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The longest stretch of True down each column, in rows."""
    run = np.zeros(mask.shape[1], np.int64)
    best = run.copy()
    for row in mask:
        run = np.where(row, run + 1, 0)
        best = np.maximum(best, run)
    return best
