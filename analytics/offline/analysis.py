"""The rounds of an offline analysis: each block of time district by district, then the sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.episodes import Excursion, Known, reconcile
from analytics.history import History
from analytics.judging import judge
from analytics.laying import Found, OnFile, Span, case, lay_out, meter_table, near, weather_of
from analytics.memory import Rows, between, of_devices
from analytics.offline.desk import Incident, MemoryDesk
from analytics.offline.diary import DayOf, Diary
from analytics.overall import Overall
from analytics.plant import read_network
from analytics.snapshot import ColdDwelling
from analytics.trunk import ColdSpell, Trunk
from analytics.trust import Facts, Surroundings, Trust, daily
from analytics.trust import judge as grade
from analytics.trust.keeping import joined
from analytics.trust.looking import look
from analytics.walk import announce, gather, walk
from analytics.window import HOUR, RoomWindow
from hearthline.clock import floor
from hearthline.domain.complaints import Complaint
from hearthline.domain.network import Network
from hearthline.domain.policies import Profile
from tickets.carrying import News

Floats = NDArray[np.float64]
Progress = Callable[[float, float | None, str], None]

BLOCK = timedelta(days=1)
GROUP_WAIT = timedelta(hours=1)


@dataclass(frozen=True)
class Analysed:
    """What analysis made of a winter: its incidents, news and days.

    ``level_c`` and ``covered_min`` are (dwellings, hours) from ``start``: what was believed, and
    the minutes for which it stands.
    """

    incidents: Sequence[Incident]
    news: Sequence[News]
    days: Sequence[DayOf]
    start: datetime
    level_c: Floats
    covered_min: Floats


def analyse(
    network: Network,
    profile: Profile,
    rows: Rows,
    until: datetime,
    *,
    block: timedelta = BLOCK,
    group_wait: timedelta = GROUP_WAIT,
    complaints: Sequence[Complaint] = (),
    progress: Progress | None = None,
) -> Analysed:
    """Analyse everything that was measured up to ``until`` (a whole hour), block by block.

    ``complaints`` are what people said meanwhile; none is heard before it was made.
    """
    start = floor(datetime.fromtimestamp(min(rows.first_at, until.timestamp()), UTC), HOUR)
    diary = Diary.of(start, until, len(network.dwellings))
    rules = _Rules(profile, group_wait, complaints)
    city = _City.of(network, rules, rows, diary)
    blocks = max(1, -(-(until - start) // block))
    for number in range(blocks):
        since = start + number * block
        stop = min(since + block, until)
        city.judge(Span(since, floor(stop, HOUR), stop))
        if progress is not None:
            progress(number + 1, blocks, f"analysed to {stop:%m-%d %H:%M}")
    return Analysed(
        city.desk.incidents,
        city.news,
        diary.days(network, profile),
        start,
        diary.level_c,
        diary.covered_min,
    )


@dataclass(frozen=True, slots=True)
class _Rules:
    profile: Profile
    group_wait: timedelta
    complaints: Sequence[Complaint] = ()


@dataclass
class _City:
    """All districts and what is above them."""

    network: Network
    rules: _Rules
    rows: Rows
    desk: MemoryDesk
    districts: Sequence[_District]
    news: list[News] = field(default_factory=list)

    @classmethod
    def of(cls, network: Network, rules: _Rules, rows: Rows, diary: Diary) -> _City:
        """A city before its first block."""
        desk = MemoryDesk(network.path_of)
        districts = []
        for code in network.districts():
            part = network.part(code)
            mine = of_devices(rows, [one.id for one in part.instruments])
            here = desk.of(network.path_of[code])
            districts.append(_District(part, rules, mine, diary, network.below(code), here))
        return cls(network, rules, rows, desk, districts)

    def judge(self, span: Span) -> None:
        """One cycle: what only all meters tell, the districts, and what is above them."""
        overall = self._overall(span)
        self.news += announce(self._trunk(overall), self.desk, span.since, span.until)
        for district in self.districts:
            self.news += district.judge(span, overall)
        self.news += gather(self._trunk(overall), self.desk, span.since, span.until)

    def _overall(self, span: Span) -> Overall:
        meters = between(self.rows.meter_hours, span.hours_from, span.hours_until)
        weather = between(self.rows.weather_hours, span.hours_from, span.hours_until)
        table = meter_table(meters, self.network, span)
        return read_network(table, weather_of(weather, self.network, span), self.network)

    def _trunk(self, overall: Overall) -> Trunk:
        measured = {code for district in self.districts for code in district.measured}
        spells = [spell for district in self.districts for spell in district.spells()]
        return Trunk(self.network, self.rules.profile, overall, measured, spells)


@dataclass
class _District:
    """One district, with the state that a live cycle keeps of it in tables."""

    network: Network
    rules: _Rules
    rows: Rows
    diary: Diary
    units: slice
    desk: MemoryDesk
    episodes: dict[int, Known] = field(default_factory=dict)
    excursions: dict[int, Excursion] = field(default_factory=dict)
    facts: Facts | None = None
    measured: frozenset[str] = frozenset()

    def judge(self, span: Span, overall: Overall) -> Sequence[News]:
        """One block of time."""
        observed = lay_out(self.network, self._found(span), span, overall)
        open_since = self._open_since(observed.rooms.start)
        said = [one for one in self.rules.complaints if one.place in self.network.index]
        on_file = OnFile(complaints=said)
        trust = self._grade(observed.rooms, near(observed, on_file))
        [history] = judge([case(observed, open_since, trust, on_file)], self.rules.profile)
        self._note_episodes(history, span)
        self.diary.take(history, self.units)
        self.measured = frozenset(history.snapshot(span.until).level_c)
        walked = walk(history, self.desk, span.since, span.until, self.rules.group_wait)
        return walked.news

    def spells(self) -> list[ColdSpell]:
        """Every episode so far."""
        return [
            ColdSpell(
                self.network.dwellings[one.unit].code,
                ColdDwelling(self.excursions[n].began_at, one.opened_at, self.excursions[n].min_c),
                one.closed_at,
            )
            for n, one in self.episodes.items()
        ]

    def _found(self, span: Span) -> Found:
        rows = self.rows
        return Found(
            between(rows.room_hours, span.rooms_from, span.rooms),
            between(rows.meter_slots, span.slots_from, span.meters),
            between(rows.meter_hours, span.hours_from, span.hours_until),
            between(rows.weather_hours, span.hours_from, span.hours_until),
            self.diary.past(self.units, self.rules.profile, span.rooms_from),
        )

    def _open_since(self, start: datetime) -> dict[str, datetime]:
        """The dwellings in an episode when the window of rooms starts."""
        return {
            self.network.dwellings[one.unit].code: one.opened_at
            for one in self.episodes.values()
            if one.opened_at <= start and (one.closed_at is None or one.closed_at > start)
        }

    def _grade(self, rooms: RoomWindow, around: Surroundings) -> Trust:
        """As the cycle keeps the memory of sensors: days that have ended are folded in."""
        past = Facts.none(len(rooms.sensors)) if self.facts is None else self.facts
        seen = look(rooms.hours, around)
        new = daily(rooms.hours, around, past if past.days else None, seen)
        self.facts = joined(past, new)
        return grade(rooms.hours, around, self.facts, seen)

    def _note_episodes(self, history: History, span: Span) -> None:
        """As the cycle writes episodes: new ones, ended ones, and those that never were."""
        recent = span.rooms_from
        stored = [
            one for one in self.episodes.values() if one.closed_at is None or one.closed_at > recent
        ]
        changes = reconcile(history.excursions, stored)
        for excursion in changes.new:
            number = len(self.episodes) + 1
            self.excursions[number] = excursion
            self.episodes[number] = Known(
                number, excursion.unit, excursion.opened_at, excursion.closed_at
            )
        for number, excursion in changes.closed:
            self.excursions[number] = excursion
            self.episodes[number] = replace(self.episodes[number], closed_at=excursion.closed_at)
        for one in changes.revoked:
            self.episodes[one.id] = replace(one, closed_at=span.until)
