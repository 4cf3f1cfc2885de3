"""Sensor trust live: the memory read, whole days folded into it and kept, the window judged.

Call it inside the cycle's transaction, once a cycle: a day is folded in by the first cycle that
sees its end, and never again. Networks whose windows and memories reach equally far are judged
together (``analytics.trust.together``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from analytics.trust.judgement import judge
from analytics.trust.looking import look
from analytics.trust.memory import daily
from analytics.trust.model import FIELDS, Facts, SensorHours, Surroundings, Trust, day_number
from analytics.trust.together import apart, stacked
from analytics.window import RoomWindow
from hearthline.storage import trust as rows
from hearthline.storage.database import Connection

VERSION = 2
"""Of the meaning of ``FIELDS``; another one makes what is remembered worthless."""
KEEP = timedelta(days=60)
"""Rows older than this are dropped; judging reads the last few only."""


def judged(connection: Connection, rooms: RoomWindow, around: Surroundings) -> Trust:
    """Judge a window with what is remembered, and remember the days that have ended in it."""
    [trust] = judged_together(connection, [rooms], [around])
    return trust


def judged_together(
    connection: Connection, rooms: Sequence[RoomWindow], around: Sequence[Surroundings]
) -> list[Trust]:
    """``judged`` of several networks; their order is kept."""
    ids = [[sensor.id for sensor in one.sensors] for one in rooms]
    last = rows.last_remembered(connection, ids, VERSION)
    alike: dict[tuple[datetime, int, int | None], list[int]] = {}
    for at, one in enumerate(rooms):
        alike.setdefault((one.start, one.hours.shape[1], last[at]), []).append(at)
    found: dict[int, Trust] = {}
    for (_, _, until), those in alike.items():
        hours, near = stacked([rooms[at].hours for at in those], [around[at] for at in those])
        trust = _remembering(connection, [i for at in those for i in ids[at]], hours, near, until)
        found |= zip(those, apart(trust, [len(ids[at]) for at in those]), strict=True)
    return [found[at] for at in range(len(rooms))]


def _remembering(
    connection: Connection,
    ids: Sequence[int],
    hours: SensorHours,
    around: Surroundings,
    last: int | None,
) -> Trust:
    """Judge sensors that were remembered up to a day, and remember the days that ended since."""
    if not ids or hours.shape[1] == 0:
        return judge(hours, around)
    first = day_number(hours.start) - 1
    past = Facts.none(len(ids))
    if last is not None:
        days = range(min(first, last), last + 1)
        past = Facts(days.start, rows.recall(connection, ids, days, len(FIELDS), VERSION))
    seen = look(hours, around)
    new = daily(hours, around, past if past.days else None, seen)
    if new.days:
        rows.remember(connection, ids, new.first_day, new.state, VERSION)
        rows.forget(connection, hours.start - KEEP)
    return judge(hours, around, joined(past, new), seen)


def joined(past: Facts, new: Facts) -> Facts:
    """Two stretches of memory as one; days between them hold what was known before them."""
    if not past.days or not new.days:
        return new if new.days else past
    gap = new.first_day - (past.first_day + past.days)
    between = np.repeat(past.state[:, -1:], max(gap, 0), axis=1)
    return Facts(past.first_day, np.concatenate([past.state, between, new.state], axis=1))
