"""Random numbers that depend on *what* they are for and not on *when* they are drawn.

Every draw is a hash of (seed, stream, keys): the noise of sensor 17 at second 86,400 is the same
number whether the run reached that instant in one block or a thousand, from the beginning or
resumed, and whatever else was drawn before. Only integer arithmetic, so every machine agrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray

_GOLDEN, _MIX_1, _MIX_2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_FULL = 0xFFFFFFFFFFFFFFFF
_NORMAL_MEAN = 2.0 * 65535
_NORMAL_SD = float(np.sqrt((65536.0**2 - 1.0) / 3.0))


def _mix(z: int) -> int:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014)."""
    z = ((z ^ (z >> 30)) * _MIX_1) & _FULL
    z = ((z ^ (z >> 27)) * _MIX_2) & _FULL
    return z ^ (z >> 31)


def _mix_all(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The same for every element."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(_MIX_1)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(_MIX_2)
    return z ^ (z >> np.uint64(31))


def _start(seed: int, stream: str, keys: Sequence[int]) -> int:
    """State after the leading keys that are plain numbers."""
    state = _mix((seed * 0x632BE59BD9B4E019 + crc32(stream.encode()) + _GOLDEN) & _FULL)
    for key in keys:
        state = _mix((state + _GOLDEN * (key & _FULL) + _GOLDEN) & _FULL)
    return state


def bits(seed: int, stream: str, *keys: ArrayLike) -> NDArray[np.uint64]:
    """64 random bits for each combination of the broadcast integer ``keys``.

    Put keys that are plain numbers first: they cost next to nothing there.
    """
    plain = list(takewhile(lambda key: isinstance(key, int), keys))
    state = np.array([_start(seed, stream, plain)], dtype=np.uint64)  # type: ignore[arg-type]
    golden = np.uint64(_GOLDEN)
    for key in keys[len(plain) :]:
        state = _mix_all(
            state + golden * np.asarray(key, dtype=np.int64).astype(np.uint64) + golden
        )
    return state


def chance(seed: int, stream: str, *keys: int) -> float:
    """One uniform number in [0, 1): the same as ``uniform`` for plain keys, without arrays."""
    return (_start(seed, stream, keys) >> 11) * 2.0**-53


def uniform(seed: int, stream: str, *keys: ArrayLike) -> NDArray[np.float64]:
    """Uniform numbers in [0, 1), one per combination of the broadcast ``keys``."""
    return (bits(seed, stream, *keys) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(seed: int, stream: str, *keys: ArrayLike) -> NDArray[np.float64]:
    """Near-normal numbers (mean 0, sd 1, never beyond ±3.47), one per combination of ``keys``.

    The sum of four 16-bit uniforms: one hash a number, no library function, and tails that end
    where an instrument's do.
    """
    raw = bits(seed, stream, *keys)
    low = np.uint64(0xFFFF)
    total = (raw & low).astype(np.float64)
    for shift in (16, 32, 48):
        total += (raw >> np.uint64(shift)) & low
    return (total - _NORMAL_MEAN) / _NORMAL_SD


def happens(
    probability: float | NDArray[np.float64], seed: int, stream: str, *keys: ArrayLike
) -> NDArray[np.bool_]:
    """Whether an event of the given probability happens, per combination of ``keys``."""
    return np.asarray(uniform(seed, stream, *keys) < probability)


def pick(options: Sequence[str], seed: int, stream: str, key: int) -> str:
    """One of ``options``."""
    return options[int(bits(seed, stream, key)[0] % np.uint64(len(options)))]


def state(seed: int, stream: str, *keys: int) -> np.uint64:
    """What ``compiled.mixed`` needs to draw what ``bits(seed, stream, *keys, key)`` draws."""
    return np.uint64(_start(seed, stream, keys))
