"""Cold dwellings beside unheated ones: one finding per cluster of unheated dwellings.

The place is the first dwelling of the cluster, since that is where the cause sits; the members
are the dwellings that it chills.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from analytics import evidence
from analytics.explain.telling import finding
from analytics.localise.ranking import normalised
from analytics.snapshot import Snapshot
from hearthline.domain.findings import Cause, Evidence, EvidenceCode, Finding

CHILL_K, BEYOND_K = (0.5, 4.5), (0.3, 1.0)
"""An unheated neighbour costs 1 to 3 K (section 3), a cluster around a dwelling more; two walls
away it is a third of that."""
TWO_WALLS = 1 / 3  # of a neighbour's chill: what is left of it beyond the next dwelling
LEARNT = timedelta(days=30)  # all days from which the usual is learnt lie within
LATELY, FALLEN_K = timedelta(days=7), 1.0
"""Recent stops; one healthy dwelling in a hundred strays as far from its fellows and its past."""
CHANGES_K, SURE_SD = 1.0, 3.0
"""What a neighbour stopped long ago may cost beyond the usual (of 3 K a third more in the coldest
week than on a mean day), and how surely more than that is measured."""


def stopped_lately(snapshot: Snapshot, left: frozenset[str]) -> list[Finding]:
    """Those beside dwellings that were stopped within the week and who have fallen since.

    What several buildings share does not tell them from their fellows; the ledger does.
    """
    chilled: dict[str, list[str]] = defaultdict(list)
    for code in sorted(left):
        late = stopped_beside(snapshot, code)
        fallen = -float(snapshot.offsets[0][snapshot.network.index[code]])
        if late and FALLEN_K <= fallen <= CHILL_K[1] * _felt(snapshot, code, late):
            chilled[min(cluster(snapshot, late))].append(code)
    told = [_told(snapshot, place, victims) for place, victims in chilled.items()]
    return [replace(one, apart=True) for one in told]


def neighbours_unheated(snapshot: Snapshot, left: frozenset[str]) -> list[Finding]:
    """What the ledger explains: those who pay for their neighbours."""
    chilled: dict[str, list[str]] = defaultdict(list)
    for code in sorted(left):
        unheated = unheated_beside(snapshot, code)
        if unheated and _as_chilled(snapshot, code, unheated):
            chilled[min(cluster(snapshot, unheated))].append(code)
    return [_told(snapshot, place, victims) for place, victims in chilled.items()]


def neighbours_beyond(snapshot: Snapshot, left: frozenset[str]) -> list[Finding]:
    """Those two walls away from unheated dwellings: they are chilled too."""
    chilled: dict[str, list[str]] = defaultdict(list)
    for code in sorted(left):
        unheated = unheated_near(snapshot, code)
        if unheated and _chilled_beyond(snapshot, code):
            chilled[min(cluster(snapshot, unheated))].append(code)
    return [_told(snapshot, place, victims) for place, victims in chilled.items()]


def unheated_beside(snapshot: Snapshot, code: str) -> Sequence[str]:
    """Dwellings beside one that are not heated now: beyond its walls first, then on its landing."""
    return snapshot.network.unheated_beside(code, snapshot.at)


def stopped_beside(snapshot: Snapshot, code: str) -> list[str]:
    """The unheated dwellings beside one that were stopped within the week."""
    unheated = unheated_beside(snapshot, code)
    return [one for one in unheated if snapshot.at - _stopped_at(snapshot, one) <= LATELY]


def unheated_near(snapshot: Snapshot, code: str) -> list[str]:
    """The same, two walls away as well; by code."""
    beside = snapshot.network.neighbours(code)
    far = {other for one in beside for other in unheated_beside(snapshot, one)}
    return sorted(far.union(unheated_beside(snapshot, code)) - {code})


def newly_unheated(snapshot: Snapshot, code: str) -> list[str]:
    """Those within two walls whose stop is so recent that their chill is not usual of it yet."""
    near = snapshot.network.near(code) & snapshot.unheated
    near = near.union(unheated_beside(snapshot, code)) - {code}
    return sorted(one for one in near if snapshot.at - _stopped_at(snapshot, one) < LEARNT)


def chilled(snapshot: Snapshot, code: str) -> bool:
    """Whether unheated neighbours explain how far a dwelling lies below its fellows.

    Of those two walls away only a recent stop does: what an older one costs is usual of it.
    """
    walls = set(unheated_beside(snapshot, code)).intersection(snapshot.network.neighbours(code))
    if walls:
        return _within(snapshot.under_fellows_k(code), _felt(snapshot, code, walls))
    return bool(newly_unheated(snapshot, code)) and _chilled_beyond(snapshot, code)


def _felt(snapshot: Snapshot, code: str, beside: Collection[str]) -> float:
    """How many unheated neighbours a dwelling feels: a cluster is colder than its parts alone."""
    beyond = set(unheated_near(snapshot, code)).difference(unheated_beside(snapshot, code))
    return len(beside) + TWO_WALLS * len(beyond)


def _within(off_k: float, felt: float) -> bool:
    """Whether so many unheated neighbours cost as much, if it is known how much."""
    return bool(np.isnan(off_k)) or CHILL_K[0] <= off_k <= CHILL_K[1] * felt


def _as_chilled(snapshot: Snapshot, code: str, unheated: Sequence[str]) -> bool:
    """Whether a dwelling lies below its fellows as unheated neighbours would make it.

    What neighbours cost that were stopped long ago is usual of it by now; who falls much below that
    has another cause. Of who was always cold nothing was learnt.
    """
    row = snapshot.network.index[code]
    if snapshot.usual_k is not None and snapshot.usual_k[row] != 0.0:
        changed, spread = (float(values[row]) for values in snapshot.offsets)
        stopped = max(_stopped_at(snapshot, one) for one in unheated)
        if snapshot.at - stopped >= LEARNT and -changed > CHANGES_K + SURE_SD * spread:
            return False
    return _within(snapshot.under_fellows_k(code), _felt(snapshot, code, unheated))


def _chilled_beyond(snapshot: Snapshot, code: str) -> bool:
    """The same two walls away: less cold than the one between, or a little cold for long."""
    off = snapshot.under_fellows_k(code)
    if np.isnan(off) or off < BEYOND_K[0]:
        return bool(np.isnan(off))
    between = [v for v in snapshot.network.neighbours(code) if unheated_beside(snapshot, v)]
    depths = [snapshot.under_fellows_k(v) for v in between]
    if any(depth >= off + BEYOND_K[0] for depth in depths):
        return True
    changed = -float(snapshot.offsets[0][snapshot.network.index[code]])
    unknown = int(np.isnan(depths).sum())  # each may be as cold as an unheated neighbour makes it
    return max(off, changed) <= BEYOND_K[1] * max(1, unknown)


def cluster(snapshot: Snapshot, unheated: Sequence[str]) -> set[str]:
    """The cluster of the one that was stopped last: that is what changed.

    Unheated dwellings are one cluster where they share a wall or a landing, and the day of their
    stop: what was stopped long before is another cause.
    """
    last = max(unheated, key=lambda code: _stopped_at(snapshot, code))
    found, fresh = {last}, {last}
    while fresh:
        fresh = {
            other
            for code in fresh
            for other in unheated_beside(snapshot, code)
            if other not in found and _are_one(snapshot, code, other)
        }
        found |= fresh
    return found


def _are_one(snapshot: Snapshot, code: str, other: str) -> bool:
    """Whether two unheated dwellings beside each other belong together."""
    return abs(_stopped_at(snapshot, code) - _stopped_at(snapshot, other)) < timedelta(days=1)


def _stopped_at(snapshot: Snapshot, unheated: str) -> datetime:
    """Since when an unheated dwelling has been so."""
    periods = snapshot.network.statuses[unheated]
    return next(period.since for period in periods if period.holds(snapshot.at))


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
