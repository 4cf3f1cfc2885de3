"""From samples to messages: gateways batch, links lose and repeat, clocks and payloads go wrong.

A sample becomes a message that is *due* at an instant, at once or when its gateway next flushes
or comes back from an outage. Messages wait in a heap until the run has passed that instant.
Whatever happens to a message depends on the message alone, never on how far the run looks ahead.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from hearthline.domain.places import DeviceKind
from simulators import rand, wire
from simulators.fleet import Fleet, Speech
from simulators.instruments import MeterSamples, RoomSamples
from simulators.report import Kind, Report
from simulators.scenario import Scenario
from simulators.weather import Weather

Ints = NDArray[np.int_]

_DAY_S, _YEAR_S = 86400, 365 * 86400
_REPEAT_AFTER_S, _REPEAT_SPREAD_S = 3, 45
_STYLES = list(wire.TimeStyle)


class Message(NamedTuple):
    """One MQTT message: ``readings`` in it (bad ones included), and when it is ``due`` (Unix s)."""

    topic: str
    payload: bytes
    readings: int
    due: int


class _Waiting(NamedTuple):
    """A message in the heap; ties are broken by content, so the order is the same in every run."""

    due: int
    topic: str
    payload: bytes
    readings: int
    kind: Kind


@dataclass(slots=True)
class Post:
    """The way of samples to the broker; seconds are from the anchor except ``Message.due``.

    ``after_s``: messages due at or before it were published by an earlier run and are skipped.
    """

    scenario: Scenario
    fleet: Fleet
    seed: int
    anchor: datetime
    after_s: float
    report: Report = field(default_factory=Report)
    _heap: list[_Waiting] = field(default_factory=list)
    _batches: dict[tuple[int, int], list[bytes]] = field(default_factory=lambda: defaultdict(list))
    _zone: ZoneInfo = field(init=False)
    _since_s: float = field(init=False)
    _anchor_s: int = field(init=False)
    _flush_s: int = field(init=False)
    _room_s: int = field(init=False)

    def __post_init__(self) -> None:
        self._zone = ZoneInfo(self.scenario.timezone)
        # A message may be over, its repetition not: make both, and skip what is over in `take`.
        self._since_s = self.after_s - _REPEAT_AFTER_S - _REPEAT_SPREAD_S
        self._anchor_s = int(self.anchor.timestamp())
        instruments = self.scenario.instruments
        self._flush_s = int(instruments.gateway_every.total_seconds())
        self._room_s = int(instruments.room_every.total_seconds())

    def is_over(self, end_s: float) -> bool:
        """Whether everything measured before ``end_s`` was published by an earlier run."""
        outage = self.scenario.behaviour.outage.total_seconds()
        return end_s + self._flush_s + outage < self._since_s

    def take(self, until_s: float) -> list[Message]:
        """All messages due by then, in order of instant."""
        self._close_batches(until_s)
        taken = []
        while self._heap and self._heap[0].due <= until_s:
            due, topic, payload, readings, kind = heapq.heappop(self._heap)
            if due <= self.after_s:
                continue
            self.report.count(kind, readings)
            taken.append(Message(topic, payload, readings, self._anchor_s + due))
        return taken

    @property
    def held(self) -> int:
        """Readings that were measured but are not due yet."""
        batched = sum(len(items) for items in self._batches.values())
        return batched + sum(waiting.readings for waiting in self._heap)

    # Rooms -----------------------------------------------------------------------------------

    def rooms(self, samples: RoomSamples) -> None:
        """Send room readings by gateway or directly."""
        fleet, spec = self.fleet.rooms, self.scenario.behaviour
        unit = fleet.unit[samples.sensor]
        lost = rand.happens(spec.lost, self.seed, "post/lost", unit, samples.at_s)
        own = fleet.speech[samples.sensor] == Speech.OWN
        due = samples.at_s.copy()
        due[own] = self._flush(fleet.gateway[samples.sensor[own]], samples.at_s[own])
        self.report.lost += int((lost & (due > self.after_s)).sum())
        kept = (due > self._since_s) & ~lost
        self._to_gateways(samples, np.flatnonzero(kept & own), due)
        self._directly(samples, np.flatnonzero(kept & ~own))

    def _flush(self, gateway: Ints, at_s: Ints) -> Ints:
        """When a gateway passes a reading on: at its next flush, or after its outage."""
        phase = (rand.bits(self.seed, "post/flush", gateway) % np.uint64(self._flush_s)).astype(int)
        due = at_s - (at_s - phase) % self._flush_s + self._flush_s
        return self._after_outage(gateway, due)

    def _after_outage(self, gateway: Ints, due: Ints) -> Ints:
        """Delay what falls into an outage to its end; at most one outage begins in a day."""
        spec = self.scenario.behaviour
        length = int(spec.outage.total_seconds())
        reach = length // _DAY_S + 1
        for back in range(reach, -1, -1):
            day = due // _DAY_S - back
            strikes = rand.happens(
                spec.outages_per_gateway_day, self.seed, "post/outage", gateway, day
            )
            start = (day + rand.uniform(self.seed, "post/outage-at", gateway, day)) * _DAY_S
            inside = strikes & (due >= start) & (due < start + length)
            due = np.where(inside, np.ceil(start + length), due).astype(int)
        return due

    def _to_gateways(self, samples: RoomSamples, chosen: Ints, due: Ints) -> None:
        """Put readings of our own format into their gateways' batches."""
        names, every = self.fleet.rooms.names, self._room_s
        sensors = samples.sensor[chosen]
        rows = zip(
            due[chosen].tolist(),
            self.fleet.rooms.gateway[sensors].tolist(),
            sensors.tolist(),
            *_columns(samples, chosen),
            strict=True,
        )
        for flush, gateway, sensor, at_s, temperature, humidity, battery in rows:
            item = wire.own_item(
                {
                    "temperature_c": temperature,
                    "humidity_pct": humidity,
                    "battery_pct": battery,
                },
                wire.instant(self._anchor_s + at_s, _STYLES[gateway % 4], self._zone),
                seq=at_s // every,
                device=names[sensor],
            )
            self._batches[flush, gateway].append(item)

    def _close_batches(self, until_s: float) -> None:
        """Turn batches that are due into messages of a bounded number of readings."""
        size = self.scenario.instruments.gateway_batch
        for due, gateway in sorted(key for key in self._batches if key[0] <= until_s):
            items = self._batches.pop((due, gateway))
            name = self.fleet.gateways[gateway]
            topic = wire.own_topic(self.scenario.site, name, DeviceKind.ROOM)
            for first in range(0, len(items), size):
                batch = items[first : first + size]
                drawn = rand.chance(self.seed, "post/twice-g", gateway, due, first)
                again = drawn < self.scenario.behaviour.duplicated
                self._send(due, topic, wire.own_array(batch), len(batch), again=again)

    def _directly(self, samples: RoomSamples, chosen: Ints) -> None:
        """Send readings of sensors that reach the broker through their own network server."""
        fleet = self.fleet.rooms
        sensors = samples.sensor[chosen]
        chirping = (fleet.speech[sensors] == Speech.CHIRPSTACK).tolist()
        twice = self._repeated("post/twice", fleet.unit[sensors], samples.at_s[chosen])
        rows = zip(chirping, twice, sensors.tolist(), *_columns(samples, chosen), strict=True)
        for chirps, again, sensor, at_s, temperature, humidity, battery in rows:
            unix_s, name = self._anchor_s + at_s, fleet.names[sensor]
            frame = at_s // self._room_s
            if chirps:
                level = battery if frame % 6 == 0 else None
                payload = wire.chirpstack_up(
                    name,
                    fleet.devices[sensor].place,
                    unix_s,
                    frame=frame,
                    temperature_c=temperature,
                    humidity_pct=humidity,
                    battery_pct=level,
                    fraction_ns=(sensor * 7_919_311 + at_s * 1_299_709) % 1_000_000_000,
                )
            else:
                damp = humidity if frame % 4 else None
                payload = wire.zigbee_state(unix_s, self._zone, temperature, damp, battery)
            self._send(at_s, fleet.topics[sensor], payload, 1, again=again)

    # Meters, weather -------------------------------------------------------------------------

    def meters(self, samples: MeterSamples) -> None:
        """Send heat-meter readings, one message each."""
        fleet, spec = self.fleet.meters, self.scenario.behaviour
        every = int(self.scenario.instruments.meter_every.total_seconds())
        lost = rand.happens(spec.lost, self.seed, "post/lost-m", samples.meter, samples.at_s)
        self.report.lost += int((lost & (samples.at_s > self.after_s)).sum())
        chosen = np.flatnonzero((samples.at_s > self._since_s) & ~lost)
        meters, at = samples.meter[chosen], samples.at_s[chosen]
        twice = self._repeated("post/twice-m", meters, at)
        names = list(samples.quantities)
        columns = [samples.quantities[name][chosen].tolist() for name in names]
        rows = zip(meters.tolist(), at.tolist(), twice, zip(*columns, strict=True), strict=True)
        for meter, at_s, again, values in rows:
            measured = {
                name: value
                for name, value in zip(names, values, strict=True)
                if value == value  # noqa: PLR0124 - false for NaN alone: not measured here
            }
            ts = wire.instant(self._anchor_s + at_s, _STYLES[meter % 4], self._zone)
            topic = wire.own_topic(self.scenario.site, fleet.names[meter], DeviceKind.METER)
            self._send(at_s, topic, wire.own_item(measured, ts, seq=at_s // every), 1, again=again)

    def weather(self, offset_s: int, weather: Weather) -> None:
        """Send the weather station's reading if one is due in the step."""
        every = int(self.scenario.instruments.weather_every.total_seconds())
        if offset_s % every or offset_s <= self._since_s:
            return
        wobble = float(rand.normal(self.seed, "weather/noise", offset_s)[0])
        quantities = {
            "outdoor_c": round(weather.outdoor_c + 0.05 * wobble, 1),
            "wind_ms": round(weather.wind_ms, 1),
            "solar_wm2": round(weather.solar_wm2, 0),
            "humidity_pct": round(weather.humidity_pct, 0),
        }
        ts = wire.iso(self._anchor_s + offset_s, self._zone)
        topic = wire.own_topic(self.scenario.site, self.fleet.weather_name, DeviceKind.WEATHER)
        self._send(offset_s, topic, wire.own_item(quantities, ts, seq=offset_s // every), 1)

    # What goes wrong on the way ---------------------------------------------------------------

    def _repeated(self, stream: str, keys: Ints, at_s: Ints) -> list[bool]:
        """Which messages arrive twice."""
        share = self.scenario.behaviour.duplicated
        repeated: list[bool] = rand.happens(share, self.seed, stream, keys, at_s).tolist()
        return repeated

    def _send(
        self, due: int, topic: str, payload: bytes, readings: int, *, again: bool = False
    ) -> None:
        """Queue a message, and the same ``again`` a little later."""
        heapq.heappush(self._heap, _Waiting(due, topic, payload, readings, Kind.GOOD))
        if again:
            later = (
                due
                + _REPEAT_AFTER_S
                + int(_REPEAT_SPREAD_S * rand.chance(self.seed, "post/late", due))
            )
            heapq.heappush(self._heap, _Waiting(later, topic, payload, readings, Kind.DUPLICATE))

    def mischief(self, offset_s: int, seconds: int) -> None:
        """Messages that no receiver should store: at most one of each kind in a step."""
        spec = self.scenario.behaviour
        rates = (
            (Kind.MALFORMED, spec.malformed_per_day),
            (Kind.CLOCK_1970, spec.clock_1970_per_day),
            (Kind.CLOCK_AHEAD, spec.clock_ahead_per_day),
            (Kind.NAN, spec.nan_per_day),
            (Kind.UNKNOWN_DEVICE, spec.unknown_per_day),
        )
        for kind, rate in rates:
            stream = f"post/{kind}"
            if rand.chance(self.seed, stream, offset_s) >= rate * seconds / _DAY_S:
                continue
            due = offset_s + int(seconds * rand.chance(self.seed, stream + "/at", offset_s))
            topic, payload = self._spoilt(kind, due)
            heapq.heappush(self._heap, _Waiting(due, topic, payload, 1, kind))

    def _spoilt(self, kind: Kind, due: int) -> tuple[str, bytes]:
        """Topic and payload of one bad message from a meter, or from a device nobody knows."""
        site, names = self.scenario.site, self.fleet.meters.names
        if kind is Kind.UNKNOWN_DEVICE:
            name = f"SPARE-{due % 7}"
            item = wire.own_item({"temperature_c": 21.4}, self._anchor_s + due)
            return wire.own_topic(site, name, DeviceKind.ROOM), item
        name = rand.pick(names, self.seed, "post/spoilt", due)
        topic = wire.own_topic(site, name, DeviceKind.METER)
        quantities = {"supply_c": 61.2, "return_c": 44.9, "flow_m3h": 3.1}
        if kind is Kind.CLOCK_1970:
            return topic, wire.own_item(quantities, 40 + due % 900)
        if kind is Kind.CLOCK_AHEAD:
            return topic, wire.own_item(quantities, self._anchor_s + due + _YEAR_S)
        whole = wire.own_item(quantities, self._anchor_s + due)
        if kind is Kind.NAN:
            return topic, whole.replace(b"61.2", b"NaN")
        return topic, whole[: len(whole) // 2]


def _columns(
    samples: RoomSamples, chosen: Ints
) -> tuple[list[int], list[float], list[float], list[float]]:
    """Instants, temperatures, humidities and batteries as plain numbers (fast to loop over)."""
    return (
        samples.at_s[chosen].tolist(),
        samples.temperature_c[chosen].tolist(),
        samples.humidity_pct[chosen].tolist(),
        samples.battery_pct[chosen].tolist(),
    )
