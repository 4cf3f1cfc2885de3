"""Series over time: dwellings, bands of peers, meters, outdoors, episodes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from hearthline.storage.database import Connection, Row
from hearthline.storage.views.places import EVERY
from hearthline.storage.views.statements import statement


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open stretch of time, aware UTC."""

    start: datetime
    stop: datetime


def room_hours(
    connection: Connection,
    codes: Collection[str],
    window: Window,
    *,
    after: datetime | None = None,
    limit: int = EVERY,
) -> list[Row]:
    """Hourly room temperature of dwellings; ``after`` continues a page."""
    values = {
        "codes": sorted(codes),
        "start": window.start,
        "stop": window.stop,
        "after": after,
        "limit": limit,
    }
    return connection.execute(statement("views_curves", "room_hours"), values).fetchall()


def room_readings(
    connection: Connection,
    code: str,
    window: Window,
    *,
    after: tuple[datetime, str] | None = None,
    limit: int = EVERY,
) -> list[Row]:
    """Every stored reading of a dwelling's sensors; ``after`` is (time, device) of the last one."""
    at, device = after or (None, None)
    values = {
        "code": code,
        "start": window.start,
        "stop": window.stop,
        "after": at,
        "after_device": device,
        "limit": limit,
    }
    return connection.execute(statement("views_curves", "room_readings"), values).fetchall()


def band_inside(connection: Connection, codes: Collection[str], window: Window) -> list[Row]:
    """Tenth, median and ninetieth percentile of these dwellings, hour by hour."""
    values = {"codes": sorted(codes), "start": window.start, "stop": window.stop}
    return connection.execute(statement("views_curves", "band_inside"), values).fetchall()


def band_around(
    connection: Connection, prefix: str, without: Collection[str], window: Window
) -> list[Row]:
    """The same of every heated dwelling below a path, except ``without``."""
    values = {
        "prefix": prefix,
        "codes": sorted(without),
        "start": window.start,
        "stop": window.stop,
    }
    return connection.execute(statement("views_curves", "band_around"), values).fetchall()


def meters_on(connection: Connection, codes: Collection[str], now: datetime) -> list[Row]:
    """Meters bound to any of these places, the deepest place first, secondary before primary."""
    values = {"codes": sorted(codes), "now": now}
    return connection.execute(statement("views_curves", "meters_on"), values).fetchall()


def meter_hours(connection: Connection, device_id: int, window: Window) -> list[Row]:
    """Hourly supply, return, flow and power of one meter."""
    values = {"device_id": device_id, "start": window.start, "stop": window.stop}
    return connection.execute(statement("views_curves", "meter_hours"), values).fetchall()


def outdoor_hours(connection: Connection, window: Window) -> list[Row]:
    """Hourly outdoor temperature, the mean of all stations."""
    values = {"start": window.start, "stop": window.stop}
    return connection.execute(statement("views_curves", "outdoor_hours"), values).fetchall()


def episodes(connection: Connection, codes: Collection[str], window: Window) -> list[Row]:
    """Episodes below standard that touch the window."""
    values = {"codes": sorted(codes), "start": window.start, "stop": window.stop}
    return connection.execute(statement("views_curves", "episodes_of"), values).fetchall()
