"""What only the rooms tell: the deepest place whose shift explains the cold dwellings below it.

The posterior over the tree (``analytics.localise.tree``) names buildings, entrances, risers and
dwellings that lie off their fellows. Cold dwellings that lie off nobody share their circuit's or
their source's trouble; where that is not general either, each waits as undetermined.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from analytics import evidence
from analytics.causes import choice, features
from analytics.causes.places import place_weights
from analytics.explain.neighbours import unheated_near
from analytics.explain.telling import COMMON, finding
from analytics.localise.contrast import lone_dwelling, lone_entrance
from analytics.localise.dwellings import unit_causes
from analytics.localise.tree import SHAPES, Posterior
from analytics.snapshot import Floats, Snapshot
from hearthline.domain.findings import Cause, Evidence, EvidenceCode, Finding
from hearthline.domain.places import PlaceKind

SURE = 0.5
LEAST_COLD = 2
LEAST_SHARE = {PlaceKind.BUILDING: 0.25, PlaceKind.ENTRANCE: 0.3, PlaceKind.RISER: 0.4}
"""Cold ones among a place's measured dwellings before it is told as a whole."""
STEEP_K = -2.0  # on top; a closed valve chills those above and below it by no more than 1.4 K
DEEPER_K = 2.0  # below its place, which is thrice what a healthy dwelling strays
COMMON_SHARE = 0.6  # of the measured dwellings (and of the branches) below a place
COMMON_COLD = 3  # fewer cold dwellings are told one by one
ALIKE_SD = 1.645  # one healthy dwelling in twenty lies further below its fellows


def shifted_places(snapshot: Snapshot, left: frozenset[str]) -> list[Finding]:
    """One finding per shifted place with cold dwellings below it."""
    if not left:
        return []
    told = snapshot.posterior(frozenset(snapshot.cold) - left)
    enough = supported(snapshot, left)
    enough |= {place: True for place in enough if _cold_on_top(snapshot, told, place, left)}
    found: Mapping[str, list[str]] = defaultdict(list)
    for code in sorted(left):
        place = place_of(snapshot, told, enough, code, SURE)
        if place is not None:
            found[place].append(code)
    found = in_lone_parts(snapshot, found, snapshot.offsets[0])
    return [told_at(snapshot, told, place, frozenset(cold)) for place, cold in found.items()]


def place_of(
    snapshot: Snapshot, told: Posterior, supported: Mapping[str, bool], code: str, sure: float
) -> str | None:
    """The topmost place at or above a dwelling that has surely shifted; None where none has.

    A dwelling that is much colder than the place above it is one for itself.
    """
    tree = snapshot.places
    above, at = [], tree.number[code]
    while at >= 0:
        above.append(at)
        at = int(tree.parent[at])
    for place in reversed(above):
        shifted = told.share[place] >= sure and told.shift_k[place] < 0
        if shifted and supported.get(tree.codes[place], False):
            return code if is_deeper(snapshot, told, place, code) else tree.codes[place]
    return None


def in_lone_parts(
    snapshot: Snapshot, found: Mapping[str, list[str]], offset: Floats
) -> dict[str, list[str]]:
    """What was found of a place of which one part alone is cold is told of the part.

    Of a building that is one entrance, of a riser one dwelling with those that it may chill; who
    is too far from it is cold for another reason.
    """
    told: dict[str, list[str]] = defaultdict(list)
    for place, cold in found.items():
        kind, lone = snapshot.kind(place), None
        if kind is PlaceKind.BUILDING:
            lone = lone_entrance(snapshot, place, offset)
        elif kind is PlaceKind.RISER:
            lone = lone_dwelling(snapshot, place, offset)
        if lone is not None and kind is PlaceKind.RISER:
            near = snapshot.network.near(lone) | {lone}
            cold = [code for code in cold if code in near]  # noqa: PLW2901
        if cold:
            told[lone or place].extend(cold)
    return told


def is_deeper(snapshot: Snapshot, told: Posterior, place: int, code: str) -> bool:
    """Whether a dwelling is so much colder than its place that it has a cause of its own."""
    row = snapshot.network.index[code]
    off, shift = float(snapshot.offsets[0][row]), float(told.shift_k[place])
    return off <= 2.0 * shift and off <= shift - DEEPER_K


def supported(snapshot: Snapshot, left: frozenset[str]) -> dict[str, bool]:
    """Whether enough of each place's measured dwellings are cold that the place may be told."""
    tree = snapshot.places
    cold: dict[str, int] = defaultdict(int)
    for code in left:
        at = tree.number[code]
        while at >= 0:
            cold[tree.codes[at]] += 1
            at = int(tree.parent[at])
    found = {}
    for place, count in cold.items():
        share = LEAST_SHARE.get(snapshot.kind(place))
        measured = len(snapshot.measured(place))
        found[place] = share is None or count >= max(LEAST_COLD, share * measured)
    return found


def _cold_on_top(snapshot: Snapshot, told: Posterior, place: str, left: frozenset[str]) -> bool:
    """Whether a riser is off like one with air in it, and its upper half is cold enough.

    The lower half lies off as well, but by a quarter of that: its dwellings are rarely cold.
    """
    at = snapshot.places.number[place]
    steep = SHAPES[int(told.shape[at])] == "top" and told.shift_k[at] <= STEEP_K
    if not steep or snapshot.kind(place) is not PlaceKind.RISER:
        return False
    height, index = snapshot.places.height, snapshot.network.index
    upper = [code for code in snapshot.measured(place) if height[index[code]] > 0.5]
    least = max(LEAST_COLD, LEAST_SHARE[PlaceKind.RISER] * len(upper))
    return len(left.intersection(upper)) >= least and _worst_end(snapshot, place) == "top"


def told_at(snapshot: Snapshot, told: Posterior, place: str, cold: frozenset[str]) -> Finding:
    """A finding at a shifted place."""
    kind, at = snapshot.kind(place), snapshot.places.number[place]
    if kind is PlaceKind.UNIT:
        return _dwelling(snapshot, place, cold)
    shape = SHAPES[int(told.shape[at])]
    shift = float(told.shift_k[at])
    question = features.of_place(snapshot, place, shape, shift)
    if kind is PlaceKind.BUILDING:
        likely = _building_causes(shape, shift)
    else:
        likely = place_weights(snapshot, place)
    ranked = choice.ranked(question, likely)
    pieces = [
        Evidence(
            EvidenceCode.PLACE_OFF,
            {
                "off_k": round(-shift, 1),
                "sensed": int(told.measured[at]),
                "chance_pct": round(100 * float(told.share[at])),
            },
        ),
        evidence.share(snapshot, place),
        evidence.deepest(snapshot, cold),
    ]
    if shape != "even":
        pieces.append(evidence.shape(shape))
    pieces += evidence.not_cold(snapshot, place)
    pieces += evidence.siblings(snapshot, place)
    pieces.append(evidence.meter_word(snapshot, place))
    return finding(snapshot, place, ranked, cold, pieces)


def _worst_end(snapshot: Snapshot, place: str) -> str:
    """Which end of a riser is colder by more than chance; "" where neither is, or for others."""
    if snapshot.kind(place) is not PlaceKind.RISER:
        return ""
    rows = snapshot.network.below(place)
    offset, spread = snapshot.offsets[0][rows], snapshot.offsets[1][rows]
    height = snapshot.places.height[rows]
    known = ~np.isnan(offset)
    top, ground = offset[known & (height > 0.5)], offset[known & (height <= 0.5)]
    if len(top) < 2 or len(ground) < 2:
        return ""
    doubt = float(np.median(spread[known])) * np.sqrt(1 / len(top) + 1 / len(ground))
    higher = float(top.mean() - ground.mean())
    return "" if abs(higher) < 2.0 * doubt else "ground" if higher > 0 else "top"


def _building_causes(shape: str, shift_k: float) -> dict[Cause, float]:
    """What is likely of a building when no meter tells: its shape along the riser, its depth."""
    deep = shift_k <= -3.8  # vertical imbalance costs at most 3.7 K from ground to top
    if shape != "even" and not deep:
        return {Cause.VERTICAL_IMBALANCE: 0.8, Cause.STRAINER_CLOGGED: 0.2}
    return {
        Cause.STRAINER_CLOGGED: 0.55,
        Cause.HYDRAULIC_IMBALANCE: 0.3,
        Cause.PIPES_SWAPPED: 0.15,
    }


def _dwelling(snapshot: Snapshot, place: str, cold: frozenset[str]) -> Finding:
    offset, _ = snapshot.offsets
    off = -float(offset[snapshot.network.index[place]])
    worst = place if place in snapshot.cold else min(cold)
    pieces = [
        evidence.below_for(snapshot, worst),
        evidence.deepest(snapshot, cold),
        *evidence.warm_peers(snapshot, worst),
    ]
    if np.isfinite(off):
        pieces.insert(1, Evidence(EvidenceCode.DWELLING_OFF, {"off_k": round(off, 1)}))
    ranked, more = unit_causes(snapshot, place)
    return finding(snapshot, place, ranked, cold, [*pieces, *more])


def common_places(snapshot: Snapshot, left: frozenset[str]) -> list[Finding]:
    """Cold dwellings that lie off nobody: their circuit or their source, or not yet known."""
    findings = []
    for root in snapshot.network.roots() if left else ():
        for place, cold in _descend(snapshot, left, root):
            kind = snapshot.kind(place)
            if kind is PlaceKind.UNIT:
                pieces = [evidence.below_for(snapshot, place), evidence.deepest(snapshot, cold)]
                pieces += evidence.warm_peers(snapshot, place)
            else:
                pieces = [evidence.share(snapshot, place), evidence.deepest(snapshot, cold)]
                pieces += evidence.siblings(snapshot, place)
                pieces.append(evidence.meter_word(snapshot, place))
            near = kind is PlaceKind.UNIT and bool(unheated_near(snapshot, place))
            priors = NEAR_UNHEATED if near else PRIORS.get(kind, ())
            ranked = [(Cause.UNDETERMINED, 0.4), *priors]
            findings.append(finding(snapshot, place, ranked, cold, pieces))
    return findings


# What is likely at a place when neither meters nor rooms tell (requirement 19).
PRIORS = {
    PlaceKind.UNIT: (
        (Cause.ENVELOPE, 0.15),
        (Cause.TURNED_DOWN, 0.15),
        (Cause.VALVE_CLOSED, 0.15),
        (Cause.RADIATOR_COVERED, 0.1),
    ),
    PlaceKind.CIRCUIT: ((Cause.CONTROL_CURVE, 0.3), (Cause.EXCHANGER_FOULED, 0.15)),
    PlaceKind.SUBSTATION: ((Cause.CONTROL_CURVE, 0.3), (Cause.EXCHANGER_FOULED, 0.15)),
    PlaceKind.SOURCE: ((Cause.SOURCE_SHORTAGE, 0.6),),
}


NEAR_UNHEATED = (
    (Cause.NEIGHBOUR_UNHEATED, 0.2),
    (Cause.ENVELOPE, 0.15),
    (Cause.TURNED_DOWN, 0.1),
    (Cause.VALVE_CLOSED, 0.1),
)
"""The same of a dwelling within two walls of unheated ones, which chill it by 0.3 to 3 K."""


def _descend(
    snapshot: Snapshot, left: frozenset[str], place: str
) -> list[tuple[str, frozenset[str]]]:
    """Circuits, substations or sources that are cold in general; else the dwellings one by one."""
    network = snapshot.network
    cold = left.intersection(network.codes(network.below(place)))
    if not cold:
        return []
    if snapshot.kind(place) not in COMMON:
        return [(code, frozenset({code})) for code in sorted(cold)]
    kids = network.children.get(place, ())
    measured = [kid for kid in kids if snapshot.measured(kid)]
    spread = sum(_cold_share(snapshot, left, kid) >= COMMON_SHARE for kid in measured)
    general = _cold_share(snapshot, left, place) >= COMMON_SHARE and len(cold) >= COMMON_COLD
    if general and len(measured) > 1 and spread >= COMMON_SHARE * len(measured):
        return [(place, cold)]
    if snapshot.kind(place) is not PlaceKind.SOURCE:
        alike = frozenset(code for code in cold if _like_fellows(snapshot, code))
        if len(alike) >= COMMON_COLD:
            rest = [(code, frozenset({code})) for code in sorted(cold - alike)]
            return [(place, alike), *rest]
    return [part for kid in kids for part in _descend(snapshot, left, kid)]


def _like_fellows(snapshot: Snapshot, code: str) -> bool:
    """Whether a dwelling lies off its fellows by no more than it may on any day."""
    row = snapshot.network.index[code]
    offset, spread = snapshot.offsets
    return not offset[row] < -ALIKE_SD * spread[row]


def _cold_share(snapshot: Snapshot, left: frozenset[str], place: str) -> float:
    measured = snapshot.measured(place)
    return len(left.intersection(measured)) / len(measured) if measured else 0.0
