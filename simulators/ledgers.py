"""The ledger (台账) of a simulated town, as a heating company would hand it over.

Names are given in English and Chinese; buildings stand in rows around their substation.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from hearthline.domain.places import (
    HeatingStatus,
    Ledger,
    Place,
    PlaceKind,
    StatusPeriod,
    UnitFacts,
)
from simulators import rand
from simulators.faults import PlacedFault
from simulators.fleet import Fleet
from simulators.layout import Layout
from simulators.scenario import Scenario

Stop = tuple[str, datetime, datetime | None]

_DEGREE_M = 111_320.0
_VULNERABLE = 0.03


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
    found: list[Stop] = []
    for fault in faults:
        if not fault.kind.stops_heating or (anchor is None and fault.onset_s > 0):
            continue
        since = long_ago if anchor is None else anchor + timedelta(seconds=fault.onset_s)
        end = None if fault.end is None or anchor is None else anchor + fault.end
        found += [(layout.codes[PlaceKind.UNIT][unit], since, end) for unit in fault.struck.units]
    return found


def _statuses(layout: Layout, stops: list[Stop], since: datetime) -> Iterator[StatusPeriod]:
    """Status periods without gaps or overlaps: on, then stopped, then on again."""
    by_unit = {code: (start, end) for code, start, end in stops}
    for code in layout.codes[PlaceKind.UNIT]:
        if code not in by_unit:
            yield StatusPeriod(code, HeatingStatus.ON, since)
            continue
        start, end = by_unit[code]
        if start > since:
            yield StatusPeriod(code, HeatingStatus.ON, since, start)
        yield StatusPeriod(code, HeatingStatus.STOPPED, start, end)
        if end is not None:
            yield StatusPeriod(code, HeatingStatus.ON, end)


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
    circuits = layout.codes[PlaceKind.CIRCUIT]
    for index, spec in enumerate(scenario.substations):
        code = layout.codes[PlaceKind.SUBSTATION][index]
        zh = spec.name_zh
        yield Place(
            code=code,
            kind=PlaceKind.SUBSTATION,
            parent=source.code,
            name=f"{spec.name} substation",
            name_zh=f"{zh}换热站" if zh else "",
            seq=index + 1,
            latitude=spec.latitude,
            longitude=spec.longitude,
        )
        name = f"{spec.name} circuit 1"
        yield Place(
            circuits[index], PlaceKind.CIRCUIT, code, name, f"{zh}一号环路" if zh else "", 1
        )
    yield from _buildings(scenario, layout, seed)
    yield from _inside(layout)


def _buildings(scenario: Scenario, layout: Layout, seed: int) -> Iterator[Place]:
    for index, code in enumerate(layout.codes[PlaceKind.BUILDING]):
        pump = int(layout.building_pump[index])
        spec = scenario.substations[pump]
        number = int(code.rsplit("-B", 1)[1])
        north_m, east_m = _standing(number, seed, index)
        yield Place(
            code=code,
            kind=PlaceKind.BUILDING,
            parent=layout.codes[PlaceKind.CIRCUIT][pump],
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
