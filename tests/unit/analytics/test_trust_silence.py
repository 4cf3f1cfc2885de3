"""Gateways, batteries and clocks: missing is never cold, and silence is told by its company."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.trust import Surroundings, TrustReason, daily, judge
from analytics.trust.model import GRADE_B, GRADE_C
from tests.unit.analytics.rooms import breathing, shown

HOURS = 60


def test_sensors_that_fall_silent_together_lost_their_gateway() -> None:
    """C for the time of the gap, with when it began; nobody is silent on his own account."""
    level = breathing(8, HOURS)
    level[:5, 30:40] = np.nan
    gateway = np.array([7] * 5 + [8] * 3)
    trust = judge(shown(level), Surroundings(gateway=gateway))
    assert (trust.grade[:5, 31:40] == GRADE_C).all()
    assert trust.why(2, 39) == trust.why(0, 31)
    assert trust.why(2, 39)[1] is TrustReason.GATEWAY_OUT
    assert (trust.since[:5, 35] == 30).all()
    assert (trust.grade[:, 41:] < GRADE_C).all()
    assert (trust.grade[5:] < GRADE_C).all()


@pytest.mark.parametrize(("later_h", "told"), [(0, True), (5, False)])
def test_two_that_fall_silent_in_the_same_hour_lost_their_gateway(later_h: int, told: bool) -> None:
    """Two batteries do not go flat at once; one after the other they may."""
    level = breathing(8, HOURS)
    level[0, 30:45] = np.nan
    level[1, 30 + later_h : 45] = np.nan
    gateway = np.array([7] * 2 + [8] * 6)
    trust = judge(shown(level), Surroundings(gateway=gateway))
    out = TrustReason.GATEWAY_OUT
    assert [trust.why(row, 44)[1] is out for row in range(3)] == [told, told, False]
    assert (trust.grade[:, 46:] < GRADE_C).all()


def test_a_gateway_that_hands_over_its_backlog_is_not_out() -> None:
    """What it has not told yet is awaited; one of which nothing arrives is out."""
    level = breathing(8, HOURS)
    level[:, 40:] = np.nan
    gateway = np.array([7] * 4 + [8] * 4)
    heard_s = np.array([20.0, 900.0, 900.0, np.nan] + [4 * 3600.0] * 4)
    trust = judge(shown(level), Surroundings(gateway=gateway, heard_s=heard_s))
    assert (trust.grade[:4] < GRADE_C).all()
    assert (trust.grade[4:, 41:] == GRADE_C).all()


def test_the_first_that_speak_again_do_not_stand_for_the_backlog() -> None:
    """An hour that just one sensor has told is not told, as long as the others hand over theirs."""
    level = breathing(12, HOURS)
    level[:, 57:] = np.nan
    level[0, 59] = 21.0
    handing_over = judge(shown(level), Surroundings(heard_s=np.full(12, 10.0)))
    assert (handing_over.grade < GRADE_C).all()
    elsewhere = np.array([10.0] + [3 * 3600.0] * 11)  # the one is heard by another gateway
    out = judge(shown(level), Surroundings(heard_s=elsewhere))
    assert out.why(5, 59)[1] is TrustReason.GATEWAY_OUT


def test_what_a_backlog_shows_to_be_missing_is_missing() -> None:
    """Hours that the gateway has passed by without a word of a sensor count as its silence."""
    level = breathing(8, HOURS)
    level[:, 50:], level[3, 20:] = np.nan, np.nan
    trust = judge(shown(level), Surroundings(heard_s=np.full(8, 10.0)))
    assert trust.why(3, 49)[1] is TrustReason.SILENT
    assert (np.delete(trust.grade, 3, axis=0) < GRADE_C).all()


def test_without_named_gateways_the_building_stands_in() -> None:
    level = breathing(6, HOURS)
    level[:, 30:36] = np.nan
    trust = judge(shown(level))
    assert trust.why(3, 33)[1] is TrustReason.GATEWAY_OUT


def test_a_lost_hour_is_no_outage() -> None:
    level = breathing(6, HOURS)
    level[:, 30] = np.nan
    assert (judge(shown(level)).grade < GRADE_C).all()


def test_one_that_falls_silent_alone() -> None:
    """After twelve hours; after six with a battery that was low."""
    level = breathing(8, HOURS)
    level[3, 20:] = np.nan
    silent = judge(shown(level))
    assert (silent.grade[3, :31] < GRADE_C).all()
    assert silent.why(3, 31)[1] is TrustReason.SILENT
    assert silent.measure[3, 31] == 12.0
    battery = np.full(8, 80.0)
    battery[3] = 6.0
    low = judge(shown(level), Surroundings(battery_pct=battery))
    assert low.why(3, 25)[1] is TrustReason.BATTERY
    assert low.grade[3, 24] < GRADE_C


def test_a_rare_speaker_has_its_own_patience() -> None:
    """Silence is measured in its own intervals."""
    level = breathing(8, HOURS)
    level[3] = np.nan
    level[3, ::6] = 21.0 + 0.1 * np.arange(10)
    interval = np.full(8, 1200.0)
    interval[3] = 6 * 3600.0
    trust = judge(shown(level), Surroundings(interval_s=interval))
    assert (trust.grade[3] < GRADE_C).all()


def test_an_outage_is_not_counted_as_a_sensor_s_own_silence() -> None:
    """The gateway was away for a day; the sensor came back an hour after it."""
    level = breathing(8, HOURS)
    level[:, 20:44] = np.nan
    level[3, 44:46] = np.nan
    assert (judge(shown(level)).grade[3, 44:] < GRADE_C).all()


def test_a_low_battery_alone_is_believed() -> None:
    around = Surroundings(battery_pct=np.full(6, 3.0))
    assert (judge(shown(breathing(6, HOURS)), around).grade < GRADE_B).all()


def test_a_clock_that_is_off_needs_a_neighbour() -> None:
    """The value is right, its hour is not."""
    skew = np.zeros(6)
    skew[2] = 8 * 3600.0
    trust = judge(shown(breathing(6, HOURS)), Surroundings(skew_s=skew))
    assert (trust.grade[2] == GRADE_B).all()
    assert trust.why(2, 5)[1] is TrustReason.CLOCK_SKEWED
    assert trust.usable.all()


def test_sensors_of_unheated_dwellings_are_nobody_s_peers() -> None:
    """Five stopped dwellings of eleven do not make the six heated ones look strange."""
    level = breathing(11, HOURS)
    unheated = np.arange(11) < 5
    level[unheated] -= 9.0
    level[:5, 30:] -= 3.0
    trust = judge(shown(level), Surroundings(unheated=unheated))
    assert (trust.grade < GRADE_B).all()


def test_a_sensor_that_was_never_heard_has_not_fallen_silent() -> None:
    """Two empty days at the beginning of everything are remembered, and mean nothing."""
    sensors = shown(np.full((5, 48), np.nan))
    past = daily(sensors)
    assert past.days >= 1
    assert not judge(sensors, past=past).suspect.any()
