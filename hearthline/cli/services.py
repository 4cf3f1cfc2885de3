"""``migrate``, ``ingest``, ``worker`` and ``serve``: the schema and the three services alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import structlog
from cyclopts import App, Parameter

from hearthline import supervision, telemetry
from hearthline.cli.output import emit, out, until_signalled
from hearthline.clock import system_clock
from hearthline.errors import HearthlineError
from hearthline.settings import Settings, load

if TYPE_CHECKING:
    from hearthline.storage.database import Database
    from ingest.service import Service

log = structlog.get_logger("services")

Port = Annotated[
    int | None,
    Parameter(help="Serve /metrics, /healthz and /readyz at this port of HEARTHLINE_METRICS_HOST."),
]


def register(app: App) -> None:
    """Add the commands of this module."""
    for command in (migrate, ingest, worker, serve):
        app.command(command)


def _start(**given: Any) -> Settings:
    """Settings, logs and an end that follows the parent's; ``given`` wins over the environment."""
    settings = load(**{name: value for name, value in given.items() if value is not None})
    telemetry.configure(settings.log_format, settings.log_level, settings.secrets())
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


def ingest(
    *,
    share: Annotated[
        str | None,
        Parameter(help="Share the messages with every ingest process that names this group."),
    ] = None,
    client_id: Annotated[
        str | None, Parameter(help="The name of the session on the broker; one process each.")
    ] = None,
    metrics_port: Port = None,
) -> None:
    """Take readings from the MQTT broker into the database.

    One process is enough for some hundred thousand devices. To run several side by side, start
    each with the same --share GROUP: the broker gives every message to one of them. Each needs a
    client id of its own; without --client-id a process takes the lowest free place of the group
    and is called `hearthline-ingest-GROUP-1`, -2, -3 …, so that the next process to start takes up
    the session that a dead one has left. The log says which.
    """
    from hearthline.storage import pulse

    settings = _start(mqtt_share=share, mqtt_client_id=client_id, ingest_port=metrics_port)
    url = settings.require_database()
    running: list[Service] = []

    def ready() -> bool:
        return bool(running) and running[0].health.ready

    with (
        until_signalled() as stop,
        _place(settings, stop) as placed,
        pulse.beating(url, "ingest", ready),
    ):
        if placed is not None:
            _ingest(placed, stop, running)


def _ingest(settings: Settings, stop: Event, running: list[Service]) -> None:
    from hearthline import probe
    from ingest.service import run

    with ExitStack() as open_:

        def started(service: Service) -> None:
            running.append(service)
            health = service.health
            if settings.ingest_port is not None:
                serving = probe.serving(
                    settings.metrics_host,
                    settings.ingest_port,
                    service.metrics.registry,
                    alive=lambda: service.alive,
                    parts=lambda: {"broker": health.broker, "database": health.database},
                )
                open_.enter_context(serving)

        run(settings, stop, started=started)


@contextmanager
def _place(settings: Settings, stop: Event) -> Iterator[Settings | None]:
    """The settings with a client id that no other process has; None where told to stop before.

    Raises:
        HearthlineError: another process took the place while the database was away.
    """
    from hearthline.storage import slots
    from hearthline.storage.database import wait_until_up

    named = "mqtt_client_id" in settings.model_fields_set
    if settings.mqtt_share is None or named:
        yield settings
        return
    url, lost = settings.require_database(), Event()
    if not wait_until_up(url, stopped=stop.is_set):
        yield None
        return

    def give_up() -> None:
        lost.set()
        stop.set()

    with slots.held(url, f"ingest {settings.mqtt_share}", give_up) as number:
        name = f"{settings.mqtt_client_id}-{settings.mqtt_share}-{number}"
        log.info("one of several", share=settings.mqtt_share, place=number, client_id=name)
        yield settings.model_copy(update={"mqtt_client_id": name})
    if lost.is_set():
        raise HearthlineError(
            f"Another process took the place {name} while the database was away.",
            "Start this one again; it takes another.",
        )


def worker(
    *,
    once: Annotated[bool, Parameter(help="Stop when nothing is left to do.")] = False,
    metrics_port: Port = None,
) -> None:
    """Roll up, analyse, judge and open tickets, again and again."""
    from analytics.causes import choice
    from analytics.cycle import Rules
    from analytics.jobs import run
    from analytics.worker import Work, settle
    from hearthline.storage import pulse, schema
    from hearthline.storage.database import Database, wait_until_up

    settings = _start(worker_port=metrics_port)
    choice.choose(choice.named(settings.causes))
    url = settings.require_database()
    with (
        until_signalled() as stop,
        Database(url) as database,
        pulse.beating(url, "worker"),
        _worker_probe(settings, database),
    ):
        wait_until_up(url, stopped=stop.is_set)
        with database.transaction() as connection:
            schema.keep_policy(connection, settings.rule())
        rules = Rules(settings.rule(), settings.group_wait)
        work = Work(database, rules, system_clock)
        if once:
            settle(work, stop)
        else:
            run(work, settings.worker_interval, stop)


def _worker_probe(settings: Settings, database: Database) -> AbstractContextManager[Any]:
    from hearthline import probe
    from hearthline.cli import vitals

    if settings.worker_port is None:
        return nullcontext()
    return probe.serving(
        settings.metrics_host,
        settings.worker_port,
        vitals.registry(database.url),
        alive=lambda: True,
        parts=lambda: {"database": database.ping()},
    )


def serve() -> None:
    """Serve the API and the operators' console."""
    from api.server import run
    from hearthline.storage import pulse

    settings = _start()
    url = settings.require_database()
    with until_signalled() as stop, pulse.beating(url, "web"):
        run(settings, stop)
