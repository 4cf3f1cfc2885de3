"""Why is it cold, and where: a list of explainers over one snapshot of the city.

Each explainer looks at the snapshot and at the cold dwellings that nothing explained yet, and
returns findings; what a finding covers is taken out of the set before the next one looks. The
order is the triage order of the physics: meters that contradict nature first, then circulation,
then what hangs on one branch, then the neighbours, then the common place, and last the dwelling
alone. A finding prints what speaks for it and what against.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from analytics import evidence
from analytics.signs import Sign, Signal
from analytics.snapshot import Snapshot
from hearthline.domain.findings import Cause, Evidence, EvidenceCode, Finding
from hearthline.domain.places import HeatingStatus, PlaceKind

COMMON_SHARE = 0.6  # of the measured dwellings (and of the branches) below a place
COMMON_COLD = 3  # fewer cold dwellings are told one by one
CHILLED_K = 1.0  # unheated neighbours cost a dwelling 1 to 3 K against its riser


Explainer = Callable[[Snapshot, frozenset[str]], list[Finding]]


def diagnose(snapshot: Snapshot) -> list[Finding]:
    """All findings of a snapshot; together they cover every cold dwelling exactly once."""
    findings: list[Finding] = []
    left = frozenset(snapshot.cold)
    for explain in EXPLAINERS:
        found = explain(snapshot, left)
        findings += found
        left = left.difference(*(finding.cold for finding in found))
    return findings


def stuck_sensors(snapshot: Snapshot, _left: frozenset[str]) -> list[Finding]:
    """Sensors that lie by repeating themselves: an instrument technician's ticket."""
    return [
        Finding(
            at=snapshot.at,
            place=sensor.place,
            cause=Cause.SENSOR_STUCK,
            confidence=0.95,
            cold=frozenset(),
            affected=frozenset({sensor.place}),
            evidence=evidence.flat_sensor(sensor),
            ranked=((Cause.SENSOR_STUCK, 0.95), (Cause.SENSOR_MISPLACED, 0.05)),
            device_uid=sensor.device_uid,
        )
        for sensor in snapshot.stuck
    ]


def pumps_tripped(snapshot: Snapshot, left: frozenset[str]) -> list[Finding]:
    """A station's circulation has stopped: everything below it cools with the building's τ."""
    findings = []
    for signal in snapshot.signs(Sign.FLOW_STOPPED):
        flow = Evidence(
            EvidenceCode.FLOW_STOPPED,
            {
                "place": evidence.label(snapshot, signal.place),
                "before_m3h": round(signal.before_m3h, 1),
                "flow_m3h": round(signal.flow_m3h, 1),
            },
        )
        ranked = ((Cause.PUMP_TRIP, 0.9), (Cause.LEAK, 0.06), (Cause.STRAINER_CLOGGED, 0.04))
        findings.append(_branch_finding(snapshot, left, signal, ranked, (flow,)))
    return findings


def pipes_swapped(snapshot: Snapshot, left: frozenset[str]) -> list[Finding]:
    """A meter that reads supply below return: the pipes are reversed above it."""
    findings = []
    for signal in snapshot.signs(Sign.DELTA_NEGATIVE):
        delta = Evidence(
            EvidenceCode.DELTA_NEGATIVE,
            {
                "place": evidence.label(snapshot, signal.place),
                "supply_c": round(signal.supply_c, 1),
                "return_c": round(signal.return_c, 1),
            },
        )
        ranked = ((Cause.PIPES_SWAPPED, 0.92), (Cause.SENSOR_MISPLACED, 0.08))
        findings.append(_branch_finding(snapshot, left, signal, ranked, (delta,)))
    return findings


def strainers_clogged(snapshot: Snapshot, left: frozenset[str]) -> list[Finding]:
    """A branch that lost flow, with a cold return, and whose dwellings begin to feel it."""
    findings = []
    for signal in snapshot.signs(Sign.FLOW_LOW):
        if not left.intersection(snapshot.cold_below(signal.place)):
            continue
        pieces = (
            Evidence(
                EvidenceCode.FLOW_LOW,
                {
                    "ratio_pct": 100 * signal.flow_m3h / signal.before_m3h,
                    "before_m3h": signal.before_m3h,
                    "flow_m3h": signal.flow_m3h,
                },
            ),
            Evidence(
                EvidenceCode.RETURN_LOW,
                {
                    "return_c": signal.return_c,
                    "short_k": signal.peers_return_c - signal.return_c,
                },
            ),
        )
        ranked = (
            (Cause.STRAINER_CLOGGED, 0.75),
            (Cause.HYDRAULIC_IMBALANCE, 0.17),
            (Cause.AIR_LOCK, 0.08),
        )
        findings.append(_branch_finding(snapshot, left, signal, ranked, pieces))
    return findings


def neighbours_unheated(snapshot: Snapshot, left: frozenset[str]) -> list[Finding]:
    """Cold dwellings beside unheated ones: one finding per cluster of unheated dwellings.

    The place is the first dwelling of the cluster, since that is where the cause sits; the
    members are the dwellings that it chills.
    """
    chilled: dict[str, list[str]] = defaultdict(list)
    for place, _cold in _common_places(snapshot, left):
        if snapshot.network.nodes[place].kind is not PlaceKind.UNIT:
            continue
        unheated = _unheated_beside(snapshot, place)
        if unheated and _colder_than_peers(snapshot, place):
            chilled[min(_cluster(snapshot, unheated))].append(place)
    return [_chilled_finding(snapshot, place, victims) for place, victims in chilled.items()]


def _chilled_finding(snapshot: Snapshot, place: str, victims: Sequence[str]) -> Finding:
    worst = min(victims, key=lambda code: (snapshot.cold[code].min_c, code))
    unheated = sorted({code for victim in victims for code in _unheated_beside(snapshot, victim)})
    most = max(len(_unheated_beside(snapshot, victim)) for victim in victims)
    pieces = [
        Evidence(
            EvidenceCode.NEIGHBOUR_STOPPED,
            {"count": len(unheated), "places": evidence.labels(snapshot, unheated)},
        ),
        evidence.below_for(snapshot, worst),
        evidence.deepest(snapshot, victims),
        *evidence.warm_peers(snapshot, worst),
    ]
    ranked = _rank(
        (Cause.NEIGHBOUR_UNHEATED, min(0.85, 0.5 + 0.15 * most)), Cause.VALVE_CLOSED, Cause.ENVELOPE
    )
    cold = frozenset(victims)
    return _finding(snapshot, place, ranked, cold, pieces, affected=cold)


def _unheated_beside(snapshot: Snapshot, code: str) -> list[str]:
    """Dwellings that share a wall or ceiling with one and are not heated now."""
    status = snapshot.network.status
    return [
        beside
        for beside in snapshot.network.neighbours(code)
        if status(beside, snapshot.at) is not HeatingStatus.ON
    ]


def _cluster(snapshot: Snapshot, unheated: Sequence[str]) -> set[str]:
    """All unheated dwellings that these touch, directly or across one dwelling between them."""
    found, fresh = set(unheated), set(unheated)
    while fresh:
        beside = {n for code in fresh for n in snapshot.network.neighbours(code)}
        reached = {n for code in beside | fresh for n in _unheated_beside(snapshot, code)}
        fresh = reached - found
        found |= fresh
    return found


def _colder_than_peers(snapshot: Snapshot, unit: str) -> bool:
    """Whether a dwelling lies clearly below the heated ones of its riser."""
    peers, level = evidence.heated_peers(snapshot, unit), snapshot.level_c.get(unit)
    return not peers or level is None or float(np.mean(peers)) - level >= CHILLED_K


def common_places(snapshot: Snapshot, left: frozenset[str]) -> list[Finding]:
    """What the meters do not explain: the deepest place that all the cold dwellings share."""
    findings = []
    for place, cold in _common_places(snapshot, left):
        kind = snapshot.network.nodes[place].kind
        pieces = [evidence.share(snapshot, place), evidence.deepest(snapshot, cold)]
        pieces += evidence.siblings(snapshot, place)
        pieces.append(evidence.meter_word(snapshot, place))
        if kind is PlaceKind.UNIT:
            pieces = [evidence.below_for(snapshot, place), evidence.deepest(snapshot, cold)]
            pieces += evidence.warm_peers(snapshot, place)
        ranked = ((Cause.UNDETERMINED, 0.4), *_PRIORS.get(kind, ()))
        findings.append(_finding(snapshot, place, ranked, frozenset(cold), pieces))
    return findings


EXPLAINERS: Sequence[Explainer] = (
    stuck_sensors,
    pipes_swapped,
    pumps_tripped,
    strainers_clogged,
    neighbours_unheated,
    common_places,
)

# What is likely at a place when no meter tells, from the causes on record (requirement 19).
_PRIORS: Mapping[PlaceKind, tuple[tuple[Cause, float], ...]] = {
    PlaceKind.UNIT: (
        (Cause.VALVE_CLOSED, 0.2),
        (Cause.ENVELOPE, 0.15),
        (Cause.TURNED_DOWN, 0.15),
        (Cause.WINDOW_OPEN, 0.1),
    ),
    PlaceKind.RISER: ((Cause.AIR_LOCK, 0.4), (Cause.VERTICAL_IMBALANCE, 0.2)),
    PlaceKind.ENTRANCE: ((Cause.STRAINER_CLOGGED, 0.3), (Cause.PIPES_SWAPPED, 0.3)),
    PlaceKind.BUILDING: ((Cause.STRAINER_CLOGGED, 0.3), (Cause.HYDRAULIC_IMBALANCE, 0.3)),
    PlaceKind.CIRCUIT: ((Cause.PUMP_TRIP, 0.3), (Cause.CONTROL_CURVE, 0.3)),
    PlaceKind.SUBSTATION: ((Cause.CONTROL_CURVE, 0.3), (Cause.EXCHANGER_FOULED, 0.3)),
    PlaceKind.SOURCE: ((Cause.SOURCE_SHORTAGE, 0.6),),
}


def _common_places(snapshot: Snapshot, left: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    """The deepest places that explain the cold dwellings in ``left``, each with its own."""
    found: list[tuple[str, frozenset[str]]] = []
    for root in snapshot.network.roots():
        found += _descend(snapshot, left, root)
    return found


def _descend(
    snapshot: Snapshot, left: frozenset[str], place: str
) -> list[tuple[str, frozenset[str]]]:
    network = snapshot.network
    cold = left.intersection(network.codes(network.below(place)))
    if not cold:
        return []
    if network.nodes[place].kind is PlaceKind.UNIT:
        return [(place, cold)]
    kids = network.children.get(place, ())
    measured = [kid for kid in kids if snapshot.measured(kid)]
    share_of = {kid: _cold_share(snapshot, left, kid) for kid in measured}
    spread = sum(share >= COMMON_SHARE for share in share_of.values())
    general = _cold_share(snapshot, left, place) >= COMMON_SHARE and len(cold) >= COMMON_COLD
    if general and len(measured) > 1 and spread >= COMMON_SHARE * len(measured):
        return [(place, cold)]
    return [part for kid in kids for part in _descend(snapshot, left, kid)]


def _cold_share(snapshot: Snapshot, left: frozenset[str], place: str) -> float:
    measured = snapshot.measured(place)
    return len(left.intersection(measured)) / len(measured) if measured else 0.0


def _branch_finding(
    snapshot: Snapshot,
    left: frozenset[str],
    signal: Signal,
    ranked: tuple[tuple[Cause, float], ...],
    pieces: tuple[Evidence, ...],
) -> Finding:
    """A finding at a metered branch: it explains all that is cold below it."""
    cold = left.intersection(snapshot.cold_below(signal.place))
    told = [*pieces]
    if cold:
        told += [evidence.share(snapshot, signal.place), evidence.deepest(snapshot, cold)]
    told += evidence.not_cold(snapshot, signal.place)
    told += evidence.siblings(snapshot, signal.place)
    return _finding(snapshot, signal.place, ranked, cold, told)


def _finding(
    snapshot: Snapshot,
    place: str,
    ranked: Sequence[tuple[Cause, float]],
    cold: frozenset[str],
    pieces: Sequence[Evidence],
    *,
    affected: frozenset[str] | None = None,
) -> Finding:
    """A finding; unless told otherwise it affects every heated dwelling at or below its place."""
    network = snapshot.network
    if affected is None:
        affected = frozenset(
            code
            for code in network.codes(network.below(place))
            if network.status(code, snapshot.at) is HeatingStatus.ON
        )
    return Finding(
        at=snapshot.at,
        place=place,
        cause=ranked[0][0],
        confidence=ranked[0][1],
        cold=cold,
        affected=affected,
        evidence=tuple(pieces),
        ranked=tuple(ranked),
    )


def _rank(first: tuple[Cause, float], *others: Cause) -> tuple[tuple[Cause, float], ...]:
    rest = (1 - first[1]) / len(others)
    return (first, *((cause, round(rest, 3)) for cause in others))
