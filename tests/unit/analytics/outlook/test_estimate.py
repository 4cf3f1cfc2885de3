"""Estimates: they cover what they say, follow neighbours, and know what they do not know."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.outlook import kriging, tails
from analytics.outlook.estimate import estimate
from analytics.outlook.placement import Aim, choose
from analytics.outlook.spread import PRIOR, measure
from analytics.outlook.town import lay_out
from tests.unit.analytics.outlook import towns


def test_the_town_knows_roofs_grounds_gables_and_unheated_neighbours() -> None:
    """Above the ground floor, under the roof, at the ends; shares of party area are areas."""
    town = lay_out(towns.network(1, stopped=((0, 3, 2),)), towns.AT)
    place = {
        (int(f), int(c)): i for i, (f, c) in enumerate(zip(town.floor, town.column, strict=True))
    }
    assert town.top[place[6, 1]]
    assert town.ground[place[1, 3]]
    assert town.gable[place[3, 1]]
    assert not town.gable[place[3, 2]]
    assert not town.owed[place[3, 2]]
    assert town.chilled[place[4, 2]] == pytest.approx(80 / (80 + 80 + 27 + 27))
    assert town.chilled[place[6, 4]] == 0.0
    assert town.height[place[1, 1]] == -0.5
    assert town.height[place[6, 1]] == 0.5


@pytest.mark.parametrize("share", [0.04, 0.2])
def test_intervals_hold_nine_in_ten_of_those_nobody_measures(share: float) -> None:
    """Over several towns, with sensors and without; the truth is not gaussian by place."""
    held = []
    for seed in range(4):
        town = towns.town(60, stations=4)
        truth = towns.field(town, seed)
        found = estimate(town, towns.seen_by(truth, share, seed))
        held.append(np.abs(truth - found.mean_c)[~found.measured] <= found.half_k[~found.measured])
    assert 0.85 <= np.concatenate(held).mean() <= 0.97


def test_a_cold_house_is_estimated_cold_from_a_few_of_its_dwellings() -> None:
    """Four cold sensors in a house say more of their neighbours than all others together."""
    town = towns.town(20)
    truth = towns.field(town, 5)
    cold = town.building == 7
    truth[cold] -= 5.0
    found = estimate(town, towns.seen_by(truth, 0.2, 5))
    unseen = ~found.measured
    assert abs((found.mean_c - truth)[cold & unseen].mean()) < 1.0
    assert found.below(20.0)[cold & unseen].mean() > 0.8
    assert found.below(20.0)[~cold & unseen].mean() < 0.1


def test_one_odd_dwelling_does_not_chill_its_house() -> None:
    """A valve is closed: that is one dwelling, and its house is not estimated from it."""
    town = towns.town(20)
    truth = towns.field(town, 6)
    level = towns.seen_by(truth, 0.3, 6)
    odd = int(np.flatnonzero(~np.isnan(level))[10])
    before = estimate(town, level)
    level[odd] -= 5.0
    after = estimate(town, level)
    beside = (town.building == town.building[odd]) & ~after.measured
    assert np.abs(after.mean_c - before.mean_c)[beside].mean() < 0.6


def test_a_house_without_a_sensor_is_less_sure_than_one_with_some() -> None:
    """Nothing is known of it but the station."""
    town = towns.town(20)
    level = towns.seen_by(towns.field(town, 7), 0.3, 7)
    level[town.building == 3] = np.nan
    found = estimate(town, level)
    blind = found.half_k[town.building == 3].mean()
    others = found.half_k[(town.building != 3) & ~found.measured].mean()
    assert blind > 1.1 * others


def test_with_nothing_measured_there_is_no_false_certainty() -> None:
    """One sensor in a town, or none: an interval of kelvins, not of tenths."""
    town = towns.town(2)
    one = np.full(town.size, np.nan)
    one[3] = 21.0
    assert np.median(estimate(town, one).half_k[~np.isfinite(one)]) > 1.2
    assert estimate(town, np.full(town.size, np.nan)).half_k.min() > 10.0


def test_variances_come_from_the_town_when_many_speak_and_from_the_prior_when_few_do() -> None:
    """Thirty pairs of prior against thousands of pairs, or against two."""
    town = towns.town(80, stations=4)
    level = towns.field(town, 8, house_sd=0.0, own_sd=0.9)
    told = measure(town, level)
    assert told.own + told.field == pytest.approx(0.81, rel=0.15)
    few = np.full(town.size, np.nan)
    few[[0, 100]] = 21.0, 22.0
    assert measure(town, few).own == pytest.approx(PRIOR.own, rel=0.3)


def test_each_place_for_a_sensor_gains_less_than_the_one_before() -> None:
    """Greedy choice: gains fall, places differ, none is where a sensor hangs or may not hang."""
    town = towns.town(20)
    found = estimate(town, towns.seen_by(towns.field(town, 9), 0.1, 9))
    allowed = town.floor > 1
    places = choose(found, 15, 20.0, Aim.UNCERTAINTY, allowed=allowed)
    shares = [place.share for place in places]
    assert shares == sorted(shares, reverse=True)
    units = [place.unit for place in places]
    assert len(set(units)) == 15
    assert not found.measured[units].any()
    assert allowed[units].all()


def test_what_a_place_gains_is_what_the_model_then_knows() -> None:
    """The share said beforehand is the fall of all variances once the sensor is counted in."""
    town = towns.town(20)
    level = towns.seen_by(towns.field(town, 10), 0.05, 10)
    found = estimate(town, level)
    places = choose(found, 3, 20.0, Aim.UNCERTAINTY)
    free = np.flatnonzero(~found.measured)
    drawn = np.random.default_rng(1).choice(free, 30, replace=False)
    worst = choose(found, 1, 20.0, Aim.UNCERTAINTY, allowed=np.isin(np.arange(town.size), drawn))
    assert places[0].share > worst[0].share
    _, before = found.fit.predict()
    with_it = level.copy()
    with_it[places[0].unit] = found.mean_c[places[0].unit]
    blocks = kriging.build(town, with_it)
    for block, old in zip(blocks, found.fit.blocks, strict=True):  # the same looseness as before
        own = dict(zip(old.heard.tolist(), old.loose_own.tolist(), strict=True))
        block.loose_own = np.array([own.get(int(h), 1.0) for h in block.heard])
        block.loose_entrance, block.loose_building = old.loose_entrance, old.loose_building
    _, after = kriging.fit(town, found.spread, blocks, passes=1).predict()
    fallen = (before.sum() - after.sum()) / before.sum()
    assert places[0].share == pytest.approx(fallen, rel=0.35)


def test_chances_are_those_of_students_t_with_four_degrees_of_freedom() -> None:
    """Tabulated quantiles: 0.95 at 2.1318, 0.99 at 3.7469."""
    assert tails.chance(np.array([2.13185, 3.74695])) == pytest.approx([0.95, 0.99], abs=1e-5)
    assert tails.quantile(np.array([0.05, 0.99])) == pytest.approx([-2.13185, 3.74695], abs=1e-4)
    assert tails.below(20.0, np.array([20.0]), np.array([1.0])) == pytest.approx(0.5)
