"""``migrate``, ``ingest``, ``worker`` and ``serve``: the schema and the three services alone."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from hearthline import supervision, telemetry
from hearthline.cli.output import emit, out, until_signalled
from hearthline.clock import system_clock
from hearthline.domain.policies import PROFILES
from hearthline.settings import Settings, load


def register(app: App) -> None:
    """Add the commands of this module."""
    for command in (migrate, ingest, worker, serve):
        app.command(command)


def _start() -> Settings:
    settings = load()
    telemetry.configure(settings.log_format, settings.log_level)
    supervision.die_with_parent()
    return settings


def migrate(*, json: bool = False) -> None:
    """Bring the schema to the newest revision.

    Where HEARTHLINE_GRAFANA_READER_PASSWORD is set, Grafana's read-only role is made as well.
    """
    from hearthline.storage import roles, schema
    from hearthline.storage.database import connect

    settings = _start()
    url = settings.require_database()
    revision = schema.migrate(url)
    with connect(url) as connection:
        edition = schema.edition(connection)
        if settings.grafana_reader_password:
            roles.ensure_reader(connection, settings.grafana_reader_password)
    if json:
        emit({"revision": revision, "edition": edition})
    else:
        out.print(f"The schema is at revision {revision} (TimescaleDB {edition} edition).")


def ingest() -> None:
    """Take readings from the MQTT broker into the database."""
    from hearthline.storage import pulse
    from ingest.service import Service, run

    settings = _start()
    url = settings.require_database()
    running: list[Service] = []

    def ready() -> bool:
        return bool(running) and running[0].health.ready

    with until_signalled() as stop, pulse.beating(url, "ingest", ready):
        run(settings, stop, started=running.append)


def worker(
    *, once: Annotated[bool, Parameter(help="Stop when nothing is left to do.")] = False
) -> None:
    """Roll up, analyse, judge and open tickets, again and again."""
    from analytics.cycle import Rules
    from analytics.worker import Work, run, settle
    from hearthline.storage import pulse
    from hearthline.storage.database import Database, wait_until_up

    settings = _start()
    url = settings.require_database()
    with until_signalled() as stop, Database(url) as database, pulse.beating(url, "worker"):
        wait_until_up(url, stopped=stop.is_set)
        rules = Rules(PROFILES[settings.policy], settings.group_wait)
        work = Work(database, rules, system_clock)
        if once:
            settle(work, stop)
        else:
            run(work, settings.worker_interval, stop)


def serve() -> None:
    """Serve the API and the operators' console."""
    from api.server import run
    from hearthline.storage import pulse

    settings = _start()
    url = settings.require_database()
    with until_signalled() as stop, pulse.beating(url, "web"):
        run(settings, stop)
