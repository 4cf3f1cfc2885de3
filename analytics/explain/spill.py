"""What a cold place does to those beyond its walls: they are chilled, and no cause of their own.

Heat flows through party walls: a dwelling beside a cold entrance lies 1 to 3 K under its fellows
like one beside an unheated flat (domain facts, section 3). A small finding within two walls of a
colder place joins that place's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analytics.snapshot import Snapshot
from hearthline.domain.findings import Finding, TicketKind
from hearthline.domain.places import PlaceKind

SMALL = 4  # dwellings; more than these and than the source has are cold for a reason of their own
DEEPER_K = 1.0
CHILLS = 0.4
"""Of its own depression: what a cold dwelling costs one beyond its wall at most (a closed valve a
quarter, an unheated flat of 6 K up to 3 K less what others give); two walls away a third of it."""
STRAYS_K = 1.0  # one healthy dwelling in a hundred lies further below its fellows
BRANCHES = frozenset({PlaceKind.ENTRANCE, PlaceKind.RISER, PlaceKind.UNIT})


def join_spilled(snapshot: Snapshot, findings: Sequence[Finding]) -> list[Finding]:
    """The findings with those folded in that another one's cold spills over to."""
    kept = list(findings)
    for small in sorted(findings, key=lambda f: (len(f.cold), f.place)):
        if not _may_be_spill(snapshot, small):
            continue
        others = [f for f in kept if f is not small and _may_spill(snapshot, f)]
        source = next((f for f in others if _reaches(snapshot, f, small)), None)
        if source is not None and small in kept:
            kept.remove(small)
            at = kept.index(source)
            both = source.cold | small.cold
            kept[at] = replace(source, cold=both, affected=source.affected | small.cold)
    return kept


def _may_be_spill(snapshot: Snapshot, finding: Finding) -> bool:
    local = snapshot.kind(finding.place) in BRANCHES
    supply = finding.kind is TicketKind.SUPPLY
    return supply and local and not finding.proven and bool(finding.cold)


def _may_spill(snapshot: Snapshot, finding: Finding) -> bool:
    return (
        finding.kind is TicketKind.SUPPLY
        and snapshot.kind(finding.place) in BRANCHES
        and bool(finding.cold)
    )


def _reaches(snapshot: Snapshot, source: Finding, small: Finding) -> bool:
    """Whether every cold dwelling of ``small`` is within two walls of ``source``, and milder."""
    if len(small.cold) > max(SMALL, len(source.cold)):
        return False
    network = snapshot.network
    own = network.codes(network.below(source.place))
    for near in map(network.near, small.cold):
        if near.isdisjoint(source.cold) and near.isdisjoint(own):
            return False
    deep, mild = _depth(snapshot, source.cold), _usual_depth(snapshot, small.cold)
    if not (np.isfinite(deep) and np.isfinite(mild) and deep >= mild + DEEPER_K):
        return False
    inside = source.cold.union(own)
    chill = [_chill(snapshot, code, inside, deep) for code in small.cold]
    return bool(mild <= float(np.median(chill)) + STRAYS_K)


def _chill(snapshot: Snapshot, code: str, inside: frozenset[str], deep: float) -> float:
    """What a cold place can cost a dwelling beyond its walls, K; ``deep`` where nobody measures."""
    beside = inside.intersection(snapshot.network.neighbours(code))
    if not beside:
        return CHILLS * deep / 3.0
    depths = [snapshot.under_fellows_k(one) for one in beside]
    return CHILLS * sum(max(0.0, d) if np.isfinite(d) else deep for d in depths)


def _usual_depth(snapshot: Snapshot, cold: frozenset[str]) -> float:
    """How far the median of some dwellings lies under its fellows, K."""
    under = [snapshot.under_fellows_k(code) for code in cold]
    known = [value for value in under if np.isfinite(value)]
    return float(np.median(known)) if known else float("nan")


def _depth(snapshot: Snapshot, cold: frozenset[str]) -> float:
    """How far the deepest of some dwellings lies under its fellows, K."""
    under = [snapshot.under_fellows_k(code) for code in cold]
    known = [value for value in under if np.isfinite(value)]
    return max(known, default=float("nan"))
