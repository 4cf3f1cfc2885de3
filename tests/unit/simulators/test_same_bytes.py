"""The same seed gives the same bytes on every processor and however the town is cut."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from simulators import parallel, run
from simulators.engine import Engine
from tests.unit.simulators.village import ANCHOR, village

ROOT = Path(__file__).parents[3]
FAULTS = """
faults:
  - {cause: leak, place: V-S2, onset: 0h, severity: 0.3}
  - {cause: exchanger_fouled, place: V-S1, onset: -60d, severity: 9}
  - {cause: strainer_clogged, place: V-S1-B02, onset: 1h, ramp: 2h, severity: 9}
  - {cause: turned_down, place: V-S1-B05-E1-0302, onset: 0h}
"""
DIGEST = """
from tests.unit.simulators import test_same_bytes
print(test_same_bytes.digest())
"""


def digest(parts: list[tuple[int, int]] | None = None, hours: int = 6) -> str:
    """A fingerprint of all states and flows and of every message of some hours, to the last bit."""
    city, seen = village(FAULTS), sha256()
    engine, state = city.start(ANCHOR)
    if parts is not None:
        engine._parts = parts
    for index in range(12 * hours):
        step = engine.advance(state, index)
        for values in (state.air_c, state.mass_c, state.emitted_w, step.flows.unit):
            seen.update(np.ascontiguousarray(values).tobytes())
        side = step.primary
        for values in (side.supply_c, side.return_c, side.flow_kgs, side.valve_pct):
            seen.update(values.tobytes())
    if parts is None:
        for block in run(city, ANCHOR, ANCHOR.replace(hour=ANCHOR.hour + hours)):
            for message in block.messages:
                seen.update(message.topic.encode() + bytes(message.payload))
    return seen.hexdigest()


def elsewhere(**environment: str) -> str:
    """The digest that a process with other processor features finds."""
    made = subprocess.run(
        [sys.executable, "-c", DIGEST],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout.strip().splitlines()[-1]


def switchable() -> str:
    """The processor features that numpy can be told to do without here."""
    from numpy._core import _multiarray_umath as core

    there = core.__cpu_features__
    return " ".join(name for name in core.__cpu_dispatch__ if there.get(name))


@pytest.fixture(scope="module")
def here() -> str:
    return digest()


def test_a_processor_without_wide_registers_gives_the_same_bytes(here: str, tmp_path: Path) -> None:
    """numpy without its dispatched kernels, and loops compiled for the plainest processor."""
    plain = {
        "NPY_DISABLE_CPU_FEATURES": switchable(),
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
        "NUMBA_CACHE_DIR": str(tmp_path),
    }
    assert elsewhere(**plain) == here


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_however_the_town_is_cut_the_bytes_are_the_same(parts: int) -> None:
    worth_it, parallel.WORTH_IT = parallel.WORTH_IT, 0
    try:
        city = village()
        cut = parallel.cut(city.layout.tree.circuit_units, parts)
    finally:
        parallel.WORTH_IT = worth_it
    assert len(cut) == parts
    assert digest(cut, hours=2) == digest([(0, 3)], hours=2)


def test_parts_are_what_an_engine_uses() -> None:
    city = village()
    engine = city.engine(ANCHOR)
    assert isinstance(engine, Engine)
    assert engine._parts == [(0, 3)]
