"""Water temperatures along a secondary circuit: out to the radiators and, mixed, back again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.layout import Layout
from simulators.model import Model
from simulators.physics import plant
from simulators.physics.hydraulics import Flows

Array = NDArray[np.float64]

_IDLE_KGS = 1e-9


@dataclass(frozen=True, slots=True)
class Water:
    """Temperatures in °C on every level of the circuits, shaped by the first word of the name.

    Where nothing flows, the return is the supply.
    """

    secondary_supply_c: Array
    secondary_return_c: Array
    building_supply_c: Array
    building_return_c: Array
    entrance_supply_c: Array
    entrance_return_c: Array
    unit_return_c: Array


def at_buildings(town: Layout, model: Model, flows: Flows, supply_c: Array) -> Array:
    """Supply at each building after the buried pipe, °C."""
    at_pump = supply_c[town.building_pump]
    return plant.pipe_outlet(at_pump, flows.building, model.secondary_loss_wk)


def collect(
    town: Layout,
    model: Model,
    flows: Flows,
    *,
    supply_c: Array,
    building_supply_c: Array,
    unit_return_c: Array,
) -> Water:
    """Join the dwellings' returns up the tree to each substation."""
    tree = town.tree
    entrance_in = building_supply_c[tree.entrance_building]
    riser = _joined(unit_return_c, flows.unit, tree.riser_start, entrance_in[tree.riser_entrance])
    entrance = _joined(riser, flows.riser, tree.entrance_start, entrance_in)
    building = _joined(entrance, flows.entrance, tree.building_start, building_supply_c)
    arrived = plant.pipe_outlet(building, flows.building, 0.5 * model.secondary_loss_wk)
    carried = np.bincount(town.building_pump, flows.building * arrived, len(supply_c))
    flowing = np.maximum(flows.pump, _IDLE_KGS)
    return Water(
        secondary_supply_c=supply_c,
        secondary_return_c=np.where(flows.pump > _IDLE_KGS, carried / flowing, supply_c),
        building_supply_c=building_supply_c,
        building_return_c=building,
        entrance_supply_c=entrance_in,
        entrance_return_c=entrance,
        unit_return_c=unit_return_c,
    )


def _joined(
    temperature_c: Array, flow_kgs: Array, starts: NDArray[np.intp], idle_c: Array
) -> Array:
    """Temperature of joined streams, °C; ``idle_c`` where nothing flows."""
    flow = np.add.reduceat(flow_kgs, starts)
    heat = np.add.reduceat(flow_kgs * temperature_c, starts)
    return np.where(flow > _IDLE_KGS, heat / np.maximum(flow, _IDLE_KGS), idle_c)
