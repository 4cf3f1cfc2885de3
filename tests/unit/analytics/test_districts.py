"""A city cut by district, and what is told of the sources above them all."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest

from analytics.memory import network_of
from analytics.offline import MemoryDesk
from analytics.overall import Overall, Shared
from analytics.signs import Sign, Signal
from analytics.snapshot import ColdDwelling, Snapshot
from analytics.trunk import ColdSpell, Trunk
from analytics.walk import HOLD_OPEN, announce, follow_up, gather
from analytics.window import _held
from hearthline.domain.findings import Cause, Finding
from hearthline.domain.places import DeviceKind, PlaceKind
from hearthline.domain.policies import PROFILES, HoldReason
from tests import builders

HOUR = timedelta(hours=1)
START = datetime(2026, 1, 12, tzinfo=UTC)
PROFILE = PROFILES["standard-20"]
NETWORK = network_of(builders.town(builders.TownPlan(substations=3, floors=3)), START)
CODES = [dwelling.code for dwelling in NETWORK.dwellings]
SHORT = Signal(Sign.SOURCE_SHORT, "T", START + 2 * HOUR, START + 8 * HOUR, {"short_k": 9.0})


def overall(*signals: Signal) -> Overall:
    return Overall(START, signals, {})


def spell(code: str, opened: float, until: float | None, low: float = 18.0) -> ColdSpell:
    at = START + opened * HOUR
    cold = ColdDwelling(at - HOUR, at, low)
    return ColdSpell(code, cold, None if until is None else START + until * HOUR)


def trunk(*spells: ColdSpell, signals: tuple[Signal, ...] = (SHORT,)) -> Trunk:
    return Trunk(NETWORK, PROFILE, overall(*signals), CODES, spells)


def test_a_district_is_a_topmost_place_below_a_source() -> None:
    """Its part has its own dwellings, what is above it, and the weather of the whole city."""
    assert NETWORK.districts() == ["T-S1", "T-S2", "T-S3"]
    part = NETWORK.part("T-S2")
    assert [d.code for d in part.dwellings] == [c for c in CODES if c.startswith("T-S2")]
    assert part.roots() == ["T"]
    assert part.ancestor(part.dwellings[0].code, PlaceKind.SOURCE) == "T"
    assert part.districts() == ["T-S2"]
    kinds = {(i.kind, i.place) for i in part.instruments if not i.place.startswith("T-S2")}
    assert kinds == {(DeviceKind.WEATHER, "T"), (DeviceKind.METER, "T")}


def test_the_parts_together_are_the_city() -> None:
    """No dwelling and no device is left out, and none is judged twice."""
    parts = [NETWORK.part(code) for code in NETWORK.districts()]
    assert [d.code for part in parts for d in part.dwellings] == CODES
    own = [i.uid for part in parts for i in part.instruments if i.place != "T"]
    assert sorted(own) == sorted(i.uid for i in NETWORK.instruments if i.place != "T")


def test_what_the_whole_network_tells_survives_its_way_through_json() -> None:
    """Numbers that are not known stay unknown; hours are laid where they belong."""
    odd = Signal(Sign.SOURCE_SHORT, "T", START, None, {"short_k": 4.0, "open_pct": math.nan})
    told = Overall(START, [odd], {"T": Shared(np.arange(5) > 2, np.linspace(0, 1, 5))})
    back = Overall.from_plain(msgspec.json.decode(msgspec.json.encode(told.plain())))
    [signal] = back.signals
    assert (signal.sign, signal.since, signal.until) == (odd.sign, START, None)
    assert signal.values["short_k"] == 4.0
    assert math.isnan(signal.values["open_pct"])
    shared = back.over(NETWORK, START - HOUR, 8)
    assert shared.source_short.tolist() == [False] * 4 + [True] * 2 + [False] * 2
    assert shared.supply_off_k.tolist() == pytest.approx([0, 0, 0.25, 0.5, 0.75, 1, 0, 0])


def test_a_shortage_is_announced_before_anybody_is_cold_and_gathers_all_districts() -> None:
    """One incident at the source; who is cold joins it hour by hour."""
    desk = MemoryDesk(NETWORK.path_of)
    announce(trunk(), desk, START, START + 24 * HOUR)
    [incident] = desk.incidents
    assert (incident.last.place, incident.last.cause) == ("T", Cause.SOURCE_SHORTAGE)
    assert (incident.opened_at, incident.cold) == (SHORT.since, set())
    assert incident.members == set(CODES)

    victims = [CODES[0], CODES[30], CODES[-1]]
    spells = [spell(code, 5 + n, 15.0) for n, code in enumerate(victims)]
    gather(trunk(*spells), desk, START, START + 24 * HOUR)
    assert len(desk.incidents) == 1
    assert incident.cold == set(victims)
    assert incident.recovered_at == START + 15 * HOUR
    assert incident.closed_at is None  # it waits for a relapse
    gather(trunk(*spells), desk, START + 24 * HOUR, START + 48 * HOUR)
    assert incident.closed_at == START + 15 * HOUR + HOLD_OPEN


def test_a_district_sees_its_own_incidents_and_those_above() -> None:
    """And not what is open next door."""
    desk = MemoryDesk(NETWORK.path_of)
    announce(trunk(), desk, START, START + 24 * HOUR)
    here = desk.of(NETWORK.path_of["T-S1"])
    here.take_up([undetermined("T-S1", CODES[:9])], here.open_incidents(), PROFILE.versions[0])
    there = desk.of(NETWORK.path_of["T-S2"])
    assert [one.place for one in there.open_incidents()] == ["T"]
    assert {one.place for one in here.open_incidents()} >= {"T"}


def undetermined(place: str, cold: list[str]) -> Finding:
    members = frozenset(cold)
    return Finding(
        at=START + HOUR,
        place=place,
        cause=Cause.UNDETERMINED,
        confidence=0.4,
        cold=members,
        affected=members,
        evidence=(),
        ranked=((Cause.UNDETERMINED, 0.4),),
        common=place in NETWORK.districts(),
    )


@pytest.mark.parametrize(("cold", "places"), [(2, {"T"}), (1, {"T-S1"})])
def test_districts_cold_for_no_reason_of_their_own_point_at_the_source(
    cold: int, places: set[str]
) -> None:
    """Two of three in general: the source is told, and swallows them. One alone is itself."""
    desk = MemoryDesk(NETWORK.path_of)
    spells = []
    for district in NETWORK.districts()[:cold]:
        codes = [code for code in CODES if code.startswith(district)]
        scoped = desk.of(NETWORK.path_of[district])
        scoped.take_up(
            [undetermined(district, codes)], scoped.open_incidents(), PROFILE.versions[0]
        )
        spells += [spell(code, 1, None) for code in codes]
    gather(trunk(*spells, signals=()), desk, START, START + 3 * HOUR)
    standing = [one for one in desk.incidents if one.closed_at is None]
    assert {one.last.place for one in standing} == places
    assert set().union(*(one.cold for one in standing)) == {one.code for one in spells}


@pytest.mark.parametrize(
    ("level_c", "reason", "recovered"),
    [
        (17.0, HoldReason.MAINTENANCE, False),
        (17.0, None, False),  # the works are over, the persistence has just begun anew
        (21.0, None, True),
        (17.0, HoldReason.OUT_OF_SEASON, True),
    ],
)
def test_what_works_hold_back_is_not_called_warm(
    level_c: float, reason: HoldReason | None, recovered: bool
) -> None:
    """A maintenance window ends episodes, and tells nothing of rooms."""
    desk = MemoryDesk(NETWORK.path_of)
    code = CODES[0]
    desk.take_up([undetermined(code, [code])], [], PROFILE.versions[0])
    snapshot = Snapshot(
        at=START + 3 * HOUR,
        network=NETWORK,
        threshold_c=20.0,
        level_c={code: level_c},
        cold={},
        unowed={} if reason is None else {code: reason},
    )
    follow_up(desk, snapshot, desk.open_incidents())
    [incident] = desk.incidents
    assert (incident.recovered_at is not None) is recovered
    assert (code in incident.still_cold) is not recovered


def test_a_reading_stands_until_the_next_one_is_due() -> None:
    """And no longer: a dead meter says nothing."""
    nan = math.nan
    series = np.array([[nan, 1, nan, nan, nan, 2], [5, nan, nan, 6, nan, nan]])
    expected = np.array([[nan, 1, 1, 1, nan, 2], [5, nan, nan, 6, nan, nan]])
    np.testing.assert_array_equal(_held(series, [2, 0]), expected)
