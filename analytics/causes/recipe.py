"""A recipe: from which simulated seasons a model is made, as YAML.

Seeds below ``FIRST_SEED`` are refused: those are the winters by which people score the analysis,
and nothing may be measured on what it has learnt from. A season serves one end only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec

from hearthline.errors import Invalid

FIRST_SEED = 10_000
SHIPPED = Path(__file__).with_name("recipe.yaml")

Share = Annotated[float, msgspec.Meta(gt=0.0, le=1.0)]


class Part(StrEnum):
    """What a season is for."""

    TEACHING = "teaching"
    CALIBRATING = "calibrating"
    HELD_OUT = "held_out"


class Seasons(msgspec.Struct, forbid_unknown_fields=True):
    """Seasons of one scenario: how long, and the seeds by what they are for."""

    scenario: str
    days: Annotated[float, msgspec.Meta(ge=3.0, le=60.0)]
    teaching: list[int] = []
    calibrating: list[int] = []
    held_out: list[int] = []
    dwellings: Annotated[int, msgspec.Meta(ge=50, le=100_000)] | None = None

    def seeds(self) -> Iterator[tuple[int, Part]]:
        """Every seed with what it is for."""
        for part in Part:
            for seed in getattr(self, part):
                yield seed, part


class Recipe(msgspec.Struct, forbid_unknown_fields=True):
    """All that a model is made from; each season is seen at every coverage.

    ``regularisation`` is the inverse strength ``C`` of the L2 penalty.
    """

    seasons: list[Seasons]
    coverages: list[Share]
    regularisation: Annotated[float, msgspec.Meta(gt=0.0)]

    def plain(self) -> dict[str, Any]:
        """The recipe as it stands in a stored model."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    def all_seasons(self) -> list[tuple[Seasons, int, Part]]:
        """Every season to simulate, in order."""
        return [(one, seed, part) for one in self.seasons for seed, part in one.seeds()]


def read(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        Invalid: it cannot be read, or what it asks for would not be honest.
    """
    try:
        recipe = msgspec.yaml.decode(path.read_bytes(), type=Recipe)
    except (OSError, msgspec.MsgspecError) as error:
        raise Invalid(
            f"{path} is no recipe: {error}.", "See analytics/causes/recipe.yaml."
        ) from None
    return checked(recipe)


def of_plain(plain: Mapping[str, Any]) -> Recipe:
    """The recipe that a stored model was made by.

    Raises:
        Invalid: it is none that a model may be made by.
    """
    try:
        return checked(msgspec.convert(plain, type=Recipe))
    except msgspec.MsgspecError as error:
        raise Invalid(f"The stored recipe is none: {error}.", "Name one with --recipe.") from None


def checked(recipe: Recipe) -> Recipe:
    """The recipe, if a model may be made by it.

    Raises:
        Invalid: a seed is one of those for scoring, or serves twice; a part has no season.
    """
    seeds = [seed for _, seed, _ in recipe.all_seasons()]
    if any(seed < FIRST_SEED for seed in seeds):
        raise Invalid(
            f"The recipe names seed {min(seeds)}: seeds below {FIRST_SEED:,} are for scoring.",
            "A model that has seen a winter cannot be measured by it.",
        )
    twice = sorted({seed for seed in seeds if seeds.count(seed) > 1})
    if twice:
        raise Invalid(f"The recipe names seed {twice[0]} twice: a season serves one end only.")
    for part in Part:
        if not any(which is part for _, _, which in recipe.all_seasons()):
            raise Invalid(f"The recipe has no season for {part}.")
    if not recipe.coverages:
        raise Invalid("The recipe names no coverage.", "Name at least one, e.g. 1.0.")
    return recipe
