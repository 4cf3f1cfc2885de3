"""Districts that are judged together are judged as each would be alone."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from analytics.loading import told_apart
from analytics.lots import LOT, PIECES, REST, District, Lot, cut
from analytics.trust import Facts, SensorHours, Surroundings, Trust, daily, judge
from analytics.trust.together import apart, stacked
from hearthline.storage.analysis import Columns
from tests.unit.analytics.rooms import START, breathing, knocked, shown

HOURS = 72


def network(number: int, sensors: int) -> tuple[SensorHours, Surroundings]:
    """A network with liars of several sorts; its places have numbers of their own."""
    level = breathing(sensors, HOURS, seed=number)
    level[1, 20:] -= 3.0
    level[2, 10:] = level[2, 10]
    hours = knocked(shown(level), 3, 30, -2.0)
    samples = hours.samples.copy()
    samples[4:8, 40:] = 0
    mean_c = np.where(samples > 0, hours.mean_c, np.nan)
    group = 100 * number + np.arange(sensors) // 14
    weather = np.random.default_rng(0).normal(size=HOURS)
    return (
        replace(hours, samples=samples, mean_c=mean_c, peer_group=group),
        Surroundings(
            outdoor_c=weather,
            solar_wm2=np.zeros(HOURS),
            supply_c=np.full(hours.shape, 45.0) + weather,
            battery_pct=np.full(sensors, 80.0),
            skew_s=np.zeros(sensors),
            interval_s=np.full(sensors, 600.0),
            heard_s=np.full(sensors, np.nan),
            gateway=np.arange(sensors) // 5 - 1,
            entrance=group * 10,
            area=np.full(sensors, 7000 + number),
            certified_hour=np.full(sensors, np.nan),
            unheated=np.zeros(sensors, bool),
            walls=np.array([(row, row + 1) for row in range(sensors - 1)]),
        ),
    )


NETWORKS = [network(1, 30), network(2, 16), network(3, 9)]


def alone(hours: SensorHours, around: Surroundings) -> tuple[Facts, Trust]:
    past = daily(hours, around)
    return past, judge(hours, around, past)


def test_sensors_of_several_networks_are_graded_as_each_network_alone() -> None:
    """Buildings of three sensors are compared with their own network's others, never the next's."""
    whole, near = stacked(*zip(*NETWORKS, strict=True))
    past, trust = alone(whole, near)
    counts = [hours.shape[0] for hours, _ in NETWORKS]
    told = apart(trust, counts)
    memory = np.split(past.state, np.cumsum(counts)[:-1])
    for (hours, around), together, state in zip(NETWORKS, told, memory, strict=True):
        own, by_itself = alone(hours, around)
        assert np.array_equal(own.state, state, equal_nan=True)
        for field in fields(Trust):
            one, other = getattr(by_itself, field.name), getattr(together, field.name)
            assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f"), field.name
    assert (trust.grade[:, -1] > 0).any()
    gateways = [around.gateway for _, around in NETWORKS if around.gateway is not None]
    assert near.gateway is not None
    assert len(np.unique(near.gateway)) == 1 + sum(int(one.max()) + 1 for one in gateways)


def test_what_is_known_of_one_network_must_be_known_of_all() -> None:
    """A matrix cannot have rows that nobody measures beside rows that somebody does."""
    (hours, around), (other, near) = NETWORKS[:2]
    with pytest.raises(ValueError, match="known of all"):
        stacked([hours, other], [around, replace(near, supply_c=None)])


def test_rows_go_to_the_group_of_their_device() -> None:
    """Whatever the order in which they come; within a group it is kept."""
    device = np.array([7, 2, 9, 7, 4, 2])
    rows = Columns(device, START.timestamp() + np.arange(6.0), {"n": np.arange(6.0)})
    found = told_apart(rows, [[9, 2], [], [4, 7]])
    assert [part.values["n"].tolist() for part in found] == [[1, 2, 5], [], [0, 3, 4]]
    assert [part.device.tolist() for part in found] == [[2, 9, 2], [], [7, 7, 4]]
    assert all(len(part.at) == len(part.device) for part in found)


def test_lots_are_neighbours_and_bounded_by_their_dwellings() -> None:
    """A large city in lots of some thousand dwellings, the last ones smaller; a small one so that
    processes share it."""
    city = [District(f"D{n:03}", f"S/D{n:03}/") for n in range(100)]
    many = cut(city, {one.code: 240 for one in city})
    assert [one for lot in many for one in lot.districts] == city
    sizes = [len(lot.districts) for lot in many]
    left = [240 * (100 - sum(sizes[:number])) for number in range(len(sizes))]
    assert sizes[0] == LOT // 240
    assert all(
        240 * size <= min(LOT, max(LOT // REST, rest // REST))
        for size, rest in zip(sizes, left, strict=True)
    )
    town = city[:9]
    assert cut(town, {one.code: 225 for one in town}) == [Lot((one,)) for one in town]
    assert len(cut(city[:16], {one.code: 225 for one in city[:16]})) == PIECES


def test_a_district_too_large_or_unknown_is_judged_by_itself() -> None:
    """A lot never grows beyond its bound by a district whose size nobody counted."""
    city = [District(code, f"S/{code}/") for code in ("A", "B", "C", "D")]
    found = cut(city, {"A": 1_000, "B": 20_000, "D": 1_000, "Z": 10_000})
    assert [[one.code for one in lot.districts] for lot in found] == [["A"], ["B"], ["C"], ["D"]]
