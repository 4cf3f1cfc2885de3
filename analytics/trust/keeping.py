"""Sensor trust live: the memory read, whole days folded into it and kept, the window judged.

Call it inside the cycle's transaction, once a cycle: a day is folded in by the first cycle that
sees its end, and never again.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from analytics.trust.judgement import judge
from analytics.trust.memory import daily
from analytics.trust.model import FIELDS, Facts, Surroundings, Trust, day_number
from analytics.window import RoomWindow
from hearthline.storage import trust as rows
from hearthline.storage.database import Connection

VERSION = 2
"""Of the meaning of ``FIELDS``; another one makes what is remembered worthless."""
KEEP = timedelta(days=60)
"""Rows older than this are dropped; judging reads the last few only."""


def judged(connection: Connection, rooms: RoomWindow, around: Surroundings) -> Trust:
    """Judge a window with what is remembered, and remember the days that have ended in it."""
    ids = [sensor.id for sensor in rooms.sensors]
    if not ids or rooms.hours.shape[1] == 0:
        return judge(rooms.hours, around)
    first = day_number(rooms.start) - 1
    last = rows.last_remembered(connection, ids, VERSION)
    past = Facts.none(len(ids))
    if last is not None:
        days = range(min(first, last), last + 1)
        past = Facts(days.start, rows.recall(connection, ids, days, len(FIELDS), VERSION))
    new = daily(rooms.hours, around, past if past.days else None)
    if new.days:
        rows.remember(connection, ids, new.first_day, new.state, VERSION)
        rows.forget(connection, rooms.start - KEEP)
    return judge(rooms.hours, around, joined(past, new))


def joined(past: Facts, new: Facts) -> Facts:
    """Two stretches of memory as one; days between them hold what was known before them."""
    if not past.days or not new.days:
        return new if new.days else past
    gap = new.first_day - (past.first_day + past.days)
    between = np.repeat(past.state[:, -1:], max(gap, 0), axis=1)
    return Facts(past.first_day, np.concatenate([past.state, between, new.state], axis=1))
