"""Devices that no ledger has: kept, bounded, guessed at, adopted with all they said, dismissed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hearthline.domain.places import Device, DeviceKind, DeviceRole, FlowPipe, Ledger
from hearthline.errors import Conflict, Invalid, NotFound
from hearthline.settings import Settings
from hearthline.storage import dead_letters, strangers
from hearthline.storage import ledger as ledger_rows
from hearthline.storage.database import Connection
from hearthline.storage.strangers import Bounds, Guess, Held
from hearthline.storage.views import strangers as views
from ingest.adoption import Wish, adopt, profiles_for
from ingest.door import door_of
from ingest.intake import Message, hear
from ingest.replaying import (
    replay_dead_letters,
    replay_known,
    replay_stranger,
)
from ingest.writing import Door, Outcome, take_in
from simulators.wire.protobuf import nested, single, text, unsigned
from tests import builders as b

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
UNIT = "T-S1-B01-E1-0101"
OTHER = "T-S1-B01-E1-0201"
UID = "own:x/a"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def door(settings: Settings) -> Door:
    return door_of(settings)


@pytest.fixture
def town(save_ledger: Callable[[Ledger], None]) -> None:
    save_ledger(b.town(b.TownPlan(1, 1, 1, 2, unsensed={UNIT, OTHER})))


def room(minute: float, value: Any = 20.0, **more: Any) -> dict[str, Any]:
    return {"ts": (NOW + minute * MINUTE).isoformat(), "temperature_c": value, **more}


def say(connection: Connection, door: Door, minute: float, said: Any, device: str = "a") -> Outcome:
    """A message as ingest takes it in, arriving a moment after it was measured."""
    at = NOW + minute * MINUTE + timedelta(seconds=2)
    payload = said if isinstance(said, bytes) else json.dumps(said).encode()
    message = Message(f"hearthline/v1/x/{device}/room", payload, at)
    with connection.transaction():
        heard = [hear(message, door.formats, door.directory.context)]
        return take_in(connection, heard, door, at)


def held(minute: float = 0, uids: tuple[str, ...] = (UID,), size: int = 100) -> Held:
    return Held(uids, "a/b", b"x" * size, NOW + minute * MINUTE, False, "own")


def stored(connection: Connection, uid: str = UID) -> list[tuple[datetime, float]]:
    rows = connection.execute(
        "SELECT time, temperature_c FROM room_reading r JOIN device d ON d.id = r.device_id"
        " WHERE uid = %s ORDER BY time",
        (uid,),
    ).fetchall()
    return [(row["time"], row["temperature_c"]) for row in rows]


def at_unit(**rest: Any) -> Wish:
    return Wish(UNIT, DeviceRole.ROOM, **rest)


def quarantined(connection: Connection) -> int:
    return int(strangers.held_total(connection)["messages"])


# ── keeping ──
def test_what_a_stranger_says_is_kept_whole_with_a_guess_of_what_it_is(
    connection: Connection, door: Door
) -> None:
    for minute in range(3):
        outcome = say(connection, door, minute, room(minute, 20 + minute))
    assert outcome.quarantined == 1
    row = views.one(connection, UID)
    assert (row["messages"], row["kept"], row["dropped"], row["format"]) == (3, 3, 0, "own")
    assert (row["kind"], row["role"]) == ("room", "room")
    newest = views.messages(connection, UID, 1)[0]
    assert json.loads(newest.payload) == room(2, 22)
    assert newest.received_at == NOW + 2 * MINUTE + timedelta(seconds=2)
    assert dead_letters.counts(connection) == []


def test_a_guess_is_made_once_and_again_only_while_it_says_nothing(connection: Connection) -> None:
    asked: list[tuple[str, ...]] = []

    def guess(uid: str, one: Held) -> Guess | None:
        asked.append((uid, one.topic))
        known = len(asked) > 2
        return Guess("meter", "branch", "热表", "gw-1", {"sample": {"a\0": 1}}) if known else None

    for minute in range(5):
        strangers.quarantine(connection, [held(minute), held(minute)], NOW, guess)
    assert asked == [(UID, "a/b")] * 3
    row = views.one(connection, UID)
    assert (row["kind"], row["role"], row["label"], row["gateway"]) == (
        "meter", "branch", "热表", "gw-1",
    )  # fmt: skip
    assert row["guess"] == {"sample": {"a�": 1}}


def test_names_that_no_database_takes_are_kept_readable(connection: Connection) -> None:
    uid = "own:\0\ud800/" + "n" * 5000
    assert strangers.quarantine(connection, [held(uids=(uid, uid))], NOW) == 0
    (row,) = views.listed(connection)
    assert row["uid"].startswith("own:�")
    assert (row["messages"], row["kept"]) == (1, 1)


def test_a_stranger_has_so_many_messages_and_bytes_the_oldest_leave(connection: Connection) -> None:
    small = Bounds(each=10, each_bytes=1500)
    many = [held(minute, size=100) for minute in range(30)]
    large = [held(minute, ("own:x/large",), size=400) for minute in range(6)]
    assert strangers.quarantine(connection, [*many, *large], NOW, bounds=small) == 10
    assert strangers.purge(connection, NOW, bounds=small) == 10 + 3
    left = views.messages(connection, UID, 100)
    assert [one.received_at for one in left] == [NOW + m * MINUTE for m in range(19, 9, -1)]
    row = views.one(connection, UID)
    assert (row["messages"], row["kept"], row["dropped"]) == (30, 10, 20)
    assert views.one(connection, "own:x/large")["kept"] == 3


def test_all_strangers_together_are_bounded_and_nothing_stays_for_ever(
    connection: Connection,
) -> None:
    messages = [held(n, (f"own:x/{n % 7}",)) for n in range(70)]
    strangers.quarantine(connection, messages, NOW)
    assert strangers.purge(connection, NOW, bounds=Bounds(all=50)) == 20
    assert strangers.purge(connection, NOW, bounds=Bounds(all_bytes=3000)) == 20
    assert quarantined(connection) == 30
    assert sum(row["kept"] for row in views.listed(connection)) == 30
    assert strangers.purge(connection, NOW, bounds=Bounds(strangers=3)) > 0
    assert [row["uid"] for row in views.listed(connection)] == ["own:x/6", "own:x/5", "own:x/4"]
    later = NOW + timedelta(days=31)
    strangers.purge(connection, later)
    assert views.counts(connection)["waiting"] == 0
    assert quarantined(connection) == 0


def test_a_flood_is_purged_by_the_batch_that_brings_it(connection: Connection) -> None:
    bounds = Bounds(all=40, purge_every=50)
    for start in range(0, 200, 20):
        messages = [held(n, (f"own:x/{n}",)) for n in range(start, start + 20)]
        strangers.quarantine(connection, messages, NOW, bounds=bounds)
        assert quarantined(connection) <= 40 + 50 + 20


def test_a_message_that_is_too_large_is_only_counted(connection: Connection) -> None:
    assert strangers.quarantine(connection, [held(size=300_000)], NOW) == 1
    row = views.one(connection, UID)
    assert (row["messages"], row["kept"], row["dropped"]) == (1, 0, 1)


def test_a_message_of_two_strangers_is_kept_once(connection: Connection) -> None:
    strangers.quarantine(connection, [held(uids=("own:x/1", "own:x/2"))], NOW)
    assert quarantined(connection) == 1
    assert {row["kept"] for row in views.listed(connection)} == {1}


def test_strangers_come_in_pages_and_can_be_looked_for(connection: Connection) -> None:
    strangers.quarantine(connection, [held(n, (f"own:x/{n}%_",)) for n in range(5)], NOW)
    first = views.listed(connection, limit=2)
    after = (first[-1]["last_at"], first[-1]["uid"])
    rest = views.listed(connection, after=after)
    assert [row["uid"][6] for row in [*first, *rest]] == ["4", "3", "2", "1", "0"]
    assert len(views.listed(connection, views.Filter(text="3%_"))) == 1
    assert views.listed(connection, views.Filter(text="3_%")) == []
    with pytest.raises(NotFound, match="Did you mean own:x/2%_"):
        views.one(connection, "zigbee:x/2")


# ── dismissing ──
def test_a_dismissed_stranger_is_counted_and_kept_no_more_until_it_is_welcome_again(
    connection: Connection,
) -> None:
    strangers.quarantine(connection, [held(uids=(UID, "own:x/b"))], NOW)
    strangers.dismiss(connection, UID, NOW)
    assert quarantined(connection) == 1  # the other's
    assert strangers.quarantine(connection, [held(1)], NOW) == 1
    assert [row["uid"] for row in views.listed(connection)] == ["own:x/b"]
    row = views.one(connection, UID)
    assert (row["messages"], row["kept"], row["dropped"]) == (2, 0, 2)
    assert row["dismissed_at"] == NOW
    strangers.welcome(connection, UID)
    assert strangers.quarantine(connection, [held(2)], NOW) == 0
    assert views.one(connection, UID)["kept"] == 1
    with pytest.raises(NotFound):
        strangers.dismiss(connection, "own:nobody", NOW)


# ── adopting ──
@pytest.mark.usefixtures("town")
def test_adopting_stores_all_it_said_as_of_when_it_said_it(
    connection: Connection, door: Door, settings: Settings
) -> None:
    for minute in range(0, 1200, 20):
        say(connection, door, minute, room(minute, 18 + minute / 1000))
    say(connection, door, 1200, [room(-600, 17.0), room(1200, 20.0), room(1200, 20.0)])
    adopted = adopt(connection, UID, at_unit(label="客厅"), door, profiles_for(settings))
    assert (adopted.replayed.stored, adopted.replayed.duplicates) == (62, 1)
    assert adopted.replayed.refused == 0
    rows = stored(connection)
    assert (rows[0], len(rows)) == ((NOW - 600 * MINUTE, 17.0), 62)
    (device,) = [d for d in ledger_rows.load(connection).devices if d.uid == UID]
    assert device == Device(
        UID, DeviceKind.ROOM, DeviceRole.ROOM, UNIT, None, 1200, None, None, "客厅",
        valid_from=NOW - 600 * MINUTE,
    )  # fmt: skip
    assert views.listed(connection, views.Filter(dismissed=None)) == []
    assert quarantined(connection) == 0
    say(connection, door, 1220, room(1220))
    assert len(stored(connection)) == 63


@pytest.mark.usefixtures("town")
def test_a_message_of_two_strangers_waits_for_the_second(
    connection: Connection, door: Door, settings: Settings
) -> None:
    say(connection, door, 0, [room(0, 20.0, device="a"), room(0, 21.0, device="b")])
    known = profiles_for(settings)
    assert adopt(connection, UID, at_unit(), door, known).replayed.stored == 1
    assert [row["uid"] for row in views.listed(connection)] == ["own:x/b"]
    assert views.one(connection, "own:x/b")["kept"] == 1
    second = adopt(connection, "own:x/b", Wish(OTHER, DeviceRole.ROOM), door, known)
    assert second.replayed.stored == 1
    assert stored(connection, "own:x/b") == [(NOW, 21.0)]
    assert quarantined(connection) == 0


@pytest.mark.usefixtures("town")
def test_what_the_door_refuses_on_replay_becomes_a_dead_letter_and_nothing_is_counted_twice(
    connection: Connection, door: Door, settings: Settings
) -> None:
    say(connection, door, 0, [room(0, 20.0), room(10, "warm"), room(20, 21.0)])
    before = dead_letters.counts(connection)
    assert [(row["reason"], row["count"]) for row in before] == [("not_a_number", 1)]
    strangers.quarantine(connection, [held(5)], NOW)  # says nothing that a decoder could read
    done = adopt(connection, UID, at_unit(), door, profiles_for(settings)).replayed
    assert done.stored == 2
    after = {row["reason"]: row["count"] for row in dead_letters.counts(connection)}
    assert after == {"not_a_number": 1, "no_format": 1}


@pytest.mark.usefixtures("town")
def test_a_device_that_comes_with_a_ledger_is_replayed_as_well(
    connection: Connection, door: Door
) -> None:
    for minute in range(3):
        say(connection, door, minute, room(minute))
    assert replay_known(connection, door).messages == 0
    device = Device(UID, DeviceKind.ROOM, DeviceRole.ROOM, UNIT)
    with connection.transaction():
        ledger_rows.save(connection, Ledger(devices=(device,)))
    done = replay_known(connection, door)
    assert (done.messages, done.stored) == (3, 3)
    assert views.listed(connection) == []
    assert replay_known(connection, door).messages == 0


@pytest.mark.usefixtures("town")
def test_a_replay_may_be_cut_short_and_repeated(
    connection: Connection, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.replaying.BITE", 4)
    for minute in range(10):
        say(connection, door, minute, room(minute))
    device = Device(UID, DeviceKind.ROOM, DeviceRole.ROOM, UNIT)
    ledger_rows.save(connection, Ledger(devices=(device,)))

    class Cut(Exception):
        pass

    def cut(_done: Any) -> None:
        raise Cut

    with pytest.raises(Cut):
        replay_stranger(connection, UID, door, progress=cut)
    assert (len(stored(connection)), quarantined(connection)) == (4, 6)
    assert replay_stranger(connection, UID, door).stored == 6
    assert len(stored(connection)) == 10


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    ("wish", "error", "remedy"),
    [
        (Wish("T-S1-B01-E1-0110", DeviceRole.ROOM), NotFound, "T-S1-B01-E1-0101"),
        (Wish("a\0", DeviceRole.ROOM), NotFound, "."),
        (Wish("T-S1", DeviceRole.ROOM), Invalid, "It hangs at a unit"),
        (Wish("T-S1", DeviceRole.SECONDARY), Invalid, "supply or return"),
        (Wish(UNIT, DeviceRole.ROOM, kind=DeviceKind.METER), Invalid, "kind room"),
        (Wish(UNIT, DeviceRole.ROOM, profile="nothing-like-it"), NotFound, "Try "),
        (Wish(UNIT, DeviceRole.ROOM, interval_s=0), Invalid, "."),
    ],
)
def test_a_wish_that_does_not_fit_is_refused_with_a_remedy_and_changes_nothing(  # noqa: PLR0917
    connection: Connection,
    door: Door,
    settings: Settings,
    wish: Wish,
    error: type[Exception],
    remedy: str,
) -> None:
    say(connection, door, 0, room(0))
    with pytest.raises(error, match=remedy):
        adopt(connection, UID, wish, door, profiles_for(settings))
    assert views.one(connection, UID)["kept"] == 1
    assert UID not in {device.uid for device in ledger_rows.load(connection).devices}


@pytest.mark.usefixtures("town")
def test_nobody_is_adopted_who_is_no_stranger_or_hangs_somewhere(
    connection: Connection, door: Door, settings: Settings
) -> None:
    known = profiles_for(settings)
    with pytest.raises(NotFound, match="No stranger"):
        adopt(connection, "own:nobody", at_unit(), door, known)
    strangers.quarantine(connection, [held()], NOW)
    ledger_rows.save(
        connection, Ledger(devices=(Device(UID, DeviceKind.ROOM, DeviceRole.ROOM, OTHER),))
    )
    with pytest.raises(Conflict, match="ledger move"):
        adopt(connection, UID, at_unit(), door, known)


@pytest.mark.usefixtures("town")
def test_a_meter_takes_its_flow_pipe_and_its_pace_from_what_is_said(
    connection: Connection, door: Door, settings: Settings
) -> None:
    for minute in range(0, 60, 15):
        payload = json.dumps({"ts": (NOW + minute * MINUTE).isoformat(), "supply_c": 52.0})
        message = Message(
            "hearthline/v1/x/m/meter", payload.encode(), NOW + minute * MINUTE + timedelta(0, 1)
        )
        with connection.transaction():
            heard = [hear(message, door.formats, door.directory.context)]
            take_in(connection, heard, door, message.received_at)
    wish = Wish("T-S1-B01", DeviceRole.BRANCH, flow_pipe=FlowPipe.RETURN)
    adopted = adopt(connection, "own:x/m", wish, door, profiles_for(settings))
    assert adopted.replayed.stored == 4
    assert (adopted.device.kind, adopted.device.expected_interval_s) == (DeviceKind.METER, 900)
    assert adopted.device.flow_pipe is FlowPipe.RETURN


# ── waiting for names ──
EDGE_UID = "sparkplug:G/E"
SPARK = f"{EDGE_UID}/D"


def spark(connection: Connection, door: Door, kind: str, metrics: bytes, minute: float) -> Outcome:
    """A Sparkplug message of the device D, arriving as it is said."""
    at = NOW + minute * MINUTE
    payload = unsigned(1, round(at.timestamp() * 1000)) + metrics + unsigned(3, 5)
    message = Message(f"spBv1.0/G/{kind}/E/D", payload, at)
    with connection.transaction():
        heard = [hear(message, door.formats, door.directory.context)]
        return take_in(connection, heard, door, at)


def by_alias(celsius: float) -> bytes:
    return nested(2, unsigned(2, 1) + single(12, celsius))


BIRTH = nested(2, text(1, "room/temperature") + unsigned(2, 1) + unsigned(4, 9) + unsigned(7, 1))


@pytest.mark.usefixtures("town")
def test_values_without_names_wait_until_their_device_has_said_them(
    connection: Connection, door: Door, settings: Settings
) -> None:
    device = Device(SPARK, DeviceKind.ROOM, DeviceRole.ROOM, UNIT)
    ledger_rows.save(connection, Ledger(devices=(device,)))
    for minute in range(3):
        outcome = spark(connection, door, "DDATA", by_alias(20.0 + minute), minute)
    assert outcome.quarantined == 1
    assert views.listed(connection) == []  # it is no stranger
    waiting = replay_known(connection, door)
    assert (waiting.messages, waiting.stored, waiting.waiting) == (0, 0, 3)
    assert quarantined(connection) == 3
    spark(connection, door, "DBIRTH", BIRTH, -1)
    other = door_of(settings)  # another process learns it from the database
    assert replay_known(connection, other).stored == 3
    assert [value for _at, value in stored(connection, SPARK)] == [20.0, 21.0, 22.0]
    assert quarantined(connection) == 0
    with pytest.raises(NotFound):
        views.one(connection, SPARK)


# ── what the database will not take ──
@pytest.mark.usefixtures("town")
def test_a_message_that_the_database_refuses_costs_only_itself(
    connection: Connection, door: Door
) -> None:
    """No reading that passes the rules is refused by our tables; a company's constraint may."""
    connection.execute("ALTER TABLE room_reading ADD CONSTRAINT lucky CHECK (temperature_c <> 13)")
    for minute in range(9):
        say(connection, door, minute, room(minute, 13.0 if minute == 5 else 20.0))
    device = Device(UID, DeviceKind.ROOM, DeviceRole.ROOM, UNIT)
    ledger_rows.save(connection, Ledger(devices=(device,)))
    done = replay_known(connection, door)
    assert (done.messages, done.stored, done.refused) == (9, 8, 1)
    assert len(stored(connection)) == 8
    (letter,) = dead_letters.listed(connection)
    assert (letter["reason"], letter["device_uid"]) == ("malformed", UID)
    assert "the database refused it" in letter["detail"]
    again = replay_dead_letters(connection, dead_letters.Filter(), door)
    assert (again.messages, again.refused) == (1, 1)
    assert dead_letters.listed(connection) == [letter]
    connection.execute("ALTER TABLE room_reading DROP CONSTRAINT lucky")
    assert replay_dead_letters(connection, dead_letters.Filter(), door).stored == 1
