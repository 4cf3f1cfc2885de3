"""The city at one instant, as far as it was known then: what the explainers look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analytics.localise.tree import Calls, Posterior, Tree, locate
from analytics.signs import Sign, Signal
from hearthline.domain.complaints import RULES
from hearthline.domain.findings import Finding
from hearthline.domain.network import Network
from hearthline.domain.places import PlaceKind
from hearthline.domain.policies import HoldReason

Floats = NDArray[np.float64]
PLAIN_SPREAD_K = 0.6
PEERS = 3  # fewer measured dwellings make no peer group
WALLS_WARM = timedelta(hours=72)  # a building's time constant is 45 to 101 h (section 3)
COMMON = frozenset({PlaceKind.SOURCE, PlaceKind.SUBSTATION, PlaceKind.CIRCUIT})
SHARED = 0.1
"""Share of cold ones that a common cause has among the measured dwellings around a caller: one in a
hundred is off by itself at any instant (``localise.tree.PRIOR``), and chills those around it."""


@dataclass(frozen=True, slots=True)
class ColdDwelling:
    """One dwelling in an open episode: cold since, called cold at, and how cold at worst (°C)."""

    since: datetime
    opened_at: datetime
    min_c: float


@dataclass(frozen=True)
class Courses:
    """The last hours of every dwelling, oldest first, each (dwellings, hours); NaN = unknown.

    ``level_c`` in °C, ``hourly_k`` against the peers' median; ``local_hour`` and ``outdoor_c``
    are (hours,).
    """

    level_c: Floats
    hourly_k: Floats
    local_hour: NDArray[np.int64]
    outdoor_c: Floats


@dataclass(frozen=True)
class Snapshot:
    """The city at one instant, as far as it is known then.

    ``level_c`` is the last hourly mean of every dwelling with a trusted, recent sensor;
    ``cold`` a subset of its keys; ``signals`` the meter signs that hold at ``at``
    and ``ended`` those that held before; ``lying`` what is found of sensors alone;
    ``flow_m3h`` what each branch meter reads; ``suspect`` the dwellings whose only sensor is
    of grade B; ``unowed`` those below the standard to which no heat is owed, and why.
    ``offset_k`` and ``spread_k`` (dwellings,) are how far dwellings lie off what is usual, and
    ``usual_k`` what is usual of them against their fellows; where they are not given they are
    taken from ``level_c`` against the median. ``complaints`` are the calls of each dwelling within
    a week (``complaints.RULES``), oldest first, and none after ``at``.
    """

    at: datetime
    network: Network
    threshold_c: float
    level_c: Mapping[str, float]
    cold: Mapping[str, ColdDwelling]
    signals: Sequence[Signal] = ()
    ended: Sequence[Signal] = ()
    lying: Sequence[Finding] = ()
    flow_m3h: Mapping[str, float] = field(default_factory=dict)
    suspect: frozenset[str] = frozenset()
    unowed: Mapping[str, HoldReason] = field(default_factory=dict)
    offset_k: Floats | None = None
    spread_k: Floats | None = None
    usual_k: Floats | None = None
    tree: Tree | None = None
    courses: Courses | None = None
    complaints: Mapping[str, Sequence[datetime]] = field(default_factory=dict)

    @cached_property
    def unheated(self) -> frozenset[str]:
        """Dwellings to which the company supplies nothing, or little, now."""
        return self.network.unheated(self.at)

    @cached_property
    def callers(self) -> frozenset[str]:
        """Dwellings whose last call still counts."""
        since = self.at - RULES.counts_for
        return frozenset(code for code, calls in self.complaints.items() if calls[-1] > since)

    @cached_property
    def reported(self) -> Mapping[str, Sequence[datetime]]:
        """The calls of heated dwellings that count as cold: of no trusted sensor, and not warm."""
        if not self.callers:
            return {}
        apart = self.unheated.union(self.cold, self.unowed)
        return {
            code: self.complaints[code]
            for code in sorted(self.callers - apart)
            if code not in self.level_c or code in self.suspect
        }

    @cached_property
    def unexplained(self) -> Mapping[str, Sequence[datetime]]:
        """The calls of reported dwellings whose last one no meter's sign explains.

        Explained is what was said while a sign held above the dwelling, or while walls warmed up
        after it, unless those around the caller were warm when the call came. What a sign proves
        of a building leaves open which part of it is cold: as long as it holds, calls tell.
        """
        path = self.network.path_of
        over = [(s, s.until + WALLS_WARM) for s in self.ended if s.until is not None]
        over += [(s, self.at) for s in self.signals if self.kind(s.place) in COMMON]
        found = {}
        for code, calls in self.reported.items():
            last = calls[-1]
            above = [
                sign
                for sign, until in over
                if sign.since <= last <= until and path[code].startswith(path[sign.place])
            ]
            new = self.at - last <= RULES.apart
            if not any(
                (self._lingers(code) or not new) if s.until else self.explains(s.place, code)
                for s in above
            ):
                found[code] = [at for at in calls if at == last or not self._over(code, at)]
        return found

    def _over(self, code: str, at: datetime) -> bool:
        """Whether a call came while something above it was out of order that is well again, or
        while walls warmed up after it: who calls once more then insists on nothing new."""
        path = self.network.path_of
        return any(
            sign.since <= at and sign.until is not None and at <= sign.until + WALLS_WARM
            for sign in self.ended
            if path[code].startswith(path[sign.place])
        )

    def explains(self, place: str, code: str) -> bool:
        """Whether trouble at a place explains a caller below it.

        What several buildings share would cool others of the caller's building as well, and others
        elsewhere; what sits at a building others of the entrance: where enough of these are
        measured and hardly any is cold, the caller has a reason of its own.
        """
        kind = self.kind(place)
        if kind in COMMON:
            return self._lingers(code) and self._is_cold_around(place)
        if kind is PlaceKind.BUILDING:
            return self._is_cold_around(self.network.ancestor(code, PlaceKind.ENTRANCE) or code)
        return True

    def _lingers(self, code: str) -> bool:
        """Whether what several buildings share, or shared, is still felt in a caller's building."""
        return self._is_cold_around(self.network.ancestor(code, PlaceKind.BUILDING) or code)

    def _is_cold_around(self, home: str) -> bool:
        """Whether some of a place's measured dwellings are cold, or hardly any is measured."""
        if home not in self._shares_cold:
            peers = self.measured(home)
            cold = sum(peer in self.cold for peer in peers)
            self._shares_cold[home] = len(peers) < PEERS or cold >= SHARED * len(peers)
        return self._shares_cold[home]

    @cached_property
    def _shares_cold(self) -> dict[str, bool]:
        """Places that were asked about: whether some of their measured dwellings are cold."""
        return {}

    @cached_property
    def counted_cold(self) -> frozenset[str]:
        """Dwellings that count as cold now, measured or reported by phone."""
        return frozenset(self.cold).union(self.reported)

    @cached_property
    def calls(self) -> Calls | None:
        """What the dwellings without a sensor say, for the localiser; None where nobody called."""
        return self.calls_of(self.unexplained)

    def calls_of(self, callers: Mapping[str, Sequence[datetime]]) -> Calls | None:
        """What some callers say, beside those of their buildings who keep silent; None: nobody."""
        if not callers:
            return None
        network, index = self.network, self.network.index
        count = np.zeros(len(network.dwellings), np.int64)
        silent = np.zeros(len(count), bool)
        for code, calls in callers.items():
            count[index[code]] = distinct(calls)
        houses = {network.ancestor(c, PlaceKind.BUILDING) or c for c in callers}
        apart = self.unheated.union(self.level_c, self.cold, self.reported)
        for code in (c for house in houses for c in network.codes(network.below(house))):
            silent[index[code]] = code not in apart
        return Calls(count, silent)

    @cached_property
    def places(self) -> Tree:
        """The places in which a shift may sit."""
        return self.tree or Tree.of(self.network)

    @cached_property
    def offsets(self) -> tuple[Floats, Floats]:
        """Offsets and spreads of all dwellings, (dwellings,) each."""
        if self.offset_k is not None and self.spread_k is not None:
            return self.offset_k, self.spread_k
        level = np.array([self.level_c.get(d.code, np.nan) for d in self.network.dwellings])
        known = level[~np.isnan(level)]
        median = np.median(known) if len(known) else np.nan
        return level - median, np.full(len(level), PLAIN_SPREAD_K)

    def under_fellows_k(self, code: str) -> float:
        """By how much a dwelling lies under its fellows, usual of it or not, K; NaN: unknown."""
        at = self.network.index[code]
        usual = 0.0 if self.usual_k is None else float(self.usual_k[at])
        return -float(self.offsets[0][at]) - usual

    def posterior(self, without: frozenset[str] = frozenset()) -> Posterior:
        """Which places have shifted, leaving out dwellings that something explains already."""
        offset, spread = self.offsets
        calls = self.calls
        if without:
            offset = offset.copy()
            index = self.network.index
            rows = [index[code] for code in without if code in index]
            offset[rows] = np.nan
            calls = None if calls is None else calls.without(rows)
        return locate(self.places, offset, spread, calls)

    def measured(self, place: str) -> list[str]:
        """Heated dwellings below a place with a trusted, recent reading."""
        network = self.network
        return [code for code in network.codes(network.below(place)) if code in self.level_c]

    def signs(self, sign: Sign) -> list[Signal]:
        """Signals of one sign, the topmost only where one hangs below another."""
        mine = [signal for signal in self.signals if signal.sign is sign]
        if len(mine) < 2:
            return mine
        path_of = self.network.path_of
        return [
            signal
            for signal in mine
            if not any(
                path_of[signal.place].startswith(path_of[other.place])
                and other.place != signal.place
                for other in mine
            )
        ]

    def cold_below(self, place: str) -> list[str]:
        """The cold dwellings at or below a place."""
        network = self.network
        return [code for code in network.codes(network.below(place)) if code in self.cold]

    def kind(self, place: str) -> PlaceKind:
        """What a place is."""
        return self.network.nodes[place].kind


def distinct(calls: Sequence[datetime], apart: timedelta = RULES.apart) -> int:
    """How many calls there are, those in quick succession taken for one; oldest first."""
    count, last = 0, None
    for at in calls:
        if last is None or at - last >= apart:
            count, last = count + 1, at
    return count
