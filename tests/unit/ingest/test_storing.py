"""The pure parts of storing: newest of a batch, hours touched, repeats, bytes, dead letters."""

import struct
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import (
    MeterReading,
    Quality,
    Reading,
    Rejection,
    RejectReason,
    RoomReading,
)
from hearthline.storage import binary
from hearthline.storage.arranging import Newest, flag_repeats, newest, touched_hours
from hearthline.storage.columns import (
    Columns,
    KnownDevice,
    Table,
    columns_of,
    instant,
    micros,
)
from hearthline.storage.dead_letters import key, printable

T0 = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
FIRST, SECOND = KnownDevice(1, DeviceKind.ROOM, 1200), KnownDevice(2, DeviceKind.ROOM, 1200)


def room(minute: int, value: float, battery: float = 90.0, **more: object) -> RoomReading:
    at = T0 + timedelta(minutes=minute)
    return RoomReading("own:s/d", at, value, None, battery, **more)  # type: ignore[arg-type]


def lot(*placed: tuple[KnownDevice, Reading]) -> Columns:
    """Readings as they are stored: sorted by device and time."""
    ordered = sorted(placed, key=lambda one: (one[0].id, one[1].time))
    devices, readings = zip(*ordered, strict=True)
    return columns_of(DeviceKind.ROOM, devices, readings, T0)


def of_one(*readings: RoomReading) -> Columns:
    return lot(*((FIRST, one) for one in readings))


def before(found: Newest) -> list[datetime | None]:
    """When each device last said something else, as far as the lot tells."""
    pairs = zip(found.before, found.changed, strict=True)
    return [instant(at) if changed else None for at, changed in pairs]


def test_the_newest_is_by_event_time_whatever_the_order() -> None:
    told = of_one(room(20, 21.0), room(40, 22.0), room(0, 20.0))
    found = newest(told)
    assert told.values["temperature_c"][found.rows].tolist() == [22.0]
    assert instant(found.since[0]) == T0 + timedelta(minutes=40)
    assert before(found) == [T0 + timedelta(minutes=20)]


def test_the_same_value_for_a_while_dates_back_to_its_first() -> None:
    found = newest(
        of_one(room(0, 20.0), room(20, 21.0), room(40, 21.0, battery=89.0), room(60, 21.0))
    )
    assert instant(found.since[0]) == T0 + timedelta(minutes=20)
    assert before(found) == [T0]


def test_a_single_value_has_nothing_before_it() -> None:
    found = newest(of_one(room(20, 21.0), room(0, 21.0)))
    assert (instant(found.since[0]), before(found)) == (T0, [None])


def test_each_device_has_its_own_newest() -> None:
    told = lot((FIRST, room(0, 20.0)), (SECOND, room(0, 20.0)), (FIRST, room(20, 20.0)))
    found = newest(told)
    assert told.devices[found.rows].tolist() == [1, 2]
    assert (before(found), [instant(at) for at in found.since]) == ([None, None], [T0, T0])


def test_an_unusable_reading_is_the_newest_only_where_there_is_no_other() -> None:
    broken = Quality.OUT_OF_RANGE
    told = lot(
        (FIRST, room(0, 20.0)),
        (FIRST, room(20, 127.0, quality=broken)),
        (SECOND, room(0, 127.0, quality=broken)),
        (SECOND, room(20, 85.0, quality=broken)),
    )
    assert told.values["temperature_c"][newest(told).rows].tolist() == [20.0, 85.0]


def test_the_skew_is_the_greatest_that_live_readings_show() -> None:
    told = of_one(room(-60, 20.0), room(3, 20.0), room(30, 20.0, quality=Quality.HISTORY))
    assert newest(told).skew_s.tolist() == [180.0]


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 30), st.booleans()), min_size=1))
def test_the_newest_agrees_with_the_plain_definition(rows: list[tuple[int, int, bool]]) -> None:
    unique = {(device, minute): bad for device, minute, bad in rows}
    told = lot(
        *(
            (
                KnownDevice(device, DeviceKind.ROOM, 1200),
                room(minute, 20.0, quality=Quality.SENTINEL if bad else Quality.GOOD),
            )
            for (device, minute), bad in unique.items()
        )
    )
    expected = {}
    for device in {device for device, _ in unique}:
        minutes = [m for (d, m), bad in unique.items() if d == device and not bad]
        expected[device] = max(minutes or [m for d, m in unique if d == device])
    found = newest(told)
    got = {
        int(told.devices[row]): int((instant(told.times[row]) - T0) / timedelta(minutes=1))
        for row in found.rows
    }
    assert got == expected


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
    at = micros([T0 + timedelta(minutes=minute)])
    first, last = touched_hours(at, np.array([hold_min * 60.0]))
    assert last[0] - first[0] + 1 == hours
    assert first[0] * 3600 == T0.timestamp()


def test_no_reading_stands_for_more_than_a_day_and_a_half() -> None:
    assert KnownDevice(1, DeviceKind.METER, 7 * 86_400).hold_s == 36 * 3600


def test_the_same_number_at_another_time_is_a_repeat() -> None:
    told = of_one(*(room(minute, 20.0, seq=seq) for minute, seq in ((0, 7), (1, 7), (2, 8))))
    flagged = flag_repeats(told, {})
    assert [bool(q & Quality.REPEATED) for q in flagged.quality.tolist()] == [False, True, False]
    assert not told.quality.any()  # a lot that is tried again is as it was


@pytest.mark.parametrize(("last", "repeats"), [((7.0, -60), True), ((6.0, -60), False)])
def test_the_reading_before_may_have_come_with_another_batch(
    last: tuple[float, int], repeats: bool
) -> None:
    told = of_one(room(0, 20.0, seq=7), room(1, 20.0))
    seq, seconds = last
    flagged = flag_repeats(told, {1: (seq, int(told.times[0]) + seconds * 1_000_000)})
    assert [bool(q & Quality.REPEATED) for q in flagged.quality.tolist()] == [repeats, False]
    assert (flagged is told) is not repeats


def test_a_row_of_binary_copy_is_what_postgresql_documents() -> None:
    fields = [
        binary.Field(">i4", np.array([1, 2])),
        binary.Field(">f4", np.array([0.5, np.nan]), np.array([False, True])),
    ]
    full = struct.pack(">hiiif", 2, 4, 1, 4, 0.5)
    with_null = struct.pack(">hiii", 2, 4, 2, -1)
    assert binary.rows(fields) == binary.HEADER + full + with_null + binary.TRAILER


def test_an_array_parameter_is_what_postgresql_documents() -> None:
    packed = binary.array(">i4", np.array([7, 8]), np.array([False, True])).packed
    assert packed == struct.pack(">iiIii", 1, 1, 23, 2, 1) + struct.pack(">iii", 4, 7, -1)
    at = binary.instants(np.array([binary.POSTGRES_EPOCH_US + 5])).packed
    assert at == struct.pack(">iiIii", 1, 0, 1184, 1, 1) + struct.pack(">iq", 8, 5)


def test_a_table_is_the_readings_it_was_made_of() -> None:
    said = [room(0, 20.0), room(20, 21.0, seq=7), room(40, 22.0, quality=Quality.HISTORY)]
    table = Table.of(DeviceKind.ROOM, said)
    assert table == said
    assert (table[1], list(table[1:]), len(table)) == (said[1], said[1:], 3)
    assert list(table.chosen([2, 0])) == [said[2], said[0]]
    both = Table.joined(DeviceKind.ROOM, [table, Table.of(DeviceKind.ROOM, said[:1])])
    assert list(both) == [*said, said[0]]
    assert both != said
    assert list(Table.joined(DeviceKind.ROOM, [])) == list(Table.of(DeviceKind.ROOM)) == []


def test_a_table_takes_no_time_without_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        Table.of(DeviceKind.ROOM, [RoomReading("own:s/d", T0.replace(tzinfo=None), 20.0)])


def test_a_table_is_of_one_kind() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        Table.of(DeviceKind.ROOM, [room(0, 20.0), MeterReading("own:s/m", T0, 60.0)])


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=80 * 365)))
def test_microseconds_survive(since: timedelta) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + since
    assert instant(micros([at])[0]) == at


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
