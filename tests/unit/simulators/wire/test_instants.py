"""Instants: the library's text, faster; and the ways in which devices leave things out."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from simulators.wire import instants

AT_S = 1_768_197_626
HARBIN = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Asia/Kathmandu", "Europe/Berlin", "UTC"])
@pytest.mark.parametrize("at_s", [AT_S, 0, 1_774_745_999, 1_774_746_001, 1_792_889_999])
def test_instants_are_written_as_the_library_would(zone: str, at_s: int) -> None:
    text = datetime.fromtimestamp(at_s, ZoneInfo(zone)).isoformat()
    assert instants.iso(at_s, ZoneInfo(zone)) == text.replace("+00:00", "Z")


@pytest.mark.parametrize("style", list(instants.TimeStyle))
def test_every_style_of_instant_means_the_same(style: instants.TimeStyle) -> None:
    written = instants.instant(AT_S, style, HARBIN)
    if isinstance(written, str):
        assert datetime.fromisoformat(written).timestamp() == AT_S
    else:
        assert written in (AT_S, AT_S * 1000)


def test_local_time_may_lack_its_zone() -> None:
    assert instants.without_zone(AT_S, HARBIN) == "2026-01-12T14:00:26"


def test_the_basic_format_has_no_hyphens() -> None:
    assert instants.compact(AT_S) == "20260112T060026Z"


def test_nanoseconds_have_nine_digits() -> None:
    assert instants.nanoseconds(AT_S, 5_023_242, "Z") == "2026-01-12T06:00:26.005023242Z"
