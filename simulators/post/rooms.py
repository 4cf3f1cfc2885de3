"""The way of room readings: behind a gateway that batches, behind an edge node, or directly.

A sensor whose building's gateway is down says nothing that arrives. One that sends by itself and
is not heard for a while keeps its readings and delivers the backlog, if its format can.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from simulators import rand, wire
from simulators.post.dispatch import Dispatch
from simulators.post.greetings import IDENTITIES, Circles, circles_of
from simulators.post.windows import AnyInts, Calendar, Flags, Ints

if TYPE_CHECKING:
    from simulators.devices.fleet import RoomFleet
    from simulators.instruments import RoomSamples

_STYLES = list(wire.TimeStyle)
_BATCHED = np.array([one.batching is not None for one in wire.FORMATS])
_RECALLED = np.array([one.recall is not None for one in wire.FORMATS])
_ON_EDGE = np.array([one.presence is not None and one.presence.edge for one in wire.FORMATS])


@dataclass(slots=True)
class RoomPost:
    """The room sensors of a town and what their gateways and they themselves still hold."""

    dispatch: Dispatch
    fleet: RoomFleet
    every_s: int
    flush_s: int
    batch: int
    circles: Circles
    _identity: Callable[[int], wire.Identity]
    _outages: Calendar
    _unheard: Calendar
    clock_s: Ints
    _batches: dict[tuple[int, int, int, str], list[bytes]]
    _backlogs: dict[tuple[int, int], list[wire.RoomReading]]

    @classmethod
    def of(cls, dispatch: Dispatch, fleet: RoomFleet) -> RoomPost:
        """The way of a fleet's readings at the beginning of a run."""
        spec = dispatch.scenario.instruments
        every_s = int(spec.room_every.total_seconds())
        gateways = np.arange(int(fleet.gateway.max(initial=0)) + 1)
        outages = Calendar(dispatch.outage, gateways)
        return cls(
            dispatch=dispatch,
            fleet=fleet,
            every_s=every_s,
            flush_s=int(spec.gateway_every.total_seconds()),
            batch=spec.gateway_batch,
            circles=circles_of(
                dispatch.seed,
                (one.presence for one in wire.FORMATS),
                speech=fleet.speech,
                gateway=fleet.gateway,
                phase_s=fleet.phase_s,
                every_s=every_s,
                outages=outages,
            ),
            _identity=lru_cache(IDENTITIES)(fleet.identity),
            _outages=outages,
            _unheard=Calendar(dispatch.unheard("post/unheard"), fleet.unit),
            clock_s=dispatch.clocks("post/clock", fleet.unit, fleet.speech),
            _batches=defaultdict(list),
            _backlogs=defaultdict(list),
        )

    @property
    def memory_s(self) -> int:
        """How long after a sample anything may still depend on it."""
        gateway_s = self.flush_s + self._outages.spells.reach_s
        held_s = max(gateway_s, self._unheard.spells.reach_s)
        return held_s + self.circles.memory_s

    @property
    def held(self) -> int:
        """Readings in gateways and devices."""
        batched = sum(len(items) for items in self._batches.values())
        return batched + sum(len(readings) for readings in self._backlogs.values())

    def greet(self, offset_s: int, seconds: int, gateway_down: Flags) -> None:
        """Send the greetings and wills of a step."""
        for circle in self.circles.circles:
            down = gateway_down[circle.sessions.keys]
            circle.announce(self.dispatch, self._identity, offset_s, seconds, down)

    def send(self, samples: RoomSamples, gateway_down: Flags | None) -> None:
        """Send the readings of a step."""
        fleet, dispatch = self.fleet, self.dispatch
        sensor, at_s = samples.sensor, samples.at_s
        lost = dispatch.lost("post/lost", fleet.unit[sensor], at_s)
        if gateway_down is not None:
            lost = lost | gateway_down[fleet.gateway[sensor]]
        due = self._due(sensor, at_s)
        dispatch.report.lost += int((lost & (due > dispatch.after_s)).sum())
        kept = (due > dispatch.since_s) & ~lost
        speech = fleet.speech[sensor]
        batched, held = _BATCHED[speech], _RECALLED[speech] & (due > at_s)
        self._to_gateways(samples, np.flatnonzero(kept & batched), due)
        self._keep_back(samples, np.flatnonzero(kept & held), due)
        self._directly(samples, np.flatnonzero(kept & ~batched & ~held), due)

    def close(self, until_s: float) -> None:
        """Turn what gateways and devices hold into messages once it is due."""
        self._close_batches(until_s)
        self._close_backlogs(until_s)

    def _due(self, sensor: Ints, at_s: Ints) -> Ints:
        """When readings reach the broker."""
        fleet, outages, due = self.fleet, self._outages, at_s.copy()
        speech, gateway = fleet.speech[sensor], fleet.gateway[sensor]
        batched, on_edge, recalled = _BATCHED[speech], _ON_EDGE[speech], _RECALLED[speech]
        flushed = self._flush(gateway[batched], at_s[batched])
        due[batched] = outages.end_of(gateway[batched], flushed)
        due[on_edge] = outages.end_of(gateway[on_edge], at_s[on_edge])
        due[recalled] = self._unheard.end_of(sensor[recalled], at_s[recalled])
        return due

    def _flush(self, gateway: AnyInts, at_s: Ints) -> Ints:
        """When a gateway that is well passes a reading on: at its next flush."""
        drawn = rand.bits(self.dispatch.seed, "post/flush", gateway)
        phase = (drawn % np.uint64(self.flush_s)).astype(int)
        flushed: Ints = at_s - (at_s - phase) % self.flush_s + self.flush_s
        return flushed

    def _readings(self, samples: RoomSamples, chosen: Ints, due: Ints) -> list[wire.RoomReading]:
        """What the formats of the chosen samples get."""
        fleet, anchor_s = self.fleet, self.dispatch.anchor_s
        sensor, at_s, due = samples.sensor[chosen], samples.at_s[chosen], due[chosen]
        columns = zip(
            (anchor_s + at_s).tolist(),
            (anchor_s + at_s + self.clock_s[sensor]).tolist(),
            (at_s // self.every_s).tolist(),
            samples.temperature_c[chosen].tolist(),
            samples.humidity_pct[chosen].tolist(),
            samples.battery_pct[chosen].tolist(),
            [_STYLES[number] for number in (fleet.gateway[sensor] % 4).tolist()],
            ((sensor * 7_919_311 + at_s * 1_299_709) % 1_000_000_000).tolist(),
            self.circles.turns(sensor, at_s, due).tolist(),
            self.circles.slot[sensor].tolist(),
            (due > at_s).tolist(),
            strict=True,
        )
        return list(map(wire.RoomReading._make, columns))

    def _to_gateways(self, samples: RoomSamples, chosen: Ints, due: Ints) -> None:
        """Put readings into their gateways' batches."""
        fleet, zone, batches = self.fleet, self.dispatch.zone, self._batches
        sensors = samples.sensor[chosen]
        rows = zip(
            due[chosen].tolist(),
            fleet.gateway[sensors].tolist(),
            fleet.speech[sensors].tolist(),
            sensors.tolist(),
            self._readings(samples, chosen, due),
            strict=True,
        )
        for flush, gateway, speech, sensor, reading in rows:
            batching, identity = wire.FORMATS[speech].batching, self._identity(sensor)
            if batching is not None:
                item = batching.item(identity, reading, zone)
                batches[flush, gateway, speech, identity.topic].append(item)

    def _close_batches(self, until_s: float) -> None:
        """Batches that are due, as messages of a bounded number of readings."""
        for key in sorted(key for key in self._batches if key[0] <= until_s):
            due, gateway, speech, topic = key
            items, batching = self._batches.pop(key), wire.FORMATS[speech].batching
            if batching is None:
                continue
            for first in range(0, len(items), self.batch):
                batch = items[first : first + self.batch]
                again = self.dispatch.repeats("post/twice-g", gateway, due, first)
                said = wire.Said(topic, batching.join(batch), len(batch))
                self.dispatch.send(due, said, again=again)

    def _keep_back(self, samples: RoomSamples, chosen: Ints, due: Ints) -> None:
        """Let devices that nobody hears remember their readings."""
        rows = zip(
            due[chosen].tolist(),
            samples.sensor[chosen].tolist(),
            self._readings(samples, chosen, due),
            strict=True,
        )
        for heard, sensor, reading in rows:
            self._backlogs[heard, sensor].append(reading)

    def _close_backlogs(self, until_s: float) -> None:
        """What devices remembered, oldest first, once they are heard again."""
        fleet, dispatch = self.fleet, self.dispatch
        for key in sorted(key for key in self._backlogs if key[0] <= until_s):
            due, sensor = key
            readings, recall = self._backlogs.pop(key), wire.FORMATS[fleet.speech[sensor]].recall
            if recall is None:
                continue
            said = recall(self._identity(sensor), readings, dispatch.anchor_s + due, dispatch.zone)
            for order, one in enumerate(said):
                again = dispatch.repeats("post/twice-b", int(fleet.unit[sensor]), due, order)
                dispatch.send(due, one, order, again=again)

    def _directly(self, samples: RoomSamples, chosen: Ints, due: Ints) -> None:
        """Messages of sensors that reach the broker by a network or an edge node."""
        fleet, zone, send = self.fleet, self.dispatch.zone, self.dispatch.send
        sensors = samples.sensor[chosen]
        unit, speech = fleet.unit[sensors], fleet.speech[sensors]
        rows = zip(
            due[chosen].tolist(),
            self.dispatch.repeated("post/twice", unit, samples.at_s[chosen], speech),
            sensors.tolist(),
            [wire.FORMATS[number].say for number in speech.tolist()],
            self._readings(samples, chosen, due),
            strict=True,
        )
        for heard, again, sensor, say, reading in rows:
            if say is not None:
                for said in say(self._identity(sensor), reading, zone):
                    send(heard, said, reading.turn, again=again)
