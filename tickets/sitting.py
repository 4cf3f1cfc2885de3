"""A sitting at the desk: what one analysis does in one transaction, instant after instant.

Nobody else writes the incidents of a district meanwhile, so they are read once and then kept in
step here, and what an incident says of itself is written at the end: of the evidence of forty
hours only the last hour's stands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hearthline.domain.findings import Finding
from hearthline.domain.policies import Policy
from hearthline.storage import tickets as rows
from hearthline.storage.database import Connection
from tickets import desk
from tickets.carrying import News, carry_out
from tickets.lifecycle import EventKind
from tickets.merging import OpenIncident, plan


@dataclass
class Sitting:
    """The desk in an open transaction; ``scope`` is a district's path, '' the whole city.

    ``rise`` must be called before the transaction ends.
    """

    connection: Connection
    path_of: Mapping[str, str]
    scope: str = ""
    _open: dict[int, OpenIncident] | None = None
    said: dict[int, Finding] = field(default_factory=dict)
    """What incidents say of themselves, not written yet."""

    def open_incidents(self) -> Sequence[OpenIncident]:
        """The incidents open now, oldest first: those of the scope and above it."""
        return list(self._known().values())

    def take_up(
        self, findings: Sequence[Finding], incidents: Sequence[OpenIncident], policy: Policy
    ) -> list[News]:
        """Open, update, widen or merge."""
        steps = plan(findings, incidents, self.path_of)
        return carry_out(steps, _Book(self, desk.Book(self.connection, policy)))

    def warm(self, incident: OpenIncident, at: datetime, cold: Collection[str]) -> None:
        """All members that are not in ``cold`` are warm again."""
        desk.warm(self.connection, incident, at, cold)
        self._keep(incident, cold=incident.cold.intersection(cold))

    def recover(self, incident: OpenIncident, at: datetime) -> None:
        """All of it is well again."""
        desk.recover(self.connection, incident, at)
        self._keep(incident, recovered_at=at)

    def relapse(self, incident: OpenIncident, at: datetime) -> None:
        """It is cold again."""
        desk.relapse(self.connection, incident, at)
        self._keep(incident, recovered_at=None)

    def close(self, incident: OpenIncident, at: datetime) -> None:
        """It ends."""
        desk.close(self.connection, incident, at)
        self._known().pop(incident.id, None)

    def rise(self) -> None:
        """Write what incidents say of themselves now."""
        rise(self.connection, [self])

    def update(self, incident: OpenIncident, finding: Finding) -> None:
        """The incident takes place, cause and evidence of a finding, in the end."""
        moved = finding.place != incident.place or finding.cause is not incident.cause
        self.said[incident.id] = finding
        if moved:
            self.rise()  # what is one of its kind at its place is decided by the database
        self._keep(
            incident,
            place=finding.place,
            cause=finding.cause,
            confidence=finding.confidence,
            common=finding.common,
            ranked=tuple(finding.ranked),
            judged_at=finding.at,
        )

    def opened(self, number: int, finding: Finding) -> None:
        """The incident of this number was opened for a finding."""
        new = OpenIncident(
            id=number,
            kind=finding.kind,
            cause=finding.cause,
            place=finding.place,
            confidence=finding.confidence,
            opened_at=finding.at,
            device_uid=finding.device_uid,
            members=finding.affected,
            cold=finding.cold & finding.affected,
            common=finding.common,
            ranked=tuple(finding.ranked),
            judged_at=finding.at,
        )
        known = [*self._known().values(), new]
        self._open = {one.id: one for one in sorted(known, key=lambda i: (i.opened_at, i.id))}

    def now(self, incident: OpenIncident) -> OpenIncident:
        """An incident as it stands after all that was written in this sitting."""
        return self._known().get(incident.id, incident)

    def joined(self, incident: OpenIncident, finding: Finding) -> None:
        """The finding's dwellings are members now."""
        known = self._known().get(incident.id)
        if known is not None:
            members = known.members | finding.affected
            self._keep(known, members=members, cold=known.cold | finding.cold & finding.affected)

    def reread(self) -> None:
        """Members or incidents have changed in the database."""
        self._open = None

    def _known(self) -> dict[int, OpenIncident]:
        if self._open is None:
            self.rise()
            found = desk.open_incidents(self.connection, self.scope)
            self._open = {incident.id: incident for incident in found}
        return self._open

    def _keep(self, incident: OpenIncident, **changes: Any) -> None:
        known = None if self._open is None else self._open.get(incident.id)
        if known is not None and any(getattr(known, name) != new for name, new in changes.items()):
            self._known()[incident.id] = replace(known, **changes)


def down(
    connection: Connection, districts: Sequence[tuple[str, Mapping[str, str]]]
) -> list[Sitting]:
    """A sitting for each of some districts, by its path and the paths of its places."""
    open_now = desk.open_incidents_of(connection, [scope for scope, _ in districts])
    return [
        Sitting(connection, path_of, scope, {incident.id: incident for incident in known})
        for (scope, path_of), known in zip(districts, open_now, strict=True)
    ]


def rise(connection: Connection, those: Sequence[Sitting]) -> None:
    """``Sitting.rise`` of several in one transaction."""
    said = {number: finding for one in those for number, finding in one.said.items()}
    rows.update_incidents(connection, said)
    for one in those:
        one.said.clear()


@dataclass(frozen=True, slots=True)
class _Book:
    """The desk's book, with the sitting kept in step."""

    sitting: Sitting
    book: desk.Book

    def open(self, finding: Finding) -> str | None:
        opened = self.book.insert(finding)
        if opened is None:
            self.sitting.reread()  # somebody else's, and not read yet
            return None
        number, ticket = opened
        self.sitting.opened(number, finding)
        return ticket

    def update(self, incident: OpenIncident, finding: Finding) -> None:
        self.sitting.update(incident, finding)

    def join(self, incident: OpenIncident, finding: Finding) -> int:
        joined = self.book.join(self.sitting.now(incident), finding)
        if joined:
            self.sitting.joined(incident, finding)
        return joined

    def merge(self, incident: OpenIncident, into: OpenIncident, at: datetime) -> None:
        self.sitting.reread()
        self.book.merge(incident, into, at)

    def note(
        self,
        incident: OpenIncident,
        kind: EventKind,
        at: datetime,
        reason: str,
        body: dict[str, Any],
    ) -> str:
        return self.book.note(incident, kind, at, reason, body)
