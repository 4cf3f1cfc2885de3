"""Progress on standard error, with the seconds gone by; standard output stays for the answer."""

import sys
import time
from collections.abc import Callable
from typing import TextIO


class Progress:
    """Prints a line per step, each with the time since the command began."""

    def __init__(
        self, out: TextIO | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._out = out or sys.stderr
        self._monotonic = monotonic
        self._began = monotonic()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the command began."""
        return self._monotonic() - self._began

    def say(self, line: str) -> None:
        """Print one step."""
        print(f"[{self.elapsed_s:5.1f} s] {line}", file=self._out, flush=True)
