"""From a layout to physics: capacities, conductances, emitters, pipes and pumps of a town.

Emitters are sized for each dwelling's own loss (top and gable get larger ones), then differ a
little at random, as in a town that was designed with care and built by people.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators import grounds, people, rand
from simulators.layout import GABLE_DEPTH_M, STOREY_M, Layout
from simulators.physics import dwelling, emitter, hydraulics, plant, primary, water
from simulators.rooms import Branches, Columns
from simulators.scenario import Scenario

Array = NDArray[np.floating[Any]]
Single = NDArray[np.float32]

AIR_CAPACITY = 2.0e4
MASS_CAPACITY = 2.3e5
AIR_MASS = 11.0
"""J/(K m²), J/(K m²), W/(K m²) of floor area: air with furniture settles in 0.35 h, a heated
building of 81 W/K per 80 m² in 69 h (measured: 45 to 105 h)."""
WINDOWS, FACADE = 0.47, 0.40
GABLE_WM2K, ROOF_WM2K, CELLAR_WM2K = 0.55, 0.28, 0.20
ONE_FRONT = 0.72
"""Loss of a dwelling that stands back to back with others, share of one with two fronts."""
ONE_SIDE = 0.5
"""Sun of a dwelling with windows on one side: its building faces east and west."""
SOUTH_WINDOW = 0.033
"""Effective south-facing aperture, m² per m² floor: glass × transmission × shading."""
SUN_IN_CURVE_WM2 = 0.5
"""Mean solar gain that an operator has learnt to leave out of the curve, W/m² of floor."""
CONVECTIVE_RADIATOR, CONVECTIVE_FLOOR = 0.5, 0.35
RADIATOR_LAG_S, FLOOR_LAG_S = 2400.0, 5.0 * 3600.0
VOLUME_L_PER_KW = 14.0
"""Water in a secondary circuit per kW of design heat."""
SPARE_KPA = 50.0
"""Pressure above the highest radiator to which a circuit is filled."""
_EXPONENTS = (plant.FLOOR.exponent, plant.RADIATORS.exponent)


@dataclass(frozen=True, slots=True)
class Model:
    """Everything physical that never changes; [units] unless said otherwise."""

    shell: dwelling.Shell
    branches: Branches
    columns: Columns
    emission: Single
    weakness: Single
    loss_wk: Single
    design_w: Array
    design_kgs: Array
    solar_m2: Single
    gain_w: Single
    airing_w: Single
    late: NDArray[np.uint8]
    day: people.Day
    floor_heated: NDArray[np.bool_]
    pipes: hydraulics.Resistances
    pumps: hydraulics.Pumps
    secondary_loss_wk: Array
    station: plant.Station
    curves: tuple[plant.Curve, plant.Curve]
    mains: primary.Mains
    source: primary.Source
    filled_kpa: Array
    volume_m3: Array


def shell_of(layout: Layout, spread: Array | float = 1.0) -> dwelling.Shell:
    """Capacities and conductances by area and position; ``spread`` multiplies every loss."""
    area = layout.area_m2
    fronts = np.where((layout.wall_m2[2] > 0.0)[layout.tree.unit_riser], ONE_FRONT, 1.0)
    gable = layout.gables * GABLE_WM2K * STOREY_M * GABLE_DEPTH_M
    roof = layout.top * ROOF_WM2K * area
    cellar = layout.ground * CELLAR_WM2K * area
    return dwelling.Shell(
        air_capacity=AIR_CAPACITY * area,
        mass_capacity=MASS_CAPACITY * area,
        air_mass=AIR_MASS * area,
        air_out=WINDOWS * area * fronts * spread,
        mass_out=(FACADE * area * fronts + gable + roof + cellar) * spread,
    )


def make(scenario: Scenario, layout: Layout, seed: int) -> Model:
    """The physics of a town."""
    spec, keys = scenario.dwellings, np.arange(layout.units)
    designed = shell_of(layout, spec.leakiness)
    built = designed
    if spec.envelope_spread > 0.0:
        leaks = np.exp(spec.envelope_spread * rand.normal(seed, "model/envelope", keys))
        built = shell_of(layout, spec.leakiness * leaks)
    home = people.household(seed, layout.area_m2, spec.gains_wm2)
    gains = spec.gains_wm2 * layout.area_m2
    design = designed.loss_wk * (spec.room_c - plant.DESIGN_OUTDOOR_C) - gains
    on_floor = layout.floor_heated[layout.unit_circuit]
    flow = design / (water.CP * np.where(on_floor, plant.FLOOR.drop_k, plant.RADIATORS.drop_k))
    emission = _emission(flow, on_floor, spec.room_c, spec.emission_spread, seed)
    pipes, pumps = _pipes(layout, flow, spec.flow_spread, seed)
    _, _, building_w, circuit_w = layout.tree.total(design)
    bright = 0.75 + 0.25 * rand.uniform(seed, "model/bright", layout.unit_building)
    windows = np.where((layout.wall_m2[2] > 0.0)[layout.tree.unit_riser], ONE_SIDE, 1.0)
    station = plant.stations(circuit_w)
    in_curve = gains + SUN_IN_CURVE_WM2 * layout.area_m2
    means = float(design.mean()), float(designed.loss_wk.mean()), float(in_curve.mean())
    return Model(
        shell=built,
        branches=_branches(layout),
        columns=_columns(layout, spec.party_wm2k),
        emission=emission,
        loss_wk=built.loss_wk.astype(np.float32),
        weakness=emitter.weakness(emission, np.where(on_floor, *_EXPONENTS)).astype(np.float32),
        design_w=design,
        design_kgs=flow,
        solar_m2=(SOUTH_WINDOW * layout.area_m2 * bright * windows).astype(np.float32),
        gain_w=home.mean_w.astype(np.float32),
        airing_w=(people.AIRING_WM2 * layout.area_m2).astype(np.float32),
        late=home.late,
        day=people.day(scenario.people),
        floor_heated=layout.floor_heated,
        pipes=pipes,
        pumps=pumps,
        secondary_loss_wk=0.012 * building_w / 65.0,
        station=station,
        curves=(
            plant.curve(spec.room_c, *means, plant.RADIATORS),
            plant.curve(spec.room_c, *means, plant.FLOOR),
        ),
        mains=_mains(scenario, layout, station, circuit_w),
        source=_source(scenario, circuit_w),
        filled_kpa=_filled(layout),
        volume_m3=VOLUME_L_PER_KW * circuit_w / 1e6,
    )


def _branches(layout: Layout) -> Branches:
    tree = layout.tree
    return Branches(
        tree.circuit_buildings, tree.building_entrances, tree.entrance_risers, tree.riser_units
    )


def _columns(layout: Layout, party_wm2k: float) -> Columns:
    start = layout.tree.riser_units
    return Columns(
        slab_wk=(party_wm2k * layout.riser_area_m2).astype(np.float32),
        wall_wk=(party_wm2k * layout.wall_m2).astype(np.float32),
        shift=start[layout.touching] - start[:-1],
    )


def _emission(
    flow: Array, on_floor: NDArray[np.bool_], room_c: float, spread: float, seed: int
) -> Single:
    """Sizes of emitters, W/K^n: for the design flow, then a little off."""
    sizes = [
        emitter.emission_constant(flow, kind.supply_c, kind.return_c, room_c, kind.exponent)
        for kind in (plant.RADIATORS, plant.FLOOR)
    ]
    off = np.exp(spread * rand.normal(seed, "model/emission", np.arange(len(flow))))
    return np.asarray(np.where(on_floor, sizes[1], sizes[0]) * off, dtype=np.float32)


def _pipes(
    layout: Layout, flow: Array, spread: float, seed: int
) -> tuple[hydraulics.Resistances, hydraulics.Pumps]:
    """Balanced pipes whose valves were then set by hand."""
    pipes, pumps = hydraulics.balance(layout.tree, flow, hydraulics.DesignDrops())
    units, _, _, buildings, _ = layout.tree.sizes
    off_unit = np.exp(2.0 * spread * rand.normal(seed, "model/valve", np.arange(units)))
    off_building = np.exp(2.0 * spread * rand.normal(seed, "model/balance", np.arange(buildings)))
    return replace(
        pipes,
        unit=pipes.unit * off_unit,
        building=pipes.building * off_building,
        throttle=pipes.throttle * off_building,
    ), pumps


def _mains(
    scenario: Scenario, layout: Layout, station: plant.Station, circuit_w: Array
) -> primary.Mains:
    length = [grounds.distance_m(scenario.source, spec) for spec in layout.substations]
    of, count = layout.circuit_substation, len(layout.substations)
    most = np.bincount(of, station.primary_max_kgs, count).astype(np.float64)
    design = np.bincount(of, circuit_w, count).astype(np.float64)
    return primary.mains(np.array(length), most, design, int(scenario.step.total_seconds()))


def _source(scenario: Scenario, circuit_w: Array) -> primary.Source:
    outdoor, supply = zip(*scenario.source.supply, strict=True)
    capacity = scenario.source.capacity * float(circuit_w.sum())
    return primary.Source((np.array(outdoor), np.array(supply)), capacity)


def _filled(layout: Layout) -> Array:
    """Static pressure at the ground to which each circuit is filled, kPa: its highest house."""
    floors = np.array([shape.floors for shape in layout.shapes], dtype=float)
    highest = np.maximum.reduceat(floors, layout.tree.circuit_buildings[:-1])
    return np.asarray(
        highest * hydraulics.STOREY_KPA + hydraulics.LIFT_MARGIN_KPA + SPARE_KPA, dtype=float
    )
