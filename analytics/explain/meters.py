"""What the meters prove by themselves: one rule a sign, from the source down to the branches.

A sign opens its finding whether or not anybody is cold yet, and explains all that is cold below
its place. A branch that lost a little flow may only have been throttled, so it waits until
somebody is cold; the rooms then tell whether it is the building or one of its entrances.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from math import isfinite

from analytics import evidence
from analytics.causes import choice, features
from analytics.explain.telling import at_branch, finding
from analytics.localise.contrast import lone_entrance
from analytics.localise.ranking import normalised
from analytics.localise.tree import SHAPES, Posterior
from analytics.plant import BRANCH_FLOW_LOW
from analytics.signs import Sign, Signal
from analytics.snapshot import Snapshot
from hearthline.domain.findings import Cause, Evidence, EvidenceCode, Finding
from hearthline.domain.places import PlaceKind

DEEP_RATIO_PCT = 75.0  # of its flow: nobody throttles a branch so far on purpose
SUDDEN_H = 3.0  # a joint or a valve changes within hours, dirt gathers over days
COOLED_K = 0.5  # low flow makes the return low, poor emission makes it high (section 3)
SURE = 0.5
SINKS_ON = timedelta(hours=6)  # rooms go on sinking for a while after a repair
TAIL = timedelta(hours=72)  # a building's time constant is 45 to 101 h (section 3)


@dataclass(frozen=True, slots=True)
class MeterRule:
    """What a sign means: causes with their chances, and the sentence that tells its numbers."""

    sign: Sign
    sentence: EvidenceCode
    ranked: tuple[tuple[Cause, float], ...]


RULES: tuple[MeterRule, ...] = (
    MeterRule(
        Sign.SOURCE_SHORT,
        EvidenceCode.SOURCE_SHORT,
        ((Cause.SOURCE_SHORTAGE, 0.93), (Cause.CONTROL_CURVE, 0.04), (Cause.LEAK, 0.03)),
    ),
    MeterRule(
        Sign.DELTA_NEGATIVE,
        EvidenceCode.DELTA_NEGATIVE,
        ((Cause.PIPES_SWAPPED, 0.92), (Cause.SENSOR_MISPLACED, 0.08)),
    ),
    MeterRule(
        Sign.FLOW_STOPPED,
        EvidenceCode.FLOW_STOPPED,
        ((Cause.PUMP_TRIP, 0.9), (Cause.LEAK, 0.06), (Cause.STRAINER_CLOGGED, 0.04)),
    ),
    MeterRule(
        Sign.MAKEUP_HIGH,
        EvidenceCode.MAKEUP_HIGH,
        ((Cause.LEAK, 0.93), (Cause.AIR_LOCK, 0.04), (Cause.PUMP_TRIP, 0.03)),
    ),
    MeterRule(
        Sign.SUPPLY_LOW,
        EvidenceCode.SUPPLY_LOW,
        (
            (Cause.CONTROL_CURVE, 0.86),
            (Cause.EXCHANGER_FOULED, 0.08),
            (Cause.SOURCE_SHORTAGE, 0.06),
        ),
    ),
    MeterRule(
        Sign.FLOWS_SHIFTED,
        EvidenceCode.FLOWS_SHIFTED,
        (
            (Cause.HYDRAULIC_IMBALANCE, 0.88),
            (Cause.STRAINER_CLOGGED, 0.08),
            (Cause.PIPES_SWAPPED, 0.04),
        ),
    ),
    MeterRule(
        Sign.APPROACH_HIGH,
        EvidenceCode.APPROACH_HIGH,
        (
            (Cause.EXCHANGER_FOULED, 0.92),
            (Cause.CONTROL_CURVE, 0.04),
            (Cause.STRAINER_CLOGGED, 0.04),
        ),
    ),
)


HIDE_NOTHING: Mapping[Sign, frozenset[Sign]] = {Sign.FLOWS_SHIFTED: frozenset({Sign.SUPPLY_LOW})}
"""A surer sign of the same place makes others up, but how warm the water is does not share it out.
"""


def proven_by_meters(snapshot: Snapshot, left: frozenset[str]) -> list[Finding]:
    """One finding for each sign that speaks for itself."""
    findings: list[Finding] = []
    told: dict[str, set[Sign]] = defaultdict(set)
    for rule in RULES:
        for signal in snapshot.signs(rule.sign):
            if told[signal.place] - HIDE_NOTHING.get(rule.sign, frozenset()):
                continue
            told[signal.place].add(rule.sign)
            said = (_sentence(snapshot, rule.sentence, signal),)
            found = at_branch(snapshot, signal.place, rule.ranked, left, said)
            left = left - found.cold
            findings.append(replace(found, proven=True))
    return findings


def recovering(snapshot: Snapshot, left: frozenset[str]) -> list[Finding]:
    """Who is cold after what the meters no longer show: walls take days to warm again.

    Who became cold later is no exception: what is left of a common fall makes the weakest cold in
    the next cold night, as long as anybody is cold since it acted. Causes of their own were told
    before (``apart``).
    """
    findings = []
    for rule in RULES:
        for signal in snapshot.ended:
            if signal.sign is not rule.sign or signal.until is None:
                continue
            if snapshot.at - signal.until > TAIL:
                continue
            below = snapshot.cold_below(signal.place)
            cold = left.intersection(below)
            if cold and any(_sank(snapshot, code, signal) for code in below):
                ranked = ((Cause.UNDETERMINED, 0.4), (rule.ranked[0][0], 0.35))
                told = [
                    _sentence(snapshot, rule.sentence, signal),
                    evidence.share(snapshot, signal.place),
                    evidence.deepest(snapshot, cold),
                ]
                findings.append(finding(snapshot, signal.place, ranked, cold, told))
                left = left - cold
    return findings


def _sank(snapshot: Snapshot, code: str, signal: Signal) -> bool:
    """Whether a dwelling became cold while a sign that has ended was there, or soon after."""
    ended = signal.until or snapshot.at
    return signal.since <= snapshot.cold[code].since <= ended + SINKS_ON


def flow_lost(snapshot: Snapshot, left: frozenset[str]) -> list[Finding]:
    """Circuits and branches that lost flow, and who below them feels it."""
    reversed_at = {signal.place for signal in snapshot.signs(Sign.DELTA_NEGATIVE)}
    findings = []
    for signal in snapshot.signs(Sign.FLOW_LOW):
        if signal.place in reversed_at or _shifted_away(snapshot, signal):
            continue
        if snapshot.kind(signal.place) is PlaceKind.BUILDING:
            found = _branch(snapshot, left, signal)
        else:
            ranked = normalised(
                {Cause.STRAINER_CLOGGED: 0.86, Cause.PUMP_TRIP: 0.08, Cause.AIR_LOCK: 0.06}
            )
            told = (_sentence(snapshot, EvidenceCode.FLOW_LOW, signal),)
            found = at_branch(snapshot, signal.place, ranked, left, told)
        if found is not None:
            findings.append(replace(found, proven=True))
            left = left - found.cold
    return findings


def _shifted_away(snapshot: Snapshot, signal: Signal) -> bool:
    """Whether a branch lost no more than the flows of its circuit shift, now or lately.

    What some branches gain others lose; the sign of all of them together flickers where one changes
    for a reason of its own.
    """
    if _is_deep(signal):
        return False
    path = snapshot.network.path_of
    lately = [s for s in snapshot.ended if s.until and snapshot.at - s.until <= TAIL]
    return any(
        one.sign is Sign.FLOWS_SHIFTED and path[signal.place].startswith(path[one.place])
        for one in (*snapshot.signals, *lately)
    )


def _is_deep(signal: Signal) -> bool:
    return signal.values.get("ratio_pct", 100.0) <= DEEP_RATIO_PCT


def _branch(snapshot: Snapshot, left: frozenset[str], signal: Signal) -> Finding | None:
    """A building that lost flow: itself, or the entrance of it that is cold."""
    below = snapshot.cold_below(signal.place)
    felt = left.intersection(below) or (below and _beyond_stops(snapshot, signal))
    if not _is_deep(signal) and not felt:
        return None
    place, shape = _where(snapshot, signal.place)
    question = features.of_place(snapshot, place, shape or SHAPES[0], float("nan"))
    ranked = choice.ranked(question, _branch_causes(snapshot, signal, place, shape))
    pieces = [_sentence(snapshot, EvidenceCode.FLOW_LOW, signal)]
    short = _return_short_k(signal)
    if short >= COOLED_K:
        values = {"return_c": signal.values["return_c"], "short_k": short}
        pieces.append(Evidence(EvidenceCode.RETURN_LOW, values))
    if shape:
        pieces.append(evidence.shape(shape))
    return at_branch(snapshot, place, ranked, left, pieces)


def _beyond_stops(snapshot: Snapshot, signal: Signal) -> bool:
    """Whether a branch lost more flow than went with those of its dwellings that are not heated.

    Beneath a common cause everybody is cold by that: then the meter must tell by itself.
    """
    below = snapshot.network.codes(snapshot.network.below(signal.place))
    stopped = sum(code in snapshot.unheated for code in below) / max(len(below), 1)
    return signal.values.get("ratio_pct", 100.0) <= 100.0 * BRANCH_FLOW_LOW * (1.0 - stopped)


def _where(snapshot: Snapshot, building: str) -> tuple[str, str]:
    """The building, or the one entrance of it that the rooms point at; and the shift's shape."""
    tree, told = snapshot.places, snapshot.posterior()
    if building not in tree.number:
        return building, ""
    entrances = [
        code
        for code in snapshot.network.children.get(building, ())
        if snapshot.kind(code) is PlaceKind.ENTRANCE
    ]
    lone = lone_entrance(snapshot, building, snapshot.offsets[0])
    if lone is not None:
        return lone, _shape(told, tree.number[lone])
    numbers = [tree.number[code] for code in entrances]
    best = max(numbers, key=lambda at: float(told.probability[at]), default=-1)
    at = tree.number[building]
    if best >= 0 and told.probability[best] >= SURE and told.shift_k[best] < 0:
        return tree.codes[best], _shape(told, best)
    return building, _shape(told, at) if told.probability[at] >= SURE else ""


def _shape(told: Posterior, place: int) -> str:
    name = SHAPES[int(told.shape[place])]
    return "" if name == "even" else name


def _branch_causes(
    snapshot: Snapshot, signal: Signal, place: str, shape: str
) -> Mapping[Cause, float]:
    """How the loss came and how the rooms lie decide between dirt, joints and valves."""
    sudden = signal.values.get("fell_h", 0.0) <= SUDDEN_H
    deep = _is_deep(signal)
    cooled = _return_short_k(signal) >= COOLED_K
    if snapshot.kind(place) is PlaceKind.ENTRANCE:
        swapped = 0.75 if sudden else 0.12
        return {Cause.PIPES_SWAPPED: swapped, Cause.STRAINER_CLOGGED: 0.9 - swapped}
    if shape and sudden and not deep:
        return {
            Cause.VERTICAL_IMBALANCE: 0.7,
            Cause.PIPES_SWAPPED: 0.15,
            Cause.STRAINER_CLOGGED: 0.15,
        }
    if deep or not sudden:
        return {
            Cause.STRAINER_CLOGGED: 0.8,
            Cause.HYDRAULIC_IMBALANCE: 0.12,
            Cause.AIR_LOCK: 0.08,
        }
    if cooled:  # less water, each drop of it cooled further: valves, not radiators fed from below
        return {
            Cause.VERTICAL_IMBALANCE: 0.5,
            Cause.PIPES_SWAPPED: 0.25,
            Cause.HYDRAULIC_IMBALANCE: 0.2,
            Cause.STRAINER_CLOGGED: 0.05,  # dirt gathers over days
        }
    return {
        Cause.PIPES_SWAPPED: 0.5,
        Cause.VERTICAL_IMBALANCE: 0.25,
        Cause.HYDRAULIC_IMBALANCE: 0.2,
        Cause.STRAINER_CLOGGED: 0.05,
    }


def _return_short_k(signal: Signal) -> float:
    """By how much a branch's return lies below its peers', K; 0 where it is not known."""
    back, peers = (signal.values.get(k, float("nan")) for k in ("return_c", "peers_return_c"))
    return peers - back if isfinite(peers - back) else 0.0


def _sentence(snapshot: Snapshot, code: EvidenceCode, signal: Signal) -> Evidence:
    values = {key: round(value, 2) for key, value in signal.values.items() if isfinite(value)}
    return Evidence(code, {"place": evidence.label(snapshot, signal.place), **values})
