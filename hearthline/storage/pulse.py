"""Heartbeats of the services and the counts that a summary prints."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg

from hearthline.storage import rollups
from hearthline.storage.database import Away, Connection, Row, connect
from hearthline.storage.queries import family

BEAT = timedelta(seconds=5)
SOON = timedelta(milliseconds=200)
COUNT_EXACTLY = 5_000_000  # readings
LATE = timedelta(seconds=20)  # a service silent for longer is not running


def beats(connection: Connection) -> dict[str, timedelta]:
    """Age of the last heartbeat of every service."""
    rows = connection.execute(family("pulse")["beats"], {}).fetchall()
    return {row["service"]: row["age"] for row in rows}


def counts(connection: Connection) -> Row:
    """Readings stored, dead letters, what waits for rollup and verdict, tickets, unit-days."""
    (row,) = connection.execute(family("pulse")["counts"], {"exact": COUNT_EXACTLY}).fetchall()
    return {**row, "waiting": rollups.depth(connection)}


def queues(connection: Connection) -> Row:
    """What waits: hours for their rollup, days for their verdict, strangers for an engineer.

    And of the last day, how many different messages were refused. Cheap enough for every minute.
    """
    (row,) = connection.execute(family("pulse")["queues"]).fetchall()
    return {**row, "hours_waiting": rollups.depth(connection)}


@contextmanager
def beating(url: str, service: str, ready: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Beat while the block runs and ``ready()``; a database that is away is no error."""
    stop = threading.Event()
    thread = threading.Thread(
        target=_beat, args=(url, service, ready, stop), name="pulse", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=2)


def _beat(url: str, service: str, ready: Callable[[], bool], stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            with connect(url, autocommit=True, timeout_s=3) as connection:
                while not stop.is_set():
                    if ready():
                        connection.execute(family("pulse")["beat"], {"service": service})
                    stop.wait((BEAT if ready() else SOON).total_seconds())
                connection.execute(family("pulse")["still"], {"service": service})
        except (*Away, psycopg.errors.UndefinedTable):
            stop.wait(BEAT.total_seconds())
