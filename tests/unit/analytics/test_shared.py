"""Ends of a badly balanced riser or building are one finding, and nothing else is."""

from __future__ import annotations

import pytest

from analytics.explain.shared import join_shared
from analytics.explain.telling import finding
from analytics.snapshot import Snapshot
from hearthline.domain.findings import Cause, Finding
from tests.unit.analytics.test_diagnose import seen

AIR, VALVES, CLOSED = Cause.AIR_LOCK, Cause.VERTICAL_IMBALANCE, Cause.VALVE_CLOSED
TOP, NEXT, BESIDE, FAR = "B1-E1-601", "B1-E1-501", "B1-E1-602", "B1-E2-602"
GROUND = "B1-E2-102"


def told(snapshot: Snapshot, code: str, cause: Cause, chance: float = 0.6) -> Finding:
    ranked = [(cause, chance), (CLOSED if cause is not CLOSED else AIR, 0.3)]
    return finding(snapshot, code, ranked, frozenset({code}), [])


def joined(*parts: tuple[str, Cause]) -> list[Finding]:
    snapshot = seen([code for code, _ in parts])
    return join_shared(snapshot, [told(snapshot, code, cause) for code, cause in parts])


@pytest.mark.parametrize(
    ("parts", "place", "cause"),
    [
        (((TOP, AIR), (NEXT, AIR)), "B1-E1-R1", AIR),
        (((TOP, AIR), (NEXT, VALVES)), "B1-E1-R1", AIR),
        (((TOP, VALVES), (BESIDE, VALVES)), "B1-E1", VALVES),
        (((TOP, VALVES), (FAR, VALVES)), "B1", VALVES),
    ],
)
def test_what_shares_a_cause_that_no_dwelling_has_is_one_finding(
    parts: tuple[tuple[str, Cause], ...], place: str, cause: Cause
) -> None:
    """At the smallest place that holds all; who of its dwellings is warm speaks against it."""
    [one] = joined(*parts)
    assert (one.place, one.cause) == (place, cause)
    assert one.cold == {code for code, _ in parts}
    assert any(piece.against for piece in one.evidence)
    assert sum(chance for _, chance in one.ranked) == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize(
    "parts",
    [
        ((TOP, CLOSED), (NEXT, CLOSED)),  # each has a valve of its own
        ((TOP, AIR), (BESIDE, AIR)),  # air in two risers
        ((TOP, VALVES), (GROUND, VALVES)),  # two ends: what one lacks the other would have
        ((TOP, VALVES), ("B2-E1-601", VALVES)),  # two buildings
        ((TOP, VALVES),),
    ],
)
def test_what_may_have_causes_of_its_own_stays_apart(parts: tuple[tuple[str, Cause], ...]) -> None:
    assert [(one.place, one.cause) for one in joined(*parts)] == list(parts)
