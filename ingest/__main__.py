"""``python -m ingest``: the service alone, until SIGTERM or SIGINT."""

from __future__ import annotations

import signal
import sys
import threading

from hearthline.errors import HearthlineError
from hearthline.settings import load
from ingest.service import run


def main() -> int:
    """Run with the settings of the environment; the exit code."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        run(load(), stop)
    except HearthlineError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
