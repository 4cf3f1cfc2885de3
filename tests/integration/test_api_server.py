"""The web service as a process would run it: its port, its stop, its health."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import httpx
import pytest
from structlog.testing import capture_logs

from api.server import address_of, bind, run
from hearthline.errors import PartAway
from hearthline.settings import Settings
from hearthline.storage import accounts
from hearthline.storage.database import Connection

PASSWORD = "minus-thirty"


@contextmanager
def running(settings: Settings) -> Iterator[str]:
    """The service in a thread; stopped at the end, which may take no longer than its grace."""
    told: list[str] = []
    announced, stop = Event(), Event()

    def announce(address: str) -> None:
        told.append(address)
        announced.set()

    thread = Thread(target=run, args=(settings, stop), kwargs={"announce": announce})
    thread.start()
    try:
        assert announced.wait(20), "the service does not start"
        yield told[0]
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive(), "the service does not stop"


@pytest.fixture
def free(settings: Settings) -> Settings:
    """Settings that let the system choose the port."""
    return settings.model_copy(update={"port": 0})


def signed_in(address: str) -> httpx.Client:
    """A browser that is signed in."""
    client = httpx.Client(base_url=address, follow_redirects=True)
    form = client.get("/console/login").text
    csrf = form.split('name="csrf" value="')[1].split('"')[0]
    fields = {"login": "ann", "password": PASSWORD, "csrf": csrf, "next": "/console"}
    assert client.post("/console/login", data=fields).status_code == 200
    return client


def test_a_taken_port_is_passed_over_and_the_address_said(settings: Settings) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        wanted = settings.model_copy(update={"port": taken})
        with capture_logs() as logs, running(wanted) as address:
            assert httpx.get(f"{address}/healthz").json() == {"ok": True}
    assert int(address.rsplit(":", 1)[1]) != taken
    assert any(line.get("wanted") == taken and line.get("address") == address for line in logs)


def test_a_host_that_is_not_ours_is_told_in_a_sentence() -> None:
    with pytest.raises(PartAway, match=r"No port .* 192\.0\.2\.1"):
        bind("192.0.2.1", 0)


def test_an_address_that_listens_everywhere_is_said_as_one_to_type() -> None:
    with bind("0.0.0.0", 0) as bound:  # noqa: S104
        assert address_of(bound) == f"http://127.0.0.1:{bound.getsockname()[1]}"


def test_it_stops_at_once_although_pages_hold_event_streams(
    free: Settings, connection: Connection
) -> None:
    accounts.add_user(connection, "ann", "Ann", "operator", PASSWORD, "en")
    with running(free) as address:
        client = signed_in(address)
        with client.stream("GET", "/console/live") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = stream.iter_lines()
            assert next(lines) == "event: tick"
            began = time.monotonic()
    assert time.monotonic() - began < 4


def test_a_notification_reaches_an_open_stream_within_a_second(
    free: Settings, connection: Connection
) -> None:
    accounts.add_user(connection, "ann", "Ann", "operator", PASSWORD, "en")
    with running(free) as address, signed_in(address).stream("GET", "/console/live") as stream:
        lines = stream.iter_lines()
        while "251204-0042" not in next(lines):
            connection.execute("SELECT pg_notify('hearthline_ticket', '251204-0042')")
            time.sleep(0.05)


def test_readyz_says_why_while_the_database_is_away(free: Settings) -> None:
    away = free.model_copy(update={"database_url": "postgresql://nobody:x@127.0.0.1:9/none"})
    with running(away) as address:
        assert httpx.get(f"{address}/healthz").status_code == 200
        ready = httpx.get(f"{address}/readyz")
        assert ready.status_code == 503
        assert ready.json() == {"ready": False, "reason": "The database does not answer."}
        assert ready.headers["retry-after"] == "5"


def test_readyz_is_true_with_the_database(free: Settings) -> None:
    with running(free) as address:
        assert httpx.get(f"{address}/readyz").json() == {"ready": True, "reason": ""}
