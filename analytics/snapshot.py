"""The city at one instant, as far as it was known then: what the explainers look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analytics.localise.tree import Posterior, Tree, locate
from analytics.signs import Sign, Signal
from hearthline.domain.findings import Finding
from hearthline.domain.network import Network
from hearthline.domain.places import PlaceKind
from hearthline.domain.policies import HoldReason

Floats = NDArray[np.float64]
PLAIN_SPREAD_K = 0.6


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
    taken from ``level_c`` against the median.
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
        if without:
            offset = offset.copy()
            index = self.network.index
            offset[[index[code] for code in without if code in index]] = np.nan
        return locate(self.places, offset, spread)

    def measured(self, place: str) -> list[str]:
        """Heated dwellings below a place with a trusted, recent reading."""
        network = self.network
        return [code for code in network.codes(network.below(place)) if code in self.level_c]

    def signs(self, sign: Sign) -> list[Signal]:
        """Signals of one sign, the topmost only where one hangs below another."""
        path_of = self.network.path_of
        mine = [signal for signal in self.signals if signal.sign is sign]
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
