"""The balance of a simulated town closes on the simulator's truth within its printed uncertainty.

Meters with their own errors, lost and doubled messages, readings every few minutes, wire format,
rollups, heat, balance: nothing in between is skipped but the broker. A class 2 meter's limit is
about two of its standard deviations, so over several towns nearly every loss must lie within the
printed uncertainty, and on average it must lie well within.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

import simulators
from analytics.balancing import balance_chore
from hearthline.domain.places import PlaceKind
from hearthline.storage import balance as storage
from hearthline.storage.database import Database, Row
from simulators.physics import water
from simulators.testing import small_city
from tests import simulated

ANCHOR = datetime(2026, 1, 14, 16, tzinfo=UTC)
WARM_UP = timedelta(hours=2)
DAY = timedelta(hours=24)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Lost:
    """Heat that the pipes really lost in a day, kWh: primary pipes, and by station secondary."""

    transmission: float
    distribution: dict[str, float]


def truly_lost(city: simulators.City, start: timedelta, stop: timedelta) -> Lost:
    """What the pipes gave to the ground, by the simulator's own books.

    What they hold more or less at the end is no loss; over a day it is a small part of one.
    """
    engine, state = city.start(ANCHOR)
    of = city.layout.tree.building_circuit
    primary_kj = 0.0
    secondary = [0.0] * len(city.layout.substations)
    for index in range(int(stop.total_seconds()) // engine.seconds):
        step = engine.advance(state, index)
        if index * engine.seconds < start.total_seconds():
            continue
        primary_kj += step.primary.lost_kj
        flow, heat = step.flows, step.water
        sent = flow.pump * (heat.secondary_supply_c - heat.secondary_return_c)
        taken = flow.building * (heat.building_supply_c - heat.building_return_c)
        for circuit, station in enumerate(city.layout.circuit_substation.tolist()):
            kept = sent[circuit] - taken[of == circuit].sum()
            secondary[station] += float(kept) * water.CP / 1000.0 * engine.seconds
    codes = city.layout.codes[PlaceKind.SUBSTATION]
    by_station = dict(zip(codes, (kj / 3600.0 for kj in secondary), strict=True))
    return Lost(primary_kj / 3600.0, by_station)


def balanced(database: Database, city: simulators.City) -> list[Row]:
    """The balances of the newest day, from what the town's meters said."""
    stop = ANCHOR + WARM_UP + DAY
    with database.transaction() as connection:
        simulated.live_through(connection, city, ANCHOR, stop, simulated.METERS)
    balance_chore(database, stop, SHANGHAI)
    with database.transaction() as connection:
        return storage.running_balance(connection)


def misses(rows: Iterable[Row], lost: Lost) -> list[float]:
    """How far each loss lies from the truth, in units of its printed uncertainty."""
    found = []
    for row in rows:
        assert row["reason"] == "", (row["place"], row["stage"])
        assert row["coverage"] == 1.0
        truth = {"transmission": lost.transmission, "exchange": 0.0}.get(row["stage"])
        truth = lost.distribution[row["place"]] if truth is None else truth
        found.append(abs(row["loss_kwh"] - truth) / row["uncertainty_kwh"])
    return found


@pytest.mark.timeout(300)
def test_a_whole_town_closes_within_the_printed_uncertainty(database: Database) -> None:
    city = simulators.build(simulators.load("town"), coverage=0.0)
    rows = balanced(database, city)
    assert len(rows) == 1 + 2 * 4
    found = misses(rows, truly_lost(city, WARM_UP, WARM_UP + DAY))
    assert max(found) <= 1.0
    network = next(row for row in rows if row["stage"] == "transmission")
    assert network["uncertainty_kwh"] < 0.035 * network["supplied_kwh"]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5, 6])
def test_towns_of_any_draw_and_weather_close_too(database: Database, seed: int) -> None:
    """Frost that comes and goes, so that the pipes store and give back; floors in every other."""
    town = small_city(
        ["2x6", "1x8", "2x5"],
        substations=2,
        outdoor_c=[("0h", -4.0 - 2 * seed), ("14h", -10.0), ("30h", -2.0 - 3 * seed)],
        daily_swing_k=6.0,
        heating="floor" if seed % 2 else "radiators",
        seed=100 + seed,
    ).with_coverage(0.0)
    town = town.with_behaviour(lost=0.01, duplicated=0.005)
    rows = balanced(database, town.city)
    assert len(rows) == 5
    found = misses(rows, truly_lost(town.city, WARM_UP, WARM_UP + DAY))
    assert max(found) <= 1.0
    assert sum(found) / len(found) < 0.6
