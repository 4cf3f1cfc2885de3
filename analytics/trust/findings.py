"""What sensor trust concludes: one finding for each sensor of grade C, one for each silent gateway.

The sentences carry the numbers of the judgement: ``Trust.measure`` is the value it repeats (°C)
for a stuck sensor, the step (K) for a moved or swapped one, K above or below its peers by a
radiator or outdoors, K per 100 W/m² in the sun, K a week for a drift, hours for silence.

Confidences are the share of such findings that were right over simulated towns with faults of every
kind, rounded down.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from analytics.trust.model import GRADE_C, REASONS, Trust, TrustReason
from hearthline.domain.findings import Cause, Evidence, EvidenceCode, Finding
from hearthline.domain.network import Instrument, Network
from hearthline.domain.places import PlaceKind

Ranked = tuple[tuple[Cause, float], ...]

RANKED: Mapping[TrustReason, Ranked] = {
    TrustReason.STUCK: ((Cause.SENSOR_STUCK, 0.95), (Cause.SENSOR_MISPLACED, 0.05)),
    TrustReason.MOVED: (
        (Cause.SENSOR_MOVED, 0.6),
        (Cause.SENSOR_MISPLACED, 0.25),
        (Cause.SENSOR_SWAPPED, 0.15),
    ),
    TrustReason.SWAPPED: ((Cause.SENSOR_SWAPPED, 0.9), (Cause.SENSOR_MOVED, 0.1)),
    TrustReason.RADIATOR: ((Cause.SENSOR_MISPLACED, 0.9), (Cause.SENSOR_MOVED, 0.1)),
    TrustReason.SUN: ((Cause.SENSOR_MISPLACED, 0.95), (Cause.SENSOR_MOVED, 0.05)),
    TrustReason.OUTDOORS: (
        (Cause.SENSOR_MISPLACED, 0.85),
        (Cause.ENVELOPE, 0.1),
        (Cause.SENSOR_MOVED, 0.05),
    ),
    TrustReason.DRIFT: (
        (Cause.SENSOR_DRIFT, 0.8),
        (Cause.SENSOR_MISPLACED, 0.1),
        (Cause.RADIATOR_COVERED, 0.1),
    ),
    TrustReason.UNFELT: (
        (Cause.SENSOR_DRIFT, 0.45),
        (Cause.SENSOR_MISPLACED, 0.4),
        (Cause.SENSOR_MOVED, 0.15),
    ),
    TrustReason.BATTERY: ((Cause.SENSOR_BATTERY, 0.95), (Cause.GATEWAY_OUTAGE, 0.05)),
    TrustReason.SILENT: (
        (Cause.SENSOR_BATTERY, 0.85),
        (Cause.SENSOR_MOVED, 0.1),
        (Cause.GATEWAY_OUTAGE, 0.05),
    ),
    TrustReason.GATEWAY_OUT: ((Cause.GATEWAY_OUTAGE, 0.95), (Cause.SENSOR_BATTERY, 0.05)),
}
"""Causes behind a reason, best first. A jump alone does not say whether the sensor was knocked, was
hung elsewhere, or was exchanged with one that nobody sees."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """One sensor at one hour: its number, hours since it began, and what peers did meanwhile."""

    measure: float
    hours: float
    flat_hours: int
    peers_moved_k: float


Say = Callable[[_Seen], list[Evidence]]


def findings(
    judged: Trust,
    sensors: Sequence[Instrument],
    network: Network,
    at: datetime,
    hour: int,
) -> list[Finding]:
    """Sensor findings at one hour of a judged window.

    Args:
        judged: what ``judge`` concluded; its rows are ``sensors``.
        sensors: the instruments.
        network: where they hang.
        at: the instant the findings are dated.
        hour: the window's hour that is looked at; nothing is found before the first.

    Returns:
        One finding a sensor of grade C with its device; one a building whose gateway is out.
    """
    if hour < 0:
        return []
    found: list[Finding] = []
    silent: dict[str, list[int]] = defaultdict(list)
    for row in map(int, np.flatnonzero(judged.grade[:, hour] == GRADE_C)):
        reason = REASONS[int(judged.reason[row, hour])]
        place = sensors[row].place
        if reason is TrustReason.GATEWAY_OUT:
            silent[network.ancestor(place, PlaceKind.BUILDING) or place].append(row)
        elif reason in SAYINGS:
            evidence = SAYINGS[reason](_seen(judged, row, hour))
            uid = sensors[row].uid
            found.append(_finding(at, place, reason, evidence, affected={place}, uid=uid))
    for place, rows in silent.items():
        values = {
            "count": len(rows),
            "place": network.label(place),
            "hours": max(_seen(judged, row, hour).hours for row in rows),
        }
        affected = {sensors[row].place for row in rows}
        evidence = [Evidence(EvidenceCode.GATEWAY_SILENT, values)]
        found.append(_finding(at, place, TrustReason.GATEWAY_OUT, evidence, affected=affected))
    return found


def _seen(judged: Trust, row: int, hour: int) -> _Seen:
    return _Seen(
        float(judged.measure[row, hour]),
        float(hour + 1 - judged.since[row, hour]),
        int(judged.flat_hours[row, hour]),
        float(judged.peers_moved_k[row, hour]),
    )


def _finding(
    at: datetime,
    place: str,
    reason: TrustReason,
    evidence: Sequence[Evidence],
    *,
    affected: Collection[str],
    uid: str | None = None,
) -> Finding:
    ranked = RANKED[reason]
    return Finding(
        at=at,
        place=place,
        cause=ranked[0][0],
        confidence=ranked[0][1],
        cold=frozenset(),
        affected=frozenset(affected),
        evidence=tuple(evidence),
        ranked=ranked,
        device_uid=uid,
    )


def _flat(seen: _Seen) -> list[Evidence]:
    values = {"value_c": seen.measure, "hours": float(seen.flat_hours)}
    evidence = [Evidence(EvidenceCode.SENSOR_FLAT, values)]
    if not np.isnan(seen.peers_moved_k):
        evidence.append(Evidence(EvidenceCode.PEERS_VARY, {"range_k": seen.peers_moved_k}))
    return evidence


def _number(code: EvidenceCode, name: str, *, size: bool = False) -> Say:
    """A sentence with the judgement's number (its size alone, where ``size``) and its hours."""

    def say(seen: _Seen) -> list[Evidence]:
        value = abs(seen.measure) if size else seen.measure
        return [Evidence(code, {name: value, "hours": seen.hours})]

    return say


def _drifts(seen: _Seen) -> list[Evidence]:
    values = {"rate_k": seen.measure, "days": round(seen.hours / 24.0)}
    return [Evidence(EvidenceCode.SENSOR_DRIFTS, values)]


def _unfelt(seen: _Seen) -> list[Evidence]:
    values = {"off_k": abs(seen.measure), "days": round(seen.hours / 24.0)}
    return [Evidence(EvidenceCode.SENSOR_UNFELT, values)]


def _battery(seen: _Seen) -> list[Evidence]:
    silent = Evidence(EvidenceCode.SENSOR_SILENT, {"hours": seen.hours})
    return [silent, Evidence(EvidenceCode.BATTERY_LOW, {})]


SAYINGS: Mapping[TrustReason, Say] = {
    TrustReason.STUCK: _flat,
    TrustReason.MOVED: _number(EvidenceCode.SENSOR_JUMPED, "step_k"),
    TrustReason.SWAPPED: _number(EvidenceCode.SENSORS_EXCHANGED, "step_k"),
    TrustReason.RADIATOR: _number(EvidenceCode.SENSOR_BY_RADIATOR, "off_k", size=True),
    TrustReason.SUN: _number(EvidenceCode.SENSOR_IN_SUN, "slope_k"),
    TrustReason.OUTDOORS: _number(EvidenceCode.SENSOR_OUTDOORS, "off_k", size=True),
    TrustReason.DRIFT: _drifts,
    TrustReason.UNFELT: _unfelt,
    TrustReason.SILENT: _number(EvidenceCode.SENSOR_SILENT, "hours"),
    TrustReason.BATTERY: _battery,
}
