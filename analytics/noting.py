"""What a judged window leaves in the database: episodes, and the grades of its sensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from math import inf, isnan

from analytics.episodes import CloseReason, Excursion, Known, reconcile
from analytics.history import History
from analytics.laying import Span
from analytics.trust import REASONS, Grade
from analytics.window import HOUR
from hearthline.storage import analysis
from hearthline.storage.database import Connection, Row

GRADES = tuple(Grade)


def write_episodes(
    connection: Connection,
    histories: Sequence[History],
    stored: Sequence[Sequence[Row]],
    span: Span,
) -> tuple[int, int]:
    """Make the stored episodes say what histories say; returns how many opened and closed.

    ``stored`` are the episodes of each history's network.
    """
    new: list[dict[str, object]] = []
    ended: list[dict[str, object]] = []
    for history, rows in zip(histories, stored, strict=True):
        index = history.network.index
        known = [
            Known(row["id"], index[row["code"]], row["opened_at"], row["closed_at"])
            for row in rows
            if row["code"] in index
        ]
        changes = reconcile(history.excursions, known)
        new += [_episode(history, e) for e in changes.new]
        ended += [
            {"id": i, "closed_at": e.closed_at, "reason": e.reason, "min_c": e.min_c}
            for i, e in changes.closed
        ]
        ended += [
            {"id": k.id, "closed_at": span.until, "reason": CloseReason.REVISED, "min_c": inf}
            for k in changes.revoked
        ]
    analysis.insert_episodes(connection, new)
    analysis.close_episodes(connection, ended)
    return len(new), len(ended)


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


def write_grades(connection: Connection, histories: Sequence[History]) -> None:
    """Store the grade each sensor has at the end of its window, where it changed."""
    judged = [history for history in histories if history.level_c.shape[1]]
    sensors = [sensor.id for history in judged for sensor in history.window.sensors]
    before = analysis.grades(connection, sensors)
    of_end: dict[datetime, list[analysis.Graded]] = {}
    for history in judged:
        of_end.setdefault(history.window.until, []).extend(_changed(history, before))
    for until, changed in of_end.items():
        analysis.set_grades(connection, changed, until)


def _changed(history: History, before: Mapping[int, Row]) -> Iterator[analysis.Graded]:
    """The sensors of a window whose grade or its reason is another one than before."""
    trust, window = history.trust, history.window
    ends = (trust.grade, trust.reason, trust.since, trust.measure)
    told = zip(window.sensors, *(matrix[:, -1].tolist() for matrix in ends), strict=True)
    for sensor, number, why, hours, said in told:
        grade, reason = GRADES[number], REASONS[why]
        was = before.get(sensor.id)
        if was is None or (was["grade"], was["reason"]) != (grade, reason):
            since = window.until if grade is Grade.A else window.start + int(hours) * HOUR
            measure = None if isnan(said) else said
            yield analysis.Graded(sensor.id, grade, reason, since, measure)
