"""Ingest as processes of its own: side by side on a shared subscription, and for long."""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

from hearthline import telemetry
from hearthline.settings import Settings
from hearthline.storage import deliveries
from hearthline.storage.database import Connection, connect
from ingest.bench import load

SHARED_PART = (0.2, 0.9)
"""Speed is taken over this part of the backlog, when all processes work."""

SOAK_WARM = 0.25
"""Memory is compared from here on: by then the caches are full."""


def _serve(settings: Settings, ready: threading.Event) -> None:
    """Run ingest until SIGTERM."""
    from ingest.service import Service

    telemetry.configure(settings.log_format, "warning")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    service = Service(settings)

    def tell() -> None:
        while not service.health.ready and not stop.wait(0.01):
            pass
        ready.set()

    threading.Thread(target=tell, daemon=True).start()
    service.run(stop)


@contextmanager
def _running(members: Sequence[Settings]) -> Iterator[list[BaseProcess]]:
    context = multiprocessing.get_context("spawn")
    ready = [context.Event() for _ in members]
    started = [
        context.Process(target=_serve, args=pair) for pair in zip(members, ready, strict=True)
    ]
    for process in started:
        process.start()
    try:
        for event in ready:
            event.wait(load.PATIENCE_S)
        yield list(started)
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.join(30)


def shared(settings: Settings, publish_url: str, messages: int) -> dict[str, float]:
    """Messages per second of one process and of two, each on a shared subscription."""
    found = {}
    for number, (name, count) in enumerate(
        (("one_process_per_s", 1), ("two_processes_per_s", 2)), start=1
    ):
        members = [_member(settings, number, n) for n in range(count)]
        began = datetime.now(UTC) - timedelta(days=60 + 20 * number)
        found[name] = _drain(members, publish_url, settings, began, messages)
        for member in members:
            load.forget(settings.require_mqtt(), member.mqtt_client_id)
    found["shared_speedup"] = found["two_processes_per_s"] / found["one_process_per_s"]
    return found


def _member(settings: Settings, run: int, number: int) -> Settings:
    return settings.model_copy(
        update={
            "mqtt_client_id": f"{settings.mqtt_client_id}-{run}-{number}",
            "mqtt_share": f"bench-{run}",
        }
    )


def _drain(
    members: Sequence[Settings],
    publish_url: str,
    settings: Settings,
    began: datetime,
    messages: int,
) -> float:
    with _running(members):
        pass  # from here on the broker keeps what is published for each session
    site = settings.mqtt_topics[0].split("/")[2]
    load.publish(publish_url, load.payloads(site, began, messages, 1))
    low, high = (round(part * messages) for part in SHARED_PART)
    marks: dict[int, tuple[float, int]] = {}
    with connect(settings.require_database(), autocommit=True) as connection, _running(members):

        def passed(mark: int) -> bool:
            now = _stored(connection, members)
            if now >= mark:
                marks[mark] = (time.perf_counter(), now)
            return now >= mark

        for mark in (low, high, messages):
            load.wait(lambda: passed(mark), "the backlog is stored", 0.02)  # noqa: B023
    (since, before), (until, after) = marks[low], marks[high]
    return (after - before) / (until - since)


def _stored(connection: Connection, members: Sequence[Settings]) -> int:
    tallies = (deliveries.tally(connection, member.mqtt_client_id) for member in members)
    return sum(tally["stored"] for tally in tallies if tally)


def soak(settings: Settings, publish_url: str, messages: int) -> dict[str, float]:
    """Memory of one process over many messages: at the end, and how much it grew when warm, MB."""
    site = settings.mqtt_topics[0].split("/")[2]
    ours = settings.model_copy(update={"mqtt_client_id": f"{settings.mqtt_client_id}-soak"})
    began = datetime.now(UTC) - timedelta(days=200)
    with (
        connect(settings.require_database(), autocommit=True) as connection,
        _running([ours]) as (process,),
    ):
        publishing = load.in_background(load.publish_on, publish_url, site, began, messages)
        load.wait(lambda: _stored(connection, [ours]) >= SOAK_WARM * messages, "it is warm", 0.2)
        warm = _resident_mb(process)
        load.wait(lambda: _stored(connection, [ours]) >= messages, "all is stored", 0.2)
        end = _resident_mb(process)
        publishing.join()
    load.forget(settings.require_mqtt(), ours.mqtt_client_id)
    return {"soak_messages": float(messages), "memory_mb": end, "memory_growth_mb": end - warm}


def _resident_mb(process: BaseProcess) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
