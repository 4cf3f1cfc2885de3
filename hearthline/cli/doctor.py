"""``doctor``: every part by name, green or red, and for each red one what to do about it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from cyclopts import App

from hearthline.cli.output import emit, out
from hearthline.errors import HearthlineError
from hearthline.settings import Settings, load
from hearthline.telemetry import without_password


@dataclass(frozen=True, slots=True)
class Line:
    """One part: its name, whether it is well, what was seen, and the remedy where it is not."""

    part: str
    ok: bool
    seen: str
    remedy: str = ""


Check = Callable[[Settings], Iterator[Line]]


def register(app: App) -> None:
    """Add the command of this module."""
    app.command(doctor)


def doctor(*, json: bool = False) -> int:
    """Check every part; exit code 1 if any is not well."""
    settings = load()
    lines = [line for check in CHECKS for line in check(settings)]
    well = all(line.ok for line in lines)
    if json:
        emit({"ok": well, "parts": [asdict(line) for line in lines]})
        return 0 if well else 1
    width = max(len(line.part) for line in lines)
    for line in lines:
        mark = "[green]✔[/green]" if line.ok else "[red]✘[/red]"
        out.print(f"{mark} {line.part:{width}}  {line.seen}")
        if line.remedy and not line.ok:
            out.print(f"  {'':{width}}  → {line.remedy}")
    sick = sum(not line.ok for line in lines)
    out.print("Every part is well." if well else f"{sick} of {len(lines)} parts need attention.")
    return 0 if well else 1


def _database(settings: Settings) -> Iterator[Line]:
    from hearthline.storage import schema
    from hearthline.storage.database import Away, connect

    try:
        url = settings.require_database()
        with connect(url, timeout_s=3) as connection:
            version = connection.info.server_version // 10_000
            edition = schema.edition(connection)
        yield Line("database", True, f"PostgreSQL {version} at {without_password(url)}")
        yield Line("timescaledb", True, f"{edition} edition")
        current, newest = schema.current(url), schema.newest()
    except Away as error:
        first = str(error).strip().splitlines()[0]
        remedy = "Start it: `python3 deploy/stack up`, or correct HEARTHLINE_DATABASE_URL."
        yield Line("database", False, first, remedy)
        return
    except HearthlineError as error:
        yield Line("database", False, error.sentence, error.remedy)
        return
    seen = f"revision {current}" if current else "no schema yet"
    yield Line("schema", current == newest, seen, "Run `hearthline migrate`.")
    if current == newest:
        yield from _services(url)


def _services(url: str) -> Iterator[Line]:
    """Heartbeats of the three services, and how far behind the worker is."""
    from hearthline.storage import analysis, pulse
    from hearthline.storage.database import connect

    with connect(url) as connection:
        beats = pulse.beats(connection)
        counts = pulse.counts(connection)
        reached = analysis.progress(connection, "analysis")
    commands = {"ingest": "ingest", "worker": "worker", "web": "serve"}
    for service, command in commands.items():
        age = beats.get(service)
        ok = age is not None and age < pulse.LATE
        seen = "not running" if age is None else f"last heard {age.total_seconds():.0f} s ago"
        yield Line(
            service, ok, seen, f"Start `hearthline {command}`, or everything: `hearthline up`."
        )
    waiting = int(counts["waiting"])
    yield Line(
        "rollups",
        waiting < 50_000,
        f"{waiting:,} hours wait",
        "The worker is behind or not running; see its log.",
    )
    yield Line(
        "analysis", True, f"judged up to {reached:%Y-%m-%d %H:%M} UTC" if reached else "no data yet"
    )
    dead = int(counts["dead_letters"])
    yield Line("readings", True, f"{counts['stored']:,} stored, {dead:,} dead letters")


def _broker(settings: Settings) -> Iterator[Line]:
    from simulators.transport import BrokerRefused, Publisher

    remedy = "Start it: `python3 deploy/stack up`, or correct HEARTHLINE_MQTT_URL."
    try:
        url = settings.require_mqtt()
    except HearthlineError as error:
        yield Line("broker", False, error.sentence, error.remedy)
        return
    publisher = Publisher(url, client_id=None, session_s=0)
    try:
        ok = publisher.wait_connected(3)
        seen = f"MQTT 5 at {publisher.address}" if ok else f"no answer from {publisher.address}"
    except BrokerRefused as refused:
        ok, seen, remedy = (
            False,
            str(refused),
            "Check the user and password in HEARTHLINE_MQTT_URL.",
        )
    publisher.close(0)
    yield Line("broker", ok, seen, remedy)


def _console(_settings: Settings) -> Iterator[Line]:
    from api.console.assets import missing

    lacking = missing()
    seen = "assets present" if not lacking else f"missing: {', '.join(lacking)}"
    yield Line("console", not lacking, seen, "Run `make setup` to bring the browser assets.")


def _grafana(settings: Settings) -> Iterator[Line]:
    if settings.grafana_url is None:
        yield Line("grafana", True, "not configured (set HEARTHLINE_GRAFANA_URL to publish)")
        return
    from dashboards.publish import ping

    try:
        yield Line("grafana", True, f"{ping(settings)} at {settings.grafana_url}")
    except HearthlineError as error:
        yield Line("grafana", False, error.sentence, error.remedy)


def _disk(_settings: Settings) -> Iterator[Line]:
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    yield Line(
        "disk", free > 2, f"{free:.0f} GiB free", "Make room: a full disk stops the database."
    )


CHECKS: tuple[Check, ...] = (_database, _broker, _console, _grafana, _disk)
