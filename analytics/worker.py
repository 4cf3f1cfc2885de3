"""The worker's chores: a list, done in order until nothing is left, or handed out as jobs.

A chore does a bounded piece of work and says whether more waits; what is due is computed from the
data and never from the tick, so a worker that was away catches up, and two of them do no harm.
``settle`` does all of it in this process; ``analytics.jobs`` shares it among many.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from analytics import cycle, ledger
from analytics.balancing import balance_chore
from analytics.heatday import standards_of
from analytics.outlook.chore import make as make_outlook
from analytics.surveying import survey_days
from hearthline.clock import Clock
from hearthline.storage import liveness, rollups, schema
from hearthline.storage.database import Database
from tickets.desk import News

log = structlog.get_logger("worker")

KEEP_RAW = timedelta(days=6 * 365)


@dataclass(frozen=True, slots=True)
class Work:
    """What every chore gets."""

    database: Database
    rules: cycle.Rules
    clock: Clock


Chore = Callable[[Work], bool]


def roll_up(work: Work) -> bool:
    """Dirty buckets → hourly rollups, bite by bite, until none is left: analysis waits for them."""
    total = 0
    while True:
        with work.database.transaction() as connection:
            done = rollups.roll_up(connection)
        total += done
        if done < rollups.BITE:
            break
    if total:
        log.debug("rolled up", buckets=total)
    return False


def analyse(work: Work) -> bool:
    """Windows of hours and slots → episodes, findings, tickets."""
    report = cycle.run(work.database, work.rules, work.clock())
    say(report)
    return report.behind


def judge(work: Work) -> bool:
    """Touched dwelling-days → verdicts in the compliance ledger."""
    done = ledger.judge_days(work.database, work.rules.profile, work.clock())
    sealed = ledger.seal_days(work.database, work.rules.profile, work.clock())
    if done or sealed:
        log.debug("unit-days judged", count=done, sealed=sealed)
    return done + sealed > 0


def balance(work: Work) -> bool:
    """Meter hours → heat, and heat → the balance of stations and network."""
    balance_chore(work.database, work.clock(), work.rules.profile.versions[0].zone())
    return False


def survey(work: Work) -> bool:
    """Finished local days → heat, evenness and signature of every station and building."""
    zone = work.rules.profile.versions[0].zone()
    return survey_days(work.database, work.clock(), standards_of(work.rules.profile), zone).more


def look_ahead(work: Work) -> bool:
    """A completed hour → estimates, forecasts, waste, and once a day places for sensors."""
    made = make_outlook(work.database, work.rules.profile, work.clock())
    if made is not None:
        log.info("outlook", at=str(made.at), units=made.units, measured=made.measured)
    return False


def learn(work: Work) -> bool:
    """Stored readings → how often each device speaks."""
    with work.database.transaction() as connection:
        done = liveness.learn_habits(connection, work.clock())
    if done:
        log.debug("habits learnt", devices=done)
    return done >= liveness.BITE


def forget(work: Work) -> bool:
    """Drop chunks past retention where the database has no policy of its own for it."""
    with work.database.transaction() as connection:
        schema.drop_old_chunks(connection, KEEP_RAW)
    return False


CHORES: tuple[Chore, ...] = (roll_up, analyse, judge, balance, survey, look_ahead, learn)


def settle(work: Work, stop: threading.Event) -> None:
    """Do the chores until none of them has more to do."""
    while not stop.is_set() and _round(work, stop):
        pass


def _round(work: Work, stop: threading.Event) -> bool:
    """Every chore once; whether any has more to do."""
    more = [chore(work) for chore in CHORES if not stop.is_set()]
    return any(more)


def say(report: cycle.Report) -> None:
    """Log what a piece of analysis did."""
    for news in report.news:
        _say(news)
    for failure in report.failures:
        log.error(
            "the analysis of a district failed; the others go on, and it is tried again",
            district=failure.district,
            exc_info=failure.error,
        )
    if report.opened or report.closed:
        log.info("episodes", opened=report.opened, closed=report.closed, until=str(report.until))


def _say(news: News) -> None:
    log.info(
        f"ticket {news.kind}",
        ticket=news.number,
        cause=str(news.cause),
        place=news.place,
        at=news.at.isoformat(timespec="minutes"),
        cold=news.cold,
        affected=news.affected,
        confidence=round(news.confidence, 2),
    )
