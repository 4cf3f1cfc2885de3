"""What a cold place does to those beyond its walls: they are chilled, and no cause of their own.

Heat flows through party walls: a dwelling beside a cold entrance lies 1 to 3 K under its fellows
like one beside an unheated flat (domain facts, section 3). A small finding within two walls of a
colder place joins that place's, and so does one of a branch next door to the one cold entrance of
its building that lies off no further than this makes it (``localise.contrast``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analytics.localise.contrast import SPILLS, lone_entrance
from analytics.snapshot import Floats, Snapshot
from hearthline.domain.findings import Finding, TicketKind
from hearthline.domain.places import PlaceKind

SMALL = 4  # dwellings; more than these and than the source has are cold for a reason of their own
DEEPER_K = 1.0
CHILLS = 0.4
"""Of its own depression: what a cold dwelling costs one beyond its wall at most (a closed valve a
quarter, an unheated flat of 6 K up to 3 K less what others give); two walls away a third of it."""
STRAYS_K = 1.0  # one healthy dwelling in a hundred lies further below its fellows
BRANCHES = frozenset({PlaceKind.ENTRANCE, PlaceKind.RISER, PlaceKind.UNIT})
PARTS = BRANCHES - {PlaceKind.UNIT}


def join_spilled(snapshot: Snapshot, findings: Sequence[Finding]) -> list[Finding]:
    """The findings with those folded in that another one's cold spills over to."""
    kept = dict(enumerate(findings))
    for at in sorted(kept, key=lambda at: (len(findings[at].cold), findings[at].place)):
        small = kept[at]  # with what spilled over to it
        if not _may_be_spill(snapshot, small):
            continue
        others = [n for n, one in kept.items() if n != at and _may_spill(snapshot, one)]
        source = next((n for n in others if _chills(snapshot, kept[n], small)), None)
        if source is not None:
            del kept[at]
            large = kept[source]
            both = large.cold | small.cold
            kept[source] = replace(large, cold=both, affected=large.affected | small.cold)
    return list(kept.values())


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


def _chills(snapshot: Snapshot, source: Finding, small: Finding) -> bool:
    return _reaches(snapshot, source, small) or _in_shade(snapshot, source, small)


def _in_shade(snapshot: Snapshot, source: Finding, small: Finding) -> bool:
    """Whether a branch is colder than it should be by its building's one cold entrance alone."""
    network, offset = snapshot.network, snapshot.offsets[0]
    if not {snapshot.kind(small.place), snapshot.kind(source.place)} <= PARTS:
        return False
    homes = [network.ancestor(one.place, PlaceKind.BUILDING) for one in (source, small)]
    building = homes[0]
    if building is None or homes[1] != building:
        return False
    if lone_entrance(snapshot, building, offset) != source.place:
        return False
    if not _touch(snapshot, source.place, network.ancestor(small.place, PlaceKind.ENTRANCE)):
        return False
    deep, mild = (_known(offset[network.below(one.place)]) for one in (source, small))
    return bool(len(deep) and len(mild) and mild.mean() >= SPILLS * deep.mean())


def _touch(snapshot: Snapshot, place: str, other: str | None) -> bool:
    """Whether two entrances share a wall."""
    network = snapshot.network
    inside = frozenset(network.codes(network.below(place)))
    beside = network.codes(network.below(other or place))
    return any(not inside.isdisjoint(network.neighbours(code)) for code in beside)


def _known(offset: Floats) -> Floats:
    return offset[~np.isnan(offset)]


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
