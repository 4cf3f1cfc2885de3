"""Which meters supply and which consume at every stage of the network.

A place is metered by its own meter of the right role or, where it has none, by those of *all*
its children: half a building's entrances are not the building. Meters on single dwellings are
not added up here. Time in which no meter was bound is a gap like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from analytics.balance import BalanceStage, BalanceWindow, Consumer, Pipes, balance
from analytics.heat import MIN_COVERAGE, MeterWindow
from hearthline.domain.places import DeviceRole, PlaceKind

MeteredPlaces = Mapping[tuple[str, DeviceRole], Sequence[MeterWindow]]


@dataclass(frozen=True, slots=True)
class Layout:
    """The tree above the dwellings: kind, children and heated area (m²) by place code."""

    kinds: Mapping[str, PlaceKind]
    children: Mapping[str, tuple[str, ...]]
    areas_m2: Mapping[str, float]

    @classmethod
    def of(
        cls,
        places: Iterable[tuple[str, PlaceKind, str | None]],
        own_areas_m2: Mapping[str, float],
    ) -> Layout:
        """From (code, kind, parent) in order of path, and the areas directly below each place."""
        kinds: dict[str, PlaceKind] = {}
        children: dict[str, list[str]] = {}
        parents: dict[str, str | None] = {}
        for code, kind, parent in places:
            kinds[code] = kind
            parents[code] = parent
            if parent is not None:
                children.setdefault(parent, []).append(code)
        areas = {code: own_areas_m2.get(code, 0.0) for code in kinds}
        for code in sorted(kinds, key=lambda code: kinds[code].level, reverse=True):
            parent = parents[code]
            if parent is not None:
                areas[parent] += areas[code]
        return cls(kinds, {code: tuple(below) for code, below in children.items()}, areas)

    def of_kind(self, kind: PlaceKind, below: str | None = None) -> Iterator[str]:
        """Every place of a kind, in order of path, or those below one place."""
        for code in self.kinds if below is None else self.children.get(below, ()):
            if self.kinds[code] is kind:
                yield code
            elif below is not None:
                yield from self.of_kind(kind, code)


def balances(
    layout: Layout,
    metered: MeteredPlaces,
    start: datetime,
    stop: datetime,
    pipes: Mapping[BalanceStage, Pipes],
) -> list[BalanceWindow]:
    """The network's balance at every source, and both stages of every substation."""
    meters = Metering(layout, metered, (stop - start) / timedelta(minutes=1))
    found = []

    def draw(
        place: str,
        stage: BalanceStage,
        supply: Sequence[MeterWindow],
        consumers: Sequence[Consumer],
    ) -> None:
        found.append(
            balance(
                place, stage, start, stop, supply=supply, consumers=consumers, pipes=pipes[stage]
            )
        )

    for source in layout.of_kind(PlaceKind.SOURCE):
        substations = tuple(layout.of_kind(PlaceKind.SUBSTATION, source))
        consumers = meters.consumers(substations, DeviceRole.PRIMARY)
        supply = meters.own(source, DeviceRole.PRIMARY)
        draw(source, BalanceStage.TRANSMISSION, supply, consumers)
    for substation in layout.of_kind(PlaceKind.SUBSTATION):
        circuits = meters.consumers(meters.secondary_places(substation), DeviceRole.SECONDARY)
        primary = meters.own(substation, DeviceRole.PRIMARY)
        draw(substation, BalanceStage.EXCHANGE, primary, circuits)
        buildings = tuple(layout.of_kind(PlaceKind.BUILDING, substation))
        supplied = all(circuit.meters for circuit in circuits)
        secondary = [m for circuit in circuits for m in circuit.meters] if supplied else []
        consumers = meters.consumers(buildings, DeviceRole.BRANCH)
        draw(substation, BalanceStage.DISTRIBUTION, secondary, consumers)
    return found


@dataclass(frozen=True, slots=True)
class Metering:
    """Which meters stand for which place in a window of ``window_min`` minutes."""

    layout: Layout
    metered: MeteredPlaces
    window_min: float

    def own(self, place: str, role: DeviceRole) -> tuple[MeterWindow, ...]:
        """The place's own meters; the time in which none was bound stands as a gap."""
        meters = tuple(self.metered.get((place, role), ()))
        bound_min = sum(meter.expected_min for meter in meters)
        if meters and bound_min < MIN_COVERAGE * self.window_min:
            meters += (MeterWindow(0.0, 0.0, self.window_min - bound_min, 0.0),)
        return meters

    def covering(self, place: str, role: DeviceRole) -> tuple[MeterWindow, ...]:
        """The place's own meters, or those of all its children; none where one is missing."""
        if own := self.own(place, role):
            return own
        below = [self.covering(child, role) for child in self.layout.children.get(place, ())]
        return tuple(m for meters in below for m in meters) if all(below) else ()

    def consumers(self, places: Iterable[str], role: DeviceRole) -> tuple[Consumer, ...]:
        """Each place with the meters that cover it."""
        areas = self.layout.areas_m2
        return tuple(Consumer(p, self.covering(p, role), areas.get(p) or None) for p in places)

    def secondary_places(self, substation: str) -> tuple[str, ...]:
        """Where a substation's secondary side is measured: at itself, or circuit by circuit."""
        circuits = tuple(self.layout.of_kind(PlaceKind.CIRCUIT, substation))
        if self.own(substation, DeviceRole.SECONDARY) or not circuits:
            return (substation,)
        return circuits
