"""Windows of hours and slots for analysis, read as the bytes of a binary COPY.

A hundred thousand dwellings for two days are five million hours; as Python tuples they would take
a minute, as fixed-width rows that numpy lays out they take as long as the server needs to send
them. The price: every column is a number and none may be NULL (NaN stands in).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hearthline.domain.readings import UNUSABLE
from hearthline.storage.analysis import Columns
from hearthline.storage.binary import HEADER, TRAILER
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
    return _copied(connection, "room_hours", _window(since, until, devices), ROOM_HOURS)


def meter_hours(
    connection: Connection,
    since: datetime,
    until: datetime,
    devices: Sequence[int] | None = None,
) -> Columns:
    """Hourly means of heat meters of all roles, and the make-up counter at the hour's end."""
    return _copied(connection, "meter_hours", _window(since, until, devices), METER_HOURS)


def _window(
    since: datetime, until: datetime, devices: Sequence[int] | None
) -> dict[str, datetime | list[int] | None]:
    """Parameters of a window; devices None: all of them."""
    return {
        "since": since,
        "until": until,
        "devices": None if devices is None else list(devices),
    }


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
    parameters = {
        "since": since,
        "until": until,
        "devices": list(devices),
        "slot": slot,
        "unusable": int(UNUSABLE),
    }
    return _copied(connection, "meter_slots", parameters, METER_SLOTS)


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
        "places": None if places is None else list(places),
    }
    return _copied(connection, "past_days", parameters, ("mean_c",))


def _copied(
    connection: Connection, query: str, parameters: Mapping[str, Any], names: Sequence[str]
) -> Columns:
    """The rows of a query of ``windows.sql``: an int, then numbers.

    The server gathers each device's rows into arrays, so that what comes is one row a device: the
    driver spends microseconds on every row that it is sent.

    Raises:
        TypeError: the query gives NULLs.
    """
    columns = ("at", *names)
    statement = family("windows")["gathered"].format(
        rows=family("windows")[query],
        columns=", ".join(columns),
        arrays=", ".join(f"array_agg({name})" for name in columns),
    )
    with connection.cursor() as cursor, cursor.copy(statement, parameters) as copy:
        sent = b"".join(copy)
    return _laid_out(sent, query, columns)


def _laid_out(sent: bytes, query: str, columns: Sequence[str]) -> Columns:
    """Rows of a device and its arrays as columns, one value a row again.

    Each array has a header of five ints (dimensions, whether there are NULLs, element type,
    length, first index), then each element's length and value; see ``hearthline.storage.binary``.
    """
    devices, counts = [], []
    values: list[list[NDArray[Any]]] = [[] for _ in columns]
    position, end = len(HEADER), len(sent) - len(TRAILER)
    while position < end:
        _, _, device = _ROW.unpack_from(sent, position)
        position += _ROW.size
        for column in values:
            length, dimensions, nulls, _, count, _ = _ARRAY.unpack_from(sent, position)
            if dimensions != 1 or nulls:
                raise TypeError(f"the query {query} gives NULLs")
            column.append(np.frombuffer(sent, _ELEMENT, count, position + _ARRAY.size)["value"])
            position += 4 + length
        devices.append(device)
        counts.append(count)
    told = {
        name: np.concatenate(column).astype(np.float64) if column else np.empty(0)
        for name, column in zip(columns, values, strict=True)
    }
    return Columns(
        np.repeat(np.array(devices, np.int64), np.array(counts, np.int64)), told.pop("at"), told
    )


_ROW = struct.Struct(">hii")  # how many fields, the length of the device's number, the number
_ARRAY = struct.Struct(">iiiiii")
_ELEMENT = np.dtype([("length", ">i4"), ("value", ">f8")])
