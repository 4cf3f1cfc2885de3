"""Databases for measuring: made, filled in bulk, dropped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import urlsplit

import numpy as np

from hearthline.storage import binary, schema
from hearthline.storage.analysis import Columns
from hearthline.storage.database import Connection, connect
from hearthline.storage.queries import family

_WIRES = {"n": ">i4", "energy_kwh": ">f8", "volume_m3": ">f8", "makeup_m3": ">f8"}
TABLES = {
    "room_hours": ("n", "mean_c", "min_c", "max_c", "covered_min"),
    "meter_hours": (
        "n",
        "supply_c",
        "return_c",
        "flow_m3h",
        "power_kw",
        "makeup_m3",
        "supply_kpa",
        "return_kpa",
        "valve_pct",
        "pump_hz",
        "covered_min",
    ),
    "weather_hours": ("n", "outdoor_c", "wind_ms", "solar_wm2", "covered_min"),
    "meter_slots": ("flow_m3h", "supply_c", "return_c"),
}
"""What is copied of each table, after device and time; slots become readings."""


@contextmanager
def database(url: str, name: str) -> Iterator[str]:
    """A migrated database of one's own on the same server, dropped at the end; yields its URL."""
    scratch = urlsplit(url)._replace(path=f"/{name}").geturl()
    with connect(url, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            schema.migrate(scratch)
            yield scratch
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def copy(connection: Connection, table: str, rows: Columns) -> None:
    """Copy rows into one of ``TABLES`` as they are; NaN becomes NULL."""
    at = np.round(rows.at * 1e6).astype(np.int64) - binary.POSTGRES_EPOCH_US
    fields = [binary.Field(">i4", rows.device), binary.Field(">i8", at)]
    for name in TABLES[table]:
        column = rows.values[name]
        wire = _WIRES.get(name, ">f4")
        fields.append(binary.Field(wire, column, np.isnan(column)))
    statement = family("scratch")[f"copy_{table}"]
    with connection.cursor() as cursor, cursor.copy(statement) as stream:
        stream.write(binary.rows(fields))


def analysed(connection: Connection) -> None:
    """Let the planner know what was copied; outside of transactions."""
    connection.execute(family("scratch")["analyse"])


def arrive(connection: Connection, at: datetime) -> None:
    """All devices have spoken, the last time at an instant."""
    connection.execute(family("scratch")["arrive"], {"at": at})


def ceiling(connection: Connection, since: datetime, until: datetime) -> int:
    """Read all room hours of a window as a binary COPY and drop them; how many bytes."""
    values = {"since": since, "until": until}
    with (
        connection.cursor() as cursor,
        cursor.copy(family("scratch")["read_room_hours"], values) as copy_out,
    ):
        return sum(len(block) for block in copy_out)


def tickets(connection: Connection) -> int:
    """How many tickets there are."""
    [row] = connection.execute(family("scratch")["tickets"]).fetchall()
    return int(row["n"])
