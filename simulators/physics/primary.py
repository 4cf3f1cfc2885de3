"""Source and primary pipes: water on its way, cooling as it goes, between source and substations.

Each substation has a supply and a return pipe of its own length. A pipe is a row of cells, each
as much water as passes in one step at most, so what enters leaves one step a cell later, and
neither water nor heat is ever lost but to the ground. The cells carry enthalpy, which is what
heat meters measure. The source follows its schedule as far as its capacity goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled
from simulators.physics import water
from simulators.physics.plant import GROUND_C
from simulators.physics.water import CP, temperature_of

Array = NDArray[np.floating[Any]]

LOSS_SHARE = 0.018
"""Of design heat, lost on the way there and as much on the way back at 100 K above the ground."""
FASTEST_MS = 1.2
"""Velocity at the largest flow, m/s: decides how much water a pipe of a given length holds."""
_CELLS = 48
GROUND_KJ_KG = float(water.enthalpy(GROUND_C))


@dataclass(frozen=True, slots=True)
class Mains:
    """Primary pipes of each substation, one way: cells, kg a cell, W/K in all; [substations]."""

    cells: NDArray[np.intp]
    cell_kg: Array
    loss_wk: Array
    step_s: int

    @property
    def rows(self) -> int:
        """Cells of the longest pipe."""
        return int(self.cells.max(initial=0))


def mains(length_m: Array, most_kgs: Array, design_w: Array, step_s: int) -> Mains:
    """Pipes of a given length, for the largest flow of each substation.

    A pipe so short that its water passes within half a step has no cells: it only cools.
    """
    holds_kg = most_kgs * length_m / FASTEST_MS
    per_step = most_kgs * step_s
    cells = np.minimum(np.floor(holds_kg / per_step + 0.5), _CELLS).astype(np.intp)
    cell_kg = np.where(cells > 0, np.maximum(holds_kg / np.maximum(cells, 1), per_step), 0.0)
    return Mains(cells, cell_kg, LOSS_SHARE * design_w / 100.0, step_s)


@dataclass(frozen=True, slots=True)
class Pipes:
    """Enthalpy in kJ/kg of every cell, from the inlet on, [cells, substations] each way.

    Rows beyond a pipe's own cells are not used.
    """

    supply: Array
    back: Array

    @classmethod
    def filled(cls, pipes: Mains, supply_c: float, return_c: float) -> Pipes:
        """Pipes full of water at two temperatures."""
        shape = (max(pipes.rows, 1), len(pipes.cells))
        return cls(
            np.full(shape, water.enthalpy(supply_c)), np.full(shape, water.enthalpy(return_c))
        )

    def stored_kj(self, pipes: Mains) -> float:
        """Heat content of all water on its way, above 0 °C."""
        used = np.arange(len(self.supply))[:, None] < pipes.cells
        return float(((self.supply + self.back) * used * pipes.cell_kg).sum())


def arriving(cells: Array, pipes: Mains, inlet: Array, flow_kgs: Array) -> Array:
    """Enthalpy in kJ/kg of what leaves each pipe now, [substations]."""
    leaves = np.empty(len(flow_kgs))
    _arriving(leaves, cells, pipes.cells, pipes.loss_wk, inlet, flow_kgs)
    return leaves


@compiled
def _arriving(leaves, cells, count, loss_wk, inlet, flow_kgs):
    """``arriving``; a pipe that is too short for cells only cools."""
    for s in range(len(count)):
        if count[s] > 0:
            leaves[s] = cells[count[s] - 1, s]
            continue
        x = loss_wk[s] / (max(flow_kgs[s], 1e-6) * CP)
        left = 1.0 / (1.0 + x + x * x * (0.5 + x / 6.0))
        leaves[s] = GROUND_KJ_KG + (inlet[s] - GROUND_KJ_KG) * left


def move(
    cells: Array, pipes: Mains, inlet: Array, flow_kgs: Array, seconds: float
) -> tuple[Array, float]:
    """The cells after ``seconds`` of a constant flow, and the heat in kJ lost to the ground."""
    moved = cells.copy()
    lost_kj = _move(moved, pipes.cells, pipes.cell_kg, pipes.loss_wk, inlet, flow_kgs, seconds)
    return moved, lost_kj


@compiled
def _move(cells, count, cell_kg, loss_wk, inlet, flow_kgs, seconds):
    """``move`` in place; returns the heat lost, kJ."""
    lost = 0.0
    for s in range(len(count)):
        if count[s] == 0:
            continue
        pushed = min(flow_kgs[s] * seconds / cell_kg[s], 1.0)
        before = inlet[s]
        for n in range(count[s]):
            here = cells[n, s]
            cooled = loss_wk[s] / count[s] * (temperature_of(here) - GROUND_C) * seconds / 1000.0
            cells[n, s] = here + pushed * (before - here) - cooled / cell_kg[s]
            before = here
            lost += cooled
    return lost


@dataclass(frozen=True, slots=True)
class PrimarySide:
    """Primary of each substation, [substations], and of the source: °C, kg/s, valve %.

    ``lost_kj`` went into the ground during the step.
    """

    supply_c: Array
    return_c: Array
    flow_kgs: Array
    valve_pct: Array
    source_supply_c: float
    source_return_c: float
    source_flow_kgs: float
    source_makeup_kgs: float
    lost_kj: float


MAKEUP_SHARE_H = 0.001
"""Make-up of the primary per hour, share of the hourly circulating volume (limit 0.5 %)."""


@dataclass(frozen=True, slots=True)
class Source:
    """A heat source: schedule as (outdoor °C, supply °C) and capacity in W."""

    schedule: tuple[Array, Array]
    capacity_w: float

    def wanted_c(self, outdoor_c: float) -> float:
        """Supply by the schedule, °C."""
        return float(np.interp(outdoor_c, *self.schedule))


def source_supply(source: Source, outdoor_c: float, last: PrimarySide, share: float) -> float:
    """Supply in °C: by the schedule, or what ``share`` of the capacity can heat the return to."""
    flow = max(last.source_flow_kgs, 1e-6)
    most = water.enthalpy(last.source_return_c) + share * source.capacity_w / flow / 1000.0
    wanted = source.wanted_c(outdoor_c)
    if most >= water.enthalpy(wanted):
        return wanted
    return float(water.temperature(np.array([most]))[0])


def step(
    pipes: Mains,
    cells: Pipes,
    source_c: float,
    arrived: Array,
    exchanged: tuple[Array, Array, Array],
    seconds: float,
) -> tuple[Pipes, PrimarySide]:
    """Move the water of one step.

    ``arrived`` [substations] is what ``arriving`` gave for the supply; ``exchanged`` are flow in
    kg/s, return enthalpy in kJ/kg and valve in % of each substation.
    """
    flow, left, valve = exchanged
    sent = np.full(len(flow), water.enthalpy(source_c))
    back = arriving(cells.back, pipes, left, flow)
    supply, lost_there = move(cells.supply, pipes, sent, flow, seconds)
    returning, lost_back = move(cells.back, pipes, left, flow, seconds)
    cooled = (flow * ((sent - arrived) + (left - back)))[pipes.cells == 0].sum() * seconds
    total = float(flow.sum())
    moved = Pipes(supply, returning)
    joined = float((flow * back).sum()) / total
    at_c = water.temperature(np.concatenate([arrived, left, [joined]]))
    count = len(flow)
    return moved, PrimarySide(
        supply_c=at_c[:count],
        return_c=at_c[count:-1],
        flow_kgs=flow,
        valve_pct=valve,
        source_supply_c=source_c,
        source_return_c=float(at_c[-1]),
        source_flow_kgs=total,
        source_makeup_kgs=MAKEUP_SHARE_H * total,
        lost_kj=lost_there + lost_back + float(cooled),
    )
