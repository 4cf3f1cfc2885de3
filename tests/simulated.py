"""A simulated town in a database, as ingest would have stored it: instruments, wire, rollups.

Nothing in between is skipped but the broker; what rooms, meters and weather say can be chosen.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import simulators
from hearthline.domain.readings import Reading
from hearthline.storage import ledger, readings, rollups
from hearthline.storage.database import Connection
from ingest.formats import registry
from ingest.formats.model import NO_CONTEXT
from ingest.intake import Message, hear

EVERYTHING = ("/room", "/meter", "/weather")
METERS = ("/meter", "/weather")
LATE = timedelta(minutes=10)


def heard(
    city: simulators.City,
    anchor: datetime,
    until: datetime,
    topics: Collection[str] = METERS,
) -> list[Reading]:
    """What ingest makes of a town's messages in our own format."""
    formats = registry()
    found: list[Reading] = []
    for block in simulators.run(city, anchor, until):
        for message in block.messages:
            if message.topic.endswith(tuple(topics)):
                told = Message(message.topic, bytes(message.payload), block.until)
                found += hear(told, formats, NO_CONTEXT).decoded.readings
    return found


def store(connection: Connection, found: Collection[Reading], at: datetime) -> None:
    """Write readings of known devices and roll everything up."""
    known = readings.known_devices(connection, {reading.device_uid for reading in found})
    placed = [(known[r.device_uid], r) for r in found if r.device_uid in known]
    readings.store(connection, placed, at)
    rollups.roll_up_all(connection)


def live_through(
    connection: Connection,
    city: simulators.City,
    anchor: datetime,
    until: datetime,
    topics: Collection[str] = EVERYTHING,
) -> None:
    """Import a town's ledger and everything it said from the anchor on."""
    ledger.save(connection, city.ledger_at(anchor))
    store(connection, heard(city, anchor, until + LATE, topics), until)
