"""What is kept, what is kept with a flag, how wrong clocks are set right, what is refused."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline.domain.readings import (
    LIMITS,
    MeterReading,
    Quality,
    Reading,
    RejectReason,
    RoomReading,
    WeatherReading,
)
from ingest.acceptance import SENTINELS, Refusal, Rules, accept

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
RULES = Rules(oldest=datetime(2005, 1, 1, tzinfo=UTC), clock_tolerance=timedelta(minutes=10))
UPTIME = datetime(1970, 1, 1, tzinfo=UTC)


def room(  # noqa: PLR0917
    time=NOW, temperature=21.0, humidity=None, battery=None, quality=Quality.GOOD, uid="d"
):
    return RoomReading(f"own:s/{uid}", time, temperature, humidity, battery, quality)


def judged(*readings: Reading, retained: bool = False) -> list[Reading | Refusal]:
    return accept(readings, NOW, RULES, retained=retained)


def kept(reading: Reading) -> Reading:
    (answer,) = judged(reading)
    assert not isinstance(answer, Refusal)
    return answer


def reason(reading: Reading, *, retained: bool = False) -> RejectReason | None:
    (answer,) = judged(reading, retained=retained)
    return answer.reason if isinstance(answer, Refusal) else None


def test_a_good_reading_is_kept_as_it_is() -> None:
    reading = room(humidity=40.0, battery=80.0)
    assert kept(reading) == reading


@pytest.mark.parametrize(
    ("reading", "quality"),
    [
        (room(time=NOW + timedelta(minutes=5)), Quality.CLOCK_AHEAD),
        (room(time=NOW + timedelta(minutes=10)), Quality.CLOCK_AHEAD),
        (room(time=NOW + timedelta(milliseconds=900)), Quality.GOOD),
        (room(time=RULES.oldest), Quality.GOOD),
        (room(battery=10.0), Quality.LOW_BATTERY),
        (room(battery=11.0), Quality.GOOD),
        (room(battery=5.0, quality=Quality.HISTORY), Quality.HISTORY | Quality.LOW_BATTERY),
        (room(temperature=-40.0), Quality.GOOD),
        (room(temperature=60.1), Quality.OUT_OF_RANGE),
        (room(humidity=101.0), Quality.BESIDE_OUT_OF_RANGE),
        (room(battery=255.0), Quality.BESIDE_OUT_OF_RANGE),
        (room(battery=-1.0), Quality.BESIDE_OUT_OF_RANGE),
        (room(temperature=85.0), Quality.OUT_OF_RANGE | Quality.SENTINEL | Quality.POWER_UP),
        (room(temperature=127.0), Quality.OUT_OF_RANGE | Quality.SENTINEL),
        (room(temperature=327.67), Quality.OUT_OF_RANGE | Quality.SENTINEL),
        (WeatherReading("w", NOW, 61.0), Quality.OUT_OF_RANGE),
        (WeatherReading("w", NOW, -127.0), Quality.OUT_OF_RANGE | Quality.SENTINEL),
        (WeatherReading("w", NOW, -20.0, wind_ms=-1.0), Quality.BESIDE_OUT_OF_RANGE),
        (MeterReading("m", NOW, supply_c=181.0), Quality.OUT_OF_RANGE),
        (MeterReading("m", NOW, supply_c=130.0, power_kw=-3.0), Quality.GOOD),
        (MeterReading("m", NOW, supply_c=60.0, valve_pct=101.0), Quality.BESIDE_OUT_OF_RANGE),
        (MeterReading("m", NOW, supply_c=85.0, return_c=50.0), Quality.GOOD),
        (MeterReading("m", NOW, supply_c=85.0, return_c=85.0), Quality.SENTINEL | Quality.POWER_UP),
        (MeterReading("m", NOW, supply_c=327.67), Quality.OUT_OF_RANGE),
    ],
)
def test_doubts_are_flagged_and_the_values_stay_as_they_were_said(
    reading: Reading, quality: Quality
) -> None:
    answer = kept(reading)
    assert answer.quality == quality
    for name in reading.__struct_fields__:
        if name != "quality":
            assert getattr(answer, name) == getattr(reading, name)


@pytest.mark.parametrize(
    "reading",
    [
        room(temperature=math.nan),
        room(temperature=math.inf),
        room(humidity=-math.inf),
        MeterReading("m", NOW, flow_m3h=math.inf),
    ],
)
def test_what_is_no_number_is_refused(reading: Reading) -> None:
    assert reason(reading) is RejectReason.NOT_A_NUMBER


def test_what_no_column_holds_is_refused() -> None:
    assert reason(room(temperature=1e300)) is RejectReason.OUT_OF_RANGE


# ── clocks ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "said", [UPTIME + timedelta(minutes=7), NOW + timedelta(hours=8), NOW + timedelta(days=365)]
)
def test_a_wrong_clock_is_dated_by_its_arrival(said: datetime) -> None:
    answer = kept(room(time=said))
    assert (answer.time, answer.quality) == (NOW, Quality.CLOCK_WRONG)


def test_the_intervals_of_a_wrong_clock_are_right() -> None:
    minutes = (0, 20, 40)
    answers = judged(*(room(time=UPTIME + timedelta(minutes=m), temperature=m) for m in minutes))
    assert [a.time for a in answers if not isinstance(a, Refusal)] == [
        NOW - timedelta(minutes=40 - m) for m in minutes
    ]


def test_the_memories_of_a_device_with_a_wrong_clock_follow_its_present() -> None:
    then = room(time=UPTIME, quality=Quality.HISTORY)
    now = room(time=UPTIME + timedelta(hours=1))
    past, present = judged(then, now)
    assert not isinstance(past, Refusal)
    assert not isinstance(present, Refusal)
    assert (past.time, present.time) == (NOW - timedelta(hours=1), NOW)


def test_one_impossible_time_among_believable_ones_is_damage_and_refused() -> None:
    sound, damaged = judged(room(time=NOW - timedelta(hours=1)), room(time=UPTIME))
    assert sound == room(time=NOW - timedelta(hours=1))
    assert isinstance(damaged, Refusal)
    assert damaged.reason is RejectReason.TOO_OLD


def test_each_device_of_a_message_has_a_clock_of_its_own() -> None:
    one, other = judged(room(time=NOW, uid="a"), room(time=UPTIME, uid="b"))
    assert one == room(time=NOW, uid="a")
    assert not isinstance(other, Refusal)
    assert (other.time, other.quality) == (NOW, Quality.CLOCK_WRONG)


def test_nobody_knows_when_a_memory_or_a_retained_message_of_a_wrong_clock_was_measured() -> None:
    ahead = NOW + timedelta(hours=1)
    assert reason(room(time=UPTIME, quality=Quality.HISTORY)) is RejectReason.TOO_OLD
    assert reason(room(time=ahead), retained=True) is RejectReason.IN_THE_FUTURE
    assert reason(room(quality=Quality.CLOCK_GUESSED), retained=True) is RejectReason.BAD_TIME
    assert reason(room(time=NOW - timedelta(hours=3)), retained=True) is None


def test_a_span_longer_than_all_that_is_accepted_is_no_clock() -> None:
    newest, oldest = judged(room(time=NOW + timedelta(days=36_500)), room(time=UPTIME))
    assert isinstance(oldest, Refusal)
    assert not isinstance(newest, Refusal)


_NUMBER = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from(list(SENTINELS))
_TIME = st.datetimes(timezones=st.just(UTC))


@given(_TIME, _NUMBER, st.none() | _NUMBER, st.none() | _NUMBER, st.booleans())
def test_nothing_impossible_passes_without_a_flag(
    time: datetime, temperature: float, humidity: float, battery: float, retained: bool
) -> None:
    (answer,) = judged(room(time, temperature, humidity, battery), retained=retained)
    if isinstance(answer, Refusal):
        return
    assert RULES.oldest <= answer.time <= NOW + RULES.clock_tolerance
    about, beside = Quality.OUT_OF_RANGE, Quality.BESIDE_OUT_OF_RANGE
    for name, flag in (("temperature_c", about), ("humidity_pct", beside), ("battery_pct", beside)):
        value, (low, high) = getattr(answer, name), LIMITS[name]
        assert value is None or math.isnan(value) or low <= value <= high or flag in answer.quality
