"""The posterior over places: evidence is what the dwellings below say, warm ones included."""

import numpy as np
import pytest

from analytics.localise.offsets import Past, offsets
from analytics.localise.tree import SHAPES, Posterior, Tree, locate
from tests.unit.analytics.test_diagnose import town

NETWORK = town()
TREE = Tree.of(NETWORK)
COUNT = len(NETWORK.dwellings)
SPREAD = np.full(COUNT, 0.5)


def located(changes: dict[str, float], seed: int = 1, keep: float = 1.0) -> Posterior:
    """The posterior when places are shifted by so many kelvin, with a household's noise."""
    dice = np.random.default_rng(seed)
    offset = dice.normal(0, 0.5, COUNT)
    for place, shift in changes.items():
        offset[NETWORK.below(place)] += shift
    offset[dice.uniform(size=COUNT) > keep] = np.nan
    return locate(TREE, offset, SPREAD)


def chance(told: Posterior, place: str) -> float:
    return float(told.probability[TREE.number[place]])


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("place", ["B2", "B2-E1", "B2-E1-R2", "B2-E1-401"])
def test_the_place_that_shifted_is_the_likely_one(place: str, seed: int) -> None:
    """Whatever its level; nothing else comes near."""
    told = located({place: -3.5}, seed)
    assert TREE.codes[int(np.argmax(told.probability))] == place
    assert chance(told, place) > 0.8


@pytest.mark.parametrize("seed", range(10))
def test_where_nothing_shifted_no_place_is_likely(seed: int) -> None:
    """A household's noise is no fault."""
    told = located({}, seed)
    assert (told.probability[told.shift_k < 0] < 0.5).all()


def test_two_faults_are_two_places() -> None:
    """One does not hide the other."""
    told = located({"B1-E1-R1": -3.0, "B3": -3.0})
    assert chance(told, "B1-E1-R1") > 0.9
    assert chance(told, "B3") > 0.9


def test_warm_dwellings_count_against_a_place() -> None:
    """A riser of which only half is cold is not told as even."""
    offset = np.zeros(COUNT)
    riser = NETWORK.below("B2-E1-R1")
    offset[riser.start : riser.stop - 3] = -3.0
    part = locate(TREE, offset, SPREAD).probability[TREE.number["B2-E1-R1"]]
    offset[riser] = -3.0
    assert part < locate(TREE, offset, SPREAD).probability[TREE.number["B2-E1-R1"]]


def test_a_stack_that_is_worst_on_top_is_told_so() -> None:
    """The shape along the riser tells air and valves from dirt."""
    offset = np.zeros(COUNT)
    building = NETWORK.below("B1")
    offset[building] -= 4.0 * TREE.height[building]
    told = locate(TREE, offset, SPREAD)
    at = TREE.number["B1"]
    assert told.probability[at] > 0.9
    assert SHAPES[int(told.shape[at])] == "top"
    assert told.shift_k[at] == pytest.approx(-4.0, abs=0.3)


def test_one_measured_dwelling_is_told_by_priors_alone() -> None:
    """Dwellings are at fault more often than what stands above them."""
    offset = np.full(COUNT, np.nan)
    offset[NETWORK.index["B1-E1-301"]] = -4.0
    told = locate(TREE, offset, SPREAD)
    above = [chance(told, place) for place in ("B1", "B1-E1", "B1-E1-R1")]
    assert chance(told, "B1-E1-301") > max(above)


def test_shares_and_probabilities_are_consistent() -> None:
    """On every way down the chances of all places sum up to one at most."""
    told = located({"B2-E2": -2.0}, 3, keep=0.3)
    for unit in TREE.unit.tolist():
        total, at = 0.0, unit
        while at >= 0:
            total += told.probability[at]
            at = int(TREE.parent[at])
        assert total <= 1.0 + 1e-9


def test_an_offset_is_taken_against_fellows_and_own_past() -> None:
    """A dwelling that always lay 2 K lower is as usual; one that fell by 2 K is off."""
    dice = np.random.default_rng(4)
    lasting = dice.normal(0, 1.0, 40)
    lasting[0] = -2.0
    past = 21 + lasting[:, None] + dice.normal(0, 0.3, (40, 10))
    level = 19 + lasting[:, None] + dice.normal(0, 0.3, (40, 24))
    level[1] -= 2.0
    today = np.zeros(24, np.int64)
    found = offsets(level, np.ones(40, bool), np.zeros(40, np.int64), today, Past(past, 10.0))
    offset, spread, _ = found.at(23)
    assert abs(offset[0]) < 0.6
    assert offset[1] == pytest.approx(-2.0, abs=0.6)
    assert (spread < 0.8).all()


def test_without_a_past_the_fellows_are_the_standard() -> None:
    """On the first day a dwelling 3 K under the others is off, and nobody else is."""
    level = np.full((30, 12), 22.0)
    level[3] = 19.0
    none = np.full((30, 0), np.nan)
    today = np.zeros(12, np.int64)
    found = offsets(level, np.ones(30, bool), np.zeros(30, np.int64), today, Past(none, 10.0))
    offset, _, _ = found.at(11)
    assert offset[3] == pytest.approx(-3.0)
    assert np.abs(np.delete(offset, 3)).max() < 1e-9


def test_a_backlog_teaches_the_same_as_living_through_it() -> None:
    """A day within the window is a lesson like one before it."""
    dice = np.random.default_rng(5)
    level = 21 + dice.normal(0, 0.5, (20, 5))[:, np.repeat(np.arange(5), 24)]
    everybody, one = np.ones(20, bool), np.zeros(20, np.int64)
    days = np.repeat(np.arange(5), 24)
    none = Past(np.full((20, 0), np.nan), 10.0)
    whole = offsets(level, everybody, one, days, none).at(119)
    daily = np.stack([level[:, days == day].mean(axis=1) for day in range(3)], axis=1)
    part = offsets(level[:, 72:], everybody, one, days[72:] - 3, Past(daily, 10.0)).at(47)
    for known, again in zip(whole, part, strict=True):
        np.testing.assert_allclose(known, again)
