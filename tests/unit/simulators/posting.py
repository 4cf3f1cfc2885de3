"""A small town without physics for the tests of the post.

Every format has its sensors and meters; what they measure is a formula; nothing but the post is
between them and the messages. It goes step by step, as the runner does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from simulators import wire
from simulators.post import Message, Post
from simulators.report import Report
from simulators.scenario import (
    BehaviourSpec,
    InstrumentsSpec,
    Scenario,
    SourceSpec,
    WeatherSpec,
)

ANCHOR = datetime(2026, 1, 12, 2, 30, tzinfo=UTC)
ANCHOR_S = int(ANCHOR.timestamp())
ROOMS = [number for number, one in enumerate(wire.FORMATS) if one.say is not None]
METERS = [number for number, one in enumerate(wire.FORMATS) if one.say_meter is not None]
BUILDINGS = 4
STEP_S, ROOM_S, METER_S = 600, 1200, 600

ROUGH = BehaviourSpec(
    lost=0.02,
    duplicated=0.05,
    outages_per_gateway_day=0.8,
    outage=timedelta(hours=3),
    late=0.5,
    late_by=timedelta(hours=5),
    clock_wrong=0.5,
    malformed_per_day=60,
    clock_1970_per_day=60,
    clock_ahead_per_day=60,
    nan_per_day=60,
    unknown_per_day=60,
)


@dataclass(frozen=True)
class Samples:
    sensor: Any
    at_s: Any
    temperature_c: Any
    humidity_pct: Any
    battery_pct: Any


@dataclass(frozen=True)
class MeterSamples:
    meter: Any
    at_s: Any
    quantities: Any


@dataclass(frozen=True)
class Rooms:
    unit: Any
    speech: Any
    phase_s: Any
    gateway: Any

    def identity(self, sensor: int) -> wire.Identity:
        gateway = int(self.gateway[sensor])
        place = f"H-S1-B{gateway:02d}-E1-{sensor:04d}"
        speaks = wire.FORMATS[self.speech[sensor]]
        return speaks.identify("hm", place, 900_000 + sensor, f"H-S1-B{gateway:02d}-GW1")


@dataclass(frozen=True)
class Meters:
    speech: Any
    phase_s: Any
    in_return: Any

    def identity(self, meter: int) -> wire.Identity:
        identify = wire.FORMATS[self.speech[meter]].identify_meter
        assert identify is not None
        return identify("hm", f"H-S1-B{meter:02d}-M1", meter)


@dataclass(frozen=True)
class Fleet:
    rooms: Rooms
    meters: Meters
    weather_name: str = "H-W1"


@dataclass(frozen=True)
class Sky:
    outdoor_c: float = -12.04
    wind_ms: float = 3.1
    solar_wm2: float = 20.0
    humidity_pct: float = 61.0


def town(speeches: Iterable[int] = ROOMS, per_format: int = 5) -> Fleet:
    """So many sensors of each format, spread over the buildings, and two meters of each."""
    speech = np.repeat(list(speeches), per_format).astype(np.int8)
    sensor = np.arange(len(speech))
    meter_speech = np.array(METERS * 2, dtype=np.int8)
    meter = np.arange(len(meter_speech))
    return Fleet(
        Rooms(sensor, speech, (sensor * 211 % ROOM_S).astype(np.int32), sensor % BUILDINGS),
        Meters(meter_speech, (meter * 97 % METER_S).astype(np.int32), meter % 2 == 0),
    )


def scenario(behaviour: BehaviourSpec) -> Scenario:
    return Scenario(
        name="hamlet",
        title="Without physics",
        site="hm",
        source=SourceSpec(code="H", name="Plant", latitude=45.7, longitude=126.6),
        weather=WeatherSpec(level=((timedelta(0), -10.0),)),
        instruments=InstrumentsSpec(meter_every=timedelta(seconds=METER_S), gateway_batch=3),
        behaviour=behaviour,
    )


class Going:
    """A run of the town, step by step like the runner's."""

    def __init__(
        self,
        behaviour: BehaviourSpec = ROUGH,
        fleet: Fleet | None = None,
        *,
        after_s: float = -1.0,
        down: dict[int, tuple[int, int]] | None = None,
        seed: int = 5,
    ) -> None:
        self.fleet = fleet or town()
        self.down = down or {}
        self.post = Post(scenario(behaviour), self.fleet, seed, ANCHOR, after_s)  # type: ignore[arg-type]
        self.offset_s = 0
        self.skipped = 0

    @property
    def report(self) -> Report:
        self.post.report.held = self.post.held
        return self.post.report

    def until(self, until_s: int) -> list[Message]:
        """What is due by then."""
        while self.offset_s <= until_s:
            if self.post.is_over(self.offset_s + STEP_S):
                self.skipped += 1
            else:
                self._step()
            self.offset_s += STEP_S
        return self.post.take(until_s)

    def _step(self) -> None:
        offset_s = self.offset_s
        cut = np.zeros(BUILDINGS, dtype=bool)
        for building, (begin, end) in self.down.items():
            cut[building] = begin <= offset_s < end
        self.post.links(offset_s, STEP_S, cut)
        self.post.rooms(self._rooms(offset_s), cut)  # type: ignore[arg-type]
        self.post.meters(self._meters(offset_s))  # type: ignore[arg-type]
        self.post.weather(offset_s, Sky())  # type: ignore[arg-type]
        self.post.mischief(offset_s, STEP_S)

    def _rooms(self, offset_s: int) -> Samples:
        sensor, at_s = due(self.fleet.rooms.phase_s, offset_s, ROOM_S)
        return Samples(
            sensor,
            at_s,
            np.round(20.0 + (sensor * 7 + at_s // 600) % 50 / 10.0, 1),
            np.round(30.0 + (sensor + at_s // 900) % 100 / 10.0, 1),
            np.round(60.0 + sensor % 40 * 1.0),
        )

    def _meters(self, offset_s: int) -> MeterSamples:
        meter, at_s = due(self.fleet.meters.phase_s, offset_s, METER_S)
        nothing = np.full(len(meter), np.nan)
        return MeterSamples(
            meter,
            at_s,
            {
                "supply_c": np.round(60.0 + at_s % 70 / 10.0, 2),
                "return_c": np.round(40.0 + meter / 10.0, 2),
                "flow_m3h": np.full(len(meter), 3.125),
                "power_kw": np.full(len(meter), 71.25),
                "energy_kwh": np.round(1000.0 + at_s / 3600.0, 1),
                "volume_m3": np.full(len(meter), 88.5),
                "valve_pct": nothing,
            },
        )


def due(phase_s: Any, offset_s: int, every_s: int) -> tuple[Any, Any]:
    at_s = phase_s.astype(int) - (phase_s.astype(int) - offset_s) // every_s * every_s
    device = np.flatnonzero(at_s < offset_s + STEP_S)
    device = device[np.lexsort((device, at_s[device]))]
    return device, at_s[device]


HOURS_30 = 30 * 3600
DOWN = {1: (4 * 3600, 9 * 3600), 2: (20 * 3600, 22 * 3600)}


def spoken(messages: Iterable[Message], prefix: str) -> list[Message]:
    return [message for message in messages if message.topic.startswith(prefix)]


def only(name: str, behaviour: BehaviourSpec, **more: Any) -> tuple[Going, list[Message]]:
    going = Going(behaviour, town([wire.NUMBER[name]]), **more)
    return going, going.until(HOURS_30)
