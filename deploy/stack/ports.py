"""Which loopback port a part gets.

A port that was given once is kept, since running services hold its address: only a port that
somebody else *listens* on is given up. A port that is merely busy (an outgoing connection may
have drawn it as its own) frees itself and is waited for.
"""

import socket
import time
from collections.abc import Callable, Iterator

from stack.errors import StackError
from stack.model import Part

LOOPBACK = "127.0.0.1"
PREFERRED = {Part.DATABASE: 54329, Part.BROKER: 18839}
TRIES = 200
BUSY_WAIT_S = 5.0


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Without it a port whose last connections are in TIME_WAIT looks taken after a restart.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def is_listened_on(port: int) -> bool:
    """Whether somebody answers on this loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((LOOPBACK, port)) == 0


def candidates(preferred: int, previous: int | None) -> Iterator[int]:
    """Ports in the order they are tried: the one kept, the preferred one, those after it."""
    if previous is not None:
        yield previous
    yield from (port for port in range(preferred, preferred + TRIES) if port != previous)


def choose(
    part: Part,
    previous: int | None,
    *,
    free: Callable[[int], bool] = is_free,
    listened_on: Callable[[int], bool] = is_listened_on,
    wait: Callable[[float], None] = time.sleep,
) -> int:
    """The port for a part: the previous one where possible, else the first free one."""
    preferred = PREFERRED[part]
    if previous is not None:
        waited_s = 0.0
        while not free(previous) and not listened_on(previous) and waited_s < BUSY_WAIT_S:
            wait(0.1)
            waited_s += 0.1
    for port in candidates(preferred, previous):
        if free(port):
            return port
    raise StackError(
        f"No free port for the {part}: {preferred} to {preferred + TRIES - 1} are all taken.",
        "Stop what is using them and run the command again.",
    )
