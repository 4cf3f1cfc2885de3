"""Dwellings that are cold by what no dwelling has for itself are one finding of what they share.

Air gathers at the head of a riser, and valves are set badly along a riser or throughout a building
(domain facts, section 3). Where only the ends fall below the standard each looks like a dwelling by
itself; two of one riser, or of the same end of a building, have one cause, and one ticket.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence

from analytics import evidence
from analytics.explain.telling import finding
from analytics.snapshot import Snapshot
from hearthline.domain.findings import Cause, Finding, TicketKind
from hearthline.domain.places import PlaceKind

OF_RISERS = frozenset({Cause.AIR_LOCK, Cause.VERTICAL_IMBALANCE})
OF_BUILDINGS = frozenset({Cause.VERTICAL_IMBALANCE})
MIDDLE = (
    0.5  # of the way up a riser: what is set badly is short at one end and has plenty at the other
)
WITHIN = (PlaceKind.RISER, PlaceKind.ENTRANCE, PlaceKind.BUILDING)


def join_shared(snapshot: Snapshot, findings: Sequence[Finding]) -> list[Finding]:
    """The findings with those of single dwellings joined that have one cause."""

    def riser(one: Finding) -> Hashable:
        return one.cause in OF_RISERS and snapshot.network.ancestor(one.place, PlaceKind.RISER)

    def end(one: Finding) -> Hashable:
        building = snapshot.network.ancestor(one.place, PlaceKind.BUILDING)
        high = snapshot.places.height[snapshot.network.index[one.place]] > MIDDLE
        return one.cause in OF_BUILDINGS and building and (building, bool(high))

    return _joined(snapshot, _joined(snapshot, findings, riser), end)


def _joined(
    snapshot: Snapshot, findings: Sequence[Finding], key: Callable[[Finding], Hashable]
) -> list[Finding]:
    """Findings of single dwellings with the same key as one; where it says nothing they stay."""
    alike: dict[Hashable, list[Finding]] = defaultdict(list)
    for one in findings:
        single = one.kind is TicketKind.SUPPLY and snapshot.kind(one.place) is PlaceKind.UNIT
        if single and not one.proven and (same := key(one)):
            alike[same].append(one)
    several = [parts for parts in alike.values() if len(parts) > 1]
    gone = {id(one) for parts in several for one in parts}
    kept = [one for one in findings if id(one) not in gone]
    return kept + [_as_one(snapshot, parts) for parts in several]


def _as_one(snapshot: Snapshot, parts: Sequence[Finding]) -> Finding:
    """One finding at the smallest place that holds them all; its causes' chances are their mean."""
    ancestor = snapshot.network.ancestor
    above = ({ancestor(one.place, kind) for one in parts} for kind in WITHIN)
    place = next(code for codes in above if len(codes) == 1 for code in codes if code is not None)
    chances: dict[Cause, float] = defaultdict(float)
    for one in parts:
        for cause, chance in one.ranked:
            chances[cause] += chance / len(parts)
    ranked = sorted(chances.items(), key=lambda item: (-item[1], item[0]))
    cold = frozenset().union(*(one.cold for one in parts))
    pieces = [evidence.share(snapshot, place), evidence.deepest(snapshot, cold)]
    pieces += [*evidence.not_cold(snapshot, place), *evidence.siblings(snapshot, place)]
    return finding(snapshot, place, ranked, cold, pieces)
