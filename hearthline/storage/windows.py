"""Windows of hours and slots for analysis, read as the bytes of a binary COPY.

A hundred thousand dwellings for two days are five million hours; as Python tuples they would take
a minute, as fixed-width rows that numpy lays out they take as long as the server needs to send
them. The price: every column is a number and none may be NULL (NaN stands in).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

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

    Raises:
        TypeError: the query gives something else.
    """
    statement = f"COPY ({family('windows')[query].rstrip(';')}) TO STDOUT (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(statement, parameters) as copy:
        sent = b"".join(copy)
    layout = np.dtype(
        [("fields", ">i2"), ("device_length", ">i4"), ("device", ">i4")]
        + [field for name in ("at", *names) for field in ((f"{name}_length", ">i4"), (name, ">f8"))]
    )
    body = len(sent) - len(HEADER) - len(TRAILER)
    if body % layout.itemsize:
        raise TypeError(f"the query {query} gives NULLs or other columns than {names}")
    rows = np.frombuffer(sent, layout, body // layout.itemsize, len(HEADER))
    return Columns(
        rows["device"].astype(np.int64),
        rows["at"].astype(np.float64),
        {name: rows[name].astype(np.float64) for name in names},
    )
