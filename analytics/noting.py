"""What a judged window leaves in the database: episodes, and the grades of its sensors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analytics.episodes import CloseReason, Excursion, Known, reconcile
from analytics.history import History
from analytics.laying import Span
from analytics.trust import Grade
from analytics.window import HOUR
from hearthline.storage import analysis
from hearthline.storage.database import Connection, Row


def write_episodes(
    connection: Connection,
    history: History,
    stored: Sequence[Row],
    span: Span,
) -> tuple[int, int]:
    """Make the stored episodes say what the history says; returns how many opened and closed."""
    index = history.network.index
    known = [
        Known(row["id"], index[row["code"]], row["opened_at"], row["closed_at"])
        for row in stored
        if row["code"] in index
    ]
    changes = reconcile(history.excursions, known)
    analysis.insert_episodes(connection, [_episode(history, e) for e in changes.new])
    ended = [
        {"id": i, "closed_at": e.closed_at, "reason": e.reason, "min_c": e.min_c}
        for i, e in changes.closed
    ]
    ended += [
        {"id": k.id, "closed_at": span.until, "reason": CloseReason.REVISED, "min_c": np.inf}
        for k in changes.revoked
    ]
    analysis.close_episodes(connection, ended)
    return len(changes.new), len(ended)


def _episode(history: History, excursion: Excursion) -> dict[str, object]:
    policy = history.policy(excursion.opened_at)
    return {
        "code": history.network.dwellings[excursion.unit].code,
        "began_at": excursion.began_at,
        "opened_at": excursion.opened_at,
        "closed_at": excursion.closed_at,
        "reason": excursion.reason,
        "min_c": excursion.min_c,
        "policy_code": policy.code,
        "policy_from": policy.valid_from,
    }


def write_grades(connection: Connection, history: History) -> None:
    """Store the grade each sensor has at the end of the window, where it changed."""
    if history.level_c.shape[1] == 0:
        return
    trust, window = history.trust, history.window
    before = analysis.grades(connection, [sensor.id for sensor in window.sensors])
    changed = []
    for row, sensor in enumerate(window.sensors):
        grade, reason = trust.why(row, -1)
        was = before.get(sensor.id)
        if was is None or (was["grade"], was["reason"]) != (grade, reason):
            hours = int(trust.since[row, -1])
            since = window.until if grade is Grade.A else window.start + hours * HOUR
            said = float(trust.measure[row, -1])
            measure = None if np.isnan(said) else said
            changed.append(analysis.Graded(sensor.id, grade, reason, since, measure))
    analysis.set_grades(connection, changed, window.until)
