"""Running services for integration tests: ingest in a thread of the test or as a process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hearthline.settings import Settings
from ingest.service import Service

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 60.0


def wait_until(condition: Callable[[], object], what: str, within_s: float = WITHIN_S) -> None:
    """Wait for something that other processes do; fails with ``what`` was awaited."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {within_s:g} s in vain until {what}"
        time.sleep(0.02)


@contextmanager
def running_ingest(
    settings: Settings, prepare: Callable[[Service], None] | None = None
) -> Iterator[Service]:
    """Ingest in a thread of this process; stopped as SIGTERM would stop it."""
    service = Service(settings)
    if prepare is not None:
        prepare(service)
    stop = threading.Event()
    thread = threading.Thread(target=service.run, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: service.health.ready, "ingest is ready")
        yield service
    finally:
        stop.set()
        thread.join(WITHIN_S)
        assert not thread.is_alive(), "ingest does not stop"


class IngestProcess:
    """``hearthline ingest`` with given settings, to be killed and started again."""

    COMMAND = "ingest"

    def __init__(self, settings: Settings, log: Path, **environment: str) -> None:
        self._log = log
        self._environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith("HEARTHLINE")
            },
            "HEARTHLINE_DATABASE_URL": settings.database_url or "",
            "HEARTHLINE_MQTT_URL": settings.mqtt_url or "",
            "HEARTHLINE_MQTT_CLIENT_ID": settings.mqtt_client_id,
            "HEARTHLINE_MQTT_TOPICS": str(list(settings.mqtt_topics)).replace("'", '"'),
            "HEARTHLINE_INGEST_INFLIGHT": str(settings.ingest_inflight),
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; does not wait until it is ready."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hearthline", self.COMMAND],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def terminate(self) -> int:
        """SIGTERM; its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(WITHIN_S)

    def wait(self) -> int:
        """Wait until it ends by itself; its exit code."""
        assert self._process is not None
        return self._process.wait(WITHIN_S)

    def ignores(self, number: signal.Signals) -> bool:
        """Whether the kernel drops this signal instead of ending the process."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        mask = int(re.search(r"^SigIgn:\s*(\w+)$", status, re.MULTILINE).group(1), 16)  # type: ignore[union-attr]
        return bool(mask >> (number - 1) & 1)

    @property
    def said(self) -> str:
        """All that it logged."""
        return self._log.read_text(encoding="utf-8")


class WorkerProcess(IngestProcess):
    """``hearthline worker``, likewise."""

    COMMAND = "worker"


@pytest.fixture
def ingest_process(settings: Settings, tmp_path: Path) -> Iterator[IngestProcess]:
    """An ingest process, not yet started; killed at the end."""
    process = IngestProcess(settings, tmp_path / "ingest.log")
    yield process
    process.kill()
