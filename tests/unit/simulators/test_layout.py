"""The tree and the neighbourhood of dwellings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hearthline.domain.places import PlaceKind, UnitPosition, paths
from simulators import City
from simulators.layout import lay_out, shape_of
from simulators.scenario_file import parse


def unit(city: City, code: str) -> int:
    return city.unit_codes.index(code)


def test_codes_count_along_the_tree(hamlet: Callable[..., City]) -> None:
    city = hamlet()
    assert len(city.unit_codes) == 2 * (2 * 6 + 1 * 4 + 2 * 5)
    assert city.unit_codes[0] == "H-S1-B01-E1-0101"
    assert city.unit_codes[-1] == "H-S2-B01-E2-0502"
    assert city.layout.codes[PlaceKind.BUILDING] == ["H-S1-B01", "H-S1-B02", "H-S2-B01"]


def test_every_level_finds_its_dwellings(hamlet: Callable[..., City]) -> None:
    town = hamlet().layout
    counts = {
        code: len(town.units_below(*town.lookup[code]))
        for code in ("H", "H-S1", "H-S1-C1", "H-S1-B01", "H-S1-B01-E2", "H-S1-B01-E2-R1")
    }
    assert list(counts.values()) == [52, 32, 32, 24, 12, 6]


def test_neighbours_are_above_below_and_beside_also_across_the_entrance_wall(
    hamlet: Callable[..., City],
) -> None:
    city = hamlet()
    middle = unit(city, "H-S1-B01-E1-0302")
    around = [city.unit_codes[other] for other in city.layout.neighbours[:, middle]]
    assert around == [
        "H-S1-B01-E1-0402",
        "H-S1-B01-E1-0202",
        "H-S1-B01-E1-0301",
        "H-S1-B01-E2-0301",
    ]


def test_a_top_corner_touches_two_and_shares_no_area_where_it_touches_none(
    hamlet: Callable[..., City],
) -> None:
    city = hamlet()
    corner = unit(city, "H-S1-B01-E1-0601")
    assert (city.layout.neighbours[:, corner] == corner).sum() == 2
    assert (city.layout.party_m2[:, corner] > 0).sum() == 2


def test_touching_is_mutual_and_over_the_same_area(hamlet: Callable[..., City]) -> None:
    town = hamlet().layout
    for side, opposite in ((0, 1), (1, 0), (2, 3), (3, 2)):
        others = town.neighbours[side]
        touching = others != np.arange(town.units)
        back = town.neighbours[opposite][others]
        assert (back[touching] == np.flatnonzero(touching)).all()
        assert town.party_m2[side][touching] == pytest.approx(
            town.party_m2[opposite][others][touching]
        )


def test_positions_name_the_roof_before_the_gable(hamlet: Callable[..., City]) -> None:
    city = hamlet()
    positions = {
        code: city.layout.position(unit(city, code))
        for code in (
            "H-S1-B01-E1-0601",
            "H-S1-B01-E1-0101",
            "H-S1-B01-E1-0301",
            "H-S1-B01-E1-0302",
        )
    }
    assert list(positions.values()) == [
        UnitPosition.TOP,
        UnitPosition.GROUND,
        UnitPosition.GABLE,
        UnitPosition.MIDDLE,
    ]


def test_columns_count_from_the_left_across_entrances(hamlet: Callable[..., City]) -> None:
    city = hamlet()
    columns = [city.layout.column[unit(city, f"H-S1-B01-E{e}-010{d}")] for e, d in EDGES]
    assert columns == [1, 2, 3, 4]


EDGES = [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_areas_stay_within_the_scenarios_limits_and_are_the_same_along_a_riser(
    hamlet: Callable[..., City],
) -> None:
    town = hamlet().layout
    assert town.area_m2.min() >= 45.0
    assert town.area_m2.max() <= 120.0
    for riser in range(len(town.codes[PlaceKind.RISER])):
        assert len(set(town.area_m2[town.tree.unit_riser == riser])) == 1


def test_only_what_the_scenario_leaves_open_depends_on_the_seed(
    hamlet: Callable[..., City],
) -> None:
    one, other = hamlet(seed=1), hamlet(seed=2)
    assert one.unit_codes == other.unit_codes
    assert (one.layout.area_m2 != other.layout.area_m2).any()


def test_buildings_can_be_grown_by_seed(hamlet_text: str) -> None:
    grown = "grown: {count: 30, entrances: [2, 4], floors: [6, 11]}"
    scenario, _ = parse(hamlet_text.replace("buildings: [2x5]", grown))
    one, other = lay_out(scenario, 1), lay_out(scenario, 2)
    assert len(one.shapes) == 32
    assert one.shapes != other.shapes
    assert all(2 <= e <= 4 and 6 <= f <= 11 for e, f in one.shapes[2:])


def test_the_tree_of_places_is_whole(hamlet: Callable[..., City]) -> None:
    ledger = hamlet().ledger
    assert len(paths(ledger.places)) == len(ledger.places)


@pytest.mark.parametrize("text", ["3", "0x7", "3x0", "3x7x2", "axb", "3x900"])
def test_impossible_shapes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|impossible"):
        shape_of(text)


def test_the_shipped_town_has_about_a_thousand_dwellings_in_two_dozen_houses() -> None:
    import simulators

    town = lay_out(simulators.load("town"), 1)
    assert 900 <= town.units <= 1100
    assert len(town.codes[PlaceKind.BUILDING]) == 24
    assert len(town.codes[PlaceKind.SUBSTATION]) == 4
    assert all(2 <= e <= 4 and 6 <= f <= 11 for e, f in town.shapes)
