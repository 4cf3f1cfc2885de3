"""What goes wrong on the way: backlogs, wrong clocks, copies, gateways that are down."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import timedelta

import pytest

from simulators.scenario import BehaviourSpec
from tests.unit.simulators.posting import (
    ANCHOR_S,
    HOURS_30,
    ROOM_S,
    Going,
    only,
    spoken,
)

LATE = BehaviourSpec(late=0.7, late_by=timedelta(hours=6))


def test_chirpstack_delivers_a_backlog_as_history() -> None:
    going, messages = only("chirpstack", LATE)
    kept = []
    for message in spoken(messages, "application/"):
        said = json.loads(message.payload)["object"]
        if "history" in said:
            assert message.readings == len(said["history"]) <= 10
            assert "temperature" not in said
            kept += [message.due - entry["timestamp"] for entry in said["history"]]
        else:
            assert message.readings == 1
    assert 3600 < max(kept) <= 6 * 3600
    assert min(kept) >= 0
    assert going.report.balanced


@pytest.mark.parametrize("name", ["tasmota", "senml", "onenet", "alink", "iotda"])
def test_devices_with_a_clock_deliver_a_backlog_all_at_once(name: str) -> None:
    going, messages = only(name, LATE)
    usual, _ = only(name, BehaviourSpec())
    rooms = [m for m in messages if not m.topic.startswith("hearthline/")]
    most = defaultdict(int)
    for message in rooms:
        most[message.topic, message.due] += message.readings
    assert max(most.values()) > 5
    assert going.report.good + going.report.held == usual.report.good + usual.report.held


@pytest.mark.parametrize("name", ["zigbee2mqtt", "tts", "homie", "ctwing"])
def test_devices_that_the_network_dates_are_never_late(name: str) -> None:
    _, messages = only(name, LATE)
    _, usual = only(name, BehaviourSpec())
    rooms = [m for m in messages if "/room" in m.topic or "hearthline" not in m.topic]
    prefix = "hearthline/v1/hm/H-S1"
    assert [m for m in messages if prefix not in m.topic and "$oc" not in m.topic] == [
        m for m in usual if prefix not in m.topic and "$oc" not in m.topic
    ]
    assert rooms


def test_a_wrong_clock_is_wrong_by_the_same_seconds_all_the_time() -> None:
    _, messages = only("senml", BehaviourSpec(clock_wrong=1.0, clock_off=timedelta(minutes=4)))
    off = defaultdict(set)
    for message in spoken(messages, "senml/"):
        off[message.topic].add(int(json.loads(message.payload)[0]["bt"]) - message.due)
    assert all(len(seconds) == 1 for seconds in off.values())
    all_off = {seconds.pop() for seconds in off.values()}
    assert len(all_off) > 3
    assert min(all_off) < 0 < max(all_off)
    assert max(map(abs, all_off)) <= 240


def test_the_network_dates_what_its_devices_could_not() -> None:
    wrong = BehaviourSpec(clock_wrong=1.0)
    for name, prefix in (("chirpstack", "application/"), ("tts", "v3/"), ("sparkplug", "spB")):
        _, messages = only(name, wrong)
        _, usual = only(name, BehaviourSpec())
        assert spoken(messages, prefix) == spoken(usual, prefix)


def test_undated_values_are_never_repeated() -> None:
    _, messages = only("homie", BehaviourSpec(duplicated=1.0))
    values = [m for m in spoken(messages, "homie/") if "$" not in m.topic]
    instants = [(m.topic, m.due) for m in values]
    assert len(instants) == len(set(instants))
    assert len({m.due for m in values if m.topic == values[0].topic}) <= HOURS_30 // ROOM_S + 1


def test_a_copy_is_the_same_message_a_little_later() -> None:
    going, messages = only("tts", BehaviourSpec(duplicated=1.0))
    seen: dict[bytes, list[int]] = defaultdict(list)
    for message in spoken(messages, "v3/"):
        seen[message.payload].append(message.due)
    pairs = [due for due in seen.values() if len(due) == 2]
    assert len(pairs) > 400
    assert all(3 <= later - first <= 48 for first, later in pairs)
    assert going.report.duplicates > 0


def test_what_is_measured_while_a_gateway_is_down_is_lost() -> None:
    down = {0: (3600, 5 * 3600)}
    going = Going(BehaviourSpec(), down=down)
    messages = going.until(HOURS_30)
    cut = [s for s in range(len(going.fleet.rooms.unit)) if going.fleet.rooms.gateway[s] == 0]
    assert going.report.lost == len(cut) * 4 * 3600 // ROOM_S
    names = {going.fleet.rooms.identity(s).topic for s in cut if going.fleet.rooms.speech[s]}
    silent = [m for m in messages if m.topic in names and 3600 <= m.due - ANCHOR_S < 5 * 3600]
    assert silent == []
