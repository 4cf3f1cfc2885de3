"""Run the web application until told to stop, also while pages hold event streams open.

Signals belong to the command line: it sets ``stop``. A port that is taken is not an error: the
next free one is used and said.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import structlog
import uvicorn

from api.app import create_app
from api.live import Live
from hearthline.clock import Clock, system_clock
from hearthline.errors import PartAway
from hearthline.settings import Settings

log = structlog.get_logger("web")

TRIES = 50  # ports looked at beyond the wanted one
GRACE_S = 5  # for requests under way when told to stop
LOOK_S = 0.2
BACKLOG = 512


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers, that ends event streams before it waits for them."""

    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self._live = live

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._live.close()
        await super().shutdown(sockets)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket at the wanted port, or the next free one; any free one for port 0.

    Raises:
        PartAway: none is free, or the host is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    last = port if port == 0 else min(port + TRIES, 65_535)
    reason = ""
    for candidate in range(port, last + 1):
        taken = socket.socket(family, socket.SOCK_STREAM)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((host, candidate))
            taken.listen(BACKLOG)
        except OSError as error:
            taken.close()
            reason = error.strerror or str(error)
            continue
        return taken
    raise PartAway(
        f"No port from {port} to {last} can be used on {host} ({reason}).",
        "Set HEARTHLINE_PORT or HEARTHLINE_HOST.",
    )


def address_of(bound: socket.socket) -> str:
    """The address to type into a browser."""
    host, port = bound.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - it is looked at, not bound to
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(
    settings: Settings,
    stop: Event,
    *,
    announce: Callable[[str], None] | None = None,
    clock: Clock = system_clock,
) -> str:
    """Serve until ``stop`` is set; returns the address that was served.

    ``announce`` is called with the address once requests are answered; by default it is logged.

    Raises:
        SettingsError: no database is configured.
        PartAway: no port can be had.
    """
    app = create_app(settings, clock=clock)
    bound = bind(settings.host, settings.port)
    address = address_of(bound)
    if settings.port and bound.getsockname()[1] != settings.port:
        log.warning("port is taken, using another", wanted=settings.port, address=address)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
        server_header=False,
        lifespan="on",
    )
    server = _Server(config, app.state.parts.live)
    watcher = Thread(
        target=_watch, args=(server, stop, announce or _say, address), name="web-stop", daemon=True
    )
    watcher.start()
    try:
        server.run(sockets=[bound])
    finally:
        server.should_exit = True
        bound.close()
    watcher.join(LOOK_S * 5)
    return address


def _watch(
    server: uvicorn.Server, stop: Event, announce: Callable[[str], None], address: str
) -> None:
    while not server.started and not server.should_exit and not stop.is_set():
        stop.wait(0.02)
    if server.started:
        announce(address)
    while not stop.wait(LOOK_S):
        if server.should_exit:
            return
    server.should_exit = True


def _say(address: str) -> None:
    log.info("serving", console=f"{address}/console", api=f"{address}/api/v1")
