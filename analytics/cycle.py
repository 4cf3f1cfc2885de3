"""One analysis cycle: load a window, judge it, and carry what is new to the desk.

The cycle runs up to a watermark in event time and no further, on an injected ``now``; the same
rows and the same ``now`` give the same tickets. A backlog is taken in blocks, each in its own
transaction, and within a block in event-time order. An advisory lock keeps two cycles apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from analytics.episodes import CloseReason, Excursion, Known, reconcile
from analytics.history import History, judge
from analytics.signs import SLOT, Sign
from analytics.snapshot import Snapshot
from analytics.triage import triage
from analytics.trust import Grade, TrustReason
from analytics.window import HOUR, room_window, secondary_meters, station_slots
from hearthline.clock import floor
from hearthline.domain.findings import Cause, TicketKind
from hearthline.domain.network import Network
from hearthline.domain.places import DeviceKind
from hearthline.domain.policies import Profile
from hearthline.storage import analysis
from hearthline.storage import network as networks
from hearthline.storage.database import Connection, Database, Row
from tickets import desk
from tickets.merging import OpenIncident

PROGRESS = "analysis"
ROOM_MEMORY = timedelta(hours=48)  # how far back rooms are looked at again
METER_MEMORY = timedelta(days=7)  # how far back a meter's usual flow is sought
BLOCK = timedelta(days=14)
LIVE_LAG = timedelta(hours=2)  # meters may run ahead of the rooms by this much
HOLD_OPEN = timedelta(hours=12)  # a recovered incident waits this long for a relapse

# The share of devices that must have reached an instant before it is judged. Places are told by
# the share of cold rooms, so nearly all must be in; a meter speaks for itself and need not wait.
SHARE_IN: Mapping[DeviceKind, float] = {DeviceKind.ROOM: 0.9, DeviceKind.METER: 0.5}

SIGN_OF: Mapping[Cause, Sign] = {
    Cause.PUMP_TRIP: Sign.FLOW_STOPPED,
    Cause.PIPES_SWAPPED: Sign.DELTA_NEGATIVE,
    Cause.STRAINER_CLOGGED: Sign.FLOW_LOW,
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a company decides: its profile, and how long single dwellings wait for their peers."""

    profile: Profile
    group_wait: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Report:
    """What one cycle did; ``until`` is the watermark reached, None where there is no data."""

    until: datetime | None
    news: tuple[desk.News, ...] = ()
    opened: int = 0
    closed: int = 0
    held: int = 0
    behind: bool = False  # more blocks wait


@dataclass(frozen=True, slots=True)
class Span:
    """The event time a cycle judges: after ``since``, up to ``rooms`` and ``meters``."""

    since: datetime
    rooms: datetime
    meters: datetime

    @property
    def until(self) -> datetime:
        """The instant up to which findings are made."""
        return max(self.rooms, self.meters)


def run(database: Database, rules: Rules, now: datetime) -> Report:
    """Judge what has come in since the last cycle, one block of event time at most."""
    with database.transaction() as connection:
        analysis.lock_cycle(connection)
        span, behind = _span(connection, now)
        if span is None:
            return Report(analysis.progress(connection, PROGRESS))
        network = networks.load(connection, span.until)
        stored = analysis.known_episodes(connection, span.since - ROOM_MEMORY)
        history = _load(connection, network, rules.profile, span, stored)
        opened, closed = _write_episodes(connection, history, stored, span)
        _write_grades(connection, history)
        news, held = _walk(connection, history, rules, span)
        analysis.set_progress(connection, PROGRESS, span.until)
        return Report(span.until, tuple(news), opened, closed, held, behind)


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
    room_start = floor(span.since, HOUR) - ROOM_MEMORY
    meter_start = floor(span.since, HOUR) - METER_MEMORY
    room_rows = analysis.room_hours(connection, room_start, span.rooms)
    room_start = _first(room_rows.at, room_start)
    window = room_window(room_rows, network, room_start, max(span.rooms, room_start))
    devices = [meter.id for meter in secondary_meters(network)]
    meter_rows = analysis.meter_slots(connection, meter_start, span.meters, devices, SLOT)
    meter_start = _first(meter_rows.at, meter_start)
    stations = station_slots(meter_rows, network, meter_start, max(span.meters, meter_start))
    open_since = {
        row["code"]: row["opened_at"]
        for row in stored
        if row["opened_at"] <= room_start
        and (row["closed_at"] is None or row["closed_at"] > room_start)
    }
    return judge(network, profile, window, stations, open_since)


def _first(at: np.ndarray, start: datetime) -> datetime:
    """The hour of the first row, so that an empty past costs nothing."""
    if not len(at):
        return start
    return max(start, floor(datetime.fromtimestamp(float(at.min()), start.tzinfo), HOUR))


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
        grade, reason = _grade(bool(trust.stuck[row, -1]), bool(trust.suspect[row, -1]))
        was = before.get(sensor.id)
        if was is not None and was["grade"] == grade:
            continue
        run = int(trust.flat_hours[row, -1]) if grade is not Grade.A else 0
        since = window.until - run * HOUR
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


def _grade(stuck: bool, suspect: bool) -> tuple[Grade, TrustReason]:
    if stuck:
        return Grade.C, TrustReason.STUCK
    if suspect:
        return Grade.B, TrustReason.SUSPECT_FLAT
    return Grade.A, TrustReason.GOOD


def _walk(
    connection: Connection, history: History, rules: Rules, span: Span
) -> tuple[list[desk.News], int]:
    """Visit the instants of the span in order; returns the news and how many are held back."""
    instants = [at for at in history.instants(rules.group_wait) if span.since < at < span.until]
    news: list[desk.News] = []
    path_of = history.network.path_of
    held = 0
    for at in [*instants, span.until]:
        snapshot = history.snapshot(at)
        result = triage(snapshot, rules.group_wait)
        incidents = desk.open_incidents(connection)
        policy = history.policy(at)
        news += desk.take_up(connection, result.findings, incidents, path_of, policy)
        _follow_up(connection, snapshot)
        held = len(result.holds)
        if at == span.until:
            analysis.set_holds(connection, {c: str(r) for c, r in result.holds.items()}, at)
    return news, held


def _follow_up(connection: Connection, snapshot: Snapshot) -> None:
    """Tell every open incident how its dwellings are doing."""
    for incident in desk.open_incidents(connection):
        cold = incident.members.intersection(snapshot.cold)
        if incident.cold - cold:
            desk.warm(connection, incident, snapshot.at, cold)
        active = _active(incident, snapshot, cold)
        if active and incident.recovered_at is not None:
            desk.relapse(connection, incident, snapshot.at)
        elif not active and incident.recovered_at is None:
            desk.recover(connection, incident, snapshot.at)
        elif not active and snapshot.at - _recovered(incident) >= HOLD_OPEN:
            desk.close(connection, incident, snapshot.at)


def _active(incident: OpenIncident, snapshot: Snapshot, cold: frozenset[str]) -> bool:
    if incident.kind is TicketKind.SENSOR:
        return any(s.device_uid == incident.device_uid for s in snapshot.stuck)
    sign = SIGN_OF.get(incident.cause)
    signalled = any(s.sign is sign and s.place == incident.place for s in snapshot.signals)
    return bool(cold) or signalled


def _recovered(incident: OpenIncident) -> datetime:
    if incident.recovered_at is None:
        raise TypeError(f"incident {incident.id} has not recovered")
    return incident.recovered_at
