"""The tree and the neighbourhood of dwellings."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from hearthline.domain.places import PlaceKind, UnitPosition, paths
from simulators import City, build
from simulators.layout import lay_out, shape_of
from simulators.scenario.checks import sound
from simulators.scenario.file import look_over, parse


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


def around(city: City, code: str) -> list[str]:
    """Who a dwelling touches: above, below, left, right, behind, behind too; - for nobody."""
    own = unit(city, code)
    others = city.layout.neighbours[:, own].tolist()
    shared = city.layout.party_m2[:, own].tolist()
    assert [other == own for other in others] == [area == 0.0 for area in shared]
    return ["-" if other == own else city.unit_codes[other][-7:] for other in others]


def test_neighbours_are_above_below_and_beside_also_across_the_entrance_wall(
    hamlet: Callable[..., City],
) -> None:
    city = hamlet()
    assert around(city, "H-S1-B01-E1-0302") == [
        "E1-0402",
        "E1-0202",
        "E1-0301",
        "E2-0301",
        "-",
        "-",
    ]


def test_a_top_corner_touches_two_and_shares_no_area_where_it_touches_none(
    hamlet: Callable[..., City],
) -> None:
    assert around(hamlet(), "H-S1-B01-E1-0601") == ["-", "E1-0501", "-", "E1-0602", "-", "-"]


def test_four_doors_stand_back_to_back_and_touch_up_to_five(hamlet_text: str) -> None:
    city = shaped(hamlet_text, "2x6x4")
    assert around(city, "H-S2-B01-E1-0302") == [
        "E1-0402", "E1-0202", "E1-0301", "E2-0301", "E1-0304", "-",
    ]  # fmt: skip
    assert around(city, "H-S2-B01-E1-0303") == [
        "E1-0403",
        "E1-0203",
        "-",
        "E1-0304",
        "E1-0301",
        "-",
    ]


def test_odd_doors_stand_staggered_and_touch_up_to_six(hamlet_text: str) -> None:
    city = shaped(hamlet_text, "2x6x5")
    assert around(city, "H-S2-B01-E1-0302") == [
        "E1-0402", "E1-0202", "E1-0301", "E1-0303", "E1-0304", "E1-0305",
    ]  # fmt: skip
    assert around(city, "H-S2-B01-E1-0305") == [
        "E1-0405", "E1-0205", "E1-0304", "E2-0304", "E1-0302", "E1-0303",
    ]  # fmt: skip


@pytest.mark.parametrize(("doors", "most"), [(1, 4), (2, 4), (3, 6), (4, 5), (5, 6), (6, 5)])
def test_dwellings_touch_four_to_six_others_by_the_doors_on_their_landing(
    hamlet_text: str, doors: int, most: int
) -> None:
    town = shaped(hamlet_text, f"3x4x{doors}").layout
    counts = (town.party_m2 > 0.0).sum(axis=0)[town.unit_building == 2]
    assert counts.max() == most
    assert counts.min() == (2 if doors < 3 else 3)


def shaped(hamlet_text: str, shape: str) -> City:
    return build(sound(look_over(hamlet_text.replace("2x5]", f"{shape}]"), "hamlet")))


@pytest.mark.parametrize("doors", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("entrances", [1, 3])
def test_touching_is_mutual_and_over_the_same_area(
    hamlet_text: str, entrances: int, doors: int
) -> None:
    """Every pair of dwellings shares one area, whichever of the two is asked."""
    town = shaped(hamlet_text, f"{entrances}x4x{doors}").layout
    shared = np.zeros((town.units, town.units))
    for others, area in zip(town.neighbours, town.party_m2, strict=True):
        np.add.at(shared, (np.arange(town.units), others), area)
    assert (np.diag(shared) == 0.0).all()
    assert (shared == shared.T).all()
    apart = town.unit_building[:, None] != town.unit_building[None, :]
    assert (shared[apart] == 0.0).all()


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
    grown = "grown: {count: 30, entrances: [2, 4], floors: [6, 11], doors: [2, 5]}"
    scenario, _ = parse(hamlet_text.replace("buildings: [2x5]", grown))
    one, again, other = (lay_out(scenario, seed) for seed in (1, 1, 2))
    assert len(one.shapes) == 32
    assert one.shapes == again.shapes
    assert (one.area_m2 == again.area_m2).all()
    assert one.shapes != other.shapes
    assert all(2 <= e <= 4 and 6 <= f <= 11 and 2 <= d <= 5 for e, f, d in one.shapes[2:])


GROWN = """
grown: {dwellings: 40000, per_substation: 900, floor_share: 0.3}
"""


def test_a_grown_town_has_about_the_dwellings_and_substations_wanted(hamlet_text: str) -> None:
    scenario, _ = parse(hamlet_text + GROWN)
    town = lay_out(scenario, 4)
    assert 40_000 <= town.units - 52 < 40_200
    assert 40_000 / 1000 < len(town.substations) - 2 <= 40_000 / 900 + 1
    share = town.floor_heated[2:].mean()
    assert 0.15 < share < 0.45
    assert town.codes[PlaceKind.SUBSTATION][-1] == f"H-S{len(town.substations)}"
    assert len(set(town.codes[PlaceKind.UNIT])) == town.units
    assert lay_out(scenario, 4).shapes == town.shapes


def test_every_level_counts_its_dwellings_once(hamlet_text: str) -> None:
    town = lay_out(parse(hamlet_text + GROWN.replace("40000", "3000"))[0], 4)
    for kind in PlaceKind:
        below = [town.units_below(kind, n) for n in range(len(town.codes[kind]))]
        assert (np.concatenate(below) == np.arange(town.units)).all(), kind


def test_a_million_dwellings_are_laid_out_in_seconds(hamlet_text: str) -> None:
    scenario, _ = parse(hamlet_text + GROWN.replace("40000", "1000000"))
    began = time.process_time()
    town = lay_out(scenario, 1)
    assert town.units >= 1_000_000
    assert len(town.area_m2) == town.units
    assert time.process_time() - began < 5.0


def test_the_tree_of_places_is_whole(hamlet: Callable[..., City]) -> None:
    ledger = hamlet().ledger
    assert len(paths(ledger.places)) == len(ledger.places)


@pytest.mark.parametrize("text", ["3", "0x7", "3x0", "3x7x7", "3x7x0", "axb", "3x900"])
def test_impossible_shapes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|impossible"):
        shape_of(text)


def test_the_shipped_town_has_about_a_thousand_dwellings_in_two_dozen_houses() -> None:
    import simulators

    town = lay_out(simulators.load("town"), 1)
    assert 900 <= town.units <= 1100
    assert len(town.codes[PlaceKind.BUILDING]) == 24
    assert len(town.codes[PlaceKind.SUBSTATION]) == 4
    assert all(2 <= e <= 4 and 6 <= f <= 11 for e, f, _ in town.shapes)
