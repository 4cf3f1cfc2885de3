"""The devices of a town: which dwelling has a sensor, what it speaks, where the meters sit.

All choices are drawn per dwelling or building, so fleets nest: the sensors of a 4 % coverage are
among those of 20 %. Dwellings that companies watch first (top, ground, gable) are twice as likely
to be chosen. A fleet is arrays; names and ledger records are made when somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import msgspec
import numpy as np
from numpy.typing import NDArray

from hearthline.domain.places import Device, DeviceKind, DeviceRole, PlaceKind
from simulators import rand
from simulators.devices.metering import MeterFleet, Node, meter_fleet
from simulators.layout import Layout
from simulators.scenario import BehaviourSpec, FormatMix, InstrumentsSpec, Scenario
from simulators.wire import FORMATS, NUMBER, Identity

__all__ = ["Fleet", "MeterFleet", "Node", "RoomFleet", "chosen", "equip"]

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

SENSOR_BIAS_K = 0.1
SENSOR_HEIGHT_M = 1.4
BATTERY_PCT = (60.0, 100.0)
DRAIN_PCT_DAY = 0.05
_LOW_PCT = (8.0, 25.0)
_EMPTY_AFTER = (0.25, 0.95)
"""When a battery that runs down is empty, share of the history."""
_SERIAL_BITS = np.uint64(0xFFFFFFFFFF)
"""Formats use forty bits of a serial number, so these must be a device's own."""


@dataclass(frozen=True)
class RoomFleet:
    """Room sensors; arrays are [sensors], ordered by dwelling.

    ``unit`` is the dwelling each is filed under, ``speech`` its format's place in
    ``wire.FORMATS``, ``phase_s`` when in its interval it samples, ``gateway`` its building.
    Batteries hold ``battery_pct`` at the anchor and lose ``drain_pct_day``; those
    ``running_low`` will be empty before the history ends.
    """

    site: str
    seed: int
    every_s: int
    layout: Layout
    unit: Index
    speech: NDArray[np.int8]
    phase_s: NDArray[np.int32]
    bias_k: Single
    battery_pct: Single
    drain_pct_day: Single
    running_low: Flags
    gateway: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.unit)

    def place(self, sensor: int) -> str:
        """Code of the dwelling under which a sensor is filed."""
        return self.layout.codes[PlaceKind.UNIT][int(self.unit[sensor])]

    def identity(self, sensor: int) -> Identity:
        """How a sensor calls itself on the wire."""
        building = self.layout.codes[PlaceKind.BUILDING][int(self.gateway[sensor])]
        speaks = FORMATS[int(self.speech[sensor])]
        serial = int(self._serials[self.unit[sensor]])
        return speaks.identify(self.site, self.place(sensor), serial, gateway_name(building))

    def device(self, sensor: int) -> Device:
        """A sensor as the ledger lists it."""
        identity, profile = self.identity(sensor), FORMATS[int(self.speech[sensor])].profile
        return Device(
            uid=identity.uid,
            kind=DeviceKind.ROOM,
            role=DeviceRole.ROOM,
            place=self.place(sensor),
            expected_interval_s=self.every_s,
            height_m=SENSOR_HEIGHT_M,
            profile=None if profile is None else profile(identity),
        )

    @property
    def devices(self) -> Iterator[Device]:
        """All sensors as the ledger lists them, made one by one."""
        return (self.device(sensor) for sensor in range(len(self)))

    def of_unit(self, unit: int) -> int | None:
        """The sensor of a dwelling, if it has one."""
        at = int(np.searchsorted(self.unit, unit))
        return at if at < len(self) and self.unit[at] == unit else None

    @cached_property
    def _serials(self) -> NDArray[np.uint64]:
        """Serial numbers of all dwellings' sensors, sensed or not, [units].

        The few whose forty bits were drawn twice are drawn once more.
        """
        drawn = rand.bits(self.seed, "fleet/eui", np.arange(self.layout.units))
        seen = drawn & _SERIAL_BITS
        order = np.argsort(seen, kind="stable")
        again = order[1:][seen[order[1:]] == seen[order[:-1]]]
        drawn[again] = rand.bits(self.seed, "fleet/eui-again", again)
        return drawn


@dataclass(frozen=True)
class Fleet:
    """Everything in a town that publishes; there is one gateway a building."""

    rooms: RoomFleet
    meters: MeterFleet
    weather: Device
    weather_name: str
    gateways: list[str]

    @property
    def devices(self) -> tuple[Device, ...]:
        """All devices as the ledger lists them."""
        return (*self.rooms.devices, *self.meters.devices, self.weather)


def gateway_name(building: str) -> str:
    """What the gateway of a building is called."""
    return f"{building}-GW1"


def equip(scenario: Scenario, layout: Layout, seed: int, coverage: float) -> Fleet:
    """The fleet of a town at a coverage (share of dwellings with a room sensor)."""
    name = f"{scenario.source.code}-W1"
    weather = Device(
        uid=f"own:{scenario.site}/{name}",
        kind=DeviceKind.WEATHER,
        role=DeviceRole.WEATHER,
        place=scenario.source.code,
        expected_interval_s=int(scenario.instruments.weather_every.total_seconds()),
    )
    return Fleet(
        rooms=_rooms(scenario, layout, seed, coverage),
        meters=meter_fleet(scenario, layout, seed),
        weather=weather,
        weather_name=name,
        gateways=[gateway_name(code) for code in layout.codes[PlaceKind.BUILDING]],
    )


def chosen(layout: Layout, seed: int, coverage: float) -> Index:
    """Dwellings that have a sensor, ascending; nested in coverage (weighted order of lots)."""
    count = round(coverage * layout.units)
    keys = np.arange(layout.units)
    if count == layout.units:
        return keys
    lot = rand.uniform(seed, "fleet/coverage", keys)
    exposed = layout.top | layout.ground | (layout.gables > 0)
    lot[exposed] = np.sqrt(lot[exposed])
    return np.sort(np.argsort(-lot, kind="stable")[:count])


def _rooms(scenario: Scenario, layout: Layout, seed: int, coverage: float) -> RoomFleet:
    spec: InstrumentsSpec = scenario.instruments
    unit = chosen(layout, seed, coverage)
    every = int(spec.room_every.total_seconds())
    level, drain, low = _batteries(scenario.behaviour, scenario.history, seed, unit)
    bias = SENSOR_BIAS_K * np.clip(rand.normal(seed, "fleet/bias", unit), -2.0, 2.0)
    return RoomFleet(
        site=scenario.site,
        seed=seed,
        every_s=every,
        layout=layout,
        unit=unit,
        speech=_speech(spec.mix, rand.uniform(seed, "fleet/speech", unit)),
        phase_s=(rand.uniform(seed, "fleet/phase", unit) * every).astype(np.int32),
        bias_k=bias.astype(np.float32),
        battery_pct=level.astype(np.float32),
        drain_pct_day=drain.astype(np.float32),
        running_low=low,
        gateway=layout.unit_building[unit].astype(np.int32),
    )


def _speech(mix: FormatMix, drawn: Array) -> NDArray[np.int8]:
    """Formats of sensors by their shares; all speak our own where no format has a share."""
    shares = np.array(list(msgspec.structs.asdict(mix).values()))
    numbers = np.array([NUMBER[name] for name in msgspec.structs.asdict(mix)], dtype=np.int8)
    edges = np.cumsum(shares / (shares.sum() or 1.0))
    speaking = np.searchsorted(edges, drawn, side="right")
    last = int(np.flatnonzero(shares).max(initial=0))
    return numbers[np.minimum(speaking, last)]


def _batteries(
    spec: BehaviourSpec, history: timedelta, seed: int, unit: Index
) -> tuple[Array, Array, Flags]:
    """Charge at the anchor in %, loss in % a day, and whether it will not last the history.

    How fast a battery drains depends on the dwelling (how far its radio must reach) and on the
    device.
    """
    full = BATTERY_PCT[0] + np.ptp(BATTERY_PCT) * rand.uniform(seed, "fleet/battery", unit)
    drain = DRAIN_PCT_DAY * (0.6 + 0.8 * rand.uniform(seed, "fleet/reach", unit))
    drain *= 0.7 + 0.6 * rand.uniform(seed, "fleet/cell", unit)
    low = rand.happens(spec.battery_low, seed, "fleet/running-low", unit)
    weak = unit[low]
    left = _LOW_PCT[0] + np.ptp(_LOW_PCT) * rand.uniform(seed, "fleet/left", weak)
    lasts = _EMPTY_AFTER[0] + np.ptp(_EMPTY_AFTER) * rand.uniform(seed, "fleet/lasts", weak)
    full[low] = left
    drain[low] = left / np.maximum(lasts * (history / timedelta(days=1)), 1e-3)
    return full, drain, low
