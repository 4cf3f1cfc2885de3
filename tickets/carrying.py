"""What becomes of a step that merging planned: which writes, in which order, and what is news.

The rules are the same whoever keeps the incidents: the database desk, or a list in memory when a
winter is analysed offline. A ``Book`` only writes; nothing here knows how.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hearthline.domain.findings import Cause, Finding, TicketKind
from tickets.judgement import judgement
from tickets.lifecycle import EventKind
from tickets.merging import OpenIncident, Step, StepKind


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened at the desk, for the log and for whoever watches."""

    at: datetime
    kind: EventKind
    number: str
    cause: Cause
    place: str
    confidence: float
    cold: int
    affected: int


class Book(Protocol):
    """Where incidents are written."""

    def open(self, finding: Finding) -> str | None:
        """A new incident with its ticket, whose number is returned; None if one is there."""

    def update(self, incident: OpenIncident, finding: Finding) -> None:
        """The incident takes place, cause, confidence and evidence of a finding."""

    def join(self, incident: OpenIncident, finding: Finding) -> int:
        """The finding's dwellings become members; how many joined, or became cold."""

    def merge(self, incident: OpenIncident, into: OpenIncident, at: datetime) -> None:
        """An incident and its members go over into another one, and it is closed."""

    def note(
        self,
        incident: OpenIncident,
        kind: EventKind,
        at: datetime,
        reason: str,
        body: dict[str, Any],
    ) -> str:
        """An event on the incident's ticket, whose number is returned."""


def carry_out(steps: Iterable[Step], book: Book) -> list[News]:
    """Write what ``merging.plan`` decided."""
    news: list[News] = []
    for step in steps:
        match step.kind:
            case StepKind.OPEN:
                news += _open(book, step.finding)
            case StepKind.UPDATE:
                news += _update(book, step)
            case StepKind.WIDEN:
                news += _widen(book, step)
    return news


def said(finding: Finding) -> dict[str, Any]:
    """What the events of a ticket keep of a finding."""
    return {
        "place": finding.place,
        "cause": finding.cause,
        "confidence": round(finding.confidence, 3),
        "cold": len(finding.cold),
        "affected": len(finding.affected),
    }


def _open(book: Book, finding: Finding) -> list[News]:
    number = book.open(finding)
    if number is None:
        return []  # somebody else opened it meanwhile; the next cycle joins it
    return [_news(finding, EventKind.OPENED, number)]


def _update(book: Book, step: Step) -> list[News]:
    incident, finding = _met(step)
    judged = judgement(incident, finding)
    if judged is not None:
        book.update(incident, judged)  # the evidence of today
    if incident.holds_all(finding) and not step.swallowed:
        return []
    joined = book.join(incident, finding)
    for swallowed in step.swallowed:
        book.merge(swallowed, incident, finding.at)
    if not joined or incident.kind is TicketKind.SENSOR:
        return []
    body = {**said(finding), "joined": joined}
    number = book.note(incident, EventKind.MEMBERS_JOINED, finding.at, "", body)
    return [_news(finding, EventKind.MEMBERS_JOINED, number)]


def _widen(book: Book, step: Step) -> list[News]:
    incident, finding = _met(step)
    for swallowed in step.swallowed:
        book.merge(swallowed, incident, finding.at)
    book.update(incident, finding)
    book.join(incident, finding)
    body = {**said(finding), "from": incident.place}
    number = book.note(incident, EventKind.WIDENED, finding.at, finding.cause, body)
    return [_news(finding, EventKind.WIDENED, number)]


def _met(step: Step) -> tuple[OpenIncident, Finding]:
    if step.incident is None:
        raise TypeError(f"step {step.kind} meets no incident")
    return step.incident, step.finding


def _news(finding: Finding, kind: EventKind, number: str) -> News:
    return News(
        finding.at,
        kind,
        number,
        finding.cause,
        finding.place,
        finding.confidence,
        len(finding.cold),
        len(finding.affected),
    )
