"""A tree of service processes: started together, restarted when one dies, stopped together.

Children run in their own session, so that Ctrl-C reaches only the parent and it decides the
order; on Linux the kernel ends them should the parent be killed. Their logs go to files.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

PR_SET_PDEATHSIG = 1
PARENT = "HEARTHLINE_PARENT"  # the tree's process id, in the environment of its children
PATIENCE = timedelta(seconds=25)  # for a service to finish what it holds


@dataclass
class Service:
    """One child: what it is called and how it is started."""

    name: str
    arguments: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    _started: float = field(default=0.0, repr=False)


class Tree:
    """The services of one installation."""

    def __init__(self, names: Sequence[str], environment: Mapping[str, str], logs: Path) -> None:
        self._environment = {**os.environ, **environment, PARENT: str(os.getpid())}
        self._logs = logs
        self.services = [
            Service(name, (sys.executable, "-m", "hearthline", name)) for name in names
        ]

    def start(self) -> None:
        """Start every service."""
        self._logs.mkdir(parents=True, exist_ok=True)
        for service in self.services:
            self._start(service)

    def log(self, name: str) -> Path:
        """Where a service's log is."""
        return self._logs / f"{name}.log"

    def revive(self, died: Callable[[str, int], None]) -> None:
        """Start again whatever has ended, telling ``died(name, exit code)``; backs off to 10 s."""
        for service in self.services:
            if service.process is None or service.process.poll() is None:
                continue
            if time.monotonic() - service._started < min(10, service.restarts):
                continue
            died(service.name, service.process.returncode)
            service.restarts += 1
            self._start(service)

    def stop(self) -> list[str]:
        """Stop every service, politely first; returns those that had to be killed."""
        alive = [s for s in self.services if s.process is not None and s.process.poll() is None]
        for service in alive:
            _process(service).send_signal(signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE.total_seconds()
        killed = []
        for service in alive:
            try:
                _process(service).wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _process(service).kill()
                _process(service).wait()
                killed.append(service.name)
        return killed

    def _start(self, service: Service) -> None:
        with self.log(service.name).open("ab") as log:
            service.process = subprocess.Popen(
                service.arguments,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        service._started = time.monotonic()


def _process(service: Service) -> subprocess.Popen[bytes]:
    if service.process is None:
        raise RuntimeError(f"{service.name} was never started")
    return service.process


def die_with_parent() -> None:
    """For a child: have the kernel send SIGTERM when the parent of the tree is gone."""
    parent = os.environ.get(PARENT)
    if parent is None or sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):  # it died before we asked
        os.kill(os.getpid(), signal.SIGTERM)
