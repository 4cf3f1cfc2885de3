"""Why is it cold, and where: a list of explainers over one snapshot of the city.

Each explainer looks at the snapshot and at the cold dwellings that nothing explained yet, and
returns findings; what a finding covers is taken out of the set before the next one looks. The
order is the triage order of the physics: lying sensors first, what stands out from a common cause,
neighbours stopped within the week, what meters prove by themselves, branches that lost flow, what
still recovers from either, the other neighbours whom the ledger knows, places that lie off their
fellows, and last what is cold in general or for no known reason. What spills over through walls
joins its source, dwellings that are cold by what they share are one; those who called are heard,
and what chance would hardly bring together is one. A finding prints what speaks for it and what
against.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from analytics.explain.apart import own_causes
from analytics.explain.calls import hear
from analytics.explain.meters import flow_lost, proven_by_meters, recovering
from analytics.explain.neighbours import neighbours_beyond, neighbours_unheated, stopped_lately
from analytics.explain.rooms import common_places, shifted_places
from analytics.explain.sensors import lying_sensors
from analytics.explain.shared import join_coincident, join_shared
from analytics.explain.spill import join_spilled
from analytics.snapshot import Snapshot
from hearthline.domain.findings import Finding

Explainer = Callable[[Snapshot, frozenset[str]], list[Finding]]

EXPLAINERS: Sequence[Explainer] = (
    lying_sensors,
    own_causes,
    stopped_lately,
    proven_by_meters,
    flow_lost,
    recovering,
    neighbours_unheated,
    neighbours_beyond,
    shifted_places,
    common_places,
)


def diagnose(snapshot: Snapshot) -> list[Finding]:
    """All findings of a snapshot; together they cover every cold dwelling exactly once.

    Who only called joins what explains the call, or has a finding where that is sure enough.
    """
    findings: list[Finding] = []
    left = frozenset(snapshot.cold)
    for explain in EXPLAINERS:
        found = explain(snapshot, left)
        findings += found
        left = left.difference(*(finding.cold for finding in found))
    heard = hear(snapshot, join_shared(snapshot, join_spilled(snapshot, findings)))
    return join_coincident(snapshot, heard)
