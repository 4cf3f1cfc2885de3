"""Causes of their own beneath a common one: who is far colder than all that share the trouble.

A shortage, a stopped pump or a low curve cools everybody alike, within what time constants differ
(45 to 101 h, domain facts, section 3): a common fall of D K cools dwellings by D · (1 ± 0.3). A
place that lies further off its fellows has a cause of its own, whatever else goes on. How unevenly
a circuit falls is measured where enough of it is. Two signs do not cool all alike, and what they do
is taken off first: shifted flows cool some buildings and warm others, and a leak takes the top
floors' water. Where the meter of a dwelling's own building tells that it lost flow, or runs
backwards, and too few of its entrance are measured to tell whether the rest of it is cold as well,
the meter comes first (``meters.flow_lost``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.explain.meters import SINKS_ON, TAIL
from analytics.explain.neighbours import chilled
from analytics.explain.rooms import in_lone_parts, place_of, supported, told_at
from analytics.explain.telling import COMMON
from analytics.localise.tree import SHAPES, Posterior, locate
from analytics.robust import NORMAL, median
from analytics.signs import Sign, Signal
from analytics.snapshot import PEERS, Snapshot
from hearthline.domain.findings import Finding
from hearthline.domain.places import PlaceKind

Floats = NDArray[np.float64]

UNEVEN = 0.3  # of a common fall: how much dwellings differ in it, where too few are measured
BACK = 2 / 3
"""Of what has come back: the fall that is as uneven. Of a fall of D K, x is left after two days,
half of it where τ is 70 h; a τ that differs by 0.3 makes x differ by 0.3 · x · ln(D / x), which is
a fifth of what has come back."""
MANY = 10  # measured dwellings of a circuit tell how unevenly it falls
OF_A_FLOOR = 5  # measured dwellings of a floor of a circuit tell what it shares
OF_A_BRANCH = frozenset({Sign.FLOW_LOW, Sign.DELTA_NEGATIVE})
SURE = 0.95
OWN_K, NEW_K, BRANCH_K = 2.5, 2.0, 1.3
"""How far a dwelling lies off its fellows to be a cause of its own while they are cold too: some
four standard deviations of a healthy one (0.6 K), less where it became cold only after the common
cause had ended; several dwellings together are surer."""
LASTING_K, LASTING_H = 1.6, 24
"""The same over a day, whose mean strays less than that of six hours: one healthy dwelling in a
thousand lies 1.1 K off, and this is half as much again. What its floor of the building shares is
taken off first, since badly set valves cool whole floors."""
SHAPED = 1.5  # a shift that grows along the riser is told by its far end, which is the whole of it
UPPER, UPPER_SD = 0.75, 0.674  # the upper quartile tells what healthy dwellings of a building do


@dataclass(frozen=True)
class _Beneath:
    """The common causes that act or did until a while ago, and who is beneath them."""

    signals: Sequence[Signal]
    codes: frozenset[str]

    @classmethod
    def of(cls, snapshot: Snapshot) -> _Beneath:
        """What goes on at an instant."""
        lately = [
            signal
            for signal in snapshot.ended
            if signal.until is not None and snapshot.at - signal.until <= TAIL
        ]
        network = snapshot.network
        acting = [
            signal
            for signal in (*snapshot.signals, *lately)
            if signal.place in network.nodes and snapshot.kind(signal.place) in COMMON
        ]
        places = {signal.place for signal in acting}
        codes = {code for place in places for code in network.codes(network.below(place))}
        return cls(acting, frozenset(codes))

    def over(self, snapshot: Snapshot, code: str) -> list[Signal]:
        """The signals that a place is beneath."""
        path_of = snapshot.network.path_of
        return [s for s in self.signals if path_of[code].startswith(path_of[s.place])]


def own_causes(snapshot: Snapshot, left: frozenset[str]) -> list[Finding]:
    """Places beneath a common cause that are much colder than their fellows."""
    beneath = _Beneath.of(snapshot)
    pool = left.intersection(beneath.codes)
    pool -= _of_a_branch(snapshot, pool)
    pool = frozenset(code for code in pool if not _explained(snapshot, beneath, code))
    if not pool:
        return []
    return _standing_out(snapshot, beneath, pool, _against_fellows(snapshot, beneath))


def _standing_out(
    snapshot: Snapshot,
    beneath: _Beneath,
    pool: frozenset[str],
    fellows: tuple[Floats, Floats, Floats],
) -> list[Finding]:
    """Places of some cold dwellings that stand out; who is too far from one is looked at again."""
    offset, spread, uneven = fellows
    told = locate(snapshot.places, offset, spread)
    enough = supported(snapshot, pool)
    found: dict[str, list[str]] = defaultdict(list)
    for code in sorted(pool):
        place = place_of(snapshot, told, enough, code, SURE)
        if place is not None and _stands_out(snapshot, told, beneath, place, uneven):
            found[place].append(code)
    findings, hidden, far = [], offset.copy(), set()
    for place, cold in in_lone_parts(snapshot, found, offset).items():
        away = _beyond_walls(snapshot, place, cold)
        if away:
            hidden[snapshot.network.below(place)] = np.nan
            far |= away
        if mine := frozenset(cold) - away:
            findings.append(replace(told_at(snapshot, told, place, mine), apart=True))
    if far:
        findings += _standing_out(snapshot, beneath, frozenset(far), (hidden, spread, uneven))
    return findings


def _beyond_walls(snapshot: Snapshot, place: str, cold: Sequence[str]) -> set[str]:
    """Those that are neither in a place nor within two walls of it: it cannot chill them."""
    network = snapshot.network
    inside = set(network.codes(network.below(place)))
    return {code for code in cold if code not in inside and network.near(code).isdisjoint(inside)}


def _of_a_branch(snapshot: Snapshot, pool: frozenset[str]) -> frozenset[str]:
    """Those whose building's meter tells of them, and who have hardly a measured fellow."""
    network = snapshot.network
    told = {signal.place for signal in snapshot.signals if signal.sign in OF_A_BRANCH}
    found: set[str] = set()
    for code in pool:
        entrance = network.ancestor(code, PlaceKind.ENTRANCE)
        if network.ancestor(code, PlaceKind.BUILDING) in told and entrance is not None:
            found.update({code} if len(snapshot.measured(entrance)) < PEERS else ())
    return frozenset(found)


def _stands_out(
    snapshot: Snapshot, told: Posterior, beneath: _Beneath, place: str, uneven: Floats
) -> bool:
    """Whether a place is colder than its fellows by more than the common causes explain."""
    at = snapshot.places.number[place]
    common = float(np.max(uneven[snapshot.network.below(place)], initial=0.0))
    over = beneath.over(snapshot, place)
    signs = {signal.sign for signal in over}
    shape = SHAPES[int(told.shape[at])]
    if snapshot.kind(place) is PlaceKind.UNIT:
        bar = OWN_K if _was_cold(snapshot, place, over) else NEW_K
        bar = LASTING_K if _lasts(snapshot, place, LASTING_K + common, signs) else bar
    elif _as_flows(snapshot, place, shape) and Sign.FLOWS_SHIFTED in signs:
        return False
    else:
        bar = BRANCH_K if shape == "even" else SHAPED * BRANCH_K
    return float(told.shift_k[at]) <= -(bar + common)


def _as_flows(snapshot: Snapshot, place: str, shape: str) -> bool:
    """Whether a place lies off as flows make it: a whole building, from floor to floor alike."""
    return snapshot.kind(place) is PlaceKind.BUILDING and shape == "even"


def _lasts(snapshot: Snapshot, unit: str, bar_k: float, signs: Set[Sign]) -> bool:
    """Whether a dwelling has lain as far below its fellows and its own past for a day.

    Shifted flows warm some buildings: what such a one gained is taken off as well.
    """
    if snapshot.courses is None:
        return False
    network, row = snapshot.network, snapshot.network.index[unit]
    building = network.ancestor(unit, PlaceKind.BUILDING) or unit
    below = network.below(building)
    day = _day_means(snapshot.courses.hourly_k[below, -LASTING_H:])
    floors = network.floors[below]
    mine = row - below.start
    beside = (floors == floors[mine]) & ~np.isnan(day)
    beside[mine] = False
    shared = float(np.median(day[beside])) if beside.sum() >= PEERS else 0.0
    shared = shared if Sign.FLOWS_SHIFTED in signs else min(0.0, shared)
    return float(day[mine]) - shared <= -bar_k


def _day_means(hourly: Floats) -> Floats:
    """Means of the known hours of a day, (dwellings,); NaN where fewer than half are known."""
    known = ~np.isnan(hourly)
    count = known.sum(axis=1)
    total = np.where(known, hourly, 0.0).sum(axis=1)
    return np.where(2 * count >= LASTING_H, total / np.maximum(count, 1), np.nan)


def _was_cold(snapshot: Snapshot, unit: str, over: Sequence[Signal]) -> bool:
    """Whether a dwelling became cold while a common cause acted, or soon after."""
    since = snapshot.cold[unit].since if unit in snapshot.cold else snapshot.at
    ends = [s.until + SINKS_ON if s.until else snapshot.at + timedelta(days=1) for s in over]
    return any(since <= end for end in ends)


def _explained(snapshot: Snapshot, beneath: _Beneath, code: str) -> bool:
    """Whether a dwelling's neighbours explain its cold, or its height does: a leak's do.

    The highest floors lose their water first; how much of it is the leak's is told by whoever is
    measured beside them.
    """
    if chilled(snapshot, code):
        return True
    row = snapshot.network.index[code]
    leaks = any(s.sign is Sign.MAKEUP_HIGH for s in beneath.over(snapshot, code))
    return leaks and bool(snapshot.places.height[row] > 0.5) and not _has_floor(snapshot, code)


def _has_floor(snapshot: Snapshot, code: str) -> bool:
    """Whether enough dwellings of the same floor of a circuit are measured."""
    network, row = snapshot.network, snapshot.network.index[code]
    circuit = network.ancestor(code, PlaceKind.CIRCUIT) or network.ancestor(
        code, PlaceKind.SUBSTATION
    )
    rows = network.below(circuit or code)
    floors = network.floors[rows]
    same = floors == floors[row - rows.start]
    return int((same & ~np.isnan(snapshot.offsets[0][rows])).sum()) >= OF_A_FLOOR


def _against_fellows(snapshot: Snapshot, beneath: _Beneath) -> tuple[Floats, Floats, Floats]:
    """Offsets, spreads and unevenness of falls, (dwellings,), less what the common causes do."""
    network = snapshot.network
    offset, spread = (values.copy() for values in snapshot.offsets)
    shifted = [s.place for s in beneath.signals if s.sign is Sign.FLOWS_SHIFTED]
    for place in shifted:
        for code in _buildings(snapshot, place):
            rows = network.below(code)
            offset[rows] -= _healthy_k(offset[rows], spread[rows])
    uneven = np.zeros(len(offset))
    for code, node in network.nodes.items():
        if node.kind in (PlaceKind.CIRCUIT, PlaceKind.SUBSTATION):
            rows = network.below(code)
            shared = np.zeros(rows.stop - rows.start)
            if any(s.sign is Sign.MAKEUP_HIGH for s in beneath.over(snapshot, code)):
                shared = _of_floors_k(snapshot, rows, offset[rows])
            offset[rows] -= shared
            ended = any(s.until for s in beneath.over(snapshot, code))
            most = UNEVEN * _fallen_k(snapshot, rows, ended)
            common = np.minimum(most, _unevenness_k(offset[rows], spread[rows]))
            uneven[rows] = np.maximum(uneven[rows], np.hypot(common, UNEVEN * shared))
    spread = np.hypot(spread, uneven)
    deep = {network.dwellings[int(at)].code for at in np.flatnonzero(offset <= -OWN_K)}
    for code in beneath.codes:
        if chilled(snapshot, code) or (code not in deep and _beside(snapshot, code, deep)):
            offset[network.index[code]] = np.nan
    return offset, spread, uneven


def _of_floors_k(snapshot: Snapshot, rows: slice, offset: Floats) -> Floats:
    """What dwellings share with those of their floor in a circuit, K, nought or less."""
    floors = snapshot.network.floors[rows]
    shared = np.zeros(len(offset))
    for floor in np.unique(floors):
        here = floors == floor
        known = offset[here & ~np.isnan(offset)]
        if len(known) >= OF_A_FLOOR:
            shared[here] = min(0.0, float(np.median(known)))
    return shared


def _unevenness_k(offset: Floats, spread: Floats) -> float:
    """By how much more dwellings differ now than they do when all is well, K; ∞ if not known."""
    known = ~np.isnan(offset)
    if known.sum() < MANY:
        return np.inf
    off = offset[known]
    wide = NORMAL * float(np.median(np.abs(off - np.median(off))))
    return float(np.sqrt(max(0.0, wide**2 - float(np.median(spread[known])) ** 2)))


def _beside(snapshot: Snapshot, code: str, deep: Set[str]) -> bool:
    """Whether a dwelling shares a wall with one that is very cold, and is chilled by it."""
    return not deep.isdisjoint(snapshot.network.neighbours(code))


def against_fellows(snapshot: Snapshot) -> tuple[Floats, Floats]:
    """Offsets and spreads of all dwellings, (dwellings,), less what common causes do to them."""
    offset, spread, _ = _against_fellows(snapshot, _Beneath.of(snapshot))
    return offset, spread


def _fallen_k(snapshot: Snapshot, rows: slice, ended: bool) -> float:
    """By how much the median dwelling has fallen within the last hours, K.

    Where a common cause has ``ended``, what it has come back counts as a fall of ``BACK`` of it.
    """
    if snapshot.courses is None:
        return 0.0
    levels = snapshot.courses.level_c[rows]
    known = ~np.isnan(levels).all(axis=0) if len(levels) else np.zeros(0, bool)
    if not known.any():
        return 0.0
    course = median(levels[:, known], axis=0)
    fallen = float(course.max() - course[-1])
    return max(fallen, BACK * float(course[-1] - course.min())) if ended else fallen


def _buildings(snapshot: Snapshot, place: str) -> list[str]:
    """The buildings below a place."""
    network = snapshot.network
    path = network.path_of[place]
    nodes = network.nodes.values()
    return [n.code for n in nodes if n.kind is PlaceKind.BUILDING and n.path.startswith(path)]


def _healthy_k(offset: Floats, spread: Floats) -> float:
    """Where the healthy dwellings of a building lie, though up to half of it may have a fault."""
    known = ~np.isnan(offset)
    if not known.any():
        return 0.0
    return float(np.quantile(offset[known], UPPER)) - UPPER_SD * float(np.median(spread[known]))
