"""What people do for good, drawn by seed: heating off, or lowered at night.

Unheated dwellings that touch each other and are so for the same reason are one fault: they are
one cause to whoever lives beside them. Who is drawn depends on the dwelling alone, so a larger
share holds everybody of a smaller one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from hearthline.domain.findings import Cause
from hearthline.domain.places import PlaceKind
from simulators import rand
from simulators.faults.conflicts import Occupied, Stay
from simulators.faults.dwellings import RESTRICTED, STOPPED, VACANT
from simulators.faults.registry import REGISTRY
from simulators.layout import Layout
from simulators.scenario import FaultSpec, Scenario

SINCE = timedelta(days=-60)
"""Since when: long before any history, so that the walls have settled."""


def habits(
    scenario: Scenario, layout: Layout, seed: int, occupied: Occupied
) -> tuple[FaultSpec, ...]:
    """The faults that a scenario's ``people`` make, at dwellings where nobody else struck."""
    people = scenario.people
    shares = {
        STOPPED: people.stopped,
        RESTRICTED: people.restricted,
        VACANT: people.vacant,
        None: people.turned_down,
    }
    if not any(shares.values()):
        return ()
    found: list[FaultSpec] = []
    for variant, share in shares.items():
        lot = rand.uniform(seed, f"people/{variant or 'turned_down'}", np.arange(layout.units))
        drawn = [u for u in np.flatnonzero(lot < share).tolist() if _free(occupied, u)]
        one_by_one = _turned_down(layout, seed, drawn)
        specs = one_by_one if variant is None else _unheated(layout, drawn, variant)
        for spec in specs:
            occupied.note(len(found), spec, habit=True)
            found.append(spec)
    return tuple(found)


def _free(occupied: Occupied, unit: int) -> bool:
    """Whether a valve there is still in nobody's hands."""
    since = Stay(-1, Cause.NEIGHBOUR_UNHEATED, SINCE.total_seconds(), float("inf"))
    return not any(occupied.at((PlaceKind.UNIT, unit), since))


def _unheated(layout: Layout, drawn: list[int], variant: str) -> Iterator[FaultSpec]:
    """One fault per cluster of dwellings that touch."""
    codes = layout.codes[PlaceKind.UNIT]
    left = set(drawn)
    around = layout.touched_by(np.array(drawn, dtype=np.intp)).T.tolist()
    beside = dict(zip(drawn, around, strict=True))
    for unit in drawn:
        if unit not in left:
            continue
        left.discard(unit)
        cluster, edge = [unit], [unit]
        while edge:
            met = [other for other in beside[edge.pop()] if other in left]
            left.difference_update(met)
            edge += dict.fromkeys(met)
            cluster += dict.fromkeys(met)
        place = tuple(codes[member] for member in sorted(cluster))
        yield FaultSpec(cause=Cause.NEIGHBOUR_UNHEATED, variant=variant, place=place, onset=SINCE)


def _turned_down(layout: Layout, seed: int, drawn: list[int]) -> Iterator[FaultSpec]:
    """Each tenant for himself, more or less far."""
    codes = layout.codes[PlaceKind.UNIT]
    low, high = REGISTRY[Cause.TURNED_DOWN].usual or (0.0, 1.0)
    for unit in drawn:
        much = low + (high - low) * rand.chance(seed, "people/how-far", unit)
        yield FaultSpec(
            cause=Cause.TURNED_DOWN, place=codes[unit], onset=SINCE, severity=round(much, 2)
        )
