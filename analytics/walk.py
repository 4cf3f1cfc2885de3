"""The walk over a stretch of judged past: at each instant look, triage, take up, follow up.

A city is walked district by district (``walk``), and the sources above them by themselves
(``announce`` before the districts, ``gather`` after them): a shortage of the source is known to all
districts while they are walked, and its incident takes in what they found cold.

Pure but for the desk it is given: the live cycle walks with the desk in the database, an offline
analysis with one in memory, and both say the same for the same history. Instants are visited in
the order of event time, so that a backlog gives the tickets of living through it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from analytics.explain.meters import TAIL
from analytics.history import History
from analytics.signs import SIGNS_OF, Sign, Signal
from analytics.snapshot import Snapshot
from analytics.triage import triage
from analytics.trunk import Trunk
from analytics.window import HOUR
from hearthline.clock import floor
from hearthline.domain.complaints import RULES as CALLS
from hearthline.domain.findings import Cause, Finding, TicketKind
from hearthline.domain.places import PlaceKind
from hearthline.domain.policies import HoldReason, Policy
from tickets.carrying import News
from tickets.merging import OpenIncident

HOLD_OPEN = timedelta(hours=24)
"""A recovered incident waits this long for a relapse: what only the night makes cold, or short of
heat, is well by day and comes back within one."""

REPEATS_WITHIN = CALLS.repeat_within
SMALL = frozenset({PlaceKind.UNIT, PlaceKind.RISER, PlaceKind.ENTRANCE})
"""The same of a dwelling, a riser or an entrance: what is cold in every cold spell is well in the
thaw between two, and what comes back within the week counts as a repeat (requirement 32)."""


LASTING = frozenset({Cause.HYDRAULIC_IMBALANCE, Cause.VERTICAL_IMBALANCE, Cause.EXCHANGER_FOULED})
"""Valves do not set themselves, nor do plates come clean: a sign of these that comes back within
the week is the same trouble's, which something else had hidden."""


class Desk(Protocol):
    """Where findings become incidents and incidents are followed to their end."""

    def open_incidents(self) -> Sequence[OpenIncident]:
        """The incidents that are open now, oldest first: the desk's own and those above it."""

    def take_up(
        self, findings: Sequence[Finding], incidents: Sequence[OpenIncident], policy: Policy
    ) -> list[News]:
        """Open, update, widen or merge; ``incidents`` are those open now."""

    def warm(self, incident: OpenIncident, at: datetime, cold: Collection[str]) -> None:
        """All members that are not in ``cold`` are warm again."""

    def recover(self, incident: OpenIncident, at: datetime) -> None:
        """All of it is well again."""

    def relapse(self, incident: OpenIncident, at: datetime) -> None:
        """It had recovered, and is cold again."""

    def close(self, incident: OpenIncident, at: datetime) -> None:
        """It stayed recovered: from now on it takes no members."""


@dataclass(frozen=True)
class Walked:
    """What happened on a walk, and who is held back at its end, with the reason."""

    news: Sequence[News]
    holds: Mapping[str, HoldReason]


def walk(
    history: History, desk: Desk, since: datetime, until: datetime, group_wait: timedelta
) -> Walked:
    """Visit a district's instants after ``since`` up to ``until``, and ``until`` itself.

    What is found of a source is not taken up here: ``gather`` sees it of all districts together.
    Where all is quiet there is nothing to find, and only what is open is followed.
    """
    above = frozenset(history.network.roots())
    instants = [at for at in history.instants(group_wait) if since < at < until]
    news: list[News] = []
    for at in instants:
        if not history.quiet(at):
            news += _visit(history, desk, at, group_wait, above).news
        elif mine := _below(desk, above):
            snapshot = history.snapshot(at)
            end_former(desk, snapshot, mine)
            follow_up(desk, snapshot, _below(desk, above))
    last = _visit(history, desk, until, group_wait, above)
    return Walked([*news, *last.news], last.holds)


def _visit(
    history: History, desk: Desk, at: datetime, group_wait: timedelta, above: Collection[str]
) -> Walked:
    """One instant of a district at which there may be something to find."""
    snapshot = history.snapshot(at)
    result = triage(snapshot, group_wait)
    own = [finding for finding in result.findings if finding.place not in above]
    end_former(desk, snapshot, _below(desk, above))
    news = desk.take_up(own, desk.open_incidents(), history.policy(at))
    follow_up(desk, snapshot, _below(desk, above))
    return Walked(news, result.holds)


def _below(desk: Desk, above: Collection[str]) -> list[OpenIncident]:
    """The open incidents that are not a source's."""
    return [incident for incident in desk.open_incidents() if incident.place not in above]


def announce(trunk: Trunk, desk: Desk, since: datetime, until: datetime) -> list[News]:
    """Open what meters say of the sources between two instants, before anybody is asked."""
    news: list[News] = []
    above = frozenset(trunk.network.roots())
    for at in trunk.beginnings(since, until):
        mine = [i for i in desk.open_incidents() if i.place in above]
        end_former(desk, trunk.snapshot(at), mine)
        news += desk.take_up(trunk.proven(at), desk.open_incidents(), trunk.policy(at))
    return news


def gather(trunk: Trunk, desk: Desk, since: datetime, until: datetime) -> list[News]:
    """Take what the districts found cold into the incidents of the sources, and follow these."""
    news: list[News] = []
    above = frozenset(trunk.network.roots())
    for at in _hours(since, until):
        incidents = _opened_by(desk, at)
        if at < until:  # what has not recovered from a shortage is no incident without one
            known = {incident.place for incident in incidents}
            findings = [f for f in trunk.findings(at) if f.proven or f.place in known]
        else:
            findings = trunk.findings_at_end(at, incidents)
        if findings:
            news += desk.take_up(findings, incidents, trunk.policy(at))
            incidents = _opened_by(desk, at)
        mine = [incident for incident in incidents if incident.place in above]
        if mine:
            follow_up(desk, trunk.snapshot(at), mine)
    return news


def _opened_by(desk: Desk, at: datetime) -> list[OpenIncident]:
    """The open incidents that were there at an instant: the districts' walks went ahead of it."""
    return [incident for incident in desk.open_incidents() if incident.opened_at <= at]


def _hours(since: datetime, until: datetime) -> list[datetime]:
    """The whole hours after ``since`` and before ``until``, and ``until`` itself."""
    first = floor(since, HOUR) + HOUR
    count = max(0, -int((first - until) // HOUR))
    return [first + hour * HOUR for hour in range(count) if first + hour * HOUR < until] + [until]


def end_former(desk: Desk, snapshot: Snapshot, incidents: Sequence[OpenIncident]) -> None:
    """End incidents whose sign comes anew after it had been away: that is another one's."""
    path_of = snapshot.network.path_of
    for incident in incidents:
        now = [s.since for s in snapshot.signals if _shows(s, incident, path_of)]
        ends = _ends(snapshot, incident)
        away = REPEATS_WITHIN if incident.cause in LASTING else HOLD_OPEN
        if now and ends and min(now) - max(ends) >= away and incident.opened_at < max(ends):
            desk.close(incident, snapshot.at)


def follow_up(desk: Desk, snapshot: Snapshot, incidents: Sequence[OpenIncident]) -> None:
    """Tell open incidents how their dwellings are doing."""
    for incident in incidents:
        cold = incident.cold.intersection(snapshot.counted_cold) | _waiting(incident, snapshot)
        if incident.cold - cold:
            desk.warm(incident, snapshot.at, cold)
        active = _active(incident, snapshot, cold)
        if active and incident.recovered_at is not None:
            desk.relapse(incident, snapshot.at)
        elif not active and incident.recovered_at is None:
            desk.recover(incident, snapshot.at)
        elif (
            not active
            and incident.recovered_at is not None
            and snapshot.at - incident.recovered_at >= _held_open(incident, snapshot)
        ):
            desk.close(incident, snapshot.at)


def _held_open(incident: OpenIncident, snapshot: Snapshot) -> timedelta:
    """How long an incident waits for a relapse."""
    small = snapshot.kind(incident.place) in SMALL or incident.cause in LASTING
    return REPEATS_WITHIN if small and incident.kind is TicketKind.SUPPLY else HOLD_OPEN


def _waiting(incident: OpenIncident, snapshot: Snapshot) -> frozenset[str]:
    """Members of which nobody can say that they are warm: works hold them back, or just did.

    They read below the standard, and their episode ended because no heat was owed for a while.
    """
    held = HoldReason.MAINTENANCE
    return frozenset(
        code
        for code in incident.cold - snapshot.counted_cold
        if snapshot.level_c.get(code, snapshot.threshold_c) < snapshot.threshold_c
        and snapshot.unowed.get(code, held) is held
    )


def _active(incident: OpenIncident, snapshot: Snapshot, cold: frozenset[str]) -> bool:
    """Whether an incident goes on: its meters say so, or its rooms are still cold.

    What is cold long after the meters of a common place are well again is cold for another reason.
    """
    if incident.kind is TicketKind.SENSOR:
        return any(
            (found.device_uid, found.place) == (incident.device_uid, incident.place)
            for found in snapshot.lying
        )
    path_of = snapshot.network.path_of
    if any(_shows(signal, incident, path_of) for signal in snapshot.signals):
        return True
    ends = _ends(snapshot, incident)
    if incident.common and ends and snapshot.at - max(ends) > TAIL:
        return False
    return bool(cold)


def _ends(snapshot: Snapshot, incident: OpenIncident) -> list[datetime]:
    """When the incident's signs ended that are no longer there."""
    path_of = snapshot.network.path_of
    return [s.until for s in snapshot.ended if s.until and _shows(s, incident, path_of)]


def _shows(signal: Signal, incident: OpenIncident, path_of: Mapping[str, str]) -> bool:
    """Whether a sign is an incident's: a branch's flow tells of the entrances below it too.

    Not of a riser that is badly set: it is too small a part of the branch.
    """
    if signal.sign not in SIGNS_OF.get(incident.cause, ()):
        return False
    parts = incident.cause is not Cause.VERTICAL_IMBALANCE and not incident.common
    if signal.sign is Sign.FLOW_LOW and parts:
        return path_of[incident.place].startswith(path_of[signal.place])
    return signal.place == incident.place
