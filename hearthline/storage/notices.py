"""Hear what other processes announce with NOTIFY, for as long as anybody wants to listen.

A notification can be lost while the connection is down, so after every (re)connection a ``None``
is yielded: "anything may have happened". Listeners must treat news as a hint to look again,
never as the news itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import psycopg
import structlog
from psycopg import sql

from hearthline.storage.database import Away, connect

log = structlog.get_logger("storage")

PATIENCE_S = 1.0


def listen(
    url: str, channels: Sequence[str], stopped: Callable[[], bool]
) -> Iterator[tuple[str, str] | None]:
    """Yield (channel, payload) until ``stopped``, and None after each connection."""
    said = False
    while not stopped():
        try:
            with connect(url, autocommit=True, timeout_s=5) as connection:
                for channel in channels:
                    connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                if said:
                    log.info("listening again")
                said = False
                yield None
                yield from _notices(connection, stopped)
        except Away as error:
            if not said:
                log.warning("cannot hear the database", reason=str(error).strip().split("\n")[0])
                said = True
            time.sleep(PATIENCE_S)


def _notices(
    connection: psycopg.Connection[dict[str, object]], stopped: Callable[[], bool]
) -> Iterator[tuple[str, str]]:
    while not stopped():
        for notice in connection.notifies(timeout=PATIENCE_S):
            yield notice.channel, notice.payload
            if stopped():
                return
