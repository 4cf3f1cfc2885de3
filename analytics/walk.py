"""The walk over a stretch of judged past: at each instant look, triage, take up, follow up.

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
from analytics.signs import SIGNS_OF, Signal
from analytics.snapshot import Snapshot
from analytics.triage import triage
from hearthline.domain.findings import Finding, TicketKind
from hearthline.domain.policies import HoldReason, Policy
from tickets.carrying import News
from tickets.merging import OpenIncident

HOLD_OPEN = timedelta(hours=12)  # a recovered incident waits this long for a relapse


class Desk(Protocol):
    """Where findings become incidents and incidents are followed to their end."""

    def open_incidents(self) -> Sequence[OpenIncident]:
        """The incidents that are open now, oldest first."""

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
    """Visit the instants after ``since`` up to ``until``, and ``until`` itself."""
    instants = [at for at in history.instants(group_wait) if since < at < until]
    news: list[News] = []
    for at in [*instants, until]:
        snapshot = history.snapshot(at)
        result = triage(snapshot, group_wait)
        news += desk.take_up(result.findings, desk.open_incidents(), history.policy(at))
        follow_up(desk, snapshot)
    return Walked(news, result.holds)


def follow_up(desk: Desk, snapshot: Snapshot) -> None:
    """Tell every open incident how its dwellings are doing."""
    for incident in desk.open_incidents():
        cold = incident.cold.intersection(snapshot.cold)
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
            and snapshot.at - incident.recovered_at >= HOLD_OPEN
        ):
            desk.close(incident, snapshot.at)


def _active(incident: OpenIncident, snapshot: Snapshot, cold: frozenset[str]) -> bool:
    """Whether an incident goes on: its meters say so, or its rooms are still cold.

    What is cold long after the meters of a common place are well again is cold for another reason.
    """
    if incident.kind is TicketKind.SENSOR:
        return any(
            (found.device_uid, found.place) == (incident.device_uid, incident.place)
            for found in snapshot.lying
        )
    if any(_shows(signal, incident) for signal in snapshot.signals):
        return True
    ends = [s.until for s in snapshot.ended if s.until is not None and _shows(s, incident)]
    if incident.common and ends and snapshot.at - max(ends) > TAIL:
        return False
    return bool(cold)


def _shows(signal: Signal, incident: OpenIncident) -> bool:
    return signal.place == incident.place and signal.sign in SIGNS_OF.get(incident.cause, ())
