"""Windows of hours and slots for analysis, read as the bytes of a binary COPY.

A hundred thousand dwellings for two days are five million hours; as Python tuples they would take
a minute, as fixed-width rows that numpy lays out they take as long as the server needs to send
them. The price: every column is a number and none may be NULL (NaN stands in).

What a device that was moved in a window measured before belongs to the place that it left, and is
left out. Few devices are moved, so which is asked for by itself.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg.rows import tuple_row

from hearthline.domain.readings import UNUSABLE
from hearthline.storage.analysis import Columns
from hearthline.storage.binary import HEADER, POSTGRES_EPOCH_US, TRAILER, array
from hearthline.storage.database import Connection
from hearthline.storage.queries import family

ROOM_HOURS = ("mean_c", "min_c", "max_c", "n", "covered_min")
METER_HOURS = (
    "supply_c",
    "return_c",
    "flow_m3h",
    "power_kw",
    "valve_pct",
    "pump_hz",
    "supply_kpa",
    "return_kpa",
    "makeup_m3",
)
METER_SLOTS = ("flow_m3h", "supply_c", "return_c")
WEATHER_HOURS = ("outdoor_c", "wind_ms", "solar_wm2")


def room_hours(
    connection: Connection,
    since: datetime,
    until: datetime,
    devices: Sequence[int] | None = None,
) -> Columns:
    """Hourly room statistics of some devices or of all: mean_c, min_c, max_c, n, covered_min."""
    connection.execute(family("windows")["by_page"])
    found = _hours(connection, "room_hours", ROOM_HOURS, (since, until), devices)
    connection.execute(family("windows")["as_planned"])
    return found


def meter_hours(
    connection: Connection,
    since: datetime,
    until: datetime,
    devices: Sequence[int] | None = None,
) -> Columns:
    """Hourly means of heat meters of all roles, and the make-up counter at the hour's end."""
    return _hours(connection, "meter_hours", METER_HOURS, (since, until), devices)


def weather_hours(connection: Connection, since: datetime, until: datetime) -> Columns:
    """Hourly means of the weather stations: outdoor_c, wind_ms, solar_wm2."""
    return _copied(connection, "weather_hours", {"since": since, "until": until}, WEATHER_HOURS)


def meter_slots(
    connection: Connection,
    since: datetime,
    until: datetime,
    devices: Sequence[int],
    slot: timedelta,
) -> Columns:
    """Means of meters over slots of time: flow_m3h, supply_c, return_c."""
    moved = _moved(connection, (since, until), devices)
    parameters = {
        "since": since,
        "until": until,
        "devices": _listed(devices),
        "unusable": int(UNUSABLE),
        "moved": _listed(list(moved)),
        "moved_at": list(moved.values()),
    }
    return _averaged(_copied(connection, "meter_slots", parameters, METER_SLOTS), slot)


def _averaged(rows: Columns, slot: timedelta) -> Columns:
    """The means over slots of time, counted from 1970; NaN where a slot knows nothing.

    Readings are of single precision: their sums are exact, in whatever order.
    """
    first = np.floor(rows.at / slot.total_seconds())
    order = np.lexsort((first, rows.device))
    device, first = rows.device[order], first[order]
    begins = np.ones(len(order), bool)
    begins[1:] = (device[1:] != device[:-1]) | (first[1:] != first[:-1])
    cell, count = np.cumsum(begins) - 1, int(begins.sum())
    means = {}
    for name, column in rows.values.items():
        value = column[order]
        known = ~np.isnan(value)
        total = np.bincount(cell[known], value[known], count)
        number = np.bincount(cell[known], minlength=count)
        means[name] = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    return Columns(device[begins], first[begins] * slot.total_seconds(), means)


def past_days(
    connection: Connection,
    since: date,
    until: date,
    least: timedelta,
    places: Sequence[int] | None = None,
) -> Columns:
    """The ledger's daily means of dwellings, those covered for at least so long: mean_c.

    ``device`` is the dwelling's place, ``at`` the number of the local day since 1970; ``places``
    None: all of them.
    """
    parameters = {
        "since": since,
        "until": until,
        "least_min": least.total_seconds() / 60,
        "places": None if places is None else _listed(places),
    }
    return _copied(connection, "past_days", parameters, ("mean_c",))


def _hours(
    connection: Connection,
    query: str,
    names: Sequence[str],
    between: tuple[datetime, datetime],
    devices: Sequence[int] | None,
) -> Columns:
    """Hours of devices since they hang where they hang; devices None: all of them."""
    values = {
        "since": between[0],
        "until": between[1],
        "devices": None if devices is None else _listed(devices),
    }
    found = _copied(connection, query, values, names)
    moved = _moved(connection, between, devices)
    if not moved:
        return found
    which = np.array(sorted(moved), np.int64)
    since = np.array([moved[device].timestamp() for device in which.tolist()])
    at = np.minimum(np.searchsorted(which, found.device), len(which) - 1)
    keep = (which[at] != found.device) | (found.at >= since[at])
    values_kept = {name: column[keep] for name, column in found.values.items()}
    return Columns(found.device[keep], found.at[keep], values_kept)


def _moved(
    connection: Connection, between: tuple[datetime, datetime], devices: Sequence[int] | None
) -> dict[int, datetime]:
    """The devices that were moved in a window, and when last."""
    values = {
        "since": between[0],
        "until": between[1],
        "devices": None if devices is None else array(">i4", np.array(devices, np.int64)),
    }
    with connection.cursor(row_factory=tuple_row) as cursor:
        return dict(cursor.execute(family("windows")["moved"], values).fetchall())


def _listed(numbers: Sequence[int]) -> str:
    """Numbers as the text of an array: those of a COPY are literals."""
    return "{" + ",".join(map(str, numbers)) + "}"


def _copied(
    connection: Connection, query: str, parameters: Mapping[str, Any], names: Sequence[str]
) -> Columns:
    """The rows of a query of ``windows.sql``: an int, then numbers.

    The server gathers the rows of some devices into arrays: the driver spends microseconds on every
    row that it is sent.

    Raises:
        TypeError: the query gives NULLs.
    """
    columns = ("device", "at", *names)
    statement = family("windows")["gathered"].format(
        rows=family("windows")[query],
        columns=", ".join(columns),
        arrays=", ".join(f"array_agg({name})" for name in columns),
    )
    with connection.cursor() as cursor, cursor.copy(statement, parameters) as copy:
        sent = b"".join(copy)
    device, at, *values = _laid_out(sent, query, len(columns))
    return Columns(
        device.astype(np.int64),
        (at + POSTGRES_EPOCH_US) / 1e6 if at.dtype.kind == "i" else at,
        {name: value.astype(np.float64) for name, value in zip(names, values, strict=True)},
    )


def _laid_out(sent: bytes, query: str, columns: int) -> list[NDArray[Any]]:
    """Rows of arrays as columns, one value a row again.

    Each array has a header of five ints (dimensions, whether there are NULLs, element type,
    length, first index), then each element's length and value; see ``hearthline.storage.binary``.
    """
    values: list[list[NDArray[Any]]] = [[] for _ in range(columns)]
    position, end = len(HEADER), len(sent) - len(TRAILER)
    while position < end:
        position += _FIELDS
        for column in values:
            length, dimensions, nulls, kind, count, _ = _ARRAY.unpack_from(sent, position)
            if dimensions != 1 or nulls:
                raise TypeError(f"the query {query} gives NULLs")
            part = np.frombuffer(sent, _ELEMENTS[kind], count, position + _ARRAY.size)
            column.append(part["value"])
            position += 4 + length
    return [np.concatenate(column) if column else np.empty(0) for column in values]


_FIELDS = 2  # bytes that say how many fields a row has
_ARRAY = struct.Struct(">iiiiii")  # its length, then the header
_ELEMENTS = {
    kind: np.dtype([("length", ">i4"), ("value", wire)])
    for kind, wire in {23: ">i4", 700: ">f4", 701: ">f8", 1184: ">i8"}.items()
}
"""By PostgreSQL's object identifiers, fixed in its ``pg_type.dat``: int, real, double precision,
timestamptz (microseconds since 2000)."""
