"""The heat balance's shell: load what changed, compute, store; safe to run at any moment.

``balance_chore`` is all that the worker calls. Heat is recomputed for the meter hours that
rollups rewrote and for the hour after each (whose counter difference starts there). A local day
is balanced once it is over, and again when one of its hours changes; the newest 24 hours at every
full hour. Heat and the balances that follow from it commit together, in batches, so a crash
anywhere loses nothing and repeats at most one batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics.balance import DEFAULT_PIPES, BalanceStage, BalanceWindow, Pipes
from analytics.heat import HeatHours, MeterHours, MeterWindow, WindowHours, hourly_heat
from analytics.heat import meter_windows as sum_windows
from analytics.metering import Layout, balances
from hearthline.clock import floor
from hearthline.domain.places import DeviceRole
from hearthline.storage import balance as storage
from hearthline.storage.balance import BoundMeter, HeatRow
from hearthline.storage.database import Connection, Database

HOUR = timedelta(hours=1)
WINDOW = timedelta(hours=24)
DEFAULT_ZONE = ZoneInfo("Asia/Shanghai")
BATCH = 20_000  # marks a transaction; some 300 meters for three days
SILENT_DAYS = 31  # how far back a day without a single changed hour is still balanced

_DAYS_DONE = "balance_day"
_RUNNING_TO = "balance_running"


@dataclass(frozen=True, slots=True)
class BalanceSummary:
    """What one run of the chore did; ``busy`` if another worker was at it."""

    heat_hours: int = 0
    days: int = 0
    running: bool = False
    busy: bool = False

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return bool(self.heat_hours or self.days or self.running)


@dataclass(frozen=True, slots=True)
class HeatComputed:
    """Hours whose heat was written; ``more`` if marks are left for another transaction."""

    hours: frozenset[datetime] = field(default_factory=frozenset)
    rows: int = 0
    more: bool = False


def balance_chore(
    database: Database,
    now: datetime,
    zone: ZoneInfo = DEFAULT_ZONE,
    pipes: Mapping[BalanceStage, Pipes] = DEFAULT_PIPES,
) -> BalanceSummary:
    """Bring heat and balances up to ``now``; ``zone`` is that of the policy's civil days.

    Raises:
        PartAway: the database does not answer.
    """
    total = BalanceSummary()
    while True:
        with database.transaction() as connection:
            if not storage.lock(connection):
                return BalanceSummary(total.heat_hours, total.days, total.running, busy=True)
            heat = compute_heat(connection)
            part = compute_balance(connection, now, zone, heat.hours, pipes=pipes)
        total = BalanceSummary(
            total.heat_hours + heat.rows, total.days + part.days, total.running or part.running
        )
        if not heat.more:
            return total


def compute_heat(connection: Connection, limit: int = BATCH) -> HeatComputed:
    """Heat of up to ``limit`` marked meter hours, and of the hour after each."""
    marks = storage.take_dirty(connection, limit)
    if not marks:
        return HeatComputed()
    keys = sorted(
        {key for device, hour in marks for key in ((device, hour), (device, hour + HOUR))}
    )
    rows = storage.meter_hours(connection, keys)
    heat = hourly_heat(_meter_hours(rows))
    storage.save_heat(connection, _heat_rows(rows, heat))
    hours = frozenset(row[1] for row in rows if row[2] is not None)
    return HeatComputed(hours | {hour for _, hour in marks}, len(rows), len(marks) == limit)


def compute_balance(
    connection: Connection,
    now: datetime,
    zone: ZoneInfo,
    changed: Iterable[datetime] = (),
    *,
    pipes: Mapping[BalanceStage, Pipes] = DEFAULT_PIPES,
) -> BalanceSummary:
    """Balance the local days that are due, and the newest 24 hours where they changed."""
    hours = frozenset(changed)
    done = storage.progress(connection, _DAYS_DONE)
    days = due_days(now, zone, done, hours)
    running_to = floor(now, HOUR)
    running = bool(hours or done) and (
        storage.progress(connection, _RUNNING_TO) != running_to
        or any(running_to - WINDOW - HOUR <= hour < running_to for hour in hours)
    )
    if not days and not running:
        return BalanceSummary()
    layout = Layout.of(storage.places(connection), storage.areas(connection))
    for day in days:
        start, stop = day_window(day, zone)
        found = _balance(connection, layout, start, stop, pipes)
        storage.save_days(connection, [_row(window, now) | {"day": day} for window in found])
    if days:
        reached = day_window(max(days), zone)[1]
        storage.set_progress(connection, _DAYS_DONE, max(reached, done or reached))
    if running:
        found = _balance(connection, layout, running_to - WINDOW, running_to, pipes)
        storage.save_running(connection, [_row(window, now) for window in found])
        storage.set_progress(connection, _RUNNING_TO, running_to)
    return BalanceSummary(days=len(days), running=running)


def balance_between(
    connection: Connection,
    start: datetime,
    stop: datetime,
    pipes: Mapping[BalanceStage, Pipes] = DEFAULT_PIPES,
) -> list[BalanceWindow]:
    """Any window's balances from the stored heat hours, computed now and not stored.

    The ends are moved to full hours. For the last 24 hours and for days, the stored rows of
    ``hearthline.storage.balance`` answer faster.
    """
    layout = Layout.of(storage.places(connection), storage.areas(connection))
    return _balance(connection, layout, floor(start, HOUR), floor(stop, HOUR), pipes)


def day_window(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """A local day as instants; ends that fall within an hour (half-hour zones) are moved down."""
    ends = (
        datetime.combine(each, clock_time(), zone).astimezone(UTC)
        for each in (day, day + timedelta(days=1))
    )
    start, stop = (floor(end, HOUR) for end in ends)
    return start, stop


def due_days(
    now: datetime, zone: ZoneInfo, done: datetime | None, changed: Iterable[datetime]
) -> list[date]:
    """Local days to balance: over by now, and either touched by a change or not yet done.

    An hour also touches the day that begins at its end, whose stored heat starts from it. A day
    in which every meter fell silent is due too: that it has no figure must be seen.
    """
    touched = {
        (hour + lag).astimezone(zone).date() for hour in changed for lag in (timedelta(), HOUR)
    }
    if done is not None:
        first = (done + HOUR).astimezone(zone).date()
    elif touched:
        first = min(touched)
    else:
        return []
    today = now.astimezone(zone).date()
    first = max(first, today - timedelta(days=SILENT_DAYS))
    silent = {first + timedelta(days=n) for n in range((today - first).days)}
    return sorted(day for day in touched | silent if day_window(day, zone)[1] <= now)


def _balance(
    connection: Connection,
    layout: Layout,
    start: datetime,
    stop: datetime,
    pipes: Mapping[BalanceStage, Pipes],
) -> list[BalanceWindow]:
    return balances(layout, metered_places(connection, start, stop), start, stop, pipes)


def metered_places(
    connection: Connection, start: datetime, stop: datetime
) -> dict[tuple[str, DeviceRole], list[MeterWindow]]:
    """What every heat meter of the network says over a window of whole hours, by place and role."""
    bound = storage.bound_meters(connection, start - HOUR, stop)
    rows = storage.window_hours(connection, bound)
    windows = _meter_windows(bound, rows, start, stop)
    metered: dict[tuple[str, DeviceRole], list[MeterWindow]] = {}
    for meter, window in zip(bound, windows, strict=True):
        if window.expected_min > 0.0:
            metered.setdefault((meter.place, meter.role), []).append(window)
    return metered


def _meter_windows(
    bound: Sequence[BoundMeter], rows: Sequence[tuple[Any, ...]], start: datetime, stop: datetime
) -> list[MeterWindow]:
    columns = _columns(rows, 8)
    expected = [
        max(0.0, (min(meter.until, stop) - max(meter.since, start)) / timedelta(minutes=1))
        for meter in bound
    ]
    hours = WindowHours(columns[0].astype(np.int64), columns[1].astype(np.int64), *columns[2:])
    first, last = (int(at.timestamp()) // 3600 for at in (start, stop))
    return sum_windows(hours, np.array(expected, dtype=np.float64), first, last)


def _meter_hours(rows: Sequence[tuple[Any, ...]]) -> MeterHours:
    covered, supply, back, flow, volume, before, before_covered, in_supply = _columns(
        [row[2:] for row in rows], 8
    )
    return MeterHours(covered, supply, back, flow, volume, before, before_covered, in_supply > 0.0)


def _heat_rows(rows: Sequence[tuple[Any, ...]], heat: HeatHours) -> list[HeatRow]:
    columns = (heat.heat_kwh, heat.volume_m3, heat.covered_min)
    figures = zip(*(column.tolist() for column in columns), strict=True)
    return [
        HeatRow(row[0], row[1], None if np.isnan(kwh) else kwh, m3, minutes)
        for row, (kwh, m3, minutes) in zip(rows, figures, strict=True)
    ]


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[np.ndarray[Any, Any]]:
    """Rows as float columns, None as NaN."""
    table = np.array(rows, dtype=np.float64).reshape(-1, width)
    return list(table.T)


def _row(window: BalanceWindow, now: datetime) -> dict[str, Any]:
    return asdict(window) | {"computed_at": now}
