"""Compiled loops on every processor: the town is cut at circuits into parts of equal size.

The parts write to separate runs of the same arrays, so the result does not depend on how many
there are; small towns are not worth the threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

WORTH_IT = 30_000
"""Dwellings from which on a second thread pays."""


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cut(starts: NDArray[np.intp], parts: int | None = None) -> list[tuple[int, int]]:
    """Cut groups into runs of about equally many members; (first group, end) of each.

    ``starts`` [groups + 1] holds the first member of each group and the number of all.
    """
    members, groups = int(starts[-1]), len(starts) - 1
    wanted = processors() if parts is None else parts
    wanted = min(wanted, groups) if members >= WORTH_IT else 1
    middles = np.arange(1, wanted) * members / wanted
    edges = sorted({0, *np.abs(starts[:, None] - middles).argmin(axis=0).tolist(), groups})
    return list(pairwise(edges))


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(processors() - 1, 1), thread_name_prefix="town")


def each(parts: Sequence[tuple[int, int]], work: Callable[[tuple[int, int]], object]) -> None:
    """Do the work on every part, the last one in this thread.

    A part that no other thread has begun by then is done here too: on a busy machine waiting for
    a second processor would cost more than it brings.
    """
    others = [(_pool().submit(work, part), part) for part in parts[:-1]]
    work(parts[-1])
    for other, part in others:
        if other.cancel():
            work(part)
        else:
            other.result()
