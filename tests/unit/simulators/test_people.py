"""What people give off and let out."""

from __future__ import annotations

import numpy as np
import pytest

from simulators import people

UNITS = 2000
HOME = people.household(1, np.full(UNITS, 80.0), 3.6)
SLOTS_A_DAY = 72


def day(first_slot: int = 0) -> np.ndarray:
    slots = range(first_slot, first_slot + SLOTS_A_DAY)
    return np.array([people.gains(HOME, 1, slot, slot % SLOTS_A_DAY / 3.0) for slot in slots])


def test_gains_average_to_what_the_scenario_says() -> None:
    assert day().mean() == pytest.approx(3.6 * 80.0, rel=0.04)


def test_evenings_are_busier_than_nights() -> None:
    gains = day()
    assert gains[17 * 3 : 20 * 3].mean() > 2.0 * gains[1 * 3 : 4 * 3].mean()


def test_gains_are_never_negative() -> None:
    assert day().min() >= 0.0


def test_the_same_slot_is_the_same_again() -> None:
    assert (people.gains(HOME, 1, 40, 13.3) == people.gains(HOME, 1, 40, 13.3)).all()


def test_slots_before_the_anchor_work_too() -> None:
    assert people.gains(HOME, 1, -200, 5.0).mean() > 0.0


def test_nobody_airs_a_cool_room() -> None:
    cool = np.full(UNITS, 20.0)
    assert all((people.airing(HOME, 1, slot, 8.0, cool) == 0.0).all() for slot in range(10))


def test_a_room_is_aired_a_few_times_a_week() -> None:
    warm = np.full(UNITS, 22.5)
    slots = range(SLOTS_A_DAY)
    opened = sum((people.airing(HOME, 1, s, s / 3.0, warm) > 0.0).sum() for s in slots)
    assert 0.2 < opened / UNITS < 1.5
