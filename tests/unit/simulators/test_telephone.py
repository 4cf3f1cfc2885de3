"""Households phone by what they feel: the colder and the longer, the sooner; a few without need."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hearthline.domain.complaints import Complaint
from simulators.calls import AGAIN, WAITS_H, WARM_A_DAY, Households
from simulators.runner import run
from simulators.testing import small_city

START = datetime(2026, 1, 5, 16, tzinfo=UTC)  # local midnight
CHINA = ZoneInfo("Asia/Shanghai")
HOMES = 4000


def heard(room_c: float | np.ndarray, days: float, *, seed: int = 3, homes: int = HOMES,
          silent: bool = False) -> list[Complaint]:  # fmt: skip
    """Who calls from rooms that stay as they are."""
    codes = [f"U{number:04}" for number in range(homes)]
    town = Households(seed, codes, CHINA, 20.0, np.full(homes, silent))
    rooms = np.broadcast_to(np.asarray(room_c, np.float32), (homes,))
    hours = range(round(days * 24))
    return [call for hour in hours for call in town.hear(START + timedelta(hours=hour), rooms)]


def share(calls: list[Complaint], homes: int = HOMES) -> float:
    return len({call.place for call in calls}) / homes


def test_the_colder_it_is_the_more_call() -> None:
    """Within two days: hardly anybody at 19 °C, a third or more at 18, nearly all at 15."""
    mild, cold, deep = (share(heard(room_c, 2)) for room_c in (19.0, 18.0, 15.0))
    assert mild < 0.12
    assert 0.3 < cold < 0.6
    assert 0.8 < deep < 0.95  # one in ten never calls


def test_patience_lasts_for_hours() -> None:
    """The first day brings fewer calls than the second."""
    calls = heard(18.0, 2)
    first = [call for call in calls if call.at < START + timedelta(days=1)]
    assert share(first) < 0.5 * share(calls)


def test_warm_homes_seldom_call() -> None:
    """As often as the docstring says, and one in ten of them once more."""
    calls = heard(21.5, 60)
    expected = WARM_A_DAY * 60 * HOMES * (1 + AGAIN)
    assert 0.7 * expected < len(calls) < 1.3 * expected


def test_nobody_calls_at_night_or_twice_in_a_row() -> None:
    """Asleep from midnight to six, and who called waits."""
    calls = heard(14.0, 4)
    assert {call.at.astimezone(CHINA).hour for call in calls}.isdisjoint(range(6))
    last: dict[str, datetime] = {}
    for call in calls:
        if call.place in last:
            assert call.at - last[call.place] > timedelta(hours=WAITS_H - 1)
        last[call.place] = call.at


def test_calls_hang_on_seed_and_dwelling_alone() -> None:
    """Not on who else lives there, and another seed has other callers."""
    few = {(call.place, call.at) for call in heard(18.0, 2, homes=500)}
    all_of_them = {(call.place, call.at) for call in heard(18.0, 2)}
    assert few == {one for one in all_of_them if one[0] < "U0500"}
    assert few != {(call.place, call.at) for call in heard(18.0, 2, homes=500, seed=4)}


def test_who_is_not_supplied_does_not_call() -> None:
    """They do not expect heat."""
    assert heard(10.0, 3, silent=True) == []


def test_a_recovered_room_is_silent() -> None:
    """Two cold days, then warm ones: what was lacking is forgiven."""
    codes = [f"U{number:04}" for number in range(HOMES)]
    town = Households(3, codes, CHINA, 20.0, np.zeros(HOMES, bool))
    for hour in range(48):
        town.hear(START + timedelta(hours=hour), np.full(HOMES, 16.0, np.float32))
    after = [
        call
        for hour in range(48, 72)
        for call in town.hear(START + timedelta(hours=hour), np.full(HOMES, 21.5, np.float32))
    ]
    assert len(after) < 0.1 * HOMES


def test_a_town_hears_the_same_calls_with_and_without_sensors() -> None:
    """A shut valve makes the household call; nobody looks at the thermometer."""
    town = small_city(seed=5).with_fault("valve_closed", "T-S1-B01-E1-0301", onset="2h")
    with_sensors = town.simulate(days=4).calls
    without = town.with_coverage(0.0).simulate(days=4).calls
    assert list(with_sensors) == list(without)
    assert "T-S1-B01-E1-0301" in {call.place for call in without}


@pytest.mark.parametrize("resumed", [False, True])
def test_a_run_hands_over_the_calls_of_its_outcome(resumed: bool) -> None:
    """Block by block, each once; a run that goes on later begins where the other left."""
    town = small_city(seed=5).with_fault("valve_closed", "T-S1-B01-E1-0301", onset="2h")
    stop, half = town.anchor + timedelta(days=4), town.anchor + timedelta(hours=70)
    blocks = run(town.city, town.anchor, half if resumed else stop, timedelta(minutes=10))
    heard = [call for block in blocks for call in block.calls]
    if resumed:
        rest = run(town.city, town.anchor, stop, timedelta(hours=3), publish_from=half)
        heard += [call for block in rest for call in block.calls]
    assert heard == list(town.simulate(days=4).calls)
    assert len(heard) > 1
