"""``doctor``: every part by name, green or red, and for each red one what to do about it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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


FAR_BEHIND = 50_000  # hours that wait for their rollup
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
        queues = pulse.queues(connection)
        reached = analysis.progress(connection, "analysis")
        aside = analysis.aside(connection)
    commands = {"ingest": "ingest", "worker": "worker", "web": "serve"}
    for service, command in commands.items():
        age = beats.get(service)
        ok = age is not None and age < pulse.LATE
        seen = "not running" if age is None else f"last heard {age.total_seconds():.0f} s ago"
        yield Line(
            service, ok, seen, f"Start `hearthline {command}`, or everything: `hearthline up`."
        )
    yield from _queues(queues)
    seen = f"judged up to {reached:%Y-%m-%d %H:%M} UTC" if reached else "no data yet"
    for row in aside[:1]:
        seen += f"; fails in {len(aside)} districts, the first {row['code']}: {row['reason']}"
    yield Line(
        "analysis",
        not aside,
        seen,
        "The others are judged, and these are tried again; the worker's log has the whole error.",
    )
    dead = int(counts["dead_letters"])
    yield Line("readings", True, f"{counts['stored']:,} stored, {dead:,} dead letters")


def _queues(queues: Mapping[str, Any]) -> Iterator[Line]:
    """What waits for the worker and for people."""
    hours, strangers = int(queues["hours_waiting"]), int(queues["strangers"])
    yield Line(
        "rollups",
        hours < FAR_BEHIND,
        f"{hours:,} hours wait",
        "The worker is behind or not running; see its log.",
    )
    said = f"{strangers:,} unknown devices wait to be adopted" if strangers else "none wait"
    yield Line("strangers", True, said)
    dead = int(queues["dead_letters_of_a_day"])
    yield Line("dead letters", True, f"{dead:,} different ones in the last 24 hours")


def _broker(settings: Settings) -> Iterator[Line]:
    """The broker as ingest sees it: the way in, and what its rules let us hear."""
    from ingest.broker import Broker
    from ingest.formats import registry
    from ingest.inspection import inspect

    try:
        broker = Broker.of(settings)
        # Never as a member of a shared subscription: it would swallow messages.
        filters = settings.mqtt_topics or registry().filters
        found = inspect(broker, filters)
    except HearthlineError as error:
        yield Line("broker", False, error.sentence, error.remedy)
        return
    if found.trouble is not None:
        yield Line("broker", False, f"{broker}: {found.trouble}", _remedy(found.trouble))
        return
    verified = ", name and certificate verified" if broker.tls else ""
    yield Line("broker", True, f"MQTT 5 at {broker}{verified}")
    may = found.heard and not found.refused
    hears = f"ingest may hear all {len(filters)} topic filters"
    lacks = f"ingest may not hear {', '.join(found.refused) or 'what it publishes itself'}"
    yield Line(
        "broker rules",
        may,
        hears if may else lacks,
        "Give the account the rules of `hearthline` in deploy/mosquitto/acl.conf.",
    )


def _remedy(trouble: str) -> str:
    if "certificate" in trouble or "TLS" in trouble:
        return "Check HEARTHLINE_MQTT_URL and HEARTHLINE_MQTT_CA, _CERT, _KEY."
    if "refuses" in trouble:
        return "Check the user and password in HEARTHLINE_MQTT_URL."
    return "Start it: `python3 deploy/stack up`, or correct HEARTHLINE_MQTT_URL."


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
