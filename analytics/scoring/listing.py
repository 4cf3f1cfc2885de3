"""A score line by line: every incident with what it was about, and every fault that counts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from analytics.scoring.report import Score
from analytics.scoring.truth import Truth

Line = dict[str, Any]


def incidents(found: Score, truth: Truth) -> list[Line]:
    """Every incident as it was said at its end, in order of opening.

    ``verdict`` is right, standing, beside, false, merged, or sensor for tickets of the other kind;
    ``fault`` is the number of the fault it is about in ``faults``, with how ``near`` its place is.
    """
    judged = found.judged
    verdicts = dict.fromkeys(judged.right, "right") | dict.fromkeys(judged.standing, "standing")
    verdicts |= dict.fromkeys(judged.beside, "beside") | dict.fromkeys(judged.wrong, "false")
    lines = []
    for number, one in enumerate(found.said):
        match = judged.matches.get(number)
        fault = truth.faults[match.fault] if match else None
        lines.append(
            {
                "opened_at": _iso(one.opened_at),
                "closed_at": _iso(one.closed_at),
                "verdict": "merged" if one.merged else verdicts.get(number, "sensor"),
                "causes": [cause.value for cause in one.causes],
                "place": one.device_uid or one.place,
                "cold": len(one.cold),
                "members": len(one.members),
                "fault": match.fault if match else None,
                "true_cause": fault.cause.value if fault else None,
                "true_place": fault.places[0] if fault else None,
                "near": match.place.value if match else None,
            }
        )
    return lines


def faults(found: Score, truth: Truth) -> list[Line]:
    """Every fault that makes a dwelling cold by itself, and every sensor's, with its number."""
    told = {found.judged.matches[number].fault for number in found.judged.right}
    lines = []
    for number, fault in enumerate(truth.faults):
        if fault.counts or fault.of_sensor:
            lines.append(
                {
                    "number": number,
                    "onset_at": _iso(fault.onset_at),
                    "end_at": _iso(fault.end_at),
                    "cause": fault.cause.value,
                    "places": list(fault.places),
                    "severity": float(fault.severity),
                    "cold": len(fault.cold),
                    "first_cold_at": _iso(truth.first_cold(fault)),
                    "of_sensor": fault.of_sensor,
                    "found": None if fault.of_sensor else number in told,
                }
            )
    return lines


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
