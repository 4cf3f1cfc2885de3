"""What people give off and let out of the window."""

from __future__ import annotations

import numpy as np
import pytest

from simulators import people, rand
from simulators.compiled import mixed
from simulators.rooms import company_of, lived
from simulators.scenario import PeopleSpec

UNITS = 1500
HOME = people.household(1, np.full(UNITS, 80.0), 3.6)
DAY = people.day(PeopleSpec())


def slot(number: int, day: people.Day = DAY) -> tuple[np.ndarray, np.ndarray]:
    """Gains as a share of the mean and how wide windows open, of punctual households."""
    now = day.at(number % people.SLOTS / 3.0)
    bits = rand.bits(1, "people/slot", number, np.arange(UNITS))
    late = people.LATEST
    both = [
        lived(word, now.rest[late], now.burst, now.bursts[late], now.airs[late]) for word in bits
    ]
    return np.array([one for one, _ in both]), np.array([other for _, other in both])


def whole_day(day: people.Day = DAY) -> tuple[np.ndarray, np.ndarray]:
    slots = [slot(number, day) for number in range(people.SLOTS)]
    return np.array([gains for gains, _ in slots]), np.array([opened for _, opened in slots])


@pytest.mark.parametrize("cooking", [0.0, 1.0, 2.0])
def test_gains_average_to_one_however_often_people_cook(cooking: float) -> None:
    day = people.day(PeopleSpec(cooking=cooking))
    expected = day.rest + day.burst * day.bursts / 65536.0
    assert expected.mean() == pytest.approx(1.0, abs=1e-3)
    assert expected.min() > 0.0


def test_drawn_gains_average_to_one_and_evenings_are_busier_than_nights() -> None:
    gains, _ = whole_day()
    assert gains.mean() == pytest.approx(1.0, rel=0.03)
    assert gains.min() > 0.0
    assert gains[17 * 3 : 20 * 3].mean() > 2.0 * gains[1 * 3 : 4 * 3].mean()


def test_a_window_is_opened_a_few_times_a_week_and_never_in_the_small_hours() -> None:
    _, opened = whole_day()
    assert 0.2 < (opened > 0.0).sum() / UNITS < 1.5
    assert (opened[: 5 * 3] == 0.0).all()
    assert 0.4 <= opened[opened > 0.0].min() <= opened.max() <= 1.6


def test_households_differ_and_run_early_or_late() -> None:
    assert HOME.mean_w.mean() == pytest.approx(3.6 * 80.0, rel=0.02)
    assert HOME.mean_w.std() == pytest.approx(0.15 * 3.6 * 80.0, rel=0.1)
    late = HOME.late.astype(int) - people.LATEST
    assert abs(late.mean()) < 0.2
    assert 3 <= np.abs(late).max() <= people.LATEST


def test_who_runs_late_does_later_what_others_did() -> None:
    now, before = DAY.at(12.0), DAY.at(11.0)
    assert now.bursts[people.LATEST + 3] == before.bursts[people.LATEST]
    assert now.rest[people.LATEST + 3] == before.rest[people.LATEST]


def test_a_dwelling_draws_by_slot_and_seed_alone() -> None:
    """The loop over dwellings draws the very bits that ``rand`` gives, before the anchor too."""
    for number in (-200, 0, 40):
        state = rand.state(1, "people/slot", number)
        looped = [int(mixed(state, unit)) for unit in range(5)]
        assert looped == rand.bits(1, "people/slot", number, np.arange(5)).tolist()


def test_company_of_a_day_lies_between_fewer_and_more() -> None:
    drawn = [company_of(word) for word in rand.bits(1, "people/company", 3, np.arange(UNITS))]
    assert abs(np.mean(drawn)) < 0.05
    assert -1.0 <= min(drawn) < -0.9 < 0.9 < max(drawn) < 1.0


@pytest.mark.parametrize(
    ("hour", "night"), [(21.9, False), (22.0, True), (3.0, True), (6.0, False)]
)
def test_valves_are_turned_down_from_22_to_6(hour: float, night: bool) -> None:
    assert people.is_night(hour) is night
