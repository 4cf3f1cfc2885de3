"""From a layout to physics: capacities, conductances, radiators, pipes and pumps of a town.

Radiators are sized for each dwelling's own loss (top and gable get larger ones), then differ a
little at random, as in a town that was designed with care and built by people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators import people, rand
from simulators.layout import GABLE_DEPTH_M, STOREY_M, Layout
from simulators.physics import dwelling, emitter, hydraulics, plant, water
from simulators.scenario import Scenario

Array = NDArray[np.float64]

AIR_CAPACITY = 2.0e4
MASS_CAPACITY = 2.3e5
AIR_MASS = 11.0
"""J/(K m²), J/(K m²), W/(K m²) of floor area: air with furniture settles in 0.35 h, a heated
building of 81 W/K per 80 m² in 69 h (measured: 45 to 105 h)."""
WINDOWS, FACADE = 0.47, 0.40
GABLE_WM2K, ROOF_WM2K, CELLAR_WM2K = 0.55, 0.28, 0.20
SOUTH_WINDOW = 0.04
"""Effective south-facing aperture, m² per m² floor: glass × transmission × shading."""
SUN_IN_CURVE_WM2 = 0.5
"""Mean solar gain that an operator has learnt to leave out of the curve, W/m² of floor."""
CONVECTIVE_RADIATOR, CONVECTIVE_GAINS = 0.5, 0.6


@dataclass(frozen=True, slots=True)
class Home:
    """People of every dwelling: households and the convective share of what they give off."""

    household: people.Household
    convective: float = CONVECTIVE_GAINS


@dataclass(frozen=True, slots=True)
class Model:
    """Everything physical that never changes; [units] unless said otherwise."""

    shell: dwelling.Shell
    party_wk: Array
    emission: Array
    design_w: Array
    solar_m2: Array
    wind_wk: Array
    convective: float
    home: Home
    pipes: hydraulics.Resistances
    pumps: hydraulics.Pumps
    secondary_loss_wk: Array
    station: plant.Station
    curve: plant.Curve


def shell_of(layout: Layout) -> dwelling.Shell:
    """Capacities and conductances by area and position."""
    area = layout.area_m2
    gable = layout.gables * GABLE_WM2K * STOREY_M * GABLE_DEPTH_M
    roof = layout.top * ROOF_WM2K * area
    cellar = layout.ground * CELLAR_WM2K * area
    return dwelling.Shell(
        air_capacity=AIR_CAPACITY * area,
        mass_capacity=MASS_CAPACITY * area,
        air_mass=AIR_MASS * area,
        air_out=WINDOWS * area,
        mass_out=FACADE * area + gable + roof + cellar,
    )


def make(scenario: Scenario, layout: Layout, seed: int) -> Model:
    """The physics of a town."""
    spec = scenario.dwellings
    keys = np.arange(layout.units)
    shell = shell_of(layout)
    home = people.household(seed, layout.area_m2, spec.gains_wm2)
    gains = spec.gains_wm2 * layout.area_m2
    design = shell.loss_wk * (spec.room_c - plant.DESIGN_OUTDOOR_C) - gains
    drop = plant.DESIGN_SUPPLY_C - plant.DESIGN_RETURN_C
    flow = design / (water.CP * drop)
    emission = emitter.emission_constant(
        flow, plant.DESIGN_SUPPLY_C, plant.DESIGN_RETURN_C, spec.room_c
    )
    emission = emission * np.exp(spec.emission_spread * rand.normal(seed, "model/emission", keys))
    pipes, pumps = _pipes(layout, flow, spec.flow_spread, seed)
    building_w = np.bincount(layout.unit_building, design)
    pump_w = np.bincount(layout.building_pump, building_w).astype(np.float64)
    bright = 0.75 + 0.25 * rand.uniform(seed, "model/bright", layout.unit_building)
    return Model(
        shell=shell,
        party_wk=spec.party_wm2k * layout.party_m2,
        emission=emission,
        design_w=design,
        solar_m2=SOUTH_WINDOW * layout.area_m2 * bright,
        wind_wk=shell.air_out,
        convective=CONVECTIVE_RADIATOR,
        home=Home(home),
        pipes=pipes,
        pumps=pumps,
        secondary_loss_wk=np.asarray(0.012 * building_w / 65.0),
        station=plant.stations(pump_w),
        curve=_curve(shell, design, gains + SUN_IN_CURVE_WM2 * layout.area_m2, spec.room_c),
    )


def _curve(shell: dwelling.Shell, design: Array, gains: Array, room_c: float) -> plant.Curve:
    """The curve of a town's mean dwelling."""
    return plant.curve(
        room_c, float(design.mean()), float(shell.loss_wk.mean()), float(gains.mean())
    )


def _pipes(
    layout: Layout, flow: Array, spread: float, seed: int
) -> tuple[hydraulics.Resistances, hydraulics.Pumps]:
    """Balanced pipes whose valves were then set by hand."""
    pipes, pumps = hydraulics.balance(layout.tree, flow, hydraulics.DesignDrops())
    units, _, _, buildings, _ = layout.tree.sizes
    off_unit = np.exp(2.0 * spread * rand.normal(seed, "model/valve", np.arange(units)))
    off_building = np.exp(2.0 * spread * rand.normal(seed, "model/balance", np.arange(buildings)))
    set_by_hand = hydraulics.Resistances(
        unit=pipes.unit * off_unit,
        riser=pipes.riser,
        entrance=pipes.entrance,
        building=pipes.building * off_building,
        main=pipes.main,
        plant=pipes.plant,
    )
    return set_by_hand, pumps
