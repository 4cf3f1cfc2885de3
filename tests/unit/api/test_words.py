"""Numbers, times and names as a reader sees them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from api.console.words import Words

NOW = datetime(2025, 12, 4, 20, 30, tzinfo=UTC)  # 04:30 on the 5th in Harbin
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def en() -> Words:
    return Words("en", ZONE, NOW)


@pytest.fixture
def zh() -> Words:
    return Words("zh_CN", ZONE, NOW)


def test_numbers_have_a_true_minus_and_a_dash_for_nothing(en: Words) -> None:
    assert en.number(-24.25, 1) == "−24.2"
    assert en.number(12345.6) == "12,346"
    assert en.number(None) == "–"
    assert en.celsius(-0.04) == "0.0 °C" or en.celsius(-0.04) == "−0.0 °C"


@pytest.mark.parametrize(
    ("share", "said"), [(0.9994, "99.9 %"), (0.99999, "99.9 %"), (1.0, "100.0 %"), (0.0, "0.0 %")]
)
def test_a_share_is_never_rounded_up_to_the_full_hundred(
    en: Words, share: float, said: str
) -> None:
    assert en.percent(share, 1) == said


def test_times_are_local_and_name_the_day_unless_it_is_today(en: Words, zh: Words) -> None:
    assert en.clock(NOW - timedelta(minutes=5)) == "04:25"
    assert en.clock(NOW - timedelta(hours=6)) == "4 Dec 22:30"
    assert zh.clock(NOW - timedelta(hours=6)) == "12月4日 22:30"
    assert en.day(date(2024, 1, 3)) == "3 Jan 2024"
    assert "GMT+08:00" in en.full(NOW)


def test_relative_times_speak_both_languages(en: Words, zh: Words) -> None:
    assert en.ago(NOW - timedelta(hours=3)) == "3 hours ago"
    assert zh.ago(NOW - timedelta(hours=3)) == "3小时前"
    assert en.ago(NOW + timedelta(minutes=20)) == "in 20 minutes"


@pytest.mark.parametrize(
    ("span", "english", "chinese"),
    [
        (timedelta(minutes=7), "7 min", "7分钟"),
        (timedelta(hours=2, minutes=5), "2 h 05 min", "2小时05分"),
        (timedelta(days=3, hours=4, minutes=50), "3 d 4 h", "3天4小时"),
        (timedelta(minutes=-90), "1 h 30 min", "1小时30分"),
    ],
)
def test_spans_are_short(en: Words, zh: Words, span: timedelta, english: str, chinese: str) -> None:
    assert en.duration(span) == english
    assert zh.duration(span) == chinese


def test_a_time_element_escapes_and_carries_the_instant(en: Words) -> None:
    html = str(en.time(NOW, relative=True))
    assert 'datetime="2025-12-04T20:30:00+00:00"' in html
    assert "data-ago" in html
    assert en.time(None) == "–"


def test_names_follow_the_language_where_the_ledger_has_both(en: Words, zh: Words) -> None:
    both = {"name": "House 1", "name_zh": "1号楼"}
    one = {"name": "House 1", "name_zh": ""}
    assert (en.name(both), zh.name(both), zh.name(one)) == ("House 1", "1号楼", "House 1")


def test_breadcrumbs_leave_out_what_says_nothing_to_a_dispatcher(zh: Words) -> None:
    known = {
        code: {"code": code, "kind": kind, "name": code, "name_zh": name}
        for code, kind, name in [
            ("S", "source", "热源厂"),
            ("S1", "substation", "1号站"),
            ("C1", "circuit", "低区"),
            ("B1", "building", "1号楼"),
            ("R1", "riser", "立管"),
        ]
    }
    assert zh.whole("S/S1/C1/B1/R1/", known) == "1号站 › 1号楼"
    assert zh.whole("S/", known) == "热源厂"
