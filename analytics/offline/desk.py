"""The desk in a list: incidents of an offline analysis, by the rules of ``tickets``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hearthline.domain.findings import Cause, Finding, TicketKind
from hearthline.domain.policies import Policy
from tickets.carrying import News, carry_out
from tickets.lifecycle import EventKind
from tickets.merging import OpenIncident, plan


@dataclass(slots=True)
class Incident:
    """An incident from its opening to its end; ``cold`` are all members that ever were.

    ``first`` is the finding that opened it, ``last`` the one whose place and cause it bears;
    ``merged_into`` the incident that swallowed it.
    """

    id: int
    first: Finding
    last: Finding
    members: set[str]
    cold: set[str]
    still_cold: set[str]
    recovered_at: datetime | None = None
    closed_at: datetime | None = None
    merged_into: int | None = None

    @property
    def kind(self) -> TicketKind:
        """Supply or sensor."""
        return self.first.kind

    @property
    def opened_at(self) -> datetime:
        """When it was opened."""
        return self.first.at


@dataclass
class MemoryDesk:
    """Incidents in a list, by the rules of the desk (``tickets.carrying``)."""

    path_of: Mapping[str, str]
    incidents: list[Incident] = field(default_factory=list)
    scope: str = ""

    def of(self, path: str) -> MemoryDesk:
        """The same desk, as somebody sees it who works on one district: it and what is above."""
        return replace(self, scope=path)

    # ── the desk of a walk ────────────────────────────────────────────────────────────────

    def open_incidents(self) -> Sequence[OpenIncident]:
        """The incidents that are open now, oldest first."""
        standing = [one for one in self.incidents if one.closed_at is None and self._mine(one)]
        return [_open(one) for one in sorted(standing, key=lambda i: (i.opened_at, i.id))]

    def take_up(
        self, findings: Sequence[Finding], incidents: Sequence[OpenIncident], _policy: Policy
    ) -> list[News]:
        """Open, update, widen or merge."""
        return carry_out(plan(findings, incidents, self.path_of), self)

    def warm(self, incident: OpenIncident, _at: datetime, cold: Collection[str]) -> None:
        """All members that are not in ``cold`` are warm again."""
        self._of(incident).still_cold.intersection_update(cold)

    def recover(self, incident: OpenIncident, at: datetime) -> None:
        """All of it is well again."""
        self._of(incident).recovered_at = at

    def relapse(self, incident: OpenIncident, _at: datetime) -> None:
        """It is cold again."""
        self._of(incident).recovered_at = None

    def close(self, incident: OpenIncident, at: datetime) -> None:
        """It ends."""
        self._of(incident).closed_at = at

    # ── the book of the desk ──────────────────────────────────────────────────────────────

    def open(self, finding: Finding) -> str | None:
        """A new incident; None where one is open there already."""
        key = (finding.place, finding.kind, finding.cause, finding.device_uid)
        for one in self.incidents:
            here = (one.last.place, one.kind, one.last.cause, one.first.device_uid)
            if one.closed_at is None and key == here:
                return None
        cold = set(finding.cold & finding.affected)
        number = len(self.incidents) + 1
        incident = Incident(number, finding, finding, set(finding.affected), cold, set(cold))
        self.incidents.append(incident)
        return str(number)

    def update(self, incident: OpenIncident, finding: Finding) -> None:
        """The incident takes place, cause and evidence of a finding."""
        self._of(incident).last = finding

    def join(self, incident: OpenIncident, finding: Finding) -> int:
        """The finding's dwellings become members; how many joined or became cold."""
        one = self._of(incident)
        cold = finding.cold & finding.affected
        fresh = (finding.affected - one.members) | (cold - one.still_cold)
        one.members |= finding.affected
        one.cold |= cold
        one.still_cold |= cold
        return len(fresh)

    def merge(self, incident: OpenIncident, into: OpenIncident, at: datetime) -> None:
        """An incident goes over into another one."""
        one, other = self._of(incident), self._of(into)
        other.still_cold |= one.still_cold - other.cold
        other.members |= one.members
        other.cold |= one.cold
        one.merged_into, one.closed_at = other.id, at

    def note(
        self,
        incident: OpenIncident,
        _kind: EventKind,
        _at: datetime,
        _reason: str,
        _body: dict[str, Any],
    ) -> str:
        """Nobody reads the tickets of an offline analysis."""
        return str(incident.id)

    def _mine(self, one: Incident) -> bool:
        path = self.path_of[one.last.place]
        return path.startswith(self.scope) or self.scope.startswith(path)

    def _of(self, incident: OpenIncident) -> Incident:
        return self.incidents[incident.id - 1]


def _open(one: Incident) -> OpenIncident:
    return OpenIncident(
        id=one.id,
        kind=one.kind,
        cause=one.last.cause,
        place=one.last.place,
        confidence=one.last.confidence,
        opened_at=one.opened_at,
        device_uid=one.first.device_uid,
        members=frozenset(one.members),
        cold=frozenset(one.still_cold),
        recovered_at=one.recovered_at,
        common=one.last.common,
        ranked=tuple(one.last.ranked),
        judged_at=one.last.at,
    )


def causes_of(finding: Finding) -> tuple[Cause, ...]:
    """What a finding says, best first."""
    ranked = tuple(cause for cause, _ in finding.ranked)
    return ranked if ranked and ranked[0] is finding.cause else (finding.cause, *ranked)
