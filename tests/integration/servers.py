"""A database and a broker of a test's own: to be stopped, killed and started again.

They are the development stack's, brought up in a checkout of their own, as in production on one
machine: same programs, same settings, nothing shared with other tests.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tests.conftest import Stack
from tests.integration.conftest import wait_until

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
Part = Literal["database", "broker"]
UP_WITHIN_S = 300.0


@dataclass(frozen=True)
class Servers:
    """Both servers of one checkout."""

    checkout: Path

    def _told(self, *words: str) -> dict[str, Any]:
        clean = {name: value for name, value in os.environ.items() if "HEARTHLINE_" not in name}
        done = subprocess.run(
            [sys.executable, str(self.checkout / "deploy/stack"), *words, "--json"],
            capture_output=True,
            text=True,
            env=clean,
            timeout=UP_WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def up(self) -> Stack:
        """Bring both up; their addresses stay the same from then on."""
        told = self._told("up")
        return Stack(told["database_url"], told["mqtt_url"], told["simulator_mqtt_url"])

    def stop(self, part: Part) -> None:
        """Stop one in order: PostgreSQL's fast shutdown, mosquitto's SIGTERM."""
        self._told("stop", part)

    def kill(self, part: Part) -> None:
        """End one as a power cut would."""
        self._told("kill", part)

    def start(self, part: Part) -> None:
        """Start one again, and wait until it lets clients in."""
        self._told("start", part)

    def save_broker(self) -> None:
        """Have the broker write its sessions and queues to disk, as it does every 30 s."""
        pid, configuration = self._broker()
        store = Path(f"/proc/{pid}/root{configuration}").with_name("mosquitto.db")
        before = store.stat().st_mtime_ns if store.exists() else 0
        os.kill(pid, signal.SIGUSR1)
        wait_until(lambda: store.exists() and store.stat().st_mtime_ns > before, "it has saved")

    @property
    def instance(self) -> str:
        """The name of this checkout's home folder; it stands in every server's command line."""
        kept = (self.checkout / ".hearthline/stack.json").read_text(encoding="utf-8")
        return str(json.loads(kept)["instance"])

    def _broker(self) -> tuple[int, str]:
        """The broker's process and its file of settings, as it sees it."""
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                words = entry.read_bytes().decode(errors="replace").rstrip("\0").split("\0")
                if self.instance in words[-1] and words[-1].endswith("/broker/mosquitto.conf"):
                    return int(entry.parent.name), words[-1]
        raise AssertionError("the broker does not run")


@contextmanager
def own_servers(checkout: Path) -> Iterator[Servers]:
    """Both servers, running; gone with their data at the end."""
    shutil.copytree(DEPLOY, checkout / "deploy")
    servers = Servers(checkout)
    try:
        servers.up()
        yield servers
    finally:
        servers._told("stop", "--delete-data")
