"""The compiled loops of room sensors; see ``rooms`` for what they mean.

A million sensors are read in about the time their rooms take to be computed, so these loops touch
memory in order wherever they can: the only jump is from a sensor's turn to its room, over four
bytes a sensor, in a loop that does nothing else.
"""

# ruff: noqa: PLR0917 - a compiled loop takes its arrays one by one

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled, inlined, mixed

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Real = NDArray[np.floating[Any]]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

_NORMAL_SD = float(np.sqrt((65536.0**2 - 1.0) / 3.0))
MISPLACED, WRONG, FAINT = 1, 2, 4
"""Marks: feels something else than its room; shows something else than it feels; leaves out."""


@inlined
def normal(bits: np.uint64) -> float:
    """The near-normal number that ``rand.normal`` makes of 64 random bits."""
    low = np.uint64(0xFFFF)
    total = (bits & low) + ((bits >> np.uint64(16)) & low)
    total = total + ((bits >> np.uint64(32)) & low) + (bits >> np.uint64(48))
    return (float(total) - 2.0 * 65535) / _NORMAL_SD


@compiled
def normals(state: np.uint64, key: Index, at_s: NDArray[np.int_], drawn: Array) -> None:
    """Write ``rand.normal(seed, stream, key, at_s)`` for the state of a seed and a stream."""
    for one in range(len(key)):
        drawn[one] = normal(mixed(mixed(state, key[one]), at_s[one]))


@compiled
def follow(was: Single, now: Single, before: Real, after: Real, lag: float, keep: float) -> None:
    """Cases follow their surroundings through a step: first order, exact for a steady change.

    Args:
        was: temperature of the cases at the step's beginning, [sensors] °C.
        now: the same at its end; written.
        before: surroundings at the beginning, [sensors] °C.
        after: the same at the end.
        lag: the cases' time constant as a share of the step.
        keep: what is left of a difference after a step, exp(−1/lag).
    """
    for s in range(len(was)):
        behind = (after[s] - before[s]) * lag
        now[s] = after[s] - behind + (was[s] - before[s] + behind) * keep


@compiled
def at_turns(
    was: Single, now: Single, phase_s: NDArray[np.int32], ahead_s: int, seconds: int, felt: Single
) -> None:
    """Cases at the sensors' own instants, ``phase_s − ahead_s`` into a step; writes ``felt``."""
    share = np.float32(1.0 / seconds)
    for s in range(len(was)):
        along = np.float32(phase_s[s] - ahead_s) * share
        felt[s] = was[s] + along * (now[s] - was[s])


@compiled
def shown(
    sensor: Index,
    phase_s: NDArray[np.int32],
    unit: NDArray[np.int32],
    bias_k: Single,
    damp_pct: Single,
    full_pct: Single,
    drain_pct_day: Single,
    felt: Single,
    since_s: int,
    state: np.uint64,
    noise_k: float,
    dry_pct: float,
    damper_pct_k: float,
    temperature_c: Array,
    humidity_pct: Array,
    battery_pct: Array,
) -> None:
    """What the sensors of a run of the rota show: tenths of °C and of %, whole % of battery.

    All arrays are [turns] but ``felt``, [sensors]. The noise of temperature is
    ``rand.normal(seed, stream, unit, at_s)``, that of humidity has the further key 1; ``state``
    is that of seed and stream.
    """
    for turn in range(len(sensor)):
        temperature_c[turn] = felt[sensor[turn]]
    for turn in range(len(sensor)):
        at_s = since_s + phase_s[turn]
        raw = mixed(mixed(state, unit[turn]), at_s)
        true_c = temperature_c[turn]
        here_c = true_c + bias_k[turn] + noise_k * normal(raw)
        humid_pct = dry_pct - damper_pct_k * true_c + damp_pct[turn]
        humid_pct += normal(mixed(raw, 1))
        left_pct = full_pct[turn] - drain_pct_day[turn] * (at_s / 86400.0)
        here_c = min(max(here_c, -40.0), 60.0)
        humid_pct = min(max(humid_pct, 8.0), 90.0)
        left_pct = min(max(left_pct, 1.0), 100.0)
        temperature_c[turn] = np.floor(here_c * 10.0 + 0.5) / 10.0
        humidity_pct[turn] = np.floor(humid_pct * 10.0 + 0.5) / 10.0
        battery_pct[turn] = np.floor(left_pct + 0.5)


@compiled
def close_up(gone: Index, column: NDArray[Any]) -> None:
    """Move what is left of a column over the rows that are ``gone`` (ascending), in place."""
    to = gone[0]
    for number in range(len(gone)):
        end = gone[number + 1] if number + 1 < len(gone) else len(column)
        for row in range(gone[number] + 1, end):
            column[to] = column[row]
            to += 1


@compiled
def mark(
    unit: Index,
    hangs_in: Index,
    radiator: Single,
    sun: Single,
    outdoors: Single,
    offset_k: Single,
    stuck: Flags,
    dead: Flags,
    low: Flags,
    marks: NDArray[np.uint8],
) -> None:
    """Mark the sensors [sensors] that their batteries or the knobs [units] make lie."""
    for s in range(len(unit)):
        u = unit[s]
        found = 0
        if hangs_in[u] != u or radiator[u] != 0.0 or sun[u] != 0.0 or outdoors[u] != 0.0:
            found = MISPLACED
        if stuck[u] or offset_k[u] != 0.0:
            found |= WRONG
        if dead[u] or low[s]:
            found |= FAINT
        marks[s] = found
