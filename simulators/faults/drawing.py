"""Faults drawn by seed: every kind in turn, at places where nothing else would hide it.

A draw depends on the seed, on the fault's number and on the faults placed before it. Faults of
heat are drawn first, so that they are the same whatever the coverage; sensors' faults then
choose among the dwellings that carry a sensor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from hearthline.domain.findings import Cause
from hearthline.domain.places import PlaceKind
from simulators import rand
from simulators.faults.conflicts import Occupied, Spot, Stay, is_hidden, upwards
from simulators.faults.habits import habits
from simulators.faults.registry import REGISTRY, FaultKind, Index, Spans
from simulators.layout import Layout
from simulators.scenario import DrawnFaultsSpec, FaultSpec, Scenario

_TRIES = 40
_LEAST_STOREYS = 3  # below that there is no "along the riser"
_RECOVERY = timedelta(hours=12)
"""After a fault of heat its dwellings are left alone until they are warm again."""


def draw(
    scenario: Scenario, layout: Layout, seed: int, sensed: Index | None = None
) -> tuple[FaultSpec, ...]:
    """What people do and the faults a scenario leaves to chance, beside those it lists.

    ``sensed`` are the dwellings with a room sensor (None: all). Fewer faults than asked for come
    back where no free place is left.
    """
    occupied = Occupied(layout)
    for number, spec in enumerate(scenario.faults):
        occupied.note(number, spec)
    people = habits(scenario, layout, seed, occupied)
    if scenario.drawn_faults is None:
        return people
    carriers = np.arange(layout.units) if sensed is None else np.asarray(sensed)
    hand = _Hand(scenario, layout, seed, carriers, occupied)
    return (*people, *hand.deal(scenario.drawn_faults))


def how_many(spec: DrawnFaultsSpec, units: int) -> int:
    """How many faults are asked for in a town of ``units`` dwellings."""
    return round(spec.per_1000 * units / 1000.0) if spec.count is None else spec.count


@dataclass(frozen=True, slots=True)
class _Hand:
    """Deals the faults of one town."""

    scenario: Scenario
    layout: Layout
    seed: int
    sensed: Index
    occupied: Occupied
    full: set[Cause] = field(default_factory=set)

    def deal(self, spec: DrawnFaultsSpec) -> Iterator[FaultSpec]:
        """All faults: those of heat first, and the broad ones before what they would hide."""
        causes = list(dict.fromkeys(spec.causes or REGISTRY))
        count = how_many(spec, self.layout.units)
        turns = [(n, REGISTRY[causes[self._turn(n, len(causes))]]) for n in range(count)]
        turns.sort(key=lambda turn: (turn[1].of_sensor, turn[1].scopes[0].level, turn[0]))
        for number, kind in turns:
            others = [REGISTRY[cause] for cause in causes if cause is not kind.cause]
            others = [other for other in others if other.of_sensor == kind.of_sensor]
            lot = rand.uniform(self.seed, "faults/instead", number, np.arange(len(others)))
            instead = [others[at] for at in lot.argsort(kind="stable")]
            yield from self._fit(number, [kind, *instead], spec.onset)

    def _turn(self, number: int, kinds: int) -> int:
        """Which kind's turn it is: a new order every round."""
        turn, place = divmod(number, kinds)
        order = rand.bits(self.seed, "faults/order", turn, np.arange(kinds)).argsort(kind="stable")
        return int(order[place])

    def _fit(self, number: int, kinds: list[FaultKind], onset: Spans) -> Iterator[FaultSpec]:
        """A fault of the first kind that finds a free place; none if none does.

        A kind that found none is not tried again, so that asking for too many ends soon.
        """
        for kind in kinds:
            if kind.cause in self.full:
                continue
            for attempt in range(_TRIES):
                spec = self._propose(kind, number, attempt, onset)
                if spec is not None:
                    yield spec
                    return
            self.full.add(kind.cause)

    def _propose(
        self, kind: FaultKind, number: int, attempt: int, onset: Spans
    ) -> FaultSpec | None:
        """A fault at random, or None if its place is not free."""
        spots = self._spots(kind, number, attempt)
        if not spots:
            return None
        spec = self._spec(kind, spots, onset, number, attempt)
        stay = Stay.of(number, spec)
        if not kind.of_sensor and spec.end is not None:
            stay = stay._replace(end_s=stay.end_s + _RECOVERY.total_seconds())
        if any(is_hidden(self.occupied, spot, stay) for spot in spots):
            return None
        for spot in spots:
            self.occupied.add(spot, stay)
        return spec

    def _spec(
        self, kind: FaultKind, spots: list[Spot], onset: Spans, number: int, attempt: int
    ) -> FaultSpec:
        """When and how much: within what is usual for the kind."""
        starts = self._between(onset, "onset", number, attempt)
        ends = variant = None
        if kind.lasts is not None:
            ends = starts + max(self._between(kind.lasts, "lasts", number, attempt), self._step)
        if kind.variants:
            variant = rand.pick(kind.variants, self.seed, "faults/variant", number)
        return FaultSpec(
            cause=kind.cause,
            variant=variant,
            place=tuple(self.layout.codes[level][index] for level, index in spots),
            onset=starts,
            end=ends,
            ramp=self._between(kind.ramp, "ramp", number, attempt),
            severity=self._severity(kind, number, spots),
        )

    @property
    def _step(self) -> timedelta:
        return self.scenario.step

    def _between(self, span: Spans, what: str, number: int, attempt: int) -> timedelta:
        """A time between two, on the scenario's grid of steps."""
        share = rand.chance(self.seed, f"faults/{what}", number, attempt)
        return (span[0] + (span[1] - span[0]) * share) // self._step * self._step

    def _severity(self, kind: FaultKind, number: int, spots: list[Spot]) -> float | None:
        if kind.usual is None:
            return None
        low, high = kind.usual
        much = low + (high - low) * rand.chance(self.seed, "faults/severity", number)
        if kind.by_size:
            much *= sum(len(self.layout.units_below(*spot)) for spot in spots) / 1000.0
        much = round(much, 2)
        negative = kind.signed and rand.chance(self.seed, "faults/sign", number) < 0.5
        return -much if negative else much

    def _any(self, what: str, count: int, number: int, attempt: int) -> int:
        return int(rand.chance(self.seed, f"faults/{what}", number, attempt) * count)

    def _spots(self, kind: FaultKind, number: int, attempt: int) -> list[Spot]:
        """Where a fault might strike; empty if there is no such place."""
        scope = kind.scopes[self._any("scope", len(kind.scopes), number, attempt)]
        if kind.of_sensor and scope is PlaceKind.UNIT:
            return self._sensors(kind, number, attempt)
        index = self._any("place", len(self.layout.codes[scope]), number, attempt)
        if kind.cause is Cause.VERTICAL_IMBALANCE and self._storeys(scope, index) < _LEAST_STOREYS:
            return []
        spots = [(scope, index)]
        low, high = kind.together
        for _ in range(low + self._any("together", high - low + 1, number, attempt) - 1):
            beside = self.layout.touched_by(np.array([at for _, at in spots], dtype=np.intp))
            more = [at for at in np.unique(beside).tolist() if (scope, at) not in spots]
            if more:
                spots.append((scope, more[self._any("beside", len(more), number, len(spots))]))
        return spots

    def _sensors(self, kind: FaultKind, number: int, attempt: int) -> list[Spot]:
        """One sensor, or two of the same building (anywhere if there is only one)."""
        if len(self.sensed) < kind.together[0]:
            return []
        unit = int(self.sensed[self._any("place", len(self.sensed), number, attempt)])
        if kind.together[0] == 1:
            return [(PlaceKind.UNIT, unit)]
        chain = upwards(self.layout, (PlaceKind.UNIT, unit))
        building = next(i for level, i in chain if level is PlaceKind.BUILDING)
        first, end = self.layout.tree.units_of("building", building)
        near = self.sensed[(self.sensed >= first) & (self.sensed < end) & (self.sensed != unit)]
        others = near if len(near) else self.sensed[self.sensed != unit]
        other = int(others[self._any("other", len(others), number, attempt)])
        return [(PlaceKind.UNIT, unit), (PlaceKind.UNIT, other)]

    def _storeys(self, scope: PlaceKind, index: int) -> int:
        first, _ = self.layout.tree.units_of(scope.value, index)
        return int(self.layout.storeys[first])
