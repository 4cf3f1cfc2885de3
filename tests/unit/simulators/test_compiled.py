"""Compiled loops: kept under a name that follows the sources, and exact where it matters."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import numba
import numpy as np
import pytest

import simulators.compiled
from simulators import rand
from simulators.compiled import compiled, mixed

PACKAGE = Path(simulators.compiled.__file__).parent
DIFFERS = {"exp", "log", "log10", "log2", "pow", "power", "sin", "cos", "tan", "exp2", "expm1"}
"""Library functions whose last bit depends on the processor."""


def loops() -> list[tuple[str, ast.FunctionDef]]:
    """Every function of the package that is compiled."""
    found = []
    for source in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.FunctionDef):
                marks = {getattr(mark, "id", "") for mark in node.decorator_list}
                if marks & {"compiled", "inlined", "elementwise"}:
                    found.append((f"{source.stem}.{node.name}", node))
    return found


def test_there_are_loops_to_look_at() -> None:
    assert {"rooms.advance", "hydraulics._gather", "compiled.mixed"} <= {
        name for name, _ in loops()
    }


@pytest.mark.parametrize(("name", "loop"), loops(), ids=[name for name, _ in loops()])
def test_a_loop_uses_nothing_that_differs_between_processors(
    name: str, loop: ast.FunctionDef
) -> None:
    for node in ast.walk(loop):
        made = node.func if isinstance(node, ast.Call) else None
        called = getattr(made, "attr", getattr(made, "id", ""))
        assert called not in DIFFERS, f"{name} calls {called}"
        assert not isinstance(node, ast.Pow), f"{name} raises to a power"


def test_random_bits_in_a_loop_are_those_of_rand() -> None:
    keys = np.array([0, 1, 17, 1_000_000])
    state = rand.state(42, "stream", 3, -5)
    assert [int(mixed(state, key)) for key in keys] == rand.bits(42, "stream", 3, -5, keys).tolist()


def test_a_loop_gives_what_its_python_gives_without_contracting() -> None:
    """a·b + c rounds twice, as written: a fused instruction would round once."""

    @compiled
    def sums(a, b, c):  # type: ignore[no-untyped-def]
        total = 0.0
        for i in range(len(a)):
            total = total + a[i] * b[i] + c[i]
        return total

    number = np.random.default_rng(1)
    a, b, c = number.uniform(-1, 1, (3, 1000))
    assert sums(a, b, c) == sums.py_func(a, b, c)


def test_machine_code_is_kept_outside_the_checkout() -> None:
    folder = Path(numba.config.CACHE_DIR)
    assert PACKAGE.parent not in folder.parents
    assert "compiled-" in folder.name or "NUMBA_CACHE_DIR" in os.environ
