"""Places for processes that do one job side by side: each takes the lowest that is free.

A place is an advisory lock, so it is free again the moment its process or machine is gone, on
whatever machine the next one starts. What hangs on its number (an MQTT session, above all) is
thereby taken up again by the next process instead of being stranded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from zlib import crc32

import structlog

from hearthline.errors import HearthlineError
from hearthline.storage.database import Away, Connection, connect
from hearthline.storage.queries import family

MOST = 64
LOOK_S = 2.0

log = structlog.get_logger("slots")


def take(connection: Connection, job: str) -> int:
    """The lowest free place of a job, from 1; held as long as the connection lives.

    Raises:
        HearthlineError: all are taken.
    """
    for number in range(1, MOST + 1):
        if claim(connection, job, number):
            return number
    raise HearthlineError(
        f"All {MOST} places of {job} are taken.", "Stop processes that are no longer needed."
    )


def claim(connection: Connection, job: str, number: int) -> bool:
    """Take one certain place; False where another process has it."""
    values = {"job": crc32(job.encode()) - 2**31, "number": number}
    row = connection.execute(family("slots")["take"], values).fetchone()
    return bool(row and row["mine"])


@contextmanager
def held(url: str, job: str, lost: Callable[[], None]) -> Iterator[int]:
    """Hold a place while the block runs; yields its number.

    While the database is away nobody can take the place. Should another process have it when the
    database is back, ``lost`` is called once: this process must then end.

    Raises:
        HearthlineError: all places are taken.
    """
    connection = connect(url, autocommit=True)
    keeper = _Keeper(url, job, take(connection, job), connection, lost)
    thread = threading.Thread(target=keeper.run, name="slot", daemon=True)
    thread.start()
    try:
        yield keeper.number
    finally:
        keeper.ending.set()
        thread.join()


@dataclass(slots=True)
class _Keeper:
    """Sees that the place is still ours; claims it again where the connection was lost."""

    url: str
    job: str
    number: int
    connection: Connection
    lost: Callable[[], None]
    ending: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.ending.wait(LOOK_S):
            try:
                if not self._still_ours():
                    log.error("another process has taken this place", job=self.job, n=self.number)
                    self.lost()
                    break
            except Away:
                continue
        with suppress(*Away):
            self.connection.close()

    def _still_ours(self) -> bool:
        if not self.connection.closed:
            with suppress(*Away):
                self.connection.execute(family("slots")["look"])
                return True
            self.connection.close()
        self.connection = connect(self.url, autocommit=True, timeout_s=5)
        return claim(self.connection, self.job, self.number)
