"""Cold dwellings beside unheated ones: one finding per cluster of unheated dwellings.

The place is the first dwelling of the cluster, since that is where the cause sits; the members
are the dwellings that it chills.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from analytics import evidence
from analytics.explain.telling import finding
from analytics.localise.ranking import normalised
from analytics.snapshot import Snapshot
from hearthline.domain.findings import Cause, Evidence, EvidenceCode, Finding
from hearthline.domain.places import HeatingStatus

CHILL_K, BEYOND_K = (0.5, 4.5), (0.3, 1.0)
"""An unheated neighbour costs 1 to 3 K (section 3), a cluster around a dwelling more; two walls
away it is a third of that."""


def neighbours_unheated(snapshot: Snapshot, left: frozenset[str]) -> list[Finding]:
    """What the ledger explains: those who pay for their neighbours."""
    chilled: dict[str, list[str]] = defaultdict(list)
    for code in sorted(left):
        unheated = unheated_beside(snapshot, code)
        if unheated and _as_chilled(snapshot, code, len(unheated)):
            chilled[min(_cluster(snapshot, unheated))].append(code)
    return [_told(snapshot, place, victims) for place, victims in chilled.items()]


def neighbours_beyond(snapshot: Snapshot, left: frozenset[str]) -> list[Finding]:
    """Those two walls away from unheated dwellings: they are chilled too."""
    chilled: dict[str, list[str]] = defaultdict(list)
    for code in sorted(left):
        unheated = {
            far
            for beside in snapshot.network.neighbours(code)
            for far in unheated_beside(snapshot, beside)
        } | set(unheated_beside(snapshot, code))
        if unheated and _chilled_beyond(snapshot, code):
            chilled[min(_cluster(snapshot, sorted(unheated)))].append(code)
    return [_told(snapshot, place, victims) for place, victims in chilled.items()]


def unheated_beside(snapshot: Snapshot, code: str) -> list[str]:
    """Dwellings that share a wall or ceiling with one and are not heated now."""
    status = snapshot.network.status
    return [
        beside
        for beside in snapshot.network.neighbours(code)
        if status(beside, snapshot.at) is not HeatingStatus.ON
    ]


def chilled(snapshot: Snapshot, code: str) -> bool:
    """Whether unheated neighbours explain how far a dwelling lies below its fellows."""
    unheated = unheated_beside(snapshot, code)
    return bool(unheated) and _as_chilled(snapshot, code, len(unheated))


def _as_chilled(snapshot: Snapshot, code: str, unheated: int) -> bool:
    """Whether a dwelling lies below its fellows as unheated neighbours would make it."""
    off = snapshot.under_fellows_k(code)
    return bool(np.isnan(off)) or CHILL_K[0] <= off <= CHILL_K[1] * unheated


def _chilled_beyond(snapshot: Snapshot, code: str) -> bool:
    """The same two walls away: less cold than the one between, or a little cold for long."""
    off = snapshot.under_fellows_k(code)
    if np.isnan(off) or off < BEYOND_K[0]:
        return bool(np.isnan(off))
    between = [v for v in snapshot.network.neighbours(code) if unheated_beside(snapshot, v)]
    if any(snapshot.under_fellows_k(v) >= off + BEYOND_K[0] for v in between):
        return True
    changed = -float(snapshot.offsets[0][snapshot.network.index[code]])
    return max(off, changed) <= BEYOND_K[1]


def _cluster(snapshot: Snapshot, unheated: Sequence[str]) -> set[str]:
    """All unheated dwellings that these touch, directly or across one dwelling between them."""
    found, fresh = set(unheated), set(unheated)
    while fresh:
        beside = {n for code in fresh for n in snapshot.network.neighbours(code)}
        reached = {n for code in beside | fresh for n in unheated_beside(snapshot, code)}
        fresh = reached - found
        found |= fresh
    return found


def _told(snapshot: Snapshot, place: str, victims: Sequence[str]) -> Finding:
    worst = min(victims, key=lambda code: (snapshot.cold[code].min_c, code))
    beside = {code for victim in victims for code in unheated_beside(snapshot, victim)}
    unheated = sorted(beside | {place})
    most = max(len(unheated_beside(snapshot, victim)) for victim in victims)
    pieces = [
        Evidence(
            EvidenceCode.NEIGHBOUR_STOPPED,
            {"count": len(unheated), "places": evidence.labels(snapshot, unheated)},
        ),
        evidence.below_for(snapshot, worst),
        evidence.deepest(snapshot, victims),
        *evidence.warm_peers(snapshot, worst),
    ]
    sure = min(0.85, 0.5 + 0.15 * most)
    ranked = normalised(
        {
            Cause.NEIGHBOUR_UNHEATED: sure,
            Cause.VALVE_CLOSED: (1 - sure) / 2,
            Cause.ENVELOPE: (1 - sure) / 2,
        }
    )
    cold = frozenset(victims)
    return finding(snapshot, place, ranked, cold, pieces, affected=cold)
