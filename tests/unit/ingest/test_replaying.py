"""What is taken in again: one device's part, one letter's part, and what stays owed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hearthline.domain.readings import Rejection, RejectReason
from hearthline.storage.dead_letters import PARTS, Letter, gathered, key
from ingest.formats import Registry
from ingest.formats.model import NO_CONTEXT
from ingest.intake import Heard, Message, hear
from ingest.replaying import is_about, its_part, owed, part_of

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
TOPIC = "hearthline/v1/s/gw/room"
FORMATS = Registry()


def item(minute: int, value: Any, device: str = "a") -> dict[str, Any]:
    at = (NOW + timedelta(minutes=minute)).isoformat()
    return {"device": device, "ts": at, "temperature_c": value}


def heard(said: Any) -> Heard:
    return hear(Message(TOPIC, json.dumps(said).encode(), NOW), FORMATS, NO_CONTEXT)


def letter(rejection: Rejection, number: int = 1) -> Letter:
    return Letter(number, rejection, key(rejection), NOW, NOW, 1)


def uids(one: Heard) -> list[str]:
    return [reading.device_uid for reading in one.decoded.readings]


# ── one device's part ──
def test_a_device_takes_only_its_own_readings_with_their_items() -> None:
    whole = heard([item(0, 20.0, "a"), item(0, 21.0, "b"), item(1, 22.0, "a")])
    mine = part_of(whole, "own:s/a", FORMATS)
    assert uids(mine) == ["own:s/a", "own:s/a"]
    assert mine.decoded.item(1, mine.message.payload) == item(1, 22.0, "a")
    assert mine.context is whole.context


def test_what_was_refused_on_arrival_is_not_refused_again() -> None:
    whole = heard([item(0, 20.0), item(1, "warm"), item(2, "hot", "b")])
    assert len(whole.decoded.rejections) == 2
    assert part_of(whole, "own:s/a", FORMATS).decoded.rejections == ()


def test_a_message_that_says_nothing_of_its_device_any_more_is_refused_not_lost() -> None:
    (refusal,) = part_of(heard([item(0, 20.0)]), "own:s/other", FORMATS).decoded.rejections
    assert refusal.reason is RejectReason.NO_QUANTITY
    assert refusal.device_uid == "own:s/other"


# ── one letter's part ──
def test_a_letter_for_a_part_takes_that_part_alone() -> None:
    whole = heard([item(0, 20.0), item(1, "warm"), item(2, "hot")])
    first, second = whole.decoded.rejections
    again = its_part(letter(first), whole)
    assert uids(again) == []
    assert again.decoded.rejections == (first,)
    repaired = heard([item(0, 20.0), item(1, 21.0), item(2, "hot")])
    fixed = replace(first, payload=json.dumps(item(1, 21.0), separators=(",", ":")).encode())
    taken = its_part(letter(fixed), repaired)
    assert [reading.time for reading in taken.decoded.readings] == [NOW + timedelta(minutes=1)]
    assert taken.decoded.rejections == ()
    assert second not in taken.decoded.rejections


def test_a_letter_for_a_whole_message_takes_all_of_it() -> None:
    whole = heard([item(0, 20.0), item(1, "warm")])
    refusal = Rejection(TOPIC, whole.message.payload, RejectReason.MALFORMED, "")
    assert its_part(letter(refusal), whole) is whole


def test_a_part_that_is_not_found_any_more_costs_nothing_of_its_message() -> None:
    whole = heard([item(0, 20.0)])
    gone = Rejection(TOPIC, b"gone", RejectReason.MALFORMED, "", message=whole.message.payload)
    assert its_part(letter(gone), whole) is whole


def test_a_letter_is_about_its_part_whatever_the_reason_is_today() -> None:
    refusal = Rejection(TOPIC, b"part", RejectReason.MALFORMED, "", message=b"all")
    assert is_about(letter(refusal), b"part")
    assert not is_about(letter(refusal), b"another")


# ── what stays ──
def test_a_refusal_renews_the_letter_of_its_part_and_keeps_the_device_it_was_known_for() -> None:
    parts = [
        Rejection(TOPIC, payload, RejectReason.MALFORMED, "", f"own:s/{n}", b"all")
        for n, payload in enumerate((b"one", b"two"))
    ]
    letters = [letter(part, number) for number, part in enumerate(parts, 1)]
    today = replace(parts[1], reason=RejectReason.BAD_TIME, device_uid=None)
    ((renewed, number, now),) = owed(letters, [today])
    assert (renewed, number) == (letters[1], 2)
    assert (now.reason, now.device_uid) == (RejectReason.BAD_TIME, "own:s/1")


def test_several_refusals_of_a_whole_message_share_its_letter() -> None:
    whole = letter(Rejection(TOPIC, b"all", RejectReason.MALFORMED, ""), 7)
    today = [
        Rejection(TOPIC, part, RejectReason.BAD_TIME, "", message=b"all") for part in (b"1", b"2")
    ]
    assert [number for _letter, number, _now in owed([whole], today)] == [7, None]
    stranger = Rejection(TOPIC, b"other", RejectReason.BAD_TIME, "")
    assert owed([whole], [stranger]) == []


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from([b"m1", b"m2", None]))))
def test_letters_count_every_refusal_once_however_they_are_gathered(
    refused: list[tuple[int, bytes | None]],
) -> None:
    rejections = [
        Rejection(TOPIC, b"%d" % part, RejectReason.MALFORMED, "", message=message)
        for part, message in refused
    ]
    letters = gathered(rejections)
    assert sum(count for _one, count in letters) == len(rejections)
    for message in (b"m1", b"m2"):
        mine = [one for one, _count in letters if one.message == message]
        assert len(mine) <= PARTS
