"""``up``: everything in one process tree, and with ``--demo`` a simulated town as well."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from datetime import timedelta
from typing import Annotated, Any

from cyclopts import App, Parameter

from hearthline.cli import stack
from hearthline.cli.demo import Demo
from hearthline.cli.output import emit, err, out, until_signalled
from hearthline.cli.watch import TicketWatch
from hearthline.errors import PartAway
from hearthline.settings import STATE_DIR, load
from hearthline.supervision import Tree

SERVICES = ("ingest", "worker", "serve")
READY_WITHIN_S = 60.0
BEAT_OF = {"serve": "web"}  # the service's name among the heartbeats, where it differs


def register(app: App) -> None:
    """Add the command of this module."""
    app.command(up)


def up(
    *,
    demo: Annotated[
        bool, Parameter(help="Simulate a town: three days of history, then live.")
    ] = False,
    scenario: Annotated[str, Parameter(help="The scenario that --demo plays.")] = "town",
    seed: Annotated[int | None, Parameter(help="Another town of the same kind.")] = None,
    coverage: Annotated[
        float | None, Parameter(help="Share of dwellings with a room sensor, 0 to 1.")
    ] = None,
    keep_stack: Annotated[
        bool, Parameter(help="Leave the database and the broker running at the end.")
    ] = False,
    until_analysed: Annotated[
        bool, Parameter(help="With --demo: stop once the history is analysed.")
    ] = False,
    json: Annotated[bool, Parameter(help="End with one JSON object.")] = False,
) -> None:
    """Bring up whatever is not there and run ingest, worker and web until Ctrl-C.

    Starts the development database and broker if no addresses are configured, brings the schema
    up to date, and stops everything it started at the end. Data stays.
    """
    began = time.monotonic()
    settings = load()
    parts = stack.up()
    err.print(f"Database and broker: {parts.description}")
    try:
        _run(
            settings.port,
            parts,
            Demo.plan(demo, scenario, seed, coverage),
            began,
            until_analysed=until_analysed,
            json=json,
        )
    finally:
        if parts.ours and not keep_stack:
            stack.stop()
            err.print("Stopped. Nothing is left running; the data is kept.")


def _run(
    port: int,
    parts: stack.Parts,
    demo: Demo | None,
    began: float,
    *,
    until_analysed: bool,
    json: bool,
) -> None:
    from hearthline.storage import schema
    from hearthline.storage.database import Database

    url = parts.database_url
    schema.migrate(url)
    port = _free_port(port)
    address = f"http://127.0.0.1:{port}/console"
    environment = {**parts.environment(), "HEARTHLINE_PORT": str(port)}
    tree = Tree(SERVICES, environment, STATE_DIR / "log")
    with until_signalled() as stop, Database(url) as database, TicketWatch(url, began) as watch:
        if demo is not None:
            demo.prepare(database)
        login = _first_login(database, demo=demo is not None)
        tree.start()
        try:
            _wait_ready(database, tree, stop)
            err.print(f"Console: {address}   {login}")
            if demo is not None:
                demo.play(database, parts.simulator_mqtt_url, stop)
            _watch(tree, stop, demo if until_analysed else None, database)
        finally:
            summary = _finish(database, tree, demo, watch, address)
    if json:
        emit(summary)
    else:
        _print_summary(summary)


def _watch(tree: Tree, stop: threading.Event, until_done: Demo | None, database: Any) -> None:
    """Keep the services alive until told to stop, or until the demo's history is analysed."""

    def died(name: str, code: int) -> None:
        err.print(
            f"[yellow]{name} ended (exit code {code}); starting it again. "
            f"Its log: {tree.log(name)}[/yellow]"
        )

    while not stop.wait(0.5):
        tree.revive(died)
        if until_done is not None and until_done.analysed(database):
            return


def _wait_ready(database: Any, tree: Tree, stop: threading.Event) -> None:
    """Wait until every service has said that it is ready; without ingest a reading could be lost.

    Raises:
        PartAway: one of them did not get ready in time.
    """
    from hearthline.storage import pulse

    began = time.monotonic()
    waiting = list(SERVICES)
    while waiting and not stop.is_set():
        age = time.monotonic() - began
        with database.transaction() as connection:
            beats = pulse.beats(connection)
        waiting = [
            name
            for name in SERVICES
            if beats.get(BEAT_OF.get(name, name), timedelta.max) > timedelta(seconds=age)
        ]
        if age > READY_WITHIN_S:
            logs = ", ".join(str(tree.log(name)) for name in waiting)
            raise PartAway(f"Not ready after {age:.0f} s: {', '.join(waiting)}.", f"See {logs}.")
        stop.wait(0.1)


def _first_login(database: Any, *, demo: bool) -> str:
    """Make sure that somebody can log in; says how, or nothing where people are on file."""
    from hearthline.storage import accounts

    password = secrets.token_urlsafe(9)
    with database.transaction() as connection:
        if demo:
            accounts.issue_password(connection, "operator", "Operator on watch", password)
        elif accounts.any_user(connection):
            return ""
        else:
            accounts.add_user(connection, "operator", "Operator on watch", "admin", password)
    return f"login: operator   one-time password: {password}"


def _finish(
    database: Any, tree: Tree, demo: Demo | None, watch: TicketWatch, address: str
) -> dict[str, Any]:
    """Stop publishing, let ingest finish what the broker holds, stop the services, count."""
    from hearthline.storage import pulse

    published = demo.stop(database) if demo is not None else None
    killed = tree.stop()
    with database.transaction() as connection:
        counts = pulse.counts(connection)
    return {
        "console": address,
        "published": published,
        "stored": counts["stored"],
        "dead_letters": counts["dead_letters"],
        "unit_days": counts["unit_days"],
        "tickets": counts["tickets"],
        "opened_now": watch.opened,
        "first_ticket_after_s": watch.first_after_s,
        "killed": killed,
    }


def _print_summary(summary: dict[str, Any]) -> None:
    published = summary["published"]
    if published:
        verdict = "nothing lost" if published["balanced"] else "the books do not balance"
        out.print(
            f"Published {published['readings']:,} readings; ingest took {published['stored']:,} "
            f"new, {published['duplicates']:,} duplicates, {published['dead_letters']:,} dead "
            f"letters: {verdict}."
        )
    out.print(
        f"In the database: {summary['stored']:,} readings, {summary['unit_days']:,} dwelling-days "
        f"judged, {summary['tickets']} tickets ({summary['opened_now']} opened in this run)."
    )


def _free_port(wanted: int) -> int:
    """The wanted port, or the next free one with a word about it."""
    for port in range(wanted, min(wanted + 50, 65_536)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port != wanted and wanted:
                err.print(f"Port {wanted} is taken; the console uses {probe.getsockname()[1]}.")
            return int(probe.getsockname()[1])
    raise PartAway(
        f"No port between {wanted} and {wanted + 49} is free.", "Set HEARTHLINE_PORT to another."
    )
