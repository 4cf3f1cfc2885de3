"""The worker's queue: districts and chores as jobs, taken by any number of processes.

What is due follows from the data and never from a tick: every worker looks every few seconds, puts
what is due into the queue unless it waits there already (``queueing_lock``), and no two workers do
the same piece at once (``lock``). A worker that is killed leaves its job marked as being done; as
soon as its heartbeat is missed the job is dropped and what is still due put anew. So is a job that
a living worker could not strike out, because the database did not answer just then. Each piece is
one transaction that looks at its watermark first, so it is done once.

``roll_up`` comes first, since analysis waits for it, then the districts of the block: the queue
``analysis``. The other chores have a queue of their own and come last. The last district of a block
settles it and begins the next one at once.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

import structlog
from procrastinate import App, Blueprint, JobContext, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job, Status

from analytics import cycle
from analytics.lots import District, Lot
from analytics.worker import CHORES, Work, analyse, forget, roll_up, say
from hearthline.errors import PartAway
from hearthline.storage.database import NETWORK, Away, wait_until_up

log = structlog.get_logger("worker")

STALLED_S = 30.0  # without a heartbeat (they come every ten seconds) a worker is dead
PAUSE_S = 1.0  # before the queue is tried again
POLL_S = 5.0  # new jobs are notified; this is for what a lost notification missed
FIRST, DISTRICT, LATER = 10, 5, 0  # priorities
ANALYSIS, CHORES_QUEUE = "analysis", "chores"
RARELY = 50_000  # objects between two looks for garbage: a district's are freed without it

OTHERS = {chore.__name__: chore for chore in CHORES if chore is not analyse}
GONE = (PartAway, ConnectorException, *Away)

tasks = Blueprint()


@dataclass
class Hands:
    """What this worker is at, and which jobs it is said to be at although it is not."""

    worker: int | None = None
    held: set[int | None] = field(default_factory=set)
    suspects: set[int | None] = field(default_factory=set)

    @contextmanager
    def on(self, job: Job) -> Iterator[None]:
        """This job is being done."""
        self.worker = job.worker_id
        self.held.add(job.id)
        try:
            yield
        finally:
            self.held.remove(job.id)

    def abandoned(self, doing: Iterable[Job]) -> list[Job]:
        """Jobs in this worker's name that it does not do, two looks in a row.

        One look is not enough: a job is marked a moment before it begins, and struck out a moment
        after its end.
        """
        found = [job for job in doing if job.id not in self.held]
        before, self.suspects = self.suspects, {job.id for job in found}
        return [job for job in found if job.id in before]


@tasks.task(name="chore", pass_context=True)
async def do_chore(context: JobContext, name: str) -> None:
    """One chore of the list; again at once while it has more to do."""
    work, hands = _of(context)
    with hands.on(context.job):
        more = await asyncio.to_thread(OTHERS[name], work)
        if name == roll_up.__name__:
            await _put_districts(context.app, await asyncio.to_thread(_plan, work))
        elif more:
            await _put_chore(context.app, name)


@tasks.task(name="districts", pass_context=True)
async def judge_districts(context: JobContext, codes: list[str], paths: list[str]) -> None:
    """A lot of districts up to the end of the block; the last one settles the block."""
    work, hands = _of(context)
    lot = Lot(tuple(map(District, codes, paths)))
    with hands.on(context.job):
        say(await asyncio.to_thread(cycle.judge, work.database, work.rules, lot))
        if await asyncio.to_thread(cycle.complete, work.database):
            await _put_districts(context.app, await asyncio.to_thread(_plan, work))


def _of(context: JobContext) -> tuple[Work, Hands]:
    return context.additional_context["work"], context.additional_context["hands"]


def _plan(work: Work) -> list[Lot]:
    """Settle what is complete, begin what is next; the lots that are due then."""
    now = work.clock()
    say(cycle.settle(work.database, work.rules, now))
    say(cycle.begin(work.database, work.rules, now))
    return cycle.due(work.database)


async def _put_districts(app: App, lots: Sequence[Lot]) -> None:
    """Put lots into the queue, unless they wait there: asked once, since each refusal costs."""
    if not lots:
        return
    todo = Status.TODO.value
    waiting = await app.job_manager.list_jobs_async(queue=ANALYSIS, status=todo)
    there = {job.queueing_lock for job in waiting}
    for lot in lots:
        piece = Piece("districts", f"districts {lot.code}", ANALYSIS, DISTRICT)
        if piece.lock not in there:
            where = {"codes": [d.code for d in lot.districts], "paths": lot.paths}
            await _put(app, piece, where)


async def _lots_wait(app: App) -> bool:
    """Whether lots wait in the queue; then none needs to be put, and no district to be counted."""
    found = await app.job_manager.list_tasks_async(queue=ANALYSIS, task="worker:districts")
    return any(one["todo"] for one in found)


async def _put_chore(app: App, name: str) -> None:
    first = name == roll_up.__name__
    queue, priority = (ANALYSIS, FIRST) if first else (CHORES_QUEUE, LATER)
    await _put(app, Piece("chore", f"chore {name}", queue, priority), {"name": name})


class Piece(NamedTuple):
    """A piece of work: its task, what keeps it from being done twice at once, where it waits."""

    task: str
    lock: str
    queue: str
    priority: int


async def _put(app: App, piece: Piece, values: dict[str, Any]) -> None:
    """Put a job into the queue, unless it waits there."""
    job = app.configure_task(
        f"worker:{piece.task}",
        lock=piece.lock,
        queueing_lock=piece.lock,
        queue=piece.queue,
        priority=piece.priority,
    )
    try:
        await job.defer_async(**values)
    except AlreadyEnqueued:
        return


def run(
    work: Work,
    interval: timedelta,
    stop: threading.Event,
    queues: Sequence[str] = (ANALYSIS, CHORES_QUEUE),
) -> None:
    """Work until told to stop; a database that goes away is waited for, said once."""
    gc.set_threshold(RARELY)
    while not stop.is_set():
        try:
            asyncio.run(_work(work, interval, stop, queues))
        except GONE as error:
            if isinstance(error, ConnectorException) and not isinstance(error.__cause__, Away):
                raise  # the statement is wrong, not the server gone
            log.warning("the queue is out of reach", reason=str(error.__cause__ or error).strip())
            stop.wait(PAUSE_S)
            wait_until_up(work.database.url, stopped=stop.is_set)


async def _work(
    work: Work, interval: timedelta, stop: threading.Event, queues: Sequence[str]
) -> None:
    """One life of a worker: until it is told to stop, or the database is gone.

    Raises:
        One of ``GONE``: the database does not answer.
    """
    connector = PsycopgConnector(
        conninfo=work.database.url, min_size=1, max_size=4, timeout=10, kwargs=dict(NETWORK)
    )
    app = App(connector=connector)
    app.add_tasks_from(tasks, namespace="worker")
    hands = Hands()
    async with app.open_async():
        parts = [
            asyncio.create_task(_tick(app, work, hands, interval)),
            asyncio.create_task(_told(stop)),
            asyncio.create_task(
                app.run_worker_async(
                    queues=list(queues),
                    concurrency=1,
                    additional_context={"work": work, "hands": hands},
                    fetch_job_polling_interval=POLL_S,
                    delete_jobs="always",  # what failed is in the log, and is put again
                    install_signal_handlers=False,
                    stalled_worker_timeout=STALLED_S,
                )
            ),
        ]
        done, rest = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        for part in rest:
            part.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        for part in done:
            part.result()


async def _told(stop: threading.Event) -> None:
    """Wait until somebody says stop."""
    while not stop.is_set():
        await asyncio.sleep(0.1)


async def _tick(app: App, work: Work, hands: Hands, interval: timedelta) -> None:
    """Put what is due, again and again; drop what nobody does, and tidy once a day."""
    forget_at = work.clock()
    while True:
        dropped = await _dropped(app, hands)
        for job in dropped:
            log.warning("nobody does this any more; it is put anew", job=job.queueing_lock)
            await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)
        for name in OTHERS:
            await _put_chore(app, name)
        if dropped or not await _lots_wait(app):
            await _put_districts(app, await asyncio.to_thread(_plan, work))
        if work.clock() >= forget_at:
            await asyncio.to_thread(forget, work)
            forget_at = work.clock() + timedelta(days=1)
        await asyncio.sleep(interval.total_seconds())


async def _dropped(app: App, hands: Hands) -> list[Job]:
    """Jobs marked as being done that nobody does: of dead workers, and this one's own."""
    jobs = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_S))
    if hands.worker is not None:
        doing = Status.DOING.value
        mine = await app.job_manager.list_jobs_async(status=doing, worker_id=hands.worker)
        jobs += hands.abandoned(mine)
    return jobs
