"""Batches made ready one ahead: what may be done from memory, and for how long it holds."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from typing import Any

import pytest

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import RejectReason
from hearthline.storage.columns import KnownDevice
from ingest.acceptance import Rules
from ingest.batcher import Batcher, Closed, Limits
from ingest.directory import GOOD_FOR_S, Directory
from ingest.door import Door
from ingest.formats import Decoded, Format, Registry
from ingest.gathering import Gatherer
from ingest.intake import Heard, Message, hear
from ingest.preparing import prepare, prepare_ahead

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
LIMITS = Limits(rows=1000, messages=3, age_s=60, quiet_s=0.001)


class Ledger(Directory):
    """A directory whose ledger is a mapping, which it asks as it would ask the database."""

    def __init__(self, devices: dict[str, KnownDevice], elapsed: Callable[[], float]) -> None:
        super().__init__(elapsed=elapsed)
        self.devices = devices
        self.ask()

    def ask(self) -> None:
        """What ``resolve`` does, where there is a database."""
        self._known, self._loaded_at = dict(self.devices), self._elapsed()


class Clock:
    """Seconds, as far as a test lets them pass."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(clock: Clock) -> Door:
    ledger = Ledger(
        {f"own:s/{name}": KnownDevice(n, DeviceKind.ROOM, 1200) for n, name in enumerate("ab", 1)},
        clock,
    )
    return Door(Registry(), Rules(NOW - timedelta(days=365), timedelta(minutes=10)), ledger)


def heard(door: Door, device: str, *minutes: int, **more: Any) -> Heard:
    items = [
        {"ts": (NOW - timedelta(minutes=minute)).isoformat(), "temperature_c": 20.0, **more}
        for minute in minutes
    ]
    topic = f"hearthline/v1/s/{device}/room"
    message = Message(topic, json.dumps(items).encode(), NOW)
    return hear(message, door.formats, door.directory.context)


def test_what_is_remembered_is_enough_to_prepare_a_batch(door: Door) -> None:
    messages = [heard(door, "b", 3, 1), heard(door, "a", 2), heard(door, "a", 4, temperature_c=999)]
    ready = prepare_ahead(messages, door)
    assert ready is not None
    assert ready.stands(door.directory)
    (lot,) = ready.lots
    ago = [(NOW - timedelta(minutes=minute)).timestamp() * 1e6 for minute in (4, 2, 3, 1)]
    assert (lot.lot.devices.tolist(), lot.lot.times.tolist()) == ([1, 1, 2, 2], ago)
    assert ready.flagged == {"OUT_OF_RANGE": 1}
    assert ready.decoded == {"own": 4}


def test_what_has_no_place_is_refused_ahead_too(door: Door) -> None:
    (message,) = [heard(door, "a", -60, 1)]  # one of the two is an hour in the future
    ready = prepare([message], {"own:s/a": KnownDevice(1, DeviceKind.ROOM, 1200)}, door)
    assert [one.reason for one in ready.refusals] == [RejectReason.IN_THE_FUTURE]
    assert [len(lot.lot) for lot in ready.lots] == [1]


def test_of_readings_for_one_instant_the_first_to_arrive_is_copied(door: Door) -> None:
    messages = [heard(door, "a", 5), heard(door, "a", 5, temperature_c=21.0)]
    ready = prepare_ahead(messages, door)
    assert ready is not None
    (lot,) = ready.lots
    assert lot.first.tolist() == [True, False]
    assert lot.unique.values["temperature_c"].tolist() == [20.0]


def test_who_is_not_remembered_has_to_be_asked_for(door: Door) -> None:
    assert prepare_ahead([heard(door, "a", 1), heard(door, "stranger", 1)], door) is None


def test_a_message_read_with_older_knowledge_is_read_again_first(door: Door) -> None:
    message = heard(door, "a", 1)
    door.directory.learn({"alias": {"1": "temperature"}})
    assert prepare_ahead([message], door) is None


@pytest.mark.parametrize("said", [{"needs": ("key",)}, {"learnt": {"key": {}}}])
def test_lessons_and_questions_wait_for_their_turn(door: Door, said: dict[str, Any]) -> None:
    theirs = Registry([Format("theirs", ("x",), lambda *_: Decoded(**said))])
    message = hear(Message("x", b"", NOW), theirs, door.directory.context)
    assert prepare_ahead([message], door) is None


def test_it_stands_no_more_when_the_ledger_or_a_lesson_has_changed(
    door: Door, clock: Clock
) -> None:
    directory = door.directory
    assert isinstance(directory, Ledger)

    def prepared() -> Any:
        directory.ask()
        return prepare_ahead([heard(door, "a", 1)], door)

    for change in (
        directory.forget,
        directory.ask,
        lambda: directory.learn({"alias": {"1": "humidity"}}),
        lambda: setattr(clock, "now", clock.now + GOOD_FOR_S + 1),
    ):
        ready = prepared()
        assert ready.stands(directory)
        change()
        assert not ready.stands(directory)


def test_a_gateway_is_news_until_it_was_noted(door: Door) -> None:
    directory, said = door.directory, {"own:s/a": "own:s/gw", "own:s/stranger": "own:s/gw"}
    assert directory.news(said) == {1: "own:s/gw"}
    directory.note_gateways({1: "own:s/gw"})
    assert directory.news(said) == {}
    assert directory.news({"own:s/a": "own:s/other"}) == {1: "own:s/other"}


# ── gathering ───────────────────────────────────────────────────────────────────────────


def gatherer(door: Door, *messages: Heard) -> Gatherer:
    inbox: SimpleQueue[Heard] = SimpleQueue()
    for message in messages:
        inbox.put(message)
    return Gatherer(inbox, Batcher(LIMITS), door, threading.Event())


def test_batches_come_in_the_order_of_arrival_and_prepared(door: Door) -> None:
    messages = [heard(door, "a", minute) for minute in range(5)]
    gathering = gatherer(door, *messages)
    first, second = gathering.next(), gathering.next()
    assert first is not None
    assert second is not None
    assert [*first.heard, *second.heard] == messages
    assert (first.closed, second.closed) == (Closed.WINDOW, Closed.QUIET)
    assert first.prepared is not None
    assert first.prepared.heard == first.heard
    assert first.id != second.id


def test_where_nothing_comes_there_is_no_batch(door: Door) -> None:
    assert gatherer(door).next() is None


def test_what_is_written_at_the_end_says_so(door: Door) -> None:
    gathering = gatherer(door, heard(door, "a", 1))
    gathering.stopping.set()
    last = gathering.next()
    assert last is not None
    assert last.closed is Closed.STOPPING


def test_what_cannot_be_prepared_comes_as_it_is(door: Door) -> None:
    """A reading that no column can hold shows again where the batch is written."""
    broken = heard(door, "a", 1)
    table: Any = broken.decoded.readings
    table.columns = (table.columns[0], ["no instant"], *table.columns[2:])
    batch = gatherer(door, broken).next()
    assert batch is not None
    assert (batch.heard, batch.prepared) == ([broken], None)
