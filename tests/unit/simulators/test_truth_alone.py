"""What each fault does by itself: a bystander is not blamed for what its neighbour did."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from simulators.testing import ANCHOR, Town, small_city
from simulators.truth.alone import apart, effects, longest
from simulators.truth.oddities import odd_sensors

DWELLING = "T-S1-B01-E1-0201"
LENGTH = timedelta(hours=36)


def town() -> Town:
    return small_city(["1x4", "1x3"], outdoor_c=-18)


def test_a_fault_that_makes_nobody_cold_by_itself_does_not_count() -> None:
    """The pump stands still, and in one dwelling a radiator is covered a little."""
    broken = town().with_fault("pump_trip", "T-S1", onset="6h")
    both = broken.with_fault("radiator_covered", DWELLING, onset="6h", severity=0.05)
    found = effects(both.city, ANCHOR, LENGTH)
    pump, cover = found.effects[0], found.effects[1]
    assert (pump.counts, cover.counts) == (True, False)
    unit = both.city.unit_codes.index(DWELLING)
    assert found.room_c[-1, unit] < 20 < found.twin_c[-1, unit]
    assert float(cover.drop_k.max()) < 0.5


def test_alone_is_alone() -> None:
    """The same effect whether or not something else is wrong, to the last bit."""
    valve = town().with_fault("valve_closed", DWELLING, onset="6h")
    more = valve.with_fault("pump_trip", "T-S1", onset="6h")
    one, other = effects(valve.city, ANCHOR, LENGTH), effects(more.city, ANCHOR, LENGTH)
    np.testing.assert_array_equal(one.effects[0].drop_k, other.effects[0].drop_k)
    assert one.effects[0].counts


def test_faults_that_do_not_touch_share_a_run() -> None:
    """Two houses and their station: the houses together, the station by itself."""
    broken = (
        town()
        .with_fault("strainer_clogged", "T-S1-B01", onset="2h")
        .with_fault("strainer_clogged", "T-S1-B02", onset="3h")
        .with_fault("pump_trip", "T-S1", onset="1h", end="2h")
        .with_fault("sensor_stuck", DWELLING, onset="1h")
    )
    assert sorted(map(sorted, apart(broken.city))) == [[0, 1], [2]]


def test_a_healthy_town_is_its_own_twin() -> None:
    found = effects(town().city, ANCHOR, timedelta(hours=3))
    assert found.effects == {}
    np.testing.assert_array_equal(found.room_c, found.twin_c)


def test_what_people_do_for_good_is_a_habit_and_a_listed_fault_is_none() -> None:
    crowd = small_city(["3x8"], outdoor_c=-10).with_people(stopped=0.1, turned_down=0.1)
    listed = crowd.with_fault("neighbour_unheated", "T-S1-B01-E1-0101", onset="-60d")
    habits = [fault.habit for fault in listed.city.truth]
    assert habits[0] is False
    assert len(habits) > 1
    assert all(habits[1:])


def test_the_longest_stretch_counts() -> None:
    mask = np.array([[1, 0], [1, 0], [0, 1], [1, 1], [1, 1]], bool)
    assert longest(mask).tolist() == [2, 3]


def test_odd_sensors_are_those_with_wrong_clocks_or_flat_batteries() -> None:
    """None in a field that behaves; clocks matter where the device dates its readings itself."""
    good = town()
    assert odd_sensors(good.city, ANCHOR) == frozenset()
    wrong = good.with_behaviour(clock_wrong=1.0)
    uids = {device.uid for device in wrong.city.fleet.rooms.devices}
    own = {uid for uid in uids if uid.startswith("own:")}
    assert own
    assert odd_sensors(wrong.city, ANCHOR) == own
    assert odd_sensors(good.with_behaviour(battery_low=1.0).city, ANCHOR) == uids
