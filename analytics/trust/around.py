"""What is around the sensors of a window: weather, supply, places, batteries, as detectors want it.

Pure; rows of ``states`` come from the database live, and may be missing where nobody knows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from analytics.observed import MeterTable, Weather, on_hours
from analytics.trust.certified import certified_hours
from analytics.trust.model import Floats, Ints, Surroundings
from analytics.window import RoomWindow
from hearthline.domain.certified import Certified
from hearthline.domain.network import Instrument, Network
from hearthline.domain.places import DeviceRole, PlaceKind

States = Mapping[int, Mapping[str, Any]]
NOBODY_KNOWS: States = {}


def surroundings(
    network: Network,
    rooms: RoomWindow,
    meters: MeterTable,
    weather: Weather,
    *,
    states: States = NOBODY_KNOWS,
    certified: Sequence[Certified] = (),
) -> Surroundings:
    """Everything that is known around a window's sensors.

    Args:
        network: the tree, with heating statuses.
        rooms: the window; rows of the result are its sensors, columns its hours.
        meters: hours of meters that overlap the window; the stations' secondary ones are read.
        weather: hours of weather that overlap it.
        states: per device id ``battery_pct``, ``skew_s``, ``interval_s``, ``heard_s``,
            ``measured_at`` and ``gateway``, as ``hearthline.storage.trust.states`` gives them; as
            of now, so only good for now.
        certified: certified readings that bear on the window.
    """
    sensors, start, hours = rooms.sensors, rooms.start, rooms.hours.shape[1]
    ids = [sensor.id for sensor in sensors]
    unheated = network.unheated(rooms.until)
    return Surroundings(
        outdoor_c=weather.outdoors(start, hours),
        solar_wm2=on_hours(weather.solar_wm2, weather.start, start, hours),
        supply_c=_supply(network, sensors, meters, start, hours),
        battery_pct=_told(ids, states, "battery_pct"),
        skew_s=_told(ids, states, "skew_s"),
        interval_s=_told(ids, states, "interval_s"),
        heard_s=_behind(ids, states, rooms.until),
        gateway=_gateways(ids, states),
        entrance=_group(network, sensors, PlaceKind.ENTRANCE),
        area=_group(network, sensors, PlaceKind.SUBSTATION),
        certified_hour=certified_hours(ids, certified, start),
        unheated=np.array([sensor.place in unheated for sensor in sensors], bool),
        walls=_walls(network, sensors, unheated),
    )


def _walls(network: Network, sensors: Sequence[Instrument], unheated: Collection[str]) -> Ints:
    """The rows of sensors whose dwellings touch, (pairs, 2), each pair in both orders.

    Beside a dwelling that is not heated a room is cold for that reason, whatever its other
    neighbours feel; so nobody is its witness.
    """
    units = [network.index[sensor.place] for sensor in sensors]
    chilled = {
        other
        for code in unheated
        if code in network.index
        for other in network.beside[network.index[code]]
    }
    rows: list[list[int]] = [[] for _ in network.dwellings]
    for row, unit in enumerate(units):
        rows[unit].append(row)
    beside = [
        [row for other in network.beside[unit] for row in rows[other]]
        if unit not in chilled
        else []
        for unit in units
    ]
    return np.column_stack(
        [
            np.repeat(np.arange(len(sensors)), [len(one) for one in beside]),
            np.array([row for one in beside for row in one], np.int64),
        ]
    )


def _supply(
    network: Network,
    sensors: Sequence[Instrument],
    meters: MeterTable,
    start: datetime,
    hours: int,
) -> Floats:
    """The secondary supply of each sensor's circuit, or else of its station, °C."""
    row_of = {
        meter.place: row
        for row, meter in enumerate(meters.meters)
        if meter.role is DeviceRole.SECONDARY
    }
    supply = on_hours(meters.supply_c, meters.start, start, hours)
    rows = np.full(len(sensors), -1)
    for kind in reversed(_SUPPLIED_BY):  # the nearer one in the end
        above = [row_of.get(place, -1) for place in _above(network, sensors, kind)]
        rows = np.where(np.array(above, np.int64) >= 0, above, rows)
    chosen = rows.astype(np.int64)
    known = chosen >= 0
    result = np.full((len(sensors), hours), np.nan)
    result[known] = supply[chosen[known]]
    return result


_SUPPLIED_BY = (PlaceKind.CIRCUIT, PlaceKind.SUBSTATION)


def _told(ids: Sequence[int], states: States, name: str) -> Floats:
    told = [states[i][name] if i in states else None for i in ids]
    return np.array([np.nan if value is None else float(value) for value in told])


def _behind(ids: Sequence[int], states: States, until: datetime) -> Floats:
    """For how long nothing arrived of sensors that have told nothing of the window's end yet, s.

    Of one that tells of later hours already, what is missing is missing.
    """
    told = [states.get(i, {}) for i in ids]
    behind = [one.get("measured_at") is not None and one["measured_at"] < until for one in told]
    return np.where(behind, _told(ids, states, "heard_s"), np.nan)


def _gateways(ids: Sequence[int], states: States) -> Ints:
    """Numbers of the gateways that carried each sensor last; -1 unknown."""
    names = [states[i]["gateway"] if i in states else None for i in ids]
    number = {name: n for n, name in enumerate(sorted({name for name in names if name}))}
    return np.array([-1 if not name else number[name] for name in names], np.int64)


def _group(network: Network, sensors: Sequence[Instrument], kind: PlaceKind) -> Ints:
    """The number of the place of a kind above each sensor; its own where there is none."""
    above = _above(network, sensors, kind)
    return np.array([network.nodes[place].id for place in above], np.int64)


def _above(network: Network, sensors: Sequence[Instrument], kind: PlaceKind) -> list[str]:
    """The place of a kind above each sensor; its own where there is none."""
    above = network.ancestors(kind)
    return [above[network.index[sensor.place]] or sensor.place for sensor in sensors]
