"""The ledger (台账) of a simulated town, as a heating company would hand it over.

Names are given in English and Chinese; buildings stand in rows around their substation.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from hearthline.domain.places import (
    HeatingStatus,
    Ledger,
    Place,
    PlaceKind,
    StatusPeriod,
    UnitFacts,
)
from simulators import rand
from simulators.devices.fleet import Fleet
from simulators.faults import PlacedFault
from simulators.layout import Layout
from simulators.scenario import CircuitSpec, Heating, Scenario, SubstationSpec


class Stop(NamedTuple):
    """A stop of one dwelling's heating: what the ledger calls it, and from when to when."""

    code: str
    since: datetime
    until: datetime | None
    status: HeatingStatus = HeatingStatus.STOPPED


_DEGREE_M = 111_320.0
_VULNERABLE = 0.03
_ZONES_ZH = ("低区", "高区")


def ledger(
    scenario: Scenario,
    layout: Layout,
    fleet: Fleet,
    *,
    seed: int,
    stops: list[Stop],
    heated_since: datetime,
) -> Ledger:
    """The whole ledger of a town with the given stops of heating."""
    return Ledger(
        places=tuple(_places(scenario, layout, seed)),
        units=tuple(_units(layout, seed)),
        statuses=tuple(_statuses(layout, stops, heated_since)),
        devices=fleet.devices,
    )


def stops(
    faults: tuple[PlacedFault, ...],
    layout: Layout,
    anchor: datetime | None,
    long_ago: datetime,
) -> list[Stop]:
    """When which dwelling's heating is stopped.

    Without an anchor, stops from before the history are dated ``long_ago`` and later ones left
    out, since their dates are not known yet.
    """
    codes = layout.codes[PlaceKind.UNIT]
    found: list[Stop] = []
    for fault in faults:
        if not fault.kind.stops_heating or (anchor is None and fault.onset_s > 0):
            continue
        since = long_ago if anchor is None else anchor + timedelta(seconds=fault.onset_s)
        until = None if fault.end is None or anchor is None else anchor + fault.end
        status = HeatingStatus(fault.variant) if fault.variant else HeatingStatus.STOPPED
        found += [Stop(codes[unit], since, until, status) for unit in fault.struck.units]
    return found


def _statuses(layout: Layout, stops: list[Stop], since: datetime) -> Iterator[StatusPeriod]:
    """Status periods without gaps or overlaps: on, then stopped, then on again."""
    by_unit: dict[str, list[Stop]] = {}
    for stop in sorted(stops, key=lambda stop: stop.since):
        by_unit.setdefault(stop.code, []).append(stop)
    for code in layout.codes[PlaceKind.UNIT]:
        yield from _history(code, by_unit.get(code, []), since)


def _history(code: str, stops: list[Stop], since: datetime) -> Iterator[StatusPeriod]:
    """The periods of one dwelling, from its stops in order; what overlaps ends with the next."""
    at: datetime | None = since
    for number, stop in enumerate(stops):
        if at is not None and stop.since > at:
            yield StatusPeriod(code, HeatingStatus.ON, at, stop.since)
        until = stop.until
        if number + 1 < len(stops):
            follows = stops[number + 1].since
            until = follows if until is None else min(until, follows)
        if until is None or until > stop.since:
            yield StatusPeriod(code, stop.status, stop.since, until)
        at = until
    if at is not None:
        yield StatusPeriod(code, HeatingStatus.ON, at)


def _units(layout: Layout, seed: int) -> Iterator[UnitFacts]:
    codes = layout.codes[PlaceKind.UNIT]
    vulnerable = rand.happens(_VULNERABLE, seed, "ledger/vulnerable", range(len(codes)))
    for index, code in enumerate(codes):
        yield UnitFacts(
            code=code,
            area_m2=float(layout.area_m2[index]),
            floor=int(layout.floor[index]),
            column=int(layout.column[index]),
            position=layout.position(index),
            vulnerable=bool(vulnerable[index]),
        )


def _places(scenario: Scenario, layout: Layout, seed: int) -> Iterator[Place]:
    source = scenario.source
    yield Place(
        code=source.code,
        kind=PlaceKind.SOURCE,
        parent=None,
        name=source.name,
        name_zh=source.name_zh,
        latitude=source.latitude,
        longitude=source.longitude,
    )
    yield from _stations(layout, source.code)
    yield from _buildings(layout, seed)
    yield from _inside(layout)


def _stations(layout: Layout, root: str) -> Iterator[Place]:
    """Substations, each followed by its circuits."""
    stations, circuits = layout.codes[PlaceKind.SUBSTATION], layout.codes[PlaceKind.CIRCUIT]
    for index, spec in enumerate(layout.substations):
        zh = spec.name_zh
        yield Place(
            code=stations[index],
            kind=PlaceKind.SUBSTATION,
            parent=root,
            name=f"{spec.name} substation",
            name_zh=f"{zh}换热站" if zh else "",
            seq=index + 1,
            latitude=spec.latitude,
            longitude=spec.longitude,
        )
        own = np.flatnonzero(layout.circuit_substation == index).tolist()
        names = circuit_names([layout.circuits[circuit] for circuit in own], spec)
        for number, (circuit, (name, name_zh)) in enumerate(zip(own, names, strict=True), 1):
            yield Place(
                circuits[circuit], PlaceKind.CIRCUIT, stations[index], name, name_zh, number
            )


def circuit_names(circuits: list[CircuitSpec], station: SubstationSpec) -> list[tuple[str, str]]:
    """English and Chinese names of a substation's circuits.

    Given names stay; else a circuit is called by what it heats and, where several heat the same,
    by its zone: the low one (低区) lies nearer the pump, the high one (高区) above it.
    """
    if len(circuits) == 1:
        return [
            (f"{station.name} circuit 1", f"{station.name_zh}一号环路" if station.name_zh else "")
        ]
    names = []
    for number, circuit in enumerate(circuits, 1):
        alike = [one for one in circuits if one.heating is circuit.heating]
        zone = alike.index(circuit) if len(alike) > 1 else -1
        zh = circuit.name_zh or _circuit_zh(circuit, zone, number)
        name = (
            f"{station.name} {circuit.name}" if circuit.name else f"{station.name} circuit {number}"
        )
        names.append((name, f"{station.name_zh}{zh}" if station.name_zh else ""))
    return names


def _circuit_zh(circuit: CircuitSpec, zone: int, number: int) -> str:
    floor = "地暖" if circuit.heating is Heating.FLOOR else ""
    if zone < 0:
        return f"{floor or '散热器'}环路"
    return f"{floor}{_ZONES_ZH[zone]}环路" if zone < len(_ZONES_ZH) else f"{floor}{number}号环路"


def _buildings(layout: Layout, seed: int) -> Iterator[Place]:
    codes, circuits = layout.codes[PlaceKind.BUILDING], layout.codes[PlaceKind.CIRCUIT]
    station_of = layout.circuit_substation[layout.building_circuit].tolist()
    for index, code in enumerate(codes):
        spec = layout.substations[station_of[index]]
        number = int(code.rsplit("-B", 1)[1])
        north_m, east_m = _standing(number, seed, index)
        yield Place(
            code=code,
            kind=PlaceKind.BUILDING,
            parent=circuits[int(layout.building_circuit[index])],
            name=f"{spec.name} estate, building {number}",
            name_zh=f"{spec.name_zh}小区{number}号楼" if spec.name_zh else "",
            seq=number,
            latitude=round(spec.latitude + north_m / _DEGREE_M, 6),
            longitude=round(spec.longitude + east_m / (0.7 * _DEGREE_M), 6),
        )


def _standing(number: int, seed: int, index: int) -> tuple[float, float]:
    """Where a building stands, m north and east of its substation: rows of three."""
    row, place = divmod(number - 1, 3)
    shift = 12.0 * rand.normal(seed, "ledger/standing", index, [0, 1])
    return 70.0 + 75.0 * row + float(shift[0]), 95.0 * (place - 1) + float(shift[1])


def _inside(layout: Layout) -> Iterator[Place]:
    """Entrances, risers and dwellings; their names are what stands at the door."""
    tree = layout.tree
    buildings, entrances = layout.codes[PlaceKind.BUILDING], layout.codes[PlaceKind.ENTRANCE]
    risers = layout.codes[PlaceKind.RISER]
    for index, code in enumerate(entrances):
        number = int(code.rsplit("-E", 1)[1])
        parent = buildings[tree.entrance_building[index]]
        kind = PlaceKind.ENTRANCE
        yield Place(code, kind, parent, f"Entrance {number}", f"{number}单元", number)
    for index, code in enumerate(risers):
        number = int(code.rsplit("-R", 1)[1])
        parent = entrances[tree.riser_entrance[index]]
        yield Place(code, PlaceKind.RISER, parent, f"Riser {number}", f"{number}号立管", number)
    for index, code in enumerate(layout.codes[PlaceKind.UNIT]):
        door = code.rsplit("-", 1)[1].lstrip("0")
        parent = risers[tree.unit_riser[index]]
        floor = int(layout.floor[index])
        yield Place(code, PlaceKind.UNIT, parent, door, f"{door}室", floor)
