"""What is kept, what is kept with a flag, what is refused."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from hearthline.domain.readings import (
    MeterReading,
    Quality,
    RejectReason,
    RoomReading,
    WeatherReading,
)
from ingest.acceptance import Refusal, Rules, accept

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
RULES = Rules(oldest=datetime(2005, 1, 1, tzinfo=UTC), clock_tolerance=timedelta(minutes=10))


def room(time=NOW, temperature=21.0, humidity=None, battery=None, quality=Quality.GOOD):
    return RoomReading("own:s/d", time, temperature, humidity, battery, quality)


def reason(reading) -> RejectReason | None:
    answer = accept(reading, NOW, RULES)
    return answer.reason if isinstance(answer, Refusal) else None


def test_a_good_reading_is_kept_as_it_is() -> None:
    reading = room(humidity=40.0, battery=80.0)
    assert accept(reading, NOW, RULES) is reading


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (room(temperature=math.nan), RejectReason.NOT_A_NUMBER),
        (room(temperature=math.inf), RejectReason.NOT_A_NUMBER),
        (room(temperature=60.1), RejectReason.OUT_OF_RANGE),
        (room(temperature=-40.0), None),
        (room(humidity=101.0), RejectReason.OUT_OF_RANGE),
        (room(battery=-1.0), RejectReason.OUT_OF_RANGE),
        (room(time=datetime(1970, 1, 1, tzinfo=UTC)), RejectReason.TOO_OLD),
        (room(time=RULES.oldest), None),
        (room(time=NOW + timedelta(days=365)), RejectReason.IN_THE_FUTURE),
        (room(time=NOW + timedelta(minutes=10)), None),
        (room(time=NOW + timedelta(minutes=10, seconds=1)), RejectReason.IN_THE_FUTURE),
        (MeterReading("m", NOW, supply_c=181.0), RejectReason.OUT_OF_RANGE),
        (MeterReading("m", NOW, supply_c=130.0, power_kw=-3.0), None),
        (WeatherReading("w", NOW, 61.0), RejectReason.OUT_OF_RANGE),
    ],
)
def test_limits_and_clocks(reading, expected: RejectReason | None) -> None:
    assert reason(reading) is expected


@pytest.mark.parametrize("value", [85.0, 127.0, 327.67, -127.0, 655.35])
def test_a_chips_no_value_in_a_room_is_refused_and_named(value: float) -> None:
    answer = accept(room(temperature=value), NOW, RULES)
    assert isinstance(answer, Refusal)
    assert "what a" in answer.detail


@pytest.mark.parametrize(
    ("reading", "quality"),
    [
        (room(time=NOW + timedelta(minutes=5)), Quality.CLOCK_AHEAD),
        (room(time=NOW + timedelta(milliseconds=900)), Quality.GOOD),
        (room(battery=10.0), Quality.LOW_BATTERY),
        (room(battery=11.0), Quality.GOOD),
        (room(battery=5.0, quality=Quality.HISTORY), Quality.HISTORY | Quality.LOW_BATTERY),
        (MeterReading("m", NOW, supply_c=85.0, return_c=50.0), Quality.SENTINEL),
        (MeterReading("m", NOW, supply_c=75.0, return_c=127.0), Quality.SENTINEL),
        (MeterReading("m", NOW, supply_c=75.0, return_c=50.0), Quality.GOOD),
    ],
)
def test_doubts_are_flagged(reading, quality: Quality) -> None:
    answer = accept(reading, NOW, RULES)
    assert not isinstance(answer, Refusal)
    assert answer.quality == quality


def test_an_unknown_battery_does_not_cost_the_temperature() -> None:
    answer = accept(room(battery=255.0, humidity=40.0), NOW, RULES)
    assert answer == room(battery=None, humidity=40.0, quality=Quality.SENTINEL)
