"""The balance of a simulated town closes on the simulator's truth within its printed uncertainty.

Meters with their own errors, lost and doubled messages, five-minute readings, wire format,
rollups, heat, balance: nothing in between is skipped but the broker.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

import simulators
from analytics.balancing import balance_chore
from hearthline.domain.readings import Reading
from hearthline.storage import balance as storage
from hearthline.storage import ledger, readings, rollups
from hearthline.storage.database import Connection, Database, Row
from ingest.formats import registry
from ingest.formats.model import NO_CONTEXT
from ingest.intake import Message, hear

ANCHOR = datetime(2026, 1, 14, 16, tzinfo=UTC)
WARM_UP = timedelta(hours=2)
DAY = timedelta(hours=24)


def heard(city: simulators.City, until: datetime) -> list[Reading]:
    """What ingest makes of the town's meters and weather."""
    formats = registry()
    found: list[Reading] = []
    for block in simulators.run(city, ANCHOR, until):
        for message in block.messages:
            if message.topic.endswith(("/meter", "/weather")):
                payload = bytes(message.payload)
                told = Message(message.topic, payload, block.until)
                found += hear(told, formats, NO_CONTEXT).decoded.readings
    return found


def store(connection: Connection, found: list[Reading], at: datetime) -> None:
    known = readings.known_devices(connection, {reading.device_uid for reading in found})
    placed = [(known[r.device_uid], r) for r in found if r.device_uid in known]
    readings.store(connection, placed, at)
    rollups.roll_up_all(connection)


def true_loss_kwh(city: simulators.City, start: timedelta, stop: timedelta) -> float:
    """What the primary pipes gave to the ground, by the simulator's own books.

    What they hold more or less at the end is no loss; over a day it is a small part of one.
    """
    engine, state = city.start(ANCHOR)
    steps = range(int(stop.total_seconds()) // engine.seconds)
    sides = [(index, engine.advance(state, index).primary) for index in steps]
    begun = [side for index, side in sides if index * engine.seconds >= start.total_seconds()]
    return sum(side.lost_kj for side in begun) / 3600.0


@pytest.mark.timeout(300)
def test_a_simulated_town_closes_within_the_printed_uncertainty(database: Database) -> None:
    city = simulators.build(simulators.load("town"), coverage=0.0)
    stop = ANCHOR + WARM_UP + DAY
    with database.transaction() as connection:
        ledger.save(connection, city.ledger_at(ANCHOR))
        store(connection, heard(city, stop + timedelta(minutes=10)), stop)
    balance_chore(database, stop, ZoneInfo("Asia/Shanghai"))
    with database.transaction() as connection:
        rows = storage.running_balance(connection)
    by_stage: dict[str, list[Row]] = {}
    for row in rows:
        by_stage.setdefault(row["stage"], []).append(row)
    assert len(by_stage["exchange"]) == len(by_stage["distribution"]) == 4
    (network,) = by_stage["transmission"]
    assert network["reason"] == ""
    assert network["coverage"] == 1.0
    truth = true_loss_kwh(city, WARM_UP, WARM_UP + DAY)
    assert abs(network["loss_kwh"] - truth) <= network["uncertainty_kwh"]
    assert network["uncertainty_kwh"] < 0.035 * network["supplied_kwh"]
    for row in by_stage["exchange"]:  # the simulator's exchangers lose nothing
        assert row["reason"] == ""
        assert abs(row["loss_kwh"]) <= row["uncertainty_kwh"]
    for row in by_stage["distribution"]:
        assert row["reason"] == ""
        assert -row["uncertainty_kwh"] <= row["loss_kwh"] <= 0.25 * row["supplied_kwh"]
