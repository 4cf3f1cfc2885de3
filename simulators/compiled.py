"""Compiled loops: where a step of a million dwellings is spent, numba makes machine code of it.

A compiled function takes arrays, writes arrays, and knows nothing else of ours. It must use only
``+ − × ÷ √`` and table look-ups on floats: those are the same on every processor, library
functions are not, and the same seed must give the same bytes everywhere. The machine code is kept
in the user's cache folder under a name made from the sources, so a change never meets old code.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


def _cache_folder() -> str:
    """``<user cache>/hearthline/compiled-<hash of this package's sources>``."""
    digest = sha256()
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        text = source.read_bytes()
        if b"simulators.compiled" in text or source.samefile(__file__):
            digest.update(text)
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return str(base / "hearthline" / f"compiled-{digest.hexdigest()[:16]}")


_settings: Any = numba.config
_settings.CACHE_DIR = os.environ.get("NUMBA_CACHE_DIR") or _cache_folder()


def compiled(function: AnyFunction) -> AnyFunction:
    """Compile a function on its first call, without the interpreter's lock, and keep the code."""
    made: Any = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return cast(AnyFunction, made)


def elementwise(function: AnyFunction) -> AnyFunction:
    """Compile a function of one number into one that takes arrays (or numbers) of any shape."""
    made: Any = numba.vectorize(["float64(float64)"], cache=True)(function)
    return cast(AnyFunction, made)


def inlined(function: AnyFunction) -> AnyFunction:
    """Compile a function into whoever calls it: arrays are not handed over, which would cost."""
    made: Any = numba.njit(inline="always", error_model="numpy")(function)
    return cast(AnyFunction, made)


@inlined
def mixed(state, key):
    """64 random bits for an integer ``key``; equal to ``rand.bits`` from the same ``state``."""
    golden = np.uint64(0x9E3779B97F4A7C15)
    z = np.uint64(state) + golden * np.uint64(key) + golden
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
