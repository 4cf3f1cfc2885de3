"""Greetings and wills: births before data, numbers without gaps, retained descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from simulators.post import Message
from simulators.scenario import BehaviourSpec
from tests.unit.simulators.posting import ANCHOR_S, BUILDINGS, DOWN, HOURS_30, Going, only


def levels(message: Message) -> list[str]:
    return message.topic.split("/")


def of_type(messages: Iterable[Message]) -> Iterator[tuple[str, str, Message]]:
    """(type, edge node, message) of all Sparkplug messages of rooms."""
    for message in messages:
        if message.topic.startswith("spBv1.0/"):
            yield levels(message)[2], levels(message)[3], message


def test_an_edge_node_is_born_before_its_devices_and_they_before_their_readings() -> None:
    born: dict[str, set[str]] = {}
    for kind, edge, message in of_type(Going(down=DOWN).until(HOURS_30)):
        if kind == "NBIRTH":
            born[edge] = set()
        elif kind == "DBIRTH":
            born[edge].add(levels(message)[4])
        elif kind == "DDATA":
            assert levels(message)[4] in born[edge]
        assert message.readings == (kind == "DDATA")
    assert len(born) > BUILDINGS


def seq_of(payload: bytes) -> int:
    """The last field of a payload, which is seq."""
    return payload[-1] if payload[-2] == 0x18 else payload[-2] & 0x7F | payload[-1] << 7


def test_an_edge_node_counts_its_messages_from_its_birth_on() -> None:
    down = {1: (4 * 3600, 9 * 3600)}
    calm = BehaviourSpec(outages_per_gateway_day=0.8)
    _, messages = only("sparkplug", calm, down=down)
    expected: dict[str, int] = {}
    counted = 0
    for kind, edge, message in of_type(messages):
        if kind == "NDEATH":
            continue
        if kind == "NBIRTH":
            expected[edge] = 0
        assert seq_of(message.payload) == expected[edge], (kind, edge, message.due - ANCHOR_S)
        expected[edge] = (expected[edge] + 1) % 256
        counted += 1
    assert counted > 500


def test_an_outage_is_announced_by_a_will_and_its_readings_come_after_the_new_birth() -> None:
    calm = BehaviourSpec(outages_per_gateway_day=1.0, outage=timedelta(hours=2))
    _, messages = only("sparkplug", calm)
    alive: dict[str, bool] = {}
    deaths = 0
    for kind, edge, _ in of_type(messages):
        if "-GW1" not in edge:
            continue
        if kind == "NDEATH":
            deaths += 1
            alive[edge] = False
        elif kind == "NBIRTH":
            assert not alive.get(edge, False)
            alive[edge] = True
        else:
            assert alive[edge]
    assert deaths >= BUILDINGS * 5


def test_a_homie_device_describes_itself_and_has_a_last_will() -> None:
    _, messages = only("homie", BehaviourSpec(), down={0: (3600, 7200)})
    device = next(m.topic for m in messages if m.topic.endswith("$description"))
    base = device.rpartition("/")[0]
    own = [m for m in messages if m.topic.startswith(base)]
    assert [m.payload for m in own if m.topic.endswith("$state")][:2] == [b"init", b"ready"]
    assert all(m.retain == ("$" in m.topic) for m in own)
    assert all(m.readings == m.topic.endswith("/temperature") for m in own)
    states = [m.payload for m in messages if m.topic.endswith("$state")]
    assert b"lost" in states
    assert states.count(b"ready") > states.count(b"lost")
