"""Refused messages: bounded, found again, decoded again, and never lost or counted twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hearthline.domain.places import Device, DeviceKind, DeviceRole, Ledger
from hearthline.domain.readings import Rejection, RejectReason
from hearthline.errors import NotFound
from hearthline.settings import Settings
from hearthline.storage import dead_letters
from hearthline.storage import ledger as ledger_rows
from hearthline.storage.database import Connection
from hearthline.storage.dead_letters import Filter
from hearthline.storage.views import strangers
from ingest.door import door_of
from ingest.formats import Decoded, Format, Registry, own
from ingest.formats.model import refused_whole
from ingest.intake import Message, hear
from ingest.replaying import replay_dead_letters
from ingest.writing import Door, take_in
from tests import builders as b

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
UNIT = "T-S1-B01-E1-0101"
UID = f"own:t/{UNIT}"
TOPIC = f"hearthline/v1/t/{UNIT}/room"
MINUTE = timedelta(minutes=1)
ALL = Filter()


@pytest.fixture
def door(settings: Settings) -> Door:
    return door_of(settings)


@pytest.fixture
def broken(door: Door) -> Door:
    """The same ingest with a decoder that an update will repair."""

    def decode(topic: str, payload: bytes, *_rest: Any) -> Decoded:
        return refused_whole(topic, payload, RejectReason.MALFORMED, "a bug of ours")

    return replace(door, formats=Registry([Format("own", own.FORMAT.topics, decode)]))


@pytest.fixture
def town(save_ledger: Callable[[Ledger], None]) -> None:
    save_ledger(b.town(b.TownPlan(1, 1, 1, 2)))


def room(minute: float, value: Any = 20.0, **more: Any) -> dict[str, Any]:
    return {"ts": (NOW + minute * MINUTE).isoformat(), "temperature_c": value, **more}


def say(connection: Connection, door: Door, minute: float, said: Any, topic: str = TOPIC) -> None:
    """A message as ingest takes it in."""
    payload = said if isinstance(said, bytes) else json.dumps(said).encode()
    message = Message(topic, payload, NOW + minute * MINUTE)
    with connection.transaction():
        heard = [hear(message, door.formats, door.directory.context)]
        take_in(connection, heard, door, message.received_at)


def letters(connection: Connection) -> list[tuple[str, int]]:
    return sorted((row["reason"], row["count"]) for row in dead_letters.listed(connection))


def stored(connection: Connection) -> list[tuple[datetime, float]]:
    rows = connection.execute(
        "SELECT time, temperature_c FROM room_reading ORDER BY time"
    ).fetchall()
    return [(row["time"], row["temperature_c"]) for row in rows]


def refusal(number: int = 0, **rest: Any) -> Rejection:
    return Rejection("a/b", b"%d" % number, RejectReason.MALFORMED, "why", **rest)


# ── keeping ──
def test_a_letter_keeps_the_whole_message_beside_the_part_at_fault(connection: Connection) -> None:
    whole = b"[" + b"1," * 3000 + b"2]"
    dead_letters.add(connection, [refusal(message=whole, retained=True)], NOW)
    dead_letters.add(connection, [replace(refusal(), payload=whole)], NOW)
    dead_letters.add(connection, [refusal(2)], NOW)
    rows = {row["payload"][:1]: row for row in dead_letters.listed(connection)}
    part, large, small = (dead_letters.one(connection, rows[k]["id"]) for k in (b"0", b"[", b"2"))
    assert (part["message"], part["whole"], part["retained"]) == (whole, True, True)
    assert (large["message"], large["payload"]) == (whole, whole[:4096])
    assert (small["message"], small["whole"]) == (None, True)


def test_a_message_that_is_too_large_is_kept_in_part_and_cannot_be_replayed(
    connection: Connection, door: Door
) -> None:
    dead_letters.add(connection, [refusal(message=b"x" * 70_000)], NOW)
    assert dead_letters.how_many(connection, ALL) == {"letters": 1, "replayable": 0}
    assert replay_dead_letters(connection, ALL, door).messages == 0
    assert letters(connection) == [("malformed", 1)]


def test_many_bad_parts_of_one_message_share_a_letter(connection: Connection) -> None:
    parts = [refusal(n, device_uid="own:x/a", message=b"all") for n in range(500)]
    dead_letters.add(connection, parts, NOW)
    (row,) = dead_letters.listed(connection)
    assert (row["payload"], row["count"], row["device_uid"]) == (b"all", 500, "own:x/a")
    assert row["detail"] == "500 parts of it; the first: why"


def test_letters_are_bounded_in_bytes_the_oldest_go(connection: Connection) -> None:
    for n in range(10):
        dead_letters.add(connection, [refusal(n, message=b"x" * 1000)], NOW + n * MINUTE)
    assert dead_letters.purge(connection, NOW, keep_bytes=3500) == 7
    assert {row["payload"] for row in dead_letters.listed(connection)} == {b"7", b"8", b"9"}


def test_letters_are_found_by_reason_device_and_time_and_grouped_with_a_sample(
    connection: Connection,
) -> None:
    dead_letters.add(connection, [refusal(n, device_uid="own:x/a") for n in range(3)], NOW)
    late = replace(refusal(9), reason=RejectReason.BAD_TIME)
    dead_letters.add(connection, [late, late], NOW + MINUTE)
    assert len(dead_letters.listed(connection, Filter(device="own:x/a"))) == 3
    assert len(dead_letters.listed(connection, Filter(since=NOW + MINUTE))) == 1
    groups = dead_letters.groups(connection)
    assert [(row["reason"], row["messages"], row["kinds"]) for row in groups] == [
        ("malformed", 3, 3),
        ("bad_time", 2, 1),
    ]
    assert groups[1]["payload"] == b"9"
    assert dead_letters.clear(connection, ALL, before=NOW + MINUTE) == 3
    with pytest.raises(NotFound):
        dead_letters.one(connection, 10**9)


# ── replaying ──
@pytest.mark.usefixtures("town")
def test_after_a_fix_refused_messages_become_readings_as_of_when_they_came(
    connection: Connection, door: Door, broken: Door
) -> None:
    for minute in range(0, 60, 20):
        say(connection, broken, minute, room(minute - 1, 20 + minute))
    assert letters(connection) == [("malformed", 1)] * 3
    done = replay_dead_letters(connection, ALL, door)
    assert (done.messages, done.stored, done.refused) == (3, 3, 0)
    assert stored(connection) == [(NOW + (m - 1) * MINUTE, 20.0 + m) for m in (0, 20, 40)]
    assert letters(connection) == []
    (latest,) = connection.execute("SELECT seen_at FROM latest").fetchall()
    assert latest["seen_at"] == NOW + 40 * MINUTE


@pytest.mark.usefixtures("town")
def test_what_is_refused_again_stays_as_old_and_as_many_as_it_was_with_todays_reason(
    connection: Connection, door: Door, broken: Door
) -> None:
    bad = room(0, "warm")
    for minute in range(5):
        say(connection, broken, minute, bad)
    (before,) = dead_letters.listed(connection)
    done = replay_dead_letters(connection, ALL, door)
    assert (done.messages, done.stored, done.refused) == (1, 0, 1)
    (after,) = dead_letters.listed(connection)
    assert (after["reason"], after["count"], after["id"]) == ("not_a_number", 5, before["id"])
    assert (after["first_at"], after["last_at"]) == (NOW, NOW + 4 * MINUTE)
    again = replay_dead_letters(connection, ALL, door)
    assert again.refused == 1
    assert dead_letters.listed(connection) == [after]


@pytest.mark.usefixtures("town")
def test_a_part_is_replayed_alone_and_its_siblings_stay_as_they_are(
    connection: Connection, door: Door
) -> None:
    said = [room(0, 20.0), room(10, "a"), room(20, "b"), room(30, None)]
    say(connection, door, 40, said)
    assert letters(connection) == [("no_quantity", 1), ("not_a_number", 1), ("not_a_number", 1)]
    before = dead_letters.listed(connection)
    one = next(row["id"] for row in before if b'"a"' in row["payload"])
    done = replay_dead_letters(connection, Filter(ids=(one,)), door)
    assert (done.messages, done.stored, done.duplicates, done.refused) == (1, 0, 0, 1)
    assert dead_letters.listed(connection) == before
    assert replay_dead_letters(connection, Filter(reason="not_a_number"), door).refused == 2
    assert dead_letters.listed(connection) == before


@pytest.mark.usefixtures("town")
def test_a_whole_message_leaves_only_what_is_wrong_with_it(
    connection: Connection, door: Door, broken: Door
) -> None:
    say(connection, broken, 40, [room(0, 20.0), room(10, "a"), room(20, 22.0)])
    done = replay_dead_letters(connection, ALL, door)
    assert (done.stored, done.refused) == (2, 1)
    (left,) = dead_letters.listed(connection)
    assert (left["reason"], json.loads(left["payload"])) == ("not_a_number", room(10, "a"))


@pytest.mark.usefixtures("town")
def test_a_message_of_the_wrong_kind_is_stored_once_the_ledger_is_right(
    connection: Connection, door: Door
) -> None:
    topic = "hearthline/v1/x/w/weather"
    where = Device("own:x/w", DeviceKind.ROOM, DeviceRole.ROOM, UNIT)
    ledger_rows.save(connection, Ledger(devices=(where,)))
    said = {"ts": NOW.isoformat(), "outdoor_c": -20.0}
    say(connection, door, 0, said, topic)
    assert letters(connection) == [("wrong_kind", 1)]
    assert replay_dead_letters(connection, ALL, door).refused == 1
    right = Device("own:x/w", DeviceKind.WEATHER, DeviceRole.WEATHER, "T")
    ledger_rows.save(connection, Ledger(devices=(right,)))
    door.directory.forget()
    assert replay_dead_letters(connection, Filter(device="own:x/w"), door).stored == 1
    assert letters(connection) == []


@pytest.mark.usefixtures("town")
def test_a_message_of_a_stranger_moves_to_quarantine(
    connection: Connection, door: Door, broken: Door
) -> None:
    say(connection, broken, 0, room(0), "hearthline/v1/x/new/room")
    replay_dead_letters(connection, ALL, door)
    assert letters(connection) == []
    assert strangers.one(connection, "own:x/new")["kept"] == 1


@pytest.mark.usefixtures("town")
def test_a_replay_goes_in_bites_and_stops_where_it_is_told(
    connection: Connection, door: Door, broken: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.replaying.BITE", 3)
    for minute in range(10):
        say(connection, broken, minute, room(minute))
    told: list[int] = []
    done = replay_dead_letters(
        connection, ALL, door, limit=7, progress=lambda so_far: told.append(so_far.messages)
    )
    assert (done.stored, told) == (7, [3, 6, 7])
    assert replay_dead_letters(connection, ALL, door).stored == 3


@pytest.mark.usefixtures("town")
def test_a_retained_message_without_a_time_is_not_dated_by_its_replay(
    connection: Connection, door: Door
) -> None:
    connection.execute("UPDATE device SET uid = 'zigbee2mqtt:hall' WHERE uid = %s", (UID,))
    said = Rejection(
        "zigbee2mqtt/hall", b'{"temperature": 20.0}', RejectReason.BAD_TIME, "", retained=True
    )
    dead_letters.add(connection, [said], NOW)
    assert replay_dead_letters(connection, ALL, door).refused == 1
    assert stored(connection) == []
    dead_letters.clear(connection, ALL)
    dead_letters.add(connection, [replace(said, retained=False)], NOW)
    assert replay_dead_letters(connection, ALL, door).stored == 1
