"""Which local days are due for a balance, and where they begin."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from analytics.balancing import day_window, due_days

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")


def utc(day: int, hour: int) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


def test_a_local_day_begins_at_local_midnight() -> None:
    assert day_window(date(2026, 1, 15), SHANGHAI) == (utc(14, 16), utc(15, 16))


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_summer_time_makes_days_of_23_and_25_hours(day: date, hours: int) -> None:
    start, stop = day_window(day, BERLIN)
    assert stop - start == timedelta(hours=hours)


def test_half_hour_zones_use_the_full_hour_before() -> None:
    assert day_window(date(2026, 1, 15), KOLKATA) == (utc(14, 18), utc(15, 18))


def test_nothing_is_due_before_the_first_hour_of_heat() -> None:
    assert due_days(utc(15, 12), SHANGHAI, None, ()) == []


def test_a_day_is_due_when_it_is_over() -> None:
    touched = [utc(15, 10)]
    assert due_days(utc(15, 15), SHANGHAI, None, touched) == []
    assert due_days(utc(15, 16), SHANGHAI, None, touched) == [date(2026, 1, 15)]


def test_a_late_hour_brings_its_day_back() -> None:
    done = utc(20, 16)
    assert due_days(utc(21, 3), SHANGHAI, done, [utc(10, 4)]) == [date(2026, 1, 10)]


def test_the_last_hour_of_a_day_also_touches_the_next_days_storage_term() -> None:
    due = due_days(utc(21, 3), SHANGHAI, utc(20, 16), [utc(10, 15)])
    assert due == [date(2026, 1, 10), date(2026, 1, 11)]


def test_days_in_which_every_meter_was_silent_are_due_too() -> None:
    due = due_days(utc(20, 3), SHANGHAI, utc(16, 16), ())
    assert due == [date(2026, 1, 17), date(2026, 1, 18), date(2026, 1, 19)]


def test_silence_of_years_is_not_balanced_day_by_day() -> None:
    assert len(due_days(utc(20, 3), SHANGHAI, datetime(2020, 1, 1, tzinfo=UTC), ())) == 31


def test_a_backfill_is_due_day_by_day() -> None:
    hours = [utc(14, 20) + timedelta(hours=n) for n in range(72)]
    due = due_days(utc(17, 20), SHANGHAI, None, hours)
    assert due == [date(2026, 1, 15), date(2026, 1, 16), date(2026, 1, 17)]
