"""Our flows in a secondary circuit against those of pandapipes, which iterates where we do not.

Both solve the same network: a circuit of four buildings along a main with direct return, their
entrances, risers and dwellings. Every branch is a pipe of a millimetre whose fixed loss
coefficient makes Δp = R m², friction along it being nothing; the return is folded into the
supply, since both carry the same flow. Each case is solved with all in order, with a clogged
building, a closed dwelling, and opened balancing valves; agreement within 1 % is required.

Run by ``make crosscheck``, in an environment of its own; needs pandapipes.
"""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandapipes

from simulators.physics.hydraulics import (
    DesignDrops,
    Flows,
    Operation,
    Pumps,
    Resistances,
    Tree,
    balance,
    solve,
)

TOLERANCE = 0.01
TREE = Tree(
    riser_units=np.concatenate([[0], np.cumsum([6, 6, 4, 4, 6, 6, 6, 6, 5, 5, 5])]),
    entrance_risers=np.array([0, 2, 4, 6, 8, 11]),
    building_entrances=np.array([0, 1, 2, 4, 5]),
    circuit_buildings=np.array([0, 4]),
)
DESIGN_KGS = 0.025 + 0.02 * np.modf(np.arange(TREE.sizes[0]) * 0.618)[0]
BORE_M, LENGTH_KM, ROUGHNESS_MM = 0.1, 1e-6, 1e-6
AREA_M2 = math.pi * BORE_M**2 / 4.0


@dataclass(frozen=True)
class Branch:
    """A pipe between two named points with its resistance in kPa/(kg/s)²."""

    start: str
    end: str
    resistance: float


def cases() -> Iterator[tuple[str, Operation]]:
    """How the circuit is run."""
    normal = Operation.normal(TREE)
    yield "all in order", normal
    yield "building 2 clogged x9", replace(normal, building=np.array([1.0, 9.0, 1.0, 1.0]))
    valve = normal.valve.copy()
    valve[[3, 20, 21]] = 0.0
    yield "three dwellings closed", replace(normal, valve=valve)
    yield "balancing valves open", replace(normal, open=np.ones(4))
    yield "entrance 3 clogged x4", replace(normal, entrance=np.array([1, 1, 4, 1, 1.0]))


def branches(pipes: Resistances, run: Operation) -> Iterator[Branch]:
    """The circuit as a list of pipes from ``pump`` to ``sink``; closed dwellings are left out.

    A factor on a whole branch multiplies the resistance of every pipe in it.
    """
    here = "pump"
    for b in range(TREE.sizes[3]):
        yield Branch(here, f"main {b}", float(pipes.main[b]))
        here = f"main {b}"
        own = pipes.building[b] + pipes.throttle[b] * (1.0 - run.open[b])
        yield Branch(here, f"building {b}", float(run.building[b] * own))
    for e, b in enumerate(TREE.entrance_building.tolist()):
        times = float(run.building[b] * run.entrance[e])
        yield Branch(f"building {b}", f"entrance {e}", times * float(pipes.entrance[e]))
        for r in range(TREE.entrance_risers[e], TREE.entrance_risers[e + 1]):
            yield Branch(f"entrance {e}", f"riser {r}", times * float(pipes.riser[r]))
            for u in range(TREE.riser_units[r], TREE.riser_units[r + 1]):
                if run.valve[u] > 0.0:
                    yield Branch(f"riser {r}", "sink", times * float(pipes.unit[u]))


def of_pandapipes(pipes: Resistances, pumps: Pumps, run: Operation) -> dict[str, float]:
    """Flow in kg/s of every branch by its name; dwellings as ``unit n``.

    The pump's shut-off head drives the circuit through its droop and the plant's resistance.
    """
    net = pandapipes.create_empty_network(fluid="water")
    density = float(net.fluid.get_density(293.15))
    listed = [
        Branch("shut-off", "pump", float(pumps.droop[0] + pipes.plant[0] * run.plant[0])),
        *branches(pipes, run),
    ]
    points = dict.fromkeys(name for b in listed for name in (b.start, b.end))
    junction = {
        name: pandapipes.create_junction(net, pn_bar=5.0, tfluid_k=293.15, name=name)
        for name in points
    }
    pressure_bar = 5.0 + float(pumps.shut_off_kpa[0]) / 100.0
    pandapipes.create_ext_grid(net, junction["shut-off"], p_bar=pressure_bar, t_k=293.15)
    pandapipes.create_ext_grid(net, junction["sink"], p_bar=5.0, t_k=293.15)
    for branch in listed:
        # Δp = ζ ρ v² / 2 with v = m / (ρ A)
        zeta = branch.resistance * 1000.0 * 2.0 * density * AREA_M2**2
        pandapipes.create_pipe_from_parameters(
            net,
            junction[branch.start],
            junction[branch.end],
            length_km=LENGTH_KM,
            inner_diameter_mm=BORE_M * 1000.0,
            k_mm=ROUGHNESS_MM,
            loss_coefficient=zeta,
        )
    pandapipes.pipeflow(net, friction_model="nikuradse", tol_p=1e-9, tol_m=1e-9, max_iter_hyd=200)
    flow = net.res_pipe["mdot_from_kg_per_s"].to_numpy()
    found, open_units = {}, iter(np.flatnonzero(run.valve > 0.0).tolist())
    for branch, kgs in zip(listed, flow, strict=True):
        name = f"unit {next(open_units)}" if branch.end == "sink" else branch.end
        found[name] = float(kgs)
    return found


def ours(flows: Flows) -> dict[str, float]:
    """Our flows by the same names."""
    levels = {"building": flows.building, "entrance": flows.entrance, "riser": flows.riser}
    found = {"pump": float(flows.pump[0])}
    for level, values in {**levels, "unit": flows.unit}.items():
        found |= {f"{level} {n}": float(kgs) for n, kgs in enumerate(values)}
    return found


def main() -> int:
    """Print a table; 1 if anything is more than a hundredth off."""
    logging.getLogger("pandapipes").setLevel(logging.ERROR)
    pipes, pumps = balance(TREE, DESIGN_KGS, DesignDrops())
    worst = 0.0
    print(f"pandapipes {pandapipes.__version__}: {TREE.sizes[0]} dwellings, 4 buildings, kg/s")
    for title, run in cases():
        mine, theirs = ours(solve(TREE, pipes, pumps, run)), of_pandapipes(pipes, pumps, run)
        print(f"\n{title}\n{'':14}{'ours':>10}{'pandapipes':>12}{'off':>9}")
        off = {name: mine[name] / kgs - 1.0 for name, kgs in theirs.items() if name in mine}
        shown = ["pump", *(f"building {b}" for b in range(4)), "entrance 2", "riser 4", "unit 30"]
        for name in shown:
            print(f"{name:14}{mine[name]:10.5f}{theirs[name]:12.5f}{100 * off[name]:8.3f}%")
        name = max(off, key=lambda key: abs(off[key]))
        print(f"worst of {len(off)} branches: {name}, {100 * off[name]:.4f} %")
        worst = max(worst, abs(off[name]))
    print(f"\nworst of all: {100 * worst:.4f} %, allowed {100 * TOLERANCE:.0f} %")
    return int(worst > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
