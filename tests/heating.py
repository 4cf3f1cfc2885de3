"""A small metered network whose heat balance is known by construction.

One source feeds two substations with two buildings each. Of the heat that leaves the source,
5 % is lost on the way to the substations, 1 % in an exchanger and 3 % on the way to the
buildings. Flows follow from heat and temperatures by EN 1434, so a balance must find these
shares again whatever pipe the flow sensors sit in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from analytics import water
from hearthline.domain.places import (
    Device,
    DeviceKind,
    DeviceRole,
    FlowPipe,
    Ledger,
    Place,
    PlaceKind,
    UnitFacts,
    UnitPosition,
)
from hearthline.storage import ledger as ledger_rows
from hearthline.storage.database import Connection

HOUR = timedelta(hours=1)
LOSS = {"transmission": 0.05, "exchange": 0.01, "distribution": 0.03}
UNIT_M2 = 80.0
UNITS = 50  # a building


@dataclass(frozen=True)
class Meter:
    """A heat meter of the network: its share of the source's heat and its temperatures."""

    name: str
    place: str
    role: DeviceRole
    pipe: FlowPipe
    share: float
    supply_c: float
    return_c: float

    @property
    def uid(self) -> str:
        return f"own:h/{self.name}"


def meters() -> tuple[Meter, ...]:
    """Every meter, the source's first."""
    primary = (1 - LOSS["transmission"]) / 2
    secondary = primary * (1 - LOSS["exchange"])
    branch = secondary * (1 - LOSS["distribution"]) / 2
    found = [Meter("H", "H", DeviceRole.PRIMARY, FlowPipe.SUPPLY, 1.0, 110.0, 55.0)]
    for s in ("H-S1", "H-S2"):
        found += [
            Meter(f"{s}-p", s, DeviceRole.PRIMARY, FlowPipe.SUPPLY, primary, 108.0, 55.5),
            Meter(f"{s}-s", s, DeviceRole.SECONDARY, FlowPipe.RETURN, secondary, 62.0, 47.0),
            *(
                Meter(
                    f"{s}-{b}", f"{s}-{b}", DeviceRole.BRANCH, FlowPipe.RETURN, branch, 61.0, 46.5
                )
                for b in ("B1", "B2")
            ),
        ]
    return tuple(found)


def ledger() -> Ledger:
    """The network as a company hands it over; ten storeys of five dwellings a building."""
    places = [Place("H", PlaceKind.SOURCE, None, "Plant", "热源厂")]
    units = []
    devices = [Device("own:h/weather", DeviceKind.WEATHER, DeviceRole.WEATHER, "H")]
    devices += [Device(m.uid, DeviceKind.METER, m.role, m.place, m.pipe, 600) for m in meters()]
    for s in (1, 2):
        station = f"H-S{s}"
        places.append(Place(station, PlaceKind.SUBSTATION, "H", f"Station {s}", f"{s}号换热站", s))
        for b in (1, 2):
            building = f"{station}-B{b}"
            places.append(Place(building, PlaceKind.BUILDING, station, f"House {b}", f"{b}号楼", b))
            entrance = f"{building}-E1"
            places.append(Place(entrance, PlaceKind.ENTRANCE, building, "Entrance 1", "1单元", 1))
            for n in range(UNITS):
                code = f"{entrance}-{n // 5 + 1:02d}{n % 5 + 1:02d}"
                places.append(Place(code, PlaceKind.UNIT, entrance, code, code, n))
                units.append(UnitFacts(code, UNIT_M2, n // 5 + 1, n % 5 + 1, UnitPosition.MIDDLE))
                devices.append(Device(f"own:h/{code}", DeviceKind.ROOM, DeviceRole.ROOM, code))
    return Ledger(tuple(places), tuple(units), (), tuple(devices))


def save(connection: Connection) -> None:
    """Store the ledger."""
    ledger_rows.save(connection, ledger())


def device_ids(connection: Connection) -> dict[str, int]:
    """Device number by the part of its uid after the slash."""
    rows = connection.execute("SELECT id, uid FROM device").fetchall()
    return {row["uid"].partition("/")[2]: row["id"] for row in rows}


def run(
    connection: Connection,
    start: datetime,
    hours: int,
    *,
    power_kw: Callable[[datetime], float] | float = 1_000.0,
    without: Collection[str] = (),
    counters: bool = True,
    covered_min: float = 60.0,
    reversed_: Collection[str] = (),
    warming_k: float = 0.0,
) -> None:
    """Write ``hours`` of every meter's rollups, ``without`` the named ones.

    ``warming_k`` is how many kelvin all pipes gain per hour, without the heat that takes.
    """
    ids = device_ids(connection)

    def power(at: datetime) -> float:
        return power_kw(at) if callable(power_kw) else power_kw

    rows = []
    for meter in meters():
        if meter.name in without:
            continue
        volume = 5_000.0
        for n in range(hours):
            at = start + n * HOUR
            supply_c, return_c = meter.supply_c + warming_k * n, meter.return_c + warming_k * n
            in_supply = meter.pipe is FlowPipe.SUPPLY
            k = float(water.heat_kwh(1.0, supply_c, return_c, in_supply))
            flow = power(at) * meter.share / k
            volume += flow
            if meter.name in reversed_:
                supply_c, return_c = return_c, supply_c
            makeup = 100.0 + 0.05 * n if meter.name == "H" or meter.name.endswith("-s") else None
            rows.append(
                (ids[meter.name], at, supply_c, return_c, flow, power(at) * meter.share,
                 volume if counters else None, makeup, covered_min)
            )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO meter_hour (device_id, hour, n, supply_c, return_c, flow_m3h, power_kw,"
            " volume_m3, makeup_m3, covered_min) VALUES (%s, %s, 6, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (device_id, hour) DO UPDATE SET supply_c = excluded.supply_c,"
            " return_c = excluded.return_c, flow_m3h = excluded.flow_m3h,"
            " volume_m3 = excluded.volume_m3, covered_min = excluded.covered_min",
            rows,
        )
