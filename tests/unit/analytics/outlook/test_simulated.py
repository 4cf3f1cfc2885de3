"""Against the simulator's truth: a healthy town in a cold snap, a fifth of it measured."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics.outlook.estimate import estimate
from analytics.outlook.forecast import LEADS, Past, forecast
from analytics.outlook.town import lay_out
from analytics.outlook.weather import ForecastPoint, look_ahead
from hearthline.domain.network import Dwelling, Network, Node
from hearthline.domain.places import paths
from simulators.city import City, build, load
from simulators.truth.survey import survey

ANCHOR = datetime(2026, 1, 5, tzinfo=UTC)
HOURS, PAST = 144, 96
HOUR = timedelta(hours=1)


def network_of(city: City) -> Network:
    """The town's ledger in memory, without devices."""
    ledger = city.ledger_at(ANCHOR)
    path = paths(ledger.places)
    nodes = {
        p.code: Node(i, p.code, p.kind, path[p.code], p.name, p.name_zh)
        for i, p in enumerate(ledger.places)
    }
    homes = [Dwelling(u.code, u.area_m2, u.floor, u.column) for u in ledger.units]
    return Network(nodes, homes, (), {})


@pytest.fixture(scope="module")
def lived() -> tuple[Network, NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Network, true rooms (dwellings, hours), outdoors, and who has a sensor."""
    city = build(load("cold-snap"), seed=4711, coverage=0.2)
    hours = list(survey(city, ANCHOR, HOURS * HOUR))
    network = network_of(city)
    place = {code: i for i, code in enumerate(city.unit_codes)}
    order = np.array([place[home.code] for home in network.dwellings])
    rooms = np.stack([hour.room_c for hour in hours], axis=1).astype(np.float64)[order]
    sensed = np.isin(order, city.fleet.rooms.unit)
    return network, rooms, np.array([hour.plant.outdoor_c for hour in hours]), sensed


def test_the_truth_lies_in_the_intervals_and_forecasts_beat_the_last_reading(
    lived: tuple[Network, NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]],
) -> None:
    """Nine in ten of the unmeasured dwellings; half a day ahead of those measured."""
    network, rooms, outdoor, sensed = lived
    noise = np.random.default_rng(1).normal(0.0, 0.1, (len(rooms), 1))
    read = np.where(sensed[:, None], rooms + noise, np.nan)[:, :PAST]
    now = ANCHOR + PAST * HOUR
    town = lay_out(network, now)
    day = estimate(town, read[:, -24:].mean(axis=1))
    truth = rooms[:, PAST - 24 : PAST].mean(axis=1)
    inside = np.abs(truth - day.mean_c) <= day.half_k
    assert 0.85 <= inside[~sensed].mean() <= 0.98
    points = [ForecastPoint(now + (h + 0.5) * HOUR, outdoor[PAST + h]) for h in range(LEADS)]
    coming = look_ahead(outdoor[:PAST], now, LEADS, points)
    heat = np.ones((len(town.buildings), PAST))
    found = forecast(town, Past(read, outdoor[:PAST], heat), coming, day)
    ahead = rooms[:, PAST : PAST + LEADS]
    error = np.sqrt(((found.mean_c - ahead)[sensed, 5:12] ** 2).mean())
    last = np.sqrt(((read[:, -1:] - ahead)[sensed, 5:12] ** 2).mean())
    assert error < last
    held = np.abs(found.mean_c - ahead) <= found.half_k
    assert held[sensed].mean() > 0.85
    assert held[~sensed].mean() > 0.85
