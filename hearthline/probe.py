"""The small HTTP side of a service without pages: ``/metrics``, ``/healthz`` and ``/readyz``.

``/healthz`` says whether the process works at all (restart it where not); ``/readyz`` whether the
parts that it needs are there (wait where not), and which is away since when. It reads and changes
nothing, knows no secrets, and listens on loopback unless told otherwise. A slow or silent caller
costs a thread for ten seconds and nothing more.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, cast
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import CollectorRegistry, make_wsgi_app

from hearthline.clock import Clock, system_clock
from hearthline.errors import SettingsError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = structlog.get_logger("probe")

CALLER_S = 10
LOOK_S = 1.0

Parts = Callable[[], Mapping[str, bool]]
"""Asks which parts are there: a name and whether it answers."""


@dataclass
class Readiness:
    """Which parts are away, and since when somebody noticed."""

    parts: Parts
    clock: Clock = system_clock
    _away: dict[str, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self) -> Mapping[str, datetime]:
        """Look at every part; those that are away, with the instant since when."""
        there, now = self.parts(), self.clock()
        with self._lock:
            self._away = {
                name: self._away.get(name, now) for name, answers in there.items() if not answers
            }
            return dict(self._away)


class _Handler(WSGIRequestHandler):
    timeout = CALLER_S

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a scraper comes every few seconds."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers that leave in the middle are not worth a line."""


def application(
    registry: CollectorRegistry, alive: Callable[[], bool], readiness: Readiness
) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """The WSGI application with its three paths."""
    metrics = make_wsgi_app(registry)

    def health() -> tuple[bool, Mapping[str, Any]]:
        well = alive()
        return well, {"status": "alive" if well else "a thread has ended"}

    def ready() -> tuple[bool, Mapping[str, Any]]:
        away = readiness.look()
        told = [{"part": name, "since": since.isoformat()} for name, since in away.items()]
        return not away, {"status": "waiting" if away else "ready", "away": told}

    answers = {"/healthz": health, "/readyz": ready}

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            return cast(Iterable[bytes], metrics(environ, start))
        answer = answers.get(path)
        if answer is None:
            status, body = "404 Not Found", {"paths": ["/metrics", *answers]}
        else:
            well, told = answer()
            status, body = ("200 OK" if well else "503 Service Unavailable"), dict(told)
        content = json.dumps(body).encode() + b"\n"
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
        start(status, headers)
        return [content]

    return app


@contextmanager
def serving(
    host: str,
    port: int,
    registry: CollectorRegistry,
    *,
    alive: Callable[[], bool],
    parts: Parts,
) -> Iterator[int]:
    """Serve while the block runs; yields the port, which with 0 the system has chosen.

    Raises:
        SettingsError: the port cannot be had.
    """
    readiness = Readiness(parts)
    app = application(registry, alive, readiness)
    try:
        server = make_server(host, port, app, server_class=_Server, handler_class=_Handler)
    except (OSError, OverflowError) as error:
        raise SettingsError(
            f"The metrics cannot be served at {host}:{port}: {error}.", "Choose another port."
        ) from None
    ending = threading.Event()
    threads = (
        threading.Thread(target=server.serve_forever, name="probe", daemon=True),
        threading.Thread(target=_watch, args=(readiness, ending), name="probe-look", daemon=True),
    )
    for thread in threads:
        thread.start()
    log.info("metrics and probes", address=f"http://{host}:{server.server_port}")
    try:
        yield server.server_port
    finally:
        ending.set()
        server.shutdown()
        server.server_close()


def _watch(readiness: Readiness, ending: threading.Event) -> None:
    """Look every second, so that "since when" is known however seldom somebody asks."""
    while not ending.wait(LOOK_S):
        readiness.look()
