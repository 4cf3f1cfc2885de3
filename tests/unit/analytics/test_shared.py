"""Ends of a badly balanced riser or building are one finding, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from analytics.explain.shared import join_coincident, join_shared
from analytics.explain.telling import finding
from analytics.signs import Sign
from analytics.snapshot import Snapshot
from hearthline.domain.findings import Cause, EvidenceCode, Finding
from tests.unit.analytics.test_apart import offsets
from tests.unit.analytics.test_diagnose import NOON, below, seen, signal, town

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


RISER = below("B1-E1-R1")


def sparse(off_k: dict[str, float], measured: list[str], **more: object) -> Snapshot:
    """Some dwellings are off, and nobody else of their building is measured but ``measured``."""
    off = offsets(**{code.replace("-", "_"): value for code, value in off_k.items()})
    for code in set(below("B1")).difference(off_k, measured):
        off[town().index[code]] = np.nan
    unmeasured = set(below("B1")).difference(off_k, measured)
    spread = np.full(len(off), 0.4)
    return seen(sorted(off_k), unmeasured=unmeasured, offset_k=off, spread_k=spread, **more)


def coincident(snapshot: Snapshot) -> list[Finding]:
    """What becomes of one finding for each cold dwelling, each with a closed valve."""
    parts = [told(snapshot, code, CLOSED) for code in sorted(snapshot.cold)]
    return join_coincident(snapshot, parts)


def test_two_dwellings_of_one_riser_are_no_coincidence() -> None:
    """Where nobody else of it is measured, or who is lies off as well."""
    [one] = coincident(sparse({TOP: -3.2, NEXT: -2.4}, []))
    assert (one.place, one.cold) == ("B1-E1-R1", {TOP, NEXT})
    [one] = coincident(sparse({TOP: -3.4, "B1-E1-301": -2.0}, []))
    assert one.place == "B1-E1-R1"


def test_warm_dwellings_between_them_say_that_each_has_a_cause_of_its_own() -> None:
    """All the others of the riser are measured, and none of them is off."""
    apart = sparse({TOP: -3.2, "B1-E1-201": -3.0}, RISER)
    assert [one.place for one in coincident(apart)] == ["B1-E1-201", TOP]


def test_parts_of_two_buildings_have_nothing_to_share() -> None:
    """What is far from each other stays as it was told."""
    snapshot = sparse({TOP: -3.2, "B2-E1-601": -3.2}, [])
    assert [one.place for one in coincident(snapshot)] == [TOP, "B2-E1-601"]


def test_who_is_far_colder_than_the_place_keeps_a_cause_of_its_own() -> None:
    """A riser that is a little off, and a closed valve in it."""
    mild = dict.fromkeys(RISER, -1.5)
    places = {one.place for one in coincident(sparse({**mild, "B1-E1-301": -6.0}, []))}
    assert places == {"B1-E1-R1", "B1-E1-301"}


def test_what_the_ledger_or_a_meter_tells_is_no_part_of_anything() -> None:
    """Unheated neighbours are a cause of their own, whoever else of the riser is cold."""
    snapshot = sparse({TOP: -3.2, NEXT: -2.4}, [])
    ranked = [(Cause.NEIGHBOUR_UNHEATED, 0.8)]
    ledger = finding(snapshot, "B1-E1-401", ranked, frozenset({NEXT}), [])
    mine = told(snapshot, TOP, CLOSED)
    assert join_coincident(snapshot, [ledger, mine]) == [ledger, mine]


def test_those_who_insist_beneath_a_shortage_point_at_their_riser() -> None:
    """Three of one riser call again and again while a low curve makes few others call."""
    callers = ["B1-E1-401", NEXT, TOP]
    calls = {code: [NOON - timedelta(hours=h) for h in (60, 40, 20, 0.5)] for code in callers}
    short = [signal(Sign.SUPPLY_LOW, "N")]
    cold = below("B2") + below("B3")
    snapshot = seen(cold, unmeasured=set(below("B1")), complaints=calls, signals=short)
    assert not snapshot.unexplained
    apart = [replace(told(snapshot, code, CLOSED), apart=True) for code in callers]
    [one] = join_coincident(snapshot, apart)
    assert (one.place, one.cold, one.apart) == ("B1-E1-R1", set(callers), True)
    assert EvidenceCode.DWELLINGS_CALLED in {piece.code for piece in one.evidence}
