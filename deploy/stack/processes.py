"""Finds and ends the stack's own processes.

A process is known by its command line, which carries the instance's path, never by a pid file
alone: numbers are reused, files go stale. Zombies count as gone, since in a container nobody may
ever reap them.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
KERNEL = 2  # the parent of the kernel's threads, which never have words
LOOKS, LOOK_S = 10, 0.005
LISTENING = "0A"  # TCP_LISTEN in the kernel's tables (include/net/tcp_states.h)
POLL_S = 0.05


@dataclass(frozen=True)
class Process:
    """A living process: number, parent, and its command line as one string."""

    pid: int
    parent: int
    command: str


def living() -> Iterator[Process]:
    """Every process this machine shows us, zombies left out."""
    if (PROC / "self" / "stat").exists():
        numbers = (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())
        return (process for pid in numbers if (process := _from_proc(pid)))
    listing = subprocess.run(
        ["ps", "-axo", "pid=,ppid=,stat=,command="], capture_output=True, text=True, check=True
    )
    return (process for line in listing.stdout.splitlines() if (process := parse_ps_line(line)))


def _from_proc(pid: int) -> Process | None:
    try:
        stat = (PROC / str(pid) / "stat").read_text(errors="replace")
        # The name in brackets may itself contain blanks and brackets: read on from the last one.
        state, parent = stat.rpartition(")")[2].split()[:2]
        if state in "ZX":
            return None
        command = _command(PROC / str(pid) / "cmdline", kernel=KERNEL in (pid, int(parent)))
    except OSError:
        return None
    words = command.rstrip(b"\0").replace(b"\0", b" ")
    return Process(pid, int(parent), words.decode("utf-8", "replace"))


def _command(path: Path, *, kernel: bool) -> bytes:
    """A process's words; while it turns into another program it has none for a moment."""
    for _ in range(LOOKS):
        command = path.read_bytes()
        if command or kernel:
            break
        time.sleep(LOOK_S)
    return command


def parse_ps_line(line: str) -> Process | None:
    """One line of `ps -axo pid=,ppid=,stat=,command=`."""
    pid, parent, state, *command = line.split(None, 3)
    if state.startswith("Z"):
        return None
    return Process(int(pid), int(parent), command[0] if command else "")


def find(matches: Callable[[str], bool]) -> Process | None:
    """The process whose command line matches, if it lives."""
    return next((process for process in living() if matches(process.command)), None)


def children(pid: int) -> list[int]:
    """The direct children of a process."""
    return [process.pid for process in living() if process.parent == pid]


def working_in(folder: Path) -> list[int]:
    """Processes whose working directory is this folder; needs /proc, else empty."""
    place = str(folder.resolve())
    return [
        process.pid
        for process in living()
        if _link(PROC / str(process.pid) / "cwd").removesuffix(" (deleted)") == place
    ]


def concerned_with(folder: Path) -> list[int]:
    """Processes that have this folder in their command line, or work or live below it."""
    place = str(folder)
    return [
        process.pid
        for process in living()
        if process.pid != os.getpid()
        and (
            place in process.command
            or _link(PROC / str(process.pid) / "cwd").startswith(place)
            or _link(PROC / str(process.pid) / "root").startswith(place)
        )
    ]


def _link(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def listening(pid: int) -> set[int] | None:
    """The TCP ports on which a process listens; None where the machine does not tell."""
    try:
        links = {_link(entry) for entry in (PROC / str(pid) / "fd").iterdir()}
        tables = [PROC / "net" / name for name in ("tcp", "tcp6")]
        lines = [line for one in tables if one.exists() for line in one.read_text().splitlines()]
    except OSError:
        return None
    if not lines:
        return None
    fields = [line.split() for line in lines]
    return {
        int(one[1].rpartition(":")[2], 16)
        for one in fields
        if one[3] == LISTENING and f"socket:[{one[9]}]" in links
    }


def serves(process: Process, port: int, configured: int | None) -> bool:
    """Whether it is this process that listens on a port; else a stranger may answer there.

    Where the machine does not tell, the port with which it was started must do.
    """
    found = listening(process.pid)
    return port == configured if found is None else port in found


def is_taken(pid: int) -> bool:
    """Whether the number is in use, be it by a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process that may have gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def until(condition: Callable[[], bool], timeout_s: float, poll_s: float = POLL_S) -> bool:
    """Poll a condition until it holds; False where it did not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(poll_s)
    return True


def kill(pids: Iterable[int], timeout_s: float = 10.0) -> None:
    """SIGKILL processes and wait until they are gone."""
    doomed = set(pids)
    for pid in doomed:
        send(pid, signal.SIGKILL)
    until(lambda: not doomed & {process.pid for process in living()}, timeout_s)


def terminate(pid: int, timeout_s: float = 15.0) -> None:
    """Ask a process to end; kill it where it does not in time."""
    send(pid, signal.SIGTERM)
    if not until(lambda: all(process.pid != pid for process in living()), timeout_s):
        kill([pid])
