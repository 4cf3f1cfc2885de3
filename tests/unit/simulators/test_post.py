"""The post: the same bytes however a run is cut, resumed exactly, books that balance."""

from __future__ import annotations

import pytest

from simulators.post import Message
from simulators.scenario import BehaviourSpec
from tests.unit.simulators.posting import (
    ANCHOR_S,
    DOWN,
    HOURS_30,
    ROOM_S,
    STEP_S,
    Going,
    due,
)


@pytest.fixture(scope="module")
def whole() -> list[Message]:
    """Thirty rough hours in one piece."""
    return Going(down=DOWN).until(HOURS_30)


@pytest.mark.parametrize("block_s", [3610, 7 * 3600])
def test_the_block_size_does_not_matter(whole: list[Message], block_s: int) -> None:
    going = Going(down=DOWN)
    blocks = [going.until(end) for end in (*range(block_s, HOURS_30, block_s), HOURS_30)]
    assert [message for block in blocks for message in block] == whole


@pytest.mark.parametrize("hours", [0.02, 4.02, 9.01, 13.3, 23.9])
def test_a_resumed_run_goes_on_exactly_where_the_first_left(
    whole: list[Message], hours: float
) -> None:
    until_s = int(hours * 3600)
    first = Going(down=DOWN).until(until_s)
    rest = Going(down=DOWN, after_s=until_s).until(HOURS_30)
    assert first + rest == whole


def test_a_resumed_run_does_not_send_what_is_long_over_again() -> None:
    going = Going(after_s=HOURS_30)
    going.until(HOURS_30 + 3600)
    assert going.skipped * STEP_S > HOURS_30 - 16 * 3600


def test_messages_come_in_order_of_their_instants(whole: list[Message]) -> None:
    due = [message.due for message in whole]
    assert due == sorted(due)
    assert due[0] >= ANCHOR_S


def test_another_seed_gives_other_bytes(whole: list[Message]) -> None:
    assert Going(down=DOWN, seed=6).until(HOURS_30) != whole


# Books ----------------------------------------------------------------------------------------


def test_every_reading_is_good_or_a_copy_or_bad(whole: list[Message]) -> None:
    going = Going(down=DOWN)
    messages = going.until(HOURS_30)
    report = going.report
    assert report.balanced
    assert report.messages == len(messages)
    assert report.readings == sum(message.readings for message in messages)
    assert min(report.good, report.duplicates, report.lost, report.held) > 0
    assert set(report.bad) == {"malformed", "clock_1970", "clock_ahead", "nan", "unknown_device"}


def test_every_sample_is_published_or_lost_or_held() -> None:
    going = Going(down=DOWN)
    going.until(HOURS_30)
    report, steps = going.report, HOURS_30 // STEP_S + 1
    rooms, meters = len(going.fleet.rooms.unit), len(going.fleet.meters.speech)
    sampled = sum(
        len(due(going.fleet.rooms.phase_s, at * STEP_S, ROOM_S)[0]) for at in range(steps)
    )
    sampled += meters * steps + steps * STEP_S // 600 + 1
    copies = report.readings - report.good
    waiting_copies = report.held + report.good + report.lost - sampled
    assert rooms > 0
    assert copies == report.duplicates + report.dead_letters
    assert 0 <= waiting_copies < 30  # copies and bad messages that are not due yet


def test_a_well_behaved_field_loses_and_spoils_nothing() -> None:
    going = Going(BehaviourSpec())
    going.until(HOURS_30)
    report = going.report
    assert (report.lost, report.duplicates, report.dead_letters) == (0, 0, 0)
