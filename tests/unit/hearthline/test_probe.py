"""The small HTTP side of services: metrics, alive, ready."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client import CollectorRegistry, Gauge

from hearthline import probe
from hearthline.errors import SettingsError

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)


def ask(port: int, path: str) -> tuple[int, dict[str, object]]:
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        return error.code, json.loads(error.read())


def test_ready_only_while_every_part_is_there() -> None:
    """And otherwise which is away, since when."""
    there = {"broker": False, "database": True}
    with probe.serving(
        "127.0.0.1", 0, CollectorRegistry(), alive=lambda: True, parts=lambda: there
    ) as port:
        code, told = ask(port, "/readyz")
        assert (code, told["status"]) == (503, "waiting")
        (away,) = told["away"]  # type: ignore[misc]
        assert away["part"] == "broker"
        assert datetime.fromisoformat(away["since"]).tzinfo is not None
        there["broker"] = True
        assert ask(port, "/readyz") == (200, {"status": "ready", "away": []})


def test_alive_only_while_the_threads_run() -> None:
    """Whatever is away."""
    alive = [True]
    with probe.serving(
        "127.0.0.1", 0, CollectorRegistry(), alive=lambda: alive[0], parts=lambda: {"x": False}
    ) as port:
        assert ask(port, "/healthz") == (200, {"status": "alive"})
        alive[0] = False
        assert ask(port, "/healthz")[0] == 503


def test_metrics_are_served_and_other_paths_are_not() -> None:
    """Also while nobody is ready; a silent caller keeps nobody else waiting."""
    registry = CollectorRegistry()
    Gauge("one", "text", registry=registry).set(7)
    with (
        probe.serving("127.0.0.1", 0, registry, alive=lambda: True, parts=dict) as port,
        socket.create_connection(("127.0.0.1", port)),
    ):
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            assert b"one 7.0" in answer.read()
        code, told = ask(port, "/console")
        assert (code, told) == (404, {"paths": ["/metrics", "/healthz", "/readyz"]})


def test_a_port_that_is_taken_is_a_sentence() -> None:
    """Code 2, like any other wrong setting."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(SettingsError, match=f"cannot be served at 127.0.0.1:{port}"),
            probe.serving("127.0.0.1", port, CollectorRegistry(), alive=lambda: True, parts=dict),
        ):
            raise AssertionError("it serves")


def test_since_when_is_when_it_was_first_seen_away() -> None:
    """And begins anew after it was there."""
    at, there = [NOW], {"database": False}
    readiness = probe.Readiness(lambda: there, clock=lambda: at[0])
    assert readiness.look() == {"database": NOW}
    at[0] += timedelta(minutes=5)
    assert readiness.look() == {"database": NOW}
    there["database"] = True
    assert readiness.look() == {}
    there["database"] = False
    assert readiness.look() == {"database": NOW + timedelta(minutes=5)}
