"""Faults and habits drawn by seed: reproducible, of every kind, never contradictory."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import combinations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearthline.domain.findings import Cause
from hearthline.domain.places import PlaceKind
from simulators.faults import REGISTRY, draw
from simulators.faults.conflicts import Occupied, Stay, contradiction, upwards
from simulators.faults.drawing import how_many
from simulators.faults.habits import SINCE
from simulators.layout import Layout, lay_out
from simulators.scenario import DrawnFaultsSpec, FaultSpec, PeopleSpec, Scenario
from simulators.scenario.checks import check_places
from simulators.scenario.file import parse

TOWN = """
name: drawn
title: A thousand dwellings in six substations
site: dr
seed: 5
source: {code: D, name: Plant, latitude: 45.7, longitude: 126.6}
grown: {dwellings: 1000, per_substation: 160}
weather: {level: [[0h, -10]]}
drawn_faults: {count: 23, onset: [1d, 10d]}
"""


def scenario(**changes: object) -> Scenario:
    found, _ = parse(TOWN, "drawn")
    return msgspec.structs.replace(found, **changes)


TOWN_SCENARIO = scenario()
LAYOUT = lay_out(TOWN_SCENARIO, TOWN_SCENARIO.seed)


def drawn(seed: int = 5, sensed: np.ndarray | None = None, **changes: object) -> list[FaultSpec]:
    return list(draw(scenario(**changes), LAYOUT, seed, sensed))


def test_the_same_seed_draws_the_same_faults() -> None:
    assert drawn(5) == drawn(5)
    assert drawn(5) != drawn(6)


def test_nothing_is_drawn_unless_asked_for() -> None:
    assert drawn(drawn_faults=None) == []
    assert drawn(drawn_faults=DrawnFaultsSpec(count=0)) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(min_value=0, max_value=10_000))
def test_every_kind_has_its_turn_in_a_roomy_town(seed: int) -> None:
    found = Counter(spec.cause for spec in drawn(seed))
    assert set(found) == set(REGISTRY)
    assert set(found.values()) == {1}


@settings(max_examples=25, deadline=None)
@given(st.integers(min_value=0, max_value=10_000), st.integers(min_value=1, max_value=120))
def test_drawn_faults_pass_every_check_a_written_one_must_pass(seed: int, count: int) -> None:
    faults = drawn(
        seed,
        drawn_faults=DrawnFaultsSpec(count=count),
        people=PeopleSpec(stopped=0.03, restricted=0.02, vacant=0.02, turned_down=0.02),
    )
    assert check_places(scenario(faults=tuple(faults)), LAYOUT, {}) == []


def overlap(one: FaultSpec, other: FaultSpec) -> bool:
    return Stay.of(0, one).overlaps(Stay.of(1, other))


@settings(max_examples=25, deadline=None)
@given(st.integers(min_value=0, max_value=10_000))
def test_no_place_is_struck_twice_and_nothing_is_hidden(seed: int) -> None:
    faults = drawn(seed, drawn_faults=DrawnFaultsSpec(count=60))
    for one, other in combinations(faults, 2):
        if not overlap(one, other):
            continue
        assert not set(one.places) & set(other.places), (one, other)
        upper, lower = REGISTRY[one.cause], REGISTRY[other.cause]
        if upper.hides and upper.of_sensor == lower.of_sensor:
            roofs = set(one.places)
            assert not roofs & above(other), (one, other)


def above(spec: FaultSpec) -> set[str]:
    chain = [spot for code in spec.places for spot in upwards(LAYOUT, LAYOUT.lookup[code])[1:]]
    return {LAYOUT.codes[level][index] for level, index in chain}


@settings(max_examples=25, deadline=None)
@given(st.integers(min_value=0, max_value=10_000))
def test_severities_times_and_variants_are_the_usual_ones(seed: int) -> None:
    for spec in drawn(seed, drawn_faults=DrawnFaultsSpec(count=60)):
        kind = REGISTRY[spec.cause]
        assert timedelta(days=2) - timedelta(minutes=5) < spec.onset <= timedelta(days=14)
        assert spec.onset % timedelta(minutes=5) == timedelta(0)
        if kind.usual is None:
            assert spec.severity is None
        elif kind.by_size:
            dwellings = sum(len(LAYOUT.units_below(*LAYOUT.lookup[code])) for code in spec.places)
            per_1000 = (spec.severity or 0.0) * 1000.0 / dwellings
            assert kind.usual[0] - 0.1 <= per_1000 <= kind.usual[1] + 0.1
        else:
            assert kind.usual[0] - 0.005 <= abs(spec.severity or 0.0) <= kind.usual[1] + 0.005
        assert (spec.variant in kind.variants) if kind.variants else spec.variant is None
        assert (spec.end is None) == (kind.lasts is None)
        assert kind.together[0] <= len(spec.places) <= kind.together[1]


def test_drifting_and_moved_sensors_err_both_ways() -> None:
    causes = (Cause.SENSOR_DRIFT, Cause.SENSOR_MOVED)
    faults = drawn(drawn_faults=DrawnFaultsSpec(count=40, causes=causes))
    assert {spec.cause for spec in faults} == set(causes)
    assert {(spec.severity or 0.0) > 0.0 for spec in faults} == {True, False}


def test_only_the_named_causes_are_drawn() -> None:
    spec = DrawnFaultsSpec(count=9, causes=(Cause.AIR_LOCK, Cause.VALVE_CLOSED, Cause.LEAK))
    assert Counter(fault.cause for fault in drawn(drawn_faults=spec)) == {
        Cause.AIR_LOCK: 3,
        Cause.VALVE_CLOSED: 3,
        Cause.LEAK: 3,
    }


def test_sensors_fail_only_where_there_are_sensors() -> None:
    sensed = np.arange(0, LAYOUT.units, 25)
    carriers = {LAYOUT.codes[PlaceKind.UNIT][unit] for unit in sensed}
    faults = drawn(sensed=sensed, drawn_faults=DrawnFaultsSpec(count=46))
    at_units = [
        spec
        for spec in faults
        if REGISTRY[spec.cause].of_sensor and spec.cause is not Cause.GATEWAY_OUTAGE
    ]
    assert len(at_units) == 12
    assert all(set(spec.places) <= carriers for spec in at_units)


def test_faults_of_heat_do_not_depend_on_the_coverage() -> None:
    def of_heat(sensed: np.ndarray | None) -> list[FaultSpec]:
        return [spec for spec in drawn(sensed=sensed) if not REGISTRY[spec.cause].of_sensor]

    assert of_heat(None) == of_heat(np.arange(0, LAYOUT.units, 25))


def test_without_any_sensor_only_gateways_fail() -> None:
    faults = drawn(sensed=np.zeros(0, dtype=np.intp), drawn_faults=DrawnFaultsSpec(count=23))
    lying = {spec.cause for spec in faults if REGISTRY[spec.cause].of_sensor}
    assert lying == {Cause.GATEWAY_OUTAGE}


def test_swapped_sensors_are_two_of_one_building() -> None:
    spec = DrawnFaultsSpec(count=10, causes=(Cause.SENSOR_SWAPPED,))
    for fault in drawn(drawn_faults=spec):
        one, other = (code.split("-E")[0] for code in fault.places)
        assert one == other


def test_unheated_neighbours_touch_each_other() -> None:
    spec = DrawnFaultsSpec(count=30, causes=(Cause.NEIGHBOUR_UNHEATED,))
    faults = drawn(drawn_faults=spec)
    assert {len(fault.places) for fault in faults} == {1, 2, 3, 4}
    for fault in faults:
        units = np.array([LAYOUT.lookup[code][1] for code in fault.places])
        around = set(LAYOUT.touched_by(units).ravel().tolist())
        assert set(units.tolist()) <= around | {units[0]}


def test_listed_faults_are_left_alone() -> None:
    listed = (
        FaultSpec(cause=Cause.PUMP_TRIP, place="D-S1", onset=timedelta(0)),
        FaultSpec(cause=Cause.GATEWAY_OUTAGE, place="D-S2-B01", onset=timedelta(0)),
    )
    faults = drawn(faults=listed, drawn_faults=DrawnFaultsSpec(count=60))
    for fault in faults:
        if not REGISTRY[fault.cause].of_sensor:
            assert "D-S1" not in {*fault.places, *above(fault)}
        else:
            assert "D-S2-B01" not in {*fault.places, *above(fault)}
    assert check_places(scenario(faults=(*listed, *faults)), LAYOUT, {}) == []


def test_a_full_town_takes_what_fits_and_no_more() -> None:
    tiny, _ = parse(TOWN.replace("dwellings: 1000", "dwellings: 20"), "tiny")
    tiny = msgspec.structs.replace(tiny, drawn_faults=DrawnFaultsSpec(count=400))
    layout = lay_out(tiny, 1)
    faults = draw(tiny, layout, 1)
    assert 0 < len(faults) < 400
    assert check_places(msgspec.structs.replace(tiny, faults=faults), layout, {}) == []


def test_how_many_follows_the_size_of_the_town() -> None:
    assert how_many(DrawnFaultsSpec(per_1000=2.0), 100_000) == 200
    assert how_many(DrawnFaultsSpec(count=7, per_1000=2.0), 100_000) == 7


PEOPLE = PeopleSpec(stopped=0.06, restricted=0.02, vacant=0.04, turned_down=0.05)


def habits(seed: int = 5, people: PeopleSpec = PEOPLE, **changes: object) -> list[FaultSpec]:
    return drawn(seed, people=people, drawn_faults=None, **changes)


def by_reason(faults: list[FaultSpec]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for spec in faults:
        found.setdefault(spec.variant or spec.cause.value, set()).update(spec.places)
    return found


def test_people_do_what_their_shares_say_since_long_ago() -> None:
    faults = habits()
    shares = {reason: len(places) / LAYOUT.units for reason, places in by_reason(faults).items()}
    assert shares["stopped"] == pytest.approx(0.06, abs=0.02)
    assert shares["restricted"] == pytest.approx(0.02, abs=0.015)
    assert shares["vacant"] == pytest.approx(0.04, abs=0.02)
    assert shares["turned_down"] == pytest.approx(0.05, abs=0.02)
    assert {spec.onset for spec in faults} == {SINCE}


def test_nobody_does_two_things_with_one_valve() -> None:
    places = [code for spec in habits() for code in spec.places]
    assert len(places) == len(set(places))


def test_a_larger_share_holds_everybody_of_a_smaller_one() -> None:
    few = by_reason(habits(people=PeopleSpec(stopped=0.03)))["stopped"]
    many = by_reason(habits(people=PeopleSpec(stopped=0.09)))["stopped"]
    assert few < many


def test_unheated_dwellings_that_touch_are_one_fault() -> None:
    faults = [spec for spec in habits(people=PeopleSpec(vacant=0.3)) if spec.variant == "vacant"]
    cluster = {code: at for at, spec in enumerate(faults) for code in spec.places}
    codes = LAYOUT.codes[PlaceKind.UNIT]
    assert max(len(spec.places) for spec in faults) > 2
    for code, at in cluster.items():
        beside = LAYOUT.touched_by(np.array([LAYOUT.lookup[code][1]])).ravel().tolist()
        assert {cluster[codes[unit]] for unit in beside if codes[unit] in cluster} == {at}


def test_who_has_a_fault_of_his_own_is_left_out() -> None:
    victim = next(iter(by_reason(habits())["stopped"]))
    listed = (FaultSpec(cause=Cause.VALVE_CLOSED, place=victim, onset=timedelta(0)),)
    assert victim not in set().union(*by_reason(habits(faults=listed)).values())


def test_neighbours_without_the_whole_array_are_those_of_the_layout() -> None:
    units = np.arange(LAYOUT.units)
    assert (LAYOUT.touched_by(units) == LAYOUT.neighbours).all()


def test_everything_above_a_dwelling_is_found() -> None:
    chain = upwards(LAYOUT, LAYOUT.lookup["D-S2-B01-E1-0201"])
    codes = [LAYOUT.codes[level][index] for level, index in chain]
    assert codes[1] == "D-S2-B01-E1-R1"
    assert codes[2:] == ["D-S2-B01-E1", "D-S2-B01", "D-S2-C1", "D-S2", "D"]


def test_one_strainer_may_clog_behind_another() -> None:
    clogged = Cause.STRAINER_CLOGGED
    assert contradiction(clogged, clogged, same_place=False) is None
    assert contradiction(clogged, clogged, same_place=True) is not None
    assert contradiction(Cause.PUMP_TRIP, Cause.PUMP_TRIP, same_place=False) is not None
    assert contradiction(Cause.PUMP_TRIP, Cause.VALVE_CLOSED, same_place=False) is None


def test_contradictions_are_seen_from_both_sides() -> None:
    for one, other in combinations(REGISTRY, 2):
        seen = contradiction(one, other, same_place=True)
        assert seen == contradiction(other, one, same_place=True)


def occupied_town() -> tuple[Occupied, Layout]:
    occupied = Occupied(LAYOUT)
    spec = FaultSpec(
        cause=Cause.PUMP_TRIP, place="D-S1", onset=timedelta(hours=2), end=timedelta(hours=4)
    )
    occupied.note(0, spec)
    return occupied, LAYOUT


def test_what_is_over_is_in_nobodys_way() -> None:
    occupied, layout = occupied_town()
    spot = layout.lookup["D-S1"]
    before, during = Stay(1, Cause.PUMP_TRIP, 0, 7200), Stay(1, Cause.PUMP_TRIP, 0, 7201)
    assert list(occupied.at(spot, before)) == []
    assert [stay.number for stay in occupied.at(spot, during)] == [0]
    assert [stay.number for stay in occupied.below(layout.lookup["D"], during)] == [0]
