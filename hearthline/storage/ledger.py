"""Store a ledger (台账) and read the network back as one in-memory tree.

``save`` is an idempotent upsert: the same ledger twice changes nothing. A device that is already
bound stays where it is; moving a device is an act of its own, not a side effect of an import.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hearthline.domain.places import Ledger, paths
from hearthline.storage.database import Connection
from hearthline.storage.queries import family

LEDGER_CHANNEL = "hearthline_ledger"  # NOTIFY, so that ingest learns of new devices at once


def save(connection: Connection, ledger: Ledger) -> None:
    """Write every place, unit, status and device, all or nothing with the caller's transaction.

    Raises:
        ValueError: the tree has a hole or a loop (see ``places.paths``).
    """
    sql = family("ledger")
    path_of = paths(ledger.places)
    parents_first = sorted(ledger.places, key=lambda place: place.kind.level)
    with connection.cursor() as cursor:
        cursor.executemany(
            sql["upsert_place"],
            [{**asdict(place), "path": path_of[place.code]} for place in parents_first],
        )
        cursor.executemany(sql["upsert_unit"], [asdict(unit) for unit in ledger.units])
        codes = [unit.code for unit in ledger.units]
        cursor.execute(sql["forget_statuses"], {"codes": codes})
        cursor.executemany(sql["insert_status"], [asdict(status) for status in ledger.statuses])
        devices = [asdict(device) for device in ledger.devices]
        cursor.executemany(sql["upsert_device"], devices)
        cursor.executemany(sql["bind_device"], devices)
        cursor.execute(sql["notify"])


def counts(connection: Connection) -> dict[str, Any]:
    """How many places, units and devices the ledger holds."""
    return connection.execute(family("ledger")["counts"]).fetchall()[0]
