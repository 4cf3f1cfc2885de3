"""Habits learnt from gaps, states by habit, gateways that are out, and their words."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline.domain import liveness, liveness_words
from hearthline.domain.liveness import Doubt, Facts, Gaps, Habit, State
from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import Quality
from hearthline.domain.sentences import LOCALES

NOW = datetime(2026, 1, 12, 8, tzinfo=UTC)
START = NOW - timedelta(days=7)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
CHINA = ZoneInfo("Asia/Shanghai")


def room(silent: timedelta | None = timedelta(), **known: object) -> Facts:
    """A room sensor of 20 minutes that was last heard so long ago; None: never."""
    at = None if silent is None else NOW - silent
    facts = Facts(DeviceKind.ROOM, 1200, measured_at=at, seen_at=at, changed_at=at)
    return replace(facts, **known)  # type: ignore[arg-type]


def every(interval_s: float, days: float = 7) -> list[datetime]:
    count = int(days * 86_400 / interval_s)
    return [START + timedelta(seconds=n * interval_s) for n in range(count)]


def learnt(instants: list[datetime]) -> Habit:
    habit = liveness.habit_of(liveness.gaps_of(instants))
    assert habit is not None
    return habit


@given(
    interval_s=st.sampled_from([60, 300, 900, 1200, 3600]),
    lost=st.floats(0, 0.25),
    jitter=st.floats(0, 0.05),
    seed=st.integers(0, 10_000),
)
def test_the_interval_is_found_though_a_quarter_of_the_messages_is_lost(
    interval_s: int, lost: float, jitter: float, seed: int
) -> None:
    chance = random.Random(seed)
    shaken = [
        at + timedelta(seconds=chance.uniform(-jitter, jitter) * interval_s)
        for at in every(interval_s, days=3)
        if chance.random() >= lost
    ]
    habit = learnt(shaken)
    assert habit.interval_s == pytest.approx(interval_s, rel=0.11)
    assert habit.offline_after_s >= 4 * 0.89 * interval_s


@given(offsets=st.lists(st.floats(0, 7 * 86_400), max_size=80), seed=st.integers(0, 100))
def test_order_and_repetition_teach_nothing_else(offsets: list[float], seed: int) -> None:
    instants = [START + timedelta(seconds=offset) for offset in offsets]
    mixed = instants + instants[::2]
    random.Random(seed).shuffle(mixed)
    assert liveness.gaps_of(mixed) == liveness.gaps_of(instants)


@given(count=st.integers(0, 200), median_s=st.floats(5, 1e6), tail_s=st.floats(5, 1e6))
def test_a_silence_that_means_something_is_bounded(
    count: int, median_s: float, tail_s: float
) -> None:
    habit = liveness.habit_of(Gaps(count, median_s, max(median_s, tail_s)))
    if count < liveness.GAPS_AT_LEAST:
        assert habit is None
    else:
        assert habit is not None
        assert liveness.OFFLINE_AT_LEAST_S <= habit.offline_after_s <= liveness.OFFLINE_AT_MOST_S


def test_messages_about_one_instant_are_one() -> None:
    """A device that says temperature, humidity and battery apart, within a second."""
    burst = [at + timedelta(milliseconds=n * 300) for at in every(900) for n in range(3)]
    assert learnt(burst).interval_s == pytest.approx(900, abs=1)


def test_a_sensor_that_speaks_on_change_may_be_quiet_all_night() -> None:
    """Hundreds of messages by day, one silence of seven hours a night."""
    chance = random.Random(3)
    instants = []
    for day in range(7):
        at = START + timedelta(days=day)
        while at < START + timedelta(days=day, hours=17):
            instants.append(at)
            at += timedelta(seconds=chance.uniform(30, 400))
    habit = learnt(instants)
    assert habit.interval_s < 300
    assert habit.offline_after_s > 7 * 3600
    quiet = room(timedelta(hours=7), habit=habit)
    assert liveness.state_of(quiet, NOW) is not State.OFFLINE


def test_one_outage_of_a_day_does_not_stretch_the_habit() -> None:
    whole = every(1200)
    torn = [at for at in whole if not timedelta(days=3) < at - START < timedelta(days=4, hours=6)]
    assert learnt(torn) == learnt(whole)


def test_too_few_readings_teach_nothing() -> None:
    assert liveness.gaps_of([NOW]) is None
    assert liveness.habit_of(None) is None
    assert liveness.habit_of(liveness.gaps_of(every(3600)[:20])) is None
    assert liveness.habit_of(liveness.gaps_of(every(3600)[:21])) is not None


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (room(10 * MINUTE), State.ONLINE),
        (room(49 * MINUTE), State.ONLINE),
        (room(51 * MINUTE), State.LATE),
        (room(61 * MINUTE), State.OFFLINE),
        (room(61 * MINUTE, habit=Habit(1200, 7200)), State.LATE),
        (room(20 * MINUTE, habit=Habit(60, 900)), State.OFFLINE),
        (room(None), State.NEVER),
        (room(HOUR * 5, sign_at=NOW - MINUTE), State.ONLINE),
        (room(HOUR, online=False, online_at=NOW - MINUTE, sign_at=NOW - MINUTE),
         State.SAID_OFFLINE),
        (room(MINUTE, online=False, online_at=NOW - HOUR), State.ONLINE),
        (room(HOUR * 5, online=True, online_at=NOW - HOUR * 9, sign_at=NOW - HOUR * 9),
         State.OFFLINE),
        (room(None, online=False, online_at=NOW - HOUR, sign_at=NOW - HOUR), State.SAID_OFFLINE),
    ],
)  # fmt: skip
def test_state(facts: Facts, state: State) -> None:
    assert liveness.state_of(facts, NOW) is state


def test_a_last_will_is_no_sign_of_life() -> None:
    """The will arrives hours after the device fell silent; then it is silent since its reading."""
    facts = room(5 * HOUR, online=False, online_at=NOW - MINUTE, sign_at=NOW - MINUTE)
    assert facts.heard_at == NOW - 5 * HOUR


@given(
    minutes=st.lists(st.integers(0, 10_000), min_size=2, max_size=2),
    habit=st.none() | st.builds(Habit, st.integers(1, 9_000), st.integers(900, 90_000)),
)
def test_longer_silence_never_makes_a_device_livelier(
    minutes: list[int], habit: Habit | None
) -> None:
    order = list(State)
    short, long = sorted(minutes)
    first = liveness.state_of(room(short * MINUTE, habit=habit), NOW)
    second = liveness.state_of(room(long * MINUTE, habit=habit), NOW)
    assert order.index(first) <= order.index(second)


@pytest.mark.parametrize(
    ("facts", "doubt"),
    [
        (room(battery_pct=9.0), Doubt.BATTERY_LOW),
        (room(quality=Quality.LOW_BATTERY), Doubt.BATTERY_LOW),
        (room(skew_s=28_800.0), Doubt.CLOCK_AHEAD),
        (room(skew_s=-7_200.0), Doubt.CLOCK_BEHIND),
        (room(changed_at=NOW - 40 * HOUR), Doubt.VALUE_FLAT),
        (room(quality=Quality.POWER_UP), Doubt.VALUE_UNUSABLE),
        (room(habit=Habit(3600, 20_000)), Doubt.INTERVAL_DIFFERS),
    ],
)
def test_each_doubt_stands_alone_and_has_words(facts: Facts, doubt: Doubt) -> None:
    assert liveness.judge(facts, NOW).doubts == (doubt,)
    said = [liveness_words.doubt_sentence(doubt, facts, CHINA, locale) for locale in LOCALES]
    assert all("{" not in sentence for sentence in said)
    assert said[0] != said[1]


def test_a_healthy_device_has_no_doubts() -> None:
    facts = room(battery_pct=80.0, skew_s=-3.0, habit=Habit(1190, 6000))
    assert liveness.judge(facts, NOW) == liveness.Judged(State.ONLINE, NOW, ())


@pytest.mark.parametrize(
    ("skew_s", "why"),
    [
        (28_790.0, "looks like local time sent as UTC"),
        (-28_810.0, "looks like UTC sent as local time"),
        (3_600.0, "looks like a wrong time zone"),
        (1_000.0, ""),
        (5_000_000.0, ""),
    ],
)
def test_a_wrong_clock_is_explained_where_its_skew_tells(skew_s: float, why: str) -> None:
    said = liveness_words.clock_reason(skew_s, NOW, CHINA, "en")
    assert said.removeprefix(": ") == why


def test_the_clock_sentence() -> None:
    facts = room(skew_s=28_800.0)
    said = liveness_words.doubt_sentence(Doubt.CLOCK_AHEAD, facts, CHINA, "en")
    assert said == "Its clock is 8 h ahead: looks like local time sent as UTC."


def fleet(*silences: timedelta) -> list[Facts]:
    return [room(silence, habit=Habit(1200, 7200)) for silence in silences]


def test_devices_that_fell_silent_together_are_their_gateways_outage() -> None:
    chance = random.Random(5)
    devices = fleet(*[4 * HOUR + chance.uniform(0, 20) * MINUTE for _ in range(30)])
    found = liveness.carried("gw", devices, NOW)
    assert (found.devices, found.silent, found.together) == (30, 30, 30)
    assert found.out


def test_devices_that_failed_one_after_another_are_not() -> None:
    devices = fleet(*[(4 + 9 * n) * HOUR for n in range(10)])
    found = liveness.carried("gw", devices, NOW)
    assert (found.silent, found.together, found.out) == (10, 1, False)


def test_one_in_ten_may_still_speak_and_those_long_gone_do_not_count() -> None:
    down = [4 * HOUR] * 9
    assert liveness.carried("gw", fleet(*down, MINUTE), NOW).out
    assert not liveness.carried("gw", fleet(*down, MINUTE, MINUTE), NOW).out
    assert liveness.carried("gw", fleet(*down, 30 * 24 * HOUR, 40 * 24 * HOUR), NOW).out


def test_two_silent_devices_are_two_silent_devices() -> None:
    assert not liveness.carried("gw", fleet(4 * HOUR, 4 * HOUR), NOW).out
    assert liveness.carried("gw", [], NOW).heard_at is None


def test_a_gateway_that_signed_its_devices_off_is_out_at_once() -> None:
    devices = [
        room(n * MINUTE, online=False, online_at=NOW - MINUTE, sign_at=NOW - MINUTE)
        for n in range(2, 8)
    ]
    found = liveness.carried("gw", devices, NOW)
    assert found.out
    assert found.heard_at == NOW - MINUTE


@pytest.mark.parametrize("locale", LOCALES)
def test_every_state_doubt_and_flag_has_words_in_both_languages(locale: str) -> None:
    for tables in (
        (set(State), liveness_words.STATE_NAMES),
        (set(State), liveness_words.STATE_SENTENCES),
        (set(Doubt), liveness_words.DOUBT_NAMES),
        (set(Doubt), liveness_words.DOUBT_SENTENCES),
        (set(Quality) - {Quality.GOOD}, liveness_words.QUALITY_NAMES),
    ):
        members, words = tables
        assert set(words) == members
        assert all(pair[0].isascii() or "“" in pair[0] for pair in words.values())
        assert all(not pair[1].isascii() for pair in words.values())
    found = liveness.carried("GW-7", fleet(*[4 * HOUR] * 3), NOW)
    said = liveness_words.outage_sentence(found, CHINA, locale)
    assert "GW-7" in said
    assert "2026-01-12 12:00" in said
    everything = liveness_words.outage_sentence(replace(found, name=None), CHINA, locale)
    assert "3" in everything
    judged = liveness.judge(room(90 * MINUTE), NOW)
    said = liveness_words.state_sentence(judged, NOW, locale)
    assert ("1 h 30 min" in said) or ("1小时30分钟" in said)


def test_lengths_of_time_in_words() -> None:
    lengths = (0, 59.6, 61, 3_308, 5_400, 40_000, 90_000, 172_800)
    said = [liveness_words.duration(seconds, "en") for seconds in lengths]
    assert said == ["0 s", "1 min", "1 min 1 s", "55 min", "1 h 30 min", "11 h", "1 d 1 h", "2 d"]
    assert liveness_words.duration(90_000, "zh_CN") == "1天1小时"


def test_flags_in_words() -> None:
    said = liveness_words.flags(int(Quality.HISTORY | Quality.POWER_UP), "en")
    assert said == ["from the device's memory", "power-up value of the chip"]
    assert liveness_words.flags(0, "en") == []
