"""What the analysis cycle reads and writes: windows of hours and slots, episodes, verdicts.

Windows of measurements, by column, are read by ``hearthline.storage.windows``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import UNUSABLE, Quality
from hearthline.storage.binary import Packed, array, instants
from hearthline.storage.database import Connection, Row
from hearthline.storage.paths import beyond
from hearthline.storage.queries import family

Floats = NDArray[np.float64]

WHOLE = "analysis"
"""The name of the watermark up to which the whole network has been judged."""


def of_district(code: str) -> str:
    """The name of a district's own."""
    return f"{WHOLE}/{code}"


@dataclass(frozen=True)
class Columns:
    """Rows of a window as arrays: ``device`` ids, ``at`` in seconds since the epoch, values."""

    device: NDArray[np.int64]
    at: Floats
    values: dict[str, Floats]


def lock_cycle(connection: Connection) -> None:
    """Only one analysis cycle at a time; released with the transaction."""
    connection.execute(family("analysis")["lock_cycle"])


def progress(connection: Connection, name: str) -> datetime | None:
    """How far a part has come, in event time."""
    row = connection.execute(family("analysis")["progress"], {"name": name}).fetchone()
    return row["at"] if row else None


def set_progress(connection: Connection, name: str, at: datetime) -> None:
    """Note how far a part has come."""
    connection.execute(family("analysis")["set_progress"], {"name": name, "at": at})


def progress_of(connection: Connection, names: Sequence[str]) -> dict[str, datetime]:
    """How far each of several parts has come; what has not come anywhere is left out."""
    rows = connection.execute(family("analysis")["progress_of"], {"names": list(names)})
    return {row["name"]: row["at"] for row in rows}


def set_progress_of(connection: Connection, names: Sequence[str], at: datetime) -> None:
    """Note how far several parts have come."""
    values = {"names": list(names), "at": at}
    connection.execute(family("analysis")["set_progress_of"], values)


def lock_districts(connection: Connection, districts: Sequence[str]) -> None:
    """Only one at a time judges a district; released with the transaction."""
    connection.execute(family("analysis")["lock_districts"], {"districts": list(districts)})


def block(connection: Connection) -> Row | None:
    """The block of event time that is being judged: since, rooms, meters, overall."""
    return connection.execute(family("analysis")["block"]).fetchone()


def begin_block(
    connection: Connection,
    since: datetime,
    rooms: datetime,
    meters: datetime,
    overall: Mapping[str, Any],
) -> None:
    """Note the block that every district is to reach."""
    values = {"since": since, "rooms": rooms, "meters": meters, "overall": Jsonb(overall)}
    connection.execute(family("analysis")["begin_block"], values)


def heard_at(connection: Connection) -> datetime | None:
    """When anything last arrived of any device; costs a look at all of them."""
    row = connection.execute(family("analysis")["heard_at"]).fetchone()
    return row["at"] if row else None


def end_block(connection: Connection) -> None:
    """All districts have reached the block."""
    connection.execute(family("analysis")["end_block"])


def districts(connection: Connection) -> list[Row]:
    """Code and path of every district, and ``at``, how far it has come (None: not at all)."""
    return connection.execute(family("analysis")["districts"]).fetchall()


def behind(connection: Connection, until: datetime) -> bool:
    """Whether any district has not come as far as an instant."""
    row = connection.execute(family("analysis")["behind"], {"until": until}).fetchone()
    return row is not None and bool(row["behind"])


def aside(connection: Connection) -> list[Row]:
    """Districts whose analysis failed last, with since when, and the reason of the last time."""
    return connection.execute(family("analysis")["aside"]).fetchall()


def set_aside(connection: Connection, district: str, tried_until: datetime, reason: str) -> None:
    """Note that the analysis of a district failed in the block that ends then."""
    values = {"district": district, "tried_until": tried_until, "reason": reason}
    connection.execute(family("analysis")["set_aside"], values)


def take_back(connection: Connection, districts: Sequence[str]) -> None:
    """Their analysis has succeeded."""
    connection.execute(family("analysis")["take_back"], {"districts": list(districts)})


def district_sizes(connection: Connection) -> dict[str, int]:
    """How many dwellings each district has; costs a look at all places."""
    rows = connection.execute(family("analysis")["district_sizes"])
    return {row["code"]: row["dwellings"] for row in rows}


def above(connection: Connection) -> Row:
    """Open supply incidents ``at_sources``, and undetermined ones ``at_districts`` as a whole."""
    [row] = connection.execute(family("analysis")["above"]).fetchall()
    return row


def spells(connection: Connection, since: datetime, until: datetime) -> list[Row]:
    """Episodes of cold that touch a stretch of time."""
    values = {"since": since, "until": until}
    return connection.execute(family("analysis")["spells"], values).fetchall()


def measured(connection: Connection, at: datetime) -> list[str]:
    """Heated dwellings with a sensor that speaks and may be believed."""
    return [row["code"] for row in connection.execute(family("analysis")["measured"], {"at": at})]


def reached(connection: Connection, kind: DeviceKind, share: float) -> datetime | None:
    """The event time that a share of the reporting devices of a kind have reached."""
    parameters = {
        "kind": kind,
        "share": share,
        "unusable": int(UNUSABLE),
        "arrival": int(Quality.CLOCK_WRONG | Quality.CLOCK_GUESSED),
    }
    row = connection.execute(family("analysis")["reached"], parameters).fetchone()
    return row["at"] if row else None


def pending_rollups(
    connection: Connection, kind: DeviceKind, since: datetime | None = None
) -> datetime | None:
    """The earliest hour of a kind, from ``since`` on, that waits to be rolled up, or None."""
    values = {"kind": kind, "since": since}
    row = connection.execute(family("analysis")["pending_rollups"], values).fetchone()
    return row["hour"] if row else None


def first_hour(connection: Connection) -> datetime | None:
    """The earliest hour with rollups."""
    row = connection.execute(family("analysis")["first_hour"]).fetchone()
    return row["hour"] if row else None


def known_episodes(
    connection: Connection, since: datetime, paths: Sequence[str], kind: str = "cold"
) -> list[list[Row]]:
    """Episodes of a kind that are open, or ended after ``since``, below each of some paths."""
    values = {"since": since, "kind": kind, **_ranges(paths)}
    found: list[list[Row]] = [[] for _ in paths]
    for row in connection.execute(family("analysis")["known_episodes"], values):
        found[row["part"] - 1].append(row)
    return found


def _ranges(paths: Sequence[str]) -> dict[str, list[str]]:
    return {"paths": list(paths), "beyond": [beyond(path) for path in paths]}


def insert_episodes(connection: Connection, episodes: Iterable[Mapping[str, Any]]) -> None:
    """Store new episodes; cold ones where no ``kind`` is said."""
    rows = [{"kind": "cold", **episode} for episode in episodes]
    with connection.cursor() as cursor:
        cursor.executemany(family("analysis")["insert_episode"], rows)


def close_episodes(connection: Connection, episodes: Iterable[Mapping[str, Any]]) -> None:
    """End stored episodes."""
    with connection.cursor() as cursor:
        cursor.executemany(family("analysis")["close_episode"], list(episodes))


def set_holds(
    connection: Connection, paths: Sequence[str], holds: Mapping[str, str], at: datetime
) -> None:
    """Replace the list of dwellings below paths that are cold without a ticket, with reasons."""
    connection.execute(
        family("analysis")["set_holds"],
        {**_ranges(paths), "codes": list(holds), "reasons": list(holds.values()), "at": at},
    )


def grades(connection: Connection, devices: Sequence[int]) -> dict[int, Row]:
    """Stored grades of some sensors, by device."""
    values = {"devices": array(">i4", np.array(devices, np.int64))}
    rows = connection.execute(family("analysis")["grades"], values).fetchall()
    return {row["device_id"]: row for row in rows}


@dataclass(frozen=True, slots=True)
class Graded:
    """A sensor's new grade with its reason, since when it holds, and the number that goes with it.

    What ``measure`` is, and its unit, follows from the reason (``analytics.trust.findings``).
    """

    device_id: int
    grade: str
    reason: str
    since: datetime
    measure: float | None = None


def set_grades(connection: Connection, changed: Sequence[Graded], until: datetime) -> None:
    """Store grades that changed, and have the days they touch up to ``until`` judged again."""
    if not changed:
        return
    grades, grade = _numbered(str(one.grade) for one in changed)
    reasons, reason = _numbered(str(one.reason) for one in changed)
    since = np.array([one.since.timestamp() for one in changed])
    measures = [np.nan if one.measure is None else one.measure for one in changed]
    values = {
        "devices": array(">i4", np.array([one.device_id for one in changed], np.int64)),
        "grades": grades,
        "grade": grade,
        "reasons": reasons,
        "reason": reason,
        "since": instants(np.rint(since * 1e6).astype(np.int64)),
        "measures": array(">f8", np.array(measures), np.isnan(measures)),
        "until": until,
    }
    connection.execute(family("analysis")["set_grade"], values)
    connection.execute(family("analysis")["mark_days"], values)


def _numbered(words: Iterable[str]) -> tuple[list[str], Packed]:
    """The different words, and each one's place among them from one on: thousands say few."""
    number: dict[str, int] = {}
    places = [number.setdefault(word, len(number) + 1) for word in words]
    return list(number), array(">i4", np.array(places, np.int64))


def take_days(connection: Connection, limit: int) -> list[Row]:
    """Take (device, UTC day) marks of room sensors that wait for a verdict, oldest first."""
    return connection.execute(family("analysis")["take_days"], {"limit": limit}).fetchall()


def dwellings_of(connection: Connection, devices: Iterable[int]) -> list[Row]:
    """The dwellings of room sensors, past ones too: device_id, code, since, until."""
    parameters = {"devices": list(devices)}
    return connection.execute(family("analysis")["dwellings_of"], parameters).fetchall()


def day_hours(
    connection: Connection, places: Iterable[str], since: datetime, until: datetime
) -> list[Row]:
    """Hourly means and covered minutes of the sensors that hung in some dwellings."""
    parameters = {"places": list(places), "since": since, "until": until}
    return connection.execute(family("analysis")["day_hours"], parameters).fetchall()
