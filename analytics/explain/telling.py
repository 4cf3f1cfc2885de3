"""How an explainer says what it found: one finding with its evidence for and against."""

from __future__ import annotations

from collections.abc import Sequence

from analytics import evidence
from analytics.localise.ranking import Ranked
from analytics.snapshot import Snapshot
from hearthline.domain.findings import Evidence, Finding
from hearthline.domain.places import PlaceKind

COMMON = frozenset({PlaceKind.SOURCE, PlaceKind.SUBSTATION, PlaceKind.CIRCUIT})
"""Places that several buildings share."""


def finding(
    snapshot: Snapshot,
    place: str,
    ranked: Ranked,
    cold: frozenset[str],
    pieces: Sequence[Evidence],
    *,
    affected: frozenset[str] | None = None,
) -> Finding:
    """A finding; unless told otherwise it affects every heated dwelling at or below its place."""
    network = snapshot.network
    if affected is None:
        affected = frozenset(network.codes(network.below(place))).difference(snapshot.unheated)
    return Finding(
        at=snapshot.at,
        place=place,
        cause=ranked[0][0],
        confidence=round(ranked[0][1], 3),
        cold=cold,
        affected=affected | cold,
        evidence=tuple(pieces),
        ranked=tuple((cause, round(chance, 3)) for cause, chance in ranked),
        common=snapshot.kind(place) in COMMON,
    )


def at_branch(
    snapshot: Snapshot,
    place: str,
    ranked: Ranked,
    left: frozenset[str],
    pieces: Sequence[Evidence],
) -> Finding:
    """A finding at a place that explains all that is cold below it."""
    cold = left.intersection(snapshot.cold_below(place))
    told = [*pieces]
    if cold:
        told += [evidence.share(snapshot, place), evidence.deepest(snapshot, cold)]
    told += evidence.not_cold(snapshot, place)
    told += evidence.siblings(snapshot, place)
    return finding(snapshot, place, ranked, cold, told)
