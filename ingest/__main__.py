"""``python -m ingest``: the service alone, until SIGTERM or SIGINT.

The handlers stand before anything large is imported, so that a stop during start is a stop.
"""

from __future__ import annotations

import signal
import sys
import threading


def main() -> int:
    """Run with the settings of the environment; the exit code."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    from hearthline import telemetry
    from hearthline.errors import HearthlineError
    from hearthline.settings import load
    from ingest.service import run

    try:
        settings = load()
        telemetry.configure(settings.log_format, settings.log_level)
        run(settings, stop)
    except HearthlineError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
