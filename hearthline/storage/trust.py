"""Sensor trust in the database: the daily memory of sensors, and certified readings on site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from psycopg.rows import tuple_row

from hearthline.domain.certified import AROUND, MOST_K, Certified
from hearthline.domain.readings import UNUSABLE
from hearthline.errors import Conflict, Invalid, NotFound
from hearthline.storage.binary import Packed, array
from hearthline.storage.database import Connection, Row
from hearthline.storage.queries import family
from hearthline.storage.tickets import audit

EPOCH = date(1970, 1, 1)
WIRE = "<f4"


@dataclass(frozen=True, slots=True)
class NewCertified:
    """A certified reading as it is handed in."""

    uid: str
    time: datetime
    temperature_c: float
    instrument: str
    taken_by: str


def remember(
    connection: Connection,
    devices: Sequence[int],
    first_day: int,
    state: NDArray[np.float32],
    version: int,
) -> None:
    """Store rows of daily memory, replacing those of the same days.

    Args:
        connection: an open transaction.
        devices: the sensors' ids, in the order of ``state``.
        first_day: the first day, counted from 1970-01-01.
        state: (sensors, days, fields).
        version: of the fields' meaning.
    """
    _, days, fields = state.shape
    packed = np.ascontiguousarray(state, WIRE)
    for day in range(days):
        parameters = {
            "version": version,
            "devices": _numbers(devices),
            "day": EPOCH + timedelta(days=first_day + day),
            "states": packed[:, day].tobytes(),
            "width": fields * packed.itemsize,
        }
        connection.execute(family("trust")["remember"], parameters)


def recall(
    connection: Connection,
    devices: Sequence[int],
    days: range,
    fields: int,
    version: int,
) -> NDArray[np.float32]:
    """Rows of daily memory, (sensors, days, fields); NaN where there is none.

    Args:
        connection: an open connection.
        devices: the sensors' ids, in the order wanted.
        days: the days, counted from 1970-01-01.
        fields: how many fields a row has.
        version: of the fields' meaning; rows of another one are left out.
    """
    state = np.full((len(devices), len(days), fields), np.nan, np.float32)
    row_of = {device: row for row, device in enumerate(devices)}
    parameters = {
        "since": EPOCH + timedelta(days=days.start),
        "until": EPOCH + timedelta(days=days.stop),
        "version": version,
        "devices": _numbers(devices),
    }
    with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
        rows = cursor.execute(family("trust")["recall"], parameters).fetchall()
    known = [
        (row_of[d], (day - EPOCH).days - days.start, raw) for d, day, raw in rows if d in row_of
    ]
    if known:
        at, day, raw = zip(*known, strict=True)
        values = np.frombuffer(b"".join(raw), WIRE).reshape(len(known), fields)
        state[np.array(at), np.array(day)] = values
    return state


def last_remembered(
    connection: Connection, groups: Sequence[Sequence[int]], version: int
) -> list[int | None]:
    """The last day remembered of any sensor of each group, counted from 1970-01-01, or None."""
    values = {
        "version": version,
        "devices": _numbers([device for group in groups for device in group]),
        "parts": _numbers([part for part, group in enumerate(groups) for _ in group]),
    }
    found: list[int | None] = [None] * len(groups)
    for row in connection.execute(family("trust")["last_remembered"], values):
        found[row["part"]] = (row["day"] - EPOCH).days
    return found


def _numbers(numbers: Sequence[int]) -> Packed:
    """Numbers as a parameter, packed: there are thousands of them."""
    return array(">i4", np.array(numbers, np.int64))


def forget(connection: Connection, before: datetime) -> None:
    """Drop memory of days before an instant's day; only the last days are ever read."""
    connection.execute(family("trust")["forget"], {"before": before.astimezone(UTC).date()})


def states(
    connection: Connection, devices: Sequence[int], heard_at: datetime | None = None
) -> dict[int, Row]:
    """What some room sensors last told of themselves.

    Each has battery_pct, skew_s, interval_s, gateway, measured_at and heard_s, None where nobody
    knows.
    """
    values = {"devices": _numbers(devices), "heard_at": heard_at}
    rows = connection.execute(family("trust")["states"], values).fetchall()
    return {row["device_id"]: row for row in rows}


def certify(connection: Connection, new: NewCertified, by: str, now: datetime) -> Row:
    """Put a certified reading on file; days since then are judged again.

    Returns:
        The reading as ``certified_readings`` lists it.

    Raises:
        NotFound: there is no such room sensor, or it hung nowhere at that time.
        Invalid: the instant lies ahead, the sensor said nothing around it, or is too far off.
        Conflict: a reading of that device and instant is on file already.
    """
    queries = family("trust")
    device = connection.execute(queries["device"], {"uid": new.uid, "time": new.time}).fetchone()
    if device is None:
        raise NotFound(f"There is no room sensor {new.uid!r}.", "See `hearthline devices list`.")
    if device["place_id"] is None:
        raise NotFound(
            f"{new.uid} was bound to no dwelling at {new.time:%Y-%m-%d %H:%M %Z}.",
            "Correct the time, or import the ledger with the binding's dates first.",
        )
    said = _said(connection, int(device["id"]), new, now)
    row = connection.execute(
        queries["certify"],
        {
            "device_id": device["id"],
            "place_id": device["place_id"],
            "time": new.time,
            "temperature_c": new.temperature_c,
            "instrument": new.instrument,
            "taken_by": new.taken_by,
            "sensor_c": said["sensor_c"],
            "samples": said["samples"],
            "added_by": by,
            "added_at": now,
        },
    ).fetchone()
    if row is None:
        raise Conflict(
            f"A certified reading of {new.uid} at that instant is on file already.",
            "Readings are evidence and never changed; add another one with its own time.",
        )
    days = {"device_id": device["id"], "since": new.time, "until": now}
    connection.execute(queries["touch_days"], days)
    told = {"id": row["id"], "time": new.time.isoformat(), "temperature_c": new.temperature_c}
    audit(connection, by, "device.certify", new.uid, told)
    return next(r for r in certified_readings(connection, new.uid) if r["id"] == row["id"])


def _said(connection: Connection, device_id: int, new: NewCertified, now: datetime) -> Row:
    """What the sensor itself said around a certified reading."""
    if new.time > now:
        raise Invalid("A certified reading cannot lie in the future.", "Correct its time.")
    parameters = {
        "device_id": device_id,
        "unusable": int(UNUSABLE),
        "time": new.time,
        "around": AROUND,
    }
    row = connection.execute(family("trust")["said"], parameters).fetchone()
    if row is None or not row["samples"]:
        raise Invalid(
            f"{new.uid} said nothing within {AROUND} of {new.time:%Y-%m-%d %H:%M %Z}, so there is "
            "nothing to compare.",
            "Correct the time, or read again once the sensor speaks.",
        )
    if abs(row["sensor_c"] - new.temperature_c) > MOST_K:
        raise Invalid(
            f"{new.uid} showed {row['sensor_c']:.1f} °C, more than {MOST_K:g} K from the certified "
            f"{new.temperature_c:.1f} °C.",
            "Change or move the sensor instead; such an error is not corrected by arithmetic.",
        )
    return row


def certified(connection: Connection, since: datetime, until: datetime) -> list[Certified]:
    """Certified readings that bear on a window, by time; see the query for which those are."""
    rows = connection.execute(
        family("trust")["certified"], {"since": since, "until": until}
    ).fetchall()
    return [Certified(**row) for row in rows]


def certified_readings(
    connection: Connection, uid: str | None = None, limit: int = 100
) -> list[Row]:
    """Certified readings on file, of one device or of all, the newest first."""
    parameters = {"uid": uid, "limit": limit}
    return connection.execute(family("trust")["certified_list"], parameters).fetchall()
