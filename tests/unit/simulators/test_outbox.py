"""The outbox: ordered by instant, then by rank, then by content; each message counted once."""

from __future__ import annotations

from simulators.post.outbox import BYE, HELLO, Outbox
from simulators.report import Kind, Report
from simulators.wire import Said


def test_messages_leave_in_order_and_no_sooner_than_they_are_due() -> None:
    box = Outbox(1000, -1.0, Report())
    box.put(20, Said("b", b""))
    box.put(10, Said("z", b""))
    box.put(10, Said("a", b"2"), 5)
    box.put(10, Said("y", b""), HELLO)
    box.put(10, Said("x", b""), BYE)
    assert [message.topic for message in box.take(15)] == ["x", "y", "z", "a"]
    assert box.held == 1
    assert [(message.topic, message.due) for message in box.take(20)] == [("b", 1020)]


def test_what_an_earlier_run_published_is_neither_sent_nor_counted() -> None:
    report = Report()
    box = Outbox(0, 10, report)
    box.put(10, Said("old", b""))
    box.put(11, Said("new", b"", 3, True), kind=Kind.DUPLICATE)
    (message,) = box.take(99)
    assert (message.topic, message.readings, message.retain) == ("new", 3, True)
    assert (report.messages, report.duplicates, report.good) == (1, 3, 0)


def test_a_greeting_counts_as_a_message_without_readings() -> None:
    report = Report()
    box = Outbox(0, -1, report)
    box.put(0, Said("hello", b"", 0, True))
    box.take(0)
    assert (report.messages, report.readings) == (1, 0)
    assert report.balanced
