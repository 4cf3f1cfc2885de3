"""From samples to messages: gateways batch, links lose and repeat, clocks and payloads go wrong.

A sample becomes a message that is *due* at an instant: at once, when its gateway next flushes or
comes back from an outage, or when a device that nobody heard is heard again. Messages wait until
the run has passed that instant. Whatever happens to a message depends on the message alone, never
on how far the run looks ahead. What a format's devices can do, it declares (``wire.Format``);
nothing here knows a format by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from hearthline.domain.places import DeviceKind
from simulators import rand, wire
from simulators.post import mischief
from simulators.post.dispatch import Dispatch
from simulators.post.meters import MeterPost
from simulators.post.outbox import Message, Outbox
from simulators.post.rooms import RoomPost
from simulators.post.windows import Flags, Ints
from simulators.report import Kind, Report
from simulators.scenario import Scenario

if TYPE_CHECKING:
    from simulators.devices.fleet import Fleet
    from simulators.instruments import MeterSamples, RoomSamples
    from simulators.weather import Weather

__all__ = ["Message", "Post"]


@dataclass(slots=True)
class Post:
    """The way of samples to the broker; seconds are from the anchor except ``Message.due``.

    ``after_s``: messages due at or before it were published by an earlier run and are skipped.
    Each step, call ``links`` first, then ``rooms``, ``meters``, ``weather`` and ``mischief``.
    """

    scenario: Scenario
    fleet: Fleet
    seed: int
    anchor: datetime
    after_s: float
    report: Report = field(default_factory=Report)
    _dispatch: Dispatch = field(init=False)
    _rooms: RoomPost = field(init=False)
    _meters: MeterPost = field(init=False)
    _own_meters: list[int] = field(init=False)

    def __post_init__(self) -> None:
        anchor_s = int(self.anchor.timestamp())
        self._dispatch = Dispatch(
            scenario=self.scenario,
            seed=self.seed,
            anchor_s=anchor_s,
            after_s=self.after_s,
            zone=ZoneInfo(self.scenario.timezone),
            outbox=Outbox(anchor_s, self.after_s, self.report),
            report=self.report,
        )
        self._rooms = RoomPost.of(self._dispatch, self.fleet.rooms)
        self._meters = MeterPost.of(self._dispatch, self.fleet.meters)
        own = self.fleet.meters.speech == wire.NUMBER["own"]
        self._own_meters = np.flatnonzero(own).tolist()

    def is_over(self, end_s: float) -> bool:
        """Whether nothing measured before ``end_s`` bears on what is still to be published."""
        memory_s = max(self._rooms.memory_s, self._meters.memory_s)
        return end_s + memory_s < self._dispatch.since_s

    def take(self, until_s: float) -> list[Message]:
        """All messages due by then, in order of instant."""
        self._rooms.close(until_s)
        return self._dispatch.outbox.take(until_s)

    @property
    def clock_s(self) -> Ints:
        """How many seconds each room sensor's own clock is fast, [sensors]."""
        return self._rooms.clock_s

    @property
    def held(self) -> int:
        """Readings that were measured but are not due yet."""
        return self._rooms.held + self._dispatch.outbox.held

    def links(self, offset_s: int, seconds: int, gateway_down: Flags) -> None:
        """Send greetings and wills of a step; ``gateway_down``: [buildings] silenced by faults."""
        self._rooms.greet(offset_s, seconds, gateway_down)
        self._meters.greet(offset_s, seconds)

    def rooms(self, samples: RoomSamples, gateway_down: Flags | None = None) -> None:
        """Send room readings; none leaves a building whose gateway is down."""
        self._rooms.send(samples, gateway_down)

    def meters(self, samples: MeterSamples) -> None:
        """Send heat-meter readings."""
        self._meters.send(samples)

    def weather(self, offset_s: int, weather: Weather) -> None:
        """Send the weather station's reading if one is due in the step."""
        every = int(self.scenario.instruments.weather_every.total_seconds())
        dispatch = self._dispatch
        if offset_s % every or offset_s <= dispatch.since_s:
            return
        wobble = float(rand.normal(self.seed, "weather/noise", offset_s)[0])
        quantities = {
            "outdoor_c": round(weather.outdoor_c + 0.05 * wobble, 1),
            "wind_ms": round(weather.wind_ms, 1),
            "solar_wm2": round(weather.solar_wm2, 0),
            "humidity_pct": round(weather.humidity_pct, 0),
        }
        ts = wire.iso(dispatch.anchor_s + offset_s, dispatch.zone)
        topic = wire.own_topic(self.scenario.site, self.fleet.weather_name, DeviceKind.WEATHER)
        item = wire.own_item(quantities, ts, seq=offset_s // every)
        dispatch.send(offset_s, wire.Said(topic, item))

    def mischief(self, offset_s: int, seconds: int) -> None:
        """Messages that no receiver should store: at most one of each kind in a step."""
        spec, anchor_s = self.scenario.behaviour, self._dispatch.anchor_s
        for kind, due in mischief.strikes(spec, self.seed, offset_s, seconds):
            if kind is Kind.UNKNOWN_DEVICE:
                said = mischief.stranger(self.scenario.site, due, anchor_s + due)
            elif self._own_meters:
                meter = mischief.pick(self._own_meters, self.seed, due)
                said = mischief.spoilt(kind, due, anchor_s, self.fleet.meters.identity(meter))
            else:
                continue
            self._dispatch.outbox.put(due, said, kind=kind)
