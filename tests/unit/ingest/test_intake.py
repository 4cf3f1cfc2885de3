"""A message decoded and judged: nothing it says gets lost between readings and rejections."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hearthline.domain.readings import Quality, RejectReason, RoomReading
from ingest.acceptance import Rules
from ingest.formats import Decoded, Format, Registry
from ingest.intake import Message, hear

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
RULES = Rules(datetime(2005, 1, 1, tzinfo=UTC), timedelta(minutes=10))


def heard(topic: str, payload: object, *, retained: bool = False):
    body = json.dumps(payload).encode()
    return hear(Message(topic, body, NOW, retained), Registry(), RULES)


def test_each_item_ends_as_a_reading_or_a_rejection_with_its_own_payload() -> None:
    items = [
        {"ts": "2026-01-10T11:40:00Z", "temperature_c": 20},
        {"ts": "1970-01-01T00:00:07Z", "temperature_c": 20},
        {"ts": "2026-01-10T11:50:00Z", "temperature_c": 99},
        {"ts": "2026-01-10T11:55:00Z"},
    ]
    one = heard("hearthline/v1/s/d/room", items)
    assert one.rows == 4
    assert one.items == items[:1]
    reasons = {rejection.reason: json.loads(rejection.payload) for rejection in one.rejections}
    assert reasons == {
        RejectReason.TOO_OLD: items[1],
        RejectReason.OUT_OF_RANGE: items[2],
        RejectReason.NO_QUANTITY: items[3],
    }


def test_a_refused_single_object_keeps_its_very_bytes() -> None:
    body = b'{ "ts": 7,   "temperature_c": 20 }'
    one = hear(Message("hearthline/v1/s/d/room", body, NOW), Registry(), RULES)
    assert one.rejections[0].payload == body
    assert one.rejections[0].device_uid == "own:s/d"


def test_a_retained_message_without_a_time_was_said_nobody_knows_when() -> None:
    live = heard("zigbee2mqtt/a", {"temperature": 20})
    assert live.readings[0].quality == Quality.CLOCK_GUESSED
    retained = heard("zigbee2mqtt/a", {"temperature": 20}, retained=True)
    assert [r.reason for r in retained.rejections] == [RejectReason.BAD_TIME]


def test_a_retained_message_with_its_time_is_as_good_as_any() -> None:
    state = {"temperature": 20, "last_seen": "2026-01-10T11:00:00Z"}
    assert heard("zigbee2mqtt/a", state, retained=True).readings


@pytest.mark.parametrize(
    "made",
    [
        RoomReading("x:1", NOW.replace(tzinfo=None), 20.0),
        RoomReading("x:1", NOW, "20"),
        "no reading",
    ],  # type: ignore[arg-type]
)
def test_what_a_companys_decoder_makes_wrongly_becomes_a_dead_letter(made: Any) -> None:
    theirs = Registry([Format("theirs", ("x",), lambda *_: Decoded((made,)))])
    one = hear(Message("x", b"1", NOW), theirs, RULES)
    assert not one.readings
    assert [r.reason for r in one.rejections] == [RejectReason.MALFORMED]


def test_a_decoder_that_miscounts_its_items_costs_its_message() -> None:
    theirs = Registry([Format("theirs", ("x",), lambda *_: Decoded((), (), (None,)))])
    one = hear(Message("x", b"1", NOW), theirs, RULES)
    assert [r.reason for r in one.rejections] == [RejectReason.MALFORMED]
