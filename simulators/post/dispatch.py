"""What every sender of a run shares: clocks of reckoning, the outbox, and what the links do.

Seconds are from the anchor. Whether a message is lost, repeated or dated wrongly follows from its
device and instant alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from simulators import rand, wire
from simulators.post.outbox import Outbox
from simulators.post.windows import AnyInts, Flags, Ints, Spells
from simulators.report import Kind, Report
from simulators.scenario import Scenario

REPEAT_AFTER_S, REPEAT_SPREAD_S = 3, 45

_CLOCKS = [one.clock for one in wire.FORMATS]
_DATED_BY_DEVICE = np.array([clock is wire.Clock.DEVICE for clock in _CLOCKS])
_DATED = np.array([clock is not wire.Clock.NONE for clock in _CLOCKS])


@dataclass(frozen=True, slots=True)
class Dispatch:
    """The shared part; messages due at or before ``after_s`` were published by an earlier run."""

    scenario: Scenario
    seed: int
    anchor_s: int
    after_s: float
    zone: ZoneInfo
    outbox: Outbox
    report: Report

    @property
    def since_s(self) -> float:
        """Readings due by then are not even made: a message may be over, its repetition not."""
        return self.after_s - REPEAT_AFTER_S - REPEAT_SPREAD_S

    @property
    def outage(self) -> Spells:
        """Outages of the gateways, by the number of their building."""
        spec = self.scenario.behaviour
        length_s = int(spec.outage.total_seconds())
        return Spells(self.seed, "post/outage", spec.outages_per_gateway_day, length_s)

    def unheard(self, stream: str) -> Spells:
        """When devices that send by themselves are not heard and keep their readings."""
        spec = self.scenario.behaviour
        return Spells(self.seed, stream, spec.late, int(spec.late_by.total_seconds()), varies=True)

    def clocks(self, stream: str, keys: Ints, speech: AnyInts) -> Ints:
        """How many seconds each device's own clock is fast; 0 where the network dates."""
        spec = self.scenario.behaviour
        wrong = rand.happens(spec.clock_wrong, self.seed, stream, keys) & _DATED_BY_DEVICE[speech]
        share = 2.0 * rand.uniform(self.seed, f"{stream}-off", keys) - 1.0
        off = np.rint(share * spec.clock_off.total_seconds()).astype(int)
        return np.where(wrong, off, 0)

    def lost(self, stream: str, keys: Ints, at_s: Ints) -> Flags:
        """Which readings never leave their device."""
        return rand.happens(self.scenario.behaviour.lost, self.seed, stream, keys, at_s)

    def repeated(self, stream: str, keys: Ints, at_s: Ints, speech: AnyInts) -> list[bool]:
        """Which messages arrive twice; never undated ones, whose copy would pass for news."""
        share = self.scenario.behaviour.duplicated
        again = rand.happens(share, self.seed, stream, keys, at_s) & _DATED[speech]
        repeated: list[bool] = again.tolist()
        return repeated

    def repeats(self, stream: str, *keys: int) -> bool:
        """Whether one message arrives twice."""
        return rand.chance(self.seed, stream, *keys) < self.scenario.behaviour.duplicated

    def send(self, due: int, said: wire.Said, order: int = 0, *, again: bool = False) -> None:
        """Queue a message, and the same ``again`` a little later."""
        self.outbox.put(due, said, order)
        if again:
            late_s = int(REPEAT_SPREAD_S * rand.chance(self.seed, "post/late", due))
            self.outbox.put(due + REPEAT_AFTER_S + late_s, said, order, Kind.DUPLICATE)

    def announce(self, due: int, all_said: Sequence[wire.Said], order: int) -> None:
        """Queue greetings or wills in their order; they hold no readings."""
        if due > self.since_s:
            for place, said in enumerate(all_said, order):
                self.outbox.put(due, said, place)
