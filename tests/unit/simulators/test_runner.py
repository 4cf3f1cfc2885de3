"""Runs: the same bytes however they are cut, resumed exactly, accounted for to the last reading."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulators import City, Message, Run, build, run
from simulators.scenario.file import parse

HOURS = timedelta(hours=4)


def published(city: City, anchor: datetime, step: timedelta, **more: Any) -> list[Message]:
    return [m for block in run(city, anchor, anchor + HOURS, step, **more) for m in block.messages]


def test_the_same_seed_and_anchor_give_the_same_bytes(
    hamlet: Callable[..., City], anchor: datetime, rough: str
) -> None:
    hour = timedelta(hours=1)
    assert published(hamlet(rough), anchor, hour) == published(hamlet(rough), anchor, hour)


@pytest.mark.parametrize("step", [timedelta(seconds=47), timedelta(minutes=20), HOURS])
def test_the_block_size_does_not_matter(
    hamlet: Callable[..., City], anchor: datetime, rough: str, step: timedelta
) -> None:
    city = hamlet(rough)
    assert published(city, anchor, step) == published(city, anchor, timedelta(minutes=10))


@pytest.mark.parametrize("minutes", [1, 60, 133, 239])
def test_a_resumed_run_goes_on_exactly_where_the_first_left(
    hamlet: Callable[..., City], anchor: datetime, rough: str, minutes: int
) -> None:
    city = hamlet(rough)
    whole = published(city, anchor, timedelta(minutes=10))
    until = anchor + timedelta(minutes=minutes)
    first = [m for block in run(city, anchor, until) for m in block.messages]
    rest = published(city, anchor, timedelta(minutes=7), publish_from=until)
    assert first + rest == whole


def test_a_resumed_run_remembers_counters_and_stuck_sensors(
    hamlet: Callable[..., City], anchor: datetime
) -> None:
    city = hamlet("faults:\n  - {cause: sensor_stuck, place: H-S1-B01-E1-0302, onset: 1h}\n")
    until, end = anchor + timedelta(hours=9), anchor + timedelta(hours=10)
    whole = [m for block in run(city, anchor, end) for m in block.messages]
    rest = [m for block in run(city, anchor, end, publish_from=until) for m in block.messages]
    assert rest == whole[-len(rest) :]
    assert len(rest) > 80


def test_a_repetition_that_straddles_the_end_of_a_run_is_published_by_the_next(
    hamlet: Callable[..., City], anchor: datetime
) -> None:
    city = hamlet("behaviour: {duplicated: 1.0}\n")
    whole = published(city, anchor, timedelta(minutes=10))
    until = anchor + timedelta(minutes=45)
    first = [m for block in run(city, anchor, until) for m in block.messages]
    assert first + published(city, anchor, timedelta(minutes=10), publish_from=until) == whole


EVERYTHING = (
    "{mix: {own: 1, chirpstack: 1, zigbee2mqtt: 1, tts: 1, tasmota: 1, homie: 1, sparkplug: 2,"
    " senml: 1, onenet: 1, alink: 1, iotda: 1, ctwing: 1},"
    " meter_mix: {own: 1, wmbusmeters: 1, sparkplug: 1, iotda: 1}, "
)


def test_a_town_that_speaks_every_format_late_and_wrongly_is_resumed_exactly(
    hamlet_text: str, rough: str, anchor: datetime
) -> None:
    badly = rough + "  late: 0.6\n  late_by: 3h\n  clock_wrong: 0.5\n"
    text = hamlet_text.replace("instruments:\n  {", f"instruments:\n  {EVERYTHING}") + badly
    scenario, _ = parse(text, "hamlet")
    city = build(scenario)
    going = run(city, anchor, anchor + HOURS)
    whole = [m for block in going for m in block.messages]
    assert len({m.topic.split("/")[0] for m in whole}) >= 11
    assert going.report.balanced
    until = anchor + timedelta(minutes=133)
    first = [m for block in run(city, anchor, until) for m in block.messages]
    assert first + published(city, anchor, timedelta(minutes=17), publish_from=until) == whole


def test_another_seed_gives_other_bytes(hamlet: Callable[..., City], anchor: datetime) -> None:
    hour = timedelta(hours=1)
    assert published(hamlet(seed=1), anchor, hour) != published(hamlet(seed=2), anchor, hour)


def test_blocks_come_in_order_and_hold_what_is_due(
    hamlet: Callable[..., City], anchor: datetime, rough: str
) -> None:
    last = anchor
    for block in run(hamlet(rough), anchor, anchor + HOURS, timedelta(minutes=25)):
        due = [message.due for message in block.messages]
        assert due == sorted(due)
        assert all(last.timestamp() <= at <= block.until.timestamp() for at in due)
        last = block.until
    assert last == anchor + HOURS


def ended(city: City, anchor: datetime, hours: int = 12) -> tuple[Run, list[Message]]:
    going = run(city, anchor, anchor + timedelta(hours=hours))
    return going, [m for block in going for m in block.messages]


def readings_of(message: Message) -> list[tuple[str, Any]]:
    """(device, time) of every reading of a message, as a receiver would tell them apart."""
    try:
        content = json.loads(message.payload)
    except ValueError:
        return []
    if message.topic.startswith("hearthline/"):
        items = content if isinstance(content, list) else [content]
        name = message.topic.split("/")[3]
        return [(item.get("device", name), item["ts"]) for item in items]
    if message.topic.startswith("application/"):
        return [(content["deviceInfo"]["devEui"], content["time"])]
    return [(message.topic, content["last_seen"])]


def test_the_report_accounts_for_every_reading(
    hamlet: Callable[..., City], anchor: datetime, rough: str
) -> None:
    going, messages = ended(hamlet(rough), anchor)
    report = going.report
    assert report.balanced
    assert report.messages == len(messages)
    assert report.readings == sum(message.readings for message in messages)
    assert report.readings == report.good + report.duplicates + report.dead_letters
    assert set(report.bad) == {
        "malformed",
        "clock_1970",
        "clock_ahead",
        "nan",
        "unknown_device",
    }
    assert all(count > 0 for count in report.bad.values())
    assert report.duplicates > 0
    assert report.lost > 0
    assert report.as_dict()["bad"] == dict(sorted(report.bad.items()))


def _between(ts: Any, begin: float, end: float) -> bool:
    if isinstance(ts, str):
        at = datetime.fromisoformat(ts).timestamp()
    else:
        at = ts / 1000 if ts > 1e11 else ts
    return begin <= at <= end


def test_distinct_device_and_time_of_valid_messages_are_exactly_the_good_ones(
    hamlet: Callable[..., City], anchor: datetime, rough: str
) -> None:
    going, messages = ended(hamlet(rough), anchor)
    counted: Counter[tuple[str, Any]] = Counter()
    for message in messages:
        if b"NaN" not in message.payload and "SPARE-" not in message.topic:
            counted.update(readings_of(message))
    begin, end = anchor.timestamp(), anchor.timestamp() + 86400
    wrong = [key for key in counted if not _between(key[1], begin, end)]
    assert len(wrong) == going.report.bad["clock_1970"] + going.report.bad["clock_ahead"]
    for key in wrong:
        del counted[key]
    assert len(counted) == going.report.good
    assert sum(counted.values()) - len(counted) == going.report.duplicates


def test_a_well_behaved_field_loses_and_spoils_nothing(
    hamlet: Callable[..., City], anchor: datetime
) -> None:
    going, _ = ended(hamlet(), anchor)
    report = going.report
    assert (report.lost, report.duplicates, report.dead_letters) == (0, 0, 0)
    sensors, meters, hours = 52, 10, 12
    sampled = (sensors + meters + 1) * 3 * hours
    assert report.good + report.held == pytest.approx(sampled, abs=sensors + meters + 2)


def test_a_gateways_backlog_comes_late_but_whole(
    hamlet: Callable[..., City], anchor: datetime
) -> None:
    outage = "behaviour: {outages_per_gateway_day: 1.0, outage: 5h}\n"
    city = hamlet(outage)
    going, messages = ended(city, anchor, hours=40)
    usual, _ = ended(hamlet(), anchor, hours=40)
    oldest = 0.0
    for message in messages:
        if "-GW1/" in message.topic:
            for item in json.loads(message.payload):
                ts = item["ts"]
                if isinstance(ts, str):
                    ts = datetime.fromisoformat(ts).timestamp()
                oldest = max(oldest, message.due - (ts / 1000 if ts > 1e11 else ts))
    assert 4 * 3600 < oldest <= 5 * 3600 + 1200
    assert max(m.readings for m in messages) <= 50
    assert going.report.good + going.report.held == usual.report.good + usual.report.held


def test_gateways_write_time_in_every_legal_way(
    hamlet: Callable[..., City], anchor: datetime
) -> None:
    _, messages = ended(hamlet(), anchor, hours=1)
    kinds = set()
    for message in messages:
        if message.topic.startswith("hearthline/"):
            content = json.loads(message.payload)
            ts = (content[0] if isinstance(content, list) else content)["ts"]
            kinds.add(ts[-1] if isinstance(ts, str) else ("ms" if ts > 1e11 else "s"))
    assert kinds == {"0", "Z", "ms", "s"}


def test_instants_without_a_zone_are_refused(hamlet: Callable[..., City]) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        run(hamlet(), datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


def test_a_block_of_no_length_is_refused(hamlet: Callable[..., City], anchor: datetime) -> None:
    with pytest.raises(ValueError, match="at least a second"):
        run(hamlet(), anchor, step=timedelta(0))


def test_without_a_stop_a_run_goes_on(hamlet: Callable[..., City], anchor: datetime) -> None:
    going = run(hamlet(), anchor, step=timedelta(hours=5))
    assert next(going).until < next(going).until < next(going).until


def test_the_anchors_zone_does_not_matter(hamlet: Callable[..., City], anchor: datetime) -> None:
    from zoneinfo import ZoneInfo

    local = anchor.astimezone(ZoneInfo("Asia/Shanghai"))
    one = run(hamlet(), anchor, anchor + HOURS)
    other = run(hamlet(), local, local + HOURS)
    assert [b.messages for b in one] == [b.messages for b in other]
    assert one.anchor == other.anchor
    assert one.anchor.tzinfo is UTC
