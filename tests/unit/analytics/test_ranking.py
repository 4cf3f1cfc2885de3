"""Which cause of a single dwelling's cold comes first, and which second."""

from __future__ import annotations

import pytest

from analytics.localise.ranking import Around, dwelling_weights, normalised
from hearthline.domain.findings import Cause

NOWHERE = float("nan")


def ranked(
    depth_k: float = 1.0,
    lost: float = 1.0,
    *,
    settled_k: float | None = None,
    night_k: float = NOWHERE,
    fell_k: float = NOWHERE,
    around: Around | None = None,
) -> list[Cause]:
    weights = dwelling_weights(
        depth_k=depth_k,
        settled_k=depth_k if settled_k is None else settled_k,
        lost=lost,
        night_k=night_k,
        fell_k=fell_k,
        around=around or Around(),
    )
    return [cause for cause, _ in normalised(weights)]


@pytest.mark.parametrize(
    ("depth_k", "lost", "first", "second"),
    [
        (4.0, 0.2, Cause.VALVE_CLOSED, Cause.ENVELOPE),
        (4.0, 8.0, Cause.ENVELOPE, Cause.VALVE_CLOSED),
        (1.0, 0.2, Cause.RADIATOR_COVERED, Cause.ENVELOPE),
        (1.0, 1.0, Cause.ENVELOPE, Cause.RADIATOR_COVERED),
    ],
)
def test_depth_and_promptness_tell_valves_walls_and_covers(
    depth_k: float, lost: float, first: Cause, second: Cause
) -> None:
    """A closed valve is deep and slow, a leak is prompt, a cover mild and slow."""
    assert ranked(depth_k, lost)[:2] == [first, second]


def test_a_valve_that_was_closed_an_hour_ago_is_judged_by_where_it_will_settle() -> None:
    """It is not yet deep."""
    assert ranked(1.6, 0.3, settled_k=3.2)[0] is Cause.VALVE_CLOSED


def test_nights_and_falls_name_what_people_do() -> None:
    """A setback returns every night; a window falls within two hours."""
    assert ranked(night_k=1.2)[0] is Cause.TURNED_DOWN
    assert ranked(2.5, 8.0, night_k=1.2)[0] is Cause.TURNED_DOWN
    assert ranked(fell_k=2.6)[0] is Cause.WINDOW_OPEN


def test_who_is_alone_measured_in_a_riser_may_be_the_first_of_it() -> None:
    """Air holds back the top's flow like a closed valve; never in the first place by itself."""
    top = Around(alone=True, height=1.0)
    assert ranked(3.5, 0.3, around=top)[:2] == [Cause.VALVE_CLOSED, Cause.AIR_LOCK]
    assert Cause.AIR_LOCK not in ranked(3.5, 0.3)
    both = Around(alone=True, fellows=1, height=1.0)
    assert Cause.VERTICAL_IMBALANCE in ranked(1.5, 1.0, around=both)[:2]
    assert Cause.VERTICAL_IMBALANCE not in ranked(1.5, 1.0, around=top)[:2]
    middle = Around(alone=True, height=0.5)
    assert Cause.VERTICAL_IMBALANCE not in ranked(1.5, 1.0, around=middle)


def test_near_unheated_dwellings_a_mild_depression_may_be_theirs() -> None:
    """A deep one is not."""
    near = Around(unheated=1.0)
    assert Cause.NEIGHBOUR_UNHEATED in ranked(1.2, 1.0, around=near)[:2]
    assert Cause.NEIGHBOUR_UNHEATED not in ranked(4.5, 1.0, around=near)[:2]


def test_beside_unmeasured_rooms_a_mild_slow_depression_may_be_a_neighbours_valve() -> None:
    """Measured ones would tell; a deep depression is its own."""
    unknown = Around(unknown=4)
    assert ranked(1.0, 0.3, around=unknown)[:2] == [Cause.VALVE_CLOSED, Cause.RADIATOR_COVERED]
    assert ranked(1.0, 0.3)[:2] == [Cause.RADIATOR_COVERED, Cause.ENVELOPE]
