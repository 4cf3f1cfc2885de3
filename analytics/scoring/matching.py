"""Which incident is about which fault.

A supply incident may be about a fault if it opens while the fault is to blame, and either some of
its cold dwellings are cooled by the fault (by itself, by more than the instrument's tolerance), or
its place is the fault's within one level and its cause is of the same kind. Of several, the best:
place, then cause, then how much of the cold is the fault's doing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from analytics.scoring.said import Said
from analytics.scoring.truth import NOTICEABLE_K, TrueFault, Truth
from hearthline.domain.findings import Cause
from hearthline.domain.network import Network

_LOOK_BACK = timedelta(hours=12)
_LOOK_AHEAD = timedelta(hours=24)

KINDS: tuple[frozenset[Cause], ...] = (
    frozenset({Cause.SOURCE_SHORTAGE}),
    frozenset({Cause.CONTROL_CURVE, Cause.EXCHANGER_FOULED}),  # the station gives too little heat
    frozenset({Cause.PUMP_TRIP, Cause.LEAK}),  # the station circulates too little
    frozenset(
        {
            Cause.STRAINER_CLOGGED,
            Cause.HYDRAULIC_IMBALANCE,
            Cause.VERTICAL_IMBALANCE,
            Cause.PIPES_SWAPPED,
            Cause.AIR_LOCK,
        }
    ),  # the water does not get there
    frozenset({Cause.VALVE_CLOSED, Cause.TURNED_DOWN, Cause.RADIATOR_COVERED}),  # the tenant
    frozenset({Cause.ENVELOPE, Cause.WINDOW_OPEN}),  # heat is lost
    frozenset({Cause.NEIGHBOUR_UNHEATED}),
)
"""Causes of one kind are worked on by the same people in the same way."""


class Near(StrEnum):
    """How near an incident's place is to a fault's."""

    EXACT = "exact"
    ONE_LEVEL = "one_level"
    ELSEWHERE = "elsewhere"


_RANK = {Near.EXACT: 2, Near.ONE_LEVEL: 1, Near.ELSEWHERE: 0}


def same_kind(one: Cause, other: Cause) -> bool:
    """Whether two causes are of one kind."""
    return one is other or any(one in kind and other in kind for kind in KINDS)


class Tree:
    """The tree of places with those that hold the same dwellings taken for one.

    A substation with a single circuit is that circuit.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._chains: dict[str, list[tuple[int, int]]] = {}

    def near(self, place: str, places: Collection[str]) -> Near:
        """How near a place is to a fault's places, or to the smallest place that holds them all."""
        targets = [*places, self.common(places)] if len(places) > 1 else list(places)
        found = [self._between(place, target) for target in targets]
        return max(found, key=_RANK.__getitem__)

    def common(self, places: Collection[str]) -> str:
        """The smallest place that holds all of some places."""
        lines = [self._network.path_of[place].rstrip("/").split("/") for place in places]
        shared = [parts[0] for parts in zip(*lines, strict=False) if len(set(parts)) == 1]
        return str(shared[-1])

    def _between(self, one: str, other: str) -> Near:
        chain, against = self._chain(one), self._chain(other)
        if chain[-1] == against[-1]:
            return Near.EXACT
        above = len(chain) > 1 and chain[-2] == against[-1]
        below = len(against) > 1 and against[-2] == chain[-1]
        return Near.ONE_LEVEL if above or below else Near.ELSEWHERE

    def _chain(self, place: str) -> list[tuple[int, int]]:
        """The dwellings of a place and of all above it, the root's first; equals once."""
        known = self._chains.get(place)
        if known is not None:
            return known
        network = self._network
        spans: list[tuple[int, int]] = []
        for code in network.path_of[place].rstrip("/").split("/"):
            below = network.below(code)
            if not spans or spans[-1] != (below.start, below.stop):
                spans.append((below.start, below.stop))
        self._chains[place] = spans
        return spans


@dataclass(frozen=True)
class Match:
    """An incident and the fault it is about, with how near it came."""

    incident: int
    fault: int
    place: Near
    top1: bool
    top2: bool


class Matcher:
    """Finds the fault of an incident."""

    def __init__(self, network: Network, truth: Truth) -> None:
        self._network, self._truth = network, truth
        self._tree = Tree(network)
        self._cooling = _cooling(truth)
        self._kin = {
            cause: [
                number
                for number, fault in enumerate(truth.faults)
                if not fault.of_sensor and same_kind(cause, fault.cause)
            ]
            for cause in Cause
        }

    def match(self, said: Sequence[Said]) -> dict[int, Match]:
        """The match of each supply incident that has one, by its number."""
        found = {number: self.of(number, one) for number, one in enumerate(said)}
        return {number: match for number, match in found.items() if match is not None}

    def of(self, number: int, said: Said) -> Match | None:
        """The fault that an incident is about, or None."""
        share = self._shares(said)
        candidates = []
        kin = {number for cause in said.causes[:2] for number in self._kin[cause]}
        for fault_number in sorted(kin.union(share)):
            fault = self._truth.faults[fault_number]
            if not fault.to_blame(said.opened_at):
                continue
            cooled = share.get(fault_number, 0.0)
            place = self._tree.near(said.place, fault.places)
            if not cooled and place is Near.ELSEWHERE:
                continue
            match = _match(number, fault_number, said, fault, place)
            candidates.append(((_RANK[place], match.top1, match.top2, cooled, fault.counts), match))
        return max(candidates, key=lambda one: one[0])[1] if candidates else None

    def _shares(self, said: Said) -> dict[int, float]:
        """How much of an incident's cold each fault causes, K summed over its cold dwellings."""
        first, last = self._hours(said)
        shares: dict[int, float] = {}
        for code in said.cold:
            unit = self._network.index.get(code)
            for fault, row in self._cooling.get(unit, ()) if unit is not None else ():
                drop = float(self._truth.faults[fault].drop_k[row, first:last].max())
                if drop >= NOTICEABLE_K:
                    shares[fault] = shares.get(fault, 0.0) + drop
        return shares

    def _hours(self, said: Said) -> tuple[int, int]:
        end = said.opened_at + _LOOK_AHEAD
        first = self._truth.hour(said.opened_at - _LOOK_BACK)
        return first, self._truth.hour(end) + 1

    def truly_cold(self, said: Said) -> bool:
        """Whether half or more of an incident's cold dwellings were below the standard indeed."""
        first, last = self._hours(said)
        units = [self._network.index[code] for code in said.cold if code in self._network.index]
        owed = [unit for unit in units if self._is_owed(unit, said.opened_at)]
        if not owed:
            return False
        lowest = self._truth.room_c[owed, first:last].min(axis=1)
        return int((lowest < self._truth.threshold_c).sum()) * 2 >= len(units)

    def _is_owed(self, unit: int, at: datetime) -> bool:
        code = self._network.dwellings[unit].code
        return not any(period.holds(at) for period in self._network.statuses.get(code, ()))


def _match(number: int, fault_number: int, said: Said, fault: TrueFault, place: Near) -> Match:
    first, top2 = said.causes[0], said.causes[:2]
    return Match(number, fault_number, place, first is fault.cause, fault.cause in top2)


def _cooling(truth: Truth) -> Mapping[int, Sequence[tuple[int, int]]]:
    """Dwelling → the faults that noticeably cool it at some time, with its row among theirs."""
    cooling: dict[int, list[tuple[int, int]]] = {}
    for number, fault in enumerate(truth.faults):
        if not len(fault.units):
            continue
        rows = np.flatnonzero(fault.drop_k.max(axis=1) >= NOTICEABLE_K)
        for row in map(int, rows):
            cooling.setdefault(int(fault.units[row]), []).append((number, row))
    return cooling
