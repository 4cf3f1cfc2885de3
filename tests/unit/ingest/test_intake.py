"""A message decoded and sorted: nothing it says gets lost between readings and rejections."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import Rejection, RejectReason, RoomReading
from hearthline.storage.columns import KnownDevice
from ingest.acceptance import Refusal
from ingest.batcher import Closed
from ingest.formats import Decoded, Format, Registry
from ingest.formats.model import NO_CONTEXT
from ingest.intake import Heard, Message, hear, refused
from ingest.preparing import Batch
from ingest.sorting import sort_out
from ingest.writing import unwritable

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
ROOM = KnownDevice(1, DeviceKind.ROOM, 1200)


def heard(topic: str, payload: object, formats: Registry | None = None) -> Heard:
    body = json.dumps(payload).encode()
    return hear(Message(topic, body, NOW), formats or Registry(), NO_CONTEXT)


def reading(minute: int, **more: Any) -> dict[str, Any]:
    at = NOW - timedelta(hours=1) + timedelta(minutes=minute)
    return {"ts": at.isoformat(), "temperature_c": 20.0, **more}


def test_each_item_ends_as_a_reading_or_a_rejection_with_its_own_payload() -> None:
    items = [reading(0), {"ts": "yesterday", "temperature_c": 20}, reading(20, temperature_c=99)]
    one = heard("hearthline/v1/s/d/room", items)
    assert one.rows == 3
    assert one.decoded.items == (items[0], items[2])
    (rejection,) = one.decoded.rejections
    assert json.loads(rejection.payload) == items[1]
    assert json.loads(rejection.message or b"") == items


@pytest.mark.parametrize("more", [{}, {"temperature_c": "20"}])
def test_a_reading_that_is_refused_later_still_has_its_own_payload(more: dict[str, Any]) -> None:
    """Both ways of reading an array, the quick and the patient one."""
    items = [reading(0), reading(20, **more)]
    one = heard("hearthline/v1/s/d/room", items)
    letter = refused(one, 1, Refusal(RejectReason.TOO_OLD, "why"))
    assert json.loads(letter.payload) == items[1]
    assert letter.message == one.message.payload
    assert letter.device_uid == "own:s/d"


def test_a_refused_single_object_keeps_its_very_bytes() -> None:
    body = b'{ "ts": true,   "temperature_c": 20 }'
    one = hear(Message("hearthline/v1/s/d/room", body, NOW), Registry(), NO_CONTEXT)
    (letter,) = one.decoded.rejections
    assert (letter.payload, letter.message, letter.device_uid) == (body, None, "own:s/d")


@pytest.mark.parametrize(
    "made",
    [
        RoomReading("x:1", NOW.replace(tzinfo=None), 20.0),
        RoomReading("x:1", NOW, "20"),  # type: ignore[arg-type]
        "no reading",
    ],
)
def test_what_a_companys_decoder_makes_wrongly_becomes_a_dead_letter(made: Any) -> None:
    theirs = Registry([Format("theirs", ("x",), lambda *_: Decoded((made,)))])
    one = heard("x", 1, theirs)
    assert not one.decoded.readings
    assert [r.reason for r in one.decoded.rejections] == [RejectReason.MALFORMED]


def test_a_decoder_that_miscounts_its_items_costs_its_message() -> None:
    theirs = Registry([Format("theirs", ("x",), lambda *_: Decoded((), (), (None,)))])
    one = heard("x", 1, theirs)
    assert [r.reason for r in one.decoded.rejections] == [RejectReason.MALFORMED]


def test_readings_are_sorted_by_what_the_ledger_knows() -> None:
    message = heard("hearthline/v1/s/gw/room", [reading(0, device=d) for d in "abc"])
    known = {"own:s/a": ROOM, "own:s/b": KnownDevice(2, DeviceKind.METER, 300)}
    found = sort_out([message], known)
    assert [(lot.devices.tolist(), lot.numbers.tolist()) for lot in found.known] == [([1], [0])]
    assert [r.reason for r in found.refused] == [RejectReason.WRONG_KIND]
    assert (list(found.strangers[0]), found.strange) == (["own:s/c"], 1)
    assert found.carried == dict.fromkeys(["own:s/a", "own:s/b", "own:s/c"], "own:s/gw")
    (held,) = found.held([message], Registry())
    assert (held.uids, held.payload, held.format) == (("own:s/c",), message.message.payload, "own")


def test_readings_stand_in_the_order_of_arrival_one_by_one_or_many_at_once() -> None:
    one, many = reading(0, device="a"), [reading(n, device="a") for n in (1, 2)]
    messages = [heard("hearthline/v1/s/gw/room", said) for said in (one, many, one, one)]
    ((lot, origin, numbers),) = sort_out(messages, {"own:s/a": ROOM}).lots()
    assert origin.message.tolist() == [0, 1, 1, 2, 3]
    assert list(numbers) == [0, 0, 1, 0, 0]
    minutes = [(at - lot.times[0]) // 60_000_000 for at in lot.times.tolist()]
    assert minutes == [0, 1, 2, 0, 0]


def test_an_unknown_alias_makes_its_device_a_stranger() -> None:
    said = Rejection("x", b"1", RejectReason.UNKNOWN_ALIAS, "alias 3", "sparkplug:g/e/d")
    theirs = Registry([Format("theirs", ("x",), lambda *_: Decoded((), (said,)))])
    found = sort_out([heard("x", 1, theirs)], {})
    assert (list(found.strangers[0]), found.refused) == (["sparkplug:g/e/d"], [])


def test_a_message_that_the_database_refuses_becomes_one_dead_letter() -> None:
    one = heard("hearthline/v1/s/d/room", [reading(0), reading(20)])
    (letter,) = unwritable(one, ValueError("no\nmore")).decoded.rejections
    assert letter.reason is RejectReason.MALFORMED
    assert letter.detail == "the database refused it: no"
    batch = Batch([one, one, one], Closed.FULL)
    assert [len(half.heard) for half in batch.halves()] == [1, 2]
