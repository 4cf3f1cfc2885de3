"""The pure parts of storing: newest of a batch, hours touched, keys of dead letters."""

from datetime import UTC, datetime, timedelta

import pytest

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import Rejection, RejectReason, RoomReading
from hearthline.storage.dead_letters import key, printable
from hearthline.storage.readings import KnownDevice, newest, touched_hours

T0 = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)


def room(minute: int, value: float, battery: float = 90.0) -> RoomReading:
    return RoomReading("own:s/d", T0 + timedelta(minutes=minute), value, None, battery)


def test_the_newest_is_by_event_time_whatever_the_order() -> None:
    found = newest([room(20, 21.0), room(40, 22.0), room(0, 20.0)])
    assert found.reading == room(40, 22.0)
    assert (found.since, found.before) == (T0 + timedelta(minutes=40), T0 + timedelta(minutes=20))


def test_the_same_value_for_a_while_dates_back_to_its_first() -> None:
    found = newest([room(0, 20.0), room(20, 21.0), room(40, 21.0, battery=89.0), room(60, 21.0)])
    assert (found.since, found.before) == (T0 + timedelta(minutes=20), T0)


def test_a_single_value_has_nothing_before_it() -> None:
    found = newest([room(20, 21.0), room(0, 21.0)])
    assert (found.since, found.before) == (T0, None)


@pytest.mark.parametrize(
    ("minute", "hold_min", "hours"),
    [
        (0, 30, 1),
        (29, 30, 1),
        (30, 30, 1),
        (31, 30, 2),
        (0, 90, 2),
        (30, 90, 2),
        (31, 90, 3),
        (0, 60, 1),
    ],
)
def test_a_reading_touches_the_hours_in_which_it_may_stand(
    minute: int, hold_min: int, hours: int
) -> None:
    touched = touched_hours(T0 + timedelta(minutes=minute), hold_min * 60)
    assert len(touched) == hours
    assert touched[0] * 3600 == T0.timestamp()


def test_no_reading_stands_for_more_than_a_day_and_a_half() -> None:
    assert KnownDevice(1, DeviceKind.METER, 7 * 86_400).hold_s == 36 * 3600


def test_the_key_of_a_dead_letter_is_topic_reason_and_payload() -> None:
    one = Rejection("t", b"p", RejectReason.MALFORMED, "why")
    assert key(one) == key(Rejection("t", b"p", RejectReason.MALFORMED, "another detail", "uid"))
    others = [
        Rejection("u", b"p", RejectReason.MALFORMED, ""),
        Rejection("t", b"q", RejectReason.MALFORMED, ""),
        Rejection("t", b"p", RejectReason.BAD_TIME, ""),
    ]
    assert len({key(one), *map(key, others)}) == 4


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 2000, "三单元", ""])
def test_text_becomes_what_the_database_takes(text: str) -> None:
    shown = printable(text, 100)
    assert len(shown) <= 100
    assert "\0" not in shown
    assert shown.encode() or not text
