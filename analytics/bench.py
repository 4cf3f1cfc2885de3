"""How fast a city is analysed: a simulated town many times over, in a database, by real workers.

The town's hours, slots and ledger are copied under one source until the city has the wanted number
of dwellings; its faults come along. Then worker processes, as ``hearthline worker`` starts them,
find that all devices have spoken up to the end, and judge the whole stretch at once, through the
queue, until the block is settled. The ceiling is a bare COPY of the same room hours out of the
same tables, dropped unread.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.synchronize
import resource
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from uuid import uuid4

import numpy as np

from analytics import cycle, lots
from analytics.laying import Span
from analytics.memory import Rows
from analytics.overall import Overall
from hearthline import telemetry
from hearthline.clock import system_clock
from hearthline.domain.places import Ledger, PlaceKind
from hearthline.domain.policies import Profile
from hearthline.storage import analysis, ledger, readings, scratch
from hearthline.storage.analysis import Columns
from hearthline.storage.database import Connection, Database, connect

Progress = Callable[[str], None]

INTERVAL = timedelta(seconds=1)
LOOK_S = 0.05
PATIENCE_S = 900.0


@dataclass(frozen=True)
class Town:
    """What was heard of a town up to ``until``; devices are numbered from one in the ledger."""

    ledger: Ledger
    rows: Rows
    until: datetime


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one size; seconds, MB, and what the ceiling took in the same run.

    ``cycle_s`` is everything, from the last reading's arrival to the settled block; ``load_s`` the
    reading of all windows by one process; ``peak_mb`` the workers together.
    """

    units: int
    districts: int
    room_hours: int
    load_s: float
    cycle_s: float
    ceiling_s: float
    ratio: float
    units_per_s: float
    peak_mb: float
    tickets: int


def measure(
    url: str,
    town: Town,
    copies: int,
    profile: Profile,
    *,
    processes: int = 2,
    progress: Progress = lambda _: None,
) -> Measured:
    """Analyse so many copies of a town with so many worker processes."""
    with scratch.database(url, f"bench_{uuid4().hex[:8]}") as there:
        hours = _fill(there, town, copies, progress)
        progress("the ceiling, a bare copy of the hours")
        ceiling_s = _ceiling(there, town)
        progress(f"the analysis, {processes} processes")
        with _Workers(there, profile, processes) as workers:
            cycle_s = _analysed(there, town.until)
            peak_mb = workers.stop()
        with connect(there) as connection:
            tickets = scratch.tickets(connection)
            districts = len(analysis.districts(connection))
        progress("the loading alone")
        load_s = _loading(there, profile, town.until)
    units = copies * len(town.ledger.units)
    return Measured(
        units=units,
        districts=districts,
        room_hours=hours,
        load_s=load_s,
        cycle_s=cycle_s,
        ceiling_s=ceiling_s,
        ratio=ceiling_s / cycle_s,
        units_per_s=units / cycle_s,
        peak_mb=peak_mb,
        tickets=tickets,
    )


def copied(town: Ledger, number: int) -> Ledger:
    """A town's ledger with other codes, but for the sources, which all copies share."""
    sources = {place.code for place in town.places if place.kind is PlaceKind.SOURCE}

    def code(one: str) -> str:
        return one if one in sources else f"{one}.{number}"

    return Ledger(
        tuple(
            replace(p, code=code(p.code), parent=p.parent and code(p.parent))
            for p in town.places
            if number == 0 or p.code not in sources
        ),
        tuple(replace(unit, code=code(unit.code)) for unit in town.units),
        tuple(replace(status, code=code(status.code)) for status in town.statuses),
        tuple(
            replace(device, uid=f"{device.uid}.{number}", place=code(device.place))
            for device in town.devices
            if number == 0 or device.place not in sources
        ),
    )


def _fill(url: str, town: Town, copies: int, progress: Progress) -> int:
    """Write all copies; how many room hours there are."""
    hours = 0
    with connect(url) as connection:
        for number in range(copies):
            progress(f"writing the city, {number + 1} of {copies}")
            part = copied(town.ledger, number)
            with connection.transaction():
                ledger.save(connection, part)
                hours += _fill_hours(connection, town, part)
    with connect(url, autocommit=True) as connection:
        scratch.analysed(connection)
    return hours


def _fill_hours(connection: Connection, town: Town, part: Ledger) -> int:
    """The hours of one copy, by the numbers that its devices have in the database."""
    uids = {device.uid for device in part.devices}
    known = readings.known_devices(connection, uids)
    suffix = next(iter(uids)).rpartition(".")[2]
    names = [f"{device.uid}.{suffix}" for device in town.ledger.devices]
    id_of = np.array([0, *(known[n].id if n in known else 0 for n in names)], np.int64)
    tables = (
        ("room_hours", town.rows.room_hours),
        ("meter_hours", town.rows.meter_hours),
        ("weather_hours", town.rows.weather_hours),
        ("meter_slots", town.rows.meter_slots),
    )
    for table, rows in tables:
        mine = id_of[rows.device] > 0
        values = {name: column[mine] for name, column in rows.values.items()}
        there = Columns(id_of[rows.device[mine]], rows.at[mine], values)
        scratch.copy(connection, table, there)
    return int((id_of[town.rows.room_hours.device] > 0).sum())


def _ceiling(url: str, town: Town) -> float:
    """Seconds for a bare COPY of all room hours; the better of two."""
    first = datetime.fromtimestamp(town.rows.first_at, town.until.tzinfo)
    took = []
    for _ in range(2):
        with connect(url) as connection:
            began = time.perf_counter()
            scratch.ceiling(connection, first, town.until)
            took.append(time.perf_counter() - began)
    return min(took)


def _analysed(url: str, until: datetime) -> float:
    """Let the last readings arrive; seconds until the block is settled."""
    with connect(url, autocommit=True) as connection:
        began = time.perf_counter()
        scratch.arrive(connection, until)
        while analysis.progress(connection, analysis.WHOLE) != until:
            if time.perf_counter() - began > PATIENCE_S:
                raise TimeoutError(f"the analysis is not settled after {PATIENCE_S:.0f} s")
            time.sleep(LOOK_S)
        return time.perf_counter() - began


def _loading(url: str, profile: Profile, until: datetime) -> float:
    """Seconds in which one process reads the windows of all districts, judging nothing."""
    with Database(url, max_size=1) as database, database.transaction() as connection:
        rows = analysis.districts(connection)
        districts = [lots.District(row["code"], row["path"]) for row in rows]
        first = analysis.first_hour(connection) or until
        span = Span(first, until, until)
        block = cycle.Block(span, Overall.quiet(first))
        began = time.perf_counter()
        for lot in lots.cut(districts, analysis.district_sizes(connection)):
            cycle.observed(connection, lot, profile, block)
        return time.perf_counter() - began


class _Workers:
    """Worker processes, ready when the block begins."""

    def __init__(self, url: str, profile: Profile, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._stop = context.Event()
        self._pipes: list[Pipe] = []
        self._processes = []
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(url, profile, self._stop, theirs))
            process.start()
            self._pipes.append(ours)
            self._processes.append(process)

    def __enter__(self) -> _Workers:
        for pipe in self._pipes:
            pipe.recv()
        return self

    def stop(self) -> float:
        """Stop them; what they held at most, together, MB."""
        self._stop.set()
        return sum(float(pipe.recv()) for pipe in self._pipes)

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for process in self._processes:
            process.join()


def _work(url: str, profile: Profile, stop: multiprocessing.synchronize.Event, pipe: Pipe) -> None:
    """One worker, until told to stop; sends when it is ready, and its peak memory at the end."""
    from analytics import jobs
    from analytics.worker import Work

    told = threading.Event()
    threading.Thread(target=_pass_on, args=(stop, told), daemon=True).start()
    telemetry.configure(level="warning")
    with Database(url) as database:
        pipe.send("ready")
        work = Work(database, cycle.Rules(profile), system_clock)
        jobs.run(work, INTERVAL, told, (jobs.ANALYSIS,))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pipe.send(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10))


def _pass_on(stop: multiprocessing.synchronize.Event, told: threading.Event) -> None:
    stop.wait()
    told.set()
