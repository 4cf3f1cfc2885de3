"""Which cause of a single dwelling's cold comes first, and which second."""

from __future__ import annotations

import pytest

from analytics.causes.scene import Scene
from analytics.localise.ranking import Own, dwelling_weights, normalised
from hearthline.domain.findings import Cause
from tests.unit.analytics.causes.buildings import FLOORS, TOP, building, height, riser

MIDDLE = 4


def ranked(scene: Scene, unit: int = MIDDLE, own: Own | None = None) -> list[Cause]:
    weights = dwelling_weights(scene, unit, own or Own())
    return [cause for cause, _ in normalised(weights)]


@pytest.mark.parametrize(
    ("depth_k", "lost", "first", "second"),
    [
        (4.0, 0.2, Cause.VALVE_CLOSED, Cause.ENVELOPE),
        (4.0, 8.0, Cause.ENVELOPE, Cause.VALVE_CLOSED),
        (1.0, 0.2, Cause.RADIATOR_COVERED, Cause.VALVE_CLOSED),
        (2.0, 8.0, Cause.ENVELOPE, Cause.RADIATOR_COVERED),
    ],
)
def test_depth_and_promptness_tell_valves_walls_and_covers(
    depth_k: float, lost: float, first: Cause, second: Cause
) -> None:
    """A closed valve is deep and slow, a leak is prompt, a cover mild and slow."""
    own = Own(lost=lost, night_k=0.0)
    assert ranked(building({MIDDLE: -depth_k}), own=own)[:2] == [first, second]


def test_a_depth_is_taken_for_the_weather_it_was_seen_in() -> None:
    """Two kelvin are much on a mild day, and little in hard frost."""
    slow = Own(lost=0.2)
    assert ranked(building({MIDDLE: -2.0}, drive_k=20.0), own=slow)[0] is Cause.VALVE_CLOSED
    assert ranked(building({MIDDLE: -2.0}, drive_k=48.0), own=slow)[0] is Cause.RADIATOR_COVERED


def test_a_valve_that_was_closed_an_hour_ago_is_judged_by_where_it_will_settle() -> None:
    """It is not yet deep."""
    mild = building({MIDDLE: -1.6})
    assert ranked(mild, own=Own(lost=0.3))[0] is Cause.RADIATOR_COVERED
    assert ranked(mild, own=Own(lost=0.3, settled=0.5))[0] is Cause.VALVE_CLOSED


def test_nights_and_falls_name_what_people_do() -> None:
    """A setback returns every night; a window falls within two hours."""
    assert ranked(building({MIDDLE: -1.2}), own=Own(night_k=1.2))[0] is Cause.TURNED_DOWN
    prompt = Own(lost=8.0, night_k=1.2)
    assert ranked(building({MIDDLE: -1.2}), own=prompt)[0] is Cause.TURNED_DOWN
    assert ranked(building({MIDDLE: -2.0}), own=Own(fell_k=2.6))[0] is Cause.WINDOW_OPEN


def test_warm_fellows_clear_the_riser() -> None:
    """Air and badly set valves would be felt by those beside it too."""
    others = ranked(building({TOP: -3.5}), TOP, Own(lost=0.3))
    assert others[0] is Cause.VALVE_CLOSED
    assert others.index(Cause.AIR_LOCK) > 2


def test_cold_fellows_below_a_cold_top_are_air() -> None:
    """Each floor less than the one above it, the ground a quarter of the top."""
    steps = {unit: -4.0 * (0.28 + 0.72 * high) for unit, high in enumerate(height())}
    assert ranked(building(steps), TOP, Own(lost=0.3))[0] is Cause.AIR_LOCK


def test_alone_measured_a_very_cold_top_may_be_the_riser() -> None:
    """Nobody else of its riser tells; who might have called and did not speaks for the dwelling."""
    alone = building({TOP: -6.0}, known=False)
    assert Cause.AIR_LOCK in ranked(alone, TOP, Own(lost=0.3))[:2]
    quiet = building({TOP: -6.0}, known=False, silent=tuple(range(TOP)))
    assert ranked(quiet, TOP, Own(lost=0.3))[0] is Cause.VALVE_CLOSED
    calls = building({TOP: -6.0}, known=False, called=(TOP - 1, TOP - 2))
    assert ranked(calls, TOP, Own(lost=0.3))[0] is Cause.AIR_LOCK


def test_tops_that_are_cold_in_every_riser_are_badly_set_valves() -> None:
    """The building's other risers bear it out."""
    graded = {
        unit + riser(n).start: -2.4 * float(high)
        for n in range(4)
        for unit, high in enumerate(height())
    }
    assert ranked(building(graded), TOP, Own(lost=0.3))[0] is Cause.VERTICAL_IMBALANCE
    ground = {unit: -2.4 - value for unit, value in graded.items()}
    assert ranked(building(ground), 0, Own(lost=0.3))[0] is Cause.VERTICAL_IMBALANCE


def test_near_unheated_dwellings_a_mild_depression_may_be_theirs() -> None:
    """A deep one is not; and where there are none, nobody speaks of them."""
    near = Own(unheated=1.0)
    assert Cause.NEIGHBOUR_UNHEATED in ranked(building({MIDDLE: -1.6}), own=near)[:2]
    assert Cause.NEIGHBOUR_UNHEATED not in ranked(building({MIDDLE: -5.5}), own=near)[:2]
    assert Cause.NEIGHBOUR_UNHEATED not in ranked(building({MIDDLE: -1.6}))


def test_another_fault_in_the_building_does_not_hide_a_dwellings_own() -> None:
    """A cold riser elsewhere is no word about this one."""
    other = dict.fromkeys(range(3 * FLOORS, 4 * FLOORS), -4.0)
    assert ranked(building({MIDDLE: -4.0, **other}), own=Own(lost=0.2))[0] is Cause.VALVE_CLOSED
