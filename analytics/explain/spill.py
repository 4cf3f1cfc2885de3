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
    inside = source.cold.union(network.codes(network.below(source.place)))
    if not all(network.near(code) & inside for code in small.cold):
        return False
    deep, mild = _depth(snapshot, source.cold), _usual_depth(snapshot, small.cold)
    return bool(np.isfinite(deep) and np.isfinite(mild) and deep >= mild + DEEPER_K)


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
