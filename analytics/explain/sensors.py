"""Sensors that lie: an instrument technician's ticket, never a crew's."""

from __future__ import annotations

from analytics.snapshot import Snapshot
from hearthline.domain.findings import Finding


def lying_sensors(snapshot: Snapshot, _left: frozenset[str]) -> list[Finding]:
    """What sensor trust found (``analytics.trust.findings``); it explains nobody's cold."""
    return list(snapshot.lying)
