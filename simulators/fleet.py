"""The devices of a town: which dwelling has a sensor, what it speaks, where the meters sit.

All choices are drawn per dwelling, so fleets nest: the sensors of a 4 % coverage are among those
of 20 %. Dwellings that companies watch first (top, ground, gable) are twice as likely to be
chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from hearthline.domain.places import Device, DeviceKind, DeviceRole, FlowPipe, PlaceKind
from simulators import rand, wire
from simulators.layout import Layout
from simulators.scenario import FormatMix, InstrumentsSpec, Scenario

Array = NDArray[np.float64]
Index = NDArray[np.intp]

SENSOR_BIAS_K = 0.1
METER_GAIN = 0.004
METER_BIAS_K = 0.02


class Speech(IntEnum):
    """Which wire format a room sensor speaks."""

    OWN = 0
    CHIRPSTACK = 1
    ZIGBEE2MQTT = 2


@dataclass(frozen=True)
class RoomFleet:
    """Room sensors; arrays are [sensors], ordered by dwelling.

    ``phase_s`` is when in its interval a sensor samples, ``names`` how it calls itself on the
    wire, ``topics`` where it publishes (a gateway's topic for our own format).
    """

    unit: Index
    speech: NDArray[np.int_]
    phase_s: NDArray[np.int_]
    bias_k: Array
    battery_pct: Array
    names: list[str]
    topics: list[str]
    gateway: Index
    devices: list[Device]

    def __len__(self) -> int:
        return len(self.unit)


class Node(IntEnum):
    """Where a meter sits; the order of the blocks in the vector of metered nodes."""

    SOURCE = 0
    PRIMARY = 1
    SECONDARY = 2
    BUILDING = 3
    ENTRANCE = 4


@dataclass(frozen=True)
class MeterFleet:
    """Heat meters; arrays are [meters]. ``row`` indexes the vector of all metered nodes."""

    row: Index
    node: NDArray[np.int_]
    index: Index
    phase_s: NDArray[np.int_]
    gain: Array
    supply_bias_k: Array
    return_bias_k: Array
    in_return: NDArray[np.bool_]
    names: list[str]
    devices: list[Device]

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True)
class Fleet:
    """Everything in a town that publishes."""

    rooms: RoomFleet
    meters: MeterFleet
    weather: Device
    weather_name: str
    gateways: list[str]

    @property
    def devices(self) -> tuple[Device, ...]:
        """All devices as the ledger lists them."""
        return (*self.rooms.devices, *self.meters.devices, self.weather)


def equip(scenario: Scenario, layout: Layout, seed: int, coverage: float) -> Fleet:
    """The fleet of a town at a coverage (share of dwellings with a room sensor)."""
    gateways = [f"{code}-GW1" for code in layout.codes[PlaceKind.BUILDING]]
    name = f"{scenario.source.code}-W1"
    weather = Device(
        uid=f"own:{scenario.site}/{name}",
        kind=DeviceKind.WEATHER,
        role=DeviceRole.WEATHER,
        place=scenario.source.code,
        expected_interval_s=int(scenario.instruments.weather_every.total_seconds()),
    )
    return Fleet(
        rooms=_rooms(scenario, layout, seed, coverage, gateways),
        meters=_meters(scenario, layout, seed),
        weather=weather,
        weather_name=name,
        gateways=gateways,
    )


def chosen(layout: Layout, seed: int, coverage: float) -> Index:
    """Dwellings that have a sensor, ascending; nested in coverage (weighted order of lots)."""
    keys = np.arange(layout.units)
    exposed = layout.top | layout.ground | (layout.gables > 0)
    lot = rand.uniform(seed, "fleet/coverage", keys) ** np.where(exposed, 0.5, 1.0)
    count = round(coverage * layout.units)
    order = np.lexsort((keys, -lot))
    return np.sort(order[:count])


def _rooms(
    scenario: Scenario, layout: Layout, seed: int, coverage: float, gateways: list[str]
) -> RoomFleet:
    spec = scenario.instruments
    unit = chosen(layout, seed, coverage)
    speech = _speech(spec.mix, rand.uniform(seed, "fleet/speech", unit))
    every = int(spec.room_every.total_seconds())
    phase = (rand.uniform(seed, "fleet/phase", unit) * every).astype(int)
    gateway = layout.unit_building[unit]
    named = [
        _room_name(scenario.site, layout, int(u), seed=seed, speech=Speech(s), gateway=gateways[g])
        for u, s, g in zip(unit, speech, gateway, strict=True)
    ]
    devices = [
        Device(uid, DeviceKind.ROOM, DeviceRole.ROOM, place, None, every, 1.4)
        for uid, place, _, _ in named
    ]
    return RoomFleet(
        unit=unit,
        speech=speech,
        phase_s=phase,
        bias_k=SENSOR_BIAS_K * np.clip(rand.normal(seed, "fleet/bias", unit), -2.0, 2.0),
        battery_pct=60.0 + 40.0 * rand.uniform(seed, "fleet/battery", unit),
        names=[name for _, _, name, _ in named],
        topics=[topic for _, _, _, topic in named],
        gateway=gateway,
        devices=devices,
    )


def _speech(mix: FormatMix, drawn: Array) -> NDArray[np.int_]:
    shares = np.array([mix.own, mix.chirpstack, mix.zigbee2mqtt])
    total = shares.sum() or 1.0
    edges = np.cumsum(shares / total)
    return np.minimum(np.searchsorted(edges, drawn, side="right"), len(shares) - 1)


def _room_name(
    site: str, layout: Layout, unit: int, *, seed: int, speech: Speech, gateway: str
) -> tuple[str, str, str, str]:
    """Uid, dwelling, name on the wire and topic of a room sensor."""
    place = layout.codes[PlaceKind.UNIT][unit]
    if speech is Speech.CHIRPSTACK:
        eui = wire.dev_eui(int(rand.bits(seed, "fleet/eui", unit)[0]))
        return f"chirpstack:{eui}", place, eui, wire.chirpstack_topic(eui)
    if speech is Speech.ZIGBEE2MQTT:
        building, entrance, door = place.rsplit("-", 2)
        friendly = f"{building}/{entrance} {door.lstrip('0')} living room"
        return f"zigbee2mqtt:{friendly}", place, friendly, wire.zigbee_topic(friendly)
    name = f"{place}-T1"
    return f"own:{site}/{name}", place, name, wire.own_topic(site, gateway, DeviceKind.ROOM)


def _meters(scenario: Scenario, layout: Layout, seed: int) -> MeterFleet:
    rows = _metered(scenario.instruments, layout)
    keys = np.arange(len(rows))
    row = np.array([row for row, _, _, _, _ in rows], dtype=np.intp)
    every = int(scenario.instruments.meter_every.total_seconds())
    in_return = rand.uniform(seed, "fleet/pipe", row) < 0.6
    devices = [
        Device(
            uid=f"own:{scenario.site}/{name}",
            kind=DeviceKind.METER,
            role=_ROLES[node],
            place=name.rsplit("-", 1)[0],
            flow_pipe=FlowPipe.RETURN if returned else FlowPipe.SUPPLY,
            expected_interval_s=every,
        )
        for (_, node, _, _, name), returned in zip(rows, in_return, strict=True)
    ]
    return MeterFleet(
        row=row,
        node=np.array([node for _, node, _, _, _ in rows]),
        index=np.array([index for _, _, index, _, _ in rows], dtype=np.intp),
        phase_s=(rand.uniform(seed, "fleet/meter-phase", keys) * every).astype(int),
        gain=1.0 + METER_GAIN * rand.normal(seed, "fleet/gain", row),
        supply_bias_k=METER_BIAS_K * rand.normal(seed, "fleet/supply", row),
        return_bias_k=METER_BIAS_K * rand.normal(seed, "fleet/return", row),
        in_return=in_return,
        names=[name for *_, name in rows],
        devices=devices,
    )


_ROLES = {
    Node.SOURCE: DeviceRole.PRIMARY,
    Node.PRIMARY: DeviceRole.PRIMARY,
    Node.SECONDARY: DeviceRole.SECONDARY,
    Node.BUILDING: DeviceRole.BRANCH,
    Node.ENTRANCE: DeviceRole.BRANCH,
}
_SUFFIX = {
    Node.SOURCE: "P1",
    Node.PRIMARY: "P1",
    Node.SECONDARY: "S1",
    Node.BUILDING: "M1",
    Node.ENTRANCE: "M1",
}


def _metered(spec: InstrumentsSpec, layout: Layout) -> list[tuple[int, Node, int, PlaceKind, str]]:
    """(row, node, index, level, name) of every meter; rows count all nodes, metered or not."""
    levels = (
        (Node.SOURCE, PlaceKind.SOURCE),
        (Node.PRIMARY, PlaceKind.SUBSTATION),
        (Node.SECONDARY, PlaceKind.SUBSTATION),
        (Node.BUILDING, PlaceKind.BUILDING),
        (Node.ENTRANCE, PlaceKind.ENTRANCE),
    )
    wanted = set(spec.entrance_meters)
    buildings = layout.codes[PlaceKind.BUILDING]
    rows: list[tuple[int, Node, int, PlaceKind, str]] = []
    row = 0
    for node, level in levels:
        for index, code in enumerate(layout.codes[level]):
            of = layout.tree.entrance_building[index] if node is Node.ENTRANCE else 0
            if node is not Node.ENTRANCE or buildings[of] in wanted:
                rows.append((row, node, index, level, f"{code}-{_SUFFIX[node]}"))
            row += 1
    return rows
