"""A town's physics: what dwellings lose by position, and that everything is sized to fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simulators import City, model
from simulators.physics import dwelling, emitter, hydraulics, plant
from tests.unit.simulators.village import quarter, village

Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def city() -> City:
    return village()


def per_m2(city: City) -> Array:
    """Loss of every dwelling as designed, W/(K m²)."""
    return np.asarray(model.shell_of(city.layout).loss_wk / city.layout.area_m2)


def test_a_middle_dwelling_loses_what_the_reference_does(city: City) -> None:
    """45 W/m² at −24.2 °C, about 1 W/K per m²; roof, gable and ground add to it."""
    town, loss = city.layout, per_m2(city)
    two_fronts = (town.wall_m2[2] == 0.0)[town.tree.unit_riser]
    middle = two_fronts & (town.gables == 0) & ~town.top & ~town.ground
    assert loss[middle].size > 0
    assert loss[middle] == pytest.approx(0.87, abs=0.12)
    design = loss * (22.0 + 24.2) - 3.6
    assert 33.0 < design[middle].mean() < 48.0
    for worse in (two_fronts & town.top, two_fronts & town.ground):
        assert loss[worse & (town.gables == 0)].mean() > loss[middle].mean() + 0.15
    assert (
        loss[two_fronts & (town.gables > 0) & ~town.top & ~town.ground].min() > loss[middle].max()
    )
    assert loss[~two_fronts & ~town.top & ~town.ground & (town.gables == 0)].max() < 0.8


def test_a_building_cools_in_45_to_105_hours(city: City) -> None:
    shell, of = model.shell_of(city.layout), city.layout.unit_building
    held = np.bincount(of, shell.air_capacity + shell.mass_capacity)
    hours = held / np.bincount(of, shell.loss_wk) / 3600.0
    assert ((hours > 45.0) & (hours < 105.0)).all()


def test_one_dwelling_among_its_neighbours_settles_in_7_to_16_hours(city: City) -> None:
    shell, town = model.shell_of(city.layout), city.layout
    party_wk = city.scenario.dwellings.party_wm2k * town.party_m2.sum(axis=0)
    hours = shell.mass_capacity / (party_wk + shell.loss_wk) / 3600.0
    inner = (town.party_m2 > 0.0).sum(axis=0) >= 4
    assert hours[inner].size > 0
    assert ((hours[inner] > 5.0) & (hours[inner] < 16.0)).all()


def test_air_and_emitters_have_their_time_constants(city: City) -> None:
    shell = model.shell_of(city.layout)
    hours = shell.air_capacity / (shell.air_mass + shell.air_out) / 3600.0
    assert ((hours > 0.3) & (hours < 1.0)).all()
    assert 0.5 <= model.RADIATOR_LAG_S / 3600.0 <= 1.0
    assert 3.0 <= model.FLOOR_LAG_S / 3600.0 <= 8.0


def test_emitters_are_sized_for_each_dwellings_own_loss(city: City) -> None:
    """At design flow and supply every room gives back what it loses; spread is small."""
    made, town = city.model, city.layout
    for kind, design in ((False, plant.RADIATORS), (True, plant.FLOOR)):
        here = made.floor_heated[town.unit_circuit] == kind
        size = made.weakness[here].astype(float) * emitter.CP / (design.exponent - 1.0)
        back = emitter.return_temperature(
            np.full(here.sum(), design.supply_c),
            np.full(here.sum(), 22.0),
            made.design_kgs[here],
            size,
            design.exponent,
        )
        heat = emitter.heat(made.design_kgs[here], np.full(here.sum(), design.supply_c), back)
        assert heat / made.design_w[here] == pytest.approx(1.0, abs=0.06)
        assert np.mean(heat / made.design_w[here]) == pytest.approx(1.0, abs=0.005)


def test_every_dwelling_gets_its_design_flow_but_for_how_valves_were_set(city: City) -> None:
    tree = city.layout.tree
    flows = hydraulics.solve(
        tree, city.model.pipes, city.model.pumps, hydraulics.Operation.normal(tree)
    )
    share = flows.unit / city.model.design_kgs
    assert share.mean() == pytest.approx(1.0, abs=0.02)
    assert 0.01 < share.std() < 0.06


def test_party_walls_in_the_loop_are_those_of_the_layout(city: City) -> None:
    town, columns = city.layout, city.model.columns
    mass = np.random.default_rng(1).uniform(10.0, 25.0, town.units)
    wanted = dwelling.party_heat(
        mass, town.neighbours, city.scenario.dwellings.party_wm2k * town.party_m2
    )
    riser, own = town.tree.unit_riser, np.arange(town.units)
    found = np.where(town.top, 0.0, columns.slab_wk[riser] * (np.roll(mass, -1) - mass))
    found += np.where(town.ground, 0.0, columns.slab_wk[riser] * (np.roll(mass, 1) - mass))
    for side in range(4):
        others = own + columns.shift[side][riser]
        found += columns.wall_wk[side][riser] * (mass[others] - mass)
    assert found == pytest.approx(wanted, rel=1e-5, abs=1e-3)
    assert wanted.sum() == pytest.approx(0.0, abs=1e-6)


def test_leaky_houses_lose_more_and_have_larger_radiators(hamlet: Callable[..., City]) -> None:
    tight, leaky = hamlet(), hamlet("dwellings: {leakiness: 1.35}")
    assert leaky.model.shell.loss_wk / tight.model.shell.loss_wk == pytest.approx(1.35, rel=0.02)
    assert (leaky.model.weakness > 1.2 * tight.model.weakness).all()


def test_single_dwellings_may_leak_more_than_they_were_sized_for(
    hamlet: Callable[..., City],
) -> None:
    plain, spread = hamlet(), hamlet("dwellings: {envelope_spread: 0.2}")
    ratio = spread.model.shell.loss_wk / plain.model.shell.loss_wk
    assert 0.12 < np.log(ratio).std() < 0.28
    assert (spread.model.weakness == plain.model.weakness).all()


def test_a_circuit_is_filled_for_its_highest_house_and_holds_14_litres_a_kilowatt() -> None:
    made = quarter().model
    storeys = np.array([7, 6])
    highest = storeys * hydraulics.STOREY_KPA + hydraulics.LIFT_MARGIN_KPA
    assert made.filled_kpa == pytest.approx(highest + model.SPARE_KPA)
    assert (made.volume_m3 * 1000.0 / 14.0 * 1000.0) == pytest.approx(made.station.design_w)


def test_the_source_has_its_multiple_of_the_design_heat(city: City) -> None:
    wanted = city.scenario.source.capacity * city.model.design_w.sum()
    assert city.model.source.capacity_w == pytest.approx(wanted)
    assert np.bincount(city.layout.unit_circuit, city.model.design_w) == pytest.approx(
        city.model.station.design_w
    )
