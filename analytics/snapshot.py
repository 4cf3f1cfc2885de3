"""The city at one instant, as far as it was known then: what the explainers look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from analytics.signs import Sign, Signal
from hearthline.domain.network import Network
from hearthline.domain.places import HeatingStatus


@dataclass(frozen=True, slots=True)
class ColdDwelling:
    """One dwelling in an open episode: cold since, called cold at, and how cold at worst (°C)."""

    since: datetime
    opened_at: datetime
    min_c: float


@dataclass(frozen=True, slots=True)
class StuckSensor:
    """A sensor that repeats one value while its peers move."""

    device_uid: str
    place: str
    since: datetime
    value_c: float
    hours: float
    peers_moved_k: float


@dataclass(frozen=True)
class Snapshot:
    """The city at one instant, as far as it is known then.

    ``level_c`` is the last hourly mean of every dwelling with a trusted, recent sensor;
    ``cold`` a subset of its keys; ``signals`` the meter signs that hold at ``at``;
    ``flow_m3h`` what each branch meter reads; ``suspect`` the dwellings whose only sensor is
    of grade B; ``unowed`` those below the standard to which no heat is owed, and why.
    """

    at: datetime
    network: Network
    threshold_c: float
    level_c: Mapping[str, float]
    cold: Mapping[str, ColdDwelling]
    signals: Sequence[Signal] = ()
    stuck: Sequence[StuckSensor] = ()
    flow_m3h: Mapping[str, float] = field(default_factory=dict)
    suspect: frozenset[str] = frozenset()
    unowed: Mapping[str, HeatingStatus] = field(default_factory=dict)

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
