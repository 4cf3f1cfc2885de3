"""The command line, and with it the composition root: the one place that may import every room.

Commands import what they need when they run, so that ``hearthline --help`` is quick and a service
does not carry another one's libraries. Errors a person can put right end as one sentence with a
remedy on standard error: exit code 2 for wrong settings or usage, 1 for everything else.
"""

from __future__ import annotations

import os
import sys

from cyclopts import App, CycloptsError

from hearthline import __version__, telemetry
from hearthline.cli import (
    bench,
    city,
    complaints,
    dashboards,
    dead_letters,
    desk,
    devices,
    doctor,
    heat,
    ledger,
    maintenance,
    outlook,
    policy,
    score,
    services,
    strangers,
    train,
    up,
    verdicts,
)
from hearthline.errors import HearthlineError

app = App(
    name="hearthline",
    help="From a cold room to a closed complaint: sensing, diagnosis and tickets for district "
    "heating.",
    version=__version__,
)
for room in (
    up,
    services,
    doctor,
    city,
    ledger,
    dashboards,
    desk,
    devices,
    strangers,
    dead_letters,
    score,
    train,
    bench,
    policy,
    maintenance,
    complaints,
    verdicts,
    heat,
    outlook,
):
    room.register(app)


def main() -> None:
    """Run one command and exit with its code."""
    telemetry.configure()
    try:
        sys.exit(app(exit_on_error=False, print_error=False) or 0)
    except HearthlineError as error:
        print(f"hearthline: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except CycloptsError as error:
        print(f"hearthline: {error} Try `hearthline --help`.", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # whoever read our output has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except _database_errors() as error:
        print(f"hearthline: {_of_database(error)}", file=sys.stderr)
        sys.exit(1)


def _database_errors() -> tuple[type[Exception], ...]:
    """What storage raises for a server that is gone or has no schema; imported only when asked."""
    from hearthline.storage.database import Away, NoSchema

    return (*Away, NoSchema)


def _of_database(error: Exception) -> str:
    from hearthline.storage.database import NoSchema

    if isinstance(error, NoSchema):
        return "The database has no schema yet, or an older one. Run `hearthline migrate`."
    reason = str(error).strip().partition("\n")[0]
    return f"The database does not answer: {reason}. Run `hearthline doctor` to see what is away."
