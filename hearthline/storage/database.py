"""A pool of connections and the two ways to use one: a transaction, or a wait for the server.

Connections speak UTC, return dict rows and are checked when taken, so that a database restart
costs one retry and not an error on somebody's screen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import psycopg
import structlog
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from hearthline.errors import PartAway

Connection = psycopg.Connection[DictRow]
Row = dict[str, Any]

Away = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
"""What psycopg raises when the server is gone rather than the statement wrong."""

NoSchema = psycopg.errors.UndefinedTable
"""What it raises when nobody has migrated yet."""

NETWORK: dict[str, Any] = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""A line that falls silent is given up within half a minute, not after the system's hours."""

log = structlog.get_logger("storage")


def connect(url: str, *, autocommit: bool = False, timeout_s: int = 10) -> Connection:
    """One connection outside the pool, for migrations and LISTEN."""
    return psycopg.connect(
        url,
        autocommit=autocommit,
        row_factory=dict_row,
        connect_timeout=timeout_s,
        options="-c timezone=UTC",
        **NETWORK,
    )


class Database:
    """A pool that opens lazily and can be used as a context manager."""

    def __init__(self, url: str, *, min_size: int = 1, max_size: int = 8) -> None:
        self.url = url
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            connection_class=psycopg.Connection[DictRow],
            min_size=min_size,
            max_size=max_size,
            timeout=10,
            kwargs={
                "row_factory": dict_row,
                "options": "-c timezone=UTC",
                "connect_timeout": 5,
                **NETWORK,
            },
            check=ConnectionPool.check_connection,
            open=False,
        )

    def __enter__(self) -> Self:
        self._pool.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.close()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection whose work commits at the end of the block, or not at all.

        Raises:
            PartAway: no connection could be had within ten seconds.
        """
        try:
            manager = self._pool.connection()
            connection = manager.__enter__()
        except Away as error:
            raise PartAway(
                "The database does not answer.", "Run `hearthline doctor` to see why."
            ) from error
        try:
            yield connection
        except BaseException as error:
            if not manager.__exit__(type(error), error, error.__traceback__):
                raise
        else:
            manager.__exit__(None, None, None)

    def ping(self) -> bool:
        """Whether the server answers now."""
        try:
            with connect(self.url, timeout_s=3) as connection:
                connection.execute("SELECT 1")
        except Away:
            return False
        return True


def wait_until_up(
    url: str,
    *,
    patience: timedelta | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> bool:
    """Wait for the server, saying so once; False if told to stop or out of patience."""
    deadline = None if patience is None else time.monotonic() + patience.total_seconds()
    said = False
    while not stopped():
        try:
            with connect(url, timeout_s=5):
                if said:
                    log.info("database is back")
                return True
        except psycopg.OperationalError as error:
            if not said:
                log.warning("waiting for the database", reason=str(error).strip().splitlines()[0])
                said = True
        if deadline is not None and time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return False
