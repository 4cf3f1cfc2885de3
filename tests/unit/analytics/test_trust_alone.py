"""Doubts about a sensor that is cold alone, and what takes them away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analytics.trust import (
    NOTHING_AROUND,
    Facts,
    Surroundings,
    Trust,
    TrustReason,
    daily,
    judge,
)
from analytics.trust.model import GRADE_B, GRADE_C, NUMBER, Floats, Ints
from analytics.trust.walls import PULL
from tests.unit.analytics.rooms import around, breathing, shown

ROWS, HOURS, DAY = 12, 6 * 24, 24
COLD = 5


def walls(rows: int = ROWS) -> Ints:
    """Dwellings of which each touches the next two."""
    pairs = [(at, at + by) for by in (1, 2) for at in range(rows - by)]
    return np.array([*pairs, *((b, a) for a, b in pairs)], np.int64)


def doubted(level: Floats, near: Surroundings) -> Ints:
    """Reasons of the cold sensor's hours, GOOD where it is of grade A."""
    trust = judge(shown(level), near)
    assert (trust.grade[COLD] < GRADE_C).all()
    return np.where(trust.grade[COLD] == GRADE_B, trust.reason[COLD], NUMBER[TrustReason.GOOD])


FALL_K = 3.5 * (1.0 - np.exp(-np.maximum(np.arange(HOURS) - 30.0, 0.0) / 8.0))
"""As a room cools whose radiator is shut."""


def test_a_new_sensor_far_below_its_peers_is_doubted_on_its_first_day() -> None:
    """Nothing is known of the place on which it hangs."""
    level = breathing(ROWS, DAY)
    level[COLD] -= 3.0
    assert (doubted(level, NOTHING_AROUND) == NUMBER[TrustReason.UNTRIED]).all()


def test_a_room_that_was_well_and_gets_cold_is_not_untried() -> None:
    """Its sensor has shown that it hangs where it should."""
    level = breathing(ROWS, DAY)
    fallen = np.maximum(np.arange(DAY) - 8.0, 0.0)
    level[COLD] -= 4.0 * (1.0 - np.exp(-fallen / 8.0))
    assert NUMBER[TrustReason.UNTRIED] not in doubted(level, NOTHING_AROUND)


def test_rooms_that_hardly_answer_to_the_outdoor_air_are_believed_after_days() -> None:
    """And one that answers as much as it is cold stays in doubt, until that is certain."""
    near = around(HOURS, ROWS)
    assert near.outdoor_c is not None
    level = breathing(ROWS, HOURS)
    level[COLD] -= 3.0
    sensors = shown(level)
    last = judge(sensors, near, daily(sensors, near)).grade[COLD, -DAY:]
    assert (last < GRADE_B).all()
    balcony = breathing(ROWS, HOURS)
    balcony[COLD] += 0.09 * (near.outdoor_c - 21.0)
    sensors = shown(balcony)
    trust = judge(sensors, near, daily(sensors, near))
    assert (trust.grade[COLD] >= GRADE_B).mean() > 0.95


def test_cold_that_the_neighbours_do_not_feel_is_doubted() -> None:
    """The same cold is believed of a dwelling that pulls its neighbours down."""
    near = replace(NOTHING_AROUND, walls=walls())
    level = breathing(ROWS, HOURS) - 0.13 * (np.arange(ROWS) - ROWS // 2)[:, None]
    level[COLD] -= FALL_K
    alone = doubted(level, near)
    assert (alone[-12:] == NUMBER[TrustReason.UNFELT]).all()
    for beside in (COLD - 2, COLD - 1, COLD + 1, COLD + 2):
        level[beside] -= PULL * FALL_K
    felt = doubted(level, near)
    assert (felt[-DAY:] == NUMBER[TrustReason.GOOD]).all()


LOW_K = 2.4


def always_low(felt_k: float, days: int = 12) -> tuple[Trust, Facts]:
    """One sensor low ever since it was first heard; its neighbours feel so much of it."""
    level = breathing(ROWS, days * DAY) - 0.13 * (np.arange(ROWS) - ROWS // 2)[:, None]
    level[COLD] -= LOW_K
    for beside in (COLD - 2, COLD - 1, COLD + 1, COLD + 2):
        level[beside] -= felt_k
    sensors, near = shown(level), replace(NOTHING_AROUND, walls=walls())
    past = daily(sensors, near)
    return judge(sensors, near, past), past


def test_a_level_that_was_always_low_and_that_nobody_feels_is_a_sensor_s() -> None:
    """Doubted from the third day, a case for a thermometer after a week."""
    trust, past = always_low(0.0)
    why = NUMBER[TrustReason.UNFELT]
    assert (trust.grade[COLD, 3 * DAY : 6 * DAY] == GRADE_B).all()
    assert (trust.grade[COLD, 8 * DAY :] == GRADE_C).all()
    assert (trust.reason[COLD, 3 * DAY :] == why).all()
    assert trust.measure[COLD, -1] == pytest.approx(-LOW_K, abs=0.2)
    assert past["told"][COLD, -1] == why
    assert not trust.usable[COLD].any()
    assert (np.delete(trust.grade, COLD, axis=0) == 0).all()


def test_a_room_that_was_always_cold_and_that_chills_its_neighbours_is_believed() -> None:
    trust, past = always_low(PULL * LOW_K)
    assert NUMBER[TrustReason.UNFELT] not in trust.reason[COLD]
    assert not past["told"].any()


def test_a_room_that_gets_colder_than_its_sensor_s_old_lie_is_believed_in_that_hour() -> None:
    """A lie that was always there explains its own kelvin, and no fall beneath them."""
    hours = 7 * DAY
    level = breathing(ROWS, hours) - 0.13 * (np.arange(ROWS) - ROWS // 2)[:, None]
    level[COLD] -= 1.3
    level[COLD, -12:] -= 3.0
    near = replace(NOTHING_AROUND, walls=walls())
    sensors = shown(level)
    trust = judge(sensors, near, daily(sensors, near))
    why = NUMBER[TrustReason.UNFELT]
    assert (trust.reason[COLD, -2 * DAY : -12] == why).all()
    assert (trust.reason[COLD, -10:] != why).all()
    assert (trust.grade[COLD, -10:] < GRADE_C).all()


def test_without_witnesses_a_level_says_nothing() -> None:
    """Nobody's sensor hangs beyond its walls, or an unheated dwelling lies there."""
    level = breathing(ROWS, 12 * DAY)
    level[COLD] -= LOW_K
    sensors, others = shown(level), walls()
    near = replace(NOTHING_AROUND, walls=others[others[:, 0] != COLD])
    trust = judge(sensors, near, daily(sensors, near))
    assert (trust.grade[COLD] < GRADE_C).all()


def test_one_neighbour_is_no_witness() -> None:
    near = replace(NOTHING_AROUND, walls=np.array([(COLD, 4), (4, COLD)]))
    level = breathing(ROWS, HOURS)
    level[COLD] -= FALL_K
    assert NUMBER[TrustReason.UNFELT] not in doubted(level, near)
