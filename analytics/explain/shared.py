"""Dwellings that are cold by what no dwelling has for itself are one finding of what they share.

Air gathers at the head of a riser, and valves are set badly along a riser or throughout a building
(domain facts, section 3). Where only the ends fall below the standard each looks like a dwelling by
itself; two of one riser, or of the same end of a building, have one cause, and one ticket.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

import numpy as np

from analytics import evidence
from analytics.explain.apart import against_fellows
from analytics.explain.calls import called, told_by_calls
from analytics.explain.rooms import is_deeper, told_at
from analytics.explain.telling import finding
from analytics.localise.tree import Posterior, locate
from analytics.snapshot import Snapshot
from hearthline.domain.findings import Cause, Finding, TicketKind
from hearthline.domain.places import PlaceKind

OF_RISERS = frozenset({Cause.AIR_LOCK, Cause.VERTICAL_IMBALANCE})
OF_BUILDINGS = frozenset({Cause.VERTICAL_IMBALANCE})
MIDDLE = (
    0.5  # of the way up a riser: what is set badly is short at one end and has plenty at the other
)
WITHIN = (PlaceKind.RISER, PlaceKind.ENTRANCE, PlaceKind.BUILDING)
PARTS = frozenset({PlaceKind.UNIT, PlaceKind.RISER, PlaceKind.ENTRANCE})
SURE = 0.5  # that a place has shifted rather than several parts of it


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


def join_coincident(snapshot: Snapshot, findings: Sequence[Finding]) -> list[Finding]:
    """The findings with those joined that one place explains better than chance.

    Two dwellings of one riser that are cold for reasons of their own within days are a coincidence;
    that the riser is, is not. The posterior over the tree weighs one against the other, with
    all who are measured there and all who were told by phone (``localise.tree``).
    """
    parts = [one for one in findings if _may_be_part(snapshot, one)]
    if not _share_a_building(snapshot, parts):
        return list(findings)
    told = _posterior(snapshot, findings, parts)
    kept = list(findings)
    for kind in WITHIN:  # the smallest place that holds them all says no more than they do
        for place in sorted({_above(snapshot, one, kind) for one in parts} - {""}):
            mine = [one for one in parts if _is_part(snapshot, told, place, one)]
            if len(mine) > 1 and _has_shifted(snapshot, told, place):
                whole = _told(snapshot, told, place, mine)
                kept = [*_without(kept, mine), whole]
                parts = [*_without(parts, mine), whole]
    return kept


def _without(findings: Sequence[Finding], some: Sequence[Finding]) -> list[Finding]:
    gone = {id(one) for one in some}
    return [one for one in findings if id(one) not in gone]


def _may_be_part(snapshot: Snapshot, one: Finding) -> bool:
    """Whether only rooms and callers tell of a finding, and something larger may be meant."""
    local = snapshot.kind(one.place) in PARTS
    ledger = one.cause is Cause.NEIGHBOUR_UNHEATED and one.place not in one.cold
    supply = one.kind is TicketKind.SUPPLY and not one.proven
    return supply and local and not ledger and bool(one.cold)


def _share_a_building(snapshot: Snapshot, parts: Sequence[Finding]) -> bool:
    homes = [_above(snapshot, one, PlaceKind.BUILDING) for one in parts]
    return len(set(homes)) < len(homes)


def _above(snapshot: Snapshot, one: Finding, kind: PlaceKind) -> str:
    """The place of a kind above a finding's; "" where there is none."""
    place = snapshot.network.ancestor(one.place, kind)
    return "" if place is None or place == one.place else place


def _posterior(
    snapshot: Snapshot, findings: Sequence[Finding], parts: Sequence[Finding]
) -> Posterior:
    """Which places have shifted beyond what others than the parts explain."""
    offset, spread = against_fellows(snapshot)
    index = snapshot.network.index
    mine = frozenset().union(*(one.cold for one in parts))
    for one in findings:
        if one.kind is TicketKind.SUPPLY and not one.common:
            offset[[index[code] for code in one.cold - mine]] = np.nan
    insisting = {c: snapshot.reported[c] for c in mine.intersection(snapshot.reported)}
    calls = snapshot.calls_of({**insisting, **snapshot.unexplained})
    return locate(snapshot.places, offset, spread, calls)


def _is_part(snapshot: Snapshot, told: Posterior, place: str, one: Finding) -> bool:
    path_of = snapshot.network.path_of
    if not path_of[one.place].startswith(path_of[place]):
        return False
    single = snapshot.kind(one.place) is PlaceKind.UNIT
    return not (single and is_deeper(snapshot, told, snapshot.places.number[place], one.place))


def _has_shifted(snapshot: Snapshot, told: Posterior, place: str) -> bool:
    at = snapshot.places.number[place]
    return bool(told.share[at] >= SURE and told.shift_k[at] < 0)


def _told(snapshot: Snapshot, told: Posterior, place: str, parts: Sequence[Finding]) -> Finding:
    """What several findings are parts of."""
    cold = frozenset().union(*(one.cold for one in parts))
    reported = cold.intersection(snapshot.reported)
    if cold == reported:
        one = told_by_calls(snapshot, told, place, cold)
    else:
        one = told_at(snapshot, told, place, cold)
        if reported:
            one = replace(one, evidence=(*one.evidence, called(snapshot, reported)))
    return replace(one, apart=any(part.apart for part in parts))
