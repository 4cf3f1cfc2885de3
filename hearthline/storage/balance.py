"""Store heat hours and balances, and read balances back for the API, the console and Grafana.

Triggers note every meter hour that anybody writes in ``dirty_heat``; ``take_dirty`` hands them
out once, within the caller's transaction, so that a crash gives them back.

A balance row that is read has these keys: ``place``, ``name``, ``name_zh``, ``stage``
(transmission, exchange, distribution), ``started_at``, ``stopped_at``, ``supplied_kwh``,
``delivered_kwh``, ``stored_kwh``, ``loss_kwh``, ``loss_share`` (0..1), ``makeup_m3``,
``coverage`` (0..1), ``uncertainty_kwh`` (± of the loss), ``pipe_m3``, ``pipe_estimated``,
``reason`` (empty where there is a figure) and ``computed_at``; rows of a day also ``day``.
Figures are None where there is none, and then ``reason`` says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import tuple_row

from hearthline.domain.places import DeviceRole, PlaceKind
from hearthline.storage.database import Connection, Row
from hearthline.storage.queries import family

LOCK = 7_206_613  # one balance chore at a time in a database


@dataclass(frozen=True, slots=True)
class BoundMeter:
    """A heat meter, where it is bound in which role, and for which part of a window."""

    device_id: int
    place: str
    role: DeviceRole
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class HeatRow:
    """Heat of one meter hour, or None for an hour that has no figure (any more)."""

    device_id: int
    hour: datetime
    heat_kwh: float | None
    volume_m3: float
    covered_min: float


def lock(connection: Connection) -> bool:
    """Take the chore's lock until the transaction ends; False if another worker holds it."""
    row = connection.execute(family("balance")["lock"], {"key": LOCK}).fetchone()
    return bool(row and row["mine"])


def take_dirty(connection: Connection, limit: int) -> list[tuple[int, datetime]]:
    """Up to ``limit`` marks (device id, hour), oldest first, may repeat; gone once committed."""
    return _tuples(connection, "take_dirty", {"limit": limit})


def meter_hours(
    connection: Connection, keys: Sequence[tuple[int, datetime]]
) -> list[tuple[Any, ...]]:
    """One row per key whose device exists.

    (device id, hour, covered_min, supply_c, return_c, flow_m3h, volume_m3, the hour before's
    volume_m3 and covered_min, flow sensor in the supply pipe); None where nothing is stored.
    """
    values = {"device_ids": [key[0] for key in keys], "hours": [key[1] for key in keys]}
    return _tuples(connection, "meter_hours", values)


def save_heat(connection: Connection, rows: Iterable[HeatRow]) -> None:
    """Write heat hours, and remove those that have no figure any more."""
    known: list[HeatRow] = []
    unknown: list[HeatRow] = []
    for row in rows:
        (unknown if row.heat_kwh is None else known).append(row)
    connection.execute(
        family("balance")["forget_heat"],
        {"device_ids": [r.device_id for r in unknown], "hours": [r.hour for r in unknown]},
    )
    columns = ("heat_kwh", "volume_m3", "covered_min")
    connection.execute(
        family("balance")["save_heat"],
        {"device_ids": [r.device_id for r in known], "hours": [r.hour for r in known]}
        | {name: [getattr(r, name) for r in known] for name in columns},
    )


def places(connection: Connection) -> list[tuple[str, PlaceKind, str | None]]:
    """(code, kind, parent) of every place above the dwellings."""
    rows = _tuples(connection, "places", {})
    return [(code, PlaceKind(kind), parent) for code, kind, parent in rows]


def areas(connection: Connection) -> dict[str, float]:
    """Heated area in m² of the dwellings directly below a place, by the place's code."""
    return dict(_tuples(connection, "areas", {}))


def bound_meters(connection: Connection, start: datetime, stop: datetime) -> list[BoundMeter]:
    """Meters bound at some time in ``[start, stop)``, each binding cut to it."""
    rows = _tuples(connection, "bound_meters", {"start": start, "stop": stop})
    return [
        BoundMeter(device_id, place, DeviceRole(role), since, until)
        for device_id, place, role, since, until in rows
    ]


def window_hours(connection: Connection, meters: Sequence[BoundMeter]) -> list[tuple[Any, ...]]:
    """Hours wholly within the bindings, ascending.

    (index into ``meters``, hours since the epoch, heat_kwh, volume_m3, covered_min, supply_c,
    return_c, makeup_m3).
    """
    values = {
        "device_ids": [meter.device_id for meter in meters],
        "since": [meter.since for meter in meters],
        "until": [meter.until for meter in meters],
    }
    return _tuples(connection, "window_hours", values)


def save_days(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write balances of local days; a later computation of the same day replaces the earlier."""
    with connection.cursor() as cursor:
        cursor.executemany(family("balance")["save_day"], rows)


def save_running(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the newest 24 hours, one row per place and stage."""
    with connection.cursor() as cursor:
        cursor.executemany(family("balance")["save_running"], rows)


def progress(connection: Connection, name: str) -> datetime | None:
    """How far a part has come, in event time."""
    row = connection.execute(family("balance")["progress"], {"name": name}).fetchone()
    return row["at"] if row else None


def set_progress(connection: Connection, name: str, at: datetime) -> None:
    """Note how far a part has come."""
    connection.execute(family("balance")["set_progress"], {"name": name, "at": at})


def network_balance(connection: Connection, start: datetime, stop: datetime) -> list[Row]:
    """Balances of the whole network by local day that overlap ``[start, stop)``."""
    return _days(connection, PlaceKind.SOURCE, None, start, stop)


def substation_balance(
    connection: Connection, place_code: str, start: datetime, stop: datetime
) -> list[Row]:
    """One substation's exchange and distribution by local day that overlap ``[start, stop)``."""
    return _days(connection, PlaceKind.SUBSTATION, place_code, start, stop)


def running_balance(connection: Connection, place_code: str | None = None) -> list[Row]:
    """The newest 24 hours of one place, or of the network and every substation (also ``kind``)."""
    return connection.execute(family("balance")["running"], {"code": place_code}).fetchall()


def _days(
    connection: Connection, kind: PlaceKind, code: str | None, start: datetime, stop: datetime
) -> list[Row]:
    values = {"kind": kind, "code": code, "start": start, "stop": stop}
    return connection.execute(family("balance")["days"], values).fetchall()


def _tuples(connection: Connection, name: str, values: Mapping[str, Any]) -> list[Any]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(family("balance")[name], values).fetchall()
