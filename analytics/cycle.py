"""One analysis cycle: load a window, judge it, and carry what is new to the desk.

The cycle runs up to a watermark in event time and no further, on an injected ``now``; the same
rows and the same ``now`` give the same tickets. A backlog is taken in blocks, each in its own
transaction, and within a block in event-time order. An advisory lock keeps two cycles apart.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import numpy as np
from numpy.typing import NDArray

from analytics.episodes import CloseReason, Excursion, Known, reconcile
from analytics.history import History
from analytics.laying import PAST_DAYS, Found, OnFile, Span, judged, lay_out, past_of
from analytics.signs import SLOT
from analytics.trust import Grade, keeping
from analytics.walk import walk
from analytics.window import HOUR, secondary_meters
from hearthline.clock import floor
from hearthline.domain.findings import Finding
from hearthline.domain.network import Network
from hearthline.domain.places import DeviceKind
from hearthline.domain.policies import Policy, Profile
from hearthline.storage import analysis, maintenance, windows
from hearthline.storage import network as networks
from hearthline.storage import trust as trust_rows
from hearthline.storage.database import Connection, Database, Row
from tickets import desk
from tickets.carrying import News
from tickets.merging import OpenIncident

PROGRESS = "analysis"
BLOCK = timedelta(days=14)
LIVE_LAG = timedelta(hours=2)  # meters may run ahead of the rooms by this much

# The share of devices that must have reached an instant before it is judged. Places are told by
# the share of cold rooms, so nearly all must be in; a meter speaks for itself and need not wait.
SHARE_IN: Mapping[DeviceKind, float] = {DeviceKind.ROOM: 0.9, DeviceKind.METER: 0.5}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a company decides: its profile, and how long single dwellings wait for their peers."""

    profile: Profile
    group_wait: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Report:
    """What one cycle did; ``until`` is the watermark reached, None where there is no data."""

    until: datetime | None
    news: tuple[News, ...] = ()
    opened: int = 0
    closed: int = 0
    held: int = 0
    behind: bool = False  # more blocks wait


def run(database: Database, rules: Rules, now: datetime) -> Report:
    """Judge what has come in since the last cycle, one block of event time at most."""
    with database.transaction() as connection:
        analysis.lock_cycle(connection)
        span, behind = _span(connection, now)
        if span is None:
            return Report(analysis.progress(connection, PROGRESS))
        network = networks.load(connection, span.until)
        stored = analysis.known_episodes(connection, span.rooms_from)
        history = _load(connection, network, rules.profile, span, stored)
        opened, closed = _write_episodes(connection, history, stored, span)
        _write_grades(connection, history)
        here = _DatabaseDesk(connection, network.path_of)
        walked = walk(history, here, span.since, span.until, rules.group_wait)
        holds = {code: str(reason) for code, reason in walked.holds.items()}
        analysis.set_holds(connection, holds, span.until)
        analysis.set_progress(connection, PROGRESS, span.until)
        return Report(span.until, tuple(walked.news), opened, closed, len(holds), behind)


def _span(connection: Connection, now: datetime) -> tuple[Span | None, bool]:
    """What there is to judge; None when nothing has moved on."""
    rooms = _complete(connection, DeviceKind.ROOM, HOUR, now)
    meters = _complete(connection, DeviceKind.METER, SLOT, now)
    first = analysis.first_hour(connection)
    since = analysis.progress(connection, PROGRESS) or first
    if since is None or (rooms is None and meters is None):
        return None, False
    unrolled = analysis.pending_rollups(connection, DeviceKind.ROOM, since - HOUR)
    if rooms is not None and unrolled is not None and unrolled < rooms:
        rooms = floor(unrolled, HOUR)
        meters = rooms if meters is None else min(meters, rooms)
    elif rooms is not None and meters is not None and now - meters > LIVE_LAG:
        meters = min(meters, rooms)  # a backlog: let neither kind run ahead of the other
    rooms, meters = rooms or since, meters or since
    limit = since + BLOCK
    behind = max(rooms, meters) > limit
    span = Span(since, min(rooms, floor(limit, HOUR)), min(meters, limit))
    return (span, behind) if span.until > since else (None, False)


def _complete(
    connection: Connection, kind: DeviceKind, step: timedelta, now: datetime
) -> datetime | None:
    """Up to when the readings of a kind have come, in whole steps."""
    reached = analysis.reached(connection, kind, SHARE_IN[kind])
    return None if reached is None else floor(min(reached, now), step)


def _load(
    connection: Connection,
    network: Network,
    profile: Profile,
    span: Span,
    stored: Sequence[Row],
) -> History:
    devices = [meter.id for meter in secondary_meters(network)]
    found = Found(
        windows.room_hours(connection, span.rooms_from, span.rooms),
        windows.meter_slots(connection, span.slots_from, span.meters, devices, SLOT),
        windows.meter_hours(connection, span.hours_from, span.hours_until),
        windows.weather_hours(connection, span.hours_from, span.hours_until),
        _past(connection, network, profile, span),
    )
    observed = lay_out(network, found, span)
    start = observed.rooms.start
    open_since = {
        row["code"]: row["opened_at"]
        for row in stored
        if row["opened_at"] <= start and (row["closed_at"] is None or row["closed_at"] > start)
    }
    on_file = OnFile(
        maintenance.between(connection, start, span.rooms),
        trust_rows.certified(connection, start, span.rooms),
        trust_rows.states(connection),
    )
    return judged(observed, profile, open_since, partial(keeping.judged, connection), on_file)


def _past(
    connection: Connection, network: Network, profile: Profile, span: Span
) -> NDArray[np.float64]:
    """The ledger's daily means before the rooms' first hour, (dwellings, days)."""
    today = profile.versions[-1].local_day(span.rooms_from)
    policy = profile.on(today)
    first = today - timedelta(days=PAST_DAYS)
    days = windows.past_days(connection, first, today, policy.min_covered)
    return past_of(days, network, first)


def _write_episodes(
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


def _write_grades(connection: Connection, history: History) -> None:
    """Store the grade each sensor has at the end of the window, where it changed."""
    if history.level_c.shape[1] == 0:
        return
    trust, window = history.trust, history.window
    before = analysis.grades(connection)
    changed = []
    for row, sensor in enumerate(window.sensors):
        grade, reason = trust.why(row, -1)
        was = before.get(sensor.id)
        if was is not None and (was["grade"], was["reason"]) == (grade, reason):
            continue
        since = (
            window.until if grade is Grade.A else window.start + int(trust.since[row, -1]) * HOUR
        )
        changed.append(
            {
                "device_id": sensor.id,
                "grade": grade,
                "reason": reason,
                "since": since,
                "until": window.until,
            }
        )
    analysis.set_grades(connection, changed)


@dataclass(frozen=True, slots=True)
class _DatabaseDesk:
    """The desk of the open transaction."""

    connection: Connection
    path_of: Mapping[str, str]

    def open_incidents(self) -> Sequence[OpenIncident]:
        return desk.open_incidents(self.connection)

    def take_up(
        self, findings: Sequence[Finding], incidents: Sequence[OpenIncident], policy: Policy
    ) -> list[News]:
        return desk.take_up(self.connection, findings, incidents, self.path_of, policy)

    def warm(self, incident: OpenIncident, at: datetime, cold: Collection[str]) -> None:
        desk.warm(self.connection, incident, at, cold)

    def recover(self, incident: OpenIncident, at: datetime) -> None:
        desk.recover(self.connection, incident, at)

    def relapse(self, incident: OpenIncident, at: datetime) -> None:
        desk.relapse(self.connection, incident, at)

    def close(self, incident: OpenIncident, at: datetime) -> None:
        desk.close(self.connection, incident, at)
