"""What is known around sensors, and whose neighbours are asked."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from analytics.observed import MeterTable, Weather
from analytics.trust import HOUR, Surroundings
from analytics.trust.around import surroundings
from analytics.window import RoomWindow
from hearthline.domain.network import Dwelling, Instrument, Network, Node, Period
from hearthline.domain.places import DeviceKind, DeviceRole, HeatingStatus, PlaceKind
from tests.unit.analytics.rooms import START, breathing, shown

CODES = [f"B-{floor}0{column}" for floor in (1, 2, 3) for column in (1, 2)]


def block(status: dict[str, HeatingStatus]) -> Network:
    """A building of three floors with two dwellings each, a sensor in all of them."""
    nodes = [Node(0, "B", PlaceKind.BUILDING, "B/", "House", "楼")]
    nodes += [
        Node(1 + n, code, PlaceKind.UNIT, f"B/{code}/", code, code) for n, code in enumerate(CODES)
    ]
    dwellings = [Dwelling(code, 80.0, int(code[-3]), int(code[-1])) for code in CODES]
    sensors = [
        Instrument(n, f"own:t/{code}", DeviceKind.ROOM, DeviceRole.ROOM, code, None, 1200)
        for n, code in enumerate(CODES)
    ]
    periods = {
        code: [Period(one, START - timedelta(days=30), None)] for code, one in status.items()
    }
    return Network({node.code: node for node in nodes}, dwellings, sensors, periods)


def around(network: Network) -> Surroundings:
    hours = shown(breathing(len(CODES), 24))
    unit = np.arange(len(CODES))
    rooms = RoomWindow(START, tuple(network.instruments), unit, hours, np.full(hours.shape, 60.0))
    nobody = np.zeros((0, 24))
    return surroundings(
        network,
        rooms,
        MeterTable(START - HOUR, (), *(nobody for _ in range(9))),
        Weather(START, *(np.zeros(24) for _ in range(3))),
    )


def witnesses(near: Surroundings) -> dict[str, set[str]]:
    assert near.walls is not None
    found: dict[str, set[str]] = {code: set() for code in CODES}
    for row, other in near.walls.tolist():
        found[CODES[row]].add(CODES[other])
    return found


def test_whoever_lives_beyond_a_wall_is_a_witness() -> None:
    asked = witnesses(around(block({})))
    assert asked["B-201"] == {"B-101", "B-301", "B-202"}
    assert asked["B-102"] == {"B-101", "B-202"}


def test_beside_an_unheated_dwelling_nobody_is_asked() -> None:
    """A room is cold there for that reason; those further off may still speak of others."""
    near = around(block({"B-101": HeatingStatus.STOPPED}))
    asked = witnesses(near)
    assert near.unheated is not None
    assert near.unheated.tolist() == [code == "B-101" for code in CODES]
    assert asked["B-201"] == asked["B-102"] == set()
    assert asked["B-202"] == {"B-102", "B-201", "B-302"}
