"""The rows of some districts, read with one set of queries and told apart.

A statement costs the server and the driver as much as some hundred rows; ten districts at once cost
hardly more statements than one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.laying import PAST_DAYS, Found, Span, past_of
from analytics.signs import SLOT
from analytics.window import secondary_meters
from hearthline.domain.network import Network
from hearthline.domain.places import DeviceKind
from hearthline.domain.policies import Profile
from hearthline.storage import network as networks
from hearthline.storage import windows
from hearthline.storage.analysis import Columns
from hearthline.storage.database import Connection


def load(
    connection: Connection, paths: Sequence[str], profile: Profile, span: Span
) -> list[tuple[Network, Found]]:
    """Each district, by its path, with its rows of a span."""
    parts = networks.load_parts(connection, span.until, paths)
    rooms, meters = (
        [[i.id for i in part.instruments if i.kind is kind] for part in parts]
        for kind in (DeviceKind.ROOM, DeviceKind.METER)
    )
    secondary = [[meter.id for meter in secondary_meters(part)] for part in parts]
    slots = (span.slots_from, span.meters, _all(secondary), SLOT)
    hours = (span.hours_from, span.hours_until)
    weather = windows.weather_hours(connection, *hours)
    found = zip(
        told_apart(windows.room_hours(connection, span.rooms_from, span.rooms, _all(rooms)), rooms),
        told_apart(windows.meter_slots(connection, *slots), secondary),
        told_apart(windows.meter_hours(connection, *hours, _all(meters)), meters),
        _past(connection, parts, profile, span),
        strict=True,
    )
    return [
        (part, Found(room, slot, meter, weather, past))
        for part, (room, slot, meter, past) in zip(parts, found, strict=True)
    ]


def _past(
    connection: Connection, parts: Sequence[Network], profile: Profile, span: Span
) -> list[NDArray[np.float64]]:
    """The ledger's daily means before the rooms' first hour, (dwellings, days) each."""
    today = profile.versions[-1].local_day(span.rooms_from)
    policy = profile.on(today)
    first = today - timedelta(days=PAST_DAYS)
    places = [[part.nodes[d.code].id for d in part.dwellings] for part in parts]
    days = windows.past_days(connection, first, today, policy.min_covered, _all(places))
    of_part = told_apart(days, places)
    return [past_of(rows, part, first) for rows, part in zip(of_part, parts, strict=True)]


def told_apart(rows: Columns, groups: Sequence[Sequence[int]]) -> list[Columns]:
    """Rows by the group of their device; all devices are in one group."""
    devices = np.array(_all(groups), np.int64)
    part = np.repeat(np.arange(len(groups), dtype=np.int16), [len(group) for group in groups])
    order = np.argsort(devices, kind="stable")
    devices, part = devices[order], part[order]
    here = part[np.searchsorted(devices, rows.device, side="right") - 1]
    order = np.argsort(here, kind="stable")
    edges = np.searchsorted(here[order], np.arange(1, len(groups)))
    split = [
        np.split(column[order], edges) for column in (rows.device, rows.at, *rows.values.values())
    ]
    return [
        Columns(device, at, dict(zip(rows.values, values, strict=True)))
        for device, at, *values in zip(*split, strict=True)
    ]


def _all(groups: Sequence[Sequence[int]]) -> list[int]:
    return [number for group in groups for number in group]
