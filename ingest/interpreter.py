"""How the interpreter is set while threads that compute share it with one that waits.

**Switching.** A thread whose wait is over gets the interpreter back only when the one that computes
lets go of it, by default after 5 ms. A batch has a dozen such waits (each answer of the database),
and each would leave the database without work for as long.

**Collecting.** What a batch is made of dies by its reference count; the collector finds nothing,
but looks through all that is alive, at worst through the whole program, for a tenth of a second and
in the middle of a batch. What is there at the start is left out, and the rest looked at seldom: for
the few cycles that libraries make.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SWITCH_AFTER_S = 0.001
COLLECT_AFTER = 50_000
"""New objects that were not freed since the last look; the default is 700."""


@contextmanager
def attuned() -> Iterator[None]:
    """Set the interpreter so for the time of the block."""
    switch_after, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(SWITCH_AFTER_S)
    gc.set_threshold(COLLECT_AFTER, *thresholds[1:])
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(switch_after)
