"""The analysis cycle: blocks of event time, each judged district by district and then as a whole.

A block runs up to a watermark in event time and no further, on an injected ``now``; the same rows
and the same ``now`` give the same tickets. A backlog is taken block by block, and within a block in
event-time order. What there is to do follows from the data alone:

1. ``begin`` notes the next block, reads what only the whole network tells (``Overall``), and opens
   what meters say of the sources.
2. ``judge`` does a lot of neighbouring districts: loaded and judged as one, since a hundred small
   matrices cost far more than a large one, and walked one by one, in one transaction. Lots may be
   done by any number of processes side by side; each district has a watermark of its own, so that
   what was done by a process that died is done, and what was not is due. A district whose analysis
   fails is set aside: the city goes on, and the next block tries it again from where it stands.
3. ``settle`` looks from above once all districts are there: it takes what they found cold into
   the incidents of the sources, follows these, and ends the block.

``run`` does all of it in one process; ``analytics.jobs`` hands the lots to many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import reduce

from analytics import judging, lots
from analytics.history import History
from analytics.laying import OnFile, Span, case, lay_out, meter_table, near, weather_of
from analytics.loading import load
from analytics.lots import BLOCK, District, Lot
from analytics.noting import write_episodes, write_grades
from analytics.observed import Observed
from analytics.overall import Overall
from analytics.owed import heeded
from analytics.plant import read_network
from analytics.signs import SLOT
from analytics.snapshot import ColdDwelling
from analytics.trunk import ColdSpell, Trunk
from analytics.trust import keeping
from analytics.walk import announce, gather, walk
from analytics.window import HOUR
from hearthline.clock import floor
from hearthline.domain.complaints import RULES
from hearthline.domain.places import DeviceKind
from hearthline.domain.policies import Profile
from hearthline.errors import PartAway
from hearthline.storage import analysis, complaints, maintenance, windows
from hearthline.storage import network as networks
from hearthline.storage import trust as trust_rows
from hearthline.storage.database import Away, Connection, Database, Row
from tickets import sitting
from tickets.carrying import News
from tickets.sitting import Sitting

LIVE_LAG = timedelta(hours=2)  # meters may run ahead of the rooms by this much
# The share of devices that must have reached an instant before it is judged. Places are told by
# the share of cold rooms, so nearly all must be in; a meter speaks for itself and need not wait.
SHARE_IN: Mapping[DeviceKind, float] = {DeviceKind.ROOM: 0.9, DeviceKind.METER: 0.5}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a company decides: its profile, and how long single dwellings wait for their peers."""

    profile: Profile
    group_wait: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Failure:
    """A district that was set aside, and what its analysis failed with."""

    district: str
    error: Exception


@dataclass(frozen=True, slots=True)
class Report:
    """What was done; ``until`` is the watermark reached, None where there is no data."""

    until: datetime | None
    news: tuple[News, ...] = ()
    opened: int = 0
    closed: int = 0
    held: int = 0
    behind: bool = False  # more blocks wait
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class Block:
    """A block of event time; ``heard_at`` is when anything had last arrived as it began."""

    span: Span
    overall: Overall
    heard_at: datetime | None = None
    dwellings: Mapping[str, int] = field(default_factory=dict)
    """How many each district had as the block began."""


def run(database: Database, rules: Rules, now: datetime) -> Report:
    """Judge what has come in since the last cycle, one block of event time at most."""
    report = begin(database, rules, now)
    for lot in due(database):
        report = _and(report, judge(database, rules, lot))
    return _and(report, settle(database, rules, now))


def _and(one: Report, other: Report) -> Report:
    """Two pieces of work as one."""
    return Report(
        other.until or one.until,
        one.news + other.news,
        one.opened + other.opened,
        one.closed + other.closed,
        one.held + other.held,
        other.behind,
        one.failures + other.failures,
    )


def begin(database: Database, rules: Rules, now: datetime) -> Report:
    """Note the next block, unless one is being judged or nothing has moved on."""
    with database.transaction() as connection:
        analysis.lock_cycle(connection)
        at = analysis.progress(connection, analysis.WHOLE)
        if analysis.block(connection) is not None:
            return Report(at)
        span = _span(connection, now)
        if span is None:
            return Report(at)
        overall = _overall(connection, span)
        heard_at = analysis.heard_at(connection)
        noted = {
            **overall.plain(),
            "heard_at": heard_at and heard_at.isoformat(),
            "dwellings": analysis.district_sizes(connection),
        }
        analysis.begin_block(connection, span.since, span.rooms, span.meters, noted)
        told = heeded(overall.signals, rules.profile)
        if not any(span.since < sign.since <= span.until for sign in told):
            return Report(at)
        trunk = Trunk(networks.load(connection, span.until), rules.profile, overall)
        here = Sitting(connection, trunk.network.path_of)
        news = announce(trunk, here, span.since, span.until)
        here.rise()
        return Report(at, tuple(news))


def due(database: Database) -> list[Lot]:
    """The lots with districts that have not reached the block which is being judged."""
    with database.transaction() as connection:
        block = _block(connection)
        return [] if block is None else _due(connection, block)


def complete(database: Database) -> bool:
    """Whether there is nothing to judge; asked after every lot, so it counts no districts."""
    with database.transaction() as connection:
        row = analysis.block(connection)
        return row is None or not analysis.behind(connection, max(row["rooms"], row["meters"]))


def _due(connection: Connection, block: Block) -> list[Lot]:
    rows, until = analysis.districts(connection), block.span.until
    late = {row["code"] for row in rows if row["at"] is None or row["at"] < until}
    late -= {row["code"] for row in analysis.aside(connection) if row["tried_until"] >= until}
    if not late:
        return []
    districts = [District(row["code"], row["path"]) for row in rows]
    cut = lots.cut(districts, block.dwellings)
    return [lot for lot in cut if not late.isdisjoint(d.code for d in lot.districts)]


def _block(connection: Connection) -> Block | None:
    row = analysis.block(connection)
    if row is None:
        return None
    span = Span(row["since"], row["rooms"], row["meters"])
    heard_at = row["overall"]["heard_at"]
    return Block(
        span,
        Overall.from_plain(row["overall"]),
        None if heard_at is None else datetime.fromisoformat(heard_at),
        row["overall"].get("dwellings", {}),
    )


def _overall(connection: Connection, span: Span) -> Overall:
    """What only the meters of the whole network tell."""
    trunk = networks.load_trunk(connection, span.until)
    ids = [i.id for i in trunk.instruments if i.kind is DeviceKind.METER]
    meters = windows.meter_hours(connection, span.hours_from, span.hours_until, ids)
    weather = windows.weather_hours(connection, span.hours_from, span.hours_until)
    table = meter_table(meters, trunk, span)
    return read_network(table, weather_of(weather, trunk, span), trunk)


def judge(database: Database, rules: Rules, lot: Lot) -> Report:
    """Judge a lot up to the end of the block; nothing of it where that is done.

    Where that fails its districts are judged one by one, and who fails alone is set aside.

    Raises:
        PartAway or one of ``Away``: the database does not answer; nobody is to blame.
    """
    try:
        return _judged(database, rules, lot)
    except (PartAway, *Away):
        raise
    except Exception as error:  # whatever is wrong with one, the others go on
        if len(lot.districts) > 1:
            alone = [judge(database, rules, Lot((district,))) for district in lot.districts]
            return reduce(_and, alone)
        return _set_aside(database, lot.districts[0], error)


def _set_aside(database: Database, district: District, error: Exception) -> Report:
    """The block goes on without a district."""
    with database.transaction() as connection:
        block = _block(connection)
        if block is not None:
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
            analysis.set_aside(connection, district.code, block.span.until, reason)
        return Report(None, failures=(Failure(district.code, error),))


def _judged(database: Database, rules: Rules, lot: Lot) -> Report:
    with database.transaction() as connection:
        analysis.lock_districts(connection, [district.code for district in lot.districts])
        block = _block(connection)
        at = analysis.progress_of(connection, [district.progress for district in lot.districts])
        report = Report(min(at.values(), default=None))
        if block is None:
            return report
        for since, districts in lots.left(lot, at, block.span).items():
            start = replace(block, span=replace(block.span, since=since))
            report = _and(report, _judge(connection, rules, Lot(tuple(districts)), start))
        analysis.take_back(connection, [district.code for district in lot.districts])
        return report


def _judge(connection: Connection, rules: Rules, lot: Lot, block: Block) -> Report:
    """Look at districts together, and walk each by itself."""
    span = block.span
    stored = analysis.known_episodes(connection, span.rooms_from, lot.paths)
    histories = _histories(connection, rules.profile, lot, block, stored)
    opened, closed = write_episodes(connection, histories, stored, span)
    write_grades(connection, histories)
    news: list[News] = []
    holds: dict[str, str] = {}
    paths = [history.network.path_of for history in histories]
    desks = sitting.down(connection, list(zip(lot.paths, paths, strict=True)))
    for desk, history in zip(desks, histories, strict=True):
        walked = walk(history, desk, span.since, span.until, rules.group_wait)
        news += walked.news
        holds |= {code: str(reason) for code, reason in walked.holds.items()}
    sitting.rise(connection, desks)
    analysis.set_holds(connection, lot.paths, holds, span.until)
    names = [district.progress for district in lot.districts]
    analysis.set_progress_of(connection, names, span.until)
    return Report(span.until, tuple(news), opened, closed, len(holds))


def settle(database: Database, rules: Rules, now: datetime) -> Report:
    """End the block if all districts have reached it; ``until`` is None where they have not."""
    with database.transaction() as connection:
        analysis.lock_cycle(connection)
        block = _block(connection)
        if block is None or analysis.behind(connection, block.span.until):
            return Report(None)
        span = block.span
        news = _gather(connection, rules, block)
        analysis.set_progress(connection, analysis.WHOLE, span.until)
        analysis.end_block(connection)
        return Report(span.until, tuple(news), behind=_span(connection, now) is not None)


def _gather(connection: Connection, rules: Rules, block: Block) -> list[News]:
    """Look from above, where there is anything to see."""
    span, overall = block.span, block.overall
    open_now = analysis.above(connection)
    if not overall.signals and not open_now["at_sources"] and open_now["at_districts"] < 2:
        return []
    network = networks.load(connection, span.until)
    spells = [
        ColdSpell(
            row["code"],
            ColdDwelling(row["began_at"], row["opened_at"], row["min_c"]),
            row["closed_at"],
        )
        for row in analysis.spells(connection, span.since, span.until)
    ]
    measured = analysis.measured(connection, span.until)
    trunk = Trunk(network, rules.profile, overall, measured, spells)
    here = Sitting(connection, network.path_of)
    news = gather(trunk, here, span.since, span.until)
    here.rise()
    return news


def _span(connection: Connection, now: datetime) -> Span | None:
    """What there is to judge; None when nothing has moved on."""
    rooms = _complete(connection, DeviceKind.ROOM, HOUR, now)
    meters = _complete(connection, DeviceKind.METER, SLOT, now)
    first = analysis.first_hour(connection)
    since = analysis.progress(connection, analysis.WHOLE) or first
    if since is None or (rooms is None and meters is None):
        return None
    unrolled = analysis.pending_rollups(connection, DeviceKind.ROOM, since - HOUR)
    if rooms is not None and unrolled is not None and unrolled < rooms:
        rooms = floor(unrolled, HOUR)
        meters = rooms if meters is None else min(meters, rooms)
    elif rooms is not None and meters is not None and now - meters > LIVE_LAG:
        meters = min(meters, rooms)  # a backlog: let neither kind run ahead of the other
    rooms, meters = rooms or since, meters or since
    limit = since + BLOCK
    span = Span(since, min(rooms, floor(limit, HOUR)), min(meters, limit))
    return span if span.until > since else None


def _complete(
    connection: Connection, kind: DeviceKind, step: timedelta, now: datetime
) -> datetime | None:
    """Up to when the readings of a kind have come, in whole steps."""
    reached = analysis.reached(connection, kind, SHARE_IN[kind])
    return None if reached is None else floor(min(reached, now), step)


def observed(connection: Connection, lot: Lot, profile: Profile, block: Block) -> list[Observed]:
    """What was measured in each district of a lot, read at once and laid out one by one."""
    span = block.span
    found = load(connection, lot.paths, profile, span)
    return [lay_out(network, rows, span, block.overall) for network, rows in found]


def _histories(
    connection: Connection,
    profile: Profile,
    lot: Lot,
    block: Block,
    stored: Sequence[Sequence[Row]],
) -> list[History]:
    """Each district of a lot, judged; the sensors of all of them at once."""
    seen = observed(connection, lot, profile, block)
    on_file = _on_file(connection, seen, block)
    around = [near(one, known) for one, known in zip(seen, on_file, strict=True)]
    trusts = keeping.judged_together(connection, [one.rooms for one in seen], around)
    cases = [
        case(one, _open_since(rows, one.rooms.start), trust, known)
        for one, rows, trust, known in zip(seen, stored, trusts, on_file, strict=True)
    ]
    return judging.judge(cases, profile)


def _on_file(connection: Connection, seen: Sequence[Observed], block: Block) -> list[OnFile]:
    """What people and devices have said, for the windows of several districts."""
    span = block.span
    sensors = [sensor.id for one in seen for sensor in one.rooms.sensors]
    states = trust_rows.states(connection, sensors, block.heard_at)
    of_start = {
        start: OnFile(
            maintenance.between(connection, start, span.rooms),
            trust_rows.certified(connection, start, span.rooms),
            states,
            complaints.between(connection, start - RULES.repeat_within, span.until),
        )
        for start in {one.rooms.start for one in seen}
    }
    return [of_start[one.rooms.start] for one in seen]


def _open_since(stored: Sequence[Row], start: datetime) -> dict[str, datetime]:
    """The dwellings that were in an episode at an instant, and since when."""
    return {
        row["code"]: row["opened_at"]
        for row in stored
        if row["opened_at"] <= start and (row["closed_at"] is None or row["closed_at"] > start)
    }
