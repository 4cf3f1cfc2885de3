"""The newest outlook: written whole by the worker, read by whoever asks.

Hours ahead travel as one ``bytea`` a place (48 means and 48 half intervals, hundredths of a degree)
so that a hundred thousand dwellings are written in a second by binary COPY.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hearthline.errors import NotFound
from hearthline.storage import binary
from hearthline.storage.binary import Field
from hearthline.storage.database import Connection, Row
from hearthline.storage.queries import family

Floats = NDArray[np.float64]

LEADS = 48
SAMPLES_KEPT = timedelta(days=60)
WEATHER_KEPT = timedelta(days=60)


class Order(StrEnum):
    """By what dwellings are listed."""

    CHANCE = "chance"  # to be below the standard within 24 h
    WASTE = "waste"  # heat wasted by overheating


@dataclass(frozen=True)
class Units:
    """Columns of ``outlook_unit``, (dwellings,) each; ``mean_c`` and ``half_k`` (dwellings, 48)."""

    place_id: NDArray[np.int64]
    measured: NDArray[np.bool_]
    owed: NDArray[np.bool_]
    now_c: Floats
    now_half_k: Floats
    day_c: Floats
    day_half_k: Floats
    cold: Floats
    chance_24h: Floats
    chance_48h: Floats
    breach_h: NDArray[np.int64]
    tau_h: Floats
    waste_kwh: Floats
    waste_share: Floats
    mean_c: Floats
    half_k: Floats


@dataclass(frozen=True)
class Places:
    """Columns of ``outlook_place``; NaN in ``tau_h`` where a place has no forecast of its own."""

    place_id: NDArray[np.int64]
    units: NDArray[np.int64]
    measured: NDArray[np.int64]
    day_c: Floats
    cold_now: Floats
    cold_24h: Floats
    waste_kwh: Floats
    waste_share: Floats
    tau_h: Floats
    mean_c: Floats
    half_k: Floats


def lock(connection: Connection) -> bool:
    """Whether nobody else makes an outlook now; held until the transaction ends."""
    row = connection.execute(family("outlook")["lock"]).fetchone()
    return bool(row and row["mine"])


def disbelieved(connection: Connection) -> set[int]:
    """Sensors of grade C."""
    rows = connection.execute(family("outlook")["disbelieved"]).fetchall()
    return {row["device_id"] for row in rows}


def weather_ahead(connection: Connection, at: datetime) -> list[Row]:
    """The newest weather forecast issued by an instant, from then on."""
    return connection.execute(family("outlook")["weather_ahead"], {"at": at}).fetchall()


def keep_weather(connection: Connection, points: Iterable[Mapping[str, Any]]) -> int:
    """Store a weather forecast, and forget issues older than ``WEATHER_KEPT``; how many points."""
    points = list(points)
    if not points:
        return 0
    with connection.cursor() as cursor:
        cursor.executemany(family("outlook")["keep_weather"], points)
    before = max(point["issued_at"] for point in points) - WEATHER_KEPT
    connection.execute(family("outlook")["forget_weather"], {"before": before})
    return len(points)


def write(connection: Connection, run: Mapping[str, Any], units: Units, places: Places) -> None:
    """Replace the outlook by a newer one."""
    sql = family("outlook")
    connection.execute(sql["clear_units"])
    _copy(connection, "copy_units", _unit_fields(units))
    connection.execute(sql["clear_places"])
    _copy(connection, "copy_places", _place_fields(places))
    connection.execute(sql["set_outlook"], run)


def _copy(connection: Connection, name: str, fields: list[Field]) -> None:
    if not len(fields[0].values):
        return
    with connection.cursor() as cursor, cursor.copy(family("outlook")[name]) as copy:
        copy.write(binary.rows(fields))


def _unit_fields(units: Units) -> list[Field]:
    numbers = ("now_c", "now_half_k", "day_c", "day_half_k", "cold", "chance_24h", "chance_48h")
    return [
        Field(">i4", units.place_id),
        Field(">i1", units.measured),
        Field(">i1", units.owed),
        *(Field(">f4", getattr(units, name)) for name in numbers),
        Field(">i2", units.breach_h),
        *(Field(">f4", getattr(units, name)) for name in ("tau_h", "waste_kwh", "waste_share")),
        _ahead_field(units.mean_c, units.half_k),
    ]


def _place_fields(places: Places) -> list[Field]:
    numbers = ("day_c", "cold_now", "cold_24h", "waste_kwh", "waste_share")
    none = np.isnan(places.tau_h)
    return [
        Field(">i4", places.place_id),
        Field(">i4", places.units),
        Field(">i4", places.measured),
        *(Field(">f4", getattr(places, name)) for name in numbers),
        Field(">f4", places.tau_h, none),
        _ahead_field(places.mean_c, places.half_k, none),
    ]


def _ahead_field(mean_c: Floats, half_k: Floats, null: NDArray[np.bool_] | None = None) -> Field:
    hundredths = np.rint(np.nan_to_num(np.concatenate([mean_c, half_k], axis=1)) * 100.0)
    packed = np.ascontiguousarray(np.clip(hundredths, -32768, 32767).astype(">i2"))
    width = packed.shape[1] * 2
    return Field(f"V{width}", packed.view(f"V{width}").ravel(), null)


def ahead(packed: bytes) -> tuple[list[float], list[float]]:
    """Means in °C and half 90 % intervals in K of the 48 hours ahead."""
    values = np.round(np.frombuffer(packed, ">i2") / 100.0, 2)
    return values[:LEADS].tolist(), values[LEADS:].tolist()


def set_sensors(connection: Connection, places: Iterable[Mapping[str, Any]]) -> None:
    """Replace the list of the next best places for sensors."""
    connection.execute(family("outlook")["clear_sensors"])
    with connection.cursor() as cursor:
        cursor.executemany(family("outlook")["add_sensor"], list(places))


def add_samples(connection: Connection, samples: Iterable[Mapping[str, Any]], at: datetime) -> None:
    """Keep what is foretold of some dwellings, and forget what is older than ``SAMPLES_KEPT``."""
    with connection.cursor() as cursor:
        cursor.executemany(family("outlook")["add_sample"], list(samples))
    connection.execute(family("outlook")["forget_samples"], {"before": at - SAMPLES_KEPT})


def newest(connection: Connection) -> Row:
    """The newest outlook's own row.

    Raises:
        NotFound: none was made yet.
    """
    row = connection.execute(family("outlook")["newest"]).fetchone()
    if row is None:
        raise NotFound(
            "There is no outlook yet.",
            "The worker makes one an hour once rooms report; or run `hearthline outlook make`.",
        )
    return row


def totals(connection: Connection) -> Row:
    """Sums over all dwellings whose heating is on."""
    row = connection.execute(family("outlook")["totals"]).fetchone()
    return row or {}


def units(
    connection: Connection,
    *,
    order: Order = Order.CHANCE,
    prefix: str | None = None,
    still_warm: bool = False,
    limit: int = 100,
    offset: int = 0,
) -> list[Row]:
    """Dwellings by the chance to fall cold or by wasted heat; ``still_warm``: not cold now."""
    values = {
        "order": order,
        "prefix": prefix,
        "ahead": still_warm,
        "limit_c": newest(connection)["limit_c"],
        "limit": limit,
        "offset": offset,
    }
    return connection.execute(family("outlook")["units"], values).fetchall()


def unit(connection: Connection, code: str) -> Row | None:
    """The outlook of one dwelling, or None where there is none (yet)."""
    return connection.execute(family("outlook")["unit"], {"code": code}).fetchone()


def places(
    connection: Connection, *, code: str | None = None, kind: str | None = None
) -> list[Row]:
    """Outlooks of buildings and substations."""
    values = {"code": code, "kind": kind}
    return connection.execute(family("outlook")["places"], values).fetchall()


def sensors(connection: Connection, aim: str, limit: int) -> list[Row]:
    """The next best places for sensors, as of the last time they were chosen."""
    return connection.execute(family("outlook")["sensors"], {"aim": aim, "limit": limit}).fetchall()


def skill(connection: Connection, since: datetime) -> list[Row]:
    """By lead: error of forecasts that came due, of persistence, and the share covered."""
    return connection.execute(family("outlook")["skill"], {"since": since}).fetchall()
