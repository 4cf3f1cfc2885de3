"""Beneath a common cause: who is much colder than his fellows has a cause of his own."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from analytics.diagnose import diagnose
from analytics.explain.apart import own_causes
from analytics.explain.spill import join_spilled
from analytics.explain.telling import finding
from analytics.localise.contrast import lone_dwelling, lone_entrance
from analytics.signs import Sign, Signal
from analytics.snapshot import Courses, Floats, Snapshot
from hearthline.domain.findings import Cause, Finding
from hearthline.domain.network import Network
from hearthline.domain.places import HeatingStatus
from tests.unit.analytics.test_diagnose import NOON, below, seen, signal, town

ALL = [dwelling.code for dwelling in town().dwellings]
SHORT = signal(Sign.SUPPLY_LOW, "N")


def offsets(**deeper: float) -> Floats:
    """Offsets of the town: nought but for the dwellings below some places, K."""
    network = town()
    found = np.zeros(len(network.dwellings))
    for place, off in deeper.items():
        found[network.below(place.replace("_", "-"))] = off
    return found


def cold_town(*signals: Signal, **deeper: float) -> Snapshot:
    """Everybody is cold by a station's trouble, some dwellings by more than that."""
    spread = np.full(len(ALL), 0.5)
    return seen(ALL, signals=list(signals), offset_k=offsets(**deeper), spread_k=spread)


def places(findings: list[Finding]) -> dict[str, int]:
    return {finding.place: len(finding.cold) for finding in findings}


def test_a_dwelling_far_below_its_fellows_is_told_beside_the_stations_trouble() -> None:
    """A valve closed under a low curve: the station's ticket holds all others."""
    found = diagnose(cold_town(SHORT, B2_E1_301=-3.5))
    assert places(found) == {"B2-E1-301": 1, "N": 71}
    assert {f.place: f.apart for f in found} == {"B2-E1-301": True, "N": False}


def test_a_riser_and_an_entrance_stand_out_with_less() -> None:
    """Many dwellings together are surer than one."""
    assert places(diagnose(cold_town(SHORT, B2_E1_R1=-2.0))) == {"B2-E1-R1": 6, "N": 66}
    assert places(diagnose(cold_town(SHORT, B2_E1=-2.0))) == {"B2-E1": 12, "N": 60}


def test_the_weakest_dwelling_of_a_shortage_has_no_cause_of_its_own() -> None:
    """A shortage leaves some colder than others."""
    assert places(diagnose(cold_town(SHORT, B2_E1_301=-1.5))) == {"N": 72}


def test_a_common_fall_is_uneven_by_itself() -> None:
    """Everybody fell by some 8 K since the pump stopped: a corner flat's 4 K more are no news."""
    stopped = signal(Sign.FLOW_STOPPED, "N")
    seen_now = cold_town(stopped, B2_E1_301=-3.5)
    fall = np.tile(np.linspace(22.0, 14.0, 24), (len(ALL), 1))
    course = Courses(fall, np.zeros_like(fall), np.arange(24), np.full(24, -20.0))
    assert places(diagnose(seen_now)) == {"B2-E1-301": 1, "N": 71}
    strays = np.random.default_rng(3).normal(0.0, 2.0, len(ALL))
    strays[town().index["B2-E1-301"]] = -3.5
    apart = replace(seen_now, courses=course, offset_k=strays)
    assert places(diagnose(apart)) == {"N": 72}


def test_a_common_fall_that_is_even_hides_nobody() -> None:
    """How unevenly a circuit falls is measured where many of it are."""
    stopped = signal(Sign.FLOW_STOPPED, "N")
    fall = np.tile(np.linspace(22.0, 14.0, 24), (len(ALL), 1))
    course = Courses(fall, np.zeros_like(fall), np.arange(24), np.full(24, -20.0))
    told = diagnose(replace(cold_town(stopped, B2_E1_301=-3.5), courses=course))
    assert places(told) == {"B2-E1-301": 1, "N": 71}


def test_a_riser_with_air_in_it_is_told_beneath_a_leak() -> None:
    """The leak takes the water of all top floors alike, the air that of one riser besides."""
    leak = signal(Sign.MAKEUP_HIGH, "N")
    high = {code.replace("-", "_"): -1.5 for code in ALL if code[-3] in "56"}
    riser = {code: -4.0 for code in below("B2-E1-R1") if code[-3] in "3456"}
    air = {code.replace("-", "_"): off for code, off in riser.items()}
    found = places(diagnose(cold_town(leak, **(high | air))))
    assert "B2-E1-R1" in found


def test_what_a_branch_gained_by_shifted_flows_hides_nothing() -> None:
    """A near building is 1.5 K warmer since, but for a riser of it."""
    shifted = signal(Sign.FLOWS_SHIFTED, "N")
    found = places(diagnose(cold_town(shifted, B1=1.5, B1_E1_R1=-1.2)))
    assert found == {"B1-E1-R1": 6, "N": 66}


def test_dwellings_come_back_as_unevenly_as_they_fell() -> None:
    """The pump runs again since yesterday: who is slower to warm up has no cause of his own."""
    ends = {"since": NOON - timedelta(hours=40), "until": NOON - timedelta(hours=24)}
    again = replace(signal(Sign.FLOW_STOPPED, "N"), **ends)
    spread = np.full(len(ALL), 0.5)
    off = offsets(B2_E1_301=-3.5)
    off[[at for at, code in enumerate(ALL) if code not in below("B2-E1-R1")]] = np.nan
    low = seen(ALL, ended=[again], offset_k=off, spread_k=spread, hours=36)
    back = np.tile(np.linspace(12.0, 19.0, 24), (len(ALL), 1))
    course = Courses(back, np.zeros_like(back), np.arange(24), np.full(24, -20.0))
    assert places(own_causes(low, frozenset(ALL))) == {"B2-E1-301": 1}
    assert own_causes(replace(low, courses=course), frozenset(ALL)) == []


def test_beneath_a_common_cause_too_one_cold_entrance_makes_its_building_seem_off() -> None:
    """What it does to the rest of the building is no second trouble."""
    off = offsets(B2_E1=-7.0, B2_E2=-2.2)
    seen_now = seen(ALL, signals=[SHORT], offset_k=off, spread_k=np.full(len(ALL), 0.5))
    assert set(places(diagnose(seen_now))) == {"B2-E1", "N"}


def test_a_building_that_shifted_flows_left_cold_is_theirs_an_entrance_of_it_is_not() -> None:
    """Near branches take what far buildings lack; nobody's joint is swapped by that."""
    shifted = signal(Sign.FLOWS_SHIFTED, "N")
    assert places(diagnose(cold_town(shifted, B3=-2.5))) == {"N": 72}
    both = cold_town(shifted, B3=-1.5, B3_E1=-6.0)
    assert places(diagnose(both)) == {"B3-E1": 12, "N": 60}


def test_the_top_floors_of_a_leaking_circuit_are_the_leaks() -> None:
    """It takes the water of those who live highest."""
    high = {f"{code.replace('-', '_')}": -4.0 for code in ALL if code[-3] in "56"}
    leak = signal(Sign.MAKEUP_HIGH, "N")
    assert places(diagnose(cold_town(leak, **high))) == {"N": 72}


def test_who_lives_beside_unheated_or_very_cold_rooms_is_chilled_by_them() -> None:
    """Neither is a cause of its own while the station is short."""
    network = town({"B2-E1-401": HeatingStatus.STOPPED})
    spread = np.full(len(ALL), 0.5)
    chilled = offsets(B2_E1_301=-3.0)
    cold = [code for code in ALL if code != "B2-E1-401"]
    snapshot = seen(cold, network, signals=[SHORT], offset_k=chilled, spread_k=spread)
    assert own_causes(snapshot, frozenset(cold)) == []
    spills = cold_town(SHORT, B2_E1_R1=-4.0, B2_E1_R2=-1.6)
    assert places(own_causes(spills, frozenset(ALL))) == {"B2-E1-R1": 6}


def test_after_the_common_cause_a_new_cold_dwelling_needs_less_to_be_told() -> None:
    """While it acts everybody strays; three deviations tell of who fell later."""
    ended = replace(SHORT, since=NOON - timedelta(hours=60), until=NOON - timedelta(hours=40))
    spread = np.full(len(ALL), 0.5)
    off = offsets(B2_E1_301=-2.3)
    for hours, place in ((6, "B2-E1-301"), (40, "N")):
        cold = seen(["B2-E1-301"], hours=hours, offset_k=off, spread_k=spread, ended=[ended])
        assert places(diagnose(cold)) == {place: 1}


def test_a_cold_night_after_all_had_recovered_is_not_the_old_shortage() -> None:
    """While somebody is still cold since then, who joins him is cold by what is left of it."""
    ended = replace(SHORT, since=NOON - timedelta(hours=60), until=NOON - timedelta(hours=40))
    off, spread = offsets(B2_E1_301=-1.2), np.full(len(ALL), 0.5)
    new = seen(["B2-E1-301"], hours=6, offset_k=off, spread_k=spread, ended=[ended])
    assert places(diagnose(new)) == {"B2-E1-301": 1}
    since_then = seen(["B3-E1-301"], hours=50).cold
    both = replace(new, cold={**new.cold, **since_then})
    assert places(diagnose(both)) == {"N": 2}


def test_a_dwelling_much_colder_than_its_cold_entrance_is_one_for_itself() -> None:
    """The entrance costs 1 K, the closed valve in it 4 K."""
    off = offsets(B1_E1=-1.2, B1_E1_301=-4.5)
    found = diagnose(seen(below("B1-E1"), offset_k=off, spread_k=np.full(len(off), 0.4)))
    assert places(found) == {"B1-E1": 11, "B1-E1-301": 1}


def test_one_cold_entrance_chills_its_building_two_are_the_building() -> None:
    """What lies beyond a wall is off by less than half."""
    snapshot = cold_town()
    assert lone_entrance(snapshot, "B1", offsets(B1=-1.0, B1_E1=-4.0)) == "B1-E1"
    assert lone_entrance(snapshot, "B1", offsets(B1=-3.0, B1_E1=-4.0)) is None
    assert lone_entrance(snapshot, "B1", offsets(B1_E1=-0.5)) is None
    sparse = offsets(B1_E1=-1.5)
    sparse[[at for at in range(len(sparse)) if at not in (0, 12)]] = np.nan
    assert lone_entrance(snapshot, "B1", sparse) is None


def test_a_branch_that_lost_flow_is_told_at_its_one_cold_entrance() -> None:
    """The meter hangs at the building; the rooms say which half of it."""
    low = [signal(Sign.FLOW_LOW, "B2", fell_h=40.0)]
    off = offsets(B2=-1.2, B2_E1=-5.0)
    spread = np.full(len(off), 0.5)
    [finding] = diagnose(seen(below("B2"), signals=low, offset_k=off, spread_k=spread))
    assert (finding.place, finding.cause) == ("B2-E1", Cause.STRAINER_CLOGGED)


def test_dwellings_as_cold_as_their_fellows_are_one_question_not_many() -> None:
    """A night at the network's limit: who lies off nobody is told at the circuit."""
    cold = ["B1-E1-101", "B2-E1-301", "B3-E2-602"]
    spread = np.full(len(ALL), 0.5)
    [finding] = diagnose(seen(cold, offset_k=offsets(), spread_k=spread))
    assert (finding.place, finding.cause) == ("N", Cause.UNDETERMINED)
    two = diagnose(seen(cold[:2], offset_k=offsets(), spread_k=spread))
    assert sorted(one.place for one in two) == cold[:2]


def test_the_end_of_a_riser_that_is_colder_tells_air_from_valves() -> None:
    """Air gathers on top; what is coldest at the ground is set wrongly."""
    network = town()
    rows = network.below("B1-E1-R1")
    floors = np.linspace(0.0, 1.0, 6)
    for shape, cause in ((-4.5 * floors - 0.8, Cause.AIR_LOCK), (-2.5 * (1 - floors), None)):
        off = offsets()
        off[rows] = shape
        spread = np.full(len(off), 0.4)
        [finding] = diagnose(seen(below("B1-E1-R1"), offset_k=off, spread_k=spread))
        assert finding.place == "B1-E1-R1"
        assert finding.cause is (cause or Cause.VERTICAL_IMBALANCE)


def test_a_branch_meter_speaks_before_a_lone_sensor_beneath_a_common_cause() -> None:
    """The building lost flow: only where fellows are measured has one dwelling its own cause."""
    lost = signal(Sign.FLOW_LOW, "B2", fell_h=1.0)
    alone = cold_town(SHORT, lost, B2_E1_301=-4.0)
    assert "B2-E1-301" in places(diagnose(alone))
    unmeasured = set(below("B2-E1")) - {"B2-E1-301"}
    levels = {code: level for code, level in alone.level_c.items() if code not in unmeasured}
    cold = {code: facts for code, facts in alone.cold.items() if code not in unmeasured}
    assert alone.offset_k is not None
    offset = alone.offset_k.copy()
    offset[[alone.network.index[code] for code in unmeasured]] = np.nan
    lone = replace(alone, level_c=levels, cold=cold, offset_k=offset)
    assert "B2-E1-301" not in places(diagnose(lone))


def test_a_column_whose_ground_floors_lie_off_too_is_air() -> None:
    """Equally cold on top: badly set valves leave the ground as it was."""
    rows = town().below("B1-E1-R1")
    floors = np.linspace(0.0, 1.0, 6)
    for ground, cause in ((0.9, Cause.AIR_LOCK), (0.0, Cause.VERTICAL_IMBALANCE)):
        off = offsets()
        off[rows] = -ground - (2.8 - ground) * floors
        spread = np.full(len(off), 0.4)
        [finding] = diagnose(seen(below("B1-E1-R1"), offset_k=off, spread_k=spread))
        assert (finding.place, finding.cause) == ("B1-E1-R1", cause)


def test_two_cold_dwellings_on_top_of_a_riser_that_is_off_as_a_whole_are_the_riser() -> None:
    """Below an air lock the top is cold first; two single dwellings would be two tickets."""
    off = offsets()
    off[town().below("B1-E1-R1")] = (-0.6, -0.7, -0.9, -1.2, -2.0, -3.2)
    spread = np.full(len(off), 0.4)
    cold = ["B1-E1-501", "B1-E1-601"]
    [finding] = diagnose(seen(cold, offset_k=off, spread_k=spread))
    assert (finding.place, finding.cold) == ("B1-E1-R1", frozenset(cold))
    assert finding.cause is Cause.AIR_LOCK
    alone = offsets(B1_E1_201=-1.5, B1_E1_601=-3.2)
    elsewhere = diagnose(seen(["B1-E1-201", "B1-E1-601"], offset_k=alone, spread_k=spread))
    assert "B1-E1-R1" not in places(elsewhere)


def test_what_lasts_for_a_day_stands_out_with_less() -> None:
    """The mean of a day strays less than that of six hours."""
    low = cold_town(SHORT, B2_E1_301=-2.3)
    level = np.full((len(ALL), 24), 18.5)
    off = np.zeros_like(level)
    course = Courses(level, off, np.arange(24), np.full(24, -5.0))
    assert places(diagnose(replace(low, courses=course))) == {"N": 72}
    off = off.copy()
    off[town().index["B2-E1-301"]] = -2.3
    lasting = replace(course, hourly_k=off)
    assert places(diagnose(replace(low, courses=lasting))) == {"B2-E1-301": 1, "N": 71}


def test_far_colder_than_a_cold_neighbour_can_make_it_is_no_spill() -> None:
    """A closed valve beside the wall of an entrance that is cold: both are told."""
    cold = [*below("B2-E1"), "B2-E2-301"]
    offset = offsets(B2_E1=-6.0, B2_E2_301=-4.6)
    spread = np.full(len(ALL), 0.5)
    found = diagnose(seen(cold, offset_k=offset, spread_k=spread))
    assert places(found) == {"B2-E1": 12, "B2-E2-301": 1}
    offset = offsets(B2_E1=-6.0, B2_E2_301=-2.6)
    found = diagnose(seen(cold, offset_k=offset, spread_k=spread))
    assert places(found) == {"B2-E1": 13}


def test_a_branch_in_the_shade_of_a_cold_entrance_is_part_of_it() -> None:
    """It lies next door, and off by less than that entrance costs the rest of its building."""
    cold = [*below("B2-E1"), *below("B2-E2")]
    spread = np.full(len(ALL), 0.4)
    shade = seen(cold, offset_k=offsets(B2_E1=-6.0, B2_E2=-1.6), spread_k=spread)
    parts = [
        finding(shade, place, [(Cause.STRAINER_CLOGGED, 0.8)], frozenset(below(place)), [])
        for place in ("B2-E1", "B2-E2")
    ]
    assert places(join_spilled(shade, parts)) == {"B2-E1": 24}
    own = replace(shade, offset_k=offsets(B2_E1=-6.0, B2_E2=-3.6))
    assert places(join_spilled(own, parts)) == {"B2-E1": 12, "B2-E2": 12}
    homes = town().dwellings
    away = [replace(one, column=one.column + 5 * ("B2-E2" in one.code)) for one in homes]
    far = replace(shade, network=Network(town().nodes, away, [], {}))
    assert places(join_spilled(far, parts)) == {"B2-E1": 12, "B2-E2": 12}


def test_what_spilled_over_twice_goes_with_the_first() -> None:
    """A dwelling chilled by one that is chilled by an entrance: all of it is the entrance's."""
    off = offsets(B2_E1=-8.0, B2_E2_301=-3.0, B2_E2_401=-1.0)
    cold = [*below("B2-E1"), "B2-E2-301", "B2-E2-401"]
    snapshot = seen(cold, offset_k=off, spread_k=np.full(len(ALL), 0.4))
    single = [
        finding(snapshot, code, [(Cause.VALVE_CLOSED, 0.6)], frozenset({code}), [])
        for code in ("B2-E2-401", "B2-E2-301")
    ]
    ranked = [(Cause.STRAINER_CLOGGED, 0.8)]
    entrance = finding(snapshot, "B2-E1", ranked, frozenset(below("B2-E1")), [])
    assert places(join_spilled(snapshot, [*single, entrance])) == {"B2-E1": 14}


def test_a_closed_valve_chills_its_riser_and_badly_set_valves_cool_it_from_one_end() -> None:
    """Each floor feels a part of what the one between has lost; a slope along the riser is one."""
    rows = town().below("B2-E1-R1")
    offset = np.zeros(len(ALL))
    riser = seen([], offset_k=offset, spread_k=np.full(len(ALL), 0.5))
    offset[rows] = (-0.1, -1.4, -5.0, -1.2, -0.3, 0.0)
    assert lone_dwelling(riser, "B2-E1-R1", offset) == "B2-E1-301"
    for shifted in ((-4.0, -3.1, -2.0, -1.5, -0.8, 0.1), (-2.5, -3.0, -2.4, -2.7, -2.6, -2.2)):
        offset[rows] = shifted
        assert lone_dwelling(riser, "B2-E1-R1", offset) is None
    offset[rows] = (np.nan, np.nan, -5.0, -1.2, np.nan, -0.1)
    assert lone_dwelling(riser, "B2-E1-R1", offset) is None  # two fellows do not tell
