"""Why is it cold, and where: a list of explainers over one snapshot of the city.

Each explainer looks at the snapshot and at the cold dwellings that nothing explained yet, and
returns findings; what a finding covers is taken out of the set before the next one looks. The
order is the triage order of the physics: meters that contradict nature first, then circulation,
then what hangs on one branch, then the neighbours, then the common place, and last the dwelling
alone. A finding prints what speaks for it and what against.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from analytics.signs import Sign, Signal
from hearthline.domain.findings import Cause, Evidence, EvidenceCode, Finding
from hearthline.domain.network import Network
from hearthline.domain.places import HeatingStatus, PlaceKind

COMMON_SHARE = 0.6  # of the measured dwellings (and of the branches) below a place
COMMON_COLD = 3  # fewer cold dwellings are told one by one
NEIGHBOUR_WARM_K = 0.5  # heated peers of the riser are this far above the standard


@dataclass(frozen=True, slots=True)
class ColdDwelling:
    """One dwelling in an open episode: cold since, called cold at, and how cold at worst (°C)."""

    since: datetime
    opened_at: datetime
    min_c: float


@dataclass(frozen=True, slots=True)
class StuckSensor:
    """A sensor that repeats one value while its peers move."""

    device_uid: str
    place: str
    since: datetime
    value_c: float
    hours: float
    peers_moved_k: float


@dataclass(frozen=True)
class Snapshot:
    """The city at one instant, as far as it is known then.

    ``level_c`` is the last hourly mean of every dwelling with a trusted, recent sensor;
    ``cold`` a subset of its keys; ``signals`` the meter signs that hold at ``at``;
    ``flow_m3h`` what each branch meter reads; ``suspect`` the dwellings whose only sensor is
    of grade B; ``unowed`` those below the standard to which no heat is owed, and why.
    """

    at: datetime
    network: Network
    threshold_c: float
    level_c: Mapping[str, float]
    cold: Mapping[str, ColdDwelling]
    signals: Sequence[Signal] = ()
    stuck: Sequence[StuckSensor] = ()
    flow_m3h: Mapping[str, float] = field(default_factory=dict)
    suspect: frozenset[str] = frozenset()
    unowed: Mapping[str, HeatingStatus] = field(default_factory=dict)

    def measured(self, place: str) -> list[str]:
        """Heated dwellings below a place with a trusted, recent reading."""
        network = self.network
        return [code for code in network.codes(network.below(place)) if code in self.level_c]

    def cold_below(self, place: str) -> list[str]:
        """The cold dwellings at or below a place."""
        network = self.network
        return [code for code in network.codes(network.below(place)) if code in self.cold]


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
            evidence=_stuck_evidence(sensor),
            ranked=((Cause.SENSOR_STUCK, 0.95), (Cause.SENSOR_MISPLACED, 0.05)),
            device_uid=sensor.device_uid,
        )
        for sensor in snapshot.stuck
    ]


def _stuck_evidence(sensor: StuckSensor) -> tuple[Evidence, ...]:
    flat = Evidence(
        EvidenceCode.SENSOR_FLAT, {"value_c": round(sensor.value_c, 1), "hours": sensor.hours}
    )
    if np.isnan(sensor.peers_moved_k):
        return (flat,)
    moved = Evidence(EvidenceCode.PEERS_VARY, {"range_k": round(sensor.peers_moved_k, 1)})
    return (flat, moved)


def pumps_tripped(snapshot: Snapshot, left: frozenset[str]) -> list[Finding]:
    """A station's circulation has stopped: everything below it cools with the building's τ."""
    findings = []
    for signal in _signals(snapshot, Sign.FLOW_STOPPED):
        flow = Evidence(
            EvidenceCode.FLOW_STOPPED,
            {
                "place": _label(snapshot, signal.place),
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
    for signal in _signals(snapshot, Sign.DELTA_NEGATIVE):
        delta = Evidence(
            EvidenceCode.DELTA_NEGATIVE,
            {
                "place": _label(snapshot, signal.place),
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
    for signal in _signals(snapshot, Sign.FLOW_LOW):
        if not left.intersection(snapshot.cold_below(signal.place)):
            continue
        evidence = (
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
        findings.append(_branch_finding(snapshot, left, signal, ranked, evidence))
    return findings


def neighbours_unheated(snapshot: Snapshot, left: frozenset[str]) -> list[Finding]:
    """A single cold dwelling next to dwellings whose heating is stopped or restricted."""
    findings = []
    for place, cold in _common_places(snapshot, left):
        if len(cold) > COMMON_COLD or snapshot.network.nodes[place].kind is not PlaceKind.UNIT:
            continue
        unheated = [
            code
            for code in snapshot.network.neighbours(place)
            if snapshot.network.status(code, snapshot.at) is not HeatingStatus.ON
        ]
        peers = _heated_peers(snapshot, place)
        if not unheated or (peers and np.mean(peers) < snapshot.threshold_c + NEIGHBOUR_WARM_K):
            continue
        confidence = min(0.85, 0.5 + 0.15 * len(unheated))
        evidence = [
            Evidence(
                EvidenceCode.NEIGHBOUR_STOPPED,
                {"count": len(unheated), "places": ", ".join(unheated)},
            ),
            _below_for(snapshot, place),
            _deepest(snapshot, [place]),
        ]
        if peers:
            values = {"mean_c": round(float(np.mean(peers)), 1)}
            evidence.append(Evidence(EvidenceCode.NEIGHBOURS_WARM, values))
        ranked = _rank((Cause.NEIGHBOUR_UNHEATED, confidence), Cause.VALVE_CLOSED, Cause.ENVELOPE)
        findings.append(_finding(snapshot, place, ranked, frozenset({place}), evidence))
    return findings


def common_places(snapshot: Snapshot, left: frozenset[str]) -> list[Finding]:
    """What the meters do not explain: the deepest place that all the cold dwellings share."""
    findings = []
    for place, cold in _common_places(snapshot, left):
        kind = snapshot.network.nodes[place].kind
        evidence = [_share(snapshot, place), _deepest(snapshot, cold)]
        evidence += _siblings(snapshot, place)
        evidence.append(_meter_word(snapshot, place))
        if kind is PlaceKind.UNIT:
            evidence = [_below_for(snapshot, place), _deepest(snapshot, cold)]
            peers = _heated_peers(snapshot, place)
            if peers:
                values = {"mean_c": round(float(np.mean(peers)), 1)}
                evidence.append(Evidence(EvidenceCode.NEIGHBOURS_WARM, values))
        ranked = ((Cause.UNDETERMINED, 0.4), *_PRIORS.get(kind, ()))
        findings.append(_finding(snapshot, place, ranked, frozenset(cold), evidence))
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


def _signals(snapshot: Snapshot, sign: Sign) -> list[Signal]:
    """Signals of one sign that hold now, the topmost only where one hangs below another."""
    paths = {s.place: snapshot.network.nodes[s.place].path for s in snapshot.signals}
    mine = [s for s in snapshot.signals if s.sign is sign]
    return [
        signal
        for signal in mine
        if not any(
            paths[signal.place].startswith(paths[other.place]) and other.place != signal.place
            for other in mine
        )
    ]


def _branch_finding(
    snapshot: Snapshot,
    left: frozenset[str],
    signal: Signal,
    ranked: tuple[tuple[Cause, float], ...],
    evidence: tuple[Evidence, ...],
) -> Finding:
    """A finding at a metered branch: it explains all that is cold below it."""
    cold = left.intersection(snapshot.cold_below(signal.place))
    pieces = [*evidence]
    if cold:
        pieces += [_share(snapshot, signal.place), _deepest(snapshot, cold)]
    pieces += _not_cold(snapshot, signal.place) + _siblings(snapshot, signal.place)
    return _finding(snapshot, signal.place, ranked, cold, pieces)


def _finding(
    snapshot: Snapshot,
    place: str,
    ranked: Sequence[tuple[Cause, float]],
    cold: frozenset[str],
    evidence: Sequence[Evidence],
) -> Finding:
    network = snapshot.network
    return Finding(
        at=snapshot.at,
        place=place,
        cause=ranked[0][0],
        confidence=ranked[0][1],
        cold=cold,
        affected=frozenset(
            code
            for code in network.codes(network.below(place))
            if network.status(code, snapshot.at) is HeatingStatus.ON
        ),
        evidence=tuple(evidence),
        ranked=tuple(ranked),
    )


def _rank(first: tuple[Cause, float], *others: Cause) -> tuple[tuple[Cause, float], ...]:
    rest = (1 - first[1]) / len(others)
    return (first, *((cause, round(rest, 3)) for cause in others))


def _heated_peers(snapshot: Snapshot, unit: str) -> list[float]:
    """Levels of the other heated dwellings of the same riser, else of the same entrance."""
    for kind in (PlaceKind.RISER, PlaceKind.ENTRANCE):
        above = snapshot.network.ancestor(unit, kind)
        if above is None:
            continue
        peers = [snapshot.level_c[c] for c in snapshot.measured(above) if c != unit]
        if len(peers) >= COMMON_COLD:
            return peers
    return []


def _share(snapshot: Snapshot, place: str) -> Evidence:
    return Evidence(
        EvidenceCode.COLD_SHARE,
        {
            "cold": len(snapshot.cold_below(place)),
            "sensed": len(snapshot.measured(place)),
            "threshold_c": snapshot.threshold_c,
        },
    )


def _not_cold(snapshot: Snapshot, place: str) -> list[Evidence]:
    sensed, cold = len(snapshot.measured(place)), len(snapshot.cold_below(place))
    if sensed == cold:
        return []
    values = {"warm": sensed - cold, "sensed": sensed}
    return [Evidence(EvidenceCode.MEMBERS_NOT_COLD, values, against=True)]


def _siblings(snapshot: Snapshot, place: str) -> list[Evidence]:
    """What the rest of the parent does: warm siblings support, cold ones contradict."""
    parts = snapshot.network.nodes[place].path.rstrip("/").split("/")
    if len(parts) < 2:
        return []
    parent = parts[-2]
    mine = set(snapshot.measured(place))
    others = [code for code in snapshot.measured(parent) if code not in mine]
    if not others:
        return []
    cold = sum(code in snapshot.cold for code in others)
    values = {"cold": cold, "sensed": len(others), "parent": _label(snapshot, parent)}
    return [Evidence(EvidenceCode.SIBLINGS_WARM, values, against=cold > 0.3 * len(others))]


def _meter_word(snapshot: Snapshot, place: str) -> Evidence:
    """What the nearest branch meter says of a place that no sign explains: nothing unusual."""
    for code in reversed(snapshot.network.nodes[place].path.rstrip("/").split("/")):
        if code in snapshot.flow_m3h:
            values = {"place": _label(snapshot, code), "flow_m3h": snapshot.flow_m3h[code]}
            return Evidence(EvidenceCode.FLOW_NORMAL, values, against=True)
    return Evidence(EvidenceCode.NO_METER, against=True)


def _deepest(snapshot: Snapshot, cold: Sequence[str] | frozenset[str]) -> Evidence:
    coldest = min(cold, key=lambda code: (snapshot.cold[code].min_c, code))
    values = {
        "place": _label(snapshot, coldest),
        "min_c": round(snapshot.cold[coldest].min_c, 1),
    }
    return Evidence(EvidenceCode.DEEP_BELOW, values)


def _below_for(snapshot: Snapshot, unit: str) -> Evidence:
    hours = (snapshot.at - snapshot.cold[unit].since).total_seconds() / 3600
    values = {
        "place": _label(snapshot, unit),
        "threshold_c": snapshot.threshold_c,
        "hours": round(hours),
    }
    return Evidence(EvidenceCode.BELOW_FOR, values)


def _label(snapshot: Snapshot, place: str) -> dict[str, str]:
    return snapshot.network.nodes[place].label()
