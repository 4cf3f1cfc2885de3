"""When a place recovers, and how far back it was last deep."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.causes.scene import OVER_H, back_to_depth
from tests.unit.analytics.causes.buildings import building


def course(*parts: tuple[int, float]) -> np.ndarray:
    return np.concatenate([np.full(hours, value) for hours, value in parts])


@pytest.mark.parametrize(
    "hourly",
    [
        course((48, -3.0)),
        course((24, 0.0), (24, -3.0)),
        course((24, -1.0), (24, -0.2)),
        course((36, -3.0), (10, -1.0)),
        course((48, np.nan)),
        course((4, -3.0)),
    ],
    ids=["settled", "new", "mild", "for some hours", "unknown", "short"],
)
def test_what_is_cold_or_was_never_deep_is_judged_now(hourly: np.ndarray) -> None:
    """So is what came back some hours ago: nights and days do that."""
    assert back_to_depth(hourly) == 0


def test_what_has_recovered_for_half_a_day_is_judged_as_it_was() -> None:
    """The last hours of its depth tell, not the walls' warming up."""
    back = back_to_depth(course((24, -4.0), (24, -1.0)))
    assert OVER_H <= back <= 24


def test_offsets_are_told_against_the_rest_of_the_building_where_it_is_measured() -> None:
    """What all of it has in common is no dwelling's own."""
    scene = building(dict.fromkeys(range(36), -1.0))
    here = np.arange(36) == 4
    assert scene.against_rest(here).seen.off_k[4] == pytest.approx(0.0)
    alone = building({4: -1.0}, known=False)
    assert alone.against_rest(here).seen.off_k[4] == pytest.approx(-1.0)


def test_what_is_wrong_with_another_part_of_the_building_is_not_shared() -> None:
    """Neither another entrance's cold nor another riser's makes those who are well look warm."""
    other = building(dict.fromkeys(range(18, 36), -5.0))
    assert other.against_rest(np.arange(36) == 4).seen.off_k[4] == pytest.approx(0.0)
    riser = building(dict.fromkeys(range(18, 36), -5.0) | dict.fromkeys(range(9, 18), -4.0))
    column = np.arange(36) < 9
    assert riser.against_rest(column).seen.off_k[4] == pytest.approx(0.0)
