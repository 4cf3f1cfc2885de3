"""The way of heat-meter readings: one message each, now and then late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from simulators import wire
from simulators.post.dispatch import Dispatch
from simulators.post.greetings import IDENTITIES, NEVER, Circles, circles_of
from simulators.post.windows import Calendar, Ints

if TYPE_CHECKING:
    from simulators.devices.fleet import MeterFleet
    from simulators.instruments import MeterSamples

_STYLES = list(wire.TimeStyle)
_MAY_BE_LATE = np.array([one.clock is wire.Clock.DEVICE for one in wire.FORMATS])


@dataclass(slots=True)
class MeterPost:
    """The heat meters of a town; none hangs on a building's gateway."""

    dispatch: Dispatch
    fleet: MeterFleet
    every_s: int
    circles: Circles
    _identity: Callable[[int], wire.Identity]
    _unheard: Calendar
    _clock_s: Ints

    @classmethod
    def of(cls, dispatch: Dispatch, fleet: MeterFleet) -> MeterPost:
        """The way of a fleet's readings at the beginning of a run."""
        meters = np.arange(len(fleet.speech))
        every_s = int(dispatch.scenario.instruments.meter_every.total_seconds())
        return cls(
            dispatch=dispatch,
            fleet=fleet,
            every_s=every_s,
            circles=circles_of(
                dispatch.seed,
                (one.meter_presence for one in wire.FORMATS),
                speech=fleet.speech,
                gateway=-1 - meters,  # every meter's edge node is its own
                phase_s=fleet.phase_s,
                every_s=every_s,
                outages=NEVER,
            ),
            _identity=lru_cache(IDENTITIES)(fleet.identity),
            _unheard=Calendar(dispatch.unheard("post/unheard-m"), meters),
            _clock_s=dispatch.clocks("post/clock-m", meters, fleet.speech),
        )

    @property
    def memory_s(self) -> int:
        """How long after a sample anything may still depend on it."""
        return self._unheard.spells.reach_s + self.circles.memory_s

    def greet(self, offset_s: int, seconds: int) -> None:
        """Send the greetings of a step."""
        for circle in self.circles.circles:
            up = np.zeros(len(circle.sessions.keys), dtype=bool)
            circle.announce(self.dispatch, self._identity, offset_s, seconds, up)

    def send(self, samples: MeterSamples) -> None:
        """Send the readings of a step."""
        fleet, dispatch = self.fleet, self.dispatch
        due = self._due(samples.meter, samples.at_s)
        lost = dispatch.lost("post/lost-m", samples.meter, samples.at_s)
        dispatch.report.lost += int((lost & (due > dispatch.after_s)).sum())
        chosen = np.flatnonzero((due > dispatch.since_s) & ~lost)
        meters, at_s, due = samples.meter[chosen], samples.at_s[chosen], due[chosen]
        speech = fleet.speech[meters]
        turn = self.circles.turns(meters, at_s, due)
        order = np.where(due > at_s, at_s, turn)  # a backlog comes oldest first
        rows = zip(
            due.tolist(),
            dispatch.repeated("post/twice-m", meters, at_s, speech),
            meters.tolist(),
            order.tolist(),
            [wire.FORMATS[number].say_meter for number in speech.tolist()],
            self._readings(samples, chosen, turn),
            strict=True,
        )
        for heard, again, meter, place, say, reading in rows:
            if say is not None:
                for said in say(self._identity(meter), reading, dispatch.zone):
                    dispatch.send(heard, said, place, again=again)

    def _due(self, meter: Ints, at_s: Ints) -> Ints:
        """When readings reach the broker: at once, unless their device is not heard."""
        late = _MAY_BE_LATE[self.fleet.speech[meter]]
        due = at_s.copy()
        due[late] = self._unheard.end_of(meter[late], at_s[late])
        return due

    def _readings(self, samples: MeterSamples, chosen: Ints, turn: Ints) -> list[wire.MeterReading]:
        """What the formats of the chosen samples get; NaN was not measured and is left out."""
        meter, at_s = samples.meter[chosen], samples.at_s[chosen]
        unix_s = self.dispatch.anchor_s + at_s
        names = list(samples.quantities)
        values = [samples.quantities[name][chosen].tolist() for name in names]
        columns = zip(
            unix_s.tolist(),
            (unix_s + self._clock_s[meter]).tolist(),
            (at_s // self.every_s).tolist(),
            [
                {name: value for name, value in zip(names, row, strict=True) if value == value}  # noqa: PLR0124 - false for NaN alone
                for row in zip(*values, strict=True)
            ],
            [_STYLES[number] for number in (meter % 4).tolist()],
            turn.tolist(),
            self.circles.slot[meter].tolist(),
            self.fleet.in_return[meter].tolist(),
            strict=True,
        )
        return list(map(wire.MeterReading._make, columns))
