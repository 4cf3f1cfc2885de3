"""Recipes: the shipped one, and those that would not be honest."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.causes.recipe import SHIPPED, Part, of_plain, read
from hearthline.errors import Invalid

RECIPE = """\
seasons:
  - {{scenario: lessons, days: 5, teaching: [{teaching}], calibrating: [10002], held_out: [10003]}}
coverages: [1.0, 0.2]
regularisation: 0.1
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text)
    return path


def test_the_shipped_recipe_is_right_and_has_every_part() -> None:
    """Who trains anew starts from it."""
    parts = {part for _, _, part in read(SHIPPED).all_seasons()}
    assert parts == set(Part)


def test_a_recipe_survives_being_stored(tmp_path: Path) -> None:
    """What a model holds of its recipe is the recipe."""
    recipe = read(written(tmp_path, RECIPE.format(teaching="10001, 10004")))
    assert of_plain(recipe.plain()) == recipe


def test_seeds_that_people_score_with_are_refused(tmp_path: Path) -> None:
    """A model that has seen a winter cannot be measured by it."""
    with pytest.raises(Invalid, match="scoring"):
        read(written(tmp_path, RECIPE.format(teaching="21")))


def test_a_season_serves_one_end_only(tmp_path: Path) -> None:
    """Held out means held out."""
    with pytest.raises(Invalid, match="10003 twice"):
        read(written(tmp_path, RECIPE.format(teaching="10001, 10003")))


def test_every_part_needs_a_season(tmp_path: Path) -> None:
    """Without a season to teach there is nothing to learn."""
    with pytest.raises(Invalid, match="teaching"):
        read(written(tmp_path, RECIPE.format(teaching="")))


@pytest.mark.parametrize(
    "text",
    ["", "seasons: 3", "seasons: []\ncoverages: []\nregularisation: 0.1\nmore: 1\n", "{"],
    ids=["empty", "no list", "an unknown key", "no YAML"],
)
def test_what_is_no_recipe_is_refused(tmp_path: Path, text: str) -> None:
    """One sentence, with where to look."""
    with pytest.raises(Invalid, match="no recipe"):
        read(written(tmp_path, text))


def test_a_stored_recipe_that_is_none_is_refused() -> None:
    """A model whose recipe was meddled with cannot be made again."""
    with pytest.raises(Invalid, match="none"):
        of_plain({"seasons": "all"})
